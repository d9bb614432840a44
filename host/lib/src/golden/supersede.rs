//! A case superseded by a later version: the entry with the reason, and the later version's own case.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// The name of the later version's case.
pub(super) fn name(case: &str, version: &str) -> String {
    format!("{case} ({version})")
}

/// The text to append to the file: the `[[supersede]]`, and the later version's case. `own` is the case with its
/// new expectations; it binds the version and all later ones.
pub(super) fn text(case: &str, own: Table, version: &str, reason: &str) -> String {
    let mut entry = Table::new();
    entry.insert("version", value(version));
    entry.insert("case", value(case));
    entry.insert("reason", value(reason));
    let mut kept = Table::new();
    kept.insert("name", value(name(case, version)));
    kept.insert("since", value(version));
    let rest = own
        .into_iter()
        .filter(|(key, _)| !matches!(key.as_str(), "name" | "since" | "versions"));
    for (key, item) in rest {
        kept.insert(key.as_str(), item);
    }
    document("supersede", entry) + &document("case", kept)
}

/// One table as text, with an empty line before it.
fn document(key: &str, table: Table) -> String {
    let mut tables = ArrayOfTables::new();
    tables.push(table);
    let mut document = DocumentMut::new();
    document.insert(key, Item::ArrayOfTables(tables));
    format!("\n{}", document.to_string().trim_start_matches('\n'))
}
