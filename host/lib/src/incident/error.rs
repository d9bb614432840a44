//! How incidents say no.

use crate::explain::ExplainError;
use crate::golden::GoldenError;
use crate::release::ReleaseError;
use provender_domain::canonical::CanonicalError;
use provender_ledger::LedgerError;
use provender_store::manifest::ManifestError;

/// A refusal or failure.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    /// No incident of this number.
    #[error("there is no incident {asked}; known incidents: {known}")]
    Unknown {
        /// As it was asked for.
        asked: String,
        /// The incidents known.
        known: String,
    },
    /// What was to be linked is not recorded.
    #[error("{what} is not recorded here: {problem}")]
    NotRecorded {
        /// As it was asked for: `report 1a2b3c4d5e6f`.
        what: String,
        /// What was looked for.
        problem: String,
    },
    /// Several things begin with these digits.
    #[error("`{asked}` matches several {what}: {found}; give more digits")]
    Ambiguous {
        /// As it was asked for.
        asked: String,
        /// `reports`, `manifests`.
        what: &'static str,
        /// Those that begin so.
        found: String,
    },
    /// The incident is closed.
    #[error("{incident} was closed by {by} at {at}: {resolution}")]
    Closed {
        /// `I3`.
        incident: String,
        /// By whom.
        by: String,
        /// When.
        at: String,
        /// With which resolution.
        resolution: String,
    },
    /// Somebody else closed or changed it meanwhile.
    #[error("something else was recorded about {0} in the meantime; nothing was written")]
    Overtaken(String),
    /// Nothing to make a golden case of.
    #[error("{incident} {problem}")]
    NoFailing {
        /// `I3`.
        incident: String,
        /// Why, as the end of the sentence.
        problem: String,
    },
    /// The file of cases is there, with other content.
    #[error("{file} already exists with other contents; it was left unchanged")]
    Occupied {
        /// The file.
        file: String,
    },
    /// Closing without a regression case.
    #[error("{incident} is not closed: {problem}")]
    NotReady {
        /// `I3`.
        incident: String,
        /// What is missing, in a sentence.
        problem: String,
        /// Whether its cases were written already, so that DS is next.
        written: bool,
    },
    /// An entry is not of the documented form.
    #[error("the ledger is damaged: entry {entry} ({kind}): {problem}")]
    Damaged {
        /// Its number.
        entry: i64,
        /// Its kind.
        kind: String,
        /// What is wrong.
        problem: String,
    },
    /// A file cannot be written or read.
    #[error("{what} cannot be {verb}: {cause}")]
    Io {
        /// Which.
        what: String,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        cause: std::io::Error,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A run that is linked.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A manifest that is linked.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A release that is linked.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Golden cases.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// A number without a canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl IncidentError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            IncidentError::Unknown { .. } => "incident_unknown",
            IncidentError::NotRecorded { .. } => "incident_link_unknown",
            IncidentError::Ambiguous { .. } => "incident_link_ambiguous",
            IncidentError::Closed { .. } => "incident_closed",
            IncidentError::Overtaken(_) => "incident_overtaken",
            IncidentError::NoFailing { .. } => "incident_nothing_failing",
            IncidentError::Occupied { .. } => "incident_case_occupied",
            IncidentError::NotReady { .. } => "incident_not_ready",
            IncidentError::Damaged { .. } => "ledger_damaged",
            IncidentError::Io { .. } => "incident_io",
            IncidentError::Ledger(e) => e.code(),
            IncidentError::Explain(e) => e.code(),
            IncidentError::Manifest(e) => e.code(),
            IncidentError::Release(e) => e.code(),
            IncidentError::Golden(e) => e.code(),
            IncidentError::Canonical(_) => "not_canonical",
        }
    }
}
