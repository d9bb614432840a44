//! Entries of the hash chain: each names its predecessor, so that a change anywhere shows.

use serde_json::Value as Json;

use provender_domain::canonical::{CanonicalError, Digest, Recipe, hex, to_text};
use provender_domain::forms::ChainEntry;

/// Kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file taken in.
    Ingest,
    /// A file withdrawn.
    Retract,
    /// A version and configuration that answers from a date on.
    Activation,
    /// A component pinned as a draft.
    Pin,
    /// A version that is these bytes for ever.
    Freeze,
    /// A batch of runs.
    Runs,
    /// A batch of runs that replace others after a revision of inputs.
    Reissue,
    /// A monitor's report.
    Report,
    /// A reference that monitors compare with.
    Baseline,
    /// A release made here.
    ReleaseCut,
    /// A release taken in from another deployment.
    ReleaseImport,
    /// A release that answers from now on.
    Promotion,
    /// A former release that answers again.
    Rollback,
    /// No promotion until further notice.
    Hold,
    /// Promotions are possible again.
    Unhold,
    /// A person's consent to a release.
    Approval,
    /// What was found out about a release.
    Evidence,
    /// A gate's decision about a release.
    GateDecision,
    /// A release that computes in shadow.
    CanaryStart,
    /// The end of a canary.
    CanaryStop,
    /// Releases whose files were taken out of the store.
    Prune,
    /// Runs computed again from their manifests.
    Replay,
    /// A known case, acknowledged until a day.
    Ack,
    /// Something went wrong, and people look into it.
    IncidentOpen,
    /// What an incident is about.
    IncidentLink,
    /// What somebody found out about an incident.
    IncidentNote,
    /// The failing inputs of an incident, written as golden cases.
    IncidentRegression,
    /// The end of an incident, with its resolution.
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

    /// The kind of a name; `None` for one that this program does not know.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Name in the ledger.
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

/// Who writes, when, and why; from the caller, since rooms read no clock and no environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// RFC 3339, UTC.
    pub at: String,
    /// Who.
    pub actor: String,
    /// Why, where a reason is asked for.
    pub reason: Option<String>,
}

/// An entry as it stands in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// 1, 2, 3, …
    pub seq: i64,
    /// Name of the kind.
    pub kind: String,
    /// Who, when, why.
    pub stamp: Stamp,
    /// Canonical JSON.
    pub payload: String,
    /// Hash of the entry before; zeros for the first.
    pub prev: [u8; 32],
    /// Hash of this one.
    pub hash: [u8; 32],
}

impl Entry {
    /// The entry that follows `head`.
    ///
    /// # Errors
    /// When the payload has no canonical form.
    pub fn following(
        head: Option<(i64, [u8; 32])>,
        kind: Kind,
        stamp: &Stamp,
        payload: &Json,
    ) -> Result<Entry, CanonicalError> {
        let (seq, prev) = head.map_or((1, [0; 32]), |(seq, hash)| (seq + 1, hash));
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

    /// The entry's canonical text: what its hash is of, and its leaf in the tree over all entries. The
    /// payload stands in it by its own digest.
    ///
    /// # Errors
    /// Never for entries of this program; when a sequence number is beyond 2^53.
    pub fn canonical(&self) -> Result<String, CanonicalError> {
        ChainEntry {
            seq: self.seq,
            at: self.stamp.at.clone(),
            kind: self.kind.clone(),
            actor: self.stamp.actor.clone(),
            reason: self.stamp.reason.clone(),
            payload: Digest::of_canonical(self.payload.as_bytes()),
            prev: hex(&self.prev),
        }
        .to_text()
    }

    /// The hash that this entry must carry: the digest of its canonical text.
    ///
    /// # Errors
    /// As [`Entry::canonical`].
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
        assert_eq!((next.seq, next.prev), (2, first.hash));
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
