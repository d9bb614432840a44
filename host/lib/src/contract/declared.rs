//! The differences between two declarations of one version, in the parts that decide a number or a
//! verdict.

use std::collections::BTreeMap;

use provender_domain::description::{Bound, Description, Direction, Scope};
use provender_domain::render::text::number;
use provender_domain::value::Scalar;

/// Each difference as a clause: `the default of the parameter `x` was 1, is 2`.
pub(super) fn differences(was: &Description, is: &Description) -> Vec<String> {
    let (was, is) = (facts(was), facts(is));
    let none = || "not there".to_owned();
    let mut names: Vec<_> = was.keys().chain(is.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| was.get(*name) != is.get(*name))
        .map(|name| {
            let side =
                |facts: &BTreeMap<String, String>| facts.get(name).cloned().unwrap_or_else(none);
            format!("{name} was {}, is {}", side(&was), side(&is))
        })
        .collect()
}

/// The facts of a declaration by name.
fn facts(d: &Description) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let scalar = |s: &Option<Scalar>| {
        s.as_ref()
            .map_or_else(|| "none".to_owned(), |s| s.to_json().to_string())
    };
    for p in &d.parameters {
        let name = |what: &str| format!("the {what} of the parameter `{}`", p.name);
        facts.insert(name("default"), p.default.to_json().to_string());
        facts.insert(name("minimum"), scalar(&p.minimum));
        facts.insert(name("maximum"), scalar(&p.maximum));
    }
    let bound = |b: &Option<Bound>| match b {
        None => "none".to_owned(),
        Some(Bound::Value(x)) => number(*x),
        Some(Bound::Parameter(p)) => format!("the parameter `{p}`"),
    };
    for g in &d.guardrails {
        let name = |what: &str| format!("the guardrail's {what} of `{}`", g.output);
        facts.insert(name("minimum"), bound(&g.minimum));
        facts.insert(name("maximum"), bound(&g.maximum));
    }
    for m in &d.monitors {
        let subject = m.subject.as_deref().unwrap_or("all");
        let scope = match m.scope {
            Scope::Series => "series",
            Scope::Fleet => "fleet",
        };
        let direction = match m.direction {
            Direction::Above => "above",
            Direction::Below => "below",
        };
        let name = |what: &str| {
            format!(
                "the {what} of the monitor {}({subject}, {scope}) {direction}",
                m.metric
            )
        };
        let threshold = |x: Option<f64>| x.map_or_else(|| "none".to_owned(), number);
        facts.insert(name("warn threshold"), threshold(m.warn));
        facts.insert(name("crit threshold"), threshold(m.crit));
        facts.insert(name("fewest rows"), m.min_rows.to_string());
    }
    for i in &d.inputs {
        facts.insert(
            format!("the feature of the input `{}`", i.field.name),
            i.feature.clone(),
        );
    }
    facts
}
