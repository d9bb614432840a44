//! A TOML file of cases; the format is described in `docs/reference/golden-cases.md`.

use toml_edit::{Document, Item, TableLike, Value as Toml};

use provender_domain::description::Description;
use provender_domain::value::{DataType, Scalar, Value};

use super::case::{Case, Expectation, Expected};
use super::cell;
use super::error::GoldenError;
use super::set::{Head, Supersede, binds};
use super::toml_part::{At, start, tables};

const FILE_KEYS: [&str; 5] = ["columns", "base", "since", "case", "supersede"];
const CASE_KEYS: [&str; 10] = [
    "name",
    "versions",
    "since",
    "inputs",
    "without",
    "parameters",
    "expect",
    "null",
    "tolerance",
    "fails",
];
const SUPERSEDE_KEYS: [&str; 5] = ["version", "versions", "case", "cases", "reason"];

/// The file with the heads of its cases. A case's body is read later, for a version's declaration.
#[derive(Debug)]
pub(super) struct TomlFile {
    file: String,
    document: Document<String>,
    pub(super) heads: Vec<Head>,
    pub(super) supersedes: Vec<Supersede>,
}

impl TomlFile {
    pub(super) fn parse(file: &str, text: String) -> Result<TomlFile, GoldenError> {
        let document = Document::parse(text).map_err(|e| GoldenError::Parse {
            file: file.to_owned(),
            format: "TOML",
            cause: e.to_string().trim_end().to_owned(),
        })?;
        let mut parsed = TomlFile {
            file: file.to_owned(),
            document,
            heads: Vec::new(),
            supersedes: Vec::new(),
        };
        parsed.heads = parsed.read_heads()?;
        parsed.supersedes = parsed.read_supersedes()?;
        Ok(parsed)
    }

    fn at(&self, owner: String, start: usize) -> At<'_> {
        At {
            file: &self.file,
            text: self.document.raw(),
            owner,
            start,
        }
    }

    fn read_heads(&self) -> Result<Vec<Head>, GoldenError> {
        let root = self.document.as_table();
        let file = self.at(String::new(), 0);
        file.known_keys(root, &FILE_KEYS)?;
        let usual = file.text(root, "since")?;
        let mut heads = Vec::new();
        for (i, case) in tables(&file, root, "case")?.into_iter().enumerate() {
            let at = self.at("case".to_owned(), start(root, "case", i));
            let name = at
                .text(case, "name")?
                .ok_or_else(|| at.no("name", None, "a case needs a name of its own"))?;
            let at = self.at(format!("case `{name}`"), at.start);
            at.known_keys(case, &CASE_KEYS)?;
            let versions = case
                .get("versions")
                .map(|_| at.texts(case, "versions", false))
                .transpose()?;
            let mut since = at.text(case, "since")?;
            if versions.is_none() && since.is_none() {
                since.clone_from(&usual);
            }
            heads.push(Head {
                binds: binds(versions.as_deref(), since.as_deref())
                    .map_err(|problem| at.no("", None, problem))?,
                place: at.place(None),
                name,
            });
        }
        Ok(heads)
    }

    fn read_supersedes(&self) -> Result<Vec<Supersede>, GoldenError> {
        let root = self.document.as_table();
        let file = self.at(String::new(), 0);
        let mut all = Vec::new();
        for (i, entry) in tables(&file, root, "supersede")?.into_iter().enumerate() {
            let at = self.at("supersede".to_owned(), start(root, "supersede", i));
            at.known_keys(entry, &SUPERSEDE_KEYS)?;
            let list = |one: &str, many: &str| -> Result<Vec<String>, GoldenError> {
                let mut names = at.texts(entry, one, true)?;
                names.extend(at.texts(entry, many, false)?);
                if names.is_empty() {
                    let problem = format!("an entry says `{one}` = \"…\" or `{many}` = [\"…\"]");
                    return Err(at.no(one, None, problem));
                }
                Ok(names)
            };
            all.push(Supersede {
                versions: list("version", "versions")?,
                cases: list("case", "cases")?,
                reason: at.text(entry, "reason")?.ok_or_else(|| {
                    at.no(
                        "reason",
                        None,
                        "an entry needs a reason: why does the version not keep this promise?",
                    )
                })?,
                place: at.place(None),
            });
        }
        Ok(all)
    }

    /// Case `index` for a declaration.
    pub(super) fn read(&self, index: usize, d: &Description) -> Result<Case, GoldenError> {
        let root = self.document.as_table();
        let file = self.at(String::new(), 0);
        let head = &self.heads[index];
        let at = self.at(format!("case `{}`", head.name), start(root, "case", index));
        let cases = tables(&file, root, "case")?;
        let case = cases[index];
        let expect = self.expectation(&at, &head.name, case, d)?;
        Ok(Case {
            name: head.name.clone(),
            place: head.place.clone(),
            inputs: self.inputs(&file, &at, case, d)?,
            parameters: parameters(&at, case, d)?,
            expect,
        })
    }

    fn inputs(
        &self,
        file: &At<'_>,
        at: &At<'_>,
        case: &dyn TableLike,
        d: &Description,
    ) -> Result<Vec<Value>, GoldenError> {
        let root = self.document.as_table();
        let columns = file.texts(root, "columns", false)?;
        // A misspelled column would be null in every case.
        if let Some(lacking) = d.inputs.iter().find(|i| !columns.contains(&i.field.name)) {
            return Err(file.no(
                "columns",
                root.get("columns"),
                format!(
                    "{} reads the input `{}`, which is not listed; list every input that any version reads",
                    d.model_version(),
                    lacking.field.name
                ),
            ));
        }
        let base = file.table(root, "base")?;
        let given = at.table(case, "inputs")?;
        let without = at.texts(case, "without", false)?;
        let unknown = |table: Option<&dyn TableLike>| {
            let names = table.into_iter().flat_map(|t| t.iter());
            let mut names = names.map(|(name, _)| name.to_owned());
            names.find(|name| !columns.contains(name))
        };
        let not_listed = |name: &str| format!("the input `{name}` is not in `columns`");
        if let Some(name) = unknown(base) {
            return Err(file.no("base", root.get("base"), not_listed(&name)));
        }
        if let Some(name) = unknown(given) {
            return Err(at.no("inputs", case.get("inputs"), not_listed(&name)));
        }
        if let Some(name) = without.iter().find(|name| !columns.contains(name)) {
            return Err(at.no("without", case.get("without"), not_listed(name)));
        }
        let find = |name: &str| -> Option<&Item> {
            let own = given.and_then(|t| t.get(name));
            let usual = || base.and_then(|t| t.get(name));
            own.or_else(|| usual().filter(|_| !without.iter().any(|w| w == name)))
        };
        let value = |name: &str, data_type: DataType| match find(name) {
            None => Ok(Value::Null),
            Some(item) => toml(item, data_type)
                .map_err(|problem| at.no(&format!("inputs.{name}"), Some(item), problem)),
        };
        d.inputs
            .iter()
            .map(|i| value(&i.field.name, i.field.data_type))
            .collect()
    }

    fn expectation(
        &self,
        at: &At<'_>,
        name: &str,
        case: &dyn TableLike,
        d: &Description,
    ) -> Result<Expectation, GoldenError> {
        if let Some(text) = at.text(case, "fails")? {
            let other = ["expect", "null", "tolerance"];
            return match other.into_iter().find(|key| case.contains_key(key)) {
                Some(key) => Err(at.no(key, case.get(key), "a case that fails gives no outputs")),
                None => Ok(Expectation::Failure(text)),
            };
        }
        let output = |key: &str, item: Option<&Item>, name: &str| {
            let found = d.outputs.iter().position(|o| o.field.name == name);
            found.ok_or_else(|| at.no(key, item, no_output(d, name)))
        };
        let mut expected: Vec<Expected> = Vec::new();
        for (name, item) in at.table(case, "expect")?.into_iter().flat_map(|t| t.iter()) {
            let key = format!("expect.{name}");
            let output = output(&key, Some(item), name)?;
            let data_type = d.outputs[output].field.data_type;
            if is_minus_zero(item) {
                return Err(at.no(&key, Some(item), MINUS_ZERO));
            }
            expected.push(Expected {
                output,
                value: toml(item, data_type).map_err(|p| at.no(&key, Some(item), p))?,
                tolerance: None,
            });
        }
        for name in at.texts(case, "null", false)? {
            let output = output("null", case.get("null"), &name)?;
            if expected.iter().any(|e| e.output == output) {
                let problem = format!("`{name}` is in `expect` too");
                return Err(at.no("null", case.get("null"), problem));
            }
            expected.push(Expected {
                output,
                value: Value::Null,
                tolerance: None,
            });
        }
        for (name, item) in at
            .table(case, "tolerance")?
            .into_iter()
            .flat_map(|t| t.iter())
        {
            let key = format!("tolerance.{name}");
            let output = output(&key, Some(item), name)?;
            let slack = item.as_value().and_then(cell::toml_number);
            let found = expected.iter_mut().find(|e| e.output == output);
            match tolerance(found, slack) {
                Ok(()) => {}
                Err(problem) => return Err(at.no(&key, Some(item), problem)),
            }
        }
        if expected.is_empty() {
            return Err(GoldenError::Incomplete {
                place: at.place(None),
                case: name.to_owned(),
                fields: "expect, null or fails",
            });
        }
        Ok(Expectation::Outputs(expected))
    }
}

/// An output is never −0.0, so that a case which expects it could never pass.
pub(super) const MINUS_ZERO: &str =
    "−0.0 is never given: the sandbox makes it 0.0, so that zero has one set of bits; write 0.0";

fn is_minus_zero(item: &Item) -> bool {
    let number = item.as_value().and_then(cell::toml_number);
    number.is_some_and(|x| x == 0.0 && x.is_sign_negative())
}

/// Sets a tolerance, absolute, in the output's unit.
pub(super) fn tolerance(expected: Option<&mut Expected>, slack: Option<f64>) -> Result<(), String> {
    let slack = slack
        .filter(|s| *s >= 0.0)
        .ok_or("a tolerance is a number from 0 on, in the output's unit")?;
    match expected {
        Some(e) if matches!(e.value, Value::Float64(_)) => {
            e.tolerance = Some(slack);
            Ok(())
        }
        Some(_) => {
            Err("only a float64 has a tolerance; other values are compared as they are".into())
        }
        None => Err("this output has no expected number".into()),
    }
}

pub(super) fn no_output(d: &Description, name: &str) -> String {
    let known: Vec<_> = d.outputs.iter().map(|o| o.field.name.as_str()).collect();
    format!(
        "{} has no output `{name}`; it has {}",
        d.model_version(),
        known.join(", ")
    )
}

pub(super) fn no_parameter(d: &Description, name: &str) -> String {
    let known: Vec<_> = d.parameters.iter().map(|p| p.name.as_str()).collect();
    if known.is_empty() {
        return format!("{} has no parameters", d.model_version());
    }
    format!(
        "{} has no parameter `{name}`; it has {}",
        d.model_version(),
        known.join(", ")
    )
}

fn toml(item: &Item, data_type: DataType) -> Result<Value, String> {
    match item.as_value() {
        Some(value) => cell::of_toml(value, data_type),
        None => Err("a table is not a value".to_owned()),
    }
}

fn parameters(
    at: &At<'_>,
    case: &dyn TableLike,
    d: &Description,
) -> Result<Vec<Scalar>, GoldenError> {
    let set = at.table(case, "parameters")?;
    let named = set.into_iter().flat_map(|t| t.iter());
    for (name, item) in named {
        if !d.parameters.iter().any(|p| p.name == name) {
            return Err(at.no("parameters", Some(item), no_parameter(d, name)));
        }
    }
    d.parameters
        .iter()
        .map(|p| {
            let Some(item) = set.and_then(|t| t.get(&p.name)) else {
                return Ok(p.default.clone());
            };
            let key = format!("parameters.{}", p.name);
            toml(item, p.default.data_type())
                .and_then(|v| cell::scalar(v).ok_or_else(|| "a parameter is one value".to_owned()))
                .map_err(|problem| at.no(&key, Some(item), problem))
        })
        .collect()
}

/// A value in TOML, exactly.
pub(super) fn render(value: &Value) -> Option<Toml> {
    Some(match value {
        Value::Null => return None,
        Value::Float64(x) => Toml::from(*x),
        Value::Int64(i) => Toml::from(*i),
        Value::Boolean(b) => Toml::from(*b),
        Value::Date(day) => match day.to_string().parse::<toml_edit::Datetime>() {
            Ok(date) => Toml::from(date),
            Err(_) => Toml::from(day.to_string()),
        },
        Value::Text(text) => Toml::from(text.as_str()),
        Value::Series(points) => {
            let point = |(day, x): &(provender_domain::day::Day, f64)| {
                let mut pair = toml_edit::Array::new();
                pair.push(day.to_string());
                pair.push(*x);
                Toml::Array(pair)
            };
            Toml::Array(points.iter().map(point).collect())
        }
    })
}
