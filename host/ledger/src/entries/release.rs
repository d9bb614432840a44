//! Releases: cut, taken in, approved, examined, promoted, removed.

use provender_domain::ids::ModelVersion;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, as_written};
use provender_domain::day::Day;

use super::words::{Action, GateOutcome, Role, Verdict};

/// A release made here, whole, so that the ledger alone says what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseCut {
    /// Its digest.
    pub release: Digest,
    /// Its number.
    pub number: u32,
    /// The release: canonical JSON of the form `provender.release.v1`.
    #[serde(deserialize_with = "as_written")]
    pub document: Json,
}

/// A release taken in from another deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseImport {
    /// Its digest.
    pub release: Digest,
    /// Its number.
    pub number: u32,
    /// The release: canonical JSON of the form `provender.release.v1`.
    #[serde(deserialize_with = "as_written")]
    pub document: Json,
    /// Environment that it was cut in.
    pub origin: String,
    /// SHA-256 of the archive.
    pub archive: Digest,
}

/// An active logic of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseLogic {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of its configuration.
    pub config_version: Digest,
    /// Digest of the component's bytes.
    pub component: Digest,
}

/// A release that answers from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// What it makes active, as a rollback does.
    #[serde(flatten)]
    pub change: Rollback,
    /// The entry of the gate's decision that was relied on.
    pub gate: Option<i64>,
    /// Why the gate was overridden.
    #[serde(rename = "override")]
    pub overridden: Option<String>,
    /// What the gate objected to.
    pub objection: Option<String>,
}

/// A former release that answers again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Digest of the release.
    pub release: Digest,
    /// Its number.
    pub number: u32,
    /// Digest of what was active before.
    pub previous: Option<Digest>,
    /// Its number.
    pub previous_number: Option<u32>,
    /// First calculation date that it answers for.
    pub from: Day,
    /// What answers.
    pub logics: Vec<ReleaseLogic>,
}

/// An entry whose kind says it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

/// A person's consent to a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Digest of the release.
    pub release: Digest,
    /// Its number.
    pub number: u32,
    /// In which role.
    pub role: Role,
    /// Environment in which it was given.
    pub environment: String,
}

/// What was found out about a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceFound {
    /// Digest of the release.
    pub release: Digest,
    /// Its number.
    pub number: u32,
    /// Digest of the evidence.
    pub digest: Digest,
    /// The evidence: canonical JSON of the form `provender.evidence.v1`.
    pub evidence: Json,
    /// SHA-256 of the archive that it came with.
    pub imported_with: Option<Digest>,
}

/// A gate's decision about a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDecision {
    /// Digest of the release.
    pub release: Digest,
    /// Its number.
    pub number: u32,
    /// The environment whose policy was asked.
    pub environment: String,
    /// Digest of the release that was active.
    pub against: Option<Digest>,
    /// Whether it is let in.
    pub passes: bool,
    /// What was decided.
    pub outcome: GateOutcome,
    /// In words.
    pub why: String,
    /// Digest of the policy.
    pub policy: Digest,
    /// How old evidence may be that the policy relies on.
    pub max_age_days: u32,
    /// Every check.
    pub checks: Vec<GateCheck>,
    /// Digest of the report.
    pub report: Digest,
}

/// A check behind a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateCheck {
    /// Its name.
    pub name: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What that does; none where it holds.
    pub action: Option<Action>,
    /// What was seen.
    pub observed: String,
    /// What is asked for.
    pub threshold: String,
    /// On how many cases, runs or rows it rests.
    pub rows: u64,
}

/// A release that computes in shadow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryStart {
    /// Digest of the release.
    pub release: Digest,
    /// Its number.
    pub number: u32,
    /// Digest of the active release that it runs beside.
    pub against: Digest,
    /// Its number.
    pub against_number: u32,
    /// Share of the places, in percent.
    pub share: u32,
    /// First day of its back-fill.
    pub from: Day,
    /// Last day of its back-fill.
    pub as_of: Day,
}

/// The end of a canary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryStop {
    /// Digest of the release.
    pub release: Digest,
    /// Its number.
    pub number: u32,
    /// The entry that started it.
    pub canary: i64,
}

/// Releases whose files were taken out of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prune {
    /// The releases.
    pub releases: Vec<PrunedRelease>,
    /// Components that no release needs any more.
    pub components: Vec<Digest>,
    /// Digest of the plan, which is applied by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
}

/// A release whose files were removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedRelease {
    /// Its number.
    pub number: u32,
    /// Its digest.
    pub release: Digest,
}
