//! Payloads about releases: cut, imported, approved, examined, promoted, pruned.

use crate::entry::EntryNumber;
use provender_domain::ids::ModelVersion;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, as_written};
use provender_domain::day::Day;

use super::words::{Action, CheckVerdict, GateOutcome, Role};

/// A release was cut here. The payload contains all of it, so that the ledger alone documents it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseCut {
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// The release: canonical JSON of the form `provender.release.v1`.
    #[serde(deserialize_with = "as_written")]
    pub document: Json,
}

/// A release was imported from another deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseImport {
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// The release: canonical JSON of the form `provender.release.v1`.
    #[serde(deserialize_with = "as_written")]
    pub document: Json,
    /// Environment in which it was cut.
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

/// A release was promoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// What becomes active, as in a rollback.
    #[serde(flatten)]
    pub change: Rollback,
    /// The entry of the gate decision that the promotion relied on.
    pub gate: Option<EntryNumber>,
    /// Why the gate was overridden.
    #[serde(rename = "override")]
    pub overridden: Option<String>,
    /// What the gate objected to.
    pub objection: Option<String>,
}

/// An earlier release became active again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// Digest of the release that was active before.
    pub previous: Option<Digest>,
    /// Number of that release.
    pub previous_number: Option<u32>,
    /// First calculation date for which it is active.
    pub from: Day,
    /// The logics that are active.
    pub logics: Vec<ReleaseLogic>,
}

/// An empty payload: the kind of the entry says everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoPayload {}

/// A person approved a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// Role of the person.
    pub role: Role,
    /// Environment in which approval was given.
    pub environment: String,
}

/// Evidence about a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceFound {
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// Digest of the evidence.
    pub digest: Digest,
    /// The evidence: canonical JSON of the form `provender.evidence.v1`.
    pub evidence: Json,
    /// SHA-256 of the archive that the evidence was imported with.
    pub imported_with: Option<Digest>,
}

/// A gate's decision about a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDecision {
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// Environment whose policy was applied.
    pub environment: String,
    /// Digest of the release that was active.
    pub against: Option<Digest>,
    /// Whether the release may be promoted.
    pub passes: bool,
    /// The decision.
    pub outcome: GateOutcome,
    /// Explanation in words.
    pub why: String,
    /// Digest of the policy.
    pub policy: Digest,
    /// How old evidence may be under the policy, in days.
    pub max_age_days: u32,
    /// All checks.
    pub checks: Vec<GateCheck>,
    /// Digest of the report.
    pub report: Digest,
}

/// A check of a gate decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateCheck {
    /// Name of the check.
    pub name: String,
    /// Result of the check.
    pub verdict: CheckVerdict,
    /// Consequence of the result; `None` if the check passed.
    pub action: Option<Action>,
    /// The observed value.
    pub observed: String,
    /// The required value.
    pub threshold: String,
    /// Number of cases, runs or rows it is based on.
    pub rows: u64,
}

/// A release started to run in shadow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryStart {
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// Digest of the active release beside which it runs.
    pub against: Digest,
    /// Number of the active release.
    pub against_number: u32,
    /// Share of the places, in percent.
    pub share: u32,
    /// First day of its back-fill.
    pub from: Day,
    /// Last day of its back-fill.
    pub as_of: Day,
}

/// A canary ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryStop {
    /// Digest of the release.
    pub release: Digest,
    /// Number of the release.
    pub number: u32,
    /// The entry that started the canary.
    pub canary: EntryNumber,
}

/// Files of releases were removed from the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prune {
    /// The releases.
    pub releases: Vec<PrunedRelease>,
    /// Components that no release needs any more.
    pub components: Vec<Digest>,
    /// Digest of the plan that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
}

/// A release whose files were removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedRelease {
    /// Number of the release.
    pub number: u32,
    /// Digest of the release.
    pub release: Digest,
}
