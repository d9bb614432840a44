//! Why a key, a checkpoint, a proof or a bundle is refused.

/// A key, a checkpoint, a proof or a bundle that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A text that is not a key.
    #[error("{what} is no {kind} key: {problem}")]
    Key {
        /// The file, for people.
        what: String,
        /// `private` or `public`.
        kind: &'static str,
        /// Why not.
        problem: String,
    },
    /// A text that is not a checkpoint.
    #[error("{what} is no checkpoint: {problem}")]
    Checkpoint {
        /// The file, for people.
        what: String,
        /// Why not.
        problem: String,
    },
    /// A checkpoint that was not signed with the key, or was changed afterwards.
    #[error("{what} is not what the holder of the key {name} signed: {problem}")]
    Signature {
        /// The file, for people.
        what: String,
        /// Name of the key.
        name: String,
        /// Why not.
        problem: String,
    },
    /// A proof that proves nothing.
    #[error("the proof does not hold: {0}")]
    Proof(String),
    /// A file that is not a bundle.
    #[error("{file} is no bundle: {problem}")]
    Bundle {
        /// The file, for people.
        file: String,
        /// Why not.
        problem: String,
    },
}

impl ProofError {
    /// A stable name for machines.
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
