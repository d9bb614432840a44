//! What `backtest` prints besides its figures: which settings differ between the sides, and when nothing was
//! compared. Also how the JSON envelope and dry runs name what they did.

use serde_json::Value as Json;

use crate::kit::Ranch;

/// A ranch with the answers of v2 recorded for two days.
fn recorded() -> Ranch {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    let days = ["--from", "2025-06-29", "--to", "2025-06-30"];
    let args: Vec<&str> = ["compute", "--all"].into_iter().chain(days).collect();
    let _ = ranch.run(&args).exits(0);
    ranch
}

/// The setting of this kind and name.
fn setting<'a>(data: &'a Json, kind: &str, name: &str) -> &'a Json {
    let all = data["settings"].as_array().unwrap();
    let found = all.iter().find(|s| s["kind"] == kind && s["name"] == name);
    found.unwrap_or_else(|| panic!("{kind} {name} is not among {all:#?}"))
}

/// The part of a report from one heading to the next.
fn section<'a>(text: &'a str, heading: &str, next: &str) -> &'a str {
    let from = text.find(heading).unwrap();
    let to = text[from..].find(next).unwrap();
    text[from..from + to].trim_end()
}

#[test]
fn every_differing_setting_is_listed_with_both_values_and_their_origin() {
    let ranch = recorded();
    ranch.edit(
        "logic.toml",
        "# The first version, kept",
        "[days_remaining.v2.guardrails.days_of_grazing_remaining]\nmaximum = 300\n\n# The first version, kept",
    );
    ranch.edit(
        "logic.toml",
        "[days_remaining.v1]\nseason_start = \"03-01\"",
        "[days_remaining.v1]\nseason_start = \"04-15\"",
    );
    let data = ranch.data(&["backtest", "days_remaining:v1"], 0);
    let residual = setting(&data, "parameter", "residual_kg_per_ha");
    assert_eq!(residual["before"]["value"], 250.0);
    assert_eq!(residual["before"]["set_by"], "logic.toml");
    assert!(residual["after"].is_null(), "v1 has no such parameter");
    let rail = setting(&data, "guardrail", "days_of_grazing_remaining");
    assert_eq!(rail["before"]["value"]["maximum"], 300.0);
    assert_eq!(rail["before"]["set_by"], "logic.toml");
    assert_eq!(rail["after"]["value"]["maximum"], 365.0);
    assert_eq!(rail["after"]["set_by"], "component default");
    let read = setting(&data, "feature", "utilization_target_pct");
    assert!(read["after"].is_null());
    // Settings with equal values are not listed.
    let all = data["settings"].as_array().unwrap();
    assert!(all.iter().all(|s| s["before"] != s["after"]));
    assert!(
        !all.iter()
            .any(|s| s["name"] == "p95(forage_age_days) above, fleet")
    );
    assert_eq!(data["warnings"], serde_json::json!([]));

    let ran = ranch.run(&["backtest", "days_remaining:v1"]).exits(0);
    insta::assert_snapshot!(section(&ran.stdout, "Settings", "Outcomes"));
    // The other formats agree.
    let _ = ranch
        .run(&[
            "backtest",
            "days_remaining:v1",
            "--markdown",
            "r.md",
            "--html",
            "r.html",
        ])
        .exits(0);
    assert!(
        ranch
            .read("r.md")
            .contains("| parameter | residual\\_kg\\_per\\_ha (kg/ha) | 250 (logic.toml) | – |")
    );
    let page = ranch.read("r.html");
    assert!(page.contains("250 (logic.toml)"), "{page}");
}

#[test]
fn one_off_parameters_and_thresholds_of_the_candidate_are_reported() {
    let ranch = recorded();
    let args = [
        "backtest",
        "days_remaining:v2",
        "--param",
        "residual_kg_per_ha=300",
    ];
    let data = ranch.data(&args, 0);
    let all = data["settings"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0]["after"]["value"], 300.0);
    assert_eq!(all[0]["after"]["set_by"], "--param");

    let same = ranch.run(&["backtest", "days_remaining:v2"]).exits(0);
    let sentence =
        "Parameters, feature definitions, guardrails and monitors are the same on both sides.";
    assert!(same.stdout.contains(sentence), "{}", same.stdout);

    // The start of the season is listed if a side counts from it.
    ranch.edit(
        "logic.toml",
        "season_start = \"03-01\"",
        "season_start = \"05-01\"",
    );
    ranch.edit("logic.toml", "warn = 16", "warn = 20");
    let data = ranch.data(&["backtest", "days_remaining:v1"], 0);
    let season = setting(&data, "season_start", "season_start");
    assert_eq!(season["before"]["value"], "05-01");
    let rule = setting(&data, "monitor", "p95(forage_age_days) above, fleet");
    assert_eq!(rule["before"]["value"]["warn"], 20.0);
    assert_eq!(rule["after"]["value"]["warn"], 16.0);
}

#[test]
fn a_candidate_without_a_block_that_the_active_version_has_is_a_warning() {
    let ranch = recorded();
    let text = ranch.read("logic.toml");
    let (v2, rest) = text.split_once("# The first version, kept").unwrap();
    let (_, frost) = rest.split_once("# A logic that reads weather").unwrap();
    ranch.write(
        "logic.toml",
        &format!("{v2}# A logic that reads weather{frost}"),
    );
    let data = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(data["warnings"][0]["code"], "candidate_without_settings");
    let rule = setting(&data, "monitor", "p95(forage_age_days) above, fleet");
    assert_eq!(rule["before"]["set_by"], "logic.toml");
    assert_eq!(rule["after"]["set_by"], "component default");
    let _ = ranch
        .run(&[
            "backtest",
            "days_remaining:v1",
            "--markdown",
            "r.md",
            "--html",
            "r.html",
        ])
        .exits(0);
    let ran = ranch.run(&["backtest", "days_remaining:v1"]).exits(0);
    let warned: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|l| l.starts_with("warning: ") || l.starts_with("to do: "))
        .collect();
    insta::assert_snapshot!(warned.join("\n"));
    for (file, block) in [
        ("r.md", "\\[days\\_remaining.v1\\]"),
        ("r.html", "[days_remaining.v1]"),
    ] {
        let report = ranch.read(file);
        assert!(report.contains(block), "{file}:\n{report}");
    }
    // An empty block states that the defaults are intended.
    ranch.write("logic.toml", &format!("{text}\n"));
    let data = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(data["warnings"], serde_json::json!([]));
    ranch.write(
        "logic.toml",
        &format!("{v2}[days_remaining.v1]\n# A logic that reads weather{frost}"),
    );
    let data = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(data["warnings"], serde_json::json!([]));
}

#[test]
fn two_versions_without_a_common_outcome_do_not_pass() {
    let ranch = recorded();
    let args = [
        "backtest",
        "frost_days:v1",
        "--against",
        "days_remaining:v2",
    ];
    let ran = ranch.run(&args).exits(66);
    assert!(
        ran.stdout
            .contains("no outcome of both sides can be compared")
    );
    insta::assert_snapshot!(ran.stderr);
    let mut json = args.to_vec();
    json.push("--json");
    let json = ranch.run(&json).exits(66).json();
    assert_eq!(json["error"]["code"], "nothing_compared");
    assert_eq!(json["data"]["outcomes"], serde_json::json!([]));
}

#[test]
fn a_dry_run_shows_what_would_be_recorded() {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    let args = ["compute", "--boundary", "north", "--as-of", "2025-06-30"];
    let dry: Vec<&str> = args.into_iter().chain(["--dry-run"]).collect();
    let ran = ranch.run(&dry).exits(0);
    assert!(ran.stdout.contains("dry run: nothing is recorded"));
    assert!(
        ran.stdout
            .contains("2 runs: 2 would be recorded, 0 unchanged"),
        "{}",
        ran.stdout
    );
    let words = ran
        .stdout
        .lines()
        .filter(|l| l.trim_end().ends_with("would be recorded"));
    assert_eq!(words.count(), 2, "{}", ran.stdout);
    // The JSON keeps the outcome's name; its flag says that nothing was written.
    let data = ranch.data(&dry, 0);
    assert_eq!(data["dry_run"], true);
    assert_eq!(data["runs"][0]["outcome"], "recorded");
    let real = ranch.run(&args).exits(0);
    assert!(
        real.stdout.contains("2 runs: 2 recorded"),
        "{}",
        real.stdout
    );
}

#[test]
fn the_envelope_names_verb_and_sub_verb() {
    let ranch = recorded();
    for (args, command) in [
        (&["status", "--as-of", "2025-06-30"][..], "status"),
        (&["plugin", "list"], "plugin list"),
        (&["plugin", "check", "days_remaining:v2"], "plugin check"),
        (&["release", "history"], "release history"),
        (&["incident", "list"], "incident list"),
        (&["ingest"], "ingest"),
        (
            &["ingest", "retract", "nothing.csv", "--reason", "test"],
            "ingest retract",
        ),
        (&["monitor", "--all", "--end", "2025-06-30"], "monitor"),
    ] {
        let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        assert_eq!(ranch.run(&all).json()["command"], command);
    }
}
