//! How explaining says no.

use provender_ledger::LedgerError;
use provender_store::manifest::ManifestError;

/// A run that cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No run is meant.
    #[error("{0}")]
    NotFound(String),
    /// What was asked for can be no run.
    #[error("{0}")]
    Malformed(String),
    /// Several runs are meant.
    #[error("{what} means {} runs; name one:\n  {}", candidates.len(), candidates.join("\n  "))]
    Ambiguous {
        /// What was asked for.
        what: String,
        /// The commands that name one each.
        candidates: Vec<String>,
    },
    /// The manifest is not what was recorded.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger's row and the manifest disagree.
    #[error("the run {run} is damaged: {problem}")]
    Damaged {
        /// The run.
        run: String,
        /// What disagrees.
        problem: String,
    },
}

impl ExplainError {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ExplainError::NotFound(_) => "run_not_found",
            ExplainError::Malformed(_) => "run_malformed",
            ExplainError::Ambiguous { .. } => "run_ambiguous",
            ExplainError::Manifest(e) => e.code(),
            ExplainError::Ledger(e) => e.code(),
            ExplainError::Damaged { .. } => "run_damaged",
        }
    }
}
