//! Two columns of numbers side by side: how many differ, by how much, and how each is spread.
//!
//! Every figure is exact: all values are kept, sorted once, and medians and quantiles are those of the
//! monitor's metrics. A million rows of one outcome take 32 MB at most.

use serde::Serialize;

use crate::monitor::metrics::{median, nearest_rank};

/// Bins of a distribution.
const BINS: usize = 40;

/// The pairs of one outcome.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    before: Vec<f64>,
    after: Vec<f64>,
    /// After minus before, of the pairs of two numbers that differ.
    changes: Vec<f64>,
    /// The size of that change as a share of the size of `before`, where that is not zero.
    relative: Vec<f64>,
}

/// Median and largest size of a change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Takes in a row: numbers that are there, and whether they differ by a bit. Gives the change
    /// with its sign when both are there and differ.
    pub fn add(&mut self, before: Option<f64>, after: Option<f64>, differ: bool) -> Option<f64> {
        self.before.extend(before);
        self.after.extend(after);
        let (before, after) = before.zip(after).filter(|_| differ)?;
        // Two numbers of opposite huge size may lie further apart than a number can say.
        let change = (after - before).clamp(f64::MIN, f64::MAX);
        self.changes.push(change);
        if before != 0.0 {
            let share = (change / before).abs();
            self.relative.push(share.min(f64::MAX));
        }
        Some(change)
    }

    /// Sorts and sums up.
    #[must_use]
    pub fn summary(mut self) -> Summary {
        sort(&mut self.before);
        sort(&mut self.after);
        sort(&mut self.changes);
        sort(&mut self.relative);
        let change = quantiles(&self.changes);
        for x in &mut self.changes {
            *x = x.abs();
        }
        sort(&mut self.changes);
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

fn sort(values: &mut [f64]) {
    values.sort_unstable_by(f64::total_cmp);
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_those_computed_by_hand() {
        let mut pairs = Pairs::default();
        let rows = [
            (Some(10.0), Some(11.0)),
            (Some(100.0), Some(60.0)),
            (Some(0.0), Some(5.0)),
            (Some(4.0), Some(4.0)),
            (Some(7.0), None),
            (None, Some(9.0)),
            (None, None),
            (Some(2.0), Some(-1.0)),
        ];
        let changes: Vec<Option<f64>> = rows
            .iter()
            .map(|(b, a)| pairs.add(*b, *a, b != a))
            .collect();
        assert_eq!(
            changes,
            [
                Some(1.0),
                Some(-40.0),
                Some(5.0),
                None,
                None,
                None,
                None,
                Some(-3.0)
            ]
        );
        let s = pairs.summary();
        // Sizes 1, 3, 5, 40; shares 1/10, 40/100, 3/2.
        assert_eq!(
            s.absolute,
            Some(Size {
                median: 4.0,
                largest: 40.0,
                rows: 4
            })
        );
        assert_eq!(
            s.relative,
            Some(Size {
                median: 0.4,
                largest: 1.5,
                rows: 3
            })
        );
        // -40, -3, 1, 5: ranks ceil(0.2) = 1 and ceil(3.8) = 4, the median between -3 and 1.
        assert_eq!(
            s.change,
            Some(Quantiles {
                p05: -40.0,
                p50: -1.0,
                p95: 5.0
            })
        );
        // 0, 2, 4, 7, 10, 100 and -1, 4, 5, 9, 11, 60.
        assert_eq!(
            s.before,
            Some(Quantiles {
                p05: 0.0,
                p50: 5.5,
                p95: 100.0
            })
        );
        assert_eq!(
            s.after,
            Some(Quantiles {
                p05: -1.0,
                p50: 7.0,
                p95: 60.0
            })
        );
        let d = s.distribution.unwrap();
        assert_eq!((d.low, d.high), (-1.0, 100.0));
        assert_eq!(d.before.iter().sum::<u64>(), 6);
        assert_eq!(d.after.iter().sum::<u64>(), 6);
        // (4 + 1) / 101 · 40 = 1.98: the second bin, where -1 is in the first.
        assert_eq!((d.after[0], d.after[1]), (1, 1));
        assert_eq!(d.before[BINS - 1], 1);
    }

    #[test]
    fn nothing_changed_and_nothing_there_have_no_figures() {
        assert_eq!(
            Pairs::default().summary(),
            Summary {
                absolute: None,
                relative: None,
                change: None,
                before: None,
                after: None,
                distribution: None
            }
        );
        let mut same = Pairs::default();
        assert_eq!(same.add(Some(3.0), Some(3.0), false), None);
        let s = same.summary();
        assert_eq!((s.absolute, s.change), (None, None));
        let d = s.distribution.unwrap();
        assert_eq!((d.before[0], d.after[0], d.low, d.high), (1, 1, 3.0, 3.0));
    }

    #[test]
    fn huge_numbers_stay_numbers() {
        let mut pairs = Pairs::default();
        assert_eq!(
            pairs.add(Some(f64::MIN), Some(f64::MAX), true),
            Some(f64::MAX)
        );
        assert_eq!(pairs.add(Some(5e-324), Some(1e300), true), Some(1e300));
        let s = pairs.summary();
        assert_eq!(s.absolute.unwrap().largest, f64::MAX);
        assert_eq!(s.relative.unwrap().largest, f64::MAX);
        assert_eq!(s.distribution.unwrap().after[BINS - 1], 1);
    }

    /// The same figures by counting instead of by position.
    fn naive_quantile(values: &[f64], percent: usize) -> Option<f64> {
        let enough =
            |x: f64| values.iter().filter(|v| **v <= x).count() * 100 >= percent * values.len();
        values
            .iter()
            .copied()
            .filter(|x| enough(*x))
            .reduce(f64::min)
    }

    proptest! {
        #[test]
        fn figures_agree_with_a_naive_way(
            rows in prop::collection::vec((prop::option::of(-9_i32..9), prop::option::of(-9_i32..9)), 0..60)
        ) {
            let mut pairs = Pairs::default();
            let (mut before, mut after, mut changes) = (vec![], vec![], vec![]);
            for (b, a) in &rows {
                let (b, a) = (b.map(f64::from), a.map(f64::from));
                pairs.add(b, a, b != a);
                before.extend(b);
                after.extend(a);
                if let (Some(b), Some(a)) = (b, a) && b != a {
                    changes.push(a - b);
                }
            }
            let s = pairs.summary();
            for (got, values) in [(s.change, &changes), (s.before, &before), (s.after, &after)] {
                prop_assert_eq!(got.map(|q| q.p05), naive_quantile(values, 5));
                prop_assert_eq!(got.map(|q| q.p95), naive_quantile(values, 95));
            }
            if let Some(c) = s.change && changes.iter().all(|x| *x < 0.0) {
                prop_assert_eq!(Some(-c.p50), s.absolute.map(|a| a.median), "one rule for both");
            }
            let sizes: Vec<f64> = changes.iter().map(|x| x.abs()).collect();
            prop_assert_eq!(s.absolute.map(|a| a.largest), sizes.iter().copied().reduce(f64::max));
            if let Some(a) = s.absolute {
                // As many are at or below the median as at or above it.
                let low = sizes.iter().filter(|x| **x < a.median).count();
                let high = sizes.iter().filter(|x| **x > a.median).count();
                prop_assert!(low * 2 <= sizes.len() && high * 2 <= sizes.len());
                prop_assert_eq!(a.rows, sizes.len());
            }
            if let Some(d) = s.distribution {
                let all = |bins: &[u64], side: usize| bins.iter().sum::<u64>() + d.below[side] + d.above[side];
                prop_assert_eq!(all(&d.before, 0), before.len() as u64);
                prop_assert_eq!(all(&d.after, 1), after.len() as u64);
            }
        }
    }
}
