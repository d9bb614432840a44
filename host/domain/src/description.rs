//! What a component declares of itself (`description` in `wit/logic.wit`), as plain values.
//!
//! Everything in here came from a guest and has passed the checks of the sandbox room: sizes,
//! UTF-8, unique non-empty names. Whether it fits the host's catalogue is the binding's question.

use crate::ids::ModelVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::{DataType, Scalar};

/// A named, typed column with its unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Unique among its kind in the component.
    pub name: String,
    /// Type of the column.
    pub data_type: DataType,
    /// Unit as the catalogue spells it (`kg/ha`), where the quantity has one.
    pub unit: Option<String>,
    /// Whether the column may hold nulls.
    pub nullable: bool,
    /// One sentence for people.
    pub doc: String,
}

/// A column the component reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Input {
    /// The column as the component sees it.
    pub field: Field,
    /// A reference into the host's catalogue: `forage_kg_per_ha`, `precipitation_mm:sum:30d`.
    pub feature: String,
}

/// What an output column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What downstream uses.
    Outcome,
    /// An intermediate figure, kept so that `explain` can show the arithmetic.
    Term,
    /// A text that says why an outcome of the row is null or doubtful.
    Reason,
}

/// A column the component returns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Output {
    /// The column.
    pub field: Field,
    /// What it is for.
    pub role: Role,
    /// How it is computed, in words and the names of inputs, parameters and outputs.
    pub formula: Option<String>,
}

/// A parameter that DS may set in `logic.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Unique name.
    pub name: String,
    /// Unit of the value.
    pub unit: Option<String>,
    /// Value in force unless set otherwise.
    pub default: Scalar,
    /// Smallest admissible value.
    pub minimum: Option<Scalar>,
    /// Largest admissible value.
    pub maximum: Option<Scalar>,
    /// One sentence for people.
    pub doc: String,
}

impl Parameter {
    /// Whether the parameter may have this value; the error is a clause that names value and bound.
    ///
    /// # Errors
    /// If the value lies outside the declared bounds.
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

/// How bad it is when a bound is crossed.
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
    /// The value in force of a parameter.
    Parameter(String),
}

/// Acceptable range of one output; null outputs are not judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Guardrail {
    /// Name of the output it looks at.
    pub output: String,
    /// Values below this are a breach.
    pub minimum: Option<Bound>,
    /// Values above this are a breach.
    pub maximum: Option<Bound>,
    /// What a breach means.
    pub severity: Severity,
}

/// Which side of a threshold is bad. Comparisons are strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Bad when the value is above the threshold.
    Above,
    /// Bad when the value is below the threshold.
    Below,
}

/// Over which rows a rule is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One boundary and herd.
    Series,
    /// All of them in the window.
    Fleet,
}

/// A monitoring rule over a rolling window of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorRule {
    /// Name of the metric, one of the monitor room's catalogue.
    pub metric: String,
    /// The output or input it looks at, where the metric needs one.
    pub subject: Option<String>,
    /// Over which rows.
    pub scope: Scope,
    /// Which side is bad.
    pub direction: Direction,
    /// Threshold of `warn`.
    pub warn: Option<f64>,
    /// Threshold of `crit`.
    pub crit: Option<f64>,
    /// Fewer rows than this are never a pass.
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
    /// Columns read, in the order in which `compute` takes them.
    pub inputs: Vec<Input>,
    /// Parameters, in the order in which `compute` takes them.
    pub parameters: Vec<Parameter>,
    /// Columns returned, in order.
    pub outputs: Vec<Output>,
    /// Guardrails.
    pub guardrails: Vec<Guardrail>,
    /// Monitoring rules.
    pub monitors: Vec<MonitorRule>,
    /// Free pairs: `not-accounted-for`, `author`, `source`.
    pub annotations: Vec<(String, String)>,
}

impl Description {
    /// `name:version`, the `model_version` of a run's key.
    #[must_use]
    pub fn model_version(&self) -> ModelVersion {
        ModelVersion::of(&self.name, &self.version)
    }

    /// The values of every annotation with this key.
    pub fn annotated<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.annotations
            .iter()
            .filter(move |(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }
}
