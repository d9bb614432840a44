//! The inputs that `backtest` gives both sides: those of each recorded answer, and what was known at the
//! time.

use crate::backtest_kit::{DAYS, computed, middle, outcome, recorded, with_days};
use crate::kit::Ranch;

#[test]
fn additional_inputs_of_the_candidate_are_those_known_at_the_time() {
    let ranch = Ranch::sample();
    ranch.edit(
        "provender.toml",
        "\"days_remaining:v2\"",
        "\"days_remaining:v1\"",
    );
    let _ = ranch.run(&["ingest"]).exits(0);
    let _ = ranch.run(&with_days(&["compute", "--all"])).exits(0);
    let then = computed(&ranch, "days_remaining:v2");
    // What is ingested later must not affect the past.
    let _ = ranch.run(&["ingest", "--forage", "story/forage_revised.csv"]);
    let data = ranch.data(&["backtest", "days_remaining:v2"], 0);
    assert_eq!(data["provenance"]["proved"], 55);
    assert_eq!(
        data["beyond"],
        serde_json::json!([
            "forage_increments_kg_per_ha",
            "increment_age_days",
            "utilization_target_pct"
        ])
    );
    let o = outcome(&data, DAYS);
    assert_eq!(o["ceased_null"], 11);
    let mut after: Vec<f64> = then.iter().filter_map(|t| t.1).collect();
    assert_eq!(after.len(), 55);
    after.sort_by(f64::total_cmp);
    // Nearest rank: the 3rd and 53rd of 55; the middle one is the 28th.
    let quantiles = &o["figures"]["after"];
    assert_eq!(quantiles["p05"], after[2]);
    assert_eq!(quantiles["p50"], after[27]);
    assert_eq!(quantiles["p95"], after[52]);
}

#[test]
fn the_before_side_is_computed_if_its_version_was_never_active() {
    let ranch = recorded();
    let data = ranch.data(
        &[
            "backtest",
            "days_remaining:v2",
            "--against",
            "days_remaining:v1",
        ],
        0,
    );
    assert_eq!(data["baseline"]["computed"], 55);
    assert_eq!(data["baseline"]["recorded"], 0);
    let mut before: Vec<f64> = computed(&ranch, "days_remaining:v1")
        .iter()
        .filter_map(|t| t.1)
        .collect();
    before.sort_by(f64::total_cmp);
    let o = outcome(&data, DAYS);
    assert_eq!(before.len(), 44);
    assert_eq!(o["figures"]["before"]["p50"], middle(before));
    assert_eq!(o["ceased_null"], 11);
}

#[test]
fn inputs_that_cannot_be_proved_come_from_the_manifest() {
    // Answers of a day are computed from what was known before another file was ingested.
    let mut later = Ranch::sample();
    later.now = "2025-07-02T06:00:00Z".into();
    let _ = later.run(&["ingest"]).exits(0);
    later.now = "2025-07-03T06:00:00Z".into();
    later.write(
        "inputs/more.csv",
        "boundary_id,date,kg_per_ha,series\nmesa,2025-06-29,999.0,standing\n",
    );
    let _ = later
        .run(&["ingest", "--forage", "inputs/more.csv"])
        .exits(0);
    let _ = later
        .run(&[
            "compute",
            "--all",
            "--as-of",
            "2025-06-30",
            "--known-at",
            "2025-07-02T12:00:00Z",
        ])
        .exits(0);
    let data = later.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(
        data["provenance"]["from_manifests"], 1,
        "mesa alone differs"
    );
    assert_eq!(data["provenance"]["proved"], 4);
    // Both sides saw the forage of 25 June, not that of the 29th.
    let mesa = data["affected"].as_array().unwrap();
    let mesa = mesa.iter().find(|a| a["boundary_id"] == "mesa").unwrap();
    assert!((mesa["before"].as_f64().unwrap() - 18.1).abs() < 0.1);
    assert!((mesa["after"].as_f64().unwrap() - 136.0).abs() < 0.1);

    // If a manifest is needed but damaged, the result is an integrity error, not a guess.
    for (path, _) in later.files("out/manifests/mesa") {
        std::fs::write(path, "{}").unwrap();
    }
    let _ = later.run(&["backtest", "days_remaining:v1"]).exits(11);
}

#[test]
fn later_ingests_do_not_change_a_backtest() {
    let ranch = recorded();
    let before = ranch.data(&["backtest", "days_remaining:v1"], 0);
    let _ = ranch
        .run(&[
            "ingest",
            "--source",
            "forage-standing",
            "--forage",
            "story/wrong_forage.csv",
        ])
        .exits(0);
    let after = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(after, before);
    assert_eq!(after["provenance"]["proved"], 55);
    let _ = ranch
        .run(&[
            "ingest",
            "retract",
            "inputs/forage_standing.csv",
            "--reason",
            "test",
        ])
        .exits(0);
    assert_eq!(ranch.data(&["backtest", "days_remaining:v1"], 0), before);
    // A pasture that is ingested later, with a herd already there on those days, changes nothing either:
    // nobody could have computed its answers.
    ranch.write(
        "late.geojson",
        &ranch
            .read("inputs/pastures.geojson")
            .replace("\"mesa\"", "\"late\""),
    );
    let _ = ranch
        .run(&["ingest", "--boundaries", "late.geojson"])
        .exits(0);
    let late = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(late["verdict"], before["verdict"]);
    let frost = ranch.data(&["backtest", "frost_days:v1"], 0);
    assert_eq!(frost["verdict"]["after"], "ok", "{:#}", frost["verdict"]);
}

#[test]
fn a_logic_without_herds_is_backtested_on_a_copy_of_the_ledger() {
    let ranch = recorded();
    let here = ranch.data(&["backtest", "frost_days:v1"], 0);
    assert_eq!(here["rows"], 44, "four pastures on eleven days");
    assert_eq!(
        here["provenance"]["proved"], 44,
        "series of thirty days too"
    );
    assert_eq!(outcome(&here, "frost_days")["changed"], 0);
    let _ = ranch.run(&["backup", "copy"]).exits(0);
    let copy = ranch.data(
        &["backtest", "frost_days:v1", "--ledger", "copy/ledger.db"],
        0,
    );
    assert_eq!(copy, here);
}

#[test]
fn a_reissued_answer_is_compared_with_its_own_inputs() {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&[
            "ingest",
            "--source",
            "forage-standing",
            "--forage",
            "story/forage_revised.csv",
        ])
        .exits(0);
    let plan = ranch.data(
        &["reissue", "--as-of", "2025-06-30", "--reason", "revised"],
        0,
    );
    let digest = plan["plan"].as_str().unwrap().to_owned();
    let _ = ranch
        .run(&[
            "reissue",
            "--as-of",
            "2025-06-30",
            "--reason",
            "revised",
            "--apply",
            &digest,
        ])
        .exits(0);
    let data = ranch.data(&["backtest", "days_remaining:v1", "--boundary", "north"], 0);
    assert_eq!(data["rows"], 1);
    assert_eq!(data["provenance"]["proved"], 1);
    let before = data["affected"][0]["before"].as_f64().unwrap();
    assert!((before - 77.2).abs() < 0.1, "{before}");
}
