//! Counts over the rows: outcomes, guardrails, failures.

use serde_json::Value as Json;

use crate::compute::Bound;
use provender_domain::description::{Description, Output, Role};
use provender_domain::key::RunKey;
use provender_domain::value::{DataType, Value};

use super::affected::{Inputs, Peaks};
use super::report::{
    AffectedRow, FailedRow, GuardrailReport, NotCompared, NullChange, OutcomeReport, RailReport,
};
use super::side::Failure;
use super::statistics::{Pairs, sort_all};

/// Number of failures reported in full.
pub(super) const FAILURES: usize = 10;
/// Number of null transitions shown for an outcome, each of another place.
const NULLS: usize = 5;

/// An outcome that both sides have.
struct OutcomeTally {
    before: usize,
    after: usize,
    report: OutcomeReport,
    pairs: Pairs,
}

impl OutcomeTally {
    fn join(&mut self, later: OutcomeTally) {
        let (own, other) = (&mut self.report, later.report);
        own.changed += other.changed;
        own.became_null += other.became_null;
        own.ceased_null += other.ceased_null;
        own.both_null += other.both_null;
        for change in other.null_changes {
            let place = (&*change.boundary_id, &*change.herd_config_id);
            if own.null_changes.len() < NULLS && !has_place(own, place) {
                own.null_changes.push(change);
            }
        }
        self.pairs.join(later.pairs);
    }
}

/// Whether a null transition of the place is listed already: one row stands for all days of a place.
fn has_place(report: &OutcomeReport, (boundary, herd): (&str, &str)) -> bool {
    let mut all = report.null_changes.iter();
    all.any(|n| n.boundary_id == boundary && n.herd_config_id == herd)
}

/// Everything that is counted.
pub(super) struct Tally<'a> {
    before: &'a Bound,
    after: &'a Bound,
    outcomes: Vec<OutcomeTally>,
    /// Outcomes that cannot be compared.
    pub not_compared: Vec<NotCompared>,
    rails_before: Vec<u64>,
    rails_after: Vec<u64>,
    /// Place in `outcomes` of what `affected` is ranked by.
    ranked: Option<usize>,
    peaks: Peaks<'a>,
    /// Rows with outputs on both sides.
    pub compared: u64,
    /// Rows on which the candidate failed.
    pub failed_rows: u64,
    /// The first of them.
    pub failed: Vec<FailedRow>,
}

impl<'a> Tally<'a> {
    /// Nothing counted yet.
    #[must_use]
    pub(super) fn new(before: &'a Bound, after: &'a Bound) -> Tally<'a> {
        let mut tally = Tally {
            before,
            after,
            outcomes: Vec::new(),
            not_compared: Vec::new(),
            rails_before: vec![0; before.rails.len()],
            rails_after: vec![0; after.rails.len()],
            ranked: None,
            peaks: Peaks::new(before, after),
            compared: 0,
            failed_rows: 0,
            failed: Vec::new(),
        };
        tally.pair(before.description(), after.description());
        let of_type = |types: &[DataType]| {
            let mut all = tally.outcomes.iter();
            all.position(|o| types.contains(&o.report.data_type))
        };
        tally.ranked =
            of_type(&[DataType::Float64, DataType::Int64]).or_else(|| of_type(&[DataType::Date]));
        tally
    }

    fn pair(&mut self, before: &Description, after: &Description) {
        let outcomes = |d: &Description| -> Vec<(usize, Output)> {
            let all = d.outputs.iter().cloned().enumerate();
            all.filter(|(_, o)| o.role == Role::Outcome).collect()
        };
        let theirs = outcomes(after);
        for (i, old) in outcomes(before) {
            let name = old.field.name.clone();
            let Some((j, new)) = theirs.iter().find(|(_, o)| o.field.name == name) else {
                let why = "only the version before has it".to_owned();
                self.not_compared.push(NotCompared { name, why });
                continue;
            };
            let unit = |o: &Output| o.field.unit.clone().unwrap_or_else(|| "none".to_owned());
            if old.field.data_type != new.field.data_type {
                let why = format!(
                    "its type was {} and is {}",
                    old.field.data_type.name(),
                    new.field.data_type.name()
                );
                self.not_compared.push(NotCompared { name, why });
            } else if old.field.unit != new.field.unit {
                let why = format!("its unit was {} and is {}", unit(&old), unit(new));
                self.not_compared.push(NotCompared { name, why });
            } else {
                self.outcomes.push(OutcomeTally {
                    before: i,
                    after: *j,
                    report: OutcomeReport {
                        name,
                        data_type: old.field.data_type,
                        unit: old.field.unit.clone(),
                        changed: 0,
                        became_null: 0,
                        ceased_null: 0,
                        both_null: 0,
                        figures: None,
                        null_changes: Vec::new(),
                    },
                    pairs: Pairs::default(),
                });
            }
        }
        for (_, new) in theirs {
            let has = |d: &Description| {
                let mut all = d.outputs.iter();
                all.any(|o| o.role == Role::Outcome && o.field.name == new.field.name)
            };
            if !has(before) {
                self.not_compared.push(NotCompared {
                    name: new.field.name,
                    why: "only the candidate has it".to_owned(),
                });
            }
        }
    }

    /// Counts the guardrails of the side before.
    pub(super) fn guard_before(&mut self, outputs: &[Value]) {
        count(self.before, outputs, &mut self.rails_before);
    }

    /// Counts the guardrails of the candidate.
    pub(super) fn guard_after(&mut self, outputs: &[Value]) {
        count(self.after, outputs, &mut self.rails_after);
    }

    /// Counts a failure of the candidate.
    pub(super) fn fail(&mut self, key: &RunKey, failure: Failure) {
        self.failed_rows += 1;
        if self.failed.len() < FAILURES {
            self.failed.push(FailedRow {
                boundary_id: key.boundary_id.clone(),
                herd_config_id: key.herd_config_id.clone(),
                calculation_date: key.calculation_date,
                code: failure.code,
                message: failure.message,
            });
        }
    }

    /// Compares a row that has outputs on both sides.
    pub(super) fn compare(&mut self, inputs: &Inputs<'_>, before: &[Value], after: &[Value]) {
        self.compared += 1;
        for n in 0..self.outcomes.len() {
            let outcome = &mut self.outcomes[n];
            let (old, new) = (&before[outcome.before], &after[outcome.after]);
            let differ = !same(old, new);
            let report = &mut outcome.report;
            report.changed += u64::from(differ);
            report.both_null += u64::from(old.is_null() && new.is_null());
            let became = differ && new.is_null();
            let ceased = differ && old.is_null();
            report.became_null += u64::from(became);
            report.ceased_null += u64::from(ceased);
            let key = &inputs.snapshot.run.run.key;
            let place = (&*key.boundary_id, &*key.herd_config_id);
            if (became || ceased) && report.null_changes.len() < NULLS && !has_place(report, place)
            {
                let reasons = match became {
                    true => reasons(self.after.description(), after),
                    false => reasons(self.before.description(), before),
                };
                report.null_changes.push(NullChange {
                    boundary_id: key.boundary_id.clone(),
                    herd_config_id: key.herd_config_id.clone(),
                    calculation_date: key.calculation_date,
                    before: old.to_json(),
                    after: new.to_json(),
                    reasons,
                });
            }
            let change = outcome.pairs.add(size(old), size(new), differ);
            if let (true, Some(change)) = (Some(n) == self.ranked, change) {
                self.peaks.add(inputs, old, new, change);
            }
        }
    }

    /// Adds the counts of the rows that follow these, at other places.
    pub(super) fn join(&mut self, later: Tally<'_>) {
        for (own, other) in self.outcomes.iter_mut().zip(later.outcomes) {
            own.join(other);
        }
        let add = |own: &mut Vec<u64>, other: Vec<u64>| {
            own.iter_mut().zip(other).for_each(|(n, more)| *n += more);
        };
        add(&mut self.rails_before, later.rails_before);
        add(&mut self.rails_after, later.rails_after);
        self.peaks.join(later.peaks);
        self.compared += later.compared;
        self.failed_rows += later.failed_rows;
        self.failed.extend(later.failed);
        self.failed.truncate(FAILURES);
    }

    /// The guardrails of both sides; those of one output by their order on it.
    #[must_use]
    pub(super) fn guardrails(&self) -> Vec<GuardrailReport> {
        let mut all: Vec<GuardrailReport> = Vec::new();
        for (output, rail) in rails(self.before, &self.rails_before) {
            all.push(GuardrailReport {
                output,
                before: Some(rail),
                after: None,
            });
        }
        for (output, rail) in rails(self.after, &self.rails_after) {
            let free = all
                .iter_mut()
                .find(|g| g.output == output && g.after.is_none() && g.before.is_some());
            match free {
                Some(known) => known.after = Some(rail),
                None => all.push(GuardrailReport {
                    output,
                    before: None,
                    after: Some(rail),
                }),
            }
        }
        all
    }

    /// The most affected boundaries, and the outcome that they are ranked by.
    #[must_use]
    pub(super) fn affected(&mut self) -> (Option<String>, Vec<AffectedRow>) {
        let by = self.ranked.and_then(|n| self.outcomes.get(n));
        (by.map(|o| o.report.name.clone()), self.peaks.rows())
    }

    /// The outcomes with their figures; `threads` threads sort the numbers.
    #[must_use]
    pub(super) fn outcomes(mut self, threads: usize) -> Vec<OutcomeReport> {
        sort_all(self.outcomes.iter_mut().map(|o| &mut o.pairs), threads);
        let sized = |t| matches!(t, DataType::Float64 | DataType::Int64 | DataType::Date);
        let each = self.outcomes.into_iter().map(|o| {
            let mut report = o.report;
            if sized(report.data_type) {
                let mut figures = o.pairs.summary();
                if report.data_type == DataType::Date {
                    // A date has no size: a share of its days since 1970 means nothing.
                    figures.relative = None;
                    figures.before = None;
                    figures.after = None;
                    figures.distribution = None;
                }
                report.figures = Some(figures);
            }
            report
        });
        each.collect()
    }
}

fn count(bound: &Bound, outputs: &[Value], breaches: &mut [u64]) {
    for (rail, n) in bound.rails.iter().zip(breaches) {
        let value = outputs.get(rail.output).and_then(Value::as_f64);
        *n += u64::from(value.is_some_and(|x| rail.is_breached(x)));
    }
}

fn rails(bound: &Bound, breaches: &[u64]) -> Vec<(String, RailReport)> {
    let outputs = &bound.description().outputs;
    let each = bound.rails.iter().zip(breaches).map(|(rail, breaches)| {
        let output = outputs.get(rail.output);
        let report = RailReport {
            minimum: rail.minimum,
            maximum: rail.maximum,
            severity: rail.severity,
            breaches: *breaches,
        };
        (
            output.map_or_else(String::new, |o| o.field.name.clone()),
            report,
        )
    });
    each.collect()
}

/// Whether two values are the same bits.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float64(a), Value::Float64(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

/// The number by which a value is measured: of a date its days.
fn size(value: &Value) -> Option<f64> {
    match value {
        Value::Date(d) => Some(f64::from(d.days())),
        other => other.as_f64(),
    }
}

fn reasons(description: &Description, outputs: &[Value]) -> Vec<String> {
    let all = description.outputs.iter().zip(outputs);
    all.filter(|(o, _)| o.role == Role::Reason)
        .filter_map(|(_, v)| match v.to_json() {
            Json::String(s) => Some(s),
            _ => None,
        })
        .collect()
}
