//! Payloads about files, components, runs and reports.

use crate::entry::EntryNumber;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, as_written};
use provender_domain::day::Day;

use super::words::{ReplayVerdict, ReportKind};

/// A file was ingested: its identity, and which of its rows were new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ingest {
    /// The file's row, and the root over its content.
    #[serde(flatten)]
    pub file: IngestedFile,
    /// Result of comparing the file with what is known.
    #[serde(flatten)]
    pub notes: IngestNotes,
}

/// Result of comparing a file with what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestNotes {
    /// The boundary of all its rows, if it was named.
    pub boundary: Option<BoundaryId>,
    /// Rows about something unknown.
    pub new: u32,
    /// Rows that repeat what is known.
    pub unchanged: u32,
    /// Rows that revise what is known.
    pub revised: u32,
    /// Skipped rows, each with its reason.
    pub skipped: Vec<String>,
    /// Whether an unusual number of revisions was accepted explicitly.
    pub accepted: bool,
}

/// A file's row, as bound by its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestedFile {
    /// Id of the source.
    pub source: String,
    /// `boundaries`, `herds`, `forage`, …
    pub kind: String,
    /// `geojson`, `rap`, …
    pub format: String,
    /// Path as given.
    pub path: String,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Data rows.
    pub rows: u32,
    /// What the file brought. Absent in entries of ledgers that began before schema 1 was complete.
    #[serde(flatten)]
    pub identity: Option<Identity>,
}

/// The file's number, and the root over its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Number of the file in this ledger.
    pub file: i64,
    /// Number of ledger rows from this file.
    pub count: u64,
    /// Root over those rows.
    pub root: Digest,
}

/// Files were retracted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retract {
    /// The files.
    pub files: Vec<RetractedFile>,
}

/// A retracted file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractedFile {
    /// Its number.
    pub file: i64,
    /// Path as given.
    pub path: String,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Id of the source.
    pub source: String,
    /// The entry that ingested it.
    pub ingested_by: EntryNumber,
}

/// A version and configuration becomes active from a day on.
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

/// A component was pinned, as a draft or frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of the bytes.
    pub component: Digest,
    /// Size in bytes.
    pub size: u64,
    /// World that it is built for.
    pub world: String,
    /// Source language.
    pub language: String,
    /// Limits of this component.
    pub limits: Ceilings,
}

/// Limits of a component that differ from the deployment's. An absent limit is the deployment's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceilings {
    /// Bytes of linear memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Elements of tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Fuel of every call, regardless of its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel_base: Option<u64>,
    /// Additional fuel per row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel_per_row: Option<u64>,
    /// Largest component file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_bytes: Option<u64>,
    /// Most bytes that one call may return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_bytes: Option<u64>,
}

/// Why runs were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// They are answers of the active version.
    Answers,
    /// This version was requested by name.
    Version,
    /// A parameter was overridden for one command; never an answer.
    OneOff,
    /// They replace runs after inputs were revised.
    Reissue,
    /// A canary computed them in shadow.
    Canary,
}

/// What computed the runs of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsContext {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Digest of the component's bytes.
    pub component: Digest,
    /// World that the component implements.
    pub world: String,
    /// Digest of the configuration.
    pub config_version: Digest,
    /// Why the runs were computed.
    pub origin: Origin,
    /// The release that was active, or that ran in shadow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Digest>,
}

/// A batch of runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsRecorded {
    /// What computed the runs.
    #[serde(flatten)]
    pub context: RunsContext,
    /// Number of runs.
    pub count: u64,
    /// Root over the runs.
    pub root: Digest,
    /// Packs that hold their manifests. Absent if each manifest has its own file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<Digest>,
}

/// A document's row, as bound by its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// Kind of the document.
    pub kind: ReportKind,
    /// The digest under which it is stored.
    pub digest: Digest,
    /// SHA-256 of its text.
    pub sha256: Digest,
}

/// A report was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportKept {
    /// Kind of the report.
    pub kind: ReportKind,
    /// The digest under which it is stored.
    pub report: Digest,
    /// Row of the document. Absent in entries of the first ledgers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentRow>,
}

/// A baseline was frozen, for monitors to compare with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineFrozen {
    /// The digest under which it is stored.
    pub baseline: Digest,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// All configuration versions of its answers.
    pub config_versions: Vec<String>,
    /// First day of its period.
    pub from: Day,
    /// Last day of its period, included.
    pub to: Day,
    /// Number of answers.
    pub rows: u64,
    /// Row of the document. The ledger adds it when it stores the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentRow>,
}

/// Runs were replayed from their manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Number of replayed runs.
    pub count: u64,
    /// Root over their ids.
    pub root: Digest,
    /// Number of runs that gave the same bits.
    pub identical: u64,
    /// Ids of the runs that gave other bits.
    pub different: Vec<String>,
    /// Runs that could not be computed.
    pub failed: Vec<FailedReplay>,
    /// Result of the replay.
    pub verdict: ReplayVerdict,
    /// Engine that computed them.
    pub engine: Engine,
    /// How the runs were selected.
    pub selection: Selection,
}

/// A run that could not be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedReplay {
    /// Its id.
    pub run_id: String,
    /// Stable code of the reason.
    pub code: String,
}

/// The engine that runs components.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReplayEngine")]
pub struct Engine {
    /// `native` or `pulley`.
    pub backend: String,
    /// Version of wasmtime.
    pub wasmtime: String,
    /// Name of the engine settings.
    pub profile: String,
    /// Target that the code was compiled for.
    pub target: String,
}

/// How the runs of a replay were selected. An absent criterion was not used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReplayRuns")]
pub struct Selection {
    /// Number of runs named individually.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u64>,
    /// Recorded since this day or entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only this boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<BoundaryId>,
    /// Only this logic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logic: Option<String>,
    /// From this calculation date on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Up to this calculation date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Number of runs that the sample was drawn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Size of the sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
    /// Seed of the sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// Method of drawing, such as `by position`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<String>,
}

/// A known problem was acknowledged until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// `name` for all versions, or `name:version`.
    pub logic: String,
    /// Only rules of this metric.
    pub metric: Option<String>,
    /// The last window end for which the acknowledgement counts.
    pub until: Day,
}
