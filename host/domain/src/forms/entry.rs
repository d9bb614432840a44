//! A ledger entry in the form that its hash covers.

use serde::{Deserialize, Serialize};

use super::Form;
use crate::canonical::{CanonicalError, Digest, from_slice};

/// A ledger entry. This form is hashed into the chain, and is its leaf in the tree over all entries. It contains the
/// digest of the payload instead of the payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEntry {
    /// 1, 2, 3, …
    pub seq: i64,
    /// When it was written (RFC 3339, UTC).
    pub at: String,
    /// Name of the kind.
    pub kind: String,
    /// Who wrote it.
    pub actor: String,
    /// Why, if the command asks for a reason.
    pub reason: Option<String>,
    /// Digest of the payload.
    pub payload: Digest,
    /// Hash of the previous entry, in hexadecimal; zeros for the first entry.
    pub prev: String,
}

impl ChainEntry {
    /// The canonical text.
    ///
    /// # Errors
    /// If the number is beyond 2^53.
    pub fn to_text(&self) -> Result<String, CanonicalError> {
        Form::Entry.text(self)
    }

    /// Reads what [`ChainEntry::to_text`] wrote; `None` for anything else.
    #[must_use]
    pub fn read(text: &str) -> Option<ChainEntry> {
        let entry: ChainEntry = serde_json::from_value(from_slice(text.as_bytes()).ok()?).ok()?;
        (entry.to_text().ok()? == text).then_some(entry)
    }
}
