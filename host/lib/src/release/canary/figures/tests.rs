//! What the figures give, and how often they raise a false alarm when only noise differs.

use super::*;
use crate::compute::engine::Target;
use provender_domain::description::{Field, Output};
use provender_domain::ids::{BoundaryId, HerdId};

const POLICY: fn() -> CanarySettings = CanarySettings::default;

fn description(version: &str, outcomes: &[(&str, DataType)]) -> Description {
    let outputs = outcomes.iter().map(|(name, data_type)| Output {
        field: Field {
            name: (*name).into(),
            data_type: *data_type,
            unit: Some("d".into()),
            nullable: true,
            doc: String::new(),
        },
        role: Role::Outcome,
        formula: None,
    });
    Description {
        name: "days".into(),
        version: version.into(),
        summary: String::new(),
        inputs: Vec::new(),
        parameters: Vec::new(),
        outputs: outputs.collect(),
        guardrails: Vec::new(),
        monitors: Vec::new(),
        annotations: Vec::new(),
    }
}

fn day(n: usize) -> Day {
    let first: Day = "2025-06-01".parse().unwrap();
    first.plus(i32::try_from(n).unwrap()).unwrap()
}

fn number(x: Option<f64>) -> Value {
    x.map_or(Value::Null, Value::Float64)
}

fn target(place: usize, n: usize) -> Target {
    Target {
        boundary_id: BoundaryId::unchecked(format!("b{place}")),
        herd_config_id: HerdId::none(),
        day: day(n),
    }
}

/// Ten boundaries in turn, day by day.
fn pairs(values: &[(Option<f64>, Option<f64>)]) -> Pairs {
    let each = values.iter().enumerate().map(|(i, (a, c))| Pair {
        place: target(i % 10, i / 10),
        active: vec![number(*a)],
        candidate: vec![number(*c)],
        active_breached: false,
        candidate_breached: false,
    });
    Pairs {
        pairs: each.collect(),
        ..Pairs::default()
    }
}

fn seen(pairs: &Pairs) -> Vec<Figure> {
    let of = |version| description(version, &[("left", DataType::Float64)]);
    figures((&of("v1"), &of("v2")), pairs, &POLICY())
}

fn one<'f>(figures: &'f [Figure], name: &str) -> &'f Figure {
    figures.iter().find(|f| f.name == name).unwrap()
}

/// 70 different numbers of the active release, with what the candidate makes of them.
fn changed(by: impl Fn(f64) -> Option<f64>) -> Pairs {
    let values = (0..70).map(|i| f64::from(i * 37 % 70) + 30.0);
    pairs(&values.map(|x| (Some(x), by(x))).collect::<Vec<_>>())
}

#[test]
fn the_same_numbers_are_ok_in_every_figure() {
    let figures = seen(&changed(Some));
    let names: Vec<&str> = figures.iter().map(|f| f.name).collect();
    let all = [
        "candidate_missing",
        "guardrail_rate",
        "null_rate",
        "share_changed",
        "median_change",
        "p95_change",
        "psi",
    ];
    assert_eq!(names, all);
    for figure in &figures {
        let expected = match figure.name {
            "share_changed" => Status::Info,
            _ => Status::Ok,
        };
        assert_eq!(
            (figure.value, figure.status),
            (Some(0.0), expected),
            "{figure:?}"
        );
        assert_eq!(figure.rows, 70);
    }
}

#[test]
fn a_mistaken_unit_is_crit_and_a_fifth_more_is_seen() {
    let pounds = seen(&changed(|x| Some(x * 2.204_622_6)));
    assert_eq!(one(&pounds, "median_change").status, Status::Crit);
    assert_eq!(one(&pounds, "psi").status, Status::Warn);
    assert_eq!(one(&pounds, "share_changed").value, Some(1.0));
    let more = seen(&changed(|x| Some(x * 1.2)));
    let median = one(&more, "median_change");
    assert!((median.value.unwrap() - 0.2).abs() < 1e-12);
    assert_eq!(median.status, Status::Ok);
}

#[test]
fn lost_rows_nulls_and_breaches_are_crit() {
    let mut lost = changed(Some);
    for i in 0..8 {
        lost.active_only.push(target(0, 20 + i));
    }
    let missing = seen(&lost);
    let missing = one(&missing, "candidate_missing");
    assert_eq!((missing.rows, missing.status), (78, Status::Crit));

    let nulls = seen(&changed(|x| (x > 50.0).then_some(x)));
    let rate = one(&nulls, "null_rate");
    assert_eq!((rate.active, rate.candidate), (Some(0.0), Some(0.3)));
    assert_eq!(rate.status, Status::Crit);

    let mut breached = changed(Some);
    for pair in breached.pairs.iter_mut().take(4) {
        pair.candidate_breached = true;
    }
    let rate = seen(&breached);
    assert_eq!(one(&rate, "guardrail_rate").status, Status::Warn);
}

#[test]
fn too_few_rows_are_never_a_pass() {
    for n in [0, 1, 19] {
        let mut few = changed(Some);
        few.pairs.truncate(n);
        for figure in seen(&few).iter().filter(|f| f.name != "share_changed") {
            assert_eq!(figure.status, Status::Unknown, "{n}: {figure:?}");
        }
    }
}

#[test]
fn a_number_that_was_zero_has_no_relative_change_and_is_counted() {
    let values: Vec<_> = (0..60)
        .map(|i| (Some(f64::from(i % 2)), Some(1.0)))
        .collect();
    let figures = seen(&pairs(&values));
    let median = one(&figures, "median_change");
    assert_eq!((median.rows, median.value), (30, Some(0.0)));
    assert!(median.why.contains("30 were zero"), "{}", median.why);
    assert_eq!(one(&figures, "share_changed").value, Some(0.5));
}

#[test]
fn an_outcome_that_is_gone_or_of_another_type_is_missing() {
    let v1 = description("v1", &[("left", DataType::Float64)]);
    for other in [
        description("v2", &[("rest", DataType::Float64)]),
        description("v2", &[("left", DataType::Int64)]),
    ] {
        let figures = figures((&v1, &other), &changed(Some), &POLICY());
        let lost = figures.iter().find(|f| f.subject.is_some()).unwrap();
        assert_eq!(
            (lost.name, lost.status),
            ("candidate_missing", Status::Crit)
        );
    }
}

/// SplitMix64 and Box–Muller give the same numbers on every machine.
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
}

/// Shares of 1,000 canaries with a `psi` above 3, with a `psi` above 5, and with any figure above its warning
/// threshold. `noise` is the candidate's noise in standard deviations of the numbers. `None` draws the
/// candidate's numbers independently from the same distribution.
fn alarms(rows: usize, noise: Option<f64>, seed: u64) -> [f64; 3] {
    let mut random = Seeded(seed);
    let mut fired = [0.0; 3];
    for _ in 0..1_000 {
        let values: Vec<_> = (0..rows)
            .map(|_| {
                let active = random.normal();
                let candidate = match noise {
                    Some(noise) => active + noise * random.normal(),
                    None => random.normal(),
                };
                (Some(100.0 + 20.0 * active), Some(100.0 + 20.0 * candidate))
            })
            .collect();
        let figures = seen(&pairs(&values));
        let psi = one(&figures, "psi").value.unwrap_or(0.0);
        let any = figures.iter().any(|f| f.status >= Status::Warn);
        for (n, hit) in fired.iter_mut().zip([psi > 3.0, psi > 5.0, any]) {
            *n += f64::from(u8::from(hit));
        }
    }
    fired.map(|n| n / 1_000.0)
}

#[test]
fn false_alarms_are_as_frequent_as_the_page_on_canaries_says() {
    let page = include_str!("../../../../../../docs/operations/canary.md");
    let mut lacking = Vec::new();
    for noise in [Some(0.1), Some(0.5), None] {
        for rows in [20, 30, 70, 140, 500] {
            let [three, five, any] = alarms(rows, noise, 20_250_630);
            let told = noise.map_or_else(|| "drawn anew".to_owned(), |n| n.to_string());
            let line = format!("| {told} | {rows} | {three:.3} | {five:.3} | {any:.3} |");
            if !page.contains(&line) {
                lacking.push(line);
            }
        }
    }
    assert!(lacking.is_empty(), "the page lacks\n{}", lacking.join("\n"));
}
