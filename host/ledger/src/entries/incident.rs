//! Payloads about incidents: what they concern, what was found, how they ended.

use crate::entry::EntryNumber;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use provender_domain::canonical::Digest;

/// Kind of thing that an incident is linked to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// A monitor's report.
    Report,
    /// A release.
    Release,
    /// A recorded run, with its manifest.
    Run,
    /// A replay.
    Replay,
    /// Any other entry: a retraction, a gate's decision, a reissue.
    Entry,
    /// Another incident.
    Incident,
}

impl LinkKind {
    /// The word used in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            LinkKind::Report => "report",
            LinkKind::Release => "release",
            LinkKind::Run => "run",
            LinkKind::Replay => "replay",
            LinkKind::Entry => "entry",
            LinkKind::Incident => "incident",
        }
    }
}

/// A thing that an incident is linked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IncidentLink")]
pub struct Link {
    /// Kind of the thing.
    pub what: LinkKind,
    /// Identity of the thing: a digest, `I3`, or an entry's number.
    pub id: String,
    /// The entry that recorded it.
    pub entry: EntryNumber,
    /// Description for people.
    pub about: String,
    /// Of a run: the digest of its manifest's reproducible part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub snapshot_id: Option<String>,
    /// Of a run: path of its manifest, relative to the deployment's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub manifest: Option<String>,
}

impl Link {
    /// Short name, such as `run 4f2a9c81d0aa` or `release R3`.
    #[must_use]
    pub fn name(&self) -> String {
        let short = match self.id.parse::<Digest>() {
            Ok(digest) => digest.short(),
            Err(_) => self.id.clone(),
        };
        format!("{} {short}", self.what.word())
    }
}

/// A file of golden cases, exported from an incident's failing inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportedCases {
    /// Where it was written.
    pub file: String,
    /// SHA-256 of the bytes as exported, before DS completed the cases.
    pub sha256: String,
    /// `name:version` of the logic that gave the failing answers.
    pub logic: String,
    /// The first version that the cases apply to.
    pub since: String,
    /// Names of the cases.
    pub cases: Vec<String>,
}

/// A regression case, as it was when the incident was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionCase {
    /// The file that contains it.
    pub file: String,
    /// SHA-256 of that file's bytes.
    pub sha256: String,
    /// Name of the case.
    pub case: String,
    /// Result of the check: `passes days_remaining:v4`, or why no version was run.
    pub checked: String,
}

/// An incident was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentOpen {
    /// Number of the incident, from 1.
    pub incident: u32,
    /// One line that says what went wrong.
    pub title: String,
    /// What the incident concerns.
    pub links: Vec<Link>,
}

/// An incident was linked to more things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentLink {
    /// Number of the incident.
    pub incident: u32,
    /// The additional links.
    pub links: Vec<Link>,
}

/// A note about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentNote {
    /// Number of the incident.
    pub incident: u32,
    /// The text.
    pub note: String,
}

/// An incident's failing inputs were exported as golden cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRegression {
    /// Number of the incident.
    pub incident: u32,
    /// The exported file.
    pub exported: ExportedCases,
}

/// An incident was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentClose {
    /// Number of the incident.
    pub incident: u32,
    /// How it was resolved.
    pub resolution: String,
    /// Why no regression case was required.
    pub waived: Option<String>,
    /// The regression cases.
    pub cases: Vec<RegressionCase>,
}
