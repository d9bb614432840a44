//! Files, components, runs, reports and what was done with them.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, as_written};
use provender_domain::day::Day;

use super::words::{ReplayVerdict, ReportKind};

/// A file taken in: what is the same of it wherever it is, and what of its rows was new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ingest {
    /// The file's row, and the root over what it brought.
    #[serde(flatten)]
    pub file: FileIn,
    /// What was found when it was compared with what is known.
    #[serde(flatten)]
    pub notes: FileNotes,
}

/// What was found when a file was compared with what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNotes {
    /// The boundary that all of its rows are of, where it was named.
    pub boundary: Option<BoundaryId>,
    /// Rows that nothing was known of.
    pub new: u32,
    /// Rows that say what was known.
    pub unchanged: u32,
    /// Rows that say something else than was known.
    pub revised: u32,
    /// Rows left out, each with its reason.
    pub skipped: Vec<String>,
    /// Whether many revisions were accepted by name.
    pub accepted: bool,
}

/// A file's row as its entry binds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIn {
    /// Id of the source.
    pub source: String,
    /// `boundaries`, `herds`, `forage`, …
    pub kind: String,
    /// `geojson`, `rap`, …
    pub format: String,
    /// Path as it was given.
    pub path: String,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Data rows.
    pub rows: u32,
    /// What it brought; ledgers that began before schema 1 was complete have entries without it.
    #[serde(flatten)]
    pub identity: Option<Identity>,
}

/// The file's number, and what the root is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Number of the file in this ledger.
    pub file: i64,
    /// Rows of the ledger that it brought.
    pub count: u64,
    /// Root over them.
    pub root: Digest,
}

/// Files withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retract {
    /// The files.
    pub files: Vec<RetractedFile>,
}

/// A file that was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractedFile {
    /// Its number.
    pub file: i64,
    /// Path as it was given.
    pub path: String,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Id of the source.
    pub source: String,
    /// The entry that took it in.
    pub ingested_by: i64,
}

/// A version and configuration that answers from a day on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of its configuration.
    pub config_version: Digest,
    /// The configuration: canonical JSON of the form `provender.config.v1`.
    #[serde(deserialize_with = "as_written")]
    pub config: Json,
    /// Digest of the component's bytes.
    pub component: Digest,
    /// The first calculation date that was asked for.
    pub from: Day,
}

/// A component pinned, as a draft or for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of the bytes.
    pub component: Digest,
    /// Their number.
    pub size: u64,
    /// World it is built for.
    pub world: String,
    /// Language it is written in.
    pub language: String,
    /// Ceilings of its own.
    pub limits: Ceilings,
}

/// Ceilings of a component beside the deployment's; what is left out is as the deployment has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceilings {
    /// Bytes of linear memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Elements of all tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Fuel of every call before its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel_base: Option<u64>,
    /// Fuel of every call for each of its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel_per_row: Option<u64>,
    /// Bytes of the component file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_bytes: Option<u64>,
    /// Bytes that one call may hand back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_bytes: Option<u64>,
}

/// Why runs were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// They are the answers of what is in force.
    Answers,
    /// Somebody asked for this version by name.
    Version,
    /// A parameter was set for one command: never an answer.
    OneOff,
    /// They replace runs whose inputs were revised.
    Reissue,
    /// A canary, in shadow.
    Canary,
}

/// What made the runs of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsOf {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of the component's bytes.
    pub component: Digest,
    /// World that it implements.
    pub world: String,
    /// Digest of the configuration.
    pub config_version: Digest,
    /// Why they were computed.
    pub origin: Origin,
    /// The release that was active, or ran in shadow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Digest>,
}

/// A batch of runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsRecorded {
    /// What made them.
    #[serde(flatten)]
    pub of: RunsOf,
    /// How many.
    pub count: u64,
    /// Root over them.
    pub root: Digest,
    /// Packs that hold their manifests; left out where each has a file of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<Digest>,
}

/// A document's row as an entry binds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// What it is.
    pub kind: ReportKind,
    /// The digest it is kept under.
    pub digest: Digest,
    /// SHA-256 of its text.
    pub sha256: Digest,
}

/// A report that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportKept {
    /// What it is a report of.
    pub kind: ReportKind,
    /// The digest it is kept under.
    pub report: Digest,
    /// Its row; the first ledgers have entries without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentRow>,
}

/// A reference that monitors compare with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineFrozen {
    /// The digest it is kept under.
    pub baseline: Digest,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Every configuration version behind it.
    pub config_versions: Vec<String>,
    /// First day of its period.
    pub from: Day,
    /// Last day, included.
    pub to: Day,
    /// Answers behind it.
    pub rows: u64,
    /// Its row; the ledger adds it when it keeps the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentRow>,
}

/// Runs computed again from their manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// How many were computed.
    pub count: u64,
    /// Root over their ids.
    pub root: Digest,
    /// How many gave the same bits.
    pub identical: u64,
    /// Ids of those that did not.
    pub different: Vec<String>,
    /// Those that could not be computed.
    pub failed: Vec<FailedReplay>,
    /// What came of it.
    pub verdict: ReplayVerdict,
    /// What computed them.
    pub engine: Engine,
    /// How they were chosen.
    pub selection: Selection,
}

/// A run that could not be computed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedReplay {
    /// Its id.
    pub run_id: String,
    /// Why, as a stable name.
    pub code: String,
}

/// What computes components.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// `native` or `pulley`.
    pub backend: String,
    /// Version of wasmtime.
    pub wasmtime: String,
    /// Settings that decide about bits.
    pub profile: String,
    /// Machine that it compiled for.
    pub target: String,
}

/// How runs of a replay were chosen; what is left out did not narrow them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Runs named one by one: how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u64>,
    /// Recorded since this day or entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Of this boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<BoundaryId>,
    /// Of this logic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logic: Option<String>,
    /// From this calculation date on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Up to this calculation date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// A sample: of so many runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// How many were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
    /// What the sample was drawn by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// How it was drawn: `by position`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<String>,
}

/// A known case, acknowledged until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// `name`, for all of its versions, or `name:version`.
    pub logic: String,
    /// Only rules of this metric.
    pub metric: Option<String>,
    /// The last window end for which it counts.
    pub until: Day,
}
