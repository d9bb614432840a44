//! A folder of cases, and its TOML files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::Day;
use crate::contract::{DataType, Description, Scalar};

use super::{Cell, csv_file, number};

/// One case, for this version.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) inputs: Vec<Cell>,
    pub(super) parameters: Vec<Scalar>,
    /// Name, value, absolute tolerance.
    expect: Vec<(String, Cell, Option<f64>)>,
    pub(super) fails: Option<String>,
}

impl Case {
    pub(super) fn compare(&self, d: &Description, row: &[Cell], wrong: &mut Vec<String>) {
        for (name, wanted, tolerance) in &self.expect {
            let at = d.outputs.iter().position(|o| o.field.name == *name);
            let Some(got) = at.and_then(|i| row.get(i)) else {
                wrong.push(format!("{}: there is no output `{name}`", self.name));
                continue;
            };
            let same = match (wanted, got, tolerance) {
                (Cell::Float64(a), Cell::Float64(b), Some(t)) => (a - b).abs() <= *t,
                (Cell::Float64(a), Cell::Float64(b), None) => a.to_bits() == b.to_bits(),
                _ => wanted == got,
            };
            if !same {
                wrong.push(format!(
                    "{}: {name}: expected {wanted:?}, got {got:?}",
                    self.name
                ));
            }
        }
    }
}

/// The cases of a folder that this version runs.
///
/// # Errors
/// With the first mistake: a file that is not of the format, a name that two cases have, a case
/// that leaves this version out and nothing that says why.
pub(super) fn read_cases(folder: &Path, d: &Description) -> Result<Vec<Case>, String> {
    let files = read_files(folder, d)?;
    let left_out = superseded(&files, d)?;
    let mut names = BTreeSet::new();
    let mut cases = Vec::new();
    for (file, table) in &files {
        let bad = |e: String| format!("{}: {e}", file.display());
        for case in tables(table, "case") {
            let name = case
                .get("name")
                .and_then(toml::Value::as_str)
                .filter(|name| !name.trim().is_empty())
                .ok_or_else(|| bad("a case needs a name of its own".into()))?;
            let bad = |e: String| bad(format!("{name}: {e}"));
            if !names.insert(name) {
                return Err(bad("two cases have this name".into()));
            }
            if left_out.contains(name) || !binds(table, case, d).map_err(bad)? {
                continue;
            }
            cases.push(read_case(name, case, table, d).map_err(bad)?);
        }
    }
    match left_out.iter().find(|name| !names.contains(name.as_str())) {
        Some(name) => Err(format!(
            "a [[supersede]] names the case `{name}`, which is not there"
        )),
        None => Ok(cases),
    }
}

fn read_files(folder: &Path, d: &Description) -> Result<Vec<(PathBuf, toml::Table)>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for file in paths {
        let bad = |e: String| format!("{}: {e}", file.display());
        let read = || std::fs::read_to_string(&file).map_err(|e| bad(e.to_string()));
        let table = match file.extension().and_then(|e| e.to_str()) {
            Some("toml") => read()?
                .parse()
                .map_err(|e: toml::de::Error| bad(e.to_string()))?,
            Some("csv") => csv_file::read(&read()?, d).map_err(bad)?,
            _ => continue,
        };
        files.push((file, table));
    }
    Ok(files)
}

/// The cases that this version does not keep, each with a reason.
fn superseded(
    files: &[(PathBuf, toml::Table)],
    d: &Description,
) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    for (file, table) in files {
        for entry in tables(table, "supersede") {
            let bad = |e: &str| format!("{}: a [[supersede]] {e}", file.display());
            let list = |one: &str, many: &str| {
                let single = entry.get(one).and_then(toml::Value::as_str);
                let mut all = texts(entry, many);
                all.extend(single.map(str::to_owned));
                all
            };
            let (versions, cases) = (list("version", "versions"), list("case", "cases"));
            if versions.is_empty() || cases.is_empty() {
                return Err(bad("names a version and a case"));
            }
            let reason = entry.get("reason").and_then(toml::Value::as_str);
            if reason.is_none_or(|r| r.trim().is_empty()) {
                return Err(bad("needs a reason"));
            }
            if versions.contains(&d.version) {
                names.extend(cases);
            }
        }
    }
    Ok(names)
}

fn version(text: &str) -> Result<u32, String> {
    let number = text.strip_prefix('v').and_then(|n| n.parse().ok());
    number.ok_or_else(|| format!("`{text}` is not a version: a version is v1, v2 and so on"))
}

/// Whether this version runs a case. A case that leaves it out needs a `[[supersede]]`.
fn binds(file: &toml::Table, case: &toml::Table, d: &Description) -> Result<bool, String> {
    let text = |table: &toml::Table| {
        let since = table.get("since").and_then(toml::Value::as_str);
        since.map(str::to_owned)
    };
    let (own, named) = (text(case), case.contains_key("versions"));
    if own.is_some() && named {
        return Err("`versions` and `since` exclude each other".into());
    }
    if named && !texts(case, "versions").contains(&d.version) {
        return Err(format!(
            "it leaves out {}, and no [[supersede]] says why",
            d.version
        ));
    }
    match own.or_else(|| text(file).filter(|_| !named)) {
        Some(since) => Ok(version(&d.version)? >= version(&since)?),
        None => Ok(true),
    }
}

fn read_case(
    name: &str,
    case: &toml::Table,
    file: &toml::Table,
    d: &Description,
) -> Result<Case, String> {
    const KEYS: [&str; 10] = [
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
    if let Some(key) = case.keys().find(|k| !KEYS.contains(&k.as_str())) {
        return Err(format!("the key `{key}` is unknown"));
    }
    let (columns, base) = (texts(file, "columns"), sub(file, "base"));
    if let Some(i) = d.inputs.iter().find(|i| !columns.contains(&i.field.name)) {
        return Err(format!("`columns` lacks the input `{}`", i.field.name));
    }
    let (given, without) = (sub(case, "inputs"), texts(case, "without"));
    let mut named = given.keys().chain(base.keys()).chain(&without);
    if let Some(unknown) = named.find(|n| !columns.contains(n)) {
        return Err(format!("the input `{unknown}` is not in `columns`"));
    }
    let mut inputs = Vec::new();
    for input in &d.inputs {
        let field = &input.field;
        let fallback = base
            .get(&field.name)
            .filter(|_| !without.contains(&field.name));
        inputs.push(match given.get(&field.name).or(fallback) {
            Some(value) => {
                read_cell(value, field.data_type).map_err(|e| format!("{}: {e}", field.name))?
            }
            None => Cell::Null,
        });
    }
    let set = sub(case, "parameters");
    if let Some(unknown) = set
        .keys()
        .find(|k| !d.parameters.iter().any(|p| p.name == **k))
    {
        return Err(format!("there is no parameter `{unknown}`"));
    }
    let mut parameters = Vec::new();
    for p in &d.parameters {
        parameters.push(match set.get(&p.name) {
            Some(value) => {
                read_scalar(value, &p.default).map_err(|e| format!("{}: {e}", p.name))?
            }
            None => p.default.clone(),
        });
    }
    let tolerance = sub(case, "tolerance");
    let mut expect = Vec::new();
    for (output, value) in sub(case, "expect") {
        let found = d.outputs.iter().find(|o| o.field.name == *output);
        let kind = found
            .ok_or_else(|| format!("there is no output `{output}`"))?
            .field
            .data_type;
        let value = read_cell(value, kind).map_err(|e| format!("{output}: {e}"))?;
        expect.push((
            output.clone(),
            value,
            tolerance.get(output).and_then(number),
        ));
    }
    expect.extend(
        texts(case, "null")
            .into_iter()
            .map(|output| (output, Cell::Null, None)),
    );
    let fails = case
        .get("fails")
        .and_then(toml::Value::as_str)
        .map(str::to_owned);
    if expect.is_empty() && fails.is_none() {
        return Err("it expects nothing".into());
    }
    Ok(Case {
        name: name.to_owned(),
        inputs,
        parameters,
        expect,
        fails,
    })
}

fn sub<'t>(table: &'t toml::Table, key: &str) -> &'t toml::Table {
    static EMPTY: std::sync::LazyLock<toml::Table> = std::sync::LazyLock::new(toml::Table::new);
    table
        .get(key)
        .and_then(toml::Value::as_table)
        .unwrap_or(&EMPTY)
}

/// The tables of `[[key]]`.
fn tables<'t>(table: &'t toml::Table, key: &str) -> impl Iterator<Item = &'t toml::Table> {
    let all = table.get(key).and_then(toml::Value::as_array);
    all.into_iter().flatten().filter_map(toml::Value::as_table)
}

fn texts(table: &toml::Table, key: &str) -> Vec<String> {
    let all = table.get(key).and_then(toml::Value::as_array);
    all.into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

fn read_cell(value: &toml::Value, kind: DataType) -> Result<Cell, String> {
    let bad = || format!("{value} is not a value of the type {kind:?}");
    Ok(match kind {
        DataType::Float64 => Cell::Float64(number(value).ok_or_else(bad)?),
        DataType::Int64 => Cell::Int64(value.as_integer().ok_or_else(bad)?),
        DataType::Boolean => Cell::Boolean(value.as_bool().ok_or_else(bad)?),
        DataType::Date => Cell::Date(day(value).ok_or_else(bad)?),
        DataType::Text => Cell::Text(value.as_str().ok_or_else(bad)?.to_owned()),
        DataType::Series => {
            let points = value.as_array().ok_or_else(bad)?.iter();
            let point = |p: &toml::Value| Some((day(p.get(0)?)?, number(p.get(1)?)?));
            Cell::Series(
                points
                    .map(|p| point(p).ok_or_else(bad))
                    .collect::<Result<_, _>>()?,
            )
        }
    })
}

fn read_scalar(value: &toml::Value, like: &Scalar) -> Result<Scalar, String> {
    let kind = match like {
        Scalar::Float64(_) => DataType::Float64,
        Scalar::Int64(_) => DataType::Int64,
        Scalar::Boolean(_) => DataType::Boolean,
        Scalar::Date(_) => DataType::Date,
        Scalar::Text(_) => DataType::Text,
    };
    Ok(match read_cell(value, kind)? {
        Cell::Float64(v) => Scalar::Float64(v),
        Cell::Int64(v) => Scalar::Int64(v),
        Cell::Boolean(v) => Scalar::Boolean(v),
        Cell::Date(v) => Scalar::Date(v.days()),
        Cell::Text(v) => Scalar::Text(v),
        Cell::Null | Cell::Series(_) => return Err("a parameter is a single value".into()),
    })
}

/// A number, or a text in one of the spellings of [`number::parse`].
fn number(value: &toml::Value) -> Option<f64> {
    match value {
        toml::Value::Float(x) => Some(*x),
        toml::Value::Integer(i) => Some(*i as f64),
        toml::Value::String(text) => number::parse(text),
        _ => None,
    }
}

fn day(value: &toml::Value) -> Option<Day> {
    match value {
        toml::Value::Datetime(date) => Day::parse(&date.to_string()),
        other => Day::parse(other.as_str()?),
    }
}
