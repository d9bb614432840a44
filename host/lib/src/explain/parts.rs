//! What an explanation says, part by part, for whoever lays it out: outputs, reasons, breaches, guardrails,
//! the arithmetic, and all of it as JSON.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use provender_domain::canonical::as_read;
use provender_domain::description::Role;
use provender_domain::forms::GuardrailBounds;
use provender_domain::manifest::Breach;
use provender_domain::value::Value;
use provender_ledger::entry::Entry;
use provender_ledger::types::Guardrail;

use super::arithmetic::{Named, sentence};
use super::explanation::{Explanation, Source};
use super::units::{Units, show};

/// A JSON value for people.
#[must_use]
pub fn shown(value: &Json, unit: Option<&str>, units: Units) -> String {
    match value {
        Json::Null => "missing".to_owned(),
        Json::Number(n) => n
            .as_f64()
            .map_or_else(|| n.to_string(), |x| show(x, unit, units)),
        Json::String(s) => s.clone(),
        Json::Array(points) => {
            let ends = |i: Option<&Json>| {
                i.and_then(|p| p.get(0))
                    .and_then(Json::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            format!(
                "{} values, {} to {}",
                points.len(),
                ends(points.first()),
                ends(points.last())
            )
        }
        other => other.to_string(),
    }
}

impl Explanation {
    /// Outputs of a role: name, value, unit.
    #[must_use]
    pub fn outputs(&self, role: Role) -> Vec<(String, Json, Option<String>)> {
        let values = &self.manifest.reproducible.outputs;
        match &self.description {
            Some(d) => d
                .outputs
                .iter()
                .filter(|o| o.role == role)
                .map(|o| {
                    (
                        o.field.name.clone(),
                        values.get(&o.field.name).cloned().unwrap_or_default(),
                        o.field.unit.clone(),
                    )
                })
                .collect(),
            // Without the component every output stands as an outcome.
            None if role == Role::Outcome => {
                let all = values.iter();
                all.map(|(n, v)| (n.clone(), v.clone(), None)).collect()
            }
            None => Vec::new(),
        }
    }

    /// The reasons that the component gave.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        self.outputs(Role::Reason)
            .into_iter()
            .filter_map(|(_, v, _)| v.as_str().map(str::to_owned))
            .collect()
    }

    /// The breached guardrails, in words.
    #[must_use]
    pub fn breaches(&self) -> Vec<String> {
        let number = |x: Option<f64>| x.map_or(Value::Null, Value::Float64).to_json();
        let breached = &self.manifest.reproducible.guardrails.breached;
        let sentence = |b: &Breach| {
            let (value, low, high) = (number(Some(b.value)), number(b.minimum), number(b.maximum));
            format!("{} = {value} is outside {low} to {high}", b.output)
        };
        breached.iter().map(sentence).collect()
    }

    /// The guardrails that were in force, in words, in the order of the configuration.
    #[must_use]
    pub fn rails(&self, units: Units) -> Vec<String> {
        let unit = |name: &str| {
            let output = self
                .description
                .as_ref()?
                .outputs
                .iter()
                .find(|o| o.field.name == name)?;
            output.field.unit.clone()
        };
        let rail = |rail: &GuardrailBounds| {
            let name = &rail.output;
            let unit = unit(name);
            let bound = |x: f64| show(x, unit.as_deref(), units);
            match (rail.minimum.map(bound), rail.maximum.map(bound)) {
                (Some(low), Some(high)) => format!("{name} from {low} to {high}"),
                (Some(low), None) => format!("{name} at least {low}"),
                (None, Some(high)) => format!("{name} at most {high}"),
                (None, None) => format!("{name} without bounds"),
            }
        };
        let rails = &self.manifest.reproducible.config.guardrails;
        rails.iter().map(rail).collect()
    }

    /// What the component says it leaves out.
    #[must_use]
    pub fn not_accounted_for(&self) -> Vec<String> {
        self.description
            .as_ref()
            .map(|d| {
                d.annotated("not-accounted-for")
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The arithmetic, terms before the outcomes made of them.
    #[must_use]
    pub fn arithmetic(&self, units: Units) -> Vec<String> {
        let Some(d) = &self.description else {
            return Vec::new();
        };
        let outputs = &self.manifest.reproducible.outputs;
        let named = |name: &str, value: &Json, unit: Option<&str>| Named {
            name: name.to_owned(),
            shown: (!value.is_null()).then(|| shown(value, unit, units)),
        };
        let mut names: Vec<Named> = self
            .inputs
            .iter()
            .map(|i| named(&i.name, &i.value, i.unit.as_deref()))
            .collect();
        names.extend(
            self.parameters
                .iter()
                .map(|p| named(&p.name, &p.value, p.unit.as_deref())),
        );
        let of = |name: &str| outputs.get(name).cloned().unwrap_or_default();
        names.extend(
            d.outputs
                .iter()
                .map(|o| named(&o.field.name, &of(&o.field.name), o.field.unit.as_deref())),
        );
        let with_formula = |role: Role| d.outputs.iter().filter(move |o| o.role == role);
        with_formula(Role::Term)
            .chain(with_formula(Role::Outcome))
            .filter_map(|o| Some((o, o.formula.as_deref()?)))
            .map(|(o, formula)| {
                sentence(
                    &named(&o.field.name, &of(&o.field.name), o.field.unit.as_deref()),
                    formula,
                    &names,
                )
            })
            .collect()
    }

    /// The contract's JSON.
    #[must_use]
    pub fn to_json(&self, units: Units) -> Json {
        let run = &self.found.run;
        let map = |role: Role| -> Map<String, Json> {
            self.outputs(role)
                .into_iter()
                .map(|(n, v, _)| (n, v))
                .collect()
        };
        let r = &self.manifest.reproducible;
        let mut guardrails = as_recorded(&r.guardrails);
        guardrails["refused"] = json!(run.run.guardrail == Guardrail::Refused);
        let source = |s: &Source| json!({"file": s.file, "sha256": s.sha256, "row": s.row, "date": s.date, "value": s.value});
        json!({
            "run": {
                "run_id": run.run.key.run_id().to_string(),
                "outcome": "recorded",
                "key": run.run.key,
                "outputs": map(Role::Outcome),
                "terms": map(Role::Term),
                "guardrails": guardrails,
                "reasons": self.reasons(),
                "provenance": run.run.provenance.to_string(),
                "snapshot_id": run.run.snapshot.to_string(),
                "manifest": self.manifest_path,
                "replaces": run.run.replaces.as_ref().map(ToString::to_string),
                "superseded_by": run.superseded_by.as_ref().map(ToString::to_string),
            },
            "is_answer": self.found.is_answer,
            "shadow": self.found.shadow,
            "component": {
                "name": r.component.name, "version": r.component.version, "sha256": r.component.sha256, "world": r.component.world,
                "toolchain": self.manifest.environment.component_toolchain,
            },
            "config": as_recorded(&r.config),
            "inputs": self.inputs.iter().map(|i| json!({
                "name": i.name, "value": i.value, "unit": i.unit, "doc": i.doc, "feature": i.feature, "age_days": i.age_days,
                "source": i.sources.last().map(source), "sources": i.sources.iter().map(source).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "parameters": self.parameters.iter().map(|p| json!({"name": p.name, "value": p.value, "unit": p.unit, "doc": p.doc, "set_by": p.set_by})).collect::<Vec<_>>(),
            "arithmetic": self.arithmetic(units),
            "not_accounted_for": self.not_accounted_for(),
            "pinned_component": self.other_component.map(|d| d.to_string()),
            "incomparable_inputs": self.incomparable.iter().map(|(name, why)| json!({"name": name, "why": why})).collect::<Vec<_>>(),
            "superseded_inputs": self.superseded_inputs.iter().map(|c| json!({
                "name": c.name, "unit": c.unit, "old": c.old, "new": c.new, "old_source": c.old_source, "new_source": c.new_source,
            })).collect::<Vec<_>>(),
            "newer_observations": self.newer.iter().map(|(column, date)| json!({"feature": column, "date": date})).collect::<Vec<_>>(),
            "recorded": self.entry.as_ref().map(entry_json),
            "superseded_by_entry": self.superseded_by.as_ref().map(entry_json),
            "environment": self.manifest.environment,
            "others": self.found.others.iter().map(|(r, what)| json!({"run_id": r.run.key.run_id().to_string(), "key": r.run.key, "what": what})).collect::<Vec<_>>(),
        })
    }
}

/// A part of a manifest as its file spells it: 365 and not 365.0.
#[expect(
    clippy::expect_used,
    reason = "what was read from canonical JSON has a canonical form"
)]
fn as_recorded<T: Serialize>(part: &T) -> Json {
    as_read(part).expect("the part was read from canonical JSON")
}

fn entry_json(e: &Entry) -> Json {
    json!({"entry": e.seq, "at": e.stamp.at, "actor": e.stamp.actor, "reason": e.stamp.reason, "kind": e.kind})
}
