//! A source and its cases under another name and version.

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Value};

use super::name::LogicName;

/// A source file of `from` as one of `to`: the declaration, and every `name:version` in words.
pub(super) fn source(text: &str, from: &LogicName, to: &LogicName) -> String {
    let mut text = whole(text, &from.to_string(), &to.to_string());
    for (key, old, new) in [
        ("name", &from.name, &to.name),
        ("version", &from.version, &to.version),
    ] {
        // Rust's declaration has a colon, Python's an equals sign.
        for sign in [": ", "=", " = "] {
            text = whole(
                &text,
                &format!("{key}{sign}\"{old}\""),
                &format!("{key}{sign}\"{new}\""),
            );
        }
    }
    text
}

/// Whether a source file declares a version.
pub(super) fn declares(text: &str, version: &str) -> bool {
    [": ", "=", " = "]
        .iter()
        .any(|sign| text.contains(&format!("version{sign}\"{version}\"")))
}

/// Replaces what does not go on at either side: `v2` of `v21`, `name` of `rename`.
fn whole(text: &str, old: &str, new: &str) -> String {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        out.push_str(before);
        let inside = goes_on(out.chars().next_back()) || goes_on(after.chars().next());
        out.push_str(if inside { old } else { new });
        rest = after;
    }
    out + rest
}

/// How cases that name the old version come to name the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carry {
    /// The new version beside the old one: both run the cases of one folder.
    Beside,
    /// The new version in place of the old one: the folder is a copy.
    Instead,
}

/// A file of golden cases for the new version: what the old one runs, and what it supersedes. `None`
/// where the old version runs nothing of the file.
///
/// # Errors
/// When the text is not TOML.
pub(super) fn cases(
    text: &str,
    from: &str,
    to: &str,
    carry: Carry,
) -> Result<Option<String>, String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|e: toml_edit::TomlError| e.to_string().trim_end().to_owned())?;
    let mut runs = false;
    let tables = document
        .get_mut("case")
        .and_then(Item::as_array_of_tables_mut);
    for case in tables.into_iter().flat_map(ArrayOfTables::iter_mut) {
        match case.get_mut("versions").and_then(Item::as_array_mut) {
            None => runs = true,
            Some(versions) => runs |= add_version(versions, from, to, carry),
        }
    }
    if let Some(list) = document
        .get_mut("supersede")
        .and_then(Item::as_array_of_tables_mut)
    {
        supersede(list, from, to, carry);
    }
    Ok(runs.then(|| document.to_string()))
}

/// Whether the old version is in the list.
fn add_version(versions: &mut Array, from: &str, to: &str, carry: Carry) -> bool {
    let Some(at) = versions.iter().position(|v| v.as_str() == Some(from)) else {
        return false;
    };
    if versions.iter().any(|v| v.as_str() == Some(to)) {
        return true;
    }
    match carry {
        Carry::Beside => versions.insert(at + 1, to),
        Carry::Instead => {
            versions.replace(at, to);
        }
    }
    true
}

/// A case that the old version left behind is left behind by the new one too.
fn supersede(list: &mut ArrayOfTables, from: &str, to: &str, carry: Carry) {
    let of_old =
        |table: &toml_edit::Table| table.get("version").and_then(Item::as_str) == Some(from);
    match carry {
        Carry::Instead => {
            for table in list.iter_mut().filter(|t| of_old(t)) {
                table.insert("version", Item::Value(Value::from(to)));
            }
        }
        Carry::Beside => {
            let mut copies: Vec<_> = list.iter().filter(|t| of_old(t)).cloned().collect();
            for copy in &mut copies {
                copy.insert("version", Item::Value(Value::from(to)));
                list.push(std::mem::take(copy));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> LogicName {
        text.parse().unwrap()
    }

    #[test]
    fn the_declaration_and_the_words_get_the_new_name_and_nothing_else_does() {
        let text = "//! `rain:v2`, not rain:v21.\nname: \"rain\",\nversion: \"v2\",\nrename: \"rain\", surname=\"rain\"\nname=\"rain\", version=\"v2\", version=\"v21\"";
        insta::assert_snapshot!(source(text, &name("rain:v2"), &name("snow:v3")), @r#"
        //! `snow:v3`, not rain:v21.
        name: "snow",
        version: "v3",
        rename: "rain", surname="rain"
        name="snow", version="v3", version="v21"
        "#);
    }

    const CASES: &str = "columns = [\"a\"] # all\n\n[[case]]\nname = \"one\"\nversions = [\"v1\", \"v2\"] # both\n\n[[case]]\nname = \"two\"\nversions = [\"v1\"]\n\n[[supersede]]\nversion = \"v2\"\ncase = \"two\"\n";

    #[test]
    fn a_shared_folder_gets_the_new_version_beside_the_old_one() {
        let text = cases(CASES, "v2", "v3", Carry::Beside).unwrap().unwrap();
        insta::assert_snapshot!(text, @r#"
        columns = ["a"] # all

        [[case]]
        name = "one"
        versions = ["v1", "v2", "v3"] # both

        [[case]]
        name = "two"
        versions = ["v1"]

        [[supersede]]
        version = "v2"
        case = "two"

        [[supersede]]
        version = "v3"
        case = "two"
        "#);
    }

    #[test]
    fn a_copy_gets_the_new_version_in_place_of_the_old_one() {
        let text = cases(CASES, "v2", "v3", Carry::Instead).unwrap().unwrap();
        assert!(
            text.contains("versions = [\"v1\", \"v3\"] # both"),
            "{text}"
        );
        assert!(!text.contains("v2"), "{text}");
    }

    #[test]
    fn a_file_of_which_the_old_version_runs_nothing_stays_behind() {
        let only = "columns = []\n[[case]]\nname = \"one\"\nversions = [\"v1\"]\n";
        assert_eq!(cases(only, "v2", "v3", Carry::Instead), Ok(None));
        assert!(cases("x = ", "v2", "v3", Carry::Instead).is_err());
    }
}
