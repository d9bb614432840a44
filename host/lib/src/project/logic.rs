//! `logic.toml`: parameter values, guardrail bounds, monitor thresholds and feature definitions that differ from
//! the component's declarations. DS owns it.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::ProjectError;

/// Name of the file.
pub(crate) const FILE: &str = "logic.toml";

/// The whole file: name → version → settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogicFile(BTreeMap<String, BTreeMap<String, LogicOverrides>>);

/// The JSON Schema of the file.
#[must_use]
pub fn schema() -> Schema {
    schema_for!(BTreeMap<String, BTreeMap<String, LogicOverrides>>)
}

/// `[name.version]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogicOverrides {
    /// Start of the season as `MM-DD`, for windows `season`.
    pub season_start: Option<String>,
    /// Parameter values.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub parameters: BTreeMap<String, toml::Value>,
    /// Guardrail bounds by output.
    pub guardrails: BTreeMap<String, GuardrailOverride>,
    /// Monitor thresholds by metric, subject and scope.
    pub monitors: Vec<MonitorOverride>,
}

/// `[name.version.guardrails.OUTPUT]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardrailOverride {
    /// Smallest acceptable value.
    pub minimum: Option<f64>,
    /// Largest acceptable value.
    pub maximum: Option<f64>,
}

/// `[[name.version.monitors]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorOverride {
    /// Metric of the rule.
    pub metric: String,
    /// Subject of the rule; optional if the metric has only one rule.
    pub subject: Option<String>,
    /// `fleet` or `series`; both if left out.
    pub scope: Option<String>,
    /// Threshold of warn.
    pub warn: Option<f64>,
    /// Threshold of crit.
    pub crit: Option<f64>,
    /// Fewest rows on which the rule is judged.
    pub min_rows: Option<u32>,
    /// `above` or `below`, for an added rule; above if left out.
    pub direction: Option<String>,
    /// Whether this adds a rule that the component does not declare. It must be set explicitly, so that a misspelt
    /// rule is refused and not added.
    #[serde(default)]
    pub add: bool,
}

impl LogicFile {
    /// Reads the file's text.
    ///
    /// # Errors
    /// If it is not TOML, or has unknown or malformed keys.
    pub fn parse(text: &str) -> Result<LogicFile, ProjectError> {
        let tables = toml::from_str(text).map_err(|e| ProjectError::Parse {
            file: FILE.to_owned(),
            cause: e.to_string(),
        })?;
        let file = LogicFile(tables);
        for (name, versions) in &file.0 {
            for (version, o) in versions {
                if let Some(start) = &o.season_start {
                    season_day(start).ok_or_else(|| ProjectError::Value {
                        file: FILE.to_owned(),
                        key: format!("{name}.{version}.season_start"),
                        value: start.clone(),
                        problem: "write MM-DD, such as 03-01; 02-29 is not allowed, because most years lack it".to_owned(),
                    })?;
                }
            }
        }
        Ok(file)
    }

    /// The settings of one version.
    #[must_use]
    pub fn of(&self, name: &str, version: &str) -> LogicOverrides {
        self.0
            .get(name)
            .and_then(|v| v.get(version))
            .cloned()
            .unwrap_or_default()
    }

    /// Whether the file has a block for a version, even an empty one.
    #[must_use]
    pub fn has(&self, name: &str, version: &str) -> bool {
        self.0.get(name).is_some_and(|v| v.contains_key(version))
    }

    /// Every `name:version` that has a block.
    pub(crate) fn versions(&self) -> impl Iterator<Item = ModelVersion> + '_ {
        self.0
            .iter()
            .flat_map(|(n, vs)| vs.keys().map(move |v| ModelVersion::of(n, v)))
    }
}

/// Month and day of a season's start.
#[must_use]
pub(crate) fn season_day(text: &str) -> Option<(i8, i8)> {
    // 2001 is not a leap year, so 29 February is refused.
    let day: provender_domain::day::Day = format!("2001-{text}").parse().ok()?;
    let (_, m, d) = day.ymd();
    Some((m, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_found_by_name_and_version() {
        let text = "[days_remaining.v2]\nseason_start = '03-01'\n[days_remaining.v2.parameters]\nresidual_kg_per_ha = 250.0\n\
                    [[days_remaining.v2.monitors]]\nmetric = 'p95'\nwarn = 16\ncrit = 30\n";
        let file = LogicFile::parse(text).unwrap();
        let o = file.of("days_remaining", "v2");
        assert_eq!(o.season_start.as_deref(), Some("03-01"));
        assert_eq!(o.monitors[0].warn, Some(16.0));
        assert_eq!(file.of("days_remaining", "v1"), LogicOverrides::default());
        let empty = LogicFile::parse("[days_remaining.v3]").unwrap();
        assert!(empty.has("days_remaining", "v3") && !empty.has("days_remaining", "v2"));
    }

    #[test]
    fn mistakes_are_refused() {
        for text in [
            "[a.v1]\nseason_start = '02-29'",
            "[a.v1]\nparamters = {}",
            "[a.v1]\nseason_start = 'spring'",
        ] {
            assert!(LogicFile::parse(text).is_err(), "{text}");
        }
    }
}
