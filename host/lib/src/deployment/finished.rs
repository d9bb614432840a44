//! What was finished before an interruption.

use std::fmt;

use provender_domain::render::text::count;

use crate::compute::ComputeError;
use crate::ingest::report::FileReport;

use super::{Computed, DeploymentError};

/// What was finished before an interruption. It is kept: the next attempt finds it unchanged.
#[derive(Default)]
pub struct Finished {
    /// The files that were ingested or refused.
    pub files: Vec<FileReport>,
    /// The runs that were computed; `None` if computing had not started.
    pub computed: Option<Computed>,
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.computed.as_ref().map_or(0, |c| c.summary.total());
        match (self.files.len() as u64, runs) {
            (0, 0) => write!(f, "nothing was started"),
            (0, runs) => write!(f, "{} done", count(runs, "run")),
            (files, 0) => write!(f, "{} done", count(files, "file")),
            (files, runs) => write!(
                f,
                "{} and {} done",
                count(files, "file"),
                count(runs, "run")
            ),
        }
    }
}

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Finished({self})")
    }
}

impl DeploymentError {
    /// Adds earlier work to the error, if the work was interrupted.
    pub(super) fn after(self, finished: impl FnOnce() -> Finished) -> DeploymentError {
        match self {
            DeploymentError::Compute(ComputeError::Interrupted(_))
            | DeploymentError::Interrupted(_) => DeploymentError::Interrupted(Box::new(finished())),
            other => other,
        }
    }
}
