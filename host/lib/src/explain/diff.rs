//! Two runs side by side: what differs, part by part.

use serde_json::{Map, Value as Json, json};

use super::explanation::Explanation;

/// A difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `key`, `component`, `parameter`, `input`, `output`.
    pub part: &'static str,
    /// Name within the part.
    pub name: String,
    /// In the first run.
    pub first: Json,
    /// In the second run.
    pub second: Json,
}

/// Everything that differs, in the order of the parts.
#[must_use]
pub fn diff(first: &Explanation, second: &Explanation) -> Vec<Difference> {
    let mut out = Vec::new();
    for (part, member) in [
        ("key", "key"),
        ("component", "component"),
        ("parameter", "parameters"),
        ("input", "inputs"),
        ("output", "outputs"),
    ] {
        let (a, b) = (
            first.manifest.object(member),
            second.manifest.object(member),
        );
        compare(part, &a, &b, &mut out);
    }
    out
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

/// As JSON.
#[must_use]
pub fn to_json(first: &Explanation, second: &Explanation) -> Json {
    let id = |e: &Explanation| e.found.run.run.key.run_id().to_string();
    let differences: Vec<Json> = diff(first, second)
        .into_iter()
        .map(|d| json!({"part": d.part, "name": d.name, "first": d.first, "second": d.second}))
        .collect();
    json!({"first": id(first), "second": id(second), "identical": differences.is_empty(), "differences": differences})
}
