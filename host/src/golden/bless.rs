//! What was got, written into the files for review.
//!
//! Only expectations of outputs are rewritten, and only those that differ: a failure is never
//! blessed, since a trap is nobody's intention. Comments, order and spelling of everything else
//! stay. CSV files are not rewritten (their quoting would change in every line): the changes are
//! listed for the author's own hand.

use std::collections::BTreeMap;
use std::path::Path;

use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value as Toml};

use super::error::{GoldenError, Place};
use super::judge::{Difference, Verdict, exact};
use super::run::Tested;
use super::toml_file::render;

/// An expectation that was rewritten.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The case.
    pub case: String,
    /// Where it stands.
    pub place: Place,
    /// The output.
    pub output: String,
    /// What was expected.
    pub from: String,
    /// What is expected now.
    pub to: String,
    /// False where the file is left to its author.
    pub written: bool,
}

/// Rewrites the expectations of the cases that differ. `folder` is where the set was read from, and
/// `shown` how its places name it.
///
/// # Errors
/// When a file cannot be read or written, or changed since it was read.
pub fn bless(tested: &Tested, folder: &Path, shown: &str) -> Result<Vec<Change>, GoldenError> {
    let mut files: BTreeMap<&str, Vec<(&str, &Place, &[Difference])>> = BTreeMap::new();
    for ran in &tested.cases {
        if let Verdict::Differs(all) = &ran.verdict {
            let place = &ran.case.place;
            files
                .entry(&place.file)
                .or_default()
                .push((&ran.case.name, place, all));
        }
    }
    let mut changes = Vec::new();
    for (file, cases) in files {
        let written = file.ends_with(".toml");
        if written {
            let name = file.strip_prefix(shown).unwrap_or(file);
            rewrite(&folder.join(name.trim_start_matches('/')), file, &cases)?;
        }
        for (case, place, differences) in cases {
            changes.extend(differences.iter().map(|d| Change {
                case: case.to_owned(),
                place: place.clone(),
                output: d.output.clone(),
                from: exact(&d.expected),
                to: exact(&d.got),
                written,
            }));
        }
    }
    Ok(changes)
}

fn rewrite(
    path: &Path,
    shown: &str,
    cases: &[(&str, &Place, &[Difference])],
) -> Result<(), GoldenError> {
    let io = |what: &'static str| {
        move |cause| GoldenError::Io {
            path: shown.to_owned(),
            what,
            cause,
        }
    };
    let text = std::fs::read_to_string(path).map_err(io("read"))?;
    let mut document: DocumentMut =
        text.parse()
            .map_err(|e: toml_edit::TomlError| GoldenError::Parse {
                file: shown.to_owned(),
                format: "TOML",
                cause: e.to_string().trim_end().to_owned(),
            })?;
    for (name, place, differences) in cases {
        let tables = document
            .get_mut("case")
            .and_then(Item::as_array_of_tables_mut);
        let case = tables.and_then(|all| {
            all.iter_mut()
                .find(|t| t.get("name").and_then(Item::as_str) == Some(*name))
        });
        let Some(case) = case else {
            return Err(GoldenError::Field {
                place: (*place).clone(),
                field: format!("case `{name}`"),
                problem: "it is not in the file any more, which changed while the cases ran"
                    .to_owned(),
            });
        };
        for difference in *differences {
            put(case, difference);
        }
    }
    // Beside the file and then in its place, so that a full disk leaves the old one.
    let temporary = path.with_extension("toml.blessed");
    std::fs::write(&temporary, document.to_string())
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(io("written"))
}

/// Puts what was got into a case.
fn put(case: &mut dyn TableLike, difference: &Difference) {
    let output = &difference.output;
    let value = render(&difference.got);
    if difference.expected.is_null()
        && let Some(null) = case.get_mut("null").and_then(Item::as_array_mut)
    {
        null.retain(|name| name.as_str() != Some(output));
        if null.is_empty() {
            case.remove("null");
        }
    }
    match value {
        None => {
            if let Some(expect) = case.get_mut("expect").and_then(Item::as_table_like_mut) {
                expect.remove(output);
                if expect.is_empty() {
                    case.remove("expect");
                }
            }
            if let Some(slack) = case.get_mut("tolerance").and_then(Item::as_table_like_mut) {
                slack.remove(output);
                if slack.is_empty() {
                    case.remove("tolerance");
                }
            }
            match case.get_mut("null").and_then(Item::as_array_mut) {
                Some(null) => null.push(output.as_str()),
                None => {
                    let mut null = Array::new();
                    null.push(output.as_str());
                    case.insert("null", Item::Value(Toml::Array(null)));
                }
            }
        }
        Some(value) => {
            if !case.contains_key("expect") {
                case.insert("expect", Item::Value(Toml::InlineTable(InlineTable::new())));
            }
            let Some(expect) = case.get_mut("expect").and_then(Item::as_table_like_mut) else {
                return;
            };
            match expect.get_mut(output).and_then(Item::as_value_mut) {
                // The spaces and comments around the old value stay.
                Some(old) => {
                    let decor = old.decor().clone();
                    *old = value;
                    *old.decor_mut() = decor;
                }
                None => {
                    expect.insert(output, Item::Value(value));
                }
            }
        }
    }
}
