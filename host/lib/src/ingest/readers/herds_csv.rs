//! Herds from CSV: the fields of the JSON list, flattened (`animal_count` or `herd.animal_count`).

use serde_json::Value as Json;

use crate::ingest::parsed::Kind;

use super::draft::Draft;
use super::formats::{Form, Reader, Taken};
use super::herds::{self, Fields, KNOWN};
use super::table::Table;

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "herds-csv",
    kind: Kind::Herds,
    sign: "columns animal_count and effective_date",
    form: Form::Text {
        is: |head| {
            let counts = [
                "animal_count",
                "herd.animal_count",
                "daily_intake_kg_per_head",
            ];
            let ids = ["herd_config_id", "herd_id"];
            counts.iter().any(|n| head.has(n))
                || (head.has("effective_date") && ids.iter().any(|n| head.has(n)))
        },
        read,
    },
};

/// Reads a CSV of herds.
fn read(text: &str, draft: &mut Draft<'_>) -> Taken {
    let table = Table::read(text, 1, draft)?;
    let mut columns: Vec<(usize, String)> = Vec::new();
    for (i, name) in table.names.iter().enumerate() {
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix("herd.").unwrap_or(&name).to_owned();
        if !KNOWN.contains(&name.as_str()) {
            continue;
        }
        if columns.iter().any(|(_, earlier)| *earlier == name) {
            return Err(draft.refuse(format!("the header names `{name}` twice")));
        }
        columns.push((i, name));
    }
    let used: Vec<usize> = columns.iter().map(|(i, _)| *i).collect();
    draft.warn_ignored("columns", &table.unused(&used));
    let mut found = Vec::new();
    for line in table.rows.iter() {
        let fields: Fields = columns
            .iter()
            .map(|(i, name)| (name.clone(), Json::String(line.cell(*i).to_owned())))
            .collect();
        if let Some(herd) = herds::herd(line.line, &fields, draft) {
            found.push(herd);
        }
    }
    Ok((table.count, herds::settle(found, draft)))
}
