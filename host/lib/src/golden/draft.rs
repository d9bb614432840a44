//! Writes recorded inputs as a file of golden cases that DS completes.
//!
//! A draft expects nothing: the recorded outputs may be the mistake itself. They become comments beside the
//! case, which fails until somebody enters what is right.

use std::fmt::Write as _;

use toml_edit::{Array, InlineTable, Value as Toml};

use provender_domain::render::escape;
use provender_domain::value::{Scalar, Value};

use super::toml_file::render;

/// A case without expectations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    /// Unique in its folder.
    pub name: String,
    /// Notes about it, one per line; they become comments.
    pub about: Vec<String>,
    /// Inputs by name.
    pub inputs: Vec<(String, Value)>,
    /// Parameters that are not the declared defaults, by name.
    pub parameters: Vec<(String, Scalar)>,
    /// The recorded outcomes, for the comment.
    pub recorded: Vec<(String, Value)>,
}

/// The file's text: `head` becomes comments, `since` is the first version that the cases bind.
#[must_use]
pub(crate) fn file(
    head: &[String],
    since: Option<&str>,
    columns: &[String],
    drafts: &[Draft],
) -> String {
    let mut out = String::new();
    comments(&mut out, head);
    let names: Array = columns.iter().map(String::as_str).collect();
    // Writing to a String cannot fail.
    if let Some(since) = since {
        let _ = writeln!(out, "since = {}", Toml::from(since));
    }
    let _ = writeln!(out, "columns = {names}");
    for draft in drafts {
        let _ = writeln!(out);
        comments(&mut out, &draft.about);
        let _ = writeln!(out, "[[case]]\nname = {}", Toml::from(draft.name.as_str()));
        let inputs = table(draft.inputs.iter().map(|(n, v)| (n, render(v))));
        let _ = writeln!(out, "inputs = {inputs}");
        if !draft.parameters.is_empty() {
            let set = draft.parameters.iter();
            let set = table(set.map(|(n, s)| (n, render(&Value::from(s.clone())))));
            let _ = writeln!(out, "parameters = {set}");
        }
        let recorded = table(draft.recorded.iter().map(|(n, v)| (n, render(v))));
        comments(
            &mut out,
            &[
                format!("recorded: {recorded}"),
                "expect = { … }   # DS: what is right for these inputs; then take this line in"
                    .to_owned(),
            ],
        );
    }
    out
}

fn comments(out: &mut String, lines: &[String]) {
    for line in lines {
        let _ = writeln!(out, "# {}", escape::terminal(line));
    }
}

/// Null values are left out: an input that is not named is null.
fn table<'a>(pairs: impl Iterator<Item = (&'a String, Option<Toml>)>) -> InlineTable {
    pairs
        .filter_map(|(name, value)| Some((name.as_str(), value?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{CaseSet, GoldenError};
    use crate::testing::Load as _;
    use provender_guests::recipe::Recipe;

    fn draft() -> Draft {
        Draft {
            name: "I1 of \"prod\"".into(),
            about: vec!["run 1\n[[case]]".into()],
            inputs: vec![
                ("forage".into(), Value::Float64(0.1 + 0.2)),
                ("nothing".into(), Value::Null),
                ("day".into(), Value::Date("2025-06-30".parse().unwrap())),
                (
                    "rain".into(),
                    Value::Series(vec![("2025-06-01".parse().unwrap(), -1.5)]),
                ),
            ],
            parameters: vec![("residual".into(), Scalar::Float64(250.0))],
            recorded: vec![
                ("days".into(), Value::Float64(3.0)),
                ("why".into(), Value::Null),
            ],
        }
    }

    #[test]
    fn a_draft_reads_plainly() {
        let columns = ["forage", "day", "rain"].map(str::to_owned);
        let text = file(&["head".into()], Some("v2"), &columns, &[draft()]);
        insta::assert_snapshot!(text);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.toml"), text).unwrap();
        let set = CaseSet::read(folder.path(), "cases").unwrap();
        assert_eq!(set.find("I1 of \"prod\"").unwrap().0.line, 6);
        assert!(set.find("I2").is_none());
    }

    #[test]
    fn a_draft_fails_until_it_is_completed_and_gives_the_same_bits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        let component = Recipe::default().load().unwrap();
        let d = component.description();
        let inputs = vec![
            ("a".to_owned(), Value::Float64(0.1 + 0.2)),
            ("b".to_owned(), Value::Float64(3.0)),
        ];
        let one = Draft {
            name: "one".into(),
            about: Vec::new(),
            inputs: inputs.clone(),
            parameters: Vec::new(),
            recorded: vec![("product".into(), Value::Float64(9.0))],
        };
        let text = file(&[], None, &["a", "b"].map(str::to_owned), &[one]);
        std::fs::write(&path, &text).unwrap();
        let read = || {
            let set = CaseSet::read(folder.path(), "cases").unwrap();
            set.read_one("one", d)
        };
        let error = read().unwrap_err();
        assert!(matches!(error, GoldenError::Incomplete { .. }), "{error}");
        std::fs::write(&path, format!("{text}expect = {{ product = 0.9 }}\n")).unwrap();
        let case = read().unwrap().unwrap();
        let values: Vec<_> = inputs.into_iter().map(|(_, v)| v).collect();
        assert_eq!(case.inputs, values);
    }
}
