//! The whole story of a number: ingested, computed, explained, guarded, reissued, withdrawn, monitored, and
//! part of a complete day.

use serde_json::Value as Json;

use crate::kit::Ranch;

const DAY: &[&str] = &["--as-of", "2025-06-30"];

fn with_day(args: &[&'static str]) -> Vec<&'static str> {
    args.iter().chain(DAY).copied().collect()
}

fn reissue(ranch: &Ranch, reason: &str) -> Json {
    let plan = ranch.data(&["reissue", "--as-of", "2025-06-30", "--reason", reason], 0);
    let digest = plan["plan"].as_str().unwrap().to_owned();
    assert_eq!(plan["applied"], false);
    let applied = ranch.data(
        &[
            "reissue",
            "--as-of",
            "2025-06-30",
            "--reason",
            reason,
            "--apply",
            &digest,
        ],
        0,
    );
    assert_eq!(applied["summary"]["recorded"], plan["runs"]);
    applied
}

#[test]
fn a_number_is_traced_from_its_file_to_its_reissue() {
    let ranch = Ranch::sample();
    let run = ranch.data(&["run", "--as-of", "2025-06-30"], 0);
    assert_eq!(run["summary"]["recorded"], 9);
    assert_eq!(run["status"]["complete"], true);
    assert_eq!(run["monitor"]["status"], "ok");
    let manifests = ranch.files("out/manifests");
    assert_eq!(manifests.len(), 9);

    // Computed again, it is unchanged, with the same bytes.
    let again = ranch.data(&["run", "--as-of", "2025-06-30"], 0);
    assert_eq!(again["summary"]["unchanged"], 9);
    assert_eq!(again["monitor"]["recorded_before"], true);
    assert!(
        again["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["new"] == 0 && f["revised"] == 0)
    );
    assert_eq!(
        ranch.data(&with_day(&["compute", "--all", "--recheck"]), 0)["summary"]["unchanged"],
        9
    );
    assert_eq!(ranch.files("out/manifests"), manifests);

    // It is explained, with its sources named.
    let why = ranch.data(&with_day(&["explain", "--boundary", "north"]), 0);
    let forage = why["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|i| i["name"] == "forage_kg_per_ha")
        .unwrap();
    assert_eq!(forage["source"]["file"], "inputs/forage_standing.csv");
    assert_eq!(forage["age_days"], 5);
    assert!(why["superseded_inputs"].as_array().unwrap().is_empty());
    let text = ranch
        .run(&with_day(&["explain", "--boundary", "north"]))
        .exits(0)
        .stdout;
    assert!(text.contains("daily_consumption_kg = animal_count × daily_intake_kg_per_head = 185 head × 9.4 kg/head/d = 1739 kg/d"), "{text}");
    assert!(
        text.contains("residual_kg_per_ha = 250 kg/ha (logic.toml)"),
        "{text}"
    );

    // A unit mistake is held back, with the ratio that reveals it.
    let held = ranch
        .run(&["ingest", "--forage", "story/forage_unit_mistake.csv"])
        .exits(65)
        .stderr;
    insta::assert_snapshot!(held, @r#"error: story/forage_unit_mistake.csv: 23 of 23 rows differ from what source forage-standing gave before (the limit is 50 %); the median ratio of new to old is 0.8921, which looks like lb/acre taken for kg/ha. Nothing was recorded; if the change is intended, run again with --accept"#);

    // After a revised input, the run drifts and is refused; with a new herd, another run is recorded.
    let revised = ranch.data(&["ingest", "--forage", "story/forage_revised.csv"], 0);
    assert_eq!(revised["files"][0]["revised"], 1);
    assert_eq!(revised["files"][0]["source"], "forage-standing");
    let _ = ranch
        .run(&["ingest", "--herds", "story/herds_one_more.json"])
        .exits(0);
    assert_eq!(ranch.data(&with_day(&["status"]), 2)["complete"], false);
    let before = ranch.answer("north", "h-heifers");
    let drift = ranch.data(&with_day(&["compute", "--all"]), 10);
    assert_eq!(drift["summary"]["recorded"], 1);
    assert_eq!(drift["summary"]["drift"], 1);
    assert_eq!(drift["summary"]["unchanged"], 8);
    let message = ranch
        .run(&with_day(&[
            "compute",
            "--boundary",
            "north",
            "--herd",
            "h-heifers",
        ]))
        .exits(10)
        .stderr;
    insta::assert_snapshot!(message, @r"
    error: 1 run drifted: recorded under the same key with other inputs, so nothing was written
      north / h-heifers / 2025-06-30 / days_remaining:v2 / 62c2623bdca6: forage_kg_per_ha was 814.3 kg/ha (inputs/forage_standing.csv row 12 of 2025-06-25) and is now 749.2 kg/ha (story/forage_revised.csv row 4 of 2025-06-25)
     help: if the revised inputs are right, `provender reissue` plans their replacement; if a file is wrong, `provender ingest retract FILE --reason …` withdraws it; if the logic changed, it needs a new version
    ");
    assert_eq!(
        ranch.answer("north", "h-heifers").to_bits(),
        before.to_bits()
    );
    assert_eq!(ranch.data(&with_day(&["status"]), 2)["refused"], 1);

    // The only way to replace a run: plan, look at the plan, apply it.
    let wrong = ranch
        .run(&[
            "reissue",
            "--as-of",
            "2025-06-30",
            "--reason",
            "x",
            "--apply",
            "sha256-jcs-v1:00",
        ])
        .exits(17);
    assert!(
        wrong.stderr.contains("the plan has changed"),
        "{}",
        wrong.stderr
    );
    let applied = reissue(&ranch, "composite of 25 June corrected upstream");
    let config = applied["runs"][0]["key"]["config_version"]
        .as_str()
        .unwrap();
    assert!(config.ends_with("+r1"), "{config}");
    assert!(ranch.answer("north", "h-heifers") < before);
    assert_eq!(
        ranch.data(&with_day(&["compute", "--all"]), 0)["summary"]["unchanged"],
        10
    );
    assert_eq!(ranch.data(&with_day(&["status"]), 0)["complete"], true);
    let all = ranch.data(
        &with_day(&[
            "list",
            "--boundary",
            "north",
            "--herd",
            "h-heifers",
            "--all-versions",
        ]),
        0,
    );
    let all = all["answers"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["superseded_by"], config);
    let old = all[0]["run"]["run_id"].as_str().unwrap();
    let why = ranch.run(&["explain", old]).exits(0).stdout;
    assert!(
        why.contains("composite of 25 June corrected upstream") && why.contains("by tester"),
        "{why}"
    );
    let new = all[1]["run"]["run_id"].as_str().unwrap();
    let diff = ranch.data(&["diff", old, new], 0);
    assert!(
        diff["differences"]
            .as_array()
            .unwrap()
            .iter()
            .any(|d| d["part"] == "input" && d["name"] == "forage_kg_per_ha")
    );

    // With another parameter, the run is recorded under its own configuration, and the answer is unchanged.
    let answer = ranch.answer("north", "h-heifers");
    let args = with_day(&[
        "compute",
        "--boundary",
        "north",
        "--herd",
        "h-heifers",
        "--logic",
        "days_remaining:v2",
        "--param",
        "residual_kg_per_ha=100",
    ]);
    let other = ranch.data(&args, 0);
    assert_eq!(other["summary"]["recorded"], 1);
    assert_ne!(
        other["runs"][0]["key"]["config_version"],
        all[1]["run"]["key"]["config_version"]
    );
    assert!(
        other["runs"][0]["outputs"]["days_of_grazing_remaining"]
            .as_f64()
            .unwrap()
            > answer
    );
    assert_eq!(
        ranch.answer("north", "h-heifers").to_bits(),
        answer.to_bits()
    );

    // A wrong file makes the monitor crit. Withdrawn and reissued, it is ok again.
    let sheep = ranch.answer("mesa", "h-sheep");
    let _ = ranch
        .run(&["ingest", "--forage", "story/wrong_forage.csv"])
        .exits(0);
    let _ = ranch.run(&with_day(&["compute", "--all"])).exits(10);
    let _ = reissue(&ranch, "new composite");
    let monitor = ["monitor", "--all", "--end", "2025-06-30"];
    let crit = ranch.data(&monitor, 2);
    assert_eq!(crit["status"], "crit");
    let failing = &crit["fleet"]
        .as_array()
        .unwrap()
        .iter()
        .find(|g| g["model_version"] == "days_remaining:v2")
        .unwrap()["failing"];
    assert!(
        failing[0]["manifest"]
            .as_str()
            .unwrap()
            .starts_with("out/manifests/mesa/"),
        "{failing}"
    );
    assert!(
        ranch
            .path(failing[0]["manifest"].as_str().unwrap())
            .is_file()
    );
    let _ = ranch
        .run(&[
            "monitor",
            "--all",
            "--end",
            "2025-06-30",
            "--fail-on",
            "never",
        ])
        .exits(0);
    let _ = ranch
        .run(&[
            "ingest",
            "retract",
            "story/wrong_forage.csv",
            "--reason",
            "another ranch's file",
        ])
        .exits(0);
    let again = ranch
        .run(&["ingest", "--forage", "story/wrong_forage.csv"])
        .exits(65)
        .stderr;
    assert!(
        again.contains("was withdrawn") && again.contains("another ranch's file"),
        "{again}"
    );
    let _ = ranch.run(&with_day(&["compute", "--all"])).exits(10);
    let _ = reissue(&ranch, "wrong file withdrawn");
    assert_eq!(ranch.answer("mesa", "h-sheep").to_bits(), sheep.to_bits());
    assert_eq!(ranch.data(&monitor, 0)["status"], "ok");

    // A tighter threshold warns.
    ranch.edit("logic.toml", "warn = 16", "warn = 4");
    assert_eq!(ranch.data(&monitor, 1)["status"], "warn");
    let _ = ranch
        .run(&[
            "monitor",
            "--all",
            "--end",
            "2025-06-30",
            "--fail-on-warn=false",
        ])
        .exits(0);
    // Thresholds are not configuration, so the numbers stay.
    assert_eq!(
        ranch.data(&with_day(&["compute", "--all"]), 0)["summary"]["unchanged"],
        10
    );
}

#[test]
fn four_hundred_drifted_runs_need_one_plan() {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    let range = ["--from", "2025-05-01", "--to", "2025-11-10"];
    let args: Vec<&str> = ["compute", "--all"].into_iter().chain(range).collect();
    let first = ranch.data(&args, 0);
    // Every standing-forage value of two pastures changes a little.
    let text = ranch.read("inputs/forage_standing.csv");
    let revised: String = text
        .lines()
        .map(|l| match l.split(',').collect::<Vec<_>>().as_slice() {
            [b, d, v, s]
                if (*b == "creek" || *b == "north") && d.starts_with("2025-") && !v.is_empty() =>
            {
                format!("{b},{d},{},{s}\n", v.parse::<f64>().unwrap() + 1.0)
            }
            _ => format!("{l}\n"),
        })
        .collect();
    ranch.write("revised.csv", &revised);
    let _ = ranch
        .run(&["ingest", "--forage", "revised.csv", "--accept"])
        .exits(0);
    let drifted = ranch.data(&args, 10)["summary"]["drift"].as_u64().unwrap();
    assert!(drifted >= 400, "{drifted} of {first}");
    let message = ranch.run(&args).exits(10).stderr;
    assert!(
        message.contains("forage_kg_per_ha changed by revised.csv"),
        "{message}"
    );
    let reason: Vec<&str> = ["reissue", "--reason", "recalibrated"]
        .into_iter()
        .chain(range)
        .collect();
    let plan = ranch.data(&reason, 0);
    assert_eq!(plan["runs"], drifted);
    let digest = plan["plan"].as_str().unwrap();
    let apply: Vec<&str> = reason.iter().copied().chain(["--apply", digest]).collect();
    assert_eq!(ranch.data(&apply, 0)["summary"]["recorded"], drifted);
    assert_eq!(ranch.data(&args, 0)["summary"]["recorded"], 0);
}

#[test]
fn the_past_can_be_computed_as_it_was_known() {
    let mut ranch = Ranch::ran();
    ranch.now = "2025-07-05T00:00:00Z".into();
    let _ = ranch
        .run(&["ingest", "--forage", "story/forage_revised.csv"])
        .exits(0);
    let then = with_day(&["compute", "--all", "--known-at", "2025-07-02"]);
    assert_eq!(ranch.data(&then, 0)["summary"]["unchanged"], 9);
    let _ = ranch.run(&with_day(&["compute", "--all"])).exits(10);
}

#[test]
fn a_herd_in_an_unknown_boundary_leaves_the_day_incomplete_and_records_nothing() {
    let ranch = Ranch::ran();
    ranch.write(
        "more.csv",
        "id,boundary_id,effective_date,animal_count,daily_intake_kg_per_head\nh-new,far,2025-06-01,10,12\n",
    );
    let said = ranch.data(&["ingest", "--herds", "more.csv"], 0);
    assert!(
        said["files"][0]["warnings"]
            .to_string()
            .contains("boundaries that are not known yet: far"),
        "{said}"
    );
    let ran = ranch.data(&with_day(&["compute", "--all"]), 65);
    assert_eq!(
        (&ran["summary"]["failed"], &ran["summary"]["unchanged"]),
        (&1.into(), &9.into())
    );
    assert_eq!(ranch.files("out/manifests").len(), 9);
    let status = ranch.data(&with_day(&["status"]), 2);
    assert_eq!(status["missing"][0]["boundary_id"], "far");
    assert!(
        status["missing"][0]["cause"]
            .as_str()
            .unwrap()
            .contains("has not been ingested"),
        "{status}"
    );
    ranch.write(
        "far.geojson",
        r#"{"type":"Feature","properties":{"boundary_id":"far"},"geometry":{"type":"Polygon","coordinates":[[[-117,41],[-116.99,41],[-116.99,41.01],[-117,41.01],[-117,41]]]}}"#,
    );
    let _ = ranch
        .run(&["ingest", "--boundaries", "far.geojson"])
        .exits(0);
    let ran = ranch.data(&with_day(&["compute", "--all"]), 0);
    // The new place is also due for the logic that reads no herd.
    assert_eq!(ran["summary"]["recorded"], 2);
    let run = ran["runs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["key"]["herd_config_id"] == "h-new")
        .unwrap()
        .clone();
    assert_eq!(
        run["reasons"][0],
        "no forage was observed at or before the date"
    );
    assert_eq!(ranch.data(&with_day(&["status"]), 0)["complete"], true);
}
