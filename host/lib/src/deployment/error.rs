//! Why a deployment cannot be opened, or does not have what was asked of it.

use provender_domain::ids::ModelVersion;
use std::io;
use std::path::PathBuf;

use provender_ledger::{Address, LedgerError};
use provender_sandbox::LogicError;
use provender_store::manifest::ManifestError;

use crate::compute::ComputeError;
use crate::explain::ExplainError;
use crate::monitor::gather::GatherError;
use crate::project::ProjectError;
use crate::release::ReleaseError;

use super::{Finished, LOCK};

/// What a deployment cannot do.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// The caller's clock does not give an RFC 3339 instant.
    #[error("the clock does not give a valid date")]
    Clock,
    /// The deployment was opened on another ledger, which is read only.
    #[error("{} was opened read-only, but this operation writes", .0.location())]
    ReadOnly(Address),
    /// Nothing is recorded yet.
    #[error("the ledger {0} is missing or empty: nothing is recorded there")]
    NothingRecorded(Address),
    /// A folder cannot be opened.
    #[error("{}: {cause}", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A handle of an open folder cannot be duplicated.
    #[error("{0}")]
    Handle(io::Error),
    /// Nothing is pinned yet.
    #[error("{} has no {LOCK}: nothing is pinned", .0.display())]
    LockMissing(PathBuf),
    /// The lock file cannot be read.
    #[error("{LOCK}: {0}")]
    LockUnreadable(io::Error),
    /// A pinned component is not there, or cannot be read.
    #[error("{path}, pinned as {model}: {cause}")]
    ComponentUnreadable {
        /// Its file.
        path: String,
        /// `name:version`.
        model: ModelVersion,
        /// Why.
        cause: io::Error,
    },
    /// A pinned component's file is longer than the pin says.
    #[error("{path} is not the pinned {model}: the lock file says {size} bytes, the file has more")]
    ComponentLonger {
        /// Its file.
        path: String,
        /// `name:version`.
        model: ModelVersion,
        /// Bytes that are pinned.
        size: u64,
    },
    /// Neither the settings nor the caller name a logic.
    #[error("provender.toml does not name an active logic")]
    NoActiveLogic,
    /// A logic that is not written as `name:version`.
    #[error("`{given}` is not a logic version: write name:version; pinned versions: {pinned}")]
    NotALogic {
        /// What was given.
        given: ModelVersion,
        /// The pinned versions.
        pinned: String,
    },
    /// A version that is not pinned.
    #[error("{model} is not pinned in {LOCK}; pinned versions: {pinned}")]
    NotPinned {
        /// `name:version`.
        model: ModelVersion,
        /// The pinned versions.
        pinned: String,
    },
    /// A file of a report cannot be written.
    #[error("{file} cannot be written: {cause}")]
    ReportUnwritable {
        /// The file.
        file: String,
        /// Why.
        cause: io::Error,
    },
    /// Work was asked to stop, and did between two batches.
    #[error("interrupted between two batches: {0}")]
    Interrupted(Box<Finished>),
    /// The deployment's files.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The manifest store.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A component or the lock file.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// Binding, looking up or computing.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// Monitoring.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// Finding or explaining a run.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// Releases.
    #[error(transparent)]
    Release(#[from] ReleaseError),
}

impl DeploymentError {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            DeploymentError::Clock => "clock",
            DeploymentError::ReadOnly(_) | DeploymentError::NotALogic { .. } => "usage",
            DeploymentError::NothingRecorded(_) => "ledger_missing",
            DeploymentError::Folder { .. } | DeploymentError::Handle(_) => "folder_io",
            DeploymentError::LockMissing(_) => "lock_missing",
            DeploymentError::LockUnreadable(_) => "lock_unreadable",
            DeploymentError::ComponentUnreadable { .. } => "component_unreadable",
            DeploymentError::ComponentLonger { .. } => "component_digest",
            DeploymentError::NoActiveLogic => "no_active_logic",
            DeploymentError::NotPinned { .. } => "not_pinned",
            DeploymentError::ReportUnwritable { .. } => "report_unwritable",
            DeploymentError::Interrupted(_) => "interrupted",
            DeploymentError::Project(e) => e.code(),
            DeploymentError::Ledger(e) => e.code(),
            DeploymentError::Manifest(e) => e.code(),
            DeploymentError::Logic(e) => e.code(),
            DeploymentError::Compute(e) => e.code(),
            DeploymentError::Gather(GatherError::Compute(e)) => e.code(),
            DeploymentError::Gather(_) => "monitor_rules",
            DeploymentError::Explain(e) => e.code(),
            DeploymentError::Release(e) => e.code(),
        }
    }
}
