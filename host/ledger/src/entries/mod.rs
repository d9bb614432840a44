//! Payloads of entries: one struct per kind, used for both writing and reading.
//!
//! Payloads are stored as canonical JSON. Later versions may add members, so readers ignore unknown ones. A
//! missing or mistyped member is an error that names the entry.

mod activity;
mod incident;
mod release;
mod words;

use crate::entry::EntryNumber;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use provender_domain::canonical::{CanonicalError, Digest, from_slice, to_text};

use super::entry::{Entry, Kind};

pub use activity::{
    Ack, Activation, BaselineFrozen, Ceilings, DocumentRow, Engine, FailedReplay, Identity, Ingest,
    IngestNotes, IngestedFile, Origin, Pin, Replay, ReportKept, Retract, RetractedFile,
    RunsContext, RunsRecorded, Selection,
};
pub use incident::{
    ExportedCases, IncidentClose, IncidentLink, IncidentNote, IncidentOpen, IncidentRegression,
    Link, LinkKind, RegressionCase,
};
pub use release::{
    Approval, CanaryStart, CanaryStop, EvidenceFound, GateCheck, GateDecision, NoPayload,
    Promotion, Prune, PrunedRelease, ReleaseCut, ReleaseImport, ReleaseLogic, Rollback,
};
pub use words::{Action, CheckVerdict, GateOutcome, ReplayVerdict, ReportKind, Role};

/// A payload that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The kind is not known, perhaps because a newer program wrote it.
    #[error("entry {entry} is of the kind `{kind}`, which this program does not know")]
    Kind {
        /// Number of the entry.
        entry: EntryNumber,
        /// Name of its kind.
        kind: String,
    },
    /// The entry has another kind than requested.
    #[error("entry {entry} is of the kind `{kind}`, not `{wanted}`")]
    Other {
        /// Number of the entry.
        entry: EntryNumber,
        /// Name of its kind.
        kind: String,
        /// The requested kind.
        wanted: &'static str,
    },
    /// The payload is malformed.
    #[error("entry {entry} ({kind}) does not have the documented form: {cause}")]
    Malformed {
        /// Number of the entry.
        entry: EntryNumber,
        /// Name of its kind.
        kind: String,
        /// What is wrong with the payload.
        cause: serde_json::Error,
    },
}

/// A payload of one or several kinds of entries.
pub trait EntryPayload: Serialize + DeserializeOwned {
    /// The kinds with this payload.
    const KINDS: &'static [Kind];
}

macro_rules! payloads {
    ($($of:ident: $($(#[$doc:meta])* $kind:ident),+;)+) => {
        /// The payload of an entry of any kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Payload {
            $($($(#[$doc])* $kind($of),)+)+
        }

        $(impl EntryPayload for $of {
            const KINDS: &'static [Kind] = &[$(Kind::$kind),+];
        })+

        impl Payload {
            /// The kind of entry for this payload.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $($(Payload::$kind(_) => Kind::$kind,)+)+
                }
            }

            /// The payload as JSON.
            ///
            /// # Errors
            /// When a part cannot be represented as JSON.
            pub fn to_json(&self) -> Result<Json, CanonicalError> {
                Ok(match self {
                    $($(Payload::$kind(says) => serde_json::to_value(says)?,)+)+
                })
            }

            /// Parses the payload of a kind.
            ///
            /// # Errors
            /// When it does not have the documented form.
            pub fn from_json(kind: Kind, json: Json) -> Result<Payload, serde_json::Error> {
                Ok(match kind {
                    $($(Kind::$kind => Payload::$kind(serde_json::from_value(json)?),)+)+
                })
            }
        }
    };
}

payloads! {
    Ingest:
        /// A file was ingested.
        Ingest;
    Retract:
        /// Files were retracted.
        Retract;
    Activation:
        /// A version and configuration became active.
        Activation;
    Pin:
        /// A component was pinned as a draft.
        Pin,
        /// A version was frozen to its bytes.
        Freeze;
    RunsRecorded:
        /// A batch of runs.
        Runs,
        /// A batch of runs that replace others.
        Reissue;
    ReportKept:
        /// A report.
        Report;
    BaselineFrozen:
        /// A baseline that monitors compare with.
        Baseline;
    ReleaseCut:
        /// A release was cut here.
        ReleaseCut;
    ReleaseImport:
        /// A release was imported.
        ReleaseImport;
    Promotion:
        /// A release was promoted.
        Promotion;
    Rollback:
        /// An earlier release became active again.
        Rollback;
    NoPayload:
        /// Promotions were frozen.
        Hold,
        /// Promotions became possible again.
        Unhold;
    Approval:
        /// A person approved a release.
        Approval;
    EvidenceFound:
        /// Evidence about a release.
        Evidence;
    GateDecision:
        /// A gate's decision.
        GateDecision;
    CanaryStart:
        /// A release started to run in shadow.
        CanaryStart;
    CanaryStop:
        /// The end of a canary.
        CanaryStop;
    Prune:
        /// Releases whose files were removed.
        Prune;
    Replay:
        /// Runs were replayed.
        Replay;
    Ack:
        /// A known problem was acknowledged.
        Ack;
    IncidentOpen:
        /// An incident was opened.
        IncidentOpen;
    IncidentLink:
        /// Links of an incident.
        IncidentLink;
    IncidentNote:
        /// A note about an incident.
        IncidentNote;
    IncidentRegression:
        /// Exported golden cases of an incident.
        IncidentRegression;
    IncidentClose:
        /// An incident was closed.
        IncidentClose;
}

impl Payload {
    /// The release that the payload names, if any.
    #[must_use]
    pub fn release(&self) -> Option<Digest> {
        match self {
            Payload::Runs(runs) | Payload::Reissue(runs) => runs.context.release,
            Payload::ReleaseCut(cut) => Some(cut.release),
            Payload::ReleaseImport(import) => Some(import.release),
            Payload::Promotion(promotion) => Some(promotion.change.release),
            Payload::Rollback(rollback) => Some(rollback.release),
            Payload::Approval(approval) => Some(approval.release),
            Payload::Evidence(found) => Some(found.release),
            Payload::GateDecision(decision) => Some(decision.release),
            Payload::CanaryStart(start) => Some(start.release),
            Payload::CanaryStop(stop) => Some(stop.release),
            _ => None,
        }
    }

    /// The canonical JSON that is stored.
    ///
    /// # Errors
    /// When a number has no canonical form.
    pub fn to_text(&self) -> Result<String, CanonicalError> {
        to_text(&self.to_json()?)
    }
}

impl Entry {
    /// The kind of the entry.
    ///
    /// # Errors
    /// [`PayloadError::Kind`] when this program does not know the kind.
    pub fn known_kind(&self) -> Result<Kind, PayloadError> {
        Kind::from_name(&self.kind).ok_or_else(|| PayloadError::Kind {
            entry: self.seq,
            kind: self.kind.clone(),
        })
    }

    /// Parses the payload.
    ///
    /// # Errors
    /// When the kind is unknown, or the payload does not have the documented form.
    pub fn parse(&self) -> Result<Payload, PayloadError> {
        let kind = self.known_kind()?;
        from_slice(self.payload.as_bytes())
            .and_then(|json| Payload::from_json(kind, json))
            .map_err(|cause| self.malformed(cause))
    }

    /// Parses the payload as a type that the caller expects.
    ///
    /// # Errors
    /// When the entry has another kind, or its payload does not have the documented form.
    pub fn read<T: EntryPayload>(&self) -> Result<T, PayloadError> {
        if !T::KINDS.iter().any(|k| k.name() == self.kind) {
            return Err(PayloadError::Other {
                entry: self.seq,
                kind: self.kind.clone(),
                wanted: T::KINDS.first().map_or("", |k| k.name()),
            });
        }
        serde_json::from_str(&self.payload).map_err(|cause| self.malformed(cause))
    }

    fn malformed(&self, cause: serde_json::Error) -> PayloadError {
        PayloadError::Malformed {
            entry: self.seq,
            kind: self.kind.clone(),
            cause,
        }
    }
}

#[cfg(test)]
mod tests;
