//! What a deployment reports while it works. The library prints nothing: the caller decides what is shown.

use provender_sandbox::OnCompile;

use crate::project::settings::CompileLimits;

use super::{DeploymentError, LOCK};

/// Something to know beside what was asked for. Nothing failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning<'w> {
    /// The clock is behind the newest entry.
    ClockBehind {
        /// What the clock says.
        now: &'w str,
        /// The instant of the newest entry.
        newest: &'w str,
    },
    /// A release is in force, and the lock file beside it cannot be used.
    LockNotRead(&'w DeploymentError),
    /// Components are looked for without the lock file, which cannot be used.
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

/// Receives what a deployment reports. `()` ignores it all.
pub trait Observer: Send + Sync {
    /// Something to know.
    fn warn(&self, _: &Warning<'_>) {}

    /// What watches over every compilation, within these limits.
    fn compiling(&self, _: CompileLimits) -> Option<OnCompile> {
        None
    }
}

impl Observer for () {}

/// What is being counted.
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
    /// Parts of a backup: the ledger, the manifests, the releases.
    Backup,
}

/// Follows how far the work is. `()` does not.
pub trait Progress {
    /// A phase begins, with so many steps ahead.
    fn begin(&mut self, _: Phase, _total: u64) {}
    /// Steps were done.
    fn advance(&mut self, _steps: u64) {}
    /// The phase has ended.
    fn end(&mut self) {}
}

impl Progress for () {}
