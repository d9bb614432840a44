//! A component's declaration (`description` in `wit/logic.wit`), as plain values.
//!
//! Everything here came from a guest and has passed the sandbox's checks: sizes, UTF-8, unique non-empty names. The
//! binding checks whether it matches the host's catalogue.

use crate::ids::ModelVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::{DataType, Scalar};

/// A named, typed column with its unit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DeclaredField")]
pub struct Field {
    /// Unique among its kind in the component.
    pub name: String,
    /// Type of the column.
    pub data_type: DataType,
    /// Unit as the catalogue writes it (`kg/ha`), if the quantity has one.
    pub unit: Option<String>,
    /// Whether the column may contain nulls.
    pub nullable: bool,
    /// One sentence for people.
    pub doc: String,
}

/// A column that the component reads.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DeclaredInput")]
pub struct Input {
    /// The column as the component sees it.
    pub field: Field,
    /// A reference into the host's catalogue: `forage_kg_per_ha`, `precipitation_mm:sum:30d`.
    pub feature: String,
}

/// The purpose of an output column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OutputRole")]
pub enum Role {
    /// A result for downstream users.
    Outcome,
    /// An intermediate number, kept so that `explain` can show the arithmetic.
    Term,
    /// A text that explains why an outcome of the row is null or doubtful.
    Reason,
}

/// A column that the component returns.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DeclaredOutput")]
pub struct Output {
    /// The column.
    pub field: Field,
    /// Its purpose.
    pub role: Role,
    /// How it is computed, in words and in the names of inputs, parameters and outputs.
    pub formula: Option<String>,
}

/// A parameter that DS may set in `logic.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Unique name.
    pub name: String,
    /// Unit of the value.
    pub unit: Option<String>,
    /// The value used unless another is set.
    pub default: Scalar,
    /// Smallest allowed value.
    pub minimum: Option<Scalar>,
    /// Largest allowed value.
    pub maximum: Option<Scalar>,
    /// One sentence for people.
    pub doc: String,
}

impl Parameter {
    /// Checks that the parameter may have this value. The error is a clause with value and bound.
    ///
    /// # Errors
    /// If the value is outside the declared bounds.
    pub fn admits(&self, value: &Scalar) -> Result<(), String> {
        let Some(x) = value.as_f64() else {
            return Ok(());
        };
        let show = |s: &Scalar| s.to_json().to_string();
        match (&self.minimum, &self.maximum) {
            (Some(low), _) if low.as_f64().is_some_and(|low| x < low) => Err(format!(
                "{} is below the smallest allowed value {}",
                show(value),
                show(low)
            )),
            (_, Some(high)) if high.as_f64().is_some_and(|high| x > high) => Err(format!(
                "{} is above the largest allowed value {}",
                show(value),
                show(high)
            )),
            _ => Ok(()),
        }
    }
}

/// How bad a breach is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look.
    Warn,
    /// Not acceptable.
    Crit,
}

/// A bound of a guardrail.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number.
    Value(f64),
    /// The value of a parameter.
    Parameter(String),
}

/// Acceptable range of one output; null outputs are not checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Guardrail {
    /// Name of the output.
    pub output: String,
    /// Values below this are a breach.
    pub minimum: Option<Bound>,
    /// Values above this are a breach.
    pub maximum: Option<Bound>,
    /// What a breach means.
    pub severity: Severity,
}

/// The bad side of a threshold. Comparisons are strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Bad if the value is above the threshold.
    Above,
    /// Bad if the value is below the threshold.
    Below,
}

/// The rows over which a rule is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One boundary and herd.
    Series,
    /// All series in the window.
    Fleet,
}

/// A monitoring rule over a rolling window of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorRule {
    /// Name of the metric, from the monitor's catalogue.
    pub metric: String,
    /// The output or input to monitor, if the metric needs one.
    pub subject: Option<String>,
    /// The rows over which it is computed.
    pub scope: Scope,
    /// The bad side of the thresholds.
    pub direction: Direction,
    /// Threshold for `warn`.
    pub warn: Option<f64>,
    /// Threshold for `crit`.
    pub crit: Option<f64>,
    /// With fewer rows than this, the rule never passes.
    pub min_rows: u32,
}

/// A component's whole declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Name of the logic: `days_remaining`.
    pub name: String,
    /// Version: `v2`.
    pub version: String,
    /// One sentence for people.
    pub summary: String,
    /// Columns read, in the order of `compute`.
    pub inputs: Vec<Input>,
    /// Parameters, in the order of `compute`.
    pub parameters: Vec<Parameter>,
    /// Columns returned, in order.
    pub outputs: Vec<Output>,
    /// Guardrails.
    pub guardrails: Vec<Guardrail>,
    /// Monitoring rules.
    pub monitors: Vec<MonitorRule>,
    /// Free-form pairs: `not-accounted-for`, `author`, `source`.
    pub annotations: Vec<(String, String)>,
}

impl Description {
    /// `name:version`, the `model_version` of a run's key.
    #[must_use]
    pub fn model_version(&self) -> ModelVersion {
        ModelVersion::of(&self.name, &self.version)
    }

    /// The values of all annotations with this key.
    pub fn annotated<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.annotations
            .iter()
            .filter(move |(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }
}
