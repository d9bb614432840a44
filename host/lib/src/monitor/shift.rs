//! Compares a window with the baseline, and a day with the day before.
//!
//! A raw PSI depends on the number of rows more than on any change: over 30 rows in deciles it is 0.3 to 0.6 without
//! any change. So the metric is PSI divided by its expected value without a change, (B − 1)(1/n + 1/m). n and m
//! are effective numbers of rows: days of a series are correlated, and 30 correlated days carry less information
//! than 30 independent ones.

use std::collections::BTreeMap;

use provender_domain::day::Day;
use provender_domain::value::Value;

use super::baseline::{Reference, count_in};
use super::input::Row;
use super::metrics::median;

/// Bins in which fewer window rows than this are expected are joined.
const ROWS_A_BIN: f64 = 5.0;

/// Lag-1 correlations are capped here; above it the effective number of rows would be meaningless.
const MOST_LAG1: f64 = 0.98;

/// The result of a comparison, with an explanation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compared {
    /// The metric's value; `None` with the reason in `note`.
    pub value: Option<f64>,
    /// How it was computed, or why there is no value.
    pub note: String,
}

fn none(note: impl Into<String>) -> Compared {
    Compared {
        value: None,
        note: note.into(),
    }
}

/// Distance between the medians of window and reference, in robust standard deviations of the reference; never
/// negative.
#[must_use]
pub(crate) fn median_shift(reference: &Reference, sorted: &[f64]) -> Compared {
    let Some(now) = median(sorted) else {
        return none("there is no number in the window");
    };
    let was = reference.median;
    let note = format!(
        "the median was {} and is {}, one robust standard deviation is {}",
        text(was),
        text(now),
        text(reference.sigma)
    );
    if reference.sigma > 0.0 {
        Compared {
            value: Some((now - was).abs() / reference.sigma),
            note,
        }
    } else if now.to_bits() == was.to_bits() {
        Compared {
            value: Some(0.0),
            note,
        }
    } else {
        none(format!(
            "the numbers of the baseline do not vary, so a shift from {} to {} has no scale",
            text(was),
            text(now)
        ))
    }
}

/// PSI of the window against the reference, as a multiple of its expected value without a change.
#[must_use]
pub(crate) fn psi(reference: &Reference, values: &[f64]) -> Compared {
    let window = count_in(&reference.edges, values.iter().copied());
    let (n, m) = (count(reference.rows), count(values.len()));
    let bins = joined(&reference.counts, &window, n, m);
    if bins.len() < 2 {
        return none(
            "the baseline and the window have too few different numbers for two bins of 5 rows",
        );
    }
    let b = count(bins.len());
    let raw: f64 = bins
        .iter()
        .map(|(r, w)| {
            // Half a row is added to every bin, so that an empty one has a logarithm.
            let p = (count(*r) + 0.5) / (n + 0.5 * b);
            let q = (count(*w) + 0.5) / (m + 0.5 * b);
            (q - p) * (q / p).ln()
        })
        .sum();
    let rho = reference.lag1.clamp(0.0, MOST_LAG1);
    let worth = (1.0 - rho) / (1.0 + rho);
    let effective = |rows: f64| (rows * worth).max(1.0);
    let expected = (b - 1.0) * (1.0 / effective(n) + 1.0 / effective(m));
    Compared {
        value: Some(raw / expected),
        note: format!(
            "PSI {} over {} bins, {} expected without a change, lag-1 correlation {}",
            text(raw),
            bins.len(),
            text(expected),
            text(reference.lag1)
        ),
    }
}

/// Joins neighbouring bins until enough of the window's rows are expected in each. Remaining bins join the last one.
fn joined(reference: &[usize], window: &[usize], n: f64, m: f64) -> Vec<(usize, usize)> {
    let mut bins: Vec<(usize, usize)> = Vec::new();
    let mut open = (0, 0);
    for (r, w) in reference.iter().zip(window) {
        open = (open.0 + r, open.1 + w);
        if count(open.0) / n * m >= ROWS_A_BIN {
            bins.push(open);
            open = (0, 0);
        }
    }
    match bins.last_mut() {
        Some(last) => *last = (last.0 + open.0, last.1 + open.1),
        None => bins.push(open),
    }
    bins
}

/// Each unexplained step: the position of the later row and the size of the change from the day
/// before. `places` are the series of the rows. `explaining` are the inputs whose change explains a step: the herd,
/// the boundary, and what is observed only now and then.
#[must_use]
pub(crate) fn steps(
    subject: &str,
    rows: &[&Row],
    places: &[usize],
    explaining: &[String],
) -> Vec<(usize, f64)> {
    let at: BTreeMap<(usize, Day), usize> = rows
        .iter()
        .zip(places)
        .enumerate()
        .map(|(i, (r, p))| ((*p, r.date), i))
        .collect();
    let pairs: Vec<(usize, &Row, &Row)> = rows
        .iter()
        .zip(places)
        .enumerate()
        .filter_map(|(i, (row, place))| {
            let before = at.get(&(*place, row.date.plus(-1)?))?;
            Some((i, *rows.get(*before)?, *row))
        })
        .collect();
    let changed = |name: &String, a: &Row, b: &Row| a.values.get(name) != b.values.get(name);
    // An input that changes on most days is weather and not a new composite, so it explains no jump.
    let held: Vec<&String> = explaining
        .iter()
        .filter(|name| {
            let changes = pairs.iter().filter(|(_, a, b)| changed(name, a, b));
            2 * changes.count() <= pairs.len()
        })
        .collect();
    pairs
        .into_iter()
        .filter(|(_, a, b)| {
            a.config_version == b.config_version && !held.iter().any(|name| changed(name, a, b))
        })
        .filter_map(|(i, a, b)| {
            let number = |r: &Row| r.values.get(subject).and_then(Value::as_f64);
            Some((i, (number(b)? - number(a)?).abs()))
        })
        .collect()
}

fn text(x: f64) -> String {
    // Three significant digits are enough in a sentence; the exact value is in the report.
    if x == 0.0 {
        return "0".to_owned();
    }
    let magnitude = x.abs().log10().floor();
    if !(-4.0..6.0).contains(&magnitude) {
        return format!("{x:.2e}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 6"
    )]
    let digits = (2.0 - magnitude).max(0.0) as usize;
    format!("{x:.digits$}")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a count of rows in memory is far below 2^53"
)]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
