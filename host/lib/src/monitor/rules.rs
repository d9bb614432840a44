//! Compares an observed value with its thresholds.
//!
//! Comparisons are strict: a value equal to its threshold is within it.

use provender_domain::description::{Direction, MonitorRule};
use provender_domain::render::text::{number, number_beside};

use super::metrics::{Base, Behind, Coverage, Observed};
use super::report::Status;

/// What became of a rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judged {
    /// The status.
    pub status: Status,
    /// The status in a sentence.
    pub why: String,
    /// Indices of the rows behind it, ascending; empty unless the rule fired.
    pub failing: Vec<usize>,
}

fn quiet(status: Status, why: String) -> Judged {
    Judged {
        status,
        why,
        failing: Vec::new(),
    }
}

/// The value to compare with the thresholds; `Err` if the status is decided without them.
fn to_judge(
    rule: &MonitorRule,
    base: Base,
    unit: Option<&str>,
    rows: usize,
    coverage: Coverage,
    seen: &Observed,
) -> Result<f64, Judged> {
    if base == Base::Expected && coverage.expected == 0 {
        let why = "no answer was expected in the window".to_owned();
        return Err(quiet(Status::NotApplicable, why));
    }
    if rule.warn.is_none() && rule.crit.is_none() {
        let what = match seen.value {
            Some(x) => observed(seen, x, x, unit),
            None => nothing(rows, seen),
        };
        return Err(quiet(Status::Info, format!("{what}; no threshold is set")));
    }
    if base == Base::Expected && coverage.recorded == 0 {
        let n = coverage.expected;
        let why = format!("none of the {n} expected answers is recorded");
        return Err(quiet(Status::Crit, why));
    }
    let unknown = || quiet(Status::Unknown, nothing(rows, seen));
    seen.value.ok_or_else(unknown)
}

/// Judges what was observed in a group of `rows` answers.
#[must_use]
pub(super) fn judge_rule(
    rule: &MonitorRule,
    base: Base,
    unit: Option<&str>,
    rows: usize,
    coverage: Coverage,
    seen: &Observed,
) -> Judged {
    let value = match to_judge(rule, base, unit, rows, coverage, seen) {
        Ok(value) => value,
        Err(judged) => return judged,
    };
    let beyond = |threshold: f64| match rule.direction {
        Direction::Above => value > threshold,
        Direction::Below => value < threshold,
    };
    let fired = [(Status::Crit, rule.crit), (Status::Warn, rule.warn)]
        .into_iter()
        .find_map(|(status, t)| t.filter(|t| beyond(*t)).map(|t| (status, t)));
    let few = u64::try_from(seen.rows).is_ok_and(|n| n < u64::from(rule.min_rows));
    // A rule on the number of rows may fire on few rows: that is its purpose.
    if few && (base != Base::Itself || fired.is_none()) {
        let why = format!(
            "{} are too few to judge; the rule wants {}",
            plural(seen.rows, noun(base)),
            rule.min_rows
        );
        return quiet(Status::Unknown, why);
    }
    let side = match rule.direction {
        Direction::Above => "above",
        Direction::Below => "below",
    };
    if let Some((status, threshold)) = fired {
        return Judged {
            status,
            why: format!(
                "{} is {side} the {} threshold {}",
                observed(seen, value, threshold, unit),
                status.word(),
                number(threshold)
            ),
            failing: behind(seen, rule.direction, threshold),
        };
    }
    let (word, threshold) = match (rule.warn, rule.crit) {
        (Some(warn), _) => ("warn", warn),
        (None, crit) => ("crit", crit.unwrap_or(value)),
    };
    quiet(
        Status::Ok,
        format!(
            "{} is not {side} the {word} threshold {}",
            observed(seen, value, threshold, unit),
            number(threshold)
        ),
    )
}

fn observed(seen: &Observed, value: f64, threshold: f64, unit: Option<&str>) -> String {
    let text = number_beside(value, threshold);
    if let Some(note) = &seen.note {
        return format!("{text} ({note})");
    }
    match (seen.counted, unit) {
        (Some(counted), _) => format!("{text} ({counted} of {})", seen.rows),
        (None, Some(unit)) => format!("{text} {unit}"),
        (None, None) => text,
    }
}

fn nothing(rows: usize, seen: &Observed) -> String {
    if rows == 0 {
        "there is no answer in the window".to_owned()
    } else if let Some(note) = &seen.note {
        note.clone()
    } else if seen.rows == 0 {
        format!("the subject is null in {}", plural(rows, "answer"))
    } else {
        "the value is beyond the range of a number".to_owned()
    }
}

fn noun(base: Base) -> &'static str {
    match base {
        Base::Expected => "expected answer",
        Base::Pairs => "pair of days",
        Base::Rows | Base::Itself => "row",
    }
}

fn plural(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else if let Some(rest) = noun.strip_prefix("pair ") {
        format!("{n} pairs {rest}")
    } else {
        format!("{n} {noun}s")
    }
}

/// The rows behind a fired rule: those that a share counts (or does not count, if a small share is bad), or those
/// whose own value is beyond the threshold.
fn behind(seen: &Observed, direction: Direction, threshold: f64) -> Vec<usize> {
    match &seen.behind {
        Behind::Nothing => Vec::new(),
        Behind::Outside(rows) => rows.clone(),
        Behind::Counted(base) => base
            .iter()
            .filter(|(_, counted)| *counted == (direction == Direction::Above))
            .map(|(i, _)| *i)
            .collect(),
        Behind::Values(values) => values
            .iter()
            .filter(|(_, x)| match direction {
                Direction::Above => *x > threshold,
                Direction::Below => *x < threshold,
            })
            .map(|(i, _)| *i)
            .collect(),
    }
}
