//! The parts of a manifest: what writes them and what reads them.
//!
//! Every member is written, null where there is nothing to say; a member that is missing or unknown is an
//! error. So a part that was read is written again with the very bytes that it had.

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
    /// What is hashed.
    #[serde(rename = "$type")]
    pub form: SnapshotForm,
    /// The component that computed.
    pub component: Component,
    /// Parameters, guardrail bounds and feature definitions in force.
    pub config: Config,
    /// What the guardrails say of the outputs.
    pub guardrails: Guardrails,
    /// Values of the declared inputs, by name: null where nothing was known.
    #[schemars(schema_with = "values_by_name")]
    pub inputs: Map<String, Json>,
    /// The run's key.
    #[serde(deserialize_with = "WholeKey::deserialize")]
    pub key: RunKey,
    /// Values of the outputs, by name.
    #[schemars(schema_with = "values_by_name")]
    pub outputs: Map<String, Json>,
    /// Values of the parameters in force, by name.
    #[schemars(schema_with = "values_by_name")]
    pub parameters: Map<String, Json>,
    /// Digest of component, world, configuration and inputs: what makes the number.
    pub provenance: Digest,
    /// Digest of the key.
    pub run_id: Digest,
}

impl Reproducible {
    /// Its digest: the snapshot's id.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of_canonical(&bytes_of(self)?))
    }
}

/// [`RunKey`] with nothing beside it.
#[derive(Deserialize)]
#[serde(remote = "RunKey", deny_unknown_fields)]
struct WholeKey {
    boundary_id: BoundaryId,
    herd_config_id: HerdId,
    calculation_date: Day,
    model_version: ModelVersion,
    config_version: ConfigVersion,
}

/// The JSON Schema of values by name, each of the type that the component declares.
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

/// A component, as manifests name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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

/// What the guardrails of a configuration say of a run's outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guardrails {
    /// The breached ones, in the order of the configuration.
    pub breached: Vec<Breach>,
    /// Whether there is one.
    pub status: GuardrailStatus,
}

/// Whether an output lies outside its guardrail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardrailStatus {
    /// All outputs lie within their guardrails, or are null.
    Ok,
    /// A guardrail is breached.
    Failed,
}

impl GuardrailStatus {
    /// What these breaches make of it.
    #[must_use]
    pub fn of(breached: &[Breach]) -> GuardrailStatus {
        match breached {
            [] => GuardrailStatus::Ok,
            _ => GuardrailStatus::Failed,
        }
    }
}

/// A guardrail that was breached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breach {
    /// The output.
    pub output: String,
    /// Its value.
    pub value: f64,
    /// Smallest acceptable value; null where there is none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub minimum: Option<f64>,
    /// Largest acceptable value; null where there is none.
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
pub struct Sources {
    /// The files that observations below are of, in the order in which they were taken in.
    pub files: Vec<SourceFile>,
    /// What each input was made of, by its name.
    pub inputs: BTreeMap<String, InputSources>,
    /// The last entry of the ledger that counted.
    pub known: i64,
}

/// An input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Its format: `geojson`, `rap`.
    pub format: String,
    /// The entry of the ledger that took it in.
    pub ingested_by: i64,
    /// Its path, as it was given.
    pub path: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// The source that it is of.
    pub source: String,
}

/// What an input was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputSources {
    /// Days from the newest observation to the calculation date; null where none is dated.
    #[serde(deserialize_with = "Option::deserialize")]
    pub age_days: Option<i64>,
    /// The observations, oldest first.
    pub from: Vec<Observed>,
}

/// An observation that entered an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// Its day; absent where it has none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    #[schemars(with = "Day")]
    pub date: Option<Day>,
    /// Its file: a place in `files`, from 0.
    pub file: u32,
    /// Its row in the file, from 1.
    pub row: u32,
    /// Its value; absent where it is not a number.
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

/// What was true of the moment, the program and the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Who had the run computed.
    pub actor: String,
    /// How many bytes the component has.
    pub component_size: u64,
    /// What the component was built with, as it says itself: name and version of each tool.
    pub component_toolchain: Vec<(String, String)>,
    /// The engine that ran the component.
    pub engine: Engine,
    /// The deployment's environment: `prod`.
    pub environment: String,
    /// The commit of the repository that the deployment lies in; null where it lies in none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub git_commit: Option<String>,
    /// Where the value of each parameter was set, by the parameter's name.
    pub parameters_set_by: BTreeMap<String, SetBy>,
    /// The machine.
    pub platform: Platform,
    /// The program.
    pub program: Program,
    /// Why the run replaces another, null where nothing was said; absent where it replaces none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    #[schemars(with = "Option<String>")]
    pub reason: Option<Option<String>>,
    /// The moment, RFC 3339 in UTC.
    pub recorded_at: String,
    /// The configuration version of the run that this one replaces; absent where it replaces none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    #[schemars(with = "ConfigVersion")]
    pub replaces: Option<ConfigVersion>,
}

/// Program, engine, machine and place of a computation: what all its manifests say alike.
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
pub struct Engine {
    /// Name of its settings: `deterministic-v1`.
    pub profile: String,
    /// What code was generated for: architecture and system.
    pub target: String,
    /// Version of wasmtime.
    pub wasmtime: String,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Its architecture: `x86_64`.
    pub arch: String,
    /// Its operating system: `linux`.
    pub os: String,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
    /// `--param` of this command; such a run is never an answer.
    #[serde(rename = "--param")]
    CommandLine,
}

impl SetBy {
    /// As reports say it.
    #[must_use]
    pub fn text(&self) -> &'static str {
        match self {
            SetBy::Component => "component default",
            SetBy::LogicToml => "logic.toml",
            SetBy::CommandLine => "--param",
        }
    }
}
