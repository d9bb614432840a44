//! The configuration of a logic: parameters, guardrail bounds, feature definitions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Form;
use crate::canonical::{CanonicalError, Digest, from_slice, there};
use crate::description::Severity;

/// A configuration. Its digest is part of the key of every run computed with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Always `provender.config.v1`.
    #[serde(rename = "$type")]
    #[schemars(extend("const" = Form::Config.name()))]
    form: String,
    /// `name:version`.
    pub logic: String,
    /// Values of the parameters by name.
    pub parameters: BTreeMap<String, Json>,
    /// Guardrails in declared order.
    pub guardrails: Vec<GuardrailBounds>,
    /// The definition of each input, by its name.
    pub features: BTreeMap<String, FeatureDefinition>,
}

/// A guardrail with its bounds resolved to numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardrailBounds {
    /// The output to which it applies.
    pub output: String,
    /// Values below this are a breach; null if there is no lower bound.
    #[serde(deserialize_with = "Option::deserialize")]
    pub minimum: Option<f64>,
    /// Values above this are a breach; null if there is no upper bound.
    #[serde(deserialize_with = "Option::deserialize")]
    pub maximum: Option<f64>,
    /// What a breach means.
    pub severity: Severity,
}

/// The definition of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureDefinition {
    /// Column of the catalogue.
    pub feature: String,
    /// Version of the column.
    pub version: u32,
    /// How the days are aggregated into one value.
    pub aggregate: String,
    /// Version of the aggregate's definition.
    pub aggregate_version: u32,
    /// The days to aggregate over.
    pub window: String,
    /// Month and day of the season's start (`01-01`); only for the window `season`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    #[schemars(with = "String")]
    pub season_start: Option<String>,
}

/// The text is not a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Its JSON does not have the expected members.
    #[error("it is not a configuration: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It has a different `$type`.
    #[error("its $type is {0}, but this program reads provender.config.v1")]
    Form(String),
}

impl Config {
    /// Creates the configuration of a logic.
    #[must_use]
    pub fn new(
        logic: String,
        parameters: BTreeMap<String, Json>,
        guardrails: Vec<GuardrailBounds>,
        features: BTreeMap<String, FeatureDefinition>,
    ) -> Config {
        Config {
            form: Form::Config.name().to_owned(),
            logic,
            parameters,
            guardrails,
            features,
        }
    }

    /// Reads a recorded configuration.
    ///
    /// # Errors
    /// If it is not a configuration, or has a form that this program does not know.
    pub fn read(text: &str) -> Result<Config, ConfigError> {
        let config: Config = serde_json::from_value(from_slice(text.as_bytes())?)?;
        config.check_form()?;
        Ok(config)
    }

    /// Checks that this program knows its form.
    ///
    /// # Errors
    /// If it does not know the form.
    pub fn check_form(&self) -> Result<(), ConfigError> {
        match self.form == Form::Config.name() {
            true => Ok(()),
            false => Err(ConfigError::Form(self.form.clone())),
        }
    }

    /// The canonical text. Its digest is the configuration's version.
    ///
    /// # Errors
    /// If a parameter has no canonical form.
    pub fn to_text(&self) -> Result<String, CanonicalError> {
        Form::Config.text(self)
    }

    /// The configuration's version.
    ///
    /// # Errors
    /// See [`Config::to_text`].
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of_canonical(self.to_text()?.as_bytes()))
    }
}
