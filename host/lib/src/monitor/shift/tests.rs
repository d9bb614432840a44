//! The results of the comparisons, and how often they raise a false alarm when nothing changed.

use super::*;
use provender_domain::canonical::Digest;
use provender_domain::key::ConfigVersion;

/// SplitMix64 and Box–Muller: the same numbers on every machine and in every year.
struct Seeded(u64);

impl Seeded {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let x = ((z ^ (z >> 31)) >> 11) as f64;
        (x + 0.5) / 9_007_199_254_740_992.0
    }

    fn normal(&mut self) -> f64 {
        let (u, v) = (self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// A stationary AR(1) of unit variance.
    fn days(&mut self, n: usize, phi: f64) -> Vec<f64> {
        let mut x = self.normal();
        let fresh = (1.0 - phi * phi).sqrt();
        (0..n)
            .map(|_| {
                x = phi * x + fresh * self.normal();
                x
            })
            .collect()
    }
}

fn dated(values: &[f64]) -> Vec<(Day, f64)> {
    let first: Day = "2024-01-01".parse().unwrap();
    (0..)
        .zip(values)
        .map(|(i, x)| (first.plus(i).unwrap(), *x))
        .collect()
}

fn reference(values: &[f64]) -> Reference {
    Reference::of("days", None, &[dated(values)], 0).unwrap()
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The PSI of the usual rule of thumb: deciles, empty bins at 0.0001.
fn folk_psi(reference: &Reference, values: &[f64]) -> f64 {
    let window = count_in(&reference.edges, values.iter().copied());
    reference
        .counts
        .iter()
        .zip(&window)
        .map(|(r, w)| {
            let p = (count(*r) / count(reference.rows)).max(1e-4);
            let q = (count(*w) / count(values.len())).max(1e-4);
            (q - p) * (q / p).ln()
        })
        .sum()
}

struct Rates {
    row: String,
    folk: f64,
    warn: f64,
    crit: f64,
    shift: f64,
}

/// Shares of `TRIALS` windows without any change that a threshold reports as a change.
fn rates(n: usize, m: usize, phi: f64, change: f64) -> Rates {
    const TRIALS: usize = 1000;
    let mut random = Seeded(20_250_630);
    let (mut folk, mut psi_sum, mut warn, mut crit, mut shift2, mut shift3) =
        (0_usize, 0.0, 0_usize, 0_usize, 0_usize, 0_usize);
    for _ in 0..TRIALS {
        // The window follows the reference in the same process.
        let all = random.days(n + m, phi);
        let (was, now) = all.split_at(n);
        let reference = reference(was);
        let now = sorted(now.iter().map(|x| x + change).collect());
        let ratio = psi(&reference, &now).value.unwrap();
        folk += usize::from(folk_psi(&reference, &now) > 0.25);
        psi_sum += ratio;
        warn += usize::from(ratio > 3.0);
        crit += usize::from(ratio > 5.0);
        let shift = median_shift(&reference, &now).value.unwrap();
        shift2 += usize::from(shift > 1.0);
        shift3 += usize::from(shift > 2.0);
    }
    let share = |k: usize| count(k) / count(TRIALS);
    Rates {
        row: format!(
            "| {n} | {m} | {phi} | {:.2} | {:.2} | {:.3} | {:.3} | {:.3} | {:.3} |",
            share(folk),
            psi_sum / count(TRIALS),
            share(warn),
            share(crit),
            share(shift2),
            share(shift3)
        ),
        folk: share(folk),
        warn: share(warn),
        crit: share(crit),
        shift: share(shift3),
    }
}

const SCENES: [(usize, usize, f64); 11] = [
    (365, 14, 0.0),
    (365, 30, 0.0),
    (365, 90, 0.0),
    (1000, 100, 0.0),
    (2000, 1000, 0.0),
    (365, 30, 0.5),
    (365, 30, 0.8),
    (365, 30, 0.9),
    (365, 30, 0.95),
    (365, 90, 0.9),
    (90, 30, 0.9),
];

#[test]
fn without_a_change_thresholds_rarely_fire_where_fixed_cut_offs_nearly_always_do() {
    let page = include_str!("../../../../../docs/reference/monitoring.md");
    let mut table = String::new();
    for (n, m, phi) in SCENES {
        let r = rates(n, m, phi, 0.0);
        assert!(r.crit <= 0.05, "crit: {}", r.row);
        assert!(r.warn <= 0.12, "warn: {}", r.row);
        assert!(r.shift <= 0.05, "shift: {}", r.row);
        table.push_str(&r.row);
        table.push('\n');
    }
    // The rule of thumb raises a false alarm in more than half of the windows.
    assert!(rates(365, 30, 0.0, 0.0).folk > 0.5);
    assert!(
        page.contains(&table),
        "docs/reference/monitoring.md must show:\n{table}"
    );
}

#[test]
fn a_change_is_found() {
    // Independent days, one standard deviation up: nearly always found, by both thresholds.
    let found = rates(365, 30, 0.0, 1.5);
    assert!(found.crit > 0.95, "{}", found.row);
    // Correlated days: a unit mistake (factor 2.2) is far beyond their own variation.
    let found = rates(365, 30, 0.9, 6.0);
    assert!(found.shift > 0.95, "{}", found.row);
}

#[test]
fn a_median_shift_is_in_robust_standard_deviations() {
    let values: Vec<f64> = (0..=100).map(f64::from).collect();
    let r = reference(&values);
    assert_eq!(r.median, 50.0);
    assert!((r.sigma - 25.0 * 1.482_602_218_505_602).abs() < 1e-9);
    let window: Vec<f64> = values.iter().map(|x| x + r.sigma).collect();
    let seen = median_shift(&r, &window).value.unwrap();
    assert!((seen - 1.0).abs() < 1e-9, "{seen}");
}

#[test]
fn numbers_that_never_vary_have_no_scale() {
    let r = reference(&[7.0; 40]);
    assert_eq!((r.sigma, r.edges.len()), (0.0, 0));
    assert_eq!(median_shift(&r, &[7.0, 7.0]).value, Some(0.0));
    let moved = median_shift(&r, &[8.0]);
    assert_eq!(moved.value, None);
    assert_eq!(
        moved.note,
        "the numbers of the baseline do not vary, so a shift from 7.00 to 8.00 has no scale"
    );
    assert_eq!(psi(&r, &[7.0; 30]).value, None);
}

#[test]
fn bins_are_joined_until_the_window_can_fill_them() {
    let values: Vec<f64> = (0..200).map(f64::from).collect();
    let r = reference(&values);
    assert_eq!(r.counts, [20; 10]);
    let bins = |m: usize| {
        let note = psi(&r, &values[..m]).note;
        note.split(" bins")
            .next()
            .unwrap()
            .rsplit(' ')
            .next()
            .unwrap()
            .parse::<usize>()
            .ok()
    };
    assert_eq!(bins(100), Some(10));
    assert_eq!(bins(30), Some(5));
    assert_eq!(bins(10), Some(2));
    assert_eq!(psi(&r, &values[..4]).value, None);
}

#[test]
fn resembling_days_count_for_fewer() {
    let mut random = Seeded(1);
    let independent = reference(&random.days(3000, 0.0));
    let resembling = reference(&random.days(3000, 0.9));
    assert!(independent.lag1.abs() < 0.06, "{}", independent.lag1);
    assert!((resembling.lag1 - 0.9).abs() < 0.04, "{}", resembling.lag1);
    // Differences between places are not correlation between days.
    let two = [
        dated(&random.days(500, 0.0)),
        dated(
            &random
                .days(500, 0.0)
                .iter()
                .map(|x| x + 100.0)
                .collect::<Vec<_>>(),
        ),
    ];
    let two = Reference::of("days", None, &two, 0).unwrap();
    assert!(two.lag1.abs() < 0.1, "{}", two.lag1);
}

fn row(day: i32, value: f64, forage: f64, rain: f64) -> Row {
    let number = |x| Value::Float64(x);
    Row {
        date: Day::from_days(20_000 + day).unwrap(),
        run_id: Digest::of_bytes(&[]),
        snapshot_id: Digest::of_bytes(&[]),
        manifest: String::new(),
        config_version: ConfigVersion::first(Digest::of_bytes(b"c")),
        values: BTreeMap::from([
            ("days".to_owned(), number(value)),
            ("forage".to_owned(), number(forage)),
            ("rain".to_owned(), number(rain)),
        ]),
        guardrail_failed: false,
    }
}

#[test]
fn a_step_is_explained_by_a_new_composite_but_not_by_weather() {
    let explaining = ["forage".to_owned(), "rain".to_owned()];
    // Forage is constant and moves once; rain is new every day and explains nothing.
    let mut rows: Vec<Row> = (0..8)
        .map(|d| row(d, 50.0 - f64::from(d), 800.0, f64::from(d)))
        .collect();
    for r in &mut rows[4..] {
        r.values.insert("forage".to_owned(), Value::Float64(1200.0));
        r.values.insert("days".to_owned(), Value::Float64(80.0));
    }
    // A jump without an explanation.
    rows[6]
        .values
        .insert("days".to_owned(), Value::Float64(20.0));
    let refs: Vec<&Row> = rows.iter().collect();
    let seen = steps("days", &refs, &[0; 8], &explaining);
    assert_eq!(
        seen,
        [(1, 1.0), (2, 1.0), (3, 1.0), (5, 0.0), (6, 60.0), (7, 60.0)]
    );
    // Another series is another place, a missing day is not a step, and a new configuration explains one.
    assert_eq!(steps("days", &refs[..2], &[0, 1], &explaining), []);
    assert_eq!(steps("days", &[refs[0], refs[2]], &[0, 0], &explaining), []);
    let mut other = rows[1].clone();
    other.config_version = ConfigVersion::first(Digest::of_bytes(b"d"));
    assert_eq!(steps("days", &[refs[0], &other], &[0, 0], &explaining), []);
}
