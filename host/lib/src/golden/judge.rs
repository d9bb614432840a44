//! What a case gave against what it expects.

use std::fmt;

use provender_domain::description::{Description, Role};
use provender_domain::render::{escape, text};
use provender_domain::value::Value;
use provender_sandbox::FailureCode;

use super::case::{Expectation, Expected};
use super::number;

/// What a case gave.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Got {
    /// One value for each declared output.
    Outputs(Vec<Value>),
    /// The host refused the call, as it would in production.
    Refused(String),
    /// The component failed.
    Failed {
        code: FailureCode,
        message: String,
        detail: String,
    },
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum CaseVerdict {
    /// As expected.
    Passed,
    /// Outputs that are not as expected.
    Differs(Vec<Difference>),
    /// The host refused the inputs or parameters of a case that expects outputs.
    Refused(String),
    /// The component failed in a case that expects outputs, or with other words than expected.
    Failed {
        /// Stable code.
        code: FailureCode,
        /// What happened, in full.
        message: String,
        /// Backtrace; empty where there is none.
        detail: String,
        /// The words that were expected, where a failure was.
        wanted: Option<String>,
    },
    /// The case expects a failure that did not come, or that came as another refusal of the host.
    ShouldFail {
        /// The words that were expected.
        wanted: String,
        /// The refusal, where there was one.
        refused: Option<String>,
    },
}

impl CaseVerdict {
    /// Whether the case holds.
    #[must_use]
    pub(crate) fn passed(&self) -> bool {
        matches!(self, CaseVerdict::Passed)
    }

    /// Whether the component broke down: a trap, a limit or a return that breaks the contract.
    /// A failure that it reports in words is none.
    #[must_use]
    pub(crate) fn trapped(&self) -> bool {
        match self {
            CaseVerdict::Failed { code, .. } => match code {
                FailureCode::InvalidInput
                | FailureCode::InvalidParameter
                | FailureCode::Internal => false,
                FailureCode::OutOfFuel
                | FailureCode::Deadline
                | FailureCode::OutOfMemory
                | FailureCode::StackOverflow
                | FailureCode::Trap
                | FailureCode::BadReturn => true,
            },
            _ => false,
        }
    }

    /// What is wrong, a line each; nothing for a case that passed.
    #[must_use]
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            CaseVerdict::Passed => Vec::new(),
            CaseVerdict::Differs(all) => all.iter().map(ToString::to_string).collect(),
            CaseVerdict::Refused(message) => vec![format!("refused before the call: {message}")],
            CaseVerdict::Failed {
                message,
                detail,
                wanted,
                ..
            } => {
                let mut lines = vec![match wanted {
                    None => message.clone(),
                    Some(wanted) => {
                        format!("should fail with `{wanted}`, but fails with: {message}")
                    }
                }];
                lines.extend(
                    detail
                        .lines()
                        .map(|l| escape::terminal(l).trim().to_owned()),
                );
                lines.retain(|l| !l.is_empty());
                lines
            }
            CaseVerdict::ShouldFail { wanted, refused } => vec![match refused {
                None => format!("should fail with `{wanted}`, but gives outputs"),
                Some(message) => {
                    format!(
                        "should fail with `{wanted}`, but is refused before the call: {message}"
                    )
                }
            }],
        }
    }
}

/// An output that is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The output.
    pub output: String,
    /// What it should be.
    pub expected: Value,
    /// What it is.
    pub got: Value,
    /// How far apart two numbers are, in the output's unit.
    pub absolute: Option<f64>,
    /// How many float64 values lie between them.
    pub ulps: Option<u64>,
    /// How far apart they may be; `None` where bits are compared.
    pub tolerance: Option<f64>,
}

/// A value in full: a number in the shortest decimal that names its bits.
#[must_use]
pub(super) fn exact(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Float64(x) => format!("{x:?}"),
        Value::Int64(i) => i.to_string(),
        Value::Boolean(b) => b.to_string(),
        Value::Date(d) => d.to_string(),
        Value::Text(t) => format!("\"{}\"", escape::terminal(t)),
        Value::Series(points) => {
            let points: Vec<_> = points.iter().map(|(d, x)| format!("{d}={x:?}")).collect();
            format!("[{}]", points.join(" "))
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: expected {}, got {}",
            self.output,
            exact(&self.expected),
            exact(&self.got)
        )?;
        if let Some(absolute) = self.absolute {
            write!(f, ", off by {absolute:?}")?;
        }
        if let Some(ulps) = self.ulps {
            write!(f, " ({})", text::count(ulps, "ulp"))?;
        }
        match self.tolerance {
            Some(slack) => write!(f, " where {slack:?} is allowed"),
            None => Ok(()),
        }
    }
}

/// Compares.
pub(super) fn judge(d: &Description, expect: &Expectation, got: &Got) -> CaseVerdict {
    match (expect, got) {
        (Expectation::Outputs(expected), Got::Outputs(values)) => {
            let wrong: Vec<_> = expected
                .iter()
                .filter_map(|e| difference(d, e, &values[e.output]))
                .collect();
            if wrong.is_empty() {
                CaseVerdict::Passed
            } else {
                CaseVerdict::Differs(wrong)
            }
        }
        (Expectation::Outputs(_), Got::Refused(message)) => CaseVerdict::Refused(message.clone()),
        (Expectation::Failure(wanted), Got::Outputs(_)) => CaseVerdict::ShouldFail {
            wanted: wanted.clone(),
            refused: None,
        },
        (Expectation::Failure(wanted), Got::Failed { message, .. } | Got::Refused(message))
            if message.contains(wanted.as_str()) =>
        {
            CaseVerdict::Passed
        }
        (Expectation::Failure(wanted), Got::Refused(message)) => CaseVerdict::ShouldFail {
            wanted: wanted.clone(),
            refused: Some(message.clone()),
        },
        (
            expect,
            Got::Failed {
                code,
                message,
                detail,
            },
        ) => CaseVerdict::Failed {
            code: *code,
            message: message.clone(),
            detail: detail.clone(),
            wanted: match expect {
                Expectation::Failure(wanted) => Some(wanted.clone()),
                Expectation::Outputs(_) => None,
            },
        },
    }
}

/// Numbers are finite and zero has one sign (the sandbox sees to both), so that equal values are
/// equal bits.
fn difference(d: &Description, expected: &Expected, got: &Value) -> Option<Difference> {
    if expected.value == *got {
        return None;
    }
    let (mut absolute, mut ulps) = (None, None);
    match (&expected.value, got) {
        (Value::Float64(a), Value::Float64(b)) => {
            let apart = (a - b).abs();
            if expected.tolerance.is_some_and(|slack| apart <= slack) {
                return None;
            }
            (absolute, ulps) = (Some(apart), Some(number::ulps(*a, *b)));
        }
        #[expect(clippy::cast_precision_loss, reason = "shown, not compared")]
        (Value::Int64(a), Value::Int64(b)) => absolute = Some(a.abs_diff(*b) as f64),
        _ => {}
    }
    Some(Difference {
        output: d.outputs[expected.output].field.name.clone(),
        expected: expected.value.clone(),
        got: got.clone(),
        absolute,
        ulps,
        tolerance: expected.tolerance,
    })
}

/// The notes of a row: its outputs of the role `reason` that say something, by name.
pub(super) fn notes(d: &Description, values: &[Value]) -> Vec<(String, String)> {
    let reasons = d.outputs.iter().zip(values);
    reasons
        .filter(|(o, _)| o.role == Role::Reason)
        .filter_map(|(o, v)| match v {
            Value::Text(note) => Some((o.field.name.clone(), note.clone())),
            _ => None,
        })
        .collect()
}
