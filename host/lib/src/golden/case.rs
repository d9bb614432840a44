//! A case, what it expects, and for which versions.

use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::value::{Scalar, Value};

use super::error::SourceLine;

/// Which versions a case speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Binds {
    /// Every version there is and will be.
    All,
    /// This version and every later one: earlier ones were frozen before the case was known.
    Since(u32),
    /// These alone; any other version has to say why it does not run the case.
    Only(Vec<u32>),
}

impl Binds {
    /// Whether a version is bound by the case.
    #[must_use]
    pub(crate) fn holds(&self, version: u32) -> bool {
        match self {
            Binds::All => true,
            Binds::Since(first) => version >= *first,
            Binds::Only(versions) => versions.contains(&version),
        }
    }
}

/// What one output must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Index of the output in the declaration.
    pub(crate) output: usize,
    /// Its value; null where it must be null.
    pub(crate) value: Value,
    /// How far a number may be off, in its unit; `None` compares bits.
    pub(crate) tolerance: Option<f64>,
}

/// What a case expects.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// These outputs; the others are not compared.
    Outputs(Vec<Expected>),
    /// A failure whose message holds this text.
    Failure(String),
}

/// One case, read for one version's declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Unique in its folder.
    pub name: String,
    /// Where it stands.
    pub place: SourceLine,
    /// One value for each declared input.
    pub inputs: Vec<Value>,
    /// One value for each declared parameter.
    pub parameters: Vec<Scalar>,
    /// What it expects.
    pub expect: Expectation,
}

/// Why a case was not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SkippedCase")]
pub struct Skipped {
    /// The case.
    #[serde(rename = "case")]
    pub name: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: SourceLine,
    /// The reason, as its author gives it, or the version that brought the case.
    pub reason: String,
    /// True for a `[[supersede]]`, false where the case came with a later version.
    pub superseded: bool,
}

pub use provender_sandbox::version_number;
