//! Why a ledger does not continue a checkpoint, or why a run cannot be proved.

use provender_domain::interrupt::Interrupted;
use provender_ledger::LedgerError;
use provender_proof::{Discontinuity, ProofError};

/// A key, a checkpoint, a proof or a bundle that cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A key, checkpoint, proof or bundle was rejected.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The ledger does not extend the history that a checkpoint recorded.
    #[error("the ledger is not a continuation of {what}: {problem}")]
    Rewritten {
        /// The checkpoint, as shown to people.
        what: String,
        /// What differs.
        problem: Discontinuity,
    },
    /// A run whose rows differ from what the entry of its batch recorded.
    #[error("this run cannot be proved: {0}")]
    Unprovable(String),
    /// The audit was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl AuditError {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            AuditError::Proof(e) => e.code(),
            AuditError::Rewritten { .. } => "history_rewritten",
            AuditError::Unprovable(_) => "unprovable",
            AuditError::Interrupted(_) => "interrupted",
            AuditError::Ledger(e) => e.code(),
        }
    }
}
