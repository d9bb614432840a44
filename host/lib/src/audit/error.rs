//! How proofs, notes and bundles say no.

use provender_ledger::LedgerError;

/// A key, a checkpoint, a proof or a bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A text that is no key.
    #[error("{what} is no {kind} key: {problem}")]
    Key {
        /// The file, for people.
        what: String,
        /// `private` or `public`.
        kind: &'static str,
        /// Why not.
        problem: String,
    },
    /// A text that is no checkpoint.
    #[error("{what} is no checkpoint: {problem}")]
    Checkpoint {
        /// The file, for people.
        what: String,
        /// Why not.
        problem: String,
    },
    /// A checkpoint that was not signed with the key, or was changed.
    #[error("{what} is not what the holder of the key {name} signed: {problem}")]
    Signature {
        /// The file, for people.
        what: String,
        /// Name of the key.
        name: String,
        /// Why not.
        problem: String,
    },
    /// The ledger does not continue what a checkpoint says.
    #[error("the ledger is not a continuation of {what}: {problem}")]
    Rewritten {
        /// The checkpoint, for people.
        what: String,
        /// What differs.
        problem: String,
    },
    /// A proof that proves nothing.
    #[error("the proof does not hold: {0}")]
    Proof(String),
    /// A run whose rows are not what its batch's entry says: nothing can be proved of it.
    #[error("nothing can be proved of this run: {0}")]
    Unprovable(String),
    /// A file that is no bundle.
    #[error("{file} is no bundle: {problem}")]
    Bundle {
        /// The file, for people.
        file: String,
        /// Why not.
        problem: String,
    },
    /// The ledger says no.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl AuditError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            AuditError::Key { .. } => "not_a_key",
            AuditError::Checkpoint { .. } => "not_a_checkpoint",
            AuditError::Signature { .. } => "checkpoint_signature",
            AuditError::Rewritten { .. } => "history_rewritten",
            AuditError::Proof(_) => "proof_fails",
            AuditError::Unprovable(_) => "unprovable",
            AuditError::Bundle { .. } => "not_a_bundle",
            AuditError::Ledger(e) => e.code(),
        }
    }
}
