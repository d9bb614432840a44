//! The fields of each verb's `data`, from the schema of its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::schema;

/// The schemas of all answers, and which of their parts several have.
pub(super) struct Answers {
    by_verb: BTreeMap<String, Json>,
    /// The schema of each shared part, and a document that defines what it refers to.
    shared: BTreeMap<String, (Json, Json)>,
}

impl Answers {
    pub(super) fn of<'v>(verbs: impl Iterator<Item = &'v str>) -> Answers {
        let schemas =
            verbs.filter_map(|verb| Some((verb.to_owned(), json!(schema::of_answer(verb)?))));
        let by_verb: BTreeMap<String, Json> = schemas.collect();
        let mut seen = BTreeMap::new();
        let mut shared = BTreeMap::new();
        for document in by_verb.values() {
            let parts = document["$defs"].as_object().into_iter().flatten();
            let whole = (title(document), document);
            for (name, part) in parts
                .map(|(name, part)| (name.as_str(), part))
                .chain([whole])
            {
                if has_fields(part) && seen.insert(name.to_owned(), ()).is_some() {
                    shared.insert(name.to_owned(), (part.clone(), document.clone()));
                }
            }
        }
        Answers { by_verb, shared }
    }

    /// The table of a verb's fields.
    pub(super) fn table(&self, verb: &str) -> String {
        let Some(schema) = self.by_verb.get(verb) else {
            return String::new();
        };
        if self.shared.contains_key(title(schema)) {
            return format!("`data` is {}.\n\n", link(title(schema)));
        }
        self.rows(schema, schema, "`data`")
    }

    /// The parts that several answers have.
    pub(super) fn parts(&self) -> String {
        let mut out = String::from("## Parts of several answers\n\n");
        out.push_str("### Type Interrupted\n\n");
        let interrupted = json!(schema::of_interrupted());
        let about = interrupted["description"].as_str().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}\n", line(about));
        out.push_str(&self.rows(&interrupted, &interrupted, "`data`"));
        for (name, (part, document)) in &self.shared {
            let _ = writeln!(out, "### Type {name}\n");
            if let Some(about) = part["description"].as_str() {
                let _ = writeln!(out, "{}\n", line(about));
            }
            out.push_str(&self.rows(document, part, "field"));
        }
        out
    }

    fn rows(&self, document: &Json, schema: &Json, head: &str) -> String {
        let mut fields = Fields {
            answers: self,
            document,
            rows: Vec::new(),
            inside: BTreeSet::new(),
        };
        fields.object("", &[schema]);
        format!(
            "| {head} | type | meaning |\n|---|---|---|\n{}\n",
            fields.rows.concat()
        )
    }
}

fn title(schema: &Json) -> &str {
    schema["title"].as_str().unwrap_or_default()
}

fn link(part: &str) -> String {
    format!("[{part}](#type-{})", part.to_lowercase())
}

/// A description on one line of a table.
fn line(text: &str) -> String {
    let text: Vec<&str> = text.split_whitespace().collect();
    text.join(" ").replace('|', "\\|").replace('<', "\\<")
}

fn variants(schema: &Json) -> impl Iterator<Item = &Json> {
    ["anyOf", "oneOf", "allOf"]
        .into_iter()
        .flat_map(|several| schema[several].as_array().into_iter().flatten())
}

fn has_fields(schema: &Json) -> bool {
    schema["properties"].is_object() || variants(schema).any(has_fields)
}

/// What stands in the column of types.
struct Kind<'s> {
    /// What follows the field's name: `[]` for a list, `.NAME` for names that are no fixed ones.
    suffix: String,
    /// The type in words.
    words: Vec<String>,
    /// Schemas of an object, whose fields follow.
    inner: Vec<&'s Json>,
    /// The parts that were opened on the way.
    opened: Vec<&'s str>,
}

struct Fields<'a, 's> {
    answers: &'a Answers,
    document: &'s Json,
    rows: Vec<String>,
    /// Parts whose fields are being listed, for one that contains itself.
    inside: BTreeSet<String>,
}

impl<'s> Fields<'_, 's> {
    /// A row for each field of an object, which several schemas may describe.
    fn object(&mut self, path: &str, schemas: &[&'s Json]) {
        let mut found: Map<String, Json> = Map::new();
        let mut all: Vec<(&str, Vec<&'s Json>, bool)> = Vec::new();
        let mut flat = Vec::new();
        for schema in schemas {
            self.flatten(schema, &mut flat);
        }
        for (name, schema, required) in flat {
            if found.insert(name.to_owned(), Json::Null).is_none() {
                all.push((name, vec![schema], required));
            } else if let Some(known) = all.iter_mut().find(|(known, ..)| *known == name) {
                known.1.push(schema);
            }
        }
        for (name, schemas, required) in all {
            let path = match path {
                "" => name.to_owned(),
                path => format!("{path}.{name}"),
            };
            self.field(&path, &schemas, required);
        }
    }

    /// The fields of a schema and of those that it is made of.
    fn flatten(&self, schema: &'s Json, out: &mut Vec<(&'s str, &'s Json, bool)>) {
        if let Some(part) = self.referred(schema) {
            self.flatten(part, out);
        }
        let required = |name: &str| {
            let mut names = schema["required"].as_array().into_iter().flatten();
            names.any(|n| n == name)
        };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            out.push((name, property, required(name)));
        }
        let mut each = Vec::new();
        for variant in variants(schema).filter(|v| v["type"] != "null") {
            let mut fields = Vec::new();
            self.flatten(variant, &mut fields);
            each.push(fields);
        }
        // Of several forms a field is in each, or it may be absent.
        let always = |name: &str| {
            each.iter()
                .all(|of| of.iter().any(|(n, _, r)| *n == name && *r))
        };
        let fields = each.iter().flatten();
        let fields = fields.map(|(name, schema, _)| (*name, *schema, always(name)));
        out.extend(fields.collect::<Vec<_>>());
    }

    fn referred(&self, schema: &Json) -> Option<&'s Json> {
        let name = schema["$ref"].as_str()?.strip_prefix('#')?;
        self.document.pointer(name)
    }

    /// A row for a field, and the rows of what is in it. What is a list in one form of an answer and none in
    /// another has two.
    fn field(&mut self, path: &str, schemas: &[&'s Json], required: bool) {
        let mut forms: Vec<(Kind<'s>, Vec<&'s Json>)> = Vec::new();
        for &schema in schemas {
            let kind = self.kind(schema);
            match forms.iter_mut().find(|(k, _)| k.suffix == kind.suffix) {
                Some((known, of)) => {
                    known.words.extend(kind.words);
                    known.inner.extend(kind.inner);
                    known.opened.extend(kind.opened);
                    of.push(schema);
                }
                None => forms.push((kind, vec![schema])),
            }
        }
        for (kind, schemas) in forms {
            self.form(path, kind, &schemas, required);
        }
    }

    fn form(&mut self, path: &str, kind: Kind<'s>, schemas: &[&'s Json], required: bool) {
        let mut words = Vec::new();
        // Null last.
        let (null, others): (Vec<_>, Vec<_>) = kind.words.into_iter().partition(|w| w == "null");
        for word in others.into_iter().chain(null) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let about = schemas.iter().find_map(|schema| {
            let own = schema["description"].as_str();
            own.or_else(|| self.referred(schema)?["description"].as_str())
        });
        let path = format!("{path}{}", kind.suffix);
        let may_be_absent = if required { "" } else { "?" };
        self.rows.push(format!(
            "| `{path}{may_be_absent}` | {} | {} |\n",
            words.join(", "),
            line(about.unwrap_or_default())
        ));
        let mut opened = Vec::new();
        let mut again = false;
        for part in kind.opened {
            match self.inside.insert(part.to_owned()) {
                true => opened.push(part),
                false => again |= !opened.contains(&part),
            }
        }
        if !again {
            self.object(&path, &kind.inner);
        }
        for part in opened {
            self.inside.remove(part);
        }
    }

    fn kind(&self, schema: &'s Json) -> Kind<'s> {
        let is = |words: Vec<String>| Kind {
            suffix: String::new(),
            words,
            inner: Vec::new(),
            opened: Vec::new(),
        };
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
            if self.answers.shared.contains_key(name) {
                return is(vec![link(name)]);
            }
            let mut kind = self
                .referred(schema)
                .map_or_else(|| is(Vec::new()), |part| self.kind(part));
            kind.opened.push(name);
            return kind;
        }
        if let Some(words) = schema["enum"].as_array() {
            return is(words.iter().map(word).collect());
        }
        if !schema["const"].is_null() {
            return is(vec![word(&schema["const"])]);
        }
        if has_fields(schema) {
            let inner = vec![schema];
            return Kind {
                inner,
                ..is(vec!["object".to_owned()])
            };
        }
        let kinds: Vec<_> = variants(schema).map(|variant| self.kind(variant)).collect();
        if !kinds.is_empty() {
            let mut all = is(Vec::new());
            for kind in kinds {
                all.suffix.push_str(&kind.suffix);
                all.words.extend(kind.words);
                all.inner.extend(kind.inner);
                all.opened.extend(kind.opened);
            }
            return all;
        }
        let types: Vec<&str> = match &schema["type"] {
            Json::String(one) => vec![one],
            several => several
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .collect(),
        };
        let list = |suffix: &str, of: &'s Json| {
            let mut kind = self.kind(of);
            kind.suffix.insert_str(0, suffix);
            let null = types.contains(&"null").then(|| "null".to_owned());
            kind.words.extend(null);
            kind
        };
        if types.contains(&"array") && !schema["items"].is_null() {
            return list("[]", &schema["items"]);
        }
        if types.contains(&"object") && !schema["additionalProperties"].is_null() {
            return list(".NAME", &schema["additionalProperties"]);
        }
        match types.is_empty() {
            true => is(vec!["any".to_owned()]),
            false => is(types.into_iter().map(str::to_owned).collect()),
        }
    }
}

fn word(of: &Json) -> String {
    match of {
        Json::Null => "null".to_owned(),
        Json::String(word) => format!("`{word}`"),
        other => format!("`{other}`"),
    }
}
