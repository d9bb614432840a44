//! What was got, written into the files for review.
//!
//! Only expectations of outputs are rewritten, and only those that differ: a failure is never
//! blessed, since a trap is nobody's intention. Comments, order and spelling of everything else
//! stay. CSV files are not rewritten (their quoting would change in every line): the changes are
//! listed for the author's own hand.
//!
//! A case that binds another version as well is never rewritten: what that version is held to would be
//! lost. With a reason it is superseded for the version under test, and what that one gave is written as
//! a case of its own beside it.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value as Toml};

use provender_domain::files::outfile;

use super::case::{Binds, version_number};
use super::error::{GoldenError, SourceLine};
use super::judge::{CaseVerdict, Difference, exact};
use super::run::Tested;
use super::set::CaseSet;
use super::supersede;
use super::toml_file::render;

/// An expectation that was rewritten.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FileRewrite {
    /// The case.
    pub case: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: SourceLine,
    /// The output.
    pub output: String,
    /// What was expected.
    pub from: String,
    /// What is expected now.
    pub to: String,
    /// False where the file is left to its author.
    pub written: bool,
    /// The case that this one supersedes for the version, which stays as it was; null where it supersedes none.
    pub instead_of: Option<String>,
}

/// For whom cases are blessed, and why.
#[derive(Clone, Copy, Debug)]
pub struct Blessing<'b> {
    /// The version under test: `v3`.
    pub version: &'b str,
    /// Whether other versions read this folder, so that a case that names none binds them too.
    pub shared: bool,
    /// Why the version gives other numbers than the ones before it.
    pub reason: Option<&'b str>,
}

impl Blessing<'_> {
    /// Whether a case holds another version too, so that it is not this one's to rewrite.
    fn is_inherited(&self, binds: &Binds) -> bool {
        let own = version_number(self.version).unwrap_or(u32::MAX);
        match binds {
            Binds::All => self.shared && own > 1,
            Binds::Since(first) => *first < own,
            Binds::Only(versions) => versions.iter().any(|v| *v != own),
        }
    }
}

/// A case that differs.
struct Differing<'t> {
    name: &'t str,
    place: &'t SourceLine,
    all: &'t [Difference],
    inherited: bool,
}

/// Rewrites the expectations of the cases that differ, or supersedes the case where it holds other versions
/// too. `folder` is where the set was read from.
///
/// # Errors
/// When a case that holds other versions differs and no reason is given; when a file cannot be read or
/// written, or changed since it was read. Nothing is written for want of a reason.
pub fn bless(
    tested: &Tested,
    set: &CaseSet,
    folder: &Path,
    blessing: &Blessing<'_>,
) -> Result<Vec<FileRewrite>, GoldenError> {
    let shown = set.folder();
    let mut files: BTreeMap<&str, Vec<Differing<'_>>> = BTreeMap::new();
    for ran in &tested.cases {
        if let CaseVerdict::Differs(all) = &ran.verdict {
            let (name, place) = (ran.case.name.as_str(), &ran.case.place);
            let inherited = set
                .find(name)
                .is_some_and(|(_, binds)| blessing.is_inherited(binds));
            if inherited && blessing.reason.is_none() && is_written(&place.file) {
                return Err(GoldenError::Inherited {
                    place: place.clone(),
                    case: name.to_owned(),
                    version: blessing.version.to_owned(),
                });
            }
            files.entry(&place.file).or_default().push(Differing {
                name,
                place,
                all,
                inherited,
            });
        }
    }
    let mut changes = Vec::new();
    for (file, cases) in files {
        let written = is_written(file);
        if written {
            let name = file.strip_prefix(shown).unwrap_or(file);
            let path = folder.join(name.trim_start_matches('/'));
            rewrite(&path, file, &cases, blessing)?;
        }
        for case in cases {
            let superseded = case.inherited && written;
            changes.extend(case.all.iter().map(|d| FileRewrite {
                case: match superseded {
                    true => supersede::name(case.name, blessing.version),
                    false => case.name.to_owned(),
                },
                place: case.place.clone(),
                output: d.output.clone(),
                from: exact(&d.expected),
                to: exact(&d.got),
                written,
                instead_of: superseded.then(|| case.name.to_owned()),
            }));
        }
    }
    Ok(changes)
}

fn is_written(file: &str) -> bool {
    file.ends_with(".toml")
}

fn rewrite(
    path: &Path,
    shown: &str,
    cases: &[Differing<'_>],
    blessing: &Blessing<'_>,
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
    let mut added = String::new();
    for differing in cases {
        let tables = document
            .get_mut("case")
            .and_then(Item::as_array_of_tables_mut);
        let case = tables.and_then(|all| {
            all.iter_mut()
                .find(|t| t.get("name").and_then(Item::as_str) == Some(differing.name))
        });
        let Some(case) = case else {
            return Err(GoldenError::Field {
                place: differing.place.clone(),
                field: format!("case `{}`", differing.name),
                problem: "it is not in the file any more, which changed while the cases ran"
                    .to_owned(),
            });
        };
        match blessing.reason.filter(|_| differing.inherited) {
            None => differing.all.iter().for_each(|d| put(case, d)),
            Some(reason) => {
                let mut own = case.clone();
                differing.all.iter().for_each(|d| put(&mut own, d));
                added += &supersede::text(differing.name, own, blessing.version, reason);
            }
        }
    }
    let mut text = document.to_string();
    if !added.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text += &added;
    // In the place of the file, so that a full disk leaves the old one.
    outfile::write(path, text.as_bytes()).map_err(io("written"))
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
