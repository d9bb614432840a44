//! Scenes made by hand: the result of each comparison, and that none draws conclusions from too few rows.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::judge::{TriageVerdict, judge};
use super::scene::{Row, TriageScene};
use super::{Points, Triage};
use crate::monitor::baseline::{Baseline, Reference, SeriesReference, TYPE};
use crate::monitor::stored::OutputBounds;
use provender_domain::canonical::Digest;

fn map(json: &Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap_or_default()
}

fn row(version: &str, boundary: &str, day: u32, forage: f64, days: f64) -> Row {
    let date = format!("2025-06-{day:02}");
    Row {
        run_id: format!("{version}/{boundary}/{date}"),
        model_version: ModelVersion::of("days", version),
        config_version: version.to_owned(),
        boundary_id: BoundaryId::unchecked(boundary),
        herd_config_id: HerdId::unchecked("h"),
        date: date.parse().unwrap(),
        inputs: map(
            &json!({"forage": forage, "head": 50.0, "forage_age_days": day, "calculation_date": date}),
        ),
        outputs: map(&json!({"days": days})),
        files: BTreeSet::from([("forage".to_owned(), "good.csv".to_owned())]),
        guardrail_failed: days > 365.0,
        metrics: vec!["share_above_maximum(days)".to_owned()],
    }
}

fn scene(failing: Vec<Row>) -> TriageScene {
    TriageScene {
        logic: "days".into(),
        all_failing: failing.len(),
        failing,
        bounds: [(
            "days".to_owned(),
            OutputBounds {
                output: "days".into(),
                minimum: Some(0.0),
                maximum: Some(365.0),
            },
        )]
        .into(),
        ..TriageScene::default()
    }
}

/// Days 20 to 25 fail at one place; before them were days 1 to 12.
fn bad(version: &str, forage: f64) -> TriageScene {
    let mut scene = scene(
        (20..=25)
            .map(|d| row(version, "a", d, forage, 400.0))
            .collect(),
    );
    scene.before = (1..=12)
        .map(|d| row("v2", "a", d, 800.0 + f64::from(d), 90.0))
        .collect();
    scene
}

fn findings_text(triage: &Triage) -> String {
    triage
        .findings
        .iter()
        .map(|f| format!("{:?} {} {}: {}", f.points, f.rows, f.code, f.says))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_changed_unit_is_attributed_to_the_data() {
    let triage = judge(&bad("v2", 806.5 * 0.892_179));
    assert_eq!(triage.verdict, TriageVerdict::Data);
    insta::assert_snapshot!(findings_text(&triage));
}

#[test]
fn a_version_that_fails_alone_on_the_same_inputs_is_attributed_to_the_logic() {
    let mut scene = bad("v3", 806.0);
    scene.others = (0..6)
        .map(|i| {
            let failing = &scene.failing[i];
            let mut other = failing.clone();
            other.model_version = ModelVersion::unchecked("days:v2");
            other.outputs = map(&json!({"days": 90.0}));
            (i, other)
        })
        .collect();
    scene.passing = (14..=19).map(|d| row("v2", "a", d, 815.0, 80.0)).collect();
    let triage = judge(&scene);
    assert_eq!(triage.verdict, TriageVerdict::Logic);
    insta::assert_snapshot!(findings_text(&triage));
}

#[test]
fn a_version_used_at_one_place_only_is_not_distinguished_from_the_place() {
    let mut scene = bad("v3", 806.0);
    scene.passing = (20..=25).map(|d| row("v2", "b", d, 700.0, 80.0)).collect();
    let triage = judge(&scene);
    assert_eq!(
        triage.verdict,
        TriageVerdict::Unknown,
        "{}",
        findings_text(&triage)
    );
    assert!(findings_text(&triage).contains("version and place cannot be told apart"));
}

#[test]
fn another_version_that_fails_too_points_to_the_data() {
    let mut scene = bad("v3", 8060.0);
    scene.others = (0..6)
        .map(|i| {
            let mut other = scene.failing[i].clone();
            other.model_version = ModelVersion::unchecked("days:v2");
            other.outputs = map(&json!({"days": 900.0}));
            (i, other)
        })
        .collect();
    let triage = judge(&scene);
    assert_eq!(
        triage.verdict,
        TriageVerdict::Data,
        "{}",
        findings_text(&triage)
    );
    let other = triage.findings.iter().find(|f| f.code == "other_version");
    assert_eq!(other.map(|f| (f.points, f.rows)), Some((Points::Data, 6)));
}

#[test]
fn a_version_run_on_other_inputs_is_no_comparison() {
    let mut scene = bad("v3", 806.0);
    let mut other = scene.failing[0].clone();
    other.model_version = ModelVersion::unchecked("days:v2");
    other.inputs = map(&json!({"forage": 1.0, "head": 50.0}));
    scene.others = vec![(0, other)];
    let triage = judge(&scene);
    assert_eq!(
        triage.verdict,
        TriageVerdict::Unknown,
        "{}",
        findings_text(&triage)
    );
    assert!(findings_text(&triage).contains("but on other inputs"));
}

#[test]
fn one_failing_row_alone_is_not_enough_for_a_verdict() {
    let triage = judge(&scene(vec![row("v3", "a", 20, 806.0, 400.0)]));
    assert_eq!(triage.verdict, TriageVerdict::Unknown);
    insta::assert_snapshot!(findings_text(&triage));
}

#[test]
fn inputs_that_are_as_before_do_not_blame_the_logic_alone() {
    let triage = judge(&bad("v2", 806.0));
    assert_eq!(
        triage.verdict,
        TriageVerdict::Unknown,
        "{}",
        findings_text(&triage)
    );
    assert!(findings_text(&triage).contains("inputs_as_before"));
}

#[test]
fn a_file_that_only_the_failing_rows_read_is_named() {
    let mut scene = bad("v2", 806.0);
    for row in &mut scene.failing {
        row.files.insert(("forage".into(), "wrong.csv".into()));
    }
    let triage = judge(&scene);
    assert_eq!(triage.verdict, TriageVerdict::Data);
    let finding = triage
        .findings
        .iter()
        .find(|f| f.code == "one_file")
        .unwrap();
    assert_eq!(finding.file.as_deref(), Some("wrong.csv"));
    // If the place read the file before without failing, the file proves nothing.
    for row in &mut scene.before {
        row.files.insert(("forage".into(), "wrong.csv".into()));
    }
    let triage = judge(&scene);
    assert_eq!(
        triage.verdict,
        TriageVerdict::Unknown,
        "{}",
        findings_text(&triage)
    );
    // If nothing is known of earlier days, file and place cannot be distinguished.
    scene.before.clear();
    let triage = judge(&scene);
    assert_eq!(triage.verdict, TriageVerdict::Unknown);
    assert!(
        findings_text(&triage).contains("cannot be told apart"),
        "{}",
        findings_text(&triage)
    );
}

#[test]
fn what_a_reissue_replaced_shows_the_input_that_changed() {
    let mut scene = scene(vec![row("v2", "a", 20, 4385.0, 376.0)]);
    scene.replaced = vec![(0, row("v2", "a", 20, 438.5, 18.0))];
    let triage = judge(&scene);
    assert_eq!(triage.verdict, TriageVerdict::Data);
    assert!(
        findings_text(&triage).contains(
            "what changed is forage (10 times what it was, which looks like a factor of ten)"
        ),
        "{}",
        findings_text(&triage)
    );
}

#[test]
fn rows_that_no_single_row_rule_counts_are_not_judged_by_another_version() {
    let mut scene = bad("v3", 806.0);
    for row in &mut scene.failing {
        row.metrics = vec!["median_shift(days)".into()];
    }
    scene.others = vec![(0, row("v2", "a", 20, 806.0, 90.0))];
    let triage = judge(&scene);
    assert_eq!(
        triage.verdict,
        TriageVerdict::Unknown,
        "{}",
        findings_text(&triage)
    );
    assert!(findings_text(&triage).contains("do not judge single answers"));
}

#[test]
fn groups_count_failing_rows_and_all_of_the_window() {
    let mut scene = bad("v3", 806.0);
    scene.passing = (20..=25).map(|d| row("v2", "b", d, 700.0, 80.0)).collect();
    let groups: Vec<_> = judge(&scene)
        .groups
        .iter()
        .map(|g| format!("{} {} {}/{}", g.by, g.value, g.failing, g.of))
        .collect();
    assert_eq!(
        groups,
        [
            "version days:v3 6/6",
            "config v3 6/6",
            "place a / h 6/6",
            "source forage 6/12",
            "file good.csv 6/12"
        ]
    );
}

/// A baseline of June's first days, in which forage lay between 700 and 900.
fn frozen(place: &str) -> Baseline {
    let forage = Reference {
        subject: "forage".into(),
        unit: None,
        rows: 30,
        nulls: 0,
        minimum: 700.0,
        median: 800.0,
        maximum: 900.0,
        sigma: 40.0,
        lag1: 0.0,
        edges: Vec::new(),
        counts: vec![30],
    };
    let series = SeriesReference {
        boundary_id: BoundaryId::unchecked(place),
        herd_config_id: HerdId::unchecked("h"),
        first: "2025-05-01".parse().unwrap(),
        last: "2025-05-30".parse().unwrap(),
        rows: 30,
        runs: Digest::of_bytes(b"runs"),
        columns: vec![forage],
    };
    Baseline {
        type_name: TYPE.into(),
        model_version: ModelVersion::unchecked("days:v1"),
        config_versions: Vec::new(),
        from: series.first,
        to: series.last,
        rows: 30,
        fleet: Vec::new(),
        series: vec![series],
    }
}

#[test]
fn what_was_wrong_before_the_window_shows_against_what_was_frozen() {
    // The days before have the same mistake, so they prove nothing.
    let mut scene = bad("v2", 8000.0);
    scene.before = (1..=12).map(|d| row("v2", "a", d, 8000.0, 400.0)).collect();
    let others =
        |forage: f64| -> Vec<Row> { (20..=25).map(|d| row("v2", "a", d, forage, 90.0)).collect() };
    scene.passing = others(810.0);
    assert_eq!(judge(&scene).verdict, TriageVerdict::Unknown);
    let baseline_findings = |scene: &TriageScene| {
        let triage = judge(scene);
        let of = |f: &&super::TriageFinding| f.code.ends_with("_baseline");
        let found: Vec<String> = triage
            .findings
            .iter()
            .filter(of)
            .map(|f| format!("{:?} {} {}: {}", f.points, f.rows, f.code, f.says))
            .collect();
        (triage.verdict, found.join("\n"))
    };
    let mut texts = Vec::new();
    scene.frozen = Some(frozen("a"));
    let (verdict, text) = baseline_findings(&scene);
    assert_eq!(verdict, TriageVerdict::Data, "{text}");
    texts.push(text);
    // The whole fleet moved: that is the season, or cannot be distinguished from it.
    for passing in [others(8000.0), Vec::new()] {
        scene.passing = passing;
        let (verdict, text) = baseline_findings(&scene);
        assert_eq!(verdict, TriageVerdict::Unknown, "{text}");
        texts.push(text);
    }
    // A little beyond the edge is no shift.
    let (_, text) = baseline_findings(&TriageScene {
        frozen: Some(frozen("a")),
        ..bad("v2", 1040.0)
    });
    texts.push(text);
    // There is no baseline for another place.
    scene.frozen = Some(frozen("b"));
    assert_eq!(baseline_findings(&scene).1, "");
    insta::assert_snapshot!(texts.join("\n"));
}
