//! Errors about incidents.

use crate::explain::ExplainError;
use crate::golden::GoldenError;
use crate::release::ReleaseError;
use provender_domain::canonical::CanonicalError;
use provender_ledger::EntryNumber;
use provender_ledger::LedgerError;
use provender_store::manifest::ManifestError;

/// Why an action on an incident was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    /// No incident has this number.
    #[error("there is no incident {asked}; known incidents: {known}")]
    Unknown {
        /// What the user asked for.
        asked: String,
        /// The incidents that exist, as a range.
        known: String,
    },
    /// The thing to be linked is not recorded.
    #[error("{what} is not recorded here: {problem}")]
    NotRecorded {
        /// What the user asked for, such as `report 1a2b3c4d5e6f`.
        what: String,
        /// Why it was not found, and how to find it.
        problem: String,
    },
    /// Several digests begin with the given digits.
    #[error("`{asked}` matches several {what}: {found}; give more digits")]
    Ambiguous {
        /// What the user asked for.
        asked: String,
        /// `reports` or `manifests`.
        what: &'static str,
        /// The short digests that match.
        found: String,
    },
    /// The incident is already closed.
    #[error("{incident} was closed by {by} at {at}: {resolution}")]
    Closed {
        /// `I3`.
        incident: String,
        /// Who closed it.
        by: String,
        /// When it was closed (RFC 3339, UTC).
        at: String,
        /// Its resolution.
        resolution: String,
    },
    /// Another process closed or changed it in the meantime.
    #[error("something else was recorded about {0} in the meantime; nothing was written")]
    Overtaken(String),
    /// There is no failing run to make a golden case of.
    #[error("{incident} {problem}")]
    NoFailing {
        /// `I3`.
        incident: String,
        /// Why, as the end of the sentence.
        problem: String,
    },
    /// A requested run is not linked to the incident.
    #[error("{incident} does not link the run {run}")]
    NotLinked {
        /// `I3`.
        incident: String,
        /// What the user asked for.
        run: String,
    },
    /// There is no folder to write golden cases into.
    #[error("there is no folder {0} for golden cases")]
    NoCasesFolder(String),
    /// The file of cases already exists with other contents.
    #[error("{file} already exists with other contents; it was left unchanged")]
    Occupied {
        /// The file.
        file: String,
    },
    /// The incident cannot be closed yet.
    #[error("{incident} is not closed: {problem}")]
    NotReady {
        /// `I3`.
        incident: String,
        /// What is missing, as a clause.
        problem: String,
        /// Whether its cases were already written, so that DS has to act next.
        written: bool,
    },
    /// An entry does not have the documented form.
    #[error("the ledger is damaged: entry {entry} ({kind}): {problem}")]
    Damaged {
        /// Its number.
        entry: EntryNumber,
        /// Its kind.
        kind: String,
        /// What is wrong.
        problem: String,
    },
    /// A file cannot be read or written.
    #[error("{what} cannot be {verb}: {cause}")]
    Io {
        /// The file.
        what: String,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        cause: std::io::Error,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A linked run cannot be read.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A linked manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A linked release was not found.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Golden cases cannot be read or run.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// A number has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl IncidentError {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            IncidentError::Unknown { .. } => "incident_unknown",
            IncidentError::NotRecorded { .. } | IncidentError::NotLinked { .. } => {
                "incident_link_unknown"
            }
            IncidentError::NoCasesFolder(_) => "golden_missing",
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
