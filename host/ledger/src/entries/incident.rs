//! Incidents: what they are about, what was found out, how they ended.

use serde::{Deserialize, Serialize};

use provender_domain::canonical::Digest;

/// What kind of thing is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thing {
    /// A monitor's report.
    Report,
    /// A release.
    Release,
    /// A recorded run, with its manifest.
    Run,
    /// Runs computed again.
    Replay,
    /// Any other entry of the ledger: a retraction, a gate's decision, a reissue.
    Entry,
    /// Another incident.
    Incident,
}

impl Thing {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Thing::Report => "report",
            Thing::Release => "release",
            Thing::Run => "run",
            Thing::Replay => "replay",
            Thing::Entry => "entry",
            Thing::Incident => "incident",
        }
    }
}

/// A thing that an incident is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is.
    pub what: Thing,
    /// Its identity: a digest, `I3`, or an entry's number.
    pub id: String,
    /// The entry that recorded it.
    pub entry: i64,
    /// What it is, for people.
    pub about: String,
    /// For a run: the digest of its manifest's reproducible part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// For a run: where its manifest is, relative to the deployment's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

impl Link {
    /// `run 4f2a9c81d0aa`, `release R3`.
    #[must_use]
    pub fn name(&self) -> String {
        let short = match self.id.parse::<Digest>() {
            Ok(digest) => digest.short(),
            Err(_) => self.id.clone(),
        };
        format!("{} {short}", self.what.word())
    }
}

/// A file of golden cases made of an incident's failing inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// Where it was written.
    pub file: String,
    /// SHA-256 of its bytes as written, before DS completed them.
    pub sha256: String,
    /// `name:version` that gave the failing answers.
    pub logic: String,
    /// The first version that the cases bind.
    pub since: String,
    /// Their names.
    pub cases: Vec<String>,
}

/// A regression case as it stood when the incident was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The file it stands in.
    pub file: String,
    /// SHA-256 of that file's bytes.
    pub sha256: String,
    /// Its name.
    pub case: String,
    /// What was checked: `passes days_remaining:v4`, or why no version was run.
    pub checked: String,
}

/// Something went wrong, and people look into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentOpen {
    /// Its number, 1, 2, 3, … in this ledger.
    pub incident: u32,
    /// What went wrong, in a line.
    pub title: String,
    /// What it is about.
    pub links: Vec<Link>,
}

/// More of what an incident is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentLink {
    /// Its number.
    pub incident: u32,
    /// What it is about, too.
    pub links: Vec<Link>,
}

/// What somebody found out about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentNote {
    /// Its number.
    pub incident: u32,
    /// The finding.
    pub note: String,
}

/// The failing inputs of an incident, written as golden cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRegression {
    /// Its number.
    pub incident: u32,
    /// The file.
    pub exported: Exported,
}

/// The end of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentClose {
    /// Its number.
    pub incident: u32,
    /// How it was resolved.
    pub resolution: String,
    /// Why no regression case was asked for.
    pub waived: Option<String>,
    /// The regression cases.
    pub cases: Vec<Held>,
}
