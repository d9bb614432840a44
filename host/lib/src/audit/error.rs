//! Why a ledger does not continue a checkpoint, or proves nothing.

use provender_domain::interrupt::Interrupted;
use provender_ledger::LedgerError;
use provender_proof::{Discontinuity, ProofError};

/// A key, a checkpoint, a proof or a bundle that cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A key, a checkpoint, a proof or a bundle is refused.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The ledger does not continue what a checkpoint says.
    #[error("the ledger is not a continuation of {what}: {problem}")]
    Rewritten {
        /// The checkpoint, for people.
        what: String,
        /// What differs.
        problem: Discontinuity,
    },
    /// A run whose rows are not what its batch's entry says: nothing can be proved of it.
    #[error("this run cannot be proved: {0}")]
    Unprovable(String),
    /// It was asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The ledger says no.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl AuditError {
    /// A stable name for machines.
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
