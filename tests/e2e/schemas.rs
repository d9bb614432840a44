//! What the program prints matches `docs/reference/schemas/`. The check is strict: a field that no schema
//! names is a fault, and so is a keyword that this file does not know. It is written here because the crates
//! that validate JSON Schemas enable features of wasmtime's dependencies, which `cargo test` would then build
//! a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use provender_store::manifest::pack::Pack;
use serde_json::{Value as Json, json};

use crate::kit::Ranch;

/// Every schema, by name.
static SCHEMAS: LazyLock<BTreeMap<String, Json>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/schemas");
    let mut schemas = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let name = name.strip_suffix(".schema.json").unwrap().to_owned();
        let schema = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
        schemas.insert(name, schema);
    }
    schemas
});

/// Asserts that an envelope and its `data` match their schemas.
pub(crate) fn check(envelope: &Json) {
    let command = envelope["command"].as_str().unwrap();
    let mut faults = faults(&SCHEMAS["envelope"], envelope);
    // A command that failed as a whole has no data.
    if envelope["error"].is_null() || envelope["data"] != json!({}) {
        let mut found = Vec::new();
        match SCHEMAS.get(&command.replace(' ', "-")) {
            Some(schema) => found = self::faults(schema, &envelope["data"]),
            None => println!("no schema of the answer of {command} yet"),
        }
        if !found.is_empty() && envelope["error"]["code"] == "interrupted" {
            found = self::faults(&SCHEMAS["interrupted"], &envelope["data"]);
        }
        faults.extend(found);
    }
    assert!(faults.is_empty(), "{command}: {faults:#?}\n{envelope:#}");
}

/// The places in which a value violates a schema.
fn faults(schema: &Json, value: &Json) -> Vec<String> {
    let mut faults = Vec::new();
    let document = schema;
    At { document }.value(schema, value, "", &mut faults);
    faults
}

/// Keywords that only inform people.
const INFORMATIVE: [&str; 8] = [
    "$schema",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "format",
    "writeOnly",
];

#[derive(Clone, Copy)]
struct At<'s> {
    document: &'s Json,
}

impl At<'_> {
    /// Checks a whole value: each field of an object must be named by a schema that applies to it.
    fn value(self, schema: &Json, value: &Json, at: &str, faults: &mut Vec<String>) {
        let mut named = BTreeSet::new();
        let free = match schema {
            Json::Bool(any) => *any,
            schema => schema
                .as_object()
                .unwrap()
                .keys()
                .all(|k| INFORMATIVE.contains(&&**k)),
        };
        self.part(schema, value, at, &mut named, faults);
        let fields = value.as_object().into_iter().flatten();
        for (field, _) in fields.filter(|(field, _)| !free && !named.contains(*field)) {
            faults.push(format!("{at}.{field} is in no schema"));
        }
    }

    /// Checks a value against one of the schemas that apply to it; adds the fields that the schema names to
    /// `named`.
    fn part(
        self,
        schema: &Json,
        value: &Json,
        at: &str,
        named: &mut BTreeSet<String>,
        faults: &mut Vec<String>,
    ) {
        let keywords = match schema {
            Json::Bool(true) => &serde_json::Map::new(),
            Json::Bool(false) => return faults.push(format!("{at} must not be there")),
            schema => schema.as_object().unwrap(),
        };
        for (keyword, says) in keywords {
            let holds = match keyword.as_str() {
                keyword if INFORMATIVE.contains(&keyword) => true,
                // Checked together with `properties` and `items`.
                "additionalProperties" if keywords.contains_key("properties") => true,
                "properties" | "additionalProperties" => {
                    self.fields(keywords, value, at, named, faults);
                    true
                }
                "items" | "prefixItems" => {
                    let first = keywords.get("prefixItems").and_then(Json::as_array);
                    let first = first.map_or(&[][..], Vec::as_slice);
                    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                        let each = first.get(i).or(keywords.get("items"));
                        let at = format!("{at}[{i}]");
                        self.value(each.unwrap_or(&json!(false)), item, &at, faults);
                    }
                    true
                }
                "$ref" => {
                    let part = says.as_str().unwrap().strip_prefix('#').unwrap();
                    let schema = self.document.pointer(part).unwrap();
                    self.part(schema, value, at, named, faults);
                    true
                }
                "allOf" => {
                    for schema in says.as_array().unwrap() {
                        self.part(schema, value, at, named, faults);
                    }
                    true
                }
                "anyOf" | "oneOf" => {
                    self.one_of(says.as_array().unwrap(), value, at, named, faults);
                    true
                }
                "type" => match says {
                    Json::String(kind) => is(value, kind),
                    kinds => kinds
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|kind| is(value, kind.as_str().unwrap())),
                },
                "enum" => says.as_array().unwrap().contains(value),
                "const" => says == value,
                "required" => says.as_array().unwrap().iter().all(|field| {
                    !value.is_object() || value.get(field.as_str().unwrap()).is_some()
                }),
                "minimum" => value.as_f64() >= says.as_f64() || !value.is_number(),
                "maximum" => value.as_f64() <= says.as_f64() || !value.is_number(),
                "minItems" => value
                    .as_array()
                    .is_none_or(|a| a.len() as u64 >= says.as_u64().unwrap()),
                "maxItems" => value
                    .as_array()
                    .is_none_or(|a| a.len() as u64 <= says.as_u64().unwrap()),
                "uniqueItems" => true,
                other => panic!("{at}: `{other}` is not checked here"),
            };
            if !holds {
                let value = value.to_string();
                let value: String = value.chars().take(200).collect();
                faults.push(format!("{at} = {value} breaks {keyword} {says}"));
            }
        }
    }

    /// The fields of an object.
    fn fields(
        self,
        keywords: &serde_json::Map<String, Json>,
        value: &Json,
        at: &str,
        named: &mut BTreeSet<String>,
        faults: &mut Vec<String>,
    ) {
        for (field, value) in value.as_object().into_iter().flatten() {
            let own = keywords.get("properties").and_then(|p| p.get(field));
            if let Some(schema) = own.or(keywords.get("additionalProperties")) {
                named.insert(field.clone());
                self.value(schema, value, &format!("{at}.{field}"), faults);
            }
        }
    }

    /// At least one has to match; those that match name fields.
    fn one_of(
        self,
        schemas: &[Json],
        value: &Json,
        at: &str,
        named: &mut BTreeSet<String>,
        faults: &mut Vec<String>,
    ) {
        let mut nearest: Option<Vec<String>> = None;
        let mut holds = false;
        for schema in schemas {
            let (mut fields, mut wrong) = (BTreeSet::new(), Vec::new());
            self.part(schema, value, at, &mut fields, &mut wrong);
            if wrong.is_empty() {
                holds = true;
                named.extend(fields);
            } else if nearest.as_ref().is_none_or(|n| wrong.len() < n.len()) {
                nearest = Some(wrong);
            }
        }
        if !holds {
            faults.push(format!("{at} is none of {}", schemas.len()));
            faults.extend(nearest.unwrap_or_default());
        }
    }
}

fn is(value: &Json, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("`{other}` is no type of JSON"),
    }
}

#[test]
fn an_answer_that_violates_its_schema_is_found() {
    let schema = json!({
        "$defs": {"Run": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "entry": {"type": ["integer", "null"], "minimum": 0}},
            "required": ["id"],
        }},
        "type": "object",
        "properties": {
            "runs": {"type": "array", "items": {"$ref": "#/$defs/Run"}},
            "outcome": {"description": "A word.", "enum": ["ok", "failed"]},
            "values": {"type": "object", "additionalProperties": {"type": "number"}},
            "anything": {"description": "A free form."},
            "either": {"anyOf": [{"$ref": "#/$defs/Run"}, {"type": "null"}]},
        },
        "required": ["runs", "outcome"],
    });
    let good = json!({
        "runs": [{"id": "a", "entry": 1}, {"id": "b", "entry": null}, {"id": "c"}],
        "outcome": "ok", "values": {"x": 1.5, "y": 2}, "anything": {"of": ["any", "form"]}, "either": null,
    });
    assert_eq!(faults(&schema, &good), [""; 0]);
    for (pointer, wrong, fault) in [
        ("", json!({"runs": []}), " = {\"runs\":[]} breaks required"),
        ("/runs", json!({}), ".runs = {} breaks type"),
        ("/runs/0/id", json!(1), ".runs[0].id = 1 breaks type"),
        (
            "/runs/1/entry",
            json!(-1),
            ".runs[1].entry = -1 breaks minimum",
        ),
        (
            "/runs/1/entry",
            json!(1.5),
            ".runs[1].entry = 1.5 breaks type",
        ),
        (
            "/runs/2",
            json!({"id": "c", "new": 1}),
            ".runs[2].new is in no schema",
        ),
        ("/outcome", json!("odd"), ".outcome = \"odd\" breaks enum"),
        ("/values/x", json!("1.5"), ".values.x = \"1.5\" breaks type"),
        (
            "/either",
            json!({"id": "a", "new": 1}),
            ".either.new is in no schema",
        ),
        ("/either", json!("a"), ".either is none of 2"),
    ] {
        let mut answer = good.clone();
        *answer.pointer_mut(pointer).unwrap() = wrong;
        let found = faults(&schema, &answer);
        assert!(found[0].starts_with(fault), "{pointer}: {found:?}");
    }
}

/// These types write the bytes that they read, so a schema that a file matches describes all of it.
#[test]
fn written_manifests_and_headers_match_their_schemas() {
    let (single, packed) = (Ranch::ran(), Ranch::sample());
    let setting = "path = \"out/manifests\"\npack_from = 1";
    packed.edit("provender.toml", "path = \"out/manifests\"", setting);
    let _ = packed.run(&["run", "--as-of", "2025-06-30"]);
    let (mut manifests, mut headers) = (0, 0);
    let written = [single.files("out/manifests"), packed.files("out/manifests")];
    for (path, bytes) in written.concat() {
        let (schema, value) = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => ("manifest", serde_json::from_slice(&bytes).unwrap()),
            _ => (
                "manifest-pack",
                json!(Pack::parse(&bytes).unwrap().header()),
            ),
        };
        let found = faults(&SCHEMAS[schema], &value);
        assert_eq!(found, [""; 0], "{}", path.display());
        match schema {
            "manifest" => manifests += 1,
            _ => headers += 1,
        }
    }
    assert!(manifests >= 9 && headers > 0, "{manifests} {headers}");
    let kept = include_str!("../fixtures/manifests-0.1.0.jsonl");
    for line in kept.lines() {
        let value = serde_json::from_str(line).unwrap();
        assert_eq!(faults(&SCHEMAS["manifest"], &value), [""; 0]);
        let mut more: Json = value;
        more["environment"]["surprise"] = json!(1);
        let found = faults(&SCHEMAS["manifest"], &more);
        assert_eq!(found, [".environment.surprise must not be there"]);
    }
}

#[test]
#[should_panic(expected = ".more is in no schema")]
fn an_answer_with_an_extra_field_fails_the_test_that_reads_it() {
    let schemas = json!([{"name": "a", "about": "b"}]);
    check(&json!({
        "format_version": "1.0", "command": "schema", "status": "ok", "exit_code": 0,
        "duration_ms": 1.5, "phases": {}, "data": {"schemas": schemas, "more": 1}, "error": null,
    }));
}
