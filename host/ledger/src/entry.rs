//! Entries of the hash chain. Each names its predecessor, so any change is detectable.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{CanonicalError, Digest, Recipe, hex, to_text};
use provender_domain::forms::ChainEntry;

/// Kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file was ingested.
    Ingest,
    /// A file was retracted.
    Retract,
    /// A version and configuration becomes active from a date on.
    Activation,
    /// A component was pinned as a draft.
    Pin,
    /// A version was frozen to its bytes.
    Freeze,
    /// A batch of runs.
    Runs,
    /// A batch of runs that replace others after inputs were revised.
    Reissue,
    /// A monitor's report.
    Report,
    /// A baseline that monitors compare with.
    Baseline,
    /// A release was cut here.
    ReleaseCut,
    /// A release was imported from another deployment.
    ReleaseImport,
    /// A release was promoted.
    Promotion,
    /// An earlier release became active again.
    Rollback,
    /// Promotions are frozen.
    Hold,
    /// Promotions are possible again.
    Unhold,
    /// A person approved a release.
    Approval,
    /// Evidence about a release.
    Evidence,
    /// A gate's decision about a release.
    GateDecision,
    /// A release started to run in shadow.
    CanaryStart,
    /// The end of a canary.
    CanaryStop,
    /// Releases whose files were removed from the store.
    Prune,
    /// Runs were replayed from their manifests.
    Replay,
    /// A known problem was acknowledged until a day.
    Ack,
    /// An incident was opened.
    IncidentOpen,
    /// Links of an incident.
    IncidentLink,
    /// A note about an incident.
    IncidentNote,
    /// An incident's failing inputs, exported as golden cases.
    IncidentRegression,
    /// An incident was closed with its resolution.
    IncidentClose,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 28] = [
        Kind::Ingest,
        Kind::Retract,
        Kind::Activation,
        Kind::Pin,
        Kind::Freeze,
        Kind::Runs,
        Kind::Reissue,
        Kind::Report,
        Kind::Baseline,
        Kind::ReleaseCut,
        Kind::ReleaseImport,
        Kind::Promotion,
        Kind::Rollback,
        Kind::Hold,
        Kind::Unhold,
        Kind::Approval,
        Kind::Evidence,
        Kind::GateDecision,
        Kind::CanaryStart,
        Kind::CanaryStop,
        Kind::Prune,
        Kind::Replay,
        Kind::Ack,
        Kind::IncidentOpen,
        Kind::IncidentLink,
        Kind::IncidentNote,
        Kind::IncidentRegression,
        Kind::IncidentClose,
    ];

    /// The kind with this name; `None` if this program does not know it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Name of the kind in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ingest => "ingest",
            Kind::Retract => "retract",
            Kind::Activation => "activation",
            Kind::Pin => "pin",
            Kind::Freeze => "freeze",
            Kind::Runs => "runs",
            Kind::Reissue => "reissue",
            Kind::Report => "report",
            Kind::Baseline => "baseline",
            Kind::ReleaseCut => "release-cut",
            Kind::ReleaseImport => "release-import",
            Kind::Promotion => "promotion",
            Kind::Rollback => "rollback",
            Kind::Hold => "release-freeze",
            Kind::Unhold => "release-unfreeze",
            Kind::Approval => "approval",
            Kind::Evidence => "evidence",
            Kind::GateDecision => "gate",
            Kind::CanaryStart => "canary",
            Kind::CanaryStop => "canary-stop",
            Kind::Prune => "release-prune",
            Kind::Replay => "replay",
            Kind::Ack => "ack",
            Kind::IncidentOpen => "incident-open",
            Kind::IncidentLink => "incident-link",
            Kind::IncidentNote => "incident-note",
            Kind::IncidentRegression => "incident-regression",
            Kind::IncidentClose => "incident-close",
        }
    }
}

/// Who writes, when, and why. The caller provides it, because the library reads neither clock nor environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// RFC 3339, UTC.
    pub at: String,
    /// Who writes.
    pub actor: String,
    /// Why, if a reason is required.
    pub reason: Option<String>,
}

/// The number of an entry: 1, 2, 3, … without gaps. Numbers order everything that is recorded.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
#[schemars(inline)]
pub struct EntryNumber(i64);

impl EntryNumber {
    /// Before the first entry: nothing is recorded.
    pub const NONE: EntryNumber = EntryNumber(0);
    /// After every entry: all that is recorded, now.
    pub const LATEST: EntryNumber = EntryNumber(i64::MAX);

    /// The entry with this number.
    #[must_use]
    pub const fn new(number: i64) -> EntryNumber {
        EntryNumber(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The entry after it.
    #[must_use]
    pub const fn next(self) -> EntryNumber {
        EntryNumber(self.0 + 1)
    }

    /// The entry before it.
    #[must_use]
    pub const fn previous(self) -> EntryNumber {
        EntryNumber(self.0 - 1)
    }
}

impl PartialEq<i64> for EntryNumber {
    fn eq(&self, other: &i64) -> bool {
        self.0 == *other
    }
}

impl FromStr for EntryNumber {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<EntryNumber, ParseIntError> {
        text.parse().map(EntryNumber)
    }
}

impl fmt::Display for EntryNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An entry as recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Sequence number, from 1.
    pub seq: EntryNumber,
    /// Name of the kind.
    pub kind: String,
    /// Who, when and why.
    pub stamp: Stamp,
    /// Payload as canonical JSON.
    pub payload: String,
    /// Hash of the previous entry; zeros for the first.
    pub prev: [u8; 32],
    /// Hash of this entry.
    pub hash: [u8; 32],
}

impl Entry {
    /// Makes the entry that follows `head`.
    ///
    /// # Errors
    /// When the payload has no canonical form.
    pub fn following(
        head: Option<(EntryNumber, [u8; 32])>,
        kind: Kind,
        stamp: &Stamp,
        payload: &Json,
    ) -> Result<Entry, CanonicalError> {
        let (seq, prev) = head.map_or((EntryNumber::new(1), [0; 32]), |(seq, hash)| {
            (seq.next(), hash)
        });
        let payload = to_text(payload)?;
        let mut entry = Entry {
            seq,
            kind: kind.name().to_owned(),
            stamp: stamp.clone(),
            payload,
            prev,
            hash: [0; 32],
        };
        entry.hash = entry.computed_hash()?;
        Ok(entry)
    }

    /// The entry's canonical text: the text that is hashed, and its leaf in the tree over all entries. It
    /// contains the payload's digest instead of the payload.
    ///
    /// # Errors
    /// When a sequence number exceeds 2^53, which never happens for entries of this program.
    pub fn canonical(&self) -> Result<String, CanonicalError> {
        ChainEntry {
            seq: self.seq.get(),
            at: self.stamp.at.clone(),
            kind: self.kind.clone(),
            actor: self.stamp.actor.clone(),
            reason: self.stamp.reason.clone(),
            payload: Digest::of_canonical(self.payload.as_bytes()),
            prev: hex(&self.prev),
        }
        .to_text()
    }

    /// The hash that this entry must have: the digest of its canonical text.
    ///
    /// # Errors
    /// See [`Entry::canonical`].
    pub fn computed_hash(&self) -> Result<[u8; 32], CanonicalError> {
        Ok(*Digest::of_canonical(self.canonical()?.as_bytes()).bytes())
    }

    /// The entry's hash with its recipe.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::from_parts(Recipe::JcsV1, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_changed_field_changes_the_hash() {
        let stamp = Stamp {
            at: "2025-06-30T00:00:00Z".into(),
            actor: "a".into(),
            reason: None,
        };
        let first = Entry::following(None, Kind::Ingest, &stamp, &json!({"n": 1})).unwrap();
        let next = Entry::following(
            Some((first.seq, first.hash)),
            Kind::Runs,
            &stamp,
            &json!({}),
        )
        .unwrap();
        assert_eq!((next.seq, next.prev), (EntryNumber::new(2), first.hash));
        for change in [
            Entry {
                payload: r#"{"n":2}"#.into(),
                ..first.clone()
            },
            Entry {
                kind: "runs".into(),
                ..first.clone()
            },
            Entry {
                stamp: Stamp {
                    reason: Some("x".into()),
                    ..stamp.clone()
                },
                ..first.clone()
            },
            Entry {
                prev: [1; 32],
                ..first.clone()
            },
        ] {
            assert_ne!(change.computed_hash().unwrap(), first.hash);
        }
    }
}
