//! The numbers themselves, against an independent implementation (the sample's Python generator).

use serde_json::Value as Json;

use crate::kit::{Ranch, sample_folder};

fn close(a: &Json, b: &Json, what: &str) {
    let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
    assert!(
        (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        "{what}: {a} is not {b}"
    );
}

#[test]
fn both_versions_agree_with_the_independent_implementation() {
    let expected: Json = serde_json::from_str(
        &std::fs::read_to_string(sample_folder().join("expected.json")).unwrap(),
    )
    .unwrap();
    let ranch = Ranch::ran();
    let mut compared = 0;
    for answer in expected["answers"].as_array().unwrap() {
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        for version in ["v1", "v2"] {
            let logic = format!("days_remaining:{version}");
            let (b, h, d) = (
                text("boundary_id"),
                text("herd_config_id"),
                text("calculation_date"),
            );
            let data = ranch.data(
                &[
                    "compute",
                    "--boundary",
                    &b,
                    "--herd",
                    &h,
                    "--as-of",
                    &d,
                    "--logic",
                    &logic,
                ],
                0,
            );
            let run = &data["runs"][0];
            let what = format!("{logic} of {b}/{h}");
            let wanted = &answer[version];
            if wanted["days_of_grazing_remaining"].is_null() {
                assert!(
                    run["outputs"]["days_of_grazing_remaining"].is_null(),
                    "{what}"
                );
                assert_eq!(
                    run["reasons"][0],
                    "only increments of forage are known: v1 needs standing forage"
                );
            } else {
                close(
                    &run["outputs"]["days_of_grazing_remaining"],
                    &wanted["days_of_grazing_remaining"],
                    &what,
                );
                assert_eq!(
                    run["outputs"]["recommended_move_date"], wanted["recommended_move_date"],
                    "{what}"
                );
                close(
                    &run["terms"]["daily_consumption_kg"],
                    &wanted["daily_consumption_kg"],
                    &what,
                );
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 10);
    for (id, wanted) in expected["boundaries"].as_object().unwrap() {
        let why = ranch.data(
            &[
                "explain",
                "--boundary",
                id,
                "--as-of",
                "2025-06-30",
                "--logic",
                "days_remaining:v1",
                "--herd",
                herd_of(id),
            ],
            0,
        );
        let area = why["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|i| i["name"] == "area_ha")
            .unwrap();
        let (a, b) = (
            area["value"].as_f64().unwrap(),
            wanted["area_ha"].as_f64().unwrap(),
        );
        assert!((a - b).abs() <= 1e-6 * b, "{id}: {a} is not {b}");
    }
}

fn herd_of(boundary: &str) -> &'static str {
    match boundary {
        "north" => "h-heifers",
        "creek" => "h-cows",
        "mesa" => "h-sheep",
        _ => "h-bulls",
    }
}

#[test]
fn runs_of_an_inactive_version_are_recorded_but_are_not_answers() {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&[
            "compute",
            "--all",
            "--as-of",
            "2025-06-30",
            "--logic",
            "days_remaining:v1",
        ])
        .exits(0);
    let answers = ranch.data(&["list", "--logic", "days_remaining"], 0);
    let answers = answers["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 5);
    assert!(
        answers
            .iter()
            .all(|a| a["run"]["key"]["model_version"] == "days_remaining:v2")
    );
    assert_eq!(
        ranch.data(&["list", "--logic", "days_remaining", "--all-versions"], 0)["answers"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    let why = ranch.data(
        &["explain", "--boundary", "north", "--as-of", "2025-06-30"],
        0,
    );
    assert_eq!(why["is_answer"], true);
    assert_eq!(why["run"]["key"]["model_version"], "days_remaining:v2");
    assert!(
        why["others"]
            .as_array()
            .unwrap()
            .iter()
            .any(|o| o["key"]["model_version"] == "days_remaining:v1")
    );
}

#[test]
fn a_herd_that_moves_mid_month_is_counted_where_it_is() {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    let herds: Json = serde_json::from_str(&ranch.read("inputs/herds.json")).unwrap();
    let rows = herds.as_array().unwrap();
    let moved = rows
        .iter()
        .find(|h| rows.iter().filter(|o| o["id"] == h["id"]).count() == 2)
        .unwrap()["id"]
        .as_str()
        .unwrap();
    let data = ranch.data(
        &[
            "compute",
            "--herd",
            moved,
            "--from",
            "2025-06-14",
            "--to",
            "2025-06-15",
        ],
        0,
    );
    let places: Vec<&str> = data["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["key"]["boundary_id"].as_str().unwrap())
        .collect();
    assert_eq!(places.len(), 2);
    assert_ne!(places[0], places[1]);
}

#[test]
fn a_batch_gives_the_same_answers_as_single_runs() {
    let (one, all) = (Ranch::sample(), Ranch::sample());
    for ranch in [&one, &all] {
        let _ = ranch.run(&["ingest"]).exits(0);
    }
    let range = all.data(
        &[
            "compute",
            "--all",
            "--from",
            "2025-06-20",
            "--to",
            "2025-06-26",
        ],
        0,
    );
    for run in range["runs"].as_array().unwrap() {
        let key = |name: &str| run["key"][name].as_str().unwrap().to_owned();
        let (b, h, d, m) = (
            key("boundary_id"),
            key("herd_config_id"),
            key("calculation_date"),
            key("model_version"),
        );
        let single = one.data(
            &[
                "compute",
                "--boundary",
                &b,
                "--herd",
                &h,
                "--as-of",
                &d,
                "--logic",
                &m,
            ],
            0,
        );
        assert_eq!(single["runs"][0]["run_id"], run["run_id"]);
        assert_eq!(single["runs"][0]["snapshot_id"], run["snapshot_id"]);
    }
}
