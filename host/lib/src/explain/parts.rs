//! The parts of an explanation, for callers that lay it out: outputs, reasons, breaches, guardrails and arithmetic.

use serde_json::Value as Json;

use provender_domain::description::Role;
use provender_domain::forms::GuardrailBounds;
use provender_domain::manifest::Breach;
use provender_domain::value::Value;

use super::arithmetic::{Named, sentence};
use super::explanation::Explanation;
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
    pub(crate) fn outputs(&self, role: Role) -> Vec<(String, Json, Option<String>)> {
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
            // Without the component, every output is shown as an outcome.
            None if role == Role::Outcome => {
                let all = values.iter();
                all.map(|(n, v)| (n.clone(), v.clone(), None)).collect()
            }
            None => Vec::new(),
        }
    }

    /// The reasons that the component gave.
    #[must_use]
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.outputs(Role::Reason)
            .into_iter()
            .filter_map(|(_, v, _)| v.as_str().map(str::to_owned))
            .collect()
    }

    /// The breached guardrails, in words.
    #[must_use]
    pub(crate) fn breaches(&self) -> Vec<String> {
        let number = |x: Option<f64>| x.map_or(Value::Null, Value::Float64).to_json();
        let breached = &self.manifest.reproducible.guardrails.breached;
        let sentence = |b: &Breach| {
            let (value, low, high) = (number(Some(b.value)), number(b.minimum), number(b.maximum));
            format!("{} = {value} is outside {low} to {high}", b.output)
        };
        breached.iter().map(sentence).collect()
    }

    /// The guardrails in force, in words, in the order of the configuration.
    #[must_use]
    pub(crate) fn rails(&self, units: Units) -> Vec<String> {
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

    /// What the component does not account for, in its own words.
    #[must_use]
    pub(crate) fn not_accounted_for(&self) -> Vec<String> {
        self.description
            .as_ref()
            .map(|d| {
                d.annotated("not-accounted-for")
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The arithmetic, intermediate outputs before the outcomes computed from them.
    #[must_use]
    pub(crate) fn arithmetic(&self, units: Units) -> Vec<String> {
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
}
