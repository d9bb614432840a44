//! Compares two runs part by part.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use provender_domain::key::RunKey;
use provender_domain::manifest::Component;

use super::explanation::Explanation;

/// A difference between two runs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "RunDifference")]
pub struct Difference {
    /// `key`, `component`, `parameter`, `input` or `output`.
    pub part: &'static str,
    /// Name within the part.
    pub name: String,
    /// Its value in the first run; null if it has none.
    pub first: Json,
    /// Its value in the second run; null if it has none.
    pub second: Json,
}

/// Everything that differs, in the order of the parts.
#[must_use]
pub fn diff(first: &Explanation, second: &Explanation) -> Vec<Difference> {
    let (a, b) = (&first.manifest.reproducible, &second.manifest.reproducible);
    let mut out = Vec::new();
    compare("key", &key(&a.key), &key(&b.key), &mut out);
    let (ours, theirs) = (component(&a.component), component(&b.component));
    compare("component", &ours, &theirs, &mut out);
    compare("parameter", &a.parameters, &b.parameters, &mut out);
    compare("input", &a.inputs, &b.inputs, &mut out);
    compare("output", &a.outputs, &b.outputs, &mut out);
    out
}

fn key(key: &RunKey) -> Map<String, Json> {
    texts([
        ("boundary_id", &key.boundary_id),
        ("calculation_date", &key.calculation_date),
        ("config_version", &key.config_version),
        ("herd_config_id", &key.herd_config_id),
        ("model_version", &key.model_version),
    ])
}

fn component(c: &Component) -> Map<String, Json> {
    texts([
        ("name", &c.name),
        ("sha256", &c.sha256),
        ("version", &c.version),
        ("world", &c.world),
    ])
}

fn texts<const N: usize>(members: [(&str, &dyn Display); N]) -> Map<String, Json> {
    let text = |(name, value): (&str, &dyn Display)| (name.to_owned(), json!(value.to_string()));
    members.into_iter().map(text).collect()
}

fn compare(
    part: &'static str,
    a: &Map<String, Json>,
    b: &Map<String, Json>,
    out: &mut Vec<Difference>,
) {
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (x, y) = (
            a.get(name).cloned().unwrap_or_default(),
            b.get(name).cloned().unwrap_or_default(),
        );
        if x != y {
            out.push(Difference {
                part,
                name: name.clone(),
                first: x,
                second: y,
            });
        }
    }
}
