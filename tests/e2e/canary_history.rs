//! Canaries and history: coverage after a promotion or a rollback, and data revised in the meantime.

use provender_domain::canonical::to_text;
use serde_json::{Value as Json, json};

use crate::canary::{DAY, canary, compute, figure, promote, status, stop, two};
use crate::kit::Ranch;

/// The coverage of the active version of `days_remaining` (recorded divided by expected answers), and how
/// many are expected.
fn coverage(ranch: &Ranch, end: &str) -> (Json, Json, Json) {
    let args = ["monitor", "--all", "--end", end, "--fail-on", "never"];
    let report = ranch.data(&args, 0);
    let groups = report["fleet"].as_array().unwrap();
    let group = groups
        .iter()
        .find(|g| {
            g["model_version"]
                .as_str()
                .unwrap()
                .starts_with("days_remaining")
        })
        .unwrap();
    let metrics = group["metrics"].as_array().unwrap();
    let metric = metrics.iter().find(|m| m["name"] == "coverage").unwrap();
    (
        group["model_version"].clone(),
        metric["value"].clone(),
        metric["rows"].clone(),
    )
}

#[test]
fn coverage_does_not_expect_runs_that_no_canary_or_release_asked_for() {
    let mut ranch = two();
    // A share of 50 percent selects only creek, with two herds.
    let _ = canary(&ranch, &["--share", "50"], 0);
    promote(&ranch, "R2", 0);
    let _ = compute(&ranch, "2025-07-01", "2025-07-02", 0);
    let (one, all) = (json!(1.0), |n: u32| json!(n));
    let (version, value, rows) = coverage(&ranch, "2025-07-02");
    assert_eq!(version, "days_remaining:v2");
    // 14 days of creek's two herds in shadow, then two days of all five herds.
    assert_eq!((value, rows), (one.clone(), all(14 * 2 + 2 * 5)));

    // A missing day of the version's own counts.
    let (_, value, rows) = coverage(&ranch, "2025-07-03");
    assert_eq!(rows, all(14 * 2 + 3 * 5));
    assert!(value.as_f64().unwrap() < 1.0);

    // After the rollback, the days of the other release are not expected of this one.
    ranch.now = "2025-07-03T06:00:00Z".into();
    let back = ["release", "rollback", "--reason", "as it was"];
    let _ = ranch.run(&back).exits(0);
    let _ = compute(&ranch, "2025-07-03", "2025-07-03", 0);
    let (version, value, rows) = coverage(&ranch, "2025-07-03");
    assert_eq!(version, "days_remaining:v1");
    assert_eq!((value, rows), (one, all(15 * 5)));
}

#[test]
fn a_promotion_that_ends_a_canary_records_its_result() {
    let ranch = two();
    let started = canary(&ranch, &[], 0);
    let output = ranch
        .run(&["release", "promote", "R2", "--reason", "it is time"])
        .exits(0)
        .stdout;
    let came_to = "its canary ends, recorded as evidence: warn, ";
    assert!(output.contains(came_to), "{output}");
    let history = ranch.data(&["release", "history"], 0);
    let change = history["changes"].as_array().unwrap().last().unwrap();
    let of_canary: Vec<&Json> = change["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["kind"] == "canary")
        .collect();
    assert_eq!(of_canary.len(), 1, "{change}");
    assert_eq!(of_canary[0]["rows"], started["observed"]["rows"]);
    assert_eq!(of_canary[0]["verdict"], started["observed"]["status"]);
    assert_eq!(kept(&ranch, "R2"), figures(&started["observed"]));
}

/// As canonical text, in which 1.0 is 1.
fn figures(observed: &Json) -> String {
    assert!(!observed["figures"].as_array().unwrap().is_empty());
    to_text(&observed["figures"]).unwrap()
}

/// The figures of the newest canary's report, as kept in the evidence.
fn kept(ranch: &Ranch, release: &str) -> String {
    let shown = ranch.data(&["release", "evidence", release], 0);
    let evidence = shown["evidence"].as_array().unwrap();
    let of = evidence.iter().rfind(|e| e["kind"] == "canary").unwrap();
    let report = of["report"].as_str().unwrap();
    let args = ["release", "evidence", release, "--report", report];
    let kept = ranch.data(&args, 0);
    assert_eq!(kept["kind"], "canary");
    figures(&kept["content"])
}

#[test]
fn rows_whose_inputs_differ_between_the_sides_are_left_out_and_named() {
    let ranch = two();
    let args = ["release", "canary", "R2", "--as-of", "2025-07-01"];
    let started = ranch.data(&[&args[..], &["--window-days", "15"]].concat(), 0);
    assert_eq!(started["observed"]["rows"], 70);
    assert_eq!(started["observed"]["unpaired"]["candidate_only"], 5);
    // The active release computes 1 July after the forage of north was revised.
    let revision = ["ingest", "--forage", "story/forage_revised.csv"];
    let _ = ranch.run(&revision).exits(0);
    let _ = compute(&ranch, "2025-07-01", "2025-07-01", 0);
    let seen = status(&ranch)["observed"].clone();
    let unpaired = &seen["unpaired"];
    assert_eq!(
        (&seen["rows"], &unpaired["other_inputs"]),
        (&json!(74), &json!(1))
    );
    let example = unpaired["examples"][0].as_str().unwrap();
    assert!(
        example.starts_with("days_remaining:v2 / north / h-heifers / 2025-07-01: another "),
        "{example}"
    );
    // The candidate has a run, so it is not missing.
    assert_eq!(figure(&seen, "candidate_missing")["value"], 0.0);
    let note = seen["notes"].to_string();
    assert!(note.contains("1 row with other inputs"), "{note}");

    // The daily run reports the drift in shadow, and the day is complete.
    let ran = ranch.data(&["run", "--as-of", "2025-07-01", "--fail-on", "never"], 0);
    assert_eq!(ran["summary"]["unchanged"], 9);
    assert_eq!(ran["status"]["complete"], true);
    assert_eq!(ran["canary"]["summary"]["drift"], 1);
    let stopped = stop(&ranch);
    assert_eq!(stopped["observed"]["unpaired"]["other_inputs"], 1);
    assert_eq!(kept(&ranch, "R2"), figures(&stopped["observed"]));
}

#[test]
fn a_list_of_all_runs_marks_those_in_shadow() {
    let ranch = two();
    let _ = canary(&ranch, &["--window-days", "1"], 0);
    let known = ranch.run(&["release", "list"]).exits(0).stdout;
    let ends: Vec<&str> = known
        .lines()
        .filter_map(|l| l.split_whitespace().last())
        .collect();
    assert_eq!(ends.get(1..), Some(&["active", "canary"][..]), "{known}");
    let args = ["list", "--all-versions", "--as-of", DAY];
    let in_shadow = |ranch: &Ranch| {
        let listed = ranch.data(&args, 0);
        let answers = listed["answers"].as_array().unwrap();
        answers.iter().filter(|a| a["shadow"] == true).count()
    };
    assert_eq!(in_shadow(&ranch), 5);
    let output = ranch.run(&args).exits(0).stdout;
    assert_eq!(
        output.matches("shadow run of a canary").count(),
        5,
        "{output}"
    );
    assert!(
        !ranch
            .run(&["list", "--as-of", DAY])
            .exits(0)
            .stdout
            .contains("shadow")
    );
    promote(&ranch, "R2", 0);
    assert_eq!(in_shadow(&ranch), 0);
}

/// The promotion, the end of the canary and its result are recorded together or not at all.
#[test]
#[cfg(debug_assertions)]
fn a_kill_leaves_a_promotion_with_its_canary_ended_or_neither() {
    for name in [
        "promote.before-ledger",
        "ledger.before-commit",
        "promote.after-ledger",
    ] {
        let ranch = two();
        let _ = canary(&ranch, &["--window-days", "1"], 0);
        let args = ["release", "promote", "R2", "--reason", "it is time"];
        ranch.killed_at(name, &args);
        let promoted = name == "promote.after-ledger";
        let data = ranch.data(&["release", "status"], 0);
        let active = if promoted { 2 } else { 1 };
        assert_eq!(data["active"]["number"], active, "{name}: {data}");
        assert_eq!(status(&ranch).is_null(), promoted, "{name}");
        let evidence = ranch.data(&["release", "show", "R2"], 0)["evidence"].to_string();
        assert_eq!(evidence.contains("canary"), promoted, "{name}: {evidence}");
        let _ = ranch.run(&["audit"]).exits(0);
        if !promoted {
            promote(&ranch, "R2", 0);
            assert!(status(&ranch).is_null(), "{name}");
        }
    }
}
