//! The monitors' verdicts on both sides, by each side's own rules, over the rows of one window.
//!
//! Both sides are expected to answer on the days on which the side before was. So a candidate that fails on rows
//! loses coverage.

use provender_domain::ids::{BoundaryId, HerdId};
use std::collections::{BTreeMap, BTreeSet};

use super::expected::Expected;
use crate::compute::Bound;
use crate::monitor::gather::empty;
use crate::monitor::report::{Group, MetricReport, MonitorReport};
use crate::monitor::{LogicInput, Row, SeriesInput, Window, judge};
use crate::project::logic::LogicOverrides;
use provender_domain::description::Scope;
use provender_domain::key::RunKey;
use provender_domain::value::Value;
use provender_ledger::types::Run;

use super::error::BacktestError;
use super::report::{BacktestMonitor, RuleReport, VerdictReport};

/// The rules of one side.
pub(super) struct Watch {
    input: LogicInput,
    needed: BTreeSet<String>,
}

/// The rows of one side in the window.
#[derive(Debug, Default)]
pub(super) struct Watched(BTreeMap<(BoundaryId, HerdId), Vec<Row>>);

impl Watched {
    /// Takes in the rows of other places.
    pub(super) fn join(&mut self, others: Watched) {
        for (place, mut rows) in others.0 {
            self.0.entry(place).or_default().append(&mut rows);
        }
    }
}

impl Watch {
    /// Of a bound component.
    ///
    /// # Errors
    /// If the rules in force are invalid.
    pub(super) fn new(bound: &Bound, settings: &LogicOverrides) -> Result<Watch, BacktestError> {
        let input = empty(bound, settings)?;
        let needed = input.needed().into_iter().map(str::to_owned).collect();
        Ok(Watch { input, needed })
    }

    /// Takes in a row of the window. `values` finds an output or input by name. If both have
    /// the same name, it means the output.
    pub(super) fn add<'v>(
        &self,
        watched: &mut Watched,
        run: &Run,
        guardrail_failed: bool,
        values: impl Fn(&str) -> Option<&'v Value>,
    ) {
        let key: &RunKey = &run.run.key;
        let named = |name: &String| {
            let value = values(name).cloned().unwrap_or(Value::Null);
            (name.clone(), value)
        };
        let place = (key.boundary_id.clone(), key.herd_config_id.clone());
        watched.0.entry(place).or_default().push(Row {
            date: key.calculation_date,
            run_id: key.run_id(),
            snapshot_id: run.run.snapshot,
            // Rows are not listed one by one here.
            manifest: String::new(),
            config_version: key.config_version.clone(),
            values: self.needed.iter().map(named).collect(),
            guardrail_failed,
        });
    }

    fn judge(
        mut self,
        mut watched: Watched,
        window: Window,
        expected: &Expected,
    ) -> Result<MonitorReport, BacktestError> {
        for place in expected.keys() {
            watched.0.entry(place.clone()).or_default();
        }
        let series = watched.0.into_iter().map(|(place, rows)| SeriesInput {
            expected: expected.get(&place).cloned().unwrap_or_default(),
            boundary_id: place.0,
            herd_config_id: place.1,
            rows,
        });
        self.input.series = series.collect();
        Ok(judge(window, &[self.input])?)
    }
}

/// Both verdicts, and rule by rule what each side says.
///
/// # Errors
/// When a rule cannot be computed.
pub(super) fn compare(
    window: Window,
    expected: &Expected,
    before: (Watch, Watched),
    after: (Watch, Watched),
) -> Result<(VerdictReport, Vec<BacktestMonitor>), BacktestError> {
    let before = before.0.judge(before.1, window, expected)?;
    let after = after.0.judge(after.1, window, expected)?;
    let mut notes = Vec::new();
    for (when, report) in [("before", &before), ("after", &after)] {
        notes.extend(report.notes.iter().map(|n| format!("{when}: {n}")));
    }
    let verdict = VerdictReport {
        window: before.window,
        before: before.status,
        after: after.status,
        series_before: before.summary,
        series_after: after.summary,
        notes,
    };
    let mut rules = Vec::new();
    pair(&mut rules, before.fleet.first(), after.fleet.first());
    let place = |g: &Group| (g.boundary_id.clone(), g.herd_config_id.clone());
    let theirs: BTreeMap<_, &Group> = after.series.iter().map(|g| (place(g), g)).collect();
    for group in &before.series {
        let mut of_place = Vec::new();
        pair(
            &mut of_place,
            Some(group),
            theirs.get(&place(group)).copied(),
        );
        // There may be hundreds of places; only those with a changed status matter.
        let status = |r: &Option<RuleReport>| r.as_ref().map(|r| r.status);
        of_place.retain(|r| status(&r.before) != status(&r.after));
        rules.append(&mut of_place);
    }
    Ok((verdict, rules))
}

fn pair(out: &mut Vec<BacktestMonitor>, before: Option<&Group>, after: Option<&Group>) {
    let rules = |g: Option<&Group>| g.map(|g| g.metrics.clone()).unwrap_or_default();
    let rule_report = |m: &MetricReport| RuleReport {
        status: m.status,
        value: m.value,
        rows: m.rows,
        why: m.why.clone(),
    };
    let mut theirs = rules(after);
    let place = before.or(after);
    let report = |rule: String, scope: Scope| BacktestMonitor {
        rule,
        scope,
        boundary_id: place.and_then(|g| g.boundary_id.clone()),
        herd_config_id: place.and_then(|g| g.herd_config_id.clone()),
        before: None,
        after: None,
    };
    for old in rules(before) {
        let mut one = report(old.label(), old.scope);
        one.before = Some(rule_report(&old));
        let same = |m: &MetricReport| m.label() == old.label() && m.direction == old.direction;
        if let Some(i) = theirs.iter().position(same) {
            one.after = Some(rule_report(&theirs.remove(i)));
        }
        out.push(one);
    }
    for new in theirs {
        let mut one = report(new.label(), new.scope);
        one.after = Some(rule_report(&new));
        out.push(one);
    }
}
