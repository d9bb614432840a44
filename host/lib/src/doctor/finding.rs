//! A finding: what is wrong or will be needed, and the next step.

use provender_ledger::LedgerError;

use crate::deployment::DeploymentError;

use super::upgrade::UpgradeChange;

/// Something to do about a deployment.
#[derive(Debug)]
pub enum DoctorFinding {
    /// A file, the ledger or a component cannot be used.
    Unusable(DeploymentError),
    /// A folder in which the program records something cannot be written.
    Unwritable {
        /// The setting that names the folder.
        setting: &'static str,
        /// The folder, or the nearest existing folder above it.
        folder: String,
        /// Why.
        cause: String,
    },
    /// Temporary files that a killed process left, or that are being written now.
    Unfinished {
        /// Their folder.
        folder: String,
        /// Their number.
        files: usize,
    },
    /// The ledger has an older schema than this program writes.
    OlderSchema {
        /// The ledger's schema.
        found: i64,
        /// The schema that this program writes.
        newest: i64,
    },
    /// A setting of this deployment has a different meaning than before.
    Changed(&'static UpgradeChange),
}

impl DoctorFinding {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            DoctorFinding::Unusable(e) => e.code(),
            DoctorFinding::Unwritable { .. } => "folder_unwritable",
            DoctorFinding::Unfinished { .. } => "unfinished_files",
            DoctorFinding::OlderSchema { .. } => "ledger_older_schema",
            DoctorFinding::Changed(_) => "setting_changed",
        }
    }

    /// What is wrong or will be needed, with the value in it.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            DoctorFinding::Unusable(e) => e.to_string(),
            DoctorFinding::Unwritable {
                setting,
                folder,
                cause,
            } => format!("{folder}, named by `{setting}`, cannot be written: {cause}"),
            DoctorFinding::Unfinished { folder, files: 1 } => {
                format!("{folder} contains 1 temporary file left by a killed process")
            }
            DoctorFinding::Unfinished { folder, files } => {
                format!("{folder} contains {files} temporary files left by a killed process")
            }
            DoctorFinding::OlderSchema { found, newest } => format!(
                "the ledger has schema {found}, and this program writes schema {newest}: the next command that writes will migrate it"
            ),
            DoctorFinding::Changed(change) => format!(
                "`{}` has a different meaning since {}: {}",
                change.setting, change.since, change.what
            ),
        }
    }

    /// The next step.
    #[must_use]
    pub fn next(&self) -> String {
        match self {
            DoctorFinding::Unusable(e) => after(e).to_owned(),
            DoctorFinding::Unwritable { .. } => {
                "give the account that runs the jobs write permission there, or set another folder in provender.toml".to_owned()
            }
            DoctorFinding::Unfinished { .. } => {
                "nothing depends on them; if no command is running, the next `provender run` or `provender plugin add` removes those that it comes across".to_owned()
            }
            DoctorFinding::OlderSchema { found, .. } => format!(
                "run `provender backup DIR` first; the migration keeps a copy, `.schema-{found}` beside the ledger, and only that copy or a backup takes you back"
            ),
            DoctorFinding::Changed(change) => change.next.to_owned(),
        }
    }
}

/// The next step for something that cannot be used.
fn after(error: &DeploymentError) -> &'static str {
    match error {
        DeploymentError::Project(_) => "correct the file; docs/reference/files.md lists every key",
        DeploymentError::LockMissing(_) => {
            "restore provender.lock, or pin components with `provender plugin add`"
        }
        DeploymentError::Ledger(LedgerError::Gone { .. }) => {
            "restore the ledger from a backup; a new ledger would record every number again"
        }
        DeploymentError::Ledger(LedgerError::NewerSchema { .. }) => {
            "use the program version that migrated it, or restore the copy that was made before the migration"
        }
        DeploymentError::Ledger(LedgerError::LogLeft { .. }) => {
            "run any command where the folder can be written, or copy the ledger and its log together"
        }
        DeploymentError::Ledger(_) => {
            "check `ledger.url`, then run `provender audit`; restore a damaged ledger from a backup, and keep the damaged file"
        }
        DeploymentError::ComponentUnreadable { .. }
        | DeploymentError::ComponentLonger { .. }
        | DeploymentError::Logic(_) => {
            "restore the pinned file from version control or a backup; `provender verify` checks all of them"
        }
        _ => "correct the problem in the message, then run `provender doctor` again",
    }
}
