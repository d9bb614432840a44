//! Golden cases in an author's own `cargo test`, through the same row loop as in the component:
//! values become columns, the columns a call, its columns values again.
//!
//! A folder `cases/NAME/` holds the cases of a logic, for all of its versions, as TOML or CSV. The
//! format is on one page, `docs/reference/golden-cases.md`; `provender plugin test` runs the same
//! files in the sandbox. In short:
//!
//! ```toml
//! columns = ["area_ha", "forage_kg_per_ha"]  # every input that any version reads
//!
//! [base]                     # inputs of every case that does not set them itself
//! area_ha = 40.0
//!
//! [[case]]
//! name = "no forage is no grazing"
//! since = "v2"               # without: every version; `versions = ["v1"]` names them one by one
//! inputs = { forage_kg_per_ha = 0.0 }   # what neither this nor `base` names is null
//! without = ["area_ha"]      # inputs of `base` that are null here
//! parameters = { }           # what is not named has its default
//! expect = { days_of_grazing_remaining = 0.0 }   # outputs that are not named are not compared
//! null = ["reason"]          # outputs that must be null
//! tolerance = { days_of_grazing_remaining = 1e-9 }   # absolute; without: the very bits
//! fails = "negative"         # instead of expect: the call fails, and its message holds this
//!
//! [[supersede]]              # a version that keeps a case no longer says so, and why
//! version = "v3"
//! case = "no forage is no grazing"
//! reason = "v3 counts what the herd is fed"
//! ```
//!
//! * `cases`: the folder and its TOML files
//! * `csv_file`: its CSV files
//! * `number`: numbers in decimal and in hexadecimal, `0x1.8p3`

mod cases;
mod csv_file;
mod number;

use std::path::Path;

use crate::Day;
use crate::contract::{
    Column, DataType, Description, Failure, Guest, Scalar, SeriesValues, TextValues, Values,
};

use cases::read_cases;

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
            // In the host's words, so that a case's `fails` fits both.
            Failure::InvalidParameter((name, message)) => {
                format!("the parameter `{name}` is refused: {message}")
            }
            Failure::InvalidInput((name, _, message)) => {
                format!("the input `{name}` is refused: {message}")
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
