//! Errors for keys, checkpoints, proofs and bundles that are refused.

/// A key, a checkpoint, a proof or a bundle that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A text that is not a key.
    #[error("{what} is not a {kind} key: {problem}")]
    Key {
        /// Name of the file in messages.
        what: String,
        /// `private` or `public`.
        kind: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A text that is not a checkpoint.
    #[error("{what} is not a checkpoint: {problem}")]
    Checkpoint {
        /// Name of the file in messages.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A checkpoint that the key did not sign, or that was changed afterwards.
    #[error("{what} does not verify with the key {name}: {problem}")]
    Signature {
        /// Name of the file in messages.
        what: String,
        /// Name of the key.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A proof that does not verify.
    #[error("the proof does not hold: {0}")]
    Proof(String),
    /// A file that is not a bundle.
    #[error("{file} is not a bundle: {problem}")]
    Bundle {
        /// Name of the file in messages.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl ProofError {
    /// A stable code for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ProofError::Key { .. } => "not_a_key",
            ProofError::Checkpoint { .. } => "not_a_checkpoint",
            ProofError::Signature { .. } => "checkpoint_signature",
            ProofError::Proof(_) => "proof_fails",
            ProofError::Bundle { .. } => "not_a_bundle",
        }
    }
}
