//! The parts of a manifest, for writing and reading.
//!
//! Every member is written, with null if there is no value. A missing or unknown member is an error. So a part that was
//! read is written again with exactly the same bytes.

use crate::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::canonical::{CanonicalError, Digest, bytes_of, there};
use crate::day::Day;
use crate::description::Severity;
use crate::forms::{Config, SnapshotForm};
use crate::key::{ConfigVersion, RunKey};

/// What can be computed again from the component and the inputs alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reproducible {
    /// The form of the hashed object.
    #[serde(rename = "$type")]
    pub form: SnapshotForm,
    /// The component that computed the run.
    pub component: Component,
    /// Parameters, guardrail bounds and feature definitions in force.
    pub config: Config,
    /// The result of the guardrails.
    pub guardrails: Guardrails,
    /// Values of the declared inputs, by name: null if nothing was known.
    #[schemars(schema_with = "values_by_name")]
    pub inputs: Map<String, Json>,
    /// The run's key.
    #[serde(deserialize_with = "WholeKey::deserialize")]
    pub key: RunKey,
    /// Values of the outputs, by name.
    #[schemars(schema_with = "values_by_name")]
    pub outputs: Map<String, Json>,
    /// Values of the parameters, by name.
    #[schemars(schema_with = "values_by_name")]
    pub parameters: Map<String, Json>,
    /// Digest of component, world, configuration and inputs: everything that determines the number.
    pub provenance: Digest,
    /// Digest of the key.
    pub run_id: Digest,
}

impl Reproducible {
    /// The digest of this part, which is the snapshot id.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of_canonical(&bytes_of(self)?))
    }
}

/// [`RunKey`] without unknown members.
#[derive(Deserialize)]
#[serde(remote = "RunKey", deny_unknown_fields)]
struct WholeKey {
    boundary_id: BoundaryId,
    herd_config_id: HerdId,
    calculation_date: Day,
    model_version: ModelVersion,
    config_version: ConfigVersion,
}

/// The JSON Schema of values by name, each of the type declared by the component.
#[must_use]
pub fn values_by_name(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": {
            "description": "A number, a text (a date is YYYY-MM-DD, an integer beyond 2^53 is a text, too), true or false, the dated values of a window as [date, number], or null.",
            "type": ["array", "boolean", "null", "number", "string"],
            "items": {
                "type": "array",
                "prefixItems": [{"type": "string"}, {"type": "number"}],
                "minItems": 2,
                "maxItems": 2,
            },
        },
    })
}

/// A component, as recorded in manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ManifestComponent")]
pub struct Component {
    /// Name of the logic.
    pub name: String,
    /// Digest of the component's bytes.
    pub sha256: Digest,
    /// Version of the logic.
    pub version: String,
    /// World that it implements.
    pub world: String,
}

/// The result of a configuration's guardrails for a run's outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guardrails {
    /// The breached guardrails, in the order of the configuration.
    pub breached: Vec<Breach>,
    /// Whether a guardrail is breached.
    pub status: GuardrailStatus,
}

/// Whether an output is outside its guardrail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardrailStatus {
    /// All outputs are within their guardrails, or null.
    Ok,
    /// A guardrail is breached.
    Failed,
}

impl GuardrailStatus {
    /// The status for these breaches.
    #[must_use]
    pub fn of(breached: &[Breach]) -> GuardrailStatus {
        match breached {
            [] => GuardrailStatus::Ok,
            _ => GuardrailStatus::Failed,
        }
    }
}

/// A breached guardrail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breach {
    /// The output.
    pub output: String,
    /// Its value.
    pub value: f64,
    /// Smallest acceptable value; null if there is no lower bound.
    #[serde(deserialize_with = "Option::deserialize")]
    pub minimum: Option<f64>,
    /// Largest acceptable value; null if there is no upper bound.
    #[serde(deserialize_with = "Option::deserialize")]
    pub maximum: Option<f64>,
    /// What a breach means.
    pub severity: Severity,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.minimum, self.maximum) {
            (Some(low), _) if self.value < low => {
                write!(f, "{} = {} is below {low}", self.output, self.value)
            }
            (_, Some(high)) => write!(f, "{} = {} is above {high}", self.output, self.value),
            _ => write!(f, "{} = {}", self.output, self.value),
        }
    }
}

/// Where the inputs came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ManifestSources")]
pub struct Sources {
    /// The files of the observations below, in the order in which they were ingested.
    pub files: Vec<SourceFile>,
    /// The observations behind each input, by its name.
    pub inputs: BTreeMap<String, InputSources>,
    /// The last ledger entry known to the run.
    pub known: i64,
}

/// An input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Its format: `geojson`, `rap`.
    pub format: String,
    /// The ledger entry that ingested it.
    pub ingested_by: i64,
    /// Its path, as given by the user.
    pub path: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Its source.
    pub source: String,
}

/// The observations behind an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputSources {
    /// Days from the newest observation to the calculation date; null if no observation is dated.
    #[serde(deserialize_with = "Option::deserialize")]
    pub age_days: Option<i64>,
    /// The observations, oldest first.
    pub from: Vec<Observed>,
}

/// An observation that contributed to an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// Its day; absent if it has no date.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    #[schemars(with = "Day")]
    pub date: Option<Day>,
    /// Index of its file in `files`, counted from 0.
    pub file: u32,
    /// Its row in the file, counted from 1.
    pub row: u32,
    /// Its value; absent if it is not a number.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    #[schemars(with = "f64")]
    pub value: Option<f64>,
}

impl Sources {
    /// The file of an observation.
    #[must_use]
    pub fn file(&self, observed: &Observed) -> Option<&SourceFile> {
        self.files.get(usize::try_from(observed.file).ok()?)
    }
}

/// Time, program and machine of a computation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ManifestEnvironment")]
pub struct Environment {
    /// Who computed the run.
    pub actor: String,
    /// Size of the component in bytes.
    pub component_size: u64,
    /// The tools that built the component, as it declares them: name and version.
    pub component_toolchain: Vec<(String, String)>,
    /// The engine that ran the component.
    pub engine: Engine,
    /// The deployment's environment, such as `prod`.
    pub environment: String,
    /// The commit of the Git repository that contains the deployment; null if there is none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub git_commit: Option<String>,
    /// Where the value of each parameter was set, by the parameter's name.
    pub parameters_set_by: BTreeMap<String, SetBy>,
    /// The machine.
    pub platform: Platform,
    /// The program.
    pub program: Program,
    /// Why the run replaces another: null if no reason was given, absent if it replaces none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    #[schemars(with = "Option<String>")]
    pub reason: Option<Option<String>>,
    /// The time, RFC 3339 in UTC.
    pub recorded_at: String,
    /// The configuration version of the run that this run replaces; absent if it replaces none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    #[schemars(with = "ConfigVersion")]
    pub replaces: Option<ConfigVersion>,
}

/// Program, engine, machine and environment of a computation: what all its manifests share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computer {
    /// See [`Environment::engine`].
    pub engine: Engine,
    /// See [`Environment::environment`].
    pub environment: String,
    /// See [`Environment::git_commit`].
    pub git_commit: Option<String>,
    /// See [`Environment::platform`].
    pub platform: Platform,
    /// See [`Environment::program`].
    pub program: Program,
}

/// The engine that ran a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ManifestEngine")]
pub struct Engine {
    /// Name of its settings, such as `deterministic-v1`.
    pub profile: String,
    /// Architecture and system for which code was generated.
    pub target: String,
    /// Version of wasmtime.
    pub wasmtime: String,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ManifestPlatform")]
pub struct Platform {
    /// Its architecture, such as `x86_64`.
    pub arch: String,
    /// Its operating system, such as `linux`.
    pub os: String,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ManifestProgram")]
pub struct Program {
    /// `provender`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Where a parameter's value was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SetBy {
    /// The component's default.
    #[serde(rename = "component default")]
    Component,
    /// `logic.toml`.
    #[serde(rename = "logic.toml")]
    LogicToml,
    /// `--param` of a command; such a run is never an answer.
    #[serde(rename = "--param")]
    CommandLine,
}

impl SetBy {
    /// The text used in reports.
    #[must_use]
    pub fn text(&self) -> &'static str {
        match self {
            SetBy::Component => "component default",
            SetBy::LogicToml => "logic.toml",
            SetBy::CommandLine => "--param",
        }
    }
}
