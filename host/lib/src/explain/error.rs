//! Errors of finding and explaining a run.

use provender_ledger::LedgerError;
use provender_store::manifest::ManifestError;

/// Why a run cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No run matches.
    #[error("{0}")]
    NotFound(String),
    /// The request cannot name a run.
    #[error("{0}")]
    Malformed(String),
    /// Several runs match.
    #[error("{what} means {} runs; name one:\n  {}", candidates.len(), candidates.join("\n  "))]
    Ambiguous {
        /// What the user asked for.
        what: String,
        /// Commands that each name one of the runs.
        candidates: Vec<String>,
    },
    /// The manifest cannot be read, or differs from what was recorded.
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
