//! What a release in force means: what is bound must be what was cut, and what the deployment's own
//! files say otherwise is told, not obeyed.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::compute::{Bound, binding};
use crate::project::Project;
use crate::project::logic::{LogicFile, LogicOverrides, MonitorOverride};
use provender_domain::canonical::to_text;
use provender_sandbox::{Lock, Sandbox};

use super::ReleaseError;
use super::document::Document;
use super::store::ReleaseStore;

/// Something in the deployment's files that the release in force overrules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The file.
    pub file: String,
    /// The key.
    pub key: String,
    /// What it says.
    pub here: String,
    /// What is in force.
    pub in_force: String,
}

impl Ignored {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({"file": self.file, "key": self.key, "here": self.here, "in_force": self.in_force})
    }
}

/// A bound active version computes with exactly the configuration that the release was cut with.
///
/// # Errors
/// [`ReleaseError::OtherConfig`] names what differs.
pub fn check(document: &Document, bound: &Bound) -> Result<(), ReleaseError> {
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

/// A version of a release from the store alone: loaded, and bound as the release says.
///
/// # Errors
/// When its component is not there or is not what it must be, or it binds to another configuration.
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
    let loaded = sandbox.load_within(&pin.path, &bytes, &pin.limits)?;
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
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let (a, b) = (a.get(name), b.get(name));
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                differences(
                    &path,
                    a.unwrap_or(&Json::Null),
                    b.unwrap_or(&Json::Null),
                    found,
                );
            }
        }
        _ if to_text(then).ok() != to_text(now).ok() => {
            found.push(format!("{path} was {then} and is {now}"));
        }
        _ => {}
    }
}

/// Whatever the deployment's files say otherwise. What they leave out says nothing.
#[must_use]
pub fn ignored(document: &Document, project: &Project, lock: Option<&Lock>) -> Vec<Ignored> {
    let mut found = Vec::new();
    let mut say = |file: &str, key: String, here: String, in_force: String| {
        found.push(Ignored {
            file: file.to_owned(),
            key,
            here,
            in_force,
        });
    };
    let mut active = project.settings.logic.active.clone();
    active.sort();
    if !active.is_empty() && active != document.active {
        say(
            "provender.toml",
            "logic.active".to_owned(),
            active.join(", "),
            document.active.join(", "),
        );
    }
    let set = project.settings_set.get("logic");
    let set = set.and_then(|l| l.get("on_guardrail"));
    let (here, in_force) = (
        project.settings.logic.on_guardrail,
        document.settings.on_guardrail,
    );
    if set.is_some() && here != in_force {
        say(
            "provender.toml",
            "logic.on_guardrail".to_owned(),
            format!("{here:?}").to_lowercase(),
            format!("{in_force:?}").to_lowercase(),
        );
    }
    let none = LogicFile::default();
    let own = project.logic().unwrap_or_else(|problem| {
        say(
            "logic.toml",
            "the file".to_owned(),
            format!("unusable ({})", problem.to_string().trim_end()),
            document.name(),
        );
        &none
    });
    for model in own.versions() {
        let Some((name, version)) = model.parts() else {
            continue;
        };
        if document.component(&model).is_none() {
            continue;
        }
        let (here, there) = (
            told(&own.of(name, version)),
            told(&document.overrides(&model)),
        );
        let only = |value: &Json| {
            if value.is_null() {
                Json::from("not set")
            } else {
                value.clone()
            }
        };
        for member in ["season_start", "parameters", "guardrails", "monitors"] {
            match (&there[member], &here[member]) {
                (a, b) if to_text(a).ok() == to_text(b).ok() => {}
                (Json::Object(a), Json::Object(b)) => {
                    let names: std::collections::BTreeSet<&String> =
                        a.keys().chain(b.keys()).collect();
                    for name in names {
                        let (a, b) = (
                            a.get(name).unwrap_or(&Json::Null),
                            b.get(name).unwrap_or(&Json::Null),
                        );
                        if to_text(a).ok() != to_text(b).ok() {
                            say(
                                "logic.toml",
                                format!("{}.{member}.{name}", model.replace(':', ".")),
                                only(b).to_string(),
                                only(a).to_string(),
                            );
                        }
                    }
                }
                (a, b) => say(
                    "logic.toml",
                    format!("{}.{member}", model.replace(':', ".")),
                    only(b).to_string(),
                    only(a).to_string(),
                ),
            }
        }
    }
    for series in &project.sources.series {
        let there = document
            .settings
            .series
            .iter()
            .find(|s| s.name == series.name);
        if let Some(there) = there.filter(|s| s.unit != series.unit) {
            let unit = |u: &Option<String>| u.clone().unwrap_or_else(|| "no unit".to_owned());
            say(
                "sources.toml",
                format!("series.{}.unit", series.name),
                unit(&series.unit),
                unit(&there.unit),
            );
        }
    }
    for pin in lock.map(Lock::components).unwrap_or_default() {
        let there = document.component(&pin.model_version());
        if let Some(there) = there.filter(|c| c.sha256 != pin.sha256) {
            say(
                "provender.lock",
                pin.model_version().into(),
                pin.sha256.to_string(),
                there.sha256.to_string(),
            );
        }
    }
    found
}

fn told(settings: &LogicOverrides) -> Json {
    let mut settings = settings.clone();
    for value in settings.parameters.values_mut() {
        if let toml::Value::Datetime(d) = value {
            *value = toml::Value::String(d.to_string());
        }
    }
    let rules = std::mem::take(&mut settings.monitors);
    let mut told = json!(settings);
    told["monitors"] = rules.iter().map(rule).collect::<Map<String, Json>>().into();
    told
}

/// A threshold of monitors by the rules that it is of, and what it sets.
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
