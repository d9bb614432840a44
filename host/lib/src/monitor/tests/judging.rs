//! Metrics computed by hand, thresholds exact to the bit, and the effect of few or missing data.

use super::*;
use provender_domain::ids::{BoundaryId, ModelVersion};

#[test]
fn each_metric_gives_its_hand_computed_value() {
    // Non-null, sorted: -1 0 10 20 30 365 366 (n = 7).
    let cases: [(&str, bool, f64, usize); 12] = [
        ("share_at_or_below_minimum", true, 2.0 / 7.0, 7),
        ("share_above_maximum", true, 1.0 / 7.0, 7),
        ("share_null", true, 1.0 / 8.0, 8),
        ("share_guardrail_failed", false, 1.0 / 8.0, 8),
        ("coverage", false, 1.0, 8),
        ("mean", true, 790.0 / 7.0, 7),
        ("median", true, 20.0, 7),
        ("min", true, -1.0, 7),
        ("max", true, 366.0, 7),
        ("p05", true, -1.0, 7),
        ("p95", true, 366.0, 7),
        ("rows", false, 8.0, 8),
    ];
    for (metric, column, value, n) in cases {
        let rule = rule(metric, column.then_some("days"), None, None);
        let (m, _, _) = one(rule, &EIGHT);
        assert_eq!(
            (m.value, m.rows, m.status),
            (Some(value), n, Status::Info),
            "{metric}"
        );
    }
    // The last three compare with a baseline; `shifting` and `shift::tests` compute them by hand.
    let all: Vec<_> = metrics::Metric::ALL.iter().map(|m| m.name()).collect();
    assert_eq!(cases.map(|c| c.0), all[..12]);
    assert_eq!(all[12..], ["median_shift", "psi", "step"]);
}

#[test]
fn percentiles_take_the_nearest_rank_and_an_even_median_the_middle() {
    let twenty: Vec<Option<f64>> = (1..=20).rev().map(|x| Some(f64::from(x))).collect();
    let value = |metric| one(rule(metric, Some("days"), None, None), &twenty).0.value;
    assert_eq!(value("p95"), Some(19.0));
    assert_eq!(value("p05"), Some(1.0));
    assert_eq!(value("median"), Some(10.5));
}

#[test]
fn a_value_at_its_threshold_is_within_it_and_the_next_number_is_not() {
    let next = |x: f64| f64::from_bits(x.to_bits() + 1);
    let status = |rule: MonitorRule, x: f64| one(rule, &[Some(x)]).0.status;
    let above = || days(16.0, 30.0, "max");
    assert_eq!(status(above(), 16.0), Status::Ok);
    assert_eq!(status(above(), next(16.0)), Status::Warn);
    assert_eq!(status(above(), 30.0), Status::Warn);
    assert_eq!(status(above(), next(30.0)), Status::Crit);
    let below = || days(16.0, 2.0, "min");
    assert_eq!(status(below(), 16.0), Status::Ok);
    assert_eq!(
        status(below(), f64::from_bits(16.0_f64.to_bits() - 1)),
        Status::Warn
    );
    assert_eq!(status(below(), 2.0), Status::Warn);
    assert_eq!(
        status(below(), f64::from_bits(2.0_f64.to_bits() - 1)),
        Status::Crit
    );
    let why = one(above(), &[Some(next(16.0))]).0.why;
    assert!(
        why.contains("16.000000000000004 d is above the warn threshold 16"),
        "{why}"
    );
}

#[test]
fn the_verdict_follows_the_worst_fleet_rule() {
    let rules = |warn, crit| vec![days(warn, crit, "share_null"), days(400.0, 500.0, "max")];
    for (warn, crit, verdict) in [
        (0.125, 0.2, MonitorVerdict::Ok),
        (0.1, 0.125, MonitorVerdict::Warn),
        (0.02, 0.1, MonitorVerdict::Crit),
    ] {
        let (report, group) = fleet_of(rules(warn, crit), &EIGHT);
        assert_eq!(report.status, verdict);
        assert_eq!(group.status, verdict.status());
        assert_eq!(
            group.metrics[0].name == "share_null",
            verdict != MonitorVerdict::Ok
        );
    }
}

#[test]
fn the_rows_behind_a_fired_rule_are_named_and_no_others() {
    let failing = |metric, warn, crit| one(days(warn, crit, metric), &EIGHT).2;
    assert_eq!(failing("share_null", 0.0, 1.0), ["2025-06-03"]);
    assert_eq!(
        failing("share_at_or_below_minimum", 0.0, 1.0),
        ["2025-06-01", "2025-06-02"]
    );
    assert_eq!(failing("share_above_maximum", 0.0, 1.0), ["2025-06-05"]);
    assert_eq!(failing("p95", 25.0, 364.0), ["2025-06-04", "2025-06-05"]);
    assert_eq!(failing("share_null", 0.5, 1.0), [""; 0]);
    let age = rule("p95", Some("forage_age"), Some(5.0), Some(100.0));
    assert_eq!(
        one(age, &EIGHT).2,
        ["2025-06-06", "2025-06-07", "2025-06-08"]
    );
    let guarded = rule("share_guardrail_failed", None, Some(0.0), None);
    let (_, group) = fleet_of(vec![guarded, days(0.0, 1.0, "share_above_maximum")], &EIGHT);
    let row = &group.failing[0];
    assert_eq!(group.failing.len(), 1);
    assert_eq!(
        row.metrics,
        ["share_above_maximum(days)", "share_guardrail_failed"]
    );
    assert_eq!(row.run_id, Digest::of_bytes(b"run 5"));
    assert_eq!(row.manifest, "manifests/north/2025-06-05_5.json");
}

#[test]
fn too_few_rows_no_rows_and_only_nulls_are_unknown_and_do_not_pass() {
    let strict = MonitorRule {
        min_rows: 8,
        ..days(1e6, 1e7, "mean")
    };
    // Eight answers, but one of them is null: seven values are too few.
    let (m, verdict, _) = one(strict.clone(), &EIGHT);
    assert_eq!(
        (m.status, m.rows, verdict),
        (Status::Unknown, 7, MonitorVerdict::Warn)
    );
    assert!(
        m.why
            .contains("7 rows are too few to judge; the rule wants 8"),
        "{}",
        m.why
    );
    let (m, _, _) = one(
        MonitorRule {
            min_rows: 7,
            ..strict
        },
        &EIGHT,
    );
    assert_eq!(m.status, Status::Ok);

    let (m, verdict, _) = one(days(1e6, 1e7, "mean"), &[]);
    assert_eq!(
        (m.value, m.status, verdict),
        (None, Status::Unknown, MonitorVerdict::Warn)
    );
    let (m, verdict, _) = one(days(0.1, 0.5, "share_above_maximum"), &[None, None]);
    assert_eq!(
        (m.value, m.status, verdict),
        (None, Status::Unknown, MonitorVerdict::Warn)
    );
    assert!(m.why.contains("null in 2 answers"), "{}", m.why);
    let (m, _, _) = one(days(1.0, 2.0, "mean"), &[Some(f64::MAX), Some(f64::MAX)]);
    assert_eq!(
        (m.value, m.status),
        (None, Status::Unknown),
        "the sum overflows"
    );
    let (m, _, _) = one(rule("rows", None, Some(5.0), Some(1.0)), &[]);
    assert_eq!(
        (m.value, m.status),
        (Some(0.0), Status::Crit),
        "no rows is what it watches"
    );
}

#[test]
fn coverage_counts_recorded_answers_of_expected_days_only() {
    let coverage = |expected: &[i32], recorded: &[i32]| {
        let mut series = series(&[]);
        series.expected = expected.iter().map(|n| june(*n)).collect();
        series.rows = recorded.iter().map(|n| row(*n, Some(1.0))).collect();
        let rule = rule("coverage", None, Some(0.98), Some(0.9));
        let report = judge(window(), &[logic(vec![rule], vec![series])]).unwrap();
        let group = report.fleet[0].clone();
        let missing: Vec<String> = group
            .missing
            .iter()
            .map(|m| m.calculation_date.to_string())
            .collect();
        (group.metrics[0].value, group.status, report.status, missing)
    };
    assert_eq!(
        coverage(&[1, 2], &[1, 2, 3]),
        (Some(1.0), Status::Ok, MonitorVerdict::Ok, vec![])
    );
    assert_eq!(
        coverage(&[1, 2], &[2, 3]),
        (
            Some(0.5),
            Status::Crit,
            MonitorVerdict::Crit,
            vec!["2025-06-01".to_owned()]
        )
    );
    let ten: Vec<i32> = (1..=10).collect();
    let (value, status, _, missing) = coverage(&ten, &ten[1..]);
    assert_eq!(
        (value, status, missing.len()),
        (Some(0.9), Status::Warn, 1),
        "0.9 is not below 0.9"
    );
    assert_eq!(coverage(&[1], &[]).1, Status::Crit);
    let (value, status, verdict, _) = coverage(&[], &[1]);
    assert_eq!(
        (value, status, verdict),
        (None, Status::NotApplicable, MonitorVerdict::Warn)
    );
}

#[test]
fn nothing_recorded_is_crit_whatever_the_thresholds_say() {
    let mut lax = rule("coverage", None, Some(0.0), Some(-1.0));
    lax.min_rows = 1000;
    let mut empty = series(&[]);
    empty.expected = BTreeSet::from([june(1)]);
    let report = judge(window(), &[logic(vec![lax], vec![empty])]).unwrap();
    assert_eq!(report.status, MonitorVerdict::Crit);
    assert_eq!(
        report.fleet[0].metrics[0].why,
        "none of the 1 expected answers is recorded"
    );
}

#[test]
fn a_report_without_a_judging_rule_does_not_pass_and_says_so() {
    for logics in [
        vec![],
        vec![logic(vec![], vec![series(&EIGHT)])],
        vec![logic(
            vec![rule("rows", None, None, None)],
            vec![series(&EIGHT)],
        )],
    ] {
        let report = judge(window(), &logics).unwrap();
        assert_eq!(report.status, MonitorVerdict::Warn);
        assert!(
            report
                .notes
                .iter()
                .any(|n| n.contains("no rule judged anything"))
        );
    }
    // A logic without rules does not affect the verdict of one with rules, and the report says so.
    let silent = LogicInput {
        model_version: ModelVersion::unchecked("frost:v1"),
        ..logic(vec![], vec![series(&EIGHT)])
    };
    let judged = logic(vec![days(400.0, 500.0, "max")], vec![series(&EIGHT)]);
    let report = judge(window(), &[silent, judged]).unwrap();
    assert_eq!(report.status, MonitorVerdict::Ok);
    assert!(
        report
            .notes
            .iter()
            .any(|n| n.starts_with("frost:v1 declares no fleet rule"))
    );
}

#[test]
fn series_rules_are_reported_and_counted_but_do_not_decide() {
    let mut series_rule = days(25.0, 100.0, "max");
    series_rule.scope = Scope::Series;
    let fleet_rule = days(1e6, 1e7, "mean");
    let mut bad = series(&EIGHT);
    bad.boundary_id = BoundaryId::unchecked("south");
    let good = series(&[Some(1.0), Some(2.0)]);
    let report = judge(
        window(),
        &[logic(vec![series_rule, fleet_rule], vec![bad, good])],
    )
    .unwrap();
    assert_eq!(report.status, MonitorVerdict::Ok);
    let s = report.summary;
    assert_eq!(
        (s.series, s.crit, s.ok, s.rows, s.expected),
        (2, 1, 1, 10, 10)
    );
    let places: Vec<_> = report
        .series
        .iter()
        .map(|g| (g.boundary_id.as_deref(), g.status))
        .collect();
    assert_eq!(
        places,
        [(Some("north"), Status::Ok), (Some("south"), Status::Crit)]
    );
    assert_eq!(report.fleet[0].metrics.len(), 1);
}

#[test]
fn versions_stay_apart_and_config_versions_are_listed() {
    let mut mixed = series(&[Some(1.0), Some(2.0)]);
    mixed.rows[1].config_version.reissue = 1;
    let v1 = logic(vec![days(1e6, 1e7, "mean")], vec![mixed]);
    let v2 = LogicInput {
        model_version: ModelVersion::unchecked("days_remaining:v2"),
        ..logic(vec![days(1e6, 1e7, "mean")], vec![series(&[Some(5.0)])])
    };
    let report = judge(window(), &[v2, v1.clone()]).unwrap();
    let means: Vec<_> = report.fleet.iter().map(|g| g.metrics[0].value).collect();
    assert_eq!(means, [Some(1.5), Some(5.0)]);
    assert_eq!(report.fleet[0].config_versions.len(), 2);
    assert!(report.fleet[0].config_versions[1].ends_with("+r1"));
    let noted = |report: &MonitorReport| {
        report
            .notes
            .iter()
            .any(|n| n.contains("holds 2 configurations"))
    };
    assert!(!noted(&report), "a reissue is under the same configuration");
    let mut other = series(&[Some(1.0), Some(2.0)]);
    other.rows[1].config_version.config = provender_domain::canonical::Digest::of_bytes(b"other");
    let changed = judge(
        window(),
        &[logic(vec![days(1e6, 1e7, "mean")], vec![other])],
    )
    .unwrap();
    assert!(noted(&changed), "{:?}", changed.notes);
    let twice = judge(window(), &[v1.clone(), v1]);
    assert!(matches!(twice, Err(MonitorError::Twice { .. })));
}

#[test]
fn the_reference_lists_every_metric_and_no_other() {
    let page = include_str!("../../../../../docs/reference/monitoring.md");
    let (_, section) = page.split_once("\n## Metrics\n").unwrap();
    let rows = section.lines().take_while(|line| !line.starts_with('#'));
    let cells = rows.filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    let listed: Vec<&str> = cells
        .flat_map(|names| names.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    let known: Vec<&str> = metrics::Metric::ALL
        .iter()
        .map(metrics::Metric::name)
        .collect();
    assert_eq!(listed, known);
}
