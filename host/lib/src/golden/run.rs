//! The cases in the sandbox, under the limits that production has.
//!
//! Each case is called by itself and judged. Then all cases of equal parameters that gave outputs
//! are called together, in reverse and in two parts: a row must have the same bits whatever rows it
//! comes with, because production puts thousands into a call.

use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::column::Column;
use provender_domain::render::text::count;
use provender_domain::value::{Scalar, Value};
use provender_domain::words;
use provender_sandbox::{Component, LogicError};

use super::case::{Case, Skipped};
use super::error::{GoldenError, SourceLine};
use super::judge::{self, CaseVerdict, Got, exact};
use super::set::Selected;

/// A case that was run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The case.
    pub case: Case,
    /// What came of it.
    pub verdict: CaseVerdict,
    /// The outputs, where there were any.
    pub outputs: Option<Vec<Value>>,
    /// What the component says of the row: output of the role `reason`, text.
    pub notes: Vec<(String, String)>,
}

words! {
    /// How cases are put into calls.
    pub enum CallOrder: "way of calling" {
        /// All in one call.
        Together = "with the others",
        /// All in one call, the last one first.
        Reversed = "in reverse order",
        /// In two calls.
        InParts = "in two parts",
    }
}

/// A row that changes with the rows around it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Disagreement {
    /// The case.
    pub case: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: SourceLine,
    /// In which call.
    pub way: CallOrder,
    /// The output, or `failure`.
    pub output: String,
    /// What the case gives alone.
    pub alone: String,
    /// What it gives there.
    pub there: String,
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {} alone, {} when it is called {}",
            self.output, self.alone, self.there, self.way
        )
    }
}

/// What came of a version's cases.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The cases that were run, in the order of their files.
    pub cases: Vec<Ran>,
    /// The cases that were not, with the reasons.
    pub skipped: Vec<Skipped>,
    /// Rows that depend on their neighbours.
    pub disagreements: Vec<Disagreement>,
}

impl Tested {
    /// Whether every case holds in every way of calling.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.disagreements.is_empty() && self.cases.iter().all(|c| c.verdict.passed())
    }

    /// Whether the component broke down in a case that does not expect it.
    #[must_use]
    pub fn trapped(&self) -> bool {
        self.cases.iter().any(|c| c.verdict.trapped())
    }

    /// The cases that do not hold, as an error; `None` if all of them hold. `model` is `name:version`.
    #[must_use]
    pub fn failed_cases(&self, model: &str) -> Option<FailedCases> {
        (!self.passed()).then(|| FailedCases {
            model: model.to_owned(),
            failed: self.failed(),
            cases: self.cases.len(),
            trapped: self.trapped(),
        })
    }

    /// Number of cases by result.
    #[must_use]
    pub fn counts(&self) -> GoldenCounts {
        let superseded = self.skipped.iter().filter(|s| s.superseded).count();
        GoldenCounts {
            cases: self.cases.len(),
            passed: self.cases.len() - self.failed(),
            failed: self.failed(),
            superseded,
            later: self.skipped.len() - superseded,
        }
    }

    /// How many cases do not hold, by themselves or together with others.
    #[must_use]
    pub fn failed(&self) -> usize {
        let failed = |ran: &&Ran| {
            let apart = self.disagreements.iter().any(|d| d.case == ran.case.name);
            apart || !ran.verdict.passed()
        };
        self.cases.iter().filter(failed).count()
    }
}

/// Golden cases that do not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failed} of {} of {model} {}", count(*.cases as u64, "golden case"), if *.failed == 1 { "does not hold" } else { "do not hold" })]
pub struct FailedCases {
    /// `name:version`.
    pub model: String,
    /// Number of cases that do not hold.
    pub failed: usize,
    /// Number of cases that were computed.
    pub cases: usize,
    /// Whether the component trapped in one of them.
    pub trapped: bool,
}

impl FailedCases {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.trapped {
            true => "component_failed",
            false => "golden_failed",
        }
    }
}

/// Number of golden cases by result.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GoldenCounts {
    /// Cases that were computed.
    cases: usize,
    /// Of these, those that hold.
    passed: usize,
    /// Of these, those that do not.
    failed: usize,
    /// Cases that a case of this version or an older one supersedes.
    superseded: usize,
    /// Cases of later versions.
    later: usize,
}

/// Runs the selected cases.
///
/// # Errors
/// When the sandbox itself fails; what the component does wrong is a verdict.
pub fn run(component: &Component, selected: Selected) -> Result<Tested, GoldenError> {
    let d = component.description();
    let mut cases = Vec::with_capacity(selected.cases.len());
    for case in selected.cases {
        let got = alone(component, &case)?;
        let verdict = judge::judge(d, &case.expect, &got);
        let outputs = match got {
            Got::Outputs(values) => Some(values),
            Got::Refused(_) | Got::Failed { .. } => None,
        };
        cases.push(Ran {
            notes: outputs
                .as_deref()
                .map_or_else(Vec::new, |values| judge::notes(d, values)),
            case,
            verdict,
            outputs,
        });
    }
    Ok(Tested {
        disagreements: together(component, &cases)?,
        cases,
        skipped: selected.skipped,
    })
}

/// The columns of some rows of inputs.
pub(super) fn columns(component: &Component, rows: &[&[Value]]) -> Vec<Column> {
    let inputs = &component.description().inputs;
    inputs
        .iter()
        .enumerate()
        .map(|(i, input)| {
            let values: Vec<_> = rows.iter().map(|row| row[i].clone()).collect();
            Column::from_values(input.field.data_type, &values)
        })
        .collect()
}

/// One case as a call of one row. Parameters are checked as production checks them.
fn alone(component: &Component, case: &Case) -> Result<Got, GoldenError> {
    let d = component.description();
    for (parameter, value) in d.parameters.iter().zip(&case.parameters) {
        if let Err(problem) = parameter.admits(value) {
            return Ok(Got::Refused(format!(
                "{}: parameter `{}` (golden case): {problem}",
                d.model_version(),
                parameter.name
            )));
        }
    }
    let inputs = columns(component, &[&case.inputs]);
    let computed = match component.compute(&case.parameters, &inputs, 1) {
        Ok(computed) => computed,
        Err(e @ LogicError::Call { .. }) => return Ok(Got::Refused(e.to_string())),
        Err(e) => return Err(e.into()),
    };
    Ok(match computed.failed.into_iter().next() {
        Some(failure) => Got::Failed {
            code: failure.code,
            message: failure.message,
            detail: failure.detail,
        },
        None => Got::Outputs(computed.outputs.iter().map(|c| c.get(0)).collect()),
    })
}

/// The cases that gave outputs, by their parameters.
fn groups(cases: &[Ran]) -> Vec<(&[Scalar], Vec<&Ran>)> {
    let mut groups: Vec<(&[Scalar], Vec<&Ran>)> = Vec::new();
    for ran in cases.iter().filter(|c| c.outputs.is_some()) {
        let parameters = ran.case.parameters.as_slice();
        match groups.iter_mut().find(|(p, _)| *p == parameters) {
            Some((_, group)) => group.push(ran),
            None => groups.push((parameters, vec![ran])),
        }
    }
    // A case without company meets itself: what a row leaves behind could reach the next one.
    for (_, group) in &mut groups {
        if let [only] = group[..] {
            group.push(only);
        }
    }
    groups
}

fn together(component: &Component, cases: &[Ran]) -> Result<Vec<Disagreement>, GoldenError> {
    let mut found: Vec<Disagreement> = Vec::new();
    for (parameters, group) in groups(cases) {
        let reversed: Vec<_> = group.iter().rev().copied().collect();
        // Not in halves: the parts should differ in size too.
        let (head, tail) = group.split_at(group.len().div_ceil(3));
        let ways = [
            (CallOrder::Together, vec![group.as_slice()]),
            (CallOrder::Reversed, vec![reversed.as_slice()]),
            (CallOrder::InParts, vec![head, tail]),
        ];
        for (way, calls) in ways {
            for call in calls {
                found.extend(compare(component, parameters, call, way)?);
            }
        }
    }
    // A case that meets itself would be named twice.
    found.dedup();
    Ok(found)
}

fn compare(
    component: &Component,
    parameters: &[Scalar],
    call: &[&Ran],
    way: CallOrder,
) -> Result<Vec<Disagreement>, GoldenError> {
    let rows: Vec<_> = call.iter().map(|r| r.case.inputs.as_slice()).collect();
    let computed = component.compute(parameters, &columns(component, &rows), rows.len())?;
    let outputs = &component.description().outputs;
    let mut found = Vec::new();
    for (row, ran) in call.iter().enumerate() {
        let mut no = |output: &str, alone: String, there: String| {
            found.push(Disagreement {
                case: ran.case.name.clone(),
                place: ran.case.place.clone(),
                way,
                output: output.to_owned(),
                alone,
                there,
            });
        };
        if let Some(failure) = computed.failed.iter().find(|f| f.row == row) {
            no("failure", "none".to_owned(), failure.message.clone());
            continue;
        }
        let alone = ran.outputs.iter().flatten();
        for ((output, column), alone) in outputs.iter().zip(&computed.outputs).zip(alone) {
            let there = column.get(row);
            if there != *alone {
                no(&output.field.name, exact(alone), exact(&there));
            }
        }
    }
    Ok(found)
}
