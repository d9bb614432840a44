//! What the two sides are set to differently: parameters in force, feature definitions with the season's start,
//! guardrail bounds and monitor thresholds.
//!
//! A number may change because of the logic, or because `logic.toml` sets something for only one of the versions.
//! A reviewer has to see which.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::compute::Bound;
use crate::compute::recipe::Definition;
use crate::monitor::gather::rules;
use crate::monitor::overrides::rule_text;
use crate::project::logic::LogicOverrides;
use provender_domain::catalogue::Window;
use provender_domain::manifest::SetBy;
use provender_domain::render::{Document, Table, Tone};

use super::document::none;
use super::error::BacktestError;
use super::figures::named;
use super::report::{BacktestReport, SettingKind, SettingReport, SettingValue, Warning};
use super::run::Contender;

/// Everything that one side is set to, by kind and name.
type Settings = BTreeMap<(SettingKind, String), (Option<String>, SettingValue)>;

/// What differs between the side before and the candidate, in order of kind and name.
///
/// # Errors
/// If the rules of a side are invalid.
pub(super) fn differences(
    before: &Contender<'_>,
    after: &Contender<'_>,
) -> Result<Vec<SettingReport>, BacktestError> {
    let mut theirs = of(after)?;
    let mut all: BTreeMap<(SettingKind, String), SettingReport> = BTreeMap::new();
    for (key, (unit, value)) in of(before)? {
        let other = theirs.remove(&key);
        if other.as_ref().is_some_and(|(_, v)| v.value == value.value) {
            continue;
        }
        let report = SettingReport {
            kind: key.0,
            name: key.1.clone(),
            unit,
            before: Some(value),
            after: other.map(|(_, value)| value),
        };
        all.insert(key, report);
    }
    for (key, (unit, value)) in theirs {
        let report = SettingReport {
            kind: key.0,
            name: key.1.clone(),
            unit,
            before: None,
            after: Some(value),
        };
        all.insert(key, report);
    }
    Ok(all.into_values().collect())
}

/// The warning that the candidate runs on defaults where the side before has a block in `logic.toml`.
#[must_use]
pub(super) fn without_block(before: &Contender<'_>, after: &Contender<'_>) -> Option<Warning> {
    let set = set_by(before.settings);
    if after.has_block || set.is_empty() {
        return None;
    }
    let (old, new) = (before.bound.description(), after.bound.description());
    Some(Warning {
        code: "candidate_without_settings",
        message: format!(
            "logic.toml sets {} of {}, and has no block [{}.{}]: the candidate runs on its component's defaults",
            set.join(", "),
            before.bound.model_version,
            new.name,
            new.version
        ),
        help: format!(
            "copy [{}.{}] to [{}.{}] in logic.toml, keep what still applies, and run this again; an empty [{}.{}] confirms the defaults",
            old.name, old.version, new.name, new.version, new.name, new.version
        ),
    })
}

/// Names of what a block sets.
fn set_by(settings: &LogicOverrides) -> Vec<String> {
    let mut set: Vec<String> = settings.parameters.keys().cloned().collect();
    set.extend(
        settings
            .season_start
            .as_ref()
            .map(|_| "season_start".to_owned()),
    );
    set.extend(
        settings
            .guardrails
            .keys()
            .map(|o| format!("the guardrail of {o}")),
    );
    let rules = settings.monitors.iter().map(|m| match &m.subject {
        Some(subject) => format!("the monitor {}({subject})", m.metric),
        None => format!("the monitor {}", m.metric),
    });
    set.extend(rules);
    // A rule may be set for the fleet and for each series.
    set.dedup();
    set
}

fn of(side: &Contender<'_>) -> Result<Settings, BacktestError> {
    let mut all = Settings::new();
    parameters(&mut all, side.bound);
    features(&mut all, side.bound, side.settings);
    guardrails(&mut all, side.bound, side.settings);
    monitors(&mut all, side.bound, side.settings)?;
    Ok(all)
}

fn parameters(all: &mut Settings, bound: &Bound) {
    let declared = bound.description().parameters.iter();
    for (parameter, (value, set_by)) in declared.zip(&bound.parameters) {
        let json = value.to_json();
        let value = SettingValue {
            text: plain(&json),
            value: json,
            set_by: *set_by,
        };
        let key = (SettingKind::Parameter, parameter.name.clone());
        all.insert(key, (parameter.unit.clone(), value));
    }
}

/// Each input's definition, and the season's start where any of them counts from it.
fn features(all: &mut Settings, bound: &Bound, settings: &LogicOverrides) {
    let by_season = |i: &crate::compute::binding::BoundInput| i.reference.window == Window::Season;
    if bound.inputs.iter().any(by_season) {
        let start = format!("{:02}-{:02}", bound.season_start.0, bound.season_start.1);
        let set = settings.season_start.is_some();
        let value = SettingValue {
            value: json!(start),
            text: start,
            set_by: if set {
                SetBy::LogicToml
            } else {
                SetBy::Component
            },
        };
        let key = (SettingKind::SeasonStart, "season_start".to_owned());
        all.insert(key, (None, value));
    }
    for (n, input) in bound.description().inputs.iter().enumerate() {
        let Some(definition) = Definition::of(bound, n) else {
            continue;
        };
        let r = &definition.reference;
        // The season's start is listed once, not for every input that counts from it.
        let value = SettingValue {
            value: json!({
                "feature": r.name,
                "version": definition.version,
                "aggregate": r.aggregate.name(),
                "aggregate_version": r.aggregate.version(),
                "window": r.window.to_string(),
            }),
            text: input.feature.clone(),
            set_by: SetBy::Component,
        };
        let key = (SettingKind::Feature, input.field.name.clone());
        all.insert(key, (input.field.unit.clone(), value));
    }
}

fn guardrails(all: &mut Settings, bound: &Bound, settings: &LogicOverrides) {
    for rail in &bound.rails {
        let Some(output) = bound.description().outputs.get(rail.output) else {
            continue;
        };
        let name = &output.field.name;
        let json = json!({
            "minimum": rail.minimum,
            "maximum": rail.maximum,
            "severity": rail.severity,
        });
        let set = settings.guardrails.contains_key(name);
        let value = SettingValue {
            text: fields(&json, &["minimum", "maximum", "severity"]),
            value: json,
            set_by: if set {
                SetBy::LogicToml
            } else {
                SetBy::Component
            },
        };
        // An output may have several, a warning within an error: each is compared under its own number.
        let same = |n: usize| {
            let name = if n == 1 {
                name.clone()
            } else {
                format!("{name} ({n})")
            };
            (SettingKind::Guardrail, name)
        };
        let key = (1..).map(same).find(|key| !all.contains_key(key));
        if let Some(key) = key {
            all.insert(key, (output.field.unit.clone(), value));
        }
    }
}

fn monitors(
    all: &mut Settings,
    bound: &Bound,
    settings: &LogicOverrides,
) -> Result<(), BacktestError> {
    let declared = &bound.description().monitors;
    for rule in rules(bound, settings)? {
        let mut of_rule = Map::new();
        // Scope and direction are part of its name.
        let parts = [("warn", json!(rule.warn)), ("crit", json!(rule.crit))];
        of_rule.extend(parts.map(|(n, x)| (n.to_owned(), x)));
        of_rule.insert("min_rows".to_owned(), json!(rule.min_rows));
        let json = Json::Object(of_rule);
        let value = SettingValue {
            text: fields(&json, &["warn", "crit", "min_rows"]),
            value: json,
            set_by: if declared.contains(&rule) {
                SetBy::Component
            } else {
                SetBy::LogicToml
            },
        };
        all.insert((SettingKind::Monitor, rule_text(&rule)), (None, value));
    }
    Ok(())
}

/// `minimum 0, maximum 365, severity crit`; what is not set is left out.
fn fields(json: &Json, names: &[&str]) -> String {
    let members = names.iter().filter_map(|n| Some((n, json.get(n)?)));
    let set = members.filter(|(_, v)| !v.is_null());
    let fields: Vec<String> = set.map(|(n, v)| format!("{n} {}", plain(v))).collect();
    fields.join(", ")
}

/// A value exactly as it is, whole numbers without a decimal point.
fn plain(json: &Json) -> String {
    match json {
        Json::String(s) => s.clone(),
        Json::Number(n) => {
            let text = n.to_string();
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
        other => other.to_string(),
    }
}

/// What the sides are set to differently: a number may move because of it.
pub(super) fn section(out: &mut Document, report: &BacktestReport) {
    out.heading(2, "Settings");
    if report.settings.is_empty() {
        out.note(
            None,
            "Parameters, feature definitions, guardrails and monitors are the same on both sides.",
        );
    } else {
        let rows = report.settings.iter().map(|s| {
            // Only the component sets what is read.
            let declared = s.kind == SettingKind::Feature;
            let cell = |v: &Option<SettingValue>| match v {
                None => none(),
                Some(v) if declared => v.text.clone(),
                Some(v) => format!("{} ({})", v.text, v.set_by.text()),
            };
            vec![
                s.kind.word().to_owned(),
                named(&s.name, s.unit.as_deref()),
                cell(&s.before),
                cell(&s.after),
            ]
        });
        out.note(None, "Set differently on the two sides:");
        out.table(Table::new(["setting", "of", "before", "after"], rows));
    }
    for w in &report.warnings {
        out.note(Some(Tone::Warn), format!("warning: {}", w.message));
        out.note(None, format!("to do: {}", w.help));
    }
}
