//! Rules that compare with a baseline: unknown without one, named in the report with one.

use super::baseline::Baseline;
use super::*;
use provender_domain::ids::HerdId;

fn frozen(values: &[Option<f64>]) -> (Digest, Baseline) {
    let logic = logic(vec![], vec![series(values)]);
    let b = Baseline::freeze(&logic, june(1), june(30))
        .unwrap()
        .unwrap();
    (Digest::of_json(&b.to_json().unwrap()).unwrap(), b)
}

fn wave(shift: f64) -> Vec<Option<f64>> {
    // The days have no order, so that every row counts fully.
    (0..30)
        .map(|i| Some(100.0 + shift + f64::from((i * 7) % 30)))
        .collect()
}

fn report(rules: Vec<MonitorRule>, values: &[Option<f64>], with: bool) -> MonitorReport {
    let mut input = logic(rules, vec![series(values)]);
    input.baseline = with.then(|| frozen(&wave(0.0)));
    judge(window(), &[input]).unwrap()
}

fn rules() -> Vec<MonitorRule> {
    let mut rules = vec![days(1.0, 2.0, "median_shift"), days(3.0, 5.0, "psi")];
    rules.iter_mut().for_each(|r| r.min_rows = 20);
    rules
}

#[test]
fn without_a_baseline_a_shift_is_unknown_and_says_how_to_make_one() {
    let report = report(rules(), &wave(0.0), false);
    assert_eq!(report.status, MonitorVerdict::Warn);
    for m in &report.fleet[0].metrics {
        assert_eq!((m.status, m.value), (Status::Unknown, None));
        assert_eq!(
            m.why,
            "there is no baseline to compare with; `provender monitor baseline create --logic days_remaining:v1 …` freezes one"
        );
    }
    assert!(!report.to_canonical().unwrap().contains("baseline\":"));
}

#[test]
fn the_same_numbers_are_ok_and_the_report_names_the_baseline() {
    let report = report(rules(), &wave(0.0), true);
    assert_eq!(report.status, MonitorVerdict::Ok);
    let (digest, _) = frozen(&wave(0.0));
    assert_eq!(report.logics[0].baseline.as_ref().unwrap().baseline, digest);
    assert_eq!(
        report.notes,
        [format!(
            "days_remaining:v1: shifts are measured against the baseline {} of 2025-06-01 to 2025-06-30 (30 answers)",
            digest.short()
        )]
    );
}

#[test]
fn a_shift_is_crit_and_points_at_the_answers_beyond_the_baseline() {
    let report = report(rules(), &wave(60.0), true);
    assert_eq!(report.status, MonitorVerdict::Crit);
    let group = &report.fleet[0];
    let shift = group
        .metrics
        .iter()
        .find(|m| m.name == "median_shift")
        .unwrap();
    assert_eq!((shift.status, shift.unit.as_deref()), (Status::Crit, None));
    insta::assert_snapshot!(shift.why, @"5.3959 (the median was 114 and is 174, one robust standard deviation is 11.1) is above the crit threshold 2");
    assert_eq!(group.failing.len(), 30);
}

#[test]
fn too_few_rows_do_not_pass_even_with_a_baseline() {
    let report = report(rules(), &wave(0.0)[..10], true);
    assert_eq!(report.status, MonitorVerdict::Warn);
    for m in &report.fleet[0].metrics {
        assert_eq!(m.why, "10 rows are too few to judge; the rule wants 20");
    }
}

#[test]
fn a_baseline_of_another_configuration_is_reported() {
    let mut input = logic(rules(), vec![series(&wave(0.0))]);
    let (digest, mut b) = frozen(&wave(0.0));
    b.config_versions = vec!["sha256-jcs-v1:00".to_owned()];
    input.baseline = Some((digest, b));
    let report = judge(window(), &[input]).unwrap();
    assert!(
        report
            .notes
            .iter()
            .any(|n| n.contains("a configuration that the baseline does not know"))
    );
}

#[test]
fn a_series_rule_needs_the_series_in_the_baseline() {
    let mut rules = rules();
    rules.iter_mut().for_each(|r| r.scope = Scope::Series);
    let mut new = series(&wave(0.0));
    new.herd_config_id = HerdId::unchecked("h2");
    let mut input = logic(rules, vec![series(&wave(0.0)), new]);
    input.baseline = Some(frozen(&wave(0.0)));
    let report = judge(window(), &[input]).unwrap();
    assert_eq!(report.series[0].status, Status::Ok);
    assert_eq!(report.series[1].status, Status::Unknown);
    assert!(
        report.series[1].metrics[0]
            .why
            .ends_with("has no numbers of north / h2"),
        "{}",
        report.series[1].metrics[0].why
    );
}

#[test]
fn a_baseline_reads_back_as_it_was_frozen() {
    let (digest, b) = frozen(&EIGHT);
    let text = provender_domain::canonical::to_text(&b.to_json().unwrap()).unwrap();
    let back: Baseline = serde_json::from_str(&text).unwrap();
    assert_eq!(back, b);
    assert_eq!(Digest::of_json(&back.to_json().unwrap()).unwrap(), digest);
    let days = b.of(None, "days").unwrap();
    assert_eq!((days.rows, days.nulls), (7, 1));
    assert_eq!(days.counts.iter().sum::<usize>(), 7);
}

#[test]
fn a_step_is_judged_in_the_subjects_unit() {
    let mut rule = days(20.0, 50.0, "step");
    rule.min_rows = 2;
    let report = judge(
        window(),
        &[logic(
            vec![rule],
            vec![series(&[Some(50.0), Some(49.0), Some(10.0), Some(9.0)])],
        )],
    )
    .unwrap();
    let m = &report.fleet[0].metrics[0];
    assert_eq!((m.value, m.rows, m.status), (Some(39.0), 3, Status::Warn));
    assert_eq!(m.why, "39 d is above the warn threshold 20");
    assert_eq!(report.fleet[0].failing[0].calculation_date, june(3));
}
