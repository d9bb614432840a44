//! The golden cases of a version for the version that starts from it.
//!
//! In a folder that all versions share, the new version runs every case that the old one runs. A folder of its
//! own gets copies of those cases, without the history: what was superseded, and since which version a case holds.

use std::collections::BTreeSet;

use provender_sandbox::version_number;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table};

use super::error::AuthorError;
use super::source::TextFile;

/// A file of shared cases with the new version wherever the old one is named; `None` where nothing
/// changes.
///
/// # Errors
/// When the text is not TOML.
pub(super) fn shared(
    file: &str,
    bytes: &[u8],
    from: &str,
    to: &str,
) -> Result<Option<String>, AuthorError> {
    // A CSV row that lists its versions applies to those alone. Its author has to add the new one.
    if !file.ends_with(".toml") {
        return Ok(None);
    }
    let mut document = parse(file, bytes)?;
    for case in tables(&mut document, "case") {
        if let Some(versions) = case.get_mut("versions").and_then(Item::as_array_mut) {
            add_beside(versions, from, to);
        }
    }
    for entry in tables(&mut document, "supersede") {
        if entry.get("version").and_then(Item::as_str) == Some(from) {
            entry.remove("version");
            entry.insert("versions", toml_edit::value(Array::from_iter([from, to])));
            // Where `version` was: before the cases and the reason.
            entry.sort_values_by(|a, _, b, _| {
                let rank = |key: &toml_edit::Key| key.get() != "versions";
                rank(a).cmp(&rank(b))
            });
        } else if let Some(versions) = entry.get_mut("versions").and_then(Item::as_array_mut) {
            add_beside(versions, from, to);
        }
    }
    let after = document.to_string();
    Ok((after.as_bytes() != bytes).then_some(after))
}

fn add_beside(versions: &mut Array, from: &str, to: &str) {
    let at = |wanted: &str| versions.iter().position(|v| v.as_str() == Some(wanted));
    if let (Some(place), None) = (at(from), at(to)) {
        versions.insert(place + 1, to);
    }
}

/// The cases that a version runs, for a folder of its own. A file without such a case is left out.
/// If the folder is for a later version of the same logic (`later`), its files get `since`, so that the later
/// version supersedes cases and does not rewrite what the earlier one must give.
///
/// # Errors
/// If a file does not have the documented form.
pub(super) fn own(
    files: &[TextFile],
    from: &str,
    later: bool,
) -> Result<Vec<TextFile>, AuthorError> {
    let mut documents = Vec::new();
    for (file, bytes) in files.iter().filter(|(file, _)| file.ends_with(".toml")) {
        documents.push((file, parse(file, bytes)?));
    }
    let mut left: BTreeSet<String> = BTreeSet::new();
    for (_, document) in &mut documents {
        for entry in tables(document, "supersede") {
            if listed(entry, "version", "versions")
                .iter()
                .any(|v| v == from)
            {
                left.extend(listed(entry, "case", "cases"));
            }
        }
    }
    let mut kept = Vec::new();
    for (file, mut document) in documents {
        if own_toml(&mut document, from, &left) {
            if later {
                hold_since(&mut document, from);
            }
            kept.push((file.clone(), document.to_string().into_bytes()));
        }
    }
    for (file, bytes) in files.iter().filter(|(file, _)| file.ends_with(".csv")) {
        let rows = own_csv(bytes, from, &left).map_err(|cause| AuthorError::Carry {
            file: file.clone(),
            cause,
        })?;
        kept.extend(rows.map(|bytes| (file.clone(), bytes)));
    }
    Ok(kept)
}

/// Reduces a file to the cases that the version runs; false if none remains.
fn own_toml(document: &mut DocumentMut, from: &str, left: &BTreeSet<String>) -> bool {
    let since = document.get("since").and_then(Item::as_str);
    let file_since = since.map(str::to_owned);
    document.remove("supersede");
    // The comment above `since` describes the whole file.
    let above = document
        .key("since")
        .and_then(|key| key.leaf_decor().prefix()?.as_str().map(str::to_owned));
    document.remove("since");
    if let (Some(above), Some(mut first)) = (above, document.iter_mut().next().map(|(key, _)| key))
    {
        let decor = first.leaf_decor_mut();
        let own = decor.prefix().and_then(|p| p.as_str()).unwrap_or_default();
        decor.set_prefix(above + own.trim_start_matches('\n'));
    }
    let Some(cases) = document
        .get_mut("case")
        .and_then(Item::as_array_of_tables_mut)
    else {
        return false;
    };
    cases.retain(|case| {
        let name = case.get("name").and_then(Item::as_str).unwrap_or_default();
        let since = case.get("since").and_then(Item::as_str);
        let named = case.contains_key("versions");
        let runs = match named {
            true => listed(case, "version", "versions")
                .iter()
                .any(|v| v == from),
            false => since
                .or(file_since.as_deref())
                .is_none_or(|since| number(since) <= number(from)),
        };
        runs && !left.contains(name)
    });
    for case in cases.iter_mut() {
        case.remove("since");
        case.remove("versions");
    }
    !cases.is_empty()
}

/// Writes `since` at the top of a file.
fn hold_since(document: &mut DocumentMut, version: &str) {
    let alone = document.iter().all(|(_, item)| !item.is_value());
    document.insert("since", toml_edit::value(version));
    let Some((mut key, _)) = document.iter_mut().find(|(key, _)| key.get() == "since") else {
        return;
    };
    if alone {
        key.leaf_decor_mut().set_prefix("");
    }
}

/// The rows of a CSV file that a version runs, without the columns `since` and `versions`.
fn own_csv(bytes: &[u8], from: &str, left: &BTreeSet<String>) -> Result<Option<Vec<u8>>, String> {
    let text = |e: csv::Error| e.to_string();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let heads = reader.headers().map_err(text)?.clone();
    let at = |name: &str| {
        heads
            .iter()
            .position(|h| h.trim_start_matches('\u{feff}') == name)
    };
    let (name, since, versions) = (at("case"), at("since"), at("versions"));
    let keep = |row: &csv::StringRecord| -> Vec<String> {
        row.iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != since && Some(*i) != versions)
            .map(|(_, field)| field.to_owned())
            .collect()
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(keep(&heads)).map_err(text)?;
    let mut any = false;
    for row in reader.records() {
        let row = row.map_err(text)?;
        let field = |at: Option<usize>| at.and_then(|i| row.get(i)).filter(|f| !f.is_empty());
        let runs = match (field(versions), field(since)) {
            (Some(versions), _) => versions.split_ascii_whitespace().any(|v| v == from),
            (None, Some(since)) => number(since) <= number(from),
            (None, None) => true,
        };
        if runs && !field(name).is_some_and(|n| left.contains(n)) {
            writer.write_record(keep(&row)).map_err(text)?;
            any = true;
        }
    }
    let bytes = writer.into_inner().map_err(|e| e.to_string())?;
    Ok(any.then_some(bytes))
}

fn parse(file: &str, bytes: &[u8]) -> Result<DocumentMut, AuthorError> {
    let text = String::from_utf8_lossy(bytes);
    text.parse()
        .map_err(|e: toml_edit::TomlError| AuthorError::Carry {
            file: file.to_owned(),
            cause: e.to_string().trim_end().to_owned(),
        })
}

fn tables<'d>(document: &'d mut DocumentMut, key: &str) -> impl Iterator<Item = &'d mut Table> {
    let tables = document.get_mut(key).and_then(Item::as_array_of_tables_mut);
    tables.into_iter().flat_map(ArrayOfTables::iter_mut)
}

/// One text under `one`, or several under `many`.
fn listed(table: &Table, one: &str, many: &str) -> Vec<String> {
    let single = table.get(one).and_then(Item::as_str);
    let several = table.get(many).and_then(Item::as_array);
    let several = several.into_iter().flatten().filter_map(|v| v.as_str());
    single
        .into_iter()
        .chain(several)
        .map(str::to_owned)
        .collect()
}

/// 12 for `v12`. A text that is not a version counts as later than every version.
pub(super) fn number(version: &str) -> u32 {
    version_number(version).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "# all\ncolumns = [\"a\"]\n\n[[supersede]]\nversion = \"v2\"\ncase = \"one\" # gone\nreason = \"other\"\n\n[[case]]\nname = \"one\"\n\n# kept\n[[case]]\nname = \"two\"\nversions = [\"v1\", \"v2\"] # both\n\n[[case]]\nname = \"three\"\nsince = \"v3\"\n";
    const NEW: &str =
        "# What v2 adds.\nsince = \"v2\"\ncolumns = [\"a\"]\n\n[[case]]\nname = \"four\"\n";
    const CSV: &str =
        "case,since,versions,out.x\nfive,,,1\nsix,v3,,2\nseven,,v1 v2,\"a,b\"\none,,,4\n";

    fn file(name: &str, text: &str) -> TextFile {
        (name.to_owned(), text.as_bytes().to_vec())
    }

    #[test]
    fn a_shared_folder_gets_the_new_version_beside_the_old_one() {
        let text = shared("old.toml", OLD.as_bytes(), "v2", "v3")
            .unwrap()
            .unwrap();
        insta::assert_snapshot!(text, @r#"
        # all
        columns = ["a"]

        [[supersede]]
        versions = ["v2", "v3"]
        case = "one" # gone
        reason = "other"

        [[case]]
        name = "one"

        # kept
        [[case]]
        name = "two"
        versions = ["v1", "v2", "v3"] # both

        [[case]]
        name = "three"
        since = "v3"
        "#);
        assert_eq!(
            shared("new.toml", NEW.as_bytes(), "v2", "v3").unwrap(),
            None
        );
    }

    #[test]
    fn a_folder_of_its_own_gets_what_the_old_version_runs_and_nothing_of_its_history() {
        let files = [
            file("old.toml", OLD),
            file("new.toml", NEW),
            file("x.csv", CSV),
        ];
        let kept = own(&files, "v2", false).unwrap();
        let texts: Vec<_> = kept
            .iter()
            .map(|(name, bytes)| format!("== {name}\n{}", String::from_utf8_lossy(bytes)))
            .collect();
        insta::assert_snapshot!(texts.join("\n"), @r#"
        == old.toml
        # all
        columns = ["a"]

        # kept
        [[case]]
        name = "two"

        == new.toml
        # What v2 adds.
        columns = ["a"]

        [[case]]
        name = "four"

        == x.csv
        case,out.x
        five,1
        seven,"a,b"
        "#);
    }

    #[test]
    fn a_later_version_of_the_logic_says_since_when_the_cases_hold() {
        let files = [file("old.toml", OLD)];
        let kept = own(&files, "v2", true).unwrap();
        let texts: Vec<_> = kept
            .iter()
            .map(|(name, bytes)| format!("== {name}\n{}", String::from_utf8_lossy(bytes)))
            .collect();
        insta::assert_snapshot!(texts.join("\n"));
    }

    #[test]
    fn a_file_of_which_the_old_version_runs_nothing_stays_behind() {
        let kept = own(&[file("new.toml", NEW)], "v1", false).unwrap();
        assert!(kept.is_empty());
        assert_eq!(
            own(&[file("x.toml", "x = ")], "v1", false)
                .unwrap_err()
                .code(),
            "source_unusable"
        );
    }
}
