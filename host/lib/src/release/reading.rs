//! Binds logics as the active release says. Contradicting settings in the deployment's own files are reported
//! but not applied.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::compute::{Bound, binding};
use crate::project::Project;
use crate::project::logic::{LogicFile, LogicOverrides, MonitorOverride};
use provender_domain::canonical::to_text;
use provender_sandbox::{Lock, Sandbox};

use super::ReleaseError;
use super::document::Document;
use super::store::ReleaseStore;

/// A setting in the deployment's files that the active release overrides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ignored {
    /// The file, such as `logic.toml`.
    pub file: String,
    /// The key, with dots.
    pub key: String,
    /// Its value in the file.
    pub here: String,
    /// The value that applies.
    pub in_force: String,
}

impl Ignored {
    fn new(file: &str, key: String, here: String, in_force: String) -> Ignored {
        Ignored {
            file: file.to_owned(),
            key,
            here,
            in_force,
        }
    }
}

/// Checks that a bound active version has exactly the configuration of the release.
///
/// # Errors
/// [`ReleaseError::OtherConfig`] lists what differs.
pub(crate) fn check(document: &Document, bound: &Bound) -> Result<(), ReleaseError> {
    let Some(logic) = document.logic(&bound.model_version) else {
        return Ok(());
    };
    if bound.one_off || bound.config.digest == logic.config_version {
        return Ok(());
    }
    #[expect(
        clippy::expect_used,
        reason = "binding has just written this text as JSON"
    )]
    let now: Json =
        serde_json::from_str(&bound.config.canonical).expect("a configuration's canonical text");
    let mut differs = Vec::new();
    differences("", &logic.config, &now, &mut differs);
    differs.truncate(3);
    Err(ReleaseError::OtherConfig {
        release: document.name(),
        model_version: bound.model_version.clone(),
        found: bound.config.digest.to_string(),
        recorded: logic.config_version.to_string(),
        differs: differs.join("; "),
    })
}

/// Loads a version of a release from the store alone and binds it as the release says.
///
/// # Errors
/// If its component is missing or differs from its digest, or if it binds to another configuration.
pub fn bind(
    sandbox: &Sandbox,
    store: &ReleaseStore,
    document: &Document,
    model_version: &ModelVersion,
) -> Result<Bound, ReleaseError> {
    let component = document.component(model_version).ok_or_else(|| {
        ReleaseError::damaged(document.name(), format!("it has no {model_version}"))
    })?;
    let bytes = store.component(component)?;
    let pin = component.pin(store.path_of(&component.sha256));
    let loaded = sandbox.load_with_limits(&pin.path, &bytes, &pin.limits)?;
    pin.check_component(&loaded)?;
    let bound = binding::bind(
        loaded,
        &document.catalogue(),
        &document.overrides(model_version),
        &BTreeMap::new(),
    )?;
    check(document, &bound)?;
    Ok(bound)
}

fn differences(path: &str, then: &Json, now: &Json, found: &mut Vec<String>) {
    match (then, now) {
        (Json::Object(a), Json::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                // An absent member indexes as null.
                differences(&path, &then[name], &now[name], found);
            }
        }
        _ if !is_same(then, now) => {
            found.push(format!("{path} was {then} and is {now}"));
        }
        _ => {}
    }
}

/// Everything in the deployment's files that contradicts the release. Settings that they leave out do not
/// contradict it.
#[must_use]
pub(crate) fn ignored(document: &Document, project: &Project, lock: Option<&Lock>) -> Vec<Ignored> {
    let mut found = Vec::new();
    settings_ignored(document, project, &mut found);
    match project.logic() {
        Ok(own) => logic_ignored(document, own, &mut found),
        Err(problem) => found.push(Ignored::new(
            "logic.toml",
            "the file".to_owned(),
            format!("unusable ({})", problem.to_string().trim_end()),
            document.name(),
        )),
    }
    series_ignored(document, project, &mut found);
    for pin in lock.into_iter().flat_map(Lock::components) {
        let there = document.component(&pin.model_version());
        if let Some(there) = there.filter(|c| c.sha256 != pin.sha256) {
            found.push(Ignored::new(
                "provender.lock",
                pin.model_version().into(),
                pin.sha256.to_string(),
                there.sha256.to_string(),
            ));
        }
    }
    found
}

fn settings_ignored(document: &Document, project: &Project, found: &mut Vec<Ignored>) {
    let mut active = project.settings.logic.active.clone();
    active.sort();
    if !active.is_empty() && active != document.active {
        found.push(Ignored::new(
            "provender.toml",
            "logic.active".to_owned(),
            active.join(", "),
            document.active.join(", "),
        ));
    }
    let set = project.settings_set.get("logic");
    let set = set.and_then(|l| l.get("on_guardrail"));
    let (here, in_force) = (
        project.settings.logic.on_guardrail,
        document.settings.on_guardrail,
    );
    if set.is_some() && here != in_force {
        found.push(Ignored::new(
            "provender.toml",
            "logic.on_guardrail".to_owned(),
            format!("{here:?}").to_lowercase(),
            format!("{in_force:?}").to_lowercase(),
        ));
    }
}

fn logic_ignored(document: &Document, own: &LogicFile, found: &mut Vec<Ignored>) {
    for model in own.versions() {
        let Some((name, version)) = model.parts() else {
            continue;
        };
        if document.component(&model).is_none() {
            continue;
        }
        let (here, there) = (
            comparable(&own.of(name, version)),
            comparable(&document.overrides(&model)),
        );
        for member in ["season_start", "parameters", "guardrails", "monitors"] {
            let key = format!("{}.{member}", model.as_str().replace(':', "."));
            member_ignored(&key, &there[member], &here[member], found);
        }
    }
}

/// Compares one member of a version's settings. If it is an object, each of its members that differs is listed.
fn member_ignored(key: &str, there: &Json, here: &Json, found: &mut Vec<Ignored>) {
    if is_same(there, here) {
        return;
    }
    let only = |value: &Json| match value.is_null() {
        true => Json::from("not set").to_string(),
        false => value.to_string(),
    };
    let mut report = |key: String, there: &Json, here: &Json| {
        found.push(Ignored::new("logic.toml", key, only(here), only(there)));
    };
    let (Json::Object(a), Json::Object(b)) = (there, here) else {
        return report(key.to_owned(), there, here);
    };
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names {
        // An absent member indexes as null, which is shown as "not set".
        let (a, b) = (&there[name], &here[name]);
        if !is_same(a, b) {
            report(format!("{key}.{name}"), a, b);
        }
    }
}

fn series_ignored(document: &Document, project: &Project, found: &mut Vec<Ignored>) {
    for series in &project.sources.series {
        let mut there = document.settings.series.iter();
        let there = there.find(|s| s.name == series.name);
        if let Some(there) = there.filter(|s| s.unit != series.unit) {
            let unit = |u: &Option<String>| u.clone().unwrap_or_else(|| "no unit".to_owned());
            found.push(Ignored::new(
                "sources.toml",
                format!("series.{}.unit", series.name),
                unit(&series.unit),
                unit(&there.unit),
            ));
        }
    }
}

/// Whether both have the same canonical form. Numbers without one are compared as they are.
fn is_same(a: &Json, b: &Json) -> bool {
    match (to_text(a), to_text(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

fn comparable(settings: &LogicOverrides) -> Json {
    let mut settings = settings.clone();
    for value in settings.parameters.values_mut() {
        if let toml::Value::Datetime(d) = value {
            *value = toml::Value::String(d.to_string());
        }
    }
    let rules = std::mem::take(&mut settings.monitors);
    let mut members = json!(settings);
    members["monitors"] = rules.iter().map(rule).collect::<Map<String, Json>>().into();
    members
}

/// The name of a monitor override, made of the rules it applies to, and the thresholds it sets.
fn rule(set: &MonitorOverride) -> (String, Json) {
    let mut name = set.metric.clone();
    if let Some(subject) = &set.subject {
        name.push_str(&format!("({subject})"));
    }
    if let Some(direction) = &set.direction {
        name.push_str(&format!(" {direction}"));
    }
    if let Some(scope) = &set.scope {
        name.push_str(&format!(", {scope}"));
    }
    let mut what = json!(set);
    if let Json::Object(members) = &mut what {
        members.retain(|key, value| {
            !matches!(key.as_str(), "metric" | "subject" | "direction" | "scope")
                && !value.is_null()
                && *value != Json::Bool(false)
        });
    }
    (name, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_canonical_form_are_compared_by_value() {
        let (a, b) = (json!(u64::MAX), json!(u64::MAX - 1));
        assert!(to_text(&a).is_err() && to_text(&b).is_err());
        assert!(!is_same(&a, &b) && is_same(&a, &a.clone()));
        assert!(is_same(&json!(1), &json!(1.0)));
        let mut found = Vec::new();
        differences("", &json!({"p": a}), &json!({"p": b}), &mut found);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
