//! Herds from JSON: a list of objects, or an object with a list `herds`. The animals' figures are in a nested
//! `herd`, or flat beside the other fields. Rows count the list from 1.

use serde_json::{Map, Value as Json};

use crate::ingest::parsed::Kind;

use super::draft::{Draft, row_number};
use super::fields::shown;
use super::formats::{Form, Reader, Taken};
use super::herds::{self, Fields, KNOWN};

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "herds-json",
    kind: Kind::Herds,
    sign: "a list of objects with `herd` or `animal_count`",
    form: Form::Json {
        is: |json, kind| match json {
            Json::Object(object) => {
                object.get("herds").is_some_and(Json::is_array) || is_herd(json)
            }
            Json::Array(list) => {
                list.iter().any(is_herd) || (list.is_empty() && kind == Some(Kind::Herds))
            }
            _ => false,
        },
        read,
    },
};

fn is_herd(json: &Json) -> bool {
    const SIGNS: [&str; 5] = [
        "herd",
        "animal_count",
        "daily_intake_kg_per_head",
        "herd_config_id",
        "herd_id",
    ];
    json.as_object()
        .is_some_and(|o| SIGNS.iter().any(|s| o.contains_key(*s)))
}

/// Reads a parsed list of herds.
fn read(json: &Json, draft: &mut Draft<'_>) -> Taken {
    let list: Vec<&Json> = match json {
        Json::Array(list) => list.iter().collect(),
        Json::Object(object) => match object.get("herds") {
            Some(Json::Array(list)) => list.iter().collect(),
            Some(_) => return Err(draft.refuse("`herds` is not a list")),
            None => vec![json],
        },
        _ => return Err(draft.refuse("is not a list of herds")),
    };
    if list.is_empty() {
        draft.warn("the file has no herds");
    }
    let mut found = Vec::new();
    let mut ignored: Vec<String> = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let row = row_number(i);
        let Some(object) = item.as_object() else {
            draft.bad(
                row,
                "",
                Some(&shown(item)),
                "is not an object with the fields of a herd",
            );
            continue;
        };
        if let Some(fields) = flatten(row, object, &mut ignored, draft)
            && let Some(herd) = herds::herd(row, &fields, draft)
        {
            found.push(herd);
        }
    }
    draft.warn_ignored("fields", &ignored);
    Ok((list.len(), herds::settle(found, draft)))
}

fn flatten(
    row: u32,
    object: &Map<String, Json>,
    ignored: &mut Vec<String>,
    draft: &mut Draft<'_>,
) -> Option<Fields> {
    let mut fields = Fields::new();
    let mut put = |key: &str, value: &Json, draft: &mut Draft<'_>| {
        let name = key.trim().to_ascii_lowercase();
        if !KNOWN.contains(&name.as_str()) {
            if !ignored.contains(&name) {
                ignored.push(name);
            }
            return true;
        }
        match fields.get(&name) {
            Some(earlier) if earlier != value => {
                draft.bad(
                    row,
                    key,
                    Some(&shown(value)),
                    "occurs twice, with different values",
                );
                false
            }
            _ => {
                fields.insert(name, value.clone());
                true
            }
        }
    };
    for (key, value) in object {
        let fine = match value {
            Json::Object(nested) if key.trim().eq_ignore_ascii_case("herd") => nested
                .iter()
                // A nested name is the herd's, and is ignored if the row has a name of its own.
                .filter(|(k, _)| k.as_str() != "name" || !object.contains_key("name"))
                .all(|(k, v)| put(k, v, draft)),
            _ => put(key, value, draft),
        };
        if !fine {
            return None;
        }
    }
    Some(fields)
}
