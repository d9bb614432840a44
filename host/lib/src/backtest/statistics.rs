//! Two columns of numbers side by side: how many differ, by how much, and how each is spread.
//!
//! Every figure is exact: all values are kept, sorted once, and medians and quantiles are those of the
//! monitor's metrics. A million rows of one outcome take 32 MB at most.

use std::cmp::Reverse;
use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use crate::monitor::metrics::{median, nearest_rank};

/// Bins of a distribution.
const BINS: usize = 40;
/// From how many numbers on sorting is worth a thread.
const MANY: usize = 20_000;

/// The pairs of one outcome.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    before: Vec<f64>,
    after: Vec<f64>,
    /// After minus before, of the pairs of two numbers that differ.
    changes: Vec<f64>,
    /// The size of that change as a share of the size of `before`, where that is not zero.
    relative: Vec<f64>,
}

/// Median and largest size of a change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Size {
    /// The middle one of the rows that changed; of an even count the mean of the two in the middle.
    pub median: f64,
    /// The largest.
    pub largest: f64,
    /// On how many rows both rest.
    pub rows: usize,
}

/// Three quantiles. The middle one is the median by the rule of [`Size`], so that a table which has both says
/// one thing; the outer ones are by nearest rank, numbers that some row has.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Quantiles {
    /// 5th percentile.
    pub p05: f64,
    /// The median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
}

/// How two columns are spread, over bins of one width. The lowest and the highest percent lie
/// outside, so that a few far values do not press all others into one bin.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Distribution {
    /// Lower end of the first bin.
    pub low: f64,
    /// Upper end of the last bin, included in it.
    pub high: f64,
    /// Values in each bin, before.
    pub before: Vec<u64>,
    /// Values in each bin, after.
    pub after: Vec<u64>,
    /// Values below `low`, before and after.
    pub below: [u64; 2],
    /// Values above `high`, before and after.
    pub above: [u64; 2],
}

/// What the pairs say.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "BacktestFigures")]
pub struct Summary {
    /// Size of the change, in the outcome's unit; of dates in days. None when no number changed.
    pub absolute: Option<Size>,
    /// Size of the change as a share of the number before, 0.08 for 8 %. Rows that were zero before
    /// have none.
    pub relative: Option<Size>,
    /// Quantiles of the change with its sign, over the rows that changed.
    pub change: Option<Quantiles>,
    /// Quantiles of the numbers before.
    pub before: Option<Quantiles>,
    /// Quantiles of the numbers after.
    pub after: Option<Quantiles>,
    /// Both distributions; none when there is no number on either side.
    pub distribution: Option<Distribution>,
}

impl Pairs {
    /// Adds a row: its numbers, if any, and whether they differ in a bit. Returns the signed change if both exist
    /// and differ.
    pub(super) fn add(
        &mut self,
        before: Option<f64>,
        after: Option<f64>,
        differ: bool,
    ) -> Option<f64> {
        self.before.extend(before);
        self.after.extend(after);
        let (before, after) = before.zip(after).filter(|_| differ)?;
        // The difference of two huge numbers of opposite sign may overflow.
        let change = (after - before).clamp(f64::MIN, f64::MAX);
        self.changes.push(change);
        if before != 0.0 {
            let share = (change / before).abs();
            self.relative.push(share.min(f64::MAX));
        }
        Some(change)
    }

    /// Adds the pairs of other rows.
    pub(super) fn join(&mut self, mut others: Pairs) {
        self.before.append(&mut others.before);
        self.after.append(&mut others.after);
        self.changes.append(&mut others.changes);
        self.relative.append(&mut others.relative);
    }

    /// Sorts the numbers and computes the summary.
    #[must_use]
    pub(super) fn summary(mut self) -> Summary {
        sort(&mut self.before);
        sort(&mut self.after);
        sort(&mut self.changes);
        sort(&mut self.relative);
        let change = quantiles(&self.changes);
        sizes(&mut self.changes);
        Summary {
            absolute: size(&self.changes),
            relative: size(&self.relative),
            change,
            before: quantiles(&self.before),
            after: quantiles(&self.after),
            distribution: distribution(&self.before, &self.after),
        }
    }
}

/// Sorts the numbers of many pairs with `threads` threads. Sorting is most of the work of summing up.
pub(super) fn sort_all<'p>(pairs: impl Iterator<Item = &'p mut Pairs>, threads: usize) {
    let columns = |p: &'p mut Pairs| [&mut p.before, &mut p.after, &mut p.changes, &mut p.relative];
    let mut columns: Vec<&mut Vec<f64>> = pairs.flat_map(columns).collect();
    columns.sort_by_key(|c| Reverse(c.len()));
    let many = columns.first().is_some_and(|c| c.len() >= MANY);
    let others = if many { threads.min(columns.len()) } else { 1 };
    let queue = Mutex::new(columns.into_iter());
    let work = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(column) = next else { break };
            sort(column);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..others {
            scope.spawn(work);
        }
        work();
    });
}

fn sort(values: &mut [f64]) {
    values.sort_unstable_by(f64::total_cmp);
}

/// The sizes of sorted changes, sorted.
fn sizes(changes: &mut [f64]) {
    let negative = changes.partition_point(|x| x.is_sign_negative());
    if let Some(negative) = changes.get_mut(..negative) {
        negative.reverse();
    }
    for x in changes.iter_mut() {
        *x = x.abs();
    }
    // Two ascending halves: this sort merges them.
    changes.sort_by(f64::total_cmp);
}

fn size(sorted: &[f64]) -> Option<Size> {
    Some(Size {
        median: median(sorted)?,
        largest: *sorted.last()?,
        rows: sorted.len(),
    })
}

fn quantiles(sorted: &[f64]) -> Option<Quantiles> {
    Some(Quantiles {
        p05: nearest_rank(sorted, 5)?,
        p50: median(sorted)?,
        p95: nearest_rank(sorted, 95)?,
    })
}

fn distribution(before: &[f64], after: &[f64]) -> Option<Distribution> {
    let end = |percent, pick: fn(f64, f64) -> f64| {
        let ends = [before, after].map(|side| nearest_rank(side, percent));
        ends.into_iter().flatten().reduce(pick)
    };
    let (low, high) = (end(1, f64::min)?, end(99, f64::max)?);
    let (from_before, below_before, above_before) = bins(before, low, high);
    let (from_after, below_after, above_after) = bins(after, low, high);
    Some(Distribution {
        low,
        high,
        before: from_before,
        after: from_after,
        below: [below_before, below_after],
        above: [above_before, above_after],
    })
}

fn bins(values: &[f64], low: f64, high: f64) -> (Vec<u64>, u64, u64) {
    let mut bins = vec![0; BINS];
    let (mut below, mut above) = (0, 0);
    for x in values {
        if *x < low {
            below += 1;
        } else if *x > high {
            above += 1;
        } else {
            bins[bin(*x, low, high)] += 1;
        }
    }
    (bins, below, above)
}

/// The bin of a value between `low` and `high`; all fall into the first one where both are equal.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share from 0 to 1 of a few bins"
)]
fn bin(x: f64, low: f64, high: f64) -> usize {
    // Halved, so that a range of two huge numbers does not overflow.
    let width = high / 2.0 - low / 2.0;
    if width <= 0.0 {
        return 0;
    }
    let share = ((x / 2.0 - low / 2.0) / width).clamp(0.0, 1.0);
    ((share * BINS as f64) as usize).min(BINS - 1)
}

#[cfg(test)]
mod tests;
