//! What each kind of entry says: one struct a kind, which writers fill and readers get.
//!
//! A payload is kept as canonical JSON. Members may be added to a kind later, so readers pass over those
//! they do not know; a member that is missing or of another type is an error that names the entry.

mod activity;
mod incident;
mod release;
mod words;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use provender_domain::canonical::{CanonicalError, Digest, from_slice, to_text};

use super::entry::{Entry, Kind};

pub use activity::{
    Ack, Activation, BaselineFrozen, Ceilings, DocumentRow, Engine, FailedReplay, FileIn,
    FileNotes, Identity, Ingest, Origin, Pin, Replay, ReportKept, Retract, RetractedFile, RunsOf,
    RunsRecorded, Selection,
};
pub use incident::{
    Exported, Held, IncidentClose, IncidentLink, IncidentNote, IncidentOpen, IncidentRegression,
    Link, Thing,
};
pub use release::{
    Approval, CanaryStart, CanaryStop, EvidenceFound, GateCheck, GateDecision, Nothing, Promotion,
    Prune, PrunedRelease, ReleaseCut, ReleaseImport, ReleaseLogic, Rollback,
};
pub use words::{Action, GateOutcome, ReplayVerdict, ReportKind, Role, Verdict};

/// A payload that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// A kind of a newer program.
    #[error("entry {entry} is of the kind `{kind}`, which this program does not know")]
    Kind {
        /// Its number.
        entry: i64,
        /// The name of its kind.
        kind: String,
    },
    /// Another kind than was asked for.
    #[error("entry {entry} is of the kind `{kind}`, not `{wanted}`")]
    Other {
        /// Its number.
        entry: i64,
        /// The name of its kind.
        kind: String,
        /// The kind that was asked for.
        wanted: &'static str,
    },
    /// Not of the documented form.
    #[error("entry {entry} ({kind}) is not of the documented form: {cause}")]
    Malformed {
        /// Its number.
        entry: i64,
        /// The name of its kind.
        kind: String,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
}

/// What an entry of one of some kinds says.
pub trait Says: Serialize + DeserializeOwned {
    /// The kinds that say it.
    const KINDS: &'static [Kind];
}

macro_rules! payloads {
    ($($of:ident: $($(#[$doc:meta])* $kind:ident),+;)+) => {
        /// What an entry says, of every kind there is.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Payload {
            $($($(#[$doc])* $kind($of),)+)+
        }

        $(impl Says for $of {
            const KINDS: &'static [Kind] = &[$(Kind::$kind),+];
        })+

        impl Payload {
            /// The kind of its entry.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $($(Payload::$kind(_) => Kind::$kind,)+)+
                }
            }

            /// As JSON.
            ///
            /// # Errors
            /// When a part of it is not JSON.
            pub fn to_json(&self) -> Result<Json, CanonicalError> {
                Ok(match self {
                    $($(Payload::$kind(says) => serde_json::to_value(says)?,)+)+
                })
            }

            /// What JSON says under a kind.
            ///
            /// # Errors
            /// When it is not of the documented form.
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
        /// A file taken in.
        Ingest;
    Retract:
        /// Files withdrawn.
        Retract;
    Activation:
        /// A version and configuration that answers.
        Activation;
    Pin:
        /// A component pinned as a draft.
        Pin,
        /// A version that is these bytes for ever.
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
        /// A reference that monitors compare with.
        Baseline;
    ReleaseCut:
        /// A release made here.
        ReleaseCut;
    ReleaseImport:
        /// A release taken in.
        ReleaseImport;
    Promotion:
        /// A release that answers from now on.
        Promotion;
    Rollback:
        /// A former release that answers again.
        Rollback;
    Nothing:
        /// No promotion until further notice.
        Hold,
        /// Promotions are possible again.
        Unhold;
    Approval:
        /// A person's consent.
        Approval;
    EvidenceFound:
        /// What was found out about a release.
        Evidence;
    GateDecision:
        /// A gate's decision.
        GateDecision;
    CanaryStart:
        /// A release that computes in shadow.
        CanaryStart;
    CanaryStop:
        /// The end of a canary.
        CanaryStop;
    Prune:
        /// Releases whose files were removed.
        Prune;
    Replay:
        /// Runs computed again.
        Replay;
    Ack:
        /// A known case.
        Ack;
    IncidentOpen:
        /// An incident begins.
        IncidentOpen;
    IncidentLink:
        /// What it is about.
        IncidentLink;
    IncidentNote:
        /// A finding.
        IncidentNote;
    IncidentRegression:
        /// Its failing inputs as golden cases.
        IncidentRegression;
    IncidentClose:
        /// Its end.
        IncidentClose;
}

impl Payload {
    /// The release that it names.
    #[must_use]
    pub fn release(&self) -> Option<Digest> {
        match self {
            Payload::Runs(runs) | Payload::Reissue(runs) => runs.of.release,
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

    /// The canonical text that is kept.
    ///
    /// # Errors
    /// When a number in it has no canonical form.
    pub fn to_text(&self) -> Result<String, CanonicalError> {
        to_text(&self.to_json()?)
    }
}

impl Entry {
    /// Its kind.
    ///
    /// # Errors
    /// [`PayloadError::Kind`] for one that this program does not know.
    pub fn known_kind(&self) -> Result<Kind, PayloadError> {
        Kind::of_name(&self.kind).ok_or_else(|| PayloadError::Kind {
            entry: self.seq,
            kind: self.kind.clone(),
        })
    }

    /// What it says.
    ///
    /// # Errors
    /// When its kind is unknown, or it is not of the documented form.
    pub fn says(&self) -> Result<Payload, PayloadError> {
        let kind = self.known_kind()?;
        from_slice(self.payload.as_bytes())
            .and_then(|json| Payload::from_json(kind, json))
            .map_err(|cause| self.malformed(cause))
    }

    /// What it says, where its kind is known to the caller.
    ///
    /// # Errors
    /// When it is of another kind, or not of the documented form.
    pub fn read<T: Says>(&self) -> Result<T, PayloadError> {
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
