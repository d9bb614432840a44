//! Golden cases in an author's own `cargo test`, through the same row loop as in the component:
//! values become columns, the columns a call, its columns values again.
//!
//! A folder `cases/NAME/` holds the cases of a logic, for all of its versions, as TOML:
//!
//! ```toml
//! columns = ["area_ha", "forage_kg_per_ha"]  # every input that any version reads
//!
//! [base]                     # inputs that hold where a case does not say otherwise
//! area_ha = 40.0
//!
//! [[case]]
//! name = "no forage is no grazing"
//! versions = ["v1"]          # without: every version; a version that supersedes a case is left out
//! inputs = { forage_kg_per_ha = 0.0 }   # what neither this nor `base` names is null
//! without = ["area_ha"]      # inputs of `base` that are null here
//! parameters = { }           # what is not named has its default
//! expect = { days_of_grazing_remaining = 0.0 }   # outputs that are not named are not compared
//! null = ["reason"]          # outputs that must be null
//! tolerance = { days_of_grazing_remaining = 1e-9 }   # absolute; without: the very bits
//! fails = "negative"         # instead of expect: the call fails, and its message holds this
//! ```
//!
//! Dates are TOML dates or texts `YYYY-MM-DD`, a series is `[["2025-06-01", -1.5], …]`.

use std::path::Path;

use crate::Day;
use crate::contract::{
    Column, DataType, Description, Failure, Guest, Scalar, SeriesValues, TextValues, Values,
};

/// One value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A number.
    Float64(f64),
    /// An integer.
    Int64(i64),
    /// True or false.
    Boolean(bool),
    /// A day.
    Date(Day),
    /// A text.
    Text(String),
    /// Dated observations, oldest first.
    Series(Vec<(Day, f64)>),
}

/// Runs every case of a folder against a logic: each case by itself, then all cases of equal
/// parameters as one call, whose rows must have the same bits.
///
/// # Panics
/// With every difference found, or when the folder holds no case for this version.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub fn golden<L: Guest>(folder: &str) {
    let description = L::describe();
    let mut wrong = declaration_problems(&description);
    let cases = match read_cases(Path::new(folder), &description) {
        Ok(cases) => cases,
        Err(problem) => panic!("{problem}"),
    };
    assert!(
        !cases.is_empty(),
        "{folder} holds no case for {}",
        description.version
    );
    for case in &cases {
        let found = compute::<L>(
            &description,
            &case.parameters,
            std::slice::from_ref(&case.inputs),
        );
        match (found, &case.fails) {
            (Ok(rows), None) => case.compare(&description, &rows[0], &mut wrong),
            (Ok(_), Some(text)) => wrong.push(format!(
                "{}: should fail with `{text}`, and does not",
                case.name
            )),
            (Err(failure), Some(text)) if failure.contains(text.as_str()) => {}
            (Err(failure), _) => wrong.push(format!("{}: fails: {failure}", case.name)),
        }
    }
    // A call of no good rows has nothing to compare.
    for case in cases.iter().filter(|c| c.fails.is_none()) {
        let like: Vec<_> = cases
            .iter()
            .filter(|c| c.parameters == case.parameters && c.fails.is_none())
            .collect();
        let rows: Vec<_> = like.iter().map(|c| c.inputs.clone()).collect();
        let together = compute::<L>(&description, &case.parameters, &rows);
        let alone = like
            .iter()
            .map(|c| compute::<L>(&description, &c.parameters, std::slice::from_ref(&c.inputs)));
        let alone: Result<Vec<_>, _> = alone.map(|r| r.map(|mut rows| rows.remove(0))).collect();
        if format!("{together:?}") != format!("{alone:?}") {
            wrong.push(format!(
                "{}: its rows in one call differ from calls of one row each",
                case.name
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        description.name,
        description.version,
        wrong.join("\n")
    );
}

/// Computes rows of cells, natively. The error is the failure in words.
///
/// # Errors
/// When the logic refuses the call.
pub fn compute<L: Guest>(
    description: &Description,
    parameters: &[Scalar],
    rows: &[Vec<Cell>],
) -> Result<Vec<Vec<Cell>>, String> {
    let kinds = description.inputs.iter().map(|i| i.field.data_type);
    let columns = kinds
        .enumerate()
        .map(|(i, kind)| column(kind, rows.iter().map(|r| &r[i])))
        .collect();
    let count = u32::try_from(rows.len()).map_err(|e| e.to_string())?;
    let columns =
        L::compute(count, parameters.to_vec(), columns).map_err(|failure| match failure {
            Failure::InvalidParameter((name, message)) => format!("parameter `{name}`: {message}"),
            Failure::InvalidInput((name, row, message)) => {
                format!("input `{name}`, row {row:?}: {message}")
            }
            Failure::Internal(message) => message,
        })?;
    Ok((0..rows.len())
        .map(|row| columns.iter().map(|c| cell(c, row)).collect())
        .collect())
}

/// What a host would refuse in a declaration that compiles: names that are used twice or lead
/// nowhere.
#[must_use]
pub fn declaration_problems(d: &Description) -> Vec<String> {
    let mut problems = Vec::new();
    let inputs: Vec<_> = d.inputs.iter().map(|i| i.field.name.as_str()).collect();
    let outputs: Vec<_> = d.outputs.iter().map(|o| o.field.name.as_str()).collect();
    let parameters: Vec<_> = d.parameters.iter().map(|p| p.name.as_str()).collect();
    for (kind, names) in [
        ("input", &inputs),
        ("output", &outputs),
        ("parameter", &parameters),
    ] {
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                problems.push(format!("{kind} `{name}` is declared twice"));
            }
        }
    }
    for g in &d.guardrails {
        for bound in [&g.minimum, &g.maximum].into_iter().flatten() {
            if let crate::contract::Bound::Parameter(p) = bound
                && !parameters.contains(&p.as_str())
            {
                problems.push(format!(
                    "the guardrail of `{}` names the unknown parameter `{p}`",
                    g.output
                ));
            }
        }
    }
    for m in &d.monitors {
        if let Some(s) = m
            .subject
            .as_deref()
            .filter(|s| !outputs.contains(s) && !inputs.contains(s))
        {
            problems.push(format!(
                "the monitor {} looks at the unknown column `{s}`",
                m.metric
            ));
        }
    }
    problems
}

struct Case {
    name: String,
    inputs: Vec<Cell>,
    parameters: Vec<Scalar>,
    /// Name, value, absolute tolerance.
    expect: Vec<(String, Cell, Option<f64>)>,
    fails: Option<String>,
}

impl Case {
    fn compare(&self, d: &Description, row: &[Cell], wrong: &mut Vec<String>) {
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

fn read_cases(folder: &Path, d: &Description) -> Result<Vec<Case>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "toml"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let bad = |e: String| format!("{}: {e}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|e| bad(e.to_string()))?;
        let table: toml::Table = text
            .parse()
            .map_err(|e: toml::de::Error| bad(e.to_string()))?;
        let columns = texts(&table, "columns");
        let of_this_version = |case: &toml::Value| {
            let case = case.as_table();
            case.is_some_and(|c| {
                !c.contains_key("versions") || texts(c, "versions").contains(&d.version)
            })
        };
        let listed = table.get("case").and_then(toml::Value::as_array);
        if !listed.is_some_and(|cases| cases.iter().any(of_this_version)) {
            continue;
        }
        if let Some(i) = d.inputs.iter().find(|i| !columns.contains(&i.field.name)) {
            return Err(bad(format!("`columns` lacks the input `{}`", i.field.name)));
        }
        for case in table
            .get("case")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(case) = case.as_table() else {
                continue;
            };
            let name = case
                .get("name")
                .and_then(toml::Value::as_str)
                .unwrap_or("(a case without a name)");
            let read = read_case(name, case, &columns, sub(&table, "base"), d);
            cases.extend(read.map_err(|e| bad(format!("{name}: {e}")))?);
        }
    }
    Ok(cases)
}

/// The case, or `None` when it is not for this version.
fn read_case(
    name: &str,
    case: &toml::Table,
    columns: &[String],
    base: &toml::Table,
    d: &Description,
) -> Result<Option<Case>, String> {
    const KEYS: [&str; 9] = [
        "name",
        "versions",
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
    if case.contains_key("versions") && !texts(case, "versions").contains(&d.version) {
        return Ok(None);
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
            tolerance.get(output).and_then(toml::Value::as_float),
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
    Ok(Some(Case {
        name: name.to_owned(),
        inputs,
        parameters,
        expect,
        fails,
    }))
}

fn sub<'t>(table: &'t toml::Table, key: &str) -> &'t toml::Table {
    static EMPTY: std::sync::LazyLock<toml::Table> = std::sync::LazyLock::new(toml::Table::new);
    table
        .get(key)
        .and_then(toml::Value::as_table)
        .unwrap_or(&EMPTY)
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

fn number(value: &toml::Value) -> Option<f64> {
    value
        .as_float()
        .or_else(|| value.as_integer().map(|i| i as f64))
}

fn day(value: &toml::Value) -> Option<Day> {
    match value {
        toml::Value::Datetime(date) => Day::parse(&date.to_string()),
        other => Day::parse(other.as_str()?),
    }
}

/// Cells of one type as a column; a cell of another type counts as null.
#[must_use]
pub fn column<'c>(kind: DataType, cells: impl Iterator<Item = &'c Cell>) -> Column {
    let cells: Vec<_> = cells.collect();
    let mut validity = vec![0; cells.len().div_ceil(8)];
    for (row, _) in cells
        .iter()
        .enumerate()
        .filter(|(_, c)| !matches!(c, Cell::Null))
    {
        validity[row / 8] |= 1 << (row % 8);
    }
    macro_rules! plain {
        ($kind:ident, |$v:ident| $slot:expr) => {
            Values::$kind(
                cells
                    .iter()
                    .map(|c| match c {
                        Cell::$kind($v) => $slot,
                        _ => Default::default(),
                    })
                    .collect(),
            )
        };
    }
    let values = match kind {
        DataType::Float64 => plain!(Float64, |v| *v),
        DataType::Int64 => plain!(Int64, |v| *v),
        DataType::Date => plain!(Date, |v| v.days()),
        DataType::Boolean => {
            let mut bits = vec![0; cells.len().div_ceil(8)];
            for (row, _) in cells
                .iter()
                .enumerate()
                .filter(|(_, c)| ***c == Cell::Boolean(true))
            {
                bits[row / 8] |= 1 << (row % 8);
            }
            Values::Boolean(bits)
        }
        DataType::Text => {
            let mut text = TextValues {
                offsets: vec![0],
                bytes: Vec::new(),
            };
            for c in &cells {
                if let Cell::Text(t) = c {
                    text.bytes.extend_from_slice(t.as_bytes());
                }
                text.offsets.push(text.bytes.len() as u32);
            }
            Values::Text(text)
        }
        DataType::Series => {
            let mut series = SeriesValues {
                offsets: vec![0],
                dates: Vec::new(),
                values: Vec::new(),
            };
            for c in &cells {
                if let Cell::Series(points) = c {
                    series.dates.extend(points.iter().map(|(d, _)| d.days()));
                    series.values.extend(points.iter().map(|(_, v)| *v));
                }
                series.offsets.push(series.values.len() as u32);
            }
            Values::Series(series)
        }
    };
    let any_null = cells.iter().any(|c| **c == Cell::Null);
    Column {
        values,
        validity: any_null.then_some(validity),
    }
}

/// A row of a column that a logic gave.
///
/// # Panics
/// When the column is shorter than it should be.
#[must_use]
pub fn cell(column: &Column, row: usize) -> Cell {
    let bit = |bits: &[u8]| bits[row / 8] >> (row % 8) & 1 == 1;
    if column.validity.as_ref().is_some_and(|v| !bit(v)) {
        return Cell::Null;
    }
    match &column.values {
        Values::Float64(v) => Cell::Float64(v[row]),
        Values::Int64(v) => Cell::Int64(v[row]),
        Values::Boolean(v) => Cell::Boolean(bit(v)),
        Values::Date(v) => Day::from_days(v[row]).map_or(Cell::Null, Cell::Date),
        Values::Text(t) => {
            let bytes = &t.bytes[t.offsets[row] as usize..t.offsets[row + 1] as usize];
            Cell::Text(String::from_utf8_lossy(bytes).into_owned())
        }
        Values::Series(s) => {
            let span = s.offsets[row] as usize..s.offsets[row + 1] as usize;
            let days = s.dates[span.clone()]
                .iter()
                .filter_map(|d| Day::from_days(*d));
            Cell::Series(days.zip(s.values[span].iter().copied()).collect())
        }
    }
}
