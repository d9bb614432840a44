//! `config`: every setting in force and where it was set.

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use provender_domain::canonical::Digest;
use provender_domain::description::MonitorRule;
use provender_domain::ids::ModelVersion;
use provender_domain::manifest::SetBy;
use provender_host::monitor::{rules_in_force, thresholds_version};
use provender_host::project::SetIn;
use provender_sandbox::{Lock, Pin, Sandbox};

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::ui::{Done, Look, Text};

/// Show every setting in force and where it was set: provender.toml, logic.toml or the component's own
/// defaults.
///
/// Example: provender config --json
#[derive(Args)]
pub(super) struct ConfigArgs {}

pub(super) fn run(global: &Global, _: &ConfigArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let mut text = Text::default();
    let settings = context
        .project
        .settings
        .origins(&context.project.settings_set);
    let plain = |s: &str| (Look::Plain, s.to_owned());
    text.look(
        Look::Strong,
        format!("deployment {}", context.project.root.display()),
    );
    let rows: Vec<_> = settings
        .iter()
        .map(|(k, v, by)| vec![plain(k), plain(v), (Look::Dim, by.to_string())])
        .collect();
    text.table(&["setting", "value", "set by"], &rows);
    let mut logics = Vec::new();
    if let Ok(lock) = context.pins() {
        let sandbox = context.sandbox()?;
        for pin in lock.components() {
            text.blank();
            logics.push(logic_config(&context, &sandbox, &lock, pin, &mut text)?);
        }
    }
    let setting = |(key, value, set_by)| SettingAnswer { key, value, set_by };
    let answer = ConfigAnswer {
        project: context.project.root.display().to_string(),
        settings: settings.into_iter().map(setting).collect(),
        sources: context.project.sources.precedence(),
        logics,
    };
    Ok(Done::ok(&answer, text))
}

/// One pinned logic with its settings.
fn logic_config(
    context: &Context,
    sandbox: &Sandbox,
    lock: &Lock,
    pin: &Pin,
    text: &mut Text,
) -> Result<LogicConfig, CliError> {
    let logic = pin.model_version();
    let bound = match context.bind(sandbox, lock, &logic, &BTreeMap::new()) {
        Ok(bound) => bound,
        // A misfit (no [[series]], for example) is reported but not fatal: the logic need not be active.
        Err(e) => {
            text.look(
                Look::Warn,
                format!("{logic} does not fit this deployment: {e}"),
            );
            let error = e.to_string();
            return Ok(LogicConfig::Unfit { logic, error });
        }
    };
    let rules = rules_in_force(&bound, &context.overrides(&pin.name, &pin.version)?)?;
    let thresholds = thresholds_version(&rules);
    text.look(
        Look::Strong,
        format!(
            "{logic}  config {}  thresholds {}",
            bound.config.digest.short(),
            thresholds.short()
        ),
    );
    let declared = bound.description().parameters.iter();
    let parameters: Vec<_> = declared
        .zip(&bound.parameters)
        .map(|(p, (v, by))| ParameterSetting {
            name: p.name.clone(),
            value: v.to_json(),
            unit: p.unit.clone(),
            set_by: *by,
        })
        .collect();
    if !parameters.is_empty() {
        let rows: Vec<_> = parameters
            .iter()
            .map(|p| {
                vec![
                    (Look::Plain, p.name.clone()),
                    (Look::Plain, p.value.to_string()),
                    (Look::Dim, p.set_by.text().to_owned()),
                ]
            })
            .collect();
        text.table(&["parameter", "value", "set by"], &rows);
    }
    Ok(LogicConfig::Bound {
        active: context.active()?.contains(&logic),
        logic,
        config_version: bound.config.digest,
        thresholds_version: thresholds,
        season_start: format!("{:02}-{:02}", bound.season_start.0, bound.season_start.1),
        parameters,
        monitors: rules,
    })
}

/// Every setting in force.
#[derive(Serialize, JsonSchema)]
pub(super) struct ConfigAnswer {
    /// The deployment's folder.
    project: String,
    /// The settings of provender.toml.
    settings: Vec<SettingAnswer>,
    /// Ids of the sources. If two have a value, the first one counts.
    sources: Vec<String>,
    /// Each pinned logic with its settings; empty if nothing is pinned.
    logics: Vec<LogicConfig>,
}

/// A setting of provender.toml.
#[derive(Serialize, JsonSchema)]
struct SettingAnswer {
    /// Its name with dots: `monitor.window_days`.
    key: String,
    /// Its value in force, as JSON text; `(built in)` if it has none.
    value: String,
    /// Where it was set.
    set_by: SetIn,
}

/// A pinned logic with its settings.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum LogicConfig {
    /// One that fits the deployment.
    Bound {
        /// `name:version`.
        logic: ModelVersion,
        /// Whether it is active; absent if it does not fit.
        active: bool,
        /// Digest of its configuration; absent if it does not fit.
        config_version: Digest,
        /// Digest of its monitors' thresholds; absent if it does not fit.
        thresholds_version: Digest,
        /// Month and day on which the season begins, `MM-DD`; absent if it does not fit.
        season_start: String,
        /// Its parameters; absent if it does not fit.
        parameters: Vec<ParameterSetting>,
        /// Its monitoring rules; absent if it does not fit.
        monitors: Vec<MonitorRule>,
    },
    /// One that does not, which matters only if it is active.
    Unfit {
        /// `name:version`.
        logic: ModelVersion,
        /// Why it does not fit the deployment; absent if it does.
        error: String,
    },
}

/// A parameter in force.
#[derive(Serialize, JsonSchema)]
struct ParameterSetting {
    /// Its name.
    name: String,
    /// Its value, of the type that the component declares.
    value: Json,
    /// Its unit; null if it has none.
    unit: Option<String>,
    /// Where it was set.
    set_by: SetBy,
}
