//! `config`: every setting in force and where it was set.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use provender_host::monitor::gather::rules;
use provender_host::monitor::thresholds_version;

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::ui::{Done, Look, Text};

/// Show every setting in force and where it was set: provender.toml, logic.toml, the component's
/// own defaults.
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
            let model = pin.model_version();
            let bound = match context.bind(&sandbox, &lock, &model, &BTreeMap::new()) {
                Ok(bound) => bound,
                // A pinned logic that does not fit this deployment (a missing [[series]], say) is said, not fatal: it may not be active.
                Err(e) => {
                    text.blank();
                    text.look(
                        Look::Warn,
                        format!("{model} does not fit this deployment: {}", e),
                    );
                    logics.push(json!({"logic": model, "error": e.to_string()}));
                    continue;
                }
            };
            let rules = rules(&bound, &context.overrides(&pin.name, &pin.version)?)?;
            let thresholds = thresholds_version(&rules);
            text.blank();
            text.look(
                Look::Strong,
                format!(
                    "{model}  config {}  thresholds {}",
                    bound.config.digest.short(),
                    thresholds.short()
                ),
            );
            let parameters: Vec<_> = bound
                .description()
                .parameters
                .iter()
                .zip(&bound.parameters)
                .map(|(p, (v, by))| json!({"name": p.name, "value": v.to_json(), "unit": p.unit, "set_by": by.text()}))
                .collect();
            let rows: Vec<_> = bound
                .description()
                .parameters
                .iter()
                .zip(&bound.parameters)
                .map(|(p, (v, by))| {
                    vec![
                        plain(&p.name),
                        plain(&v.to_json().to_string()),
                        (Look::Dim, by.text().to_owned()),
                    ]
                })
                .collect();
            if !rows.is_empty() {
                text.table(&["parameter", "value", "set by"], &rows);
            }
            logics.push(json!({
                "logic": model,
                "active": context.active()?.contains(&pin.model_version()),
                "config_version": bound.config.digest.to_string(),
                "thresholds_version": thresholds.to_string(),
                "season_start": format!("{:02}-{:02}", bound.season_start.0, bound.season_start.1),
                "parameters": parameters,
                "monitors": rules,
            }));
        }
    }
    let data = json!({
        "project": context.project.root.display().to_string(),
        "settings": settings.iter().map(|(k, v, by)| json!({"key": k, "value": v, "set_by": by})).collect::<Vec<_>>(),
        "sources": context.project.sources.precedence(),
        "logics": logics,
    });
    Ok(Done::raw(data, text))
}
