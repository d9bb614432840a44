//! Warnings and progress of a deployment. The library prints nothing: the caller decides what to show.

use provender_sandbox::OnCompile;

use crate::project::settings::CompileLimits;

use super::{DeploymentError, LOCK};

/// A note for the user. Nothing failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning<'w> {
    /// The clock is behind the ledger's newest entry.
    ClockBehind {
        /// The time of the clock.
        now: &'w str,
        /// The time of the newest entry.
        newest: &'w str,
    },
    /// A release is in force, and the lock file next to it cannot be used.
    LockNotRead(&'w DeploymentError),
    /// The lock file cannot be used, so components are searched without it.
    LockNotSearched(&'w DeploymentError),
}

impl std::fmt::Display for Warning<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Warning::ClockBehind { now, newest } => write!(
                f,
                "the clock says {now}, which is before the ledger's newest entry ({newest}): new entries still follow it in the ledger, but --known-at goes by the recorded times"
            ),
            Warning::LockNotRead(cause) => {
                write!(
                    f,
                    "{LOCK} was not read because a release is active: {cause}"
                )
            }
            Warning::LockNotSearched(cause) => {
                write!(
                    f,
                    "the components pinned in {LOCK} were not checked: {cause}"
                )
            }
        }
    }
}

/// Receives a deployment's warnings. `()` ignores them.
pub trait Observer: Send + Sync {
    /// Called for each warning.
    fn warn(&self, _: &Warning<'_>) {}

    /// Returns a callback for every compilation within these limits.
    fn compiling(&self, _: CompileLimits) -> Option<OnCompile> {
        None
    }
}

impl Observer for () {}

/// The phase whose steps are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Input files.
    Ingest,
    /// Runs.
    Compute,
    /// Runs of a canary.
    Shadow,
    /// Runs that replace others.
    Reissue,
    /// Pinned versions that are to be released.
    Examine,
    /// Parts of a backup: the ledger, the manifests, the releases.
    Backup,
}

/// Receives progress. `()` ignores it.
pub trait Progress {
    /// A phase begins, with `total` steps.
    fn begin(&mut self, _: Phase, _total: u64) {}
    /// More steps are done.
    fn advance(&mut self, _steps: u64) {}
    /// The phase has ended.
    fn end(&mut self) {}
}

impl Progress for () {}
