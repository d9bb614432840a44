//! Validates rules and input before anything is computed: a rule that cannot be checked is a configuration error, not
//! a silent pass.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet};

use provender_domain::day::Day;
use provender_domain::description::{Bound, Description, Direction, MonitorRule};
use provender_domain::value::{DataType, Scalar};

use super::error::MonitorError;
use super::input::{Bounds, LogicInput, SeriesInput};
use super::metrics::{Metric, Needs};
use super::overrides::{nearest, rule_text};

/// The bounds of each guarded output as numbers. If an output has several guardrails, the tighter bound applies on
/// each side.
///
/// # Errors
/// [`MonitorError::NoParameter`] if a bound names a parameter that has no number in `parameters`.
pub fn bounds_of(
    description: &Description,
    parameters: &BTreeMap<String, Scalar>,
) -> Result<BTreeMap<String, Bounds>, MonitorError> {
    let mut out: BTreeMap<String, Bounds> = BTreeMap::new();
    for guardrail in &description.guardrails {
        let number = |bound: &Option<Bound>| match bound {
            None => Ok(None),
            Some(Bound::Value(x)) => Ok(Some(*x)),
            Some(Bound::Parameter(name)) => parameters
                .get(name)
                .and_then(Scalar::as_f64)
                .map(Some)
                .ok_or_else(|| MonitorError::NoParameter {
                    model_version: description.model_version(),
                    output: guardrail.output.clone(),
                    parameter: name.clone(),
                }),
        };
        let (low, high) = (number(&guardrail.minimum)?, number(&guardrail.maximum)?);
        let bounds = out.entry(guardrail.output.clone()).or_default();
        bounds.minimum = tighter(bounds.minimum, low, f64::max);
        bounds.maximum = tighter(bounds.maximum, high, f64::min);
    }
    Ok(out)
}

fn tighter(a: Option<f64>, b: Option<f64>, pick: fn(f64, f64) -> f64) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(pick(a, b)),
        (a, b) => a.or(b),
    }
}

/// Checks the rules of a logic. It needs no rows, so it can also verify a component or `logic.toml`.
///
/// # Errors
/// The first rule that cannot be computed or judged.
pub(crate) fn check(logic: &LogicInput) -> Result<(), MonitorError> {
    let mut seen = BTreeSet::new();
    for rule in &logic.rules {
        check_rule(logic, rule)?;
        if !seen.insert(rule_text(rule)) {
            return Err(MonitorError::TwiceRule {
                model_version: logic.model_version.clone(),
                rule: rule_text(rule),
            });
        }
    }
    Ok(())
}

fn check_rule(logic: &LogicInput, rule: &MonitorRule) -> Result<(), MonitorError> {
    let model_version = || logic.model_version.clone();
    let Some(metric) = Metric::by_name(&rule.metric) else {
        let names = Metric::ALL.iter().map(|m| m.name().to_owned());
        return Err(MonitorError::UnknownMetric {
            model_version: model_version(),
            rule: rule_text(rule),
            metric: rule.metric.clone(),
            nearest: nearest(&rule.metric, names).unwrap_or_default(),
        });
    };
    check_subject(logic, rule, metric)?;
    let finite = |x: Option<f64>| x.is_none_or(f64::is_finite);
    if !finite(rule.warn) || !finite(rule.crit) {
        return Err(MonitorError::NotFinite {
            model_version: model_version(),
            rule: rule_text(rule),
        });
    }
    if let (Some(warn), Some(crit)) = (rule.warn, rule.crit) {
        let swapped = match rule.direction {
            Direction::Above => crit < warn,
            Direction::Below => crit > warn,
        };
        if swapped {
            return Err(MonitorError::Order {
                model_version: model_version(),
                rule: rule_text(rule),
                warn,
                crit,
            });
        }
    }
    Ok(())
}

fn check_subject(
    logic: &LogicInput,
    rule: &MonitorRule,
    metric: Metric,
) -> Result<(), MonitorError> {
    let model_version = logic.model_version.clone();
    let metric_name = rule.metric.clone();
    let rule_name = rule_text(rule);
    let name = match (&rule.subject, metric.needs()) {
        (None, Needs::Rows) => return Ok(()),
        (Some(subject), Needs::Rows) => {
            return Err(MonitorError::IdleSubject {
                model_version,
                rule: rule_name,
                metric: metric_name,
                subject: subject.clone(),
            });
        }
        (None, _) => {
            return Err(MonitorError::NoSubject {
                model_version,
                rule: rule_name,
                metric: metric_name,
            });
        }
        (Some(subject), _) => subject,
    };
    let Some(subject) = logic.subjects.iter().find(|s| &s.name == name) else {
        let names = logic.subjects.iter().map(|s| s.name.clone());
        return Err(MonitorError::UnknownSubject {
            model_version,
            rule: rule_name,
            subject: name.clone(),
            nearest: nearest(name, names).unwrap_or_default(),
        });
    };
    let is_number = matches!(subject.data_type, DataType::Float64 | DataType::Int64);
    if metric.needs() != Needs::Column && !is_number {
        return Err(MonitorError::NotANumber {
            model_version,
            rule: rule_name,
            subject: name.clone(),
            data_type: subject.data_type.name(),
        });
    }
    let bounds = logic.bounds.get(name).copied().unwrap_or_default();
    let lacking = match metric.needs() {
        Needs::Minimum if bounds.minimum.is_none() => "minimum",
        Needs::Maximum if bounds.maximum.is_none() => "maximum",
        _ => return Ok(()),
    };
    Err(MonitorError::NoBound {
        model_version,
        rule: rule_name,
        subject: name.clone(),
        bound: lacking,
    })
}

/// Checks the rows of a logic: all days are in the window, there is one answer per day and one entry per series, and
/// every needed column was gathered.
///
/// # Errors
/// The first mistake, with series and day.
pub(super) fn check_rows(logic: &LogicInput, first: Day, last: Day) -> Result<(), MonitorError> {
    let needed = logic.needed();
    let mut pairs = BTreeSet::new();
    for series in &logic.series {
        let name = || series_text(&logic.model_version, series);
        if !pairs.insert((&series.boundary_id, &series.herd_config_id)) {
            return Err(MonitorError::Twice { what: name() });
        }
        let mut days = BTreeSet::new();
        for day in series
            .expected
            .iter()
            .chain(series.rows.iter().map(|r| &r.date))
        {
            if !(first..=last).contains(day) {
                return Err(MonitorError::OutsideWindow {
                    series: name(),
                    day: *day,
                    first,
                    last,
                });
            }
        }
        for row in &series.rows {
            if !days.insert(row.date) {
                return Err(MonitorError::Twice {
                    what: format!("{}: the answer of {}", name(), row.date),
                });
            }
            if let Some(column) = needed.iter().find(|c| !row.values.contains_key(**c)) {
                return Err(MonitorError::NotGathered {
                    series: name(),
                    day: row.date,
                    run_id: row.run_id.to_string(),
                    column: (*column).to_owned(),
                });
            }
        }
    }
    Ok(())
}

fn series_text(model_version: &ModelVersion, series: &SeriesInput) -> String {
    format!(
        "{model_version} on {} / {}",
        series.boundary_id, series.herd_config_id
    )
}
