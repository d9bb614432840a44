//! Errors of opening and using a deployment.

use provender_domain::day::Day;
use provender_domain::ids::ModelVersion;
use std::io;
use std::path::PathBuf;

use provender_ledger::{Address, LedgerError};
use provender_sandbox::LogicError;
use provender_store::manifest::ManifestError;

use crate::compute::ComputeError;
use crate::explain::ExplainError;
use crate::incident::IncidentError;
use crate::monitor::gather::GatherError;
use crate::project::ProjectError;
use crate::release::ReleaseError;

use super::{Finished, LOCK};

/// Why an operation on a deployment failed.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// The caller's clock does not give an RFC 3339 instant.
    #[error("the clock does not give a valid date")]
    Clock,
    /// The deployment was opened on a different ledger, which is read-only.
    #[error("{} was opened read-only, but this operation writes", .0.location())]
    ReadOnly(Address),
    /// Nothing is recorded.
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
    /// Nothing is pinned.
    #[error("{} has no {LOCK}: nothing is pinned", .0.display())]
    LockMissing(PathBuf),
    /// The lock file cannot be read.
    #[error("{LOCK}: {0}")]
    LockUnreadable(io::Error),
    /// A pinned component is missing or cannot be read.
    #[error("{path}, pinned as {model}: {cause}")]
    ComponentUnreadable {
        /// Its file.
        path: String,
        /// `name:version`.
        model: ModelVersion,
        /// Why.
        cause: io::Error,
    },
    /// A pinned component's file is longer than its pin says.
    #[error("{path} is not the pinned {model}: the lock file says {size} bytes, the file has more")]
    ComponentLonger {
        /// Its file.
        path: String,
        /// `name:version`.
        model: ModelVersion,
        /// Pinned size in bytes.
        size: u64,
    },
    /// Neither the settings nor the caller name a logic.
    #[error("provender.toml does not name an active logic")]
    NoActiveLogic,
    /// The logic is not written as `name:version`.
    #[error("`{given}` is not a logic version: write name:version; pinned versions: {pinned}")]
    NotALogic {
        /// What the user gave.
        given: ModelVersion,
        /// The pinned versions.
        pinned: String,
    },
    /// The version is not pinned.
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
    /// Several sources gave files like this one, and none lists it.
    #[error("several sources gave {format} files before ({}): name the one this file belongs to with --source", .sources.join(", "))]
    ManySources {
        /// The format.
        format: &'static str,
        /// The sources.
        sources: Vec<String>,
        /// The deployment's folder.
        root: PathBuf,
    },
    /// A logic has no answer to make a baseline of.
    #[error("{logic} has no answer from {from} to {to}, so there is nothing to freeze")]
    NothingToFreeze {
        /// `name:version`.
        logic: ModelVersion,
        /// First day of the period.
        from: Day,
        /// Last day, inclusive.
        to: Day,
    },
    /// The work was interrupted between two batches.
    #[error("interrupted between two batches: {0}")]
    Interrupted(Box<Finished>),
    /// The deployment's files cannot be used.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The manifest store failed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A component or the lock file cannot be used.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// Binding or computing failed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// Monitoring failed.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// A run cannot be found or explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A release cannot be used.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// An incident cannot be used.
    #[error(transparent)]
    Incident(#[from] IncidentError),
}

impl DeploymentError {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            DeploymentError::Clock => "clock",
            DeploymentError::ReadOnly(_)
            | DeploymentError::NotALogic { .. }
            | DeploymentError::ManySources { .. } => "usage",
            DeploymentError::NothingToFreeze { .. } => "nothing_to_freeze",
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
            DeploymentError::Incident(e) => e.code(),
        }
    }
}
