//! The catalogue of metrics, and how each is computed.
//!
//! A metric is a number computed over the rows of a group. To add one, add an entry to [`Metric::ALL`]. A rule, not
//! the metric, chooses scope and direction.
//!
//! Means add sorted values, so the order of rows cannot change a bit of the result.

use std::fmt;

use serde_json::Value as Json;

use provender_domain::description::Direction;
use provender_domain::value::{Value, plain_zero};

use super::baseline::Reference;
use super::input::{Bounds, Row};
use super::shift;

/// A metric of the catalogue.
#[derive(Clone, Copy)]
pub struct Metric {
    /// The name in rules.
    name: &'static str,
    needs: Needs,
    base: Base,
    /// Meaning and computation, for the reference.
    doc: &'static str,
    /// Whether a single row fails a rule of this metric, for triage.
    fails: fn(row: OneRow<'_>) -> Option<bool>,
    observe: fn(subject: Option<&str>, scene: MetricInput<'_>) -> Observed,
}

/// A recorded row as triage checks it against one rule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OneRow<'r> {
    /// The subject's value; `None` if the rule has no subject or the row no value.
    pub(crate) value: Option<&'r Json>,
    /// The minimum of the subject's guardrail.
    pub(crate) minimum: Option<f64>,
    /// The maximum of the subject's guardrail.
    pub(crate) maximum: Option<f64>,
    /// Whether the row breached a guardrail.
    pub(crate) guardrail_failed: bool,
    /// The rule's threshold, with the side that is bad.
    pub(crate) threshold: Option<(Direction, f64)>,
}

impl OneRow<'_> {
    fn number(self) -> Option<f64> {
        self.value.and_then(Json::as_f64)
    }
}

/// For rules that single values decide: whether this value is beyond the threshold.
fn beyond_threshold(row: OneRow<'_>) -> Option<bool> {
    let value = row.number()?;
    Some(match row.threshold? {
        (Direction::Above, most) => value > most,
        (Direction::Below, least) => value < least,
    })
}

/// For rules that only all rows together decide.
fn undecided(_: OneRow<'_>) -> Option<bool> {
    None
}

/// What a metric is computed from, and so what a rule's `min_rows` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// Answers.
    Rows,
    /// Answers, whose number is the metric itself: it may fire on few answers.
    Itself,
    /// Expected answers. If none is expected, the rule is not applicable; if none is recorded, it is crit.
    Expected,
    /// Pairs of consecutive days, without those whose change an input explains.
    Pairs,
}

/// What a metric looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// The rows themselves; a subject is refused.
    Rows,
    /// A column of any type.
    Column,
    /// A column of numbers.
    Numbers,
    /// A column of numbers with a guardrail's minimum.
    Minimum,
    /// A column of numbers with a guardrail's maximum.
    Maximum,
    /// A column of numbers and a baseline to compare with.
    Baseline,
}

impl Metric {
    /// The whole catalogue, in the order of the documentation.
    pub const ALL: &'static [Metric] = &[
        Metric {
            name: "share_at_or_below_minimum",
            needs: Needs::Minimum,
            base: Base::Rows,
            fails: |row| Some(row.number()? <= row.minimum?),
            doc: "Share of non-null values at or below the minimum of the subject's guardrail; rows: non-null values.",
            observe: |subject, scene| {
                beyond(subject, scene, scene.bounds.minimum, |x, low| x <= low)
            },
        },
        Metric {
            name: "share_above_maximum",
            needs: Needs::Maximum,
            base: Base::Rows,
            fails: |row| Some(row.number()? > row.maximum?),
            doc: "Share of non-null values above the maximum of the subject's guardrail; rows: non-null values.",
            observe: |subject, scene| {
                beyond(subject, scene, scene.bounds.maximum, |x, high| x > high)
            },
        },
        Metric {
            name: "share_null",
            needs: Needs::Column,
            base: Base::Rows,
            fails: |row| row.value.map(Json::is_null),
            doc: "Share of answers whose subject is null; rows: all answers.",
            observe: |subject, scene| share(scene, |row| is_null(subject, row)),
        },
        Metric {
            name: "share_guardrail_failed",
            needs: Needs::Rows,
            base: Base::Rows,
            fails: |row| Some(row.guardrail_failed),
            doc: "Share of answers recorded with a breached guardrail; rows: all answers.",
            observe: |_, scene| share(scene, |row| row.guardrail_failed),
        },
        Metric {
            name: "coverage",
            needs: Needs::Rows,
            base: Base::Expected,
            fails: undecided,
            doc: "Expected answers that are recorded, as a share of all expected ones; rows: expected answers. \
                 An answer on a day that was not expected does not count. Nothing expected: not applicable; \
                 nothing recorded of what was expected: crit.",
            observe: |_, scene| coverage(scene.coverage),
        },
        Metric {
            name: "mean",
            needs: Needs::Numbers,
            base: Base::Rows,
            fails: undecided,
            doc: "Arithmetic mean of the non-null values.",
            observe: |subject, scene| statistic(subject, scene, mean),
        },
        Metric {
            name: "median",
            needs: Needs::Numbers,
            base: Base::Rows,
            fails: undecided,
            doc: "The middle of the sorted non-null values, or the mean of the two middle ones.",
            observe: |subject, scene| statistic(subject, scene, median),
        },
        Metric {
            name: "min",
            needs: Needs::Numbers,
            base: Base::Rows,
            fails: beyond_threshold,
            doc: "Smallest non-null value.",
            observe: |subject, scene| statistic(subject, scene, |sorted| sorted.first().copied()),
        },
        Metric {
            name: "max",
            needs: Needs::Numbers,
            base: Base::Rows,
            fails: beyond_threshold,
            doc: "Largest non-null value.",
            observe: |subject, scene| statistic(subject, scene, |sorted| sorted.last().copied()),
        },
        Metric {
            name: "p05",
            needs: Needs::Numbers,
            base: Base::Rows,
            fails: beyond_threshold,
            doc: "5th percentile of the non-null values by nearest rank: the value at position ceil(0.05 n).",
            observe: |subject, scene| statistic(subject, scene, |sorted| nearest_rank(sorted, 5)),
        },
        Metric {
            name: "p95",
            needs: Needs::Numbers,
            base: Base::Rows,
            fails: beyond_threshold,
            doc: "95th percentile of the non-null values by nearest rank: the value at position ceil(0.95 n).",
            observe: |subject, scene| statistic(subject, scene, |sorted| nearest_rank(sorted, 95)),
        },
        Metric {
            name: "rows",
            needs: Needs::Rows,
            base: Base::Itself,
            fails: undecided,
            doc: "Number of answers; none is zero, not unknown.",
            observe: |_, scene| rows(scene),
        },
        Metric {
            name: "median_shift",
            needs: Needs::Baseline,
            base: Base::Rows,
            fails: undecided,
            doc: "Distance of the window's median from the baseline's, over the baseline's robust standard \
                 deviation (1.4826 MAD). No baseline: unknown.",
            observe: |subject, scene| compared(subject, scene, shift::median_shift),
        },
        Metric {
            name: "psi",
            needs: Needs::Baseline,
            base: Base::Rows,
            fails: undecided,
            doc: "PSI of the window against the baseline's bins, as a multiple of (B-1)(1/n+1/m), which it is \
                 expected to be without a change; n and m are effective numbers of rows. No baseline: unknown.",
            observe: |subject, scene| compared(subject, scene, shift::psi),
        },
        Metric {
            name: "step",
            needs: Needs::Numbers,
            base: Base::Pairs,
            fails: undecided,
            doc: "Largest absolute change from one day to the next, without those days on which the herd, the \
                 boundary, the configuration or an input that is observed now and then changed; rows: pairs of \
                 days that are left.",
            observe: step,
        },
    ];

    /// The name in rules.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The metric of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Metric> {
        Self::ALL.iter().copied().find(|m| m.name == name)
    }

    /// What it looks at.
    #[must_use]
    pub(crate) fn needs(&self) -> Needs {
        self.needs
    }

    /// What it is computed from.
    #[must_use]
    pub(crate) fn base(&self) -> Base {
        self.base
    }

    /// Whether its value is in the subject's unit (other metrics are shares or counts).
    #[must_use]
    pub(crate) fn has_unit(&self) -> bool {
        self.needs == Needs::Numbers
    }

    /// Meaning and computation, for the reference.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.doc
    }

    /// Whether a single row fails a rule of this metric; `None` if no single row decides, or the row lacks the value
    /// that does.
    #[must_use]
    pub(crate) fn fails(&self, row: OneRow<'_>) -> Option<bool> {
        (self.fails)(row)
    }

    /// Computes the metric. [`super::resolve::check`] has made sure that a needed subject and bound exist. If one is
    /// missing anyway, there is no value and the rule is `unknown`.
    #[must_use]
    pub(crate) fn observe(&self, subject: Option<&str>, scene: MetricInput<'_>) -> Observed {
        (self.observe)(subject, scene)
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The rows behind an observed value, as indices into the group's rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Behind {
    /// None of them in particular.
    Nothing,
    /// All rows of the base, and whether each is counted in the share.
    Counted(Vec<(usize, bool)>),
    /// The rows with a number.
    Values(Vec<(usize, f64)>),
    /// The rows outside the baseline's range.
    Outside(Vec<usize>),
}

/// A metric's value over a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observed {
    /// The value; `None` if there is nothing to compute it from.
    pub(crate) value: Option<f64>,
    /// How many rows it is computed from.
    pub(crate) rows: usize,
    /// How many of them are counted, if the value is a share.
    pub(crate) counted: Option<usize>,
    /// The rows behind it.
    pub(crate) behind: Behind,
    /// How the value was computed or why there is none, if that needs an explanation.
    pub(crate) note: Option<String>,
}

/// The input of a metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetricInput<'a> {
    /// The answers of the group, by series and day.
    pub(crate) rows: &'a [&'a Row],
    /// Index of the series of each row.
    pub(crate) places: &'a [usize],
    /// Expected and recorded answers.
    pub(crate) coverage: Coverage,
    /// Acceptable range of the subject.
    pub(crate) bounds: Bounds,
    /// Inputs whose change explains a step.
    pub(crate) explaining: &'a [String],
    /// The subject's reference in the baseline, or why there is none.
    pub(crate) reference: Result<&'a Reference, &'a str>,
}

/// Expected answers of a group, and how many of them are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// Expected answers.
    pub(crate) expected: usize,
    /// Recorded among the expected.
    pub(crate) recorded: usize,
}

fn compared(
    subject: Option<&str>,
    scene: MetricInput<'_>,
    compare: fn(&Reference, &[f64]) -> shift::Compared,
) -> Observed {
    let values = numbers(subject, scene.rows);
    let mut sorted: Vec<f64> = values.iter().map(|(_, x)| *x).collect();
    sorted.sort_by(f64::total_cmp);
    let seen = |value: Option<f64>, note: String| Observed {
        value: value.filter(|x| x.is_finite()),
        rows: values.len(),
        counted: None,
        behind: Behind::Nothing,
        note: Some(note),
    };
    match scene.reference {
        Err(why) => seen(None, why.to_owned()),
        // Then the note says that there is nothing to compare.
        Ok(_) if sorted.is_empty() => Observed {
            note: None,
            ..seen(None, String::new())
        },
        Ok(reference) => {
            let compared = compare(reference, &sorted);
            let mut out = seen(compared.value, compared.note);
            // No single row causes a shift of the whole. Rows outside the baseline's range are the ones to
            // look at first.
            out.behind = Behind::Outside(
                values
                    .iter()
                    .filter(|(_, x)| *x < reference.minimum || *x > reference.maximum)
                    .map(|(i, _)| *i)
                    .collect(),
            );
            out
        }
    }
}

/// The median of sorted values: the middle one, or the mean of the two middle ones. `None` if there are no values.
#[must_use]
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    let high = *sorted.get(n / 2)?;
    if n % 2 == 1 {
        Some(high)
    } else {
        Some(f64::midpoint(*sorted.get(n / 2 - 1)?, high))
    }
}

/// The value at the 1-based position ceil(percent/100 · n), computed with integers, so that rounding of 0.95 · n
/// cannot change the rank. `None` if there are no values.
#[must_use]
pub(crate) fn nearest_rank(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (percent * sorted.len()).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

fn numbers(subject: Option<&str>, rows: &[&Row]) -> Vec<(usize, f64)> {
    let of = |row: &Row| {
        subject
            .and_then(|s| row.values.get(s))
            .and_then(Value::as_f64)
    };
    rows.iter()
        .enumerate()
        .filter_map(|(i, r)| of(r).map(|x| (i, x)))
        .collect()
}

fn counted(base: Vec<(usize, bool)>) -> Observed {
    let counted = base.iter().filter(|(_, c)| *c).count();
    Observed {
        value: ratio(counted, base.len()),
        rows: base.len(),
        counted: Some(counted),
        behind: Behind::Counted(base),
        note: None,
    }
}

/// The share of answers for which `is` is true.
fn share(scene: MetricInput<'_>, is: impl Fn(&Row) -> bool) -> Observed {
    counted(scene.rows.iter().map(|r| is(r)).enumerate().collect())
}

fn is_null(subject: Option<&str>, row: &Row) -> bool {
    let value = subject.and_then(|s| row.values.get(s));
    value.is_none_or(|v| *v == Value::Null)
}

/// The share of numbers beyond a bound.
fn beyond(
    subject: Option<&str>,
    scene: MetricInput<'_>,
    bound: Option<f64>,
    is: fn(f64, f64) -> bool,
) -> Observed {
    let Some(bound) = bound else {
        return plain(None, 0);
    };
    let numbers = numbers(subject, scene.rows).into_iter();
    counted(numbers.map(|(i, x)| (i, is(x, bound))).collect())
}

fn coverage(coverage: Coverage) -> Observed {
    Observed {
        counted: Some(coverage.recorded),
        ..plain(
            ratio(coverage.recorded, coverage.expected),
            coverage.expected,
        )
    }
}

fn rows(scene: MetricInput<'_>) -> Observed {
    plain(Some(count(scene.rows.len())), scene.rows.len())
}

fn plain(value: Option<f64>, rows: usize) -> Observed {
    Observed {
        value,
        rows,
        counted: None,
        behind: Behind::Nothing,
        note: None,
    }
}

/// A figure of the sorted numbers.
fn statistic(
    subject: Option<&str>,
    scene: MetricInput<'_>,
    of: fn(&[f64]) -> Option<f64>,
) -> Observed {
    let values = numbers(subject, scene.rows);
    let mut sorted: Vec<f64> = values.iter().map(|(_, x)| *x).collect();
    sorted.sort_by(f64::total_cmp);
    let value = of(&sorted).filter(|x| x.is_finite());
    let rows = values.len();
    Observed {
        behind: Behind::Values(values),
        ..plain(value.map(plain_zero), rows)
    }
}

fn mean(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    (n > 0).then(|| sorted.iter().sum::<f64>() / count(n))
}

fn step(subject: Option<&str>, scene: MetricInput<'_>) -> Observed {
    let steps = subject.map_or_else(Vec::new, |s| {
        shift::steps(s, scene.rows, scene.places, scene.explaining)
    });
    let value = steps.iter().map(|(_, x)| *x).max_by(f64::total_cmp);
    let note = (steps.is_empty() && !scene.rows.is_empty())
        .then(|| "no two days that follow each other can be compared".to_owned());
    let rows = steps.len();
    Observed {
        behind: Behind::Values(steps),
        note,
        ..plain(value.filter(|x| x.is_finite()), rows)
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| count(part) / count(whole))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a count of rows in memory is far below 2^53"
)]
fn count(n: usize) -> f64 {
    n as f64
}
