//! The figures that compare the pairs of one logic, judged against the thresholds.
//!
//! | figure | of | value |
//! |---|---|---|
//! | `candidate_missing` | the logic, or an outcome it lost | share of the active release's rows that the candidate lacks |
//! | `guardrail_rate` | the logic | share of rows with a breached guardrail, candidate minus active |
//! | `null_rate` | an outcome | share of rows that are null, candidate minus active |
//! | `share_changed` | an outcome | share of rows that differ in any way |
//! | `median_change`, `p95_change` | a number | of \|candidate − active\| / \|active\| |
//! | `psi` | a number | PSI divided by its expected value without a change, as in monitors |

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::monitor::baseline::Reference;
use crate::monitor::metrics::{median, nearest_rank};
use crate::monitor::report::Status;
use crate::monitor::shift;
use crate::project::canary::CanarySettings;
use provender_domain::day::Day;
use provender_domain::description::{Description, Role};
use provender_domain::render::text::{count, number};
use provender_domain::value::{DataType, Value, plain_zero};

use super::pairs::{Pair, Pairs};

/// One figure with its thresholds and verdict.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "CanaryFigure")]
pub struct Figure {
    /// `name:version` of the candidate's logic.
    pub logic: ModelVersion,
    /// The outcome that it is about; `None` if it is about the whole logic.
    pub subject: Option<String>,
    /// Its name, as in the table of this module.
    pub name: &'static str,
    /// The value. Shares and relative changes are fractions: 0.08 for 8 %.
    pub value: Option<f64>,
    /// For a rate: the value of the active release.
    pub active: Option<f64>,
    /// For a rate: the value of the candidate.
    pub candidate: Option<f64>,
    /// A value above this is a warning.
    pub warn: Option<f64>,
    /// A value above this is critical.
    pub crit: Option<f64>,
    /// The number of rows it is based on.
    pub rows: usize,
    /// With fewer rows the status is unknown.
    pub min_rows: u32,
    /// The verdict.
    pub status: Status,
    /// The reason for the status, as a clause.
    pub why: String,
}

/// An outcome that both sides have.
struct SharedOutcome {
    name: String,
    unit: Option<String>,
    number: bool,
    /// Its index among the outputs of the active release and of the candidate.
    at: (usize, usize),
}

/// Computes the figures of one logic.
#[must_use]
pub(super) fn figures(
    (active, candidate): (&Description, &Description),
    pairs: &Pairs,
    policy: &CanarySettings,
) -> Vec<Figure> {
    let logic = candidate.model_version();
    let rows = pairs.pairs.len();
    let mut all = vec![
        missing(&logic, pairs, policy),
        rate(
            &logic,
            "guardrail_rate",
            None,
            rows,
            policy,
            (
                share(&pairs.pairs, |p| p.active_breached),
                share(&pairs.pairs, |p| p.candidate_breached),
            ),
        ),
    ];
    for (i, output) in active.outputs.iter().enumerate() {
        if output.role != Role::Outcome {
            continue;
        }
        let name = &output.field.name;
        let other = candidate.outputs.iter().position(|o| {
            o.role == Role::Outcome
                && o.field.name == *name
                && o.field.data_type == output.field.data_type
                && o.field.unit == output.field.unit
        });
        let Some(other) = other else {
            all.push(lost(&logic, name, rows, policy));
            continue;
        };
        let outcome = SharedOutcome {
            name: name.clone(),
            unit: output.field.unit.clone(),
            number: matches!(output.field.data_type, DataType::Float64 | DataType::Int64),
            at: (i, other),
        };
        all.extend(of_outcome(&logic, &outcome, &pairs.pairs, policy));
    }
    all
}

fn missing(logic: &ModelVersion, pairs: &Pairs, policy: &CanarySettings) -> Figure {
    let (expected, lacking) = (pairs.expected(), pairs.active_only.len());
    let why = format!(
        "{lacking} of {} of the active release have none of the candidate",
        count(expected as u64, "row")
    );
    let value = (expected > 0).then(|| ratio(lacking, expected));
    judged(
        logic,
        None,
        "candidate_missing",
        (value, expected),
        policy,
        &why,
    )
}

fn lost(logic: &ModelVersion, outcome: &str, rows: usize, policy: &CanarySettings) -> Figure {
    let why = format!("the candidate has no outcome {outcome} of this type and unit");
    judged(
        logic,
        Some(outcome),
        "candidate_missing",
        (Some(1.0), rows),
        policy,
        &why,
    )
}

fn rate(
    logic: &ModelVersion,
    name: &'static str,
    subject: Option<&str>,
    rows: usize,
    policy: &CanarySettings,
    (active, candidate): (Option<f64>, Option<f64>),
) -> Figure {
    let both = active.zip(candidate);
    let why = both.map_or_else(
        || "no row is recorded on both sides".to_owned(),
        |(a, c)| format!("it was {} and is {}", percent(a), percent(c)),
    );
    let value = both.map(|(a, c)| plain_zero(c - a));
    let mut figure = judged(logic, subject, name, (value, rows), policy, &why);
    (figure.active, figure.candidate) = (active, candidate);
    figure
}

fn of_outcome(
    logic: &ModelVersion,
    outcome: &SharedOutcome,
    pairs: &[Pair],
    policy: &CanarySettings,
) -> Vec<Figure> {
    let sides = |p: &Pair| -> (Value, Value) {
        let at = |side: &[Value], i: usize| side.get(i).cloned().unwrap_or(Value::Null);
        (at(&p.active, outcome.at.0), at(&p.candidate, outcome.at.1))
    };
    let (subject, rows) = (Some(outcome.name.as_str()), pairs.len());
    let changed = share(pairs, |p| {
        let (a, c) = sides(p);
        a.to_json() != c.to_json()
    });
    let mut all = vec![
        rate(
            logic,
            "null_rate",
            subject,
            rows,
            policy,
            (
                share(pairs, |p| sides(p).0.is_null()),
                share(pairs, |p| sides(p).1.is_null()),
            ),
        ),
        judged(
            logic,
            subject,
            "share_changed",
            (changed, rows),
            policy,
            &changed.map_or_else(
                || "no row is recorded on both sides".to_owned(),
                |s| format!("{} of the rows differ", percent(s)),
            ),
        ),
    ];
    if outcome.number {
        let numbers: Vec<(&Pair, f64, f64)> = pairs
            .iter()
            .filter_map(|p| {
                let (a, c) = sides(p);
                Some((p, a.as_f64()?, c.as_f64()?))
            })
            .collect();
        all.extend(changes(logic, &outcome.name, &numbers, policy));
        all.push(distribution(logic, outcome, &numbers, policy));
    }
    all
}

/// Median and 95th percentile of the relative change. A row that was zero and no longer is has no relative
/// change.
fn changes(
    logic: &ModelVersion,
    outcome: &str,
    numbers: &[(&Pair, f64, f64)],
    policy: &CanarySettings,
) -> [Figure; 2] {
    let mut relative: Vec<f64> = numbers
        .iter()
        .filter_map(|(_, a, c)| match (a, c) {
            (a, c) if a == c => Some(0.0),
            (a, _) if *a == 0.0 => None,
            (a, c) => Some(((c - a) / a).abs().min(f64::MAX)),
        })
        .collect();
    relative.sort_by(f64::total_cmp);
    let without = numbers.len() - relative.len();
    [
        ("median_change", median(&relative)),
        ("p95_change", nearest_rank(&relative, 95)),
    ]
    .map(|(name, value)| {
        let mut why = value.map_or_else(
            || "no row has a number on both sides".to_owned(),
            |x| format!("{} of the active release's number", percent(x)),
        );
        if without > 0 {
            why = format!("{why}; {without} were zero and have no relative change");
        }
        let observed = (value, relative.len());
        judged(logic, Some(outcome), name, observed, policy, &why)
    })
}

fn distribution(
    logic: &ModelVersion,
    outcome: &SharedOutcome,
    numbers: &[(&Pair, f64, f64)],
    policy: &CanarySettings,
) -> Figure {
    let mut series: BTreeMap<(&BoundaryId, &HerdId), Vec<(Day, f64)>> = BTreeMap::new();
    for (pair, active, _) in numbers {
        let at = &pair.place;
        let own = series
            .entry((&at.boundary_id, &at.herd_config_id))
            .or_default();
        own.push((at.day, plain_zero(*active)));
    }
    let series: Vec<Vec<(Day, f64)>> = series.into_values().collect();
    let reference = Reference::of(&outcome.name, outcome.unit.clone(), &series, 0);
    let candidate: Vec<f64> = numbers.iter().map(|(_, _, c)| plain_zero(*c)).collect();
    let (value, why) = match reference {
        None => (None, "no row has a number on both sides".to_owned()),
        // Equal numbers have not shifted, even if they are too few distinct ones to form bins.
        Some(_) if numbers.iter().all(|(_, a, c)| a == c) => {
            (Some(0.0), "no number differs".to_owned())
        }
        Some(reference) => {
            let compared = shift::psi(&reference, &candidate);
            (compared.value, compared.note)
        }
    };
    let observed = (value, numbers.len());
    judged(logic, Some(&outcome.name), "psi", observed, policy, &why)
}

fn judged(
    logic: &ModelVersion,
    subject: Option<&str>,
    name: &'static str,
    (value, rows): (Option<f64>, usize),
    policy: &CanarySettings,
    why: &str,
) -> Figure {
    let (warn, crit) = policy.thresholds(name);
    let beyond = |t: Option<f64>| t.filter(|t| value.is_some_and(|x| x > *t));
    let few = u64::try_from(rows).is_ok_and(|n| n < u64::from(policy.min_rows));
    let (status, why) = if warn.is_none() && crit.is_none() {
        (Status::Info, why.to_owned())
    } else if few {
        let rows = count(rows as u64, "row");
        let text = format!(
            "{rows} are too few to judge, {} are wanted",
            policy.min_rows
        );
        (Status::Unknown, text)
    } else if value.is_none() {
        (Status::Unknown, why.to_owned())
    } else if let Some(t) = beyond(crit) {
        (
            Status::Crit,
            format!("{why}; crit is above {}", figure_text(name, t)),
        )
    } else if let Some(t) = beyond(warn) {
        (
            Status::Warn,
            format!("{why}; warn is above {}", figure_text(name, t)),
        )
    } else {
        (Status::Ok, why.to_owned())
    };
    Figure {
        logic: logic.to_owned(),
        subject: subject.map(str::to_owned),
        name,
        value,
        active: None,
        candidate: None,
        warn,
        crit,
        rows,
        min_rows: policy.min_rows,
        status,
        why,
    }
}

/// A figure's value for people: `psi` as a plain number, everything else in percent.
#[must_use]
pub fn figure_text(figure: &str, x: f64) -> String {
    if figure == "psi" {
        number(x)
    } else {
        percent(x)
    }
}

/// Formats 0.083 as `8.3 %`.
#[must_use]
pub fn percent(x: f64) -> String {
    let shown = x * 100.0;
    // A value other than zero is never shown as zero.
    if shown != 0.0 && shown.abs() < 0.05 {
        return format!("{} %", number(shown));
    }
    let text = format!("{shown:.1}");
    format!("{} %", text.trim_end_matches(".0"))
}

fn share(pairs: &[Pair], of: impl Fn(&Pair) -> bool) -> Option<f64> {
    let n = pairs.iter().filter(|p| of(p)).count();
    (!pairs.is_empty()).then(|| ratio(n, pairs.len()))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a count of rows in memory is far below 2^53"
)]
fn ratio(n: usize, of: usize) -> f64 {
    n as f64 / of as f64
}

#[cfg(test)]
mod tests;
