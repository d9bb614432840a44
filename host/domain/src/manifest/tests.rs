//! Manifests of version 0.1.0 are written again with the same bytes, and a missing member is an error.

use serde_json::{Value as Json, json};

use super::*;
use crate::canonical::to_bytes;

/// One document a line: plain, with a breached guardrail, replacing another run, with a series, in Python.
const KEPT: &str = include_str!("../../../../tests/fixtures/manifests-0.1.0.jsonl");
/// One line for each shape of each hashed form.
const FORMS: &str = include_str!("../../../../tests/fixtures/forms-0.1.0.jsonl");

fn kept() -> Vec<Json> {
    let parse = |line: &str| from_slice(line.as_bytes()).unwrap();
    KEPT.lines().map(parse).collect()
}

/// The bytes of a document, with its `snapshot_id` set to the digest of its reproducible part.
fn sealed(mut document: Json) -> Vec<u8> {
    let digest = Digest::of_json(&document["reproducible"]).unwrap();
    document["snapshot_id"] = json!(digest);
    to_bytes(&document).unwrap()
}

/// Paths of all objects in a value, except objects whose members have names chosen by a component or a deployment.
fn objects(value: &Json, at: &str, found: &mut Vec<String>) {
    let named = [
        "/reproducible/config/features",
        "/reproducible/config/parameters",
        "/reproducible/inputs",
        "/reproducible/outputs",
        "/reproducible/parameters",
        "/sources/inputs",
        "/environment/parameters_set_by",
    ];
    match value {
        Json::Object(members) => {
            if !named.contains(&at) {
                found.push(at.to_owned());
            }
            for (name, member) in members {
                objects(member, &format!("{at}/{name}"), found);
            }
        }
        Json::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                objects(item, &format!("{at}/{i}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn manifests_of_version_0_1_0_round_trip() {
    for line in KEPT.split_inclusive('\n') {
        let (manifest, digest) = Manifest::parse_named(line.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(manifest.to_bytes().unwrap()).unwrap(),
            line
        );
        assert_eq!(manifest.snapshot_id().unwrap(), digest);
    }
    let form = "{\"$type\":\"provender.snapshot.v1\"";
    let parts: Vec<&str> = FORMS.lines().filter(|l| l.starts_with(form)).collect();
    assert!(!parts.is_empty());
    for line in parts {
        let part: Reproducible =
            serde_json::from_value(from_slice(line.as_bytes()).unwrap()).unwrap();
        assert_eq!(bytes_of(&part).unwrap(), line.as_bytes());
    }
}

#[test]
fn a_member_that_is_missing_or_unknown_is_named() {
    let may_be_absent = ["date", "value", "reason", "replaces", "season_start"];
    let mut tried = 0;
    for document in kept() {
        let mut paths = Vec::new();
        objects(&document, "", &mut paths);
        for path in &paths {
            let members = document.pointer(path).unwrap().as_object().unwrap();
            for name in members.keys() {
                let mut without = document.clone();
                let object = without.pointer_mut(path).unwrap().as_object_mut().unwrap();
                let _ = object.remove(name);
                if name == "snapshot_id" || name == "reproducible" && path.is_empty() {
                    let bytes = to_bytes(&without).unwrap();
                    let problem = Manifest::parse(&bytes).unwrap_err();
                    assert_eq!(problem, format!("it has no {name}"));
                    continue;
                }
                let read = Manifest::parse(&sealed(without));
                if may_be_absent.contains(&name.as_str()) && !path.contains("breached") {
                    assert!(read.is_ok(), "{path}/{name}");
                    let mut null = document.clone();
                    null.pointer_mut(path).unwrap()[name] = Json::Null;
                    // A run may replace another without a reason.
                    let read = Manifest::parse(&sealed(null));
                    assert_eq!(read.is_ok(), name == "reason", "{path}/{name}");
                    continue;
                }
                let problem = read.unwrap_err();
                assert!(problem.contains(name.as_str()), "{path}/{name}: {problem}");
                tried += 1;
            }
            let mut with = document.clone();
            with.pointer_mut(path).unwrap()["surprise"] = json!(1);
            let problem = Manifest::parse(&sealed(with)).unwrap_err();
            assert!(problem.contains("`surprise`"), "{path}: {problem}");
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn a_member_of_another_kind_is_refused() {
    let changes: [(&str, Json, &str); 8] = [
        (
            "/format",
            json!("provender.manifest.v2"),
            "its format is provender.manifest.v2",
        ),
        (
            "/reproducible/$type",
            json!("provender.snapshot.v2"),
            "provender.snapshot.v2",
        ),
        (
            "/reproducible/config/$type",
            json!("provender.config.v2"),
            "its config: its $type is provender.config.v2",
        ),
        (
            "/reproducible/provenance",
            json!("sha256:x"),
            "its reproducible: `sha256:x` is not a digest",
        ),
        (
            "/reproducible/key/calculation_date",
            json!("2025-02-30"),
            "its reproducible: `2025-02-30` is not a date",
        ),
        (
            "/reproducible/guardrails/status",
            json!("well"),
            "unknown variant `well`",
        ),
        ("/environment/git_commit", json!(1), "its environment: "),
        ("/sources/known", json!(null), "its sources: "),
    ];
    let document = kept().remove(0);
    for (path, value, expected) in changes {
        let mut changed = document.clone();
        *changed.pointer_mut(path).unwrap() = value;
        let problem = Manifest::parse(&sealed(changed)).unwrap_err();
        assert!(problem.contains(expected), "{path}: {problem}");
    }
    let mut other = document;
    other["reproducible"]["inputs"]["surprise"] = json!(1);
    let problem = Manifest::parse(&to_bytes(&other).unwrap()).unwrap_err();
    assert!(problem.starts_with("it states snapshot_id"), "{problem}");
}
