//! `plugin diff`: compares what two versions declare.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::Global;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::description::Description;
use provender_domain::words;

use super::found::{Found, LimitArgs};
use super::show::DescriptionAnswer;

/// The lists of a declaration, with the fields that identify a member.
const PARTS: [(&str, DeclarationPart, &[&str]); 6] = [
    ("inputs", DeclarationPart::Input, &["/field/name"]),
    ("parameters", DeclarationPart::Parameter, &["/name"]),
    ("outputs", DeclarationPart::Output, &["/field/name"]),
    (
        "guardrails",
        DeclarationPart::Guardrail,
        &["/output", "/severity"],
    ),
    (
        "monitors",
        DeclarationPart::Monitor,
        &["/metric", "/subject", "/scope", "/direction"],
    ),
    ("annotations", DeclarationPart::Annotation, &["/0", "/1"]),
];

words! {
    /// A part of a declaration.
    enum DeclarationPart: "part" {
        /// The declaration itself.
        Declaration = "declaration",
        /// An input.
        Input = "input",
        /// A parameter.
        Parameter = "parameter",
        /// An output.
        Output = "output",
        /// A guardrail.
        Guardrail = "guardrail",
        /// A monitoring rule.
        Monitor = "monitor",
        /// An annotation.
        Annotation = "annotation",
    }
}

/// Two components side by side.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PluginDiffAnswer {
    /// The first component.
    first: ComparedPlugin,
    /// The second component.
    second: ComparedPlugin,
    /// Whether they are the same bytes.
    identical: bool,
    /// What they declare differently, part by part.
    differences: Vec<Difference>,
}

/// A component that is compared.
#[derive(Serialize, JsonSchema)]
struct ComparedPlugin {
    /// Name of the logic.
    name: String,
    /// Its version: `v2`.
    version: String,
    /// Digest of its bytes.
    sha256: Digest,
    /// Size in bytes.
    size: u64,
    /// The language that it is written in, as the component states it.
    language: String,
}

/// A difference between two declarations.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeclarationDifference")]
struct Difference {
    /// The part of the declaration.
    part: DeclarationPart,
    /// Which one, and which member of it: `factor: default`.
    name: String,
    /// What the first component declares; null if it declares nothing.
    first: Json,
    /// What the second component declares; null if it declares nothing.
    second: Json,
}

pub(super) fn diff(global: &Global, first: &str, second: &str) -> Result<Done, CliError> {
    let limits = LimitArgs::default();
    let a = Found::open(global, first, &limits)?.component;
    let b = Found::open(global, second, &limits)?.component;
    let differences = differences(a.description(), b.description());
    let mut text = Text::default();
    for (name, c) in [("first ", &a), ("second", &b)] {
        text.line(format!(
            "{name}  {}  {}, {} bytes, {}",
            c.description().model_version(),
            c.digest(),
            c.size(),
            c.language()
        ));
    }
    text.blank();
    if differences.is_empty() {
        text.look(Look::Good, "both declare the same");
    } else {
        let rows: Vec<_> = differences
            .iter()
            .map(|d| {
                vec![
                    (Look::Plain, d.part.to_string()),
                    (Look::Strong, d.name.clone()),
                    (Look::Plain, shown(&d.first)),
                    (Look::Plain, shown(&d.second)),
                ]
            })
            .collect();
        text.table(&["part", "name", "first", "second"], &rows);
    }
    let side = |c: &provender_sandbox::Component| ComparedPlugin {
        name: c.description().name.clone(),
        version: c.description().version.clone(),
        sha256: c.digest(),
        size: c.size(),
        language: c.language().to_owned(),
    };
    let answer = PluginDiffAnswer {
        first: side(&a),
        second: side(&b),
        identical: a.digest() == b.digest(),
        differences,
    };
    Ok(Done::ok(&answer, text))
}

fn differences(a: &Description, b: &Description) -> Vec<Difference> {
    let declared = |d: &Description| json!(DescriptionAnswer::of(d));
    let (a, b) = (declared(a), declared(b));
    let mut out = Vec::new();
    for name in ["name", "summary"] {
        push(
            &mut out,
            DeclarationPart::Declaration,
            name.to_owned(),
            &a[name],
            &b[name],
        );
    }
    for (list, part, identity) in PARTS {
        let (a, b) = (members(&a[list], identity), members(&b[list], identity));
        let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for name in names {
            match (a.get(name), b.get(name)) {
                (Some(x), Some(y)) => fields(&mut out, part, name, x, y),
                (x, y) => {
                    let whole = |j: Option<&Json>| j.map_or(Json::Null, |_| json!("declared"));
                    push(&mut out, part, name.clone(), &whole(x), &whole(y));
                }
            }
        }
    }
    out
}

/// The members of a list by their identifying fields.
fn members(list: &Json, identity: &[&str]) -> BTreeMap<String, Json> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|member| {
            let parts: Vec<_> = identity
                .iter()
                .filter_map(|pointer| member.pointer(pointer).and_then(Json::as_str))
                .collect();
            (parts.join(" "), member.clone())
        })
        .collect()
}

/// The fields of a member that differ, nested objects by their own fields.
fn fields(out: &mut Vec<Difference>, part: DeclarationPart, name: &str, a: &Json, b: &Json) {
    let (Some(x), Some(y)) = (a.as_object(), b.as_object()) else {
        return push(out, part, name.to_owned(), a, b);
    };
    let keys: std::collections::BTreeSet<&String> = x.keys().chain(y.keys()).collect();
    for key in keys {
        let (a, b) = (&a[key], &b[key]);
        if key == "field" {
            fields(out, part, name, a, b);
        } else {
            push(out, part, format!("{name}: {key}"), a, b);
        }
    }
}

fn push(out: &mut Vec<Difference>, part: DeclarationPart, name: String, a: &Json, b: &Json) {
    if a != b {
        out.push(Difference {
            part,
            name,
            first: a.clone(),
            second: b.clone(),
        });
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "–".to_owned(),
        Json::String(s) => s.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_matched_by_identity_and_their_fields_are_compared() {
        let a = json!([{"name": "x", "default": 1}, {"name": "y", "default": 2}]);
        let b = json!([{"name": "y", "default": 3}, {"name": "z", "default": 2}]);
        let (a, b) = (members(&a, &["/name"]), members(&b, &["/name"]));
        assert_eq!(a.keys().collect::<Vec<_>>(), ["x", "y"]);
        let mut out = Vec::new();
        fields(&mut out, DeclarationPart::Parameter, "y", &a["y"], &b["y"]);
        assert_eq!(out.len(), 1);
        assert_eq!(
            (out[0].name.as_str(), &out[0].second),
            ("y: default", &json!(3))
        );
    }
}
