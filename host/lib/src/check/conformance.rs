//! The conformance run: a row's outputs must not depend on the other rows of its batch, and for any inputs
//! the component must answer or report that it cannot.
//!
//! A row that a component refuses by a declared failure (`invalid-input`) is an answer; a trap, a
//! limit, a number that is not finite and a null where none is declared are not.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::column::Column;
use provender_domain::description::Description;
use provender_domain::value::{Scalar, Value};
use provender_sandbox::{Component, Computed, FailureCode, LogicError};

use super::{bounds, values};

/// How a part of the run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ConformanceStatus")]
pub enum Status {
    /// It passed.
    Ok,
    /// It failed.
    Failed,
}

/// One part of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Conformance {
    /// The name of the check.
    pub name: &'static str,
    /// Its result.
    pub status: Status,
    /// The number of rows, or the first row that failed, with its inputs.
    pub detail: String,
}

/// The number of rows that are computed one by one.
const SINGLE: usize = 48;

/// Runs a component over the rows of `values` in several ways.
///
/// # Errors
/// When the host itself fails.
pub(super) fn run(component: &Component) -> Result<Vec<Conformance>, LogicError> {
    let rows = values::rows(&component.description().inputs);
    let inputs = columns(component.description(), rows.iter());
    let defaults = component.description().parameters.iter();
    let run = Run {
        component,
        parameters: defaults.map(|p| p.default.clone()).collect(),
        inputs: &inputs,
        rows: &rows,
    };
    let whole = run.compute(&run.few())?;
    Ok(vec![
        run.empty()?,
        run.single(
            "an ordinary row",
            values::ordinary(&component.description().inputs),
        )?,
        run.single(
            "a row of nulls",
            values::nulls(&component.description().inputs),
        )?,
        run.answers(&whole),
        bounds::run(&run)?,
        run.twice(&whole)?,
        run.reversed(&whole)?,
        run.split(&whole)?,
        run.full(&whole)?,
    ])
}

/// A component with its parameters and the rows that it is given.
pub(super) struct Run<'a> {
    pub(super) component: &'a Component,
    pub(super) parameters: Vec<Scalar>,
    pub(super) inputs: &'a [Column],
    pub(super) rows: &'a [Vec<Value>],
}

impl Run<'_> {
    /// The batches that production would make of the rows.
    pub(super) fn few(&self) -> Vec<Range<usize>> {
        let (rows, size) = (
            self.rows.len(),
            self.component.batch(self.inputs, self.rows.len()),
        );
        let starts = (0..rows).step_by(size.max(1));
        starts
            .map(|from| from..rows.min(from + size.max(1)))
            .collect()
    }

    pub(super) fn compute(&self, batches: &[Range<usize>]) -> Result<Computed, LogicError> {
        self.component
            .compute_in_batches(&self.parameters, self.inputs, self.rows.len(), batches)
    }

    fn empty(&self) -> Result<Conformance, LogicError> {
        let probe = self.component.probe(&self.parameters, self.inputs, 0..0)?;
        Ok(match probe.result {
            Ok(_) => held("an empty batch", "no rows in, no rows out".to_owned()),
            Err((code, cause)) => failed("an empty batch", format!("{}: {cause}", code.code())),
        })
    }

    fn single(&self, name: &'static str, row: Vec<Value>) -> Result<Conformance, LogicError> {
        let inputs = columns(self.component.description(), std::iter::once(&row));
        let computed = self.component.compute(&self.parameters, &inputs, 1)?;
        Ok(match computed.failed.first() {
            Some(f) if !declared(f.code) => {
                failed(name, format!("{}: {}", self.row_text(&row), f.message))
            }
            Some(f) => held(name, format!("refused by itself: {}", f.message)),
            None => held(name, "answered".to_owned()),
        })
    }

    /// Checks that every row has an answer, or a refusal that the contract allows.
    pub(super) fn answers(&self, whole: &Computed) -> Conformance {
        let name = "extreme values";
        let undeclared: Vec<_> = whole.failed.iter().filter(|f| !declared(f.code)).collect();
        let Some(first) = undeclared.first() else {
            return held(
                name,
                match whole.failed.len() {
                    0 => format!("{} rows answered", self.rows.len()),
                    n => format!(
                        "{} rows answered, {n} refused by the component itself",
                        self.rows.len() - n
                    ),
                },
            );
        };
        failed(
            name,
            format!(
                "{} of {} rows failed; the first is {}: {}",
                undeclared.len(),
                self.rows.len(),
                self.row_text(&self.rows[first.row]),
                first.message
            ),
        )
    }

    fn twice(&self, whole: &Computed) -> Result<Conformance, LogicError> {
        let again = self.compute(&self.few())?;
        Ok(self.compare("the same rows twice", whole, &again, |row| row))
    }

    fn reversed(&self, whole: &Computed) -> Result<Conformance, LogicError> {
        let last = self.rows.len().saturating_sub(1);
        let inputs = columns(self.component.description(), self.rows.iter().rev());
        let other = self.component.compute_in_batches(
            &self.parameters,
            &inputs,
            self.rows.len(),
            &self.few(),
        )?;
        Ok(self.compare("the rows in another order", whole, &other, |row| last - row))
    }

    /// Some rows one by one, the others in batches of many sizes; then the same calls one after the
    /// other in one instance, as production makes them where there are many rows.
    fn split(&self, whole: &Computed) -> Result<Conformance, LogicError> {
        let name = "the rows in other batches";
        let calls = self.many();
        let apart = self.compare(name, whole, &self.compute(&calls)?, |row| row);
        if apart.status == Status::Failed {
            return Ok(apart);
        }
        let together = self.component.compute_in_one_batch(
            &self.parameters,
            self.inputs,
            self.rows.len(),
            &calls,
        )?;
        Ok(self.compare(name, whole, &together, |row| row))
    }

    pub(super) fn many(&self) -> Vec<Range<usize>> {
        let rows = self.rows.len();
        let mut batches: Vec<_> = (0..rows.min(SINGLE)).map(|i| i..i + 1).collect();
        let (mut from, mut size) = (rows.min(SINGLE), 2);
        while from < rows {
            let to = rows.min(from + size);
            batches.push(from..to);
            (from, size) = (to, size + 5);
        }
        batches
    }

    /// Repeats the rows that have an answer until one full production batch is filled. This finds components that
    /// count rows, or whose fuel grows faster than the number of rows.
    fn full(&self, whole: &Computed) -> Result<Conformance, LogicError> {
        let name = "a full batch";
        let good: Vec<usize> = (0..self.rows.len())
            .filter(|row| !whole.failed.iter().any(|f| f.row == *row))
            .collect();
        if good.is_empty() {
            return Ok(held(name, "no row has an answer".to_owned()));
        }
        let most = self.component.limits().batch_rows;
        let rows = good.iter().cycle().take(most).map(|row| &self.rows[*row]);
        let inputs = columns(self.component.description(), rows);
        let size = self.component.batch(&inputs, most);
        let probe = self.component.probe(&self.parameters, &inputs, 0..size)?;
        let outputs = match probe.result {
            Ok(outputs) => outputs,
            Err((code, cause)) => {
                let detail = format!(
                    "{size} rows that have an answer in smaller batches fail together ({}): {cause}",
                    code.code()
                );
                return Ok(failed(name, detail));
            }
        };
        for (place, row) in good.iter().cycle().take(size).enumerate() {
            if let Some(detail) = self.difference(*row, &whole.outputs, *row, &outputs, place) {
                return Ok(failed(name, detail));
            }
        }
        Ok(held(name, format!("{size} rows with the same bits")))
    }

    /// The first output in which row `a` of `one` differs from row `b` of `two`.
    fn difference(
        &self,
        values: usize,
        one: &[Column],
        a: usize,
        two: &[Column],
        b: usize,
    ) -> Option<String> {
        let outputs = &self.component.description().outputs;
        outputs
            .iter()
            .zip(one.iter().zip(two))
            .find_map(|(output, (x, y))| {
                let (x, y) = (x.get(a), y.get(b));
                (!same_bits(&x, &y)).then(|| {
                    format!(
                        "{}: `{}` was {} and is then {}",
                        self.row_text(&self.rows[values]),
                        output.field.name,
                        x.to_json(),
                        y.to_json()
                    )
                })
            })
    }

    /// Compares two runs. `place` maps a row of the first run to its index in the second.
    pub(super) fn compare(
        &self,
        name: &'static str,
        one: &Computed,
        two: &Computed,
        place: impl Fn(usize) -> usize,
    ) -> Conformance {
        let failure = |computed: &Computed, row: usize| {
            computed
                .failed
                .iter()
                .find(|f| f.row == row)
                .map(|f| f.code)
        };
        for (row, values) in self.rows.iter().enumerate() {
            let (a, b) = (failure(one, row), failure(two, place(row)));
            if a != b {
                let say = |code: Option<FailureCode>| {
                    code.map_or_else(
                        || "an answer".to_owned(),
                        |c| format!("a failure ({})", c.code()),
                    )
                };
                return failed(
                    name,
                    format!(
                        "{}: {} first, then {}",
                        self.row_text(values),
                        say(a),
                        say(b)
                    ),
                );
            }
            let difference = self.difference(row, &one.outputs, row, &two.outputs, place(row));
            if let Some(detail) = difference {
                return failed(name, detail);
            }
        }
        held(name, format!("{} rows with the same bits", self.rows.len()))
    }

    /// A row's inputs as text; for a wide row only those that are not ordinary.
    fn row_text(&self, row: &[Value]) -> String {
        const MOST: usize = 60;
        const WIDE: usize = 12;
        let declared = &self.component.description().inputs;
        let ordinary = values::ordinary(declared);
        let differ = row.iter().zip(&ordinary).filter(|(v, o)| !same_bits(v, o));
        let wide = row.len() > WIDE && differ.count() <= WIDE;
        let shown: Vec<_> = declared
            .iter()
            .zip(row.iter().zip(&ordinary))
            .filter(|(_, (value, ordinary))| !wide || !same_bits(value, ordinary))
            .map(|(input, (value, _))| {
                let text = match value {
                    Value::Series(points) => format!("a series of {}", points.len()),
                    other => other.to_json().to_string(),
                };
                let cut: String = text.chars().take(MOST).collect();
                let dots = if cut.len() < text.len() { "…" } else { "" };
                format!("{} = {cut}{dots}", input.field.name)
            })
            .collect();
        match (row.len() - shown.len(), shown.is_empty()) {
            (0, _) => format!("the row ({})", shown.join(", ")),
            (_, true) => "the ordinary row".to_owned(),
            (others, false) => format!(
                "the row ({}, the other {others} inputs ordinary)",
                shown.join(", ")
            ),
        }
    }
}

fn same_bits(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float64(x), Value::Float64(y)) => x.to_bits() == y.to_bits(),
        _ => a == b,
    }
}

/// Whether the contract allows this refusal.
fn declared(code: FailureCode) -> bool {
    matches!(
        code,
        FailureCode::InvalidInput | FailureCode::InvalidParameter
    )
}

fn columns<'r>(
    description: &Description,
    rows: impl Iterator<Item = &'r Vec<Value>> + Clone,
) -> Vec<Column> {
    description
        .inputs
        .iter()
        .enumerate()
        .map(|(n, input)| {
            let mut column = Column::new(input.field.data_type);
            for row in rows.clone() {
                column.push(&row[n]);
            }
            column
        })
        .collect()
}

pub(super) fn held(name: &'static str, detail: String) -> Conformance {
    Conformance {
        name,
        status: Status::Ok,
        detail,
    }
}

pub(super) fn failed(name: &'static str, detail: String) -> Conformance {
    Conformance {
        name,
        status: Status::Failed,
        detail,
    }
}
