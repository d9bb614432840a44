//! The catalogue of metrics, and how each is computed.
//!
//! A metric is a number over the rows of a group. Means add up sorted values, so that the order of
//! rows cannot reach a bit of the result.

use provender_domain::value::Value;

use super::baseline::Reference;
use super::input::{Bounds, Row};
use super::shift;

/// A metric of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Share of values at or below the guardrail's minimum.
    ShareAtOrBelowMinimum,
    /// Share of values above the guardrail's maximum.
    ShareAboveMaximum,
    /// Share of nulls.
    ShareNull,
    /// Share of answers with a breached guardrail.
    ShareGuardrailFailed,
    /// Recorded of expected answers.
    Coverage,
    /// Arithmetic mean.
    Mean,
    /// Median.
    Median,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// 5th percentile.
    P05,
    /// 95th percentile.
    P95,
    /// Number of answers.
    Rows,
    /// Distance of the median from the baseline's, in robust standard deviations.
    MedianShift,
    /// PSI against the baseline, over what it is expected to be without a change.
    Psi,
    /// Largest change from one day to the next that no held input explains.
    Step,
}

/// What a metric looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
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
    pub const ALL: [Metric; 15] = [
        Metric::ShareAtOrBelowMinimum,
        Metric::ShareAboveMaximum,
        Metric::ShareNull,
        Metric::ShareGuardrailFailed,
        Metric::Coverage,
        Metric::Mean,
        Metric::Median,
        Metric::Min,
        Metric::Max,
        Metric::P05,
        Metric::P95,
        Metric::Rows,
        Metric::MedianShift,
        Metric::Psi,
        Metric::Step,
    ];

    /// The name by which rules call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Metric::ShareAtOrBelowMinimum => "share_at_or_below_minimum",
            Metric::ShareAboveMaximum => "share_above_maximum",
            Metric::ShareNull => "share_null",
            Metric::ShareGuardrailFailed => "share_guardrail_failed",
            Metric::Coverage => "coverage",
            Metric::Mean => "mean",
            Metric::Median => "median",
            Metric::Min => "min",
            Metric::Max => "max",
            Metric::P05 => "p05",
            Metric::P95 => "p95",
            Metric::Rows => "rows",
            Metric::MedianShift => "median_shift",
            Metric::Psi => "psi",
            Metric::Step => "step",
        }
    }

    /// The metric of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Metric> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// What it looks at.
    #[must_use]
    pub fn needs(self) -> Needs {
        match self {
            Metric::ShareAtOrBelowMinimum => Needs::Minimum,
            Metric::ShareAboveMaximum => Needs::Maximum,
            Metric::ShareNull => Needs::Column,
            Metric::ShareGuardrailFailed | Metric::Coverage | Metric::Rows => Needs::Rows,
            Metric::Mean
            | Metric::Median
            | Metric::Min
            | Metric::Max
            | Metric::P05
            | Metric::P95
            | Metric::Step => Needs::Numbers,
            Metric::MedianShift | Metric::Psi => Needs::Baseline,
        }
    }

    /// Whether its value carries the subject's unit (all others are shares or counts).
    #[must_use]
    pub fn has_unit(self) -> bool {
        self.needs() == Needs::Numbers
    }

    /// Meaning and computation, for the reference.
    #[must_use]
    pub fn doc(self) -> &'static str {
        match self {
            Metric::ShareAtOrBelowMinimum => {
                "Share of non-null values at or below the minimum of the subject's guardrail; rows: non-null values."
            }
            Metric::ShareAboveMaximum => {
                "Share of non-null values above the maximum of the subject's guardrail; rows: non-null values."
            }
            Metric::ShareNull => "Share of answers whose subject is null; rows: all answers.",
            Metric::ShareGuardrailFailed => {
                "Share of answers recorded with a breached guardrail; rows: all answers."
            }
            Metric::Coverage => {
                "Expected answers that are recorded, as a share of all expected ones; rows: expected answers. \
                 An answer on a day that was not expected does not count. Nothing expected: not applicable; \
                 nothing recorded of what was expected: crit."
            }
            Metric::Mean => "Arithmetic mean of the non-null values.",
            Metric::Median => {
                "The middle of the sorted non-null values, or the mean of the two middle ones."
            }
            Metric::Min => "Smallest non-null value.",
            Metric::Max => "Largest non-null value.",
            Metric::P05 => {
                "5th percentile of the non-null values by nearest rank: the value at position ceil(0.05 n)."
            }
            Metric::P95 => {
                "95th percentile of the non-null values by nearest rank: the value at position ceil(0.95 n)."
            }
            Metric::Rows => "Number of answers; none is zero, not unknown.",
            Metric::MedianShift => {
                "Distance of the window's median from the baseline's, over the baseline's robust standard \
                 deviation (1.4826 MAD). No baseline: unknown."
            }
            Metric::Psi => {
                "PSI of the window against the baseline's bins, as a multiple of (B-1)(1/n+1/m), which it is \
                 expected to be without a change; n and m are effective numbers of rows. No baseline: unknown."
            }
            Metric::Step => {
                "Largest absolute change from one day to the next, without those days on which the herd, the \
                 boundary, the configuration or an input that is observed now and then changed; rows: pairs of \
                 days that are left."
            }
        }
    }
}

/// Which rows stand behind an observed value; positions in the group's rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Behind {
    /// None of them in particular.
    Nothing,
    /// The rows of the base, and whether each is counted in the share.
    Counted(Vec<(usize, bool)>),
    /// The rows with a number.
    Values(Vec<(usize, f64)>),
    /// The rows outside what the baseline saw.
    Outside(Vec<usize>),
}

/// A metric's value over a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The value; none when there is nothing to compute it from.
    pub value: Option<f64>,
    /// On how many rows it rests.
    pub rows: usize,
    /// How many of them are counted, where the value is a share.
    pub counted: Option<usize>,
    /// The rows behind it.
    pub behind: Behind,
    /// How it came about, or why there is none, where that needs a word.
    pub note: Option<String>,
}

/// What a metric is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The answers of the group, by series and day.
    pub rows: &'a [&'a Row],
    /// To which series each of them belongs.
    pub places: &'a [usize],
    /// Expected and recorded answers.
    pub coverage: Coverage,
    /// Acceptable range of the subject.
    pub bounds: Bounds,
    /// Inputs whose change explains a step.
    pub explaining: &'a [String],
    /// The subject's reference in the baseline; the reason where there is none.
    pub reference: Result<&'a Reference, &'a str>,
}

/// Expected answers of a group, and how many of them are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Expected answers.
    pub expected: usize,
    /// Recorded among the expected.
    pub recorded: usize,
}

/// Computes a metric. Rules have passed [`super::resolve::check`]: the subject is there where one
/// is needed, and so is the bound; where not, the value is none and the rule `unknown`.
#[must_use]
pub fn observe(metric: Metric, subject: Option<&str>, scene: Scene<'_>) -> Observed {
    let Scene {
        rows,
        coverage,
        bounds,
        ..
    } = scene;
    let column = |row: &Row| subject.and_then(|s| row.values.get(s)).cloned();
    match metric {
        Metric::Rows => Observed {
            value: Some(count(rows.len())),
            rows: rows.len(),
            counted: None,
            behind: Behind::Nothing,
            note: None,
        },
        Metric::Coverage => Observed {
            value: ratio(coverage.recorded, coverage.expected),
            rows: coverage.expected,
            counted: Some(coverage.recorded),
            behind: Behind::Nothing,
            note: None,
        },
        Metric::ShareGuardrailFailed => share(
            rows.iter()
                .enumerate()
                .map(|(i, r)| (i, r.guardrail_failed))
                .collect(),
        ),
        Metric::ShareNull => share(
            rows.iter()
                .enumerate()
                .map(|(i, r)| (i, column(r).is_none_or(|v| v == Value::Null)))
                .collect(),
        ),
        Metric::ShareAtOrBelowMinimum => match bounds.minimum {
            None => nothing(),
            Some(low) => share(
                numbers(subject, rows)
                    .into_iter()
                    .map(|(i, x)| (i, x <= low))
                    .collect(),
            ),
        },
        Metric::ShareAboveMaximum => match bounds.maximum {
            None => nothing(),
            Some(high) => share(
                numbers(subject, rows)
                    .into_iter()
                    .map(|(i, x)| (i, x > high))
                    .collect(),
            ),
        },
        Metric::Mean | Metric::Median | Metric::Min | Metric::Max | Metric::P05 | Metric::P95 => {
            let values = numbers(subject, rows);
            let mut sorted: Vec<f64> = values.iter().map(|(_, x)| *x).collect();
            sorted.sort_by(f64::total_cmp);
            let value = statistic(metric, &sorted).filter(|x| x.is_finite());
            Observed {
                value: value.map(provender_domain::value::plain_zero),
                rows: values.len(),
                counted: None,
                behind: Behind::Values(values),
                note: None,
            }
        }
        Metric::MedianShift | Metric::Psi => compared(metric, subject, scene),
        Metric::Step => {
            let steps = subject.map_or_else(Vec::new, |s| {
                shift::steps(s, rows, scene.places, scene.explaining)
            });
            let value = steps.iter().map(|(_, x)| *x).max_by(f64::total_cmp);
            let note = (steps.is_empty() && !rows.is_empty())
                .then(|| "no two days that follow each other can be compared".to_owned());
            Observed {
                value: value.filter(|x| x.is_finite()),
                rows: steps.len(),
                counted: None,
                behind: Behind::Values(steps),
                note,
            }
        }
    }
}

fn compared(metric: Metric, subject: Option<&str>, scene: Scene<'_>) -> Observed {
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
        // The reason is then that there is nothing to compare.
        Ok(_) if sorted.is_empty() => Observed {
            note: None,
            ..seen(None, String::new())
        },
        Ok(reference) => {
            let compared = match metric {
                Metric::Psi => shift::psi(reference, &sorted),
                _ => shift::median_shift(reference, &sorted),
            };
            let mut out = seen(compared.value, compared.note);
            // A shift of the whole has no single culprit: the rows outside what the baseline saw
            // are those to look at first.
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

fn statistic(metric: Metric, sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    match metric {
        Metric::Mean => (n > 0).then(|| sorted.iter().sum::<f64>() / count(n)),
        Metric::Median => median(sorted),
        Metric::Min => sorted.first().copied(),
        Metric::Max => sorted.last().copied(),
        Metric::P05 => nearest_rank(sorted, 5),
        Metric::P95 => nearest_rank(sorted, 95),
        _ => None,
    }
}

/// The middle of sorted values, or the mean of the two middle ones; none when there are none.
#[must_use]
pub fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    let high = *sorted.get(n / 2)?;
    if n % 2 == 1 {
        Some(high)
    } else {
        Some(f64::midpoint(*sorted.get(n / 2 - 1)?, high))
    }
}

/// The value at the 1-based position ceil(percent/100 · n); integers, so that no rounding of
/// 0.95 · n can move the rank. None when there are none.
#[must_use]
pub fn nearest_rank(sorted: &[f64], percent: usize) -> Option<f64> {
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

fn share(base: Vec<(usize, bool)>) -> Observed {
    let counted = base.iter().filter(|(_, c)| *c).count();
    Observed {
        value: ratio(counted, base.len()),
        rows: base.len(),
        counted: Some(counted),
        behind: Behind::Counted(base),
        note: None,
    }
}

fn nothing() -> Observed {
    Observed {
        value: None,
        rows: 0,
        counted: None,
        behind: Behind::Nothing,
        note: None,
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
