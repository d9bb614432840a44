//! An entry of the ledger, as its hash covers it.

use serde::{Deserialize, Serialize};

use super::Form;
use crate::canonical::{CanonicalError, Digest, from_slice};

/// An entry: what its hash is of, and its leaf in the tree over all entries. The payload stands in it by
/// its own digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEntry {
    /// 1, 2, 3, …
    pub seq: i64,
    /// When (RFC 3339, UTC).
    pub at: String,
    /// Name of the kind.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// Why, where a reason is asked for.
    pub reason: Option<String>,
    /// Digest of the payload.
    pub payload: Digest,
    /// Hash of the entry before, in hexadecimal; zeros for the first.
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
