//! What `explain` shows if pins, inputs or versions have changed since, and which arguments it needs.

use serde_json::Value as Json;

use crate::kit::{Ranch, unpin, variant_of};

const NORTH: [&str; 5] = ["explain", "--boundary", "north", "--as-of", "2025-06-30"];

fn named<'j>(list: &'j Json, name: &str) -> &'j Json {
    let found = list.as_array().unwrap().iter().find(|i| i["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {list}"))
}

/// The sample ranch after a run, with the forage of `north` revised afterwards.
fn revised() -> Ranch {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&["ingest", "--forage", "story/forage_revised.csv"])
        .exits(0);
    ranch
}

#[test]
fn explain_shows_a_run_as_compute_reported_it() {
    let ranch = Ranch::sample();
    let run = ranch.data(&["run", "--as-of", "2025-06-30"], 0);
    for computed in run["runs"].as_array().unwrap() {
        let id = computed["run_id"].as_str().unwrap();
        let explained = ranch.data(&["explain", id], 0)["run"].clone();
        for (name, value) in computed.as_object().unwrap() {
            assert_eq!(&explained[name], value, "{name} of {id}");
        }
    }
}

#[test]
fn a_run_whose_component_is_gone_is_explained_from_its_manifest() {
    let ranch = revised();
    let before = ranch.data(&NORTH, 0);
    assert_eq!(before["superseded_inputs"][0]["name"], "forage_kg_per_ha");
    unpin(&ranch, "v2");
    let after = ranch.data(&NORTH, 0);
    // Without the component there are no units and no formulas, but the same values and the same changes of
    // inputs.
    assert_eq!(after["arithmetic"], serde_json::json!([]));
    for part in ["new", "old", "new_source", "old_source"] {
        assert_eq!(
            after["superseded_inputs"][0][part],
            before["superseded_inputs"][0][part]
        );
    }
    assert_eq!(
        named(&after["inputs"], "forage_kg_per_ha")["value"],
        named(&before["inputs"], "forage_kg_per_ha")["value"]
    );
    assert_eq!(after["newer_observations"], before["newer_observations"]);
}

#[test]
fn a_run_is_not_explained_with_the_declaration_of_other_bytes() {
    let ranch = Ranch::ran();
    let before = ranch.data(&NORTH, 0);
    assert_eq!(before["pinned_component"], Json::Null);
    let other = variant_of(&ranch, "v2", "other");
    let shown = ranch.data(&["plugin", "show", other.to_str().unwrap()], 0);
    let old = before["component"]["sha256"].as_str().unwrap();
    ranch.edit("provender.lock", old, shown["sha256"].as_str().unwrap());
    let bytes = std::fs::read(&other).unwrap();
    let size = std::fs::metadata(ranch.path("components/days_remaining-v2.wasm"))
        .unwrap()
        .len();
    ranch.edit(
        "provender.lock",
        &format!("size = {size}"),
        &format!("size = {}", bytes.len()),
    );
    std::fs::write(ranch.path("components/days_remaining-v2.wasm"), bytes).unwrap();
    let after = ranch.data(&NORTH, 0);
    assert_eq!(after["pinned_component"], shown["sha256"]);
    assert_eq!(after["component"], before["component"]);
    assert_eq!(after["arithmetic"], serde_json::json!([]));
    let text = ranch.run(&NORTH).exits(0).stdout;
    assert!(
        text.contains("days_remaining:v2 is pinned here with different bytes"),
        "{text}"
    );
}

#[test]
fn parameters_are_shown_as_declared_and_guardrails_with_their_bounds() {
    let ranch = Ranch::ran();
    let data = ranch.data(&NORTH, 0);
    let names: Vec<_> = data["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "min_days_remaining",
            "max_days_remaining",
            "default_utilization_pct",
            "residual_kg_per_ha"
        ]
    );
    assert_eq!(
        data["parameters"][3]["doc"],
        "Forage that is to be left standing, dry matter."
    );
    let text = ranch.run(&NORTH).exits(0).stdout;
    assert!(text.contains("ok: nothing breached"), "{text}");
    assert!(
        text.contains("days_of_grazing_remaining from 0 d to "),
        "{text}"
    );
    assert!(text.contains("usable_share from 0 to 1"), "{text}");
}

#[test]
fn a_one_off_run_and_an_unpromoted_version_are_distinguished() {
    let ranch = Ranch::ran();
    let place = [
        "--boundary",
        "north",
        "--herd",
        "h-heifers",
        "--as-of",
        "2025-06-30",
    ];
    let with = |more: &[&'static str]| -> Vec<&'static str> {
        ["compute"]
            .iter()
            .chain(&place)
            .chain(more)
            .copied()
            .collect()
    };
    let _ = ranch
        .run(&with(&[
            "--logic",
            "days_remaining:v2",
            "--param",
            "residual_kg_per_ha=10",
        ]))
        .exits(0);
    let _ = ranch.run(&with(&["--logic", "days_remaining:v1"])).exits(0);
    let data = ranch.data(&NORTH, 0);
    let others: Vec<_> = data["others"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|o| o["key"]["herd_config_id"] == "h-heifers")
        .map(|o| {
            (
                o["key"]["model_version"].as_str().unwrap().to_owned(),
                o["what"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert!(
        others.contains(&(
            "days_remaining:v2".into(),
            "computed with a --param of one command, never an answer".into()
        )),
        "{others:?}"
    );
    assert!(
        others.contains(&(
            "days_remaining:v1".into(),
            "of a version or configuration that was never active".into()
        )),
        "{others:?}"
    );
}

#[test]
fn an_invalid_run_or_configuration_is_wrong_usage_and_a_missing_run_names_the_nearest() {
    let ranch = Ranch::ran();
    for id in ["zz", "abc", "sha256:4f2a", ""] {
        let _ = ranch.run(&["explain", id]).exits(64);
    }
    let config: Vec<_> = NORTH.iter().copied().chain(["--config", ""]).collect();
    let refused = ranch.run(&config).exits(64);
    insta::assert_snapshot!(refused.stderr, @"error: `` is not a configuration version: give sha256-jcs-v1:<hex> or its first hex digits, with +rN for a reissue");
    let _ = ranch.run(&["explain", "abcdef123456"]).exits(66);
    let none = ranch
        .run(&["explain", "--boundary", "nort", "--as-of", "2025-06-30"])
        .exits(66);
    insta::assert_snapshot!(none.stderr, @"error: no run of boundary `nort` is recorded (did you mean `north`?); `provender list` shows what is");
    let day = ranch
        .run(&["explain", "--boundary", "north", "--as-of", "2025-06-01"])
        .exits(66);
    insta::assert_snapshot!(day.stderr, @"error: north has no run on 2025-06-01; the nearest is of 2025-06-30");
}
