//! Figures computed by hand, and by a naive computation.

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
fn unchanged_or_absent_rows_have_no_figures() {
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
fn sorting_in_threads_changes_no_figure() {
    let mut random = 7_u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((random >> 33) % 5_000) as f64 / 8.0 - 300.0
    };
    let mut all = [Pairs::default(), Pairs::default()];
    for pairs in &mut all {
        for _ in 0..MANY {
            let (before, after) = (next(), next());
            pairs.add(Some(before), Some(after), before != after);
        }
    }
    let alone = all.clone().map(Pairs::summary);
    sort_all(all.iter_mut(), 3);
    assert!(
        all.iter()
            .all(|p| p.changes.is_sorted() && p.after.is_sorted())
    );
    assert_eq!(all.map(Pairs::summary), alone);
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
    fn figures_agree_with_a_naive_computation(
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
            // As many values are at or below the median as at or above it.
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
