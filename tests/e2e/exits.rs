//! Every exit code that can occur, in text and in JSON.

use rusqlite::Connection;

use crate::kit::{Ran, Ranch};

fn day(verb: &'static str) -> [&'static str; 4] {
    [verb, "--all", "--as-of", "2025-06-30"]
}

/// Asserts that the command ends with the same code in both formats.
fn ends(ranch: &Ranch, args: &[&str], code: i32) -> Ran {
    let json = args.iter().copied().chain(["--json"]).collect::<Vec<_>>();
    let _ = ranch.run(&json).exits(code).json();
    ranch.run(args).exits(code)
}

#[test]
fn wrong_usage_is_64_and_never_looks_like_crit() {
    let ranch = Ranch::sample();
    for args in [
        &["compute", "--no-such-flag"][..],
        &["nonsense"],
        &["compute", "--all"],
        &["compute", "--as-of", "2025-06-30"],
        &["compute", "--all", "--as-of", "30.6.2025"],
        &["explain"],
        &[
            "compute",
            "--all",
            "--as-of",
            "2025-06-30",
            "--logic",
            "days_remaining:v2",
            "--param",
            "max_days_remaining=many",
        ],
    ] {
        let _ = ends(&ranch, args, 64);
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_is_70_with_one_line() {
    let ranch = Ranch::empty();
    let output = ranch
        .command()
        .env("PROVENDER_TEST_PANIC", "1")
        .args(["list", "--json"])
        .output()
        .unwrap();
    let ran = ranch.finish(output).exits(70);
    assert_eq!(ran.json()["error"]["code"], "internal");
    assert!(
        ran.stderr
            .starts_with("error: this is a defect of provender"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_missing_object_is_66() {
    let ranch = Ranch::ran();
    let _ = ends(
        &ranch,
        &["explain", "--boundary", "nowhere", "--as-of", "2025-06-30"],
        66,
    );
    let _ = ends(&ranch, &["explain", "abcdef123456"], 66);
    let _ = ends(&ranch, &["ingest", "--forage", "nowhere.csv"], 66);
    let _ = ends(
        &ranch,
        &["ingest", "retract", "nowhere.csv", "--reason", "x"],
        66,
    );
    let _ = ends(
        &ranch,
        &[
            "compute",
            "--all",
            "--as-of",
            "2025-06-30",
            "--logic",
            "days_remaining:v9",
        ],
        66,
    );
    let near = ends(
        &ranch,
        &["compute", "--boundary", "nort", "--as-of", "2025-06-30"],
        66,
    )
    .stderr;
    insta::assert_snapshot!(near, @"error: boundary `nort` is not known (did you mean `north`?)");
    let ranch = Ranch::empty();
    let nothing = ends(&ranch, &["list"], 66).stderr;
    assert!(nothing.contains("provender init --sample"), "{nothing}");
}

#[test]
fn a_herd_outside_its_period_is_65_with_the_period_named() {
    let ranch = Ranch::ran();
    let args = [
        "compute",
        "--boundary",
        "home",
        "--herd",
        "h-horses",
        "--as-of",
        "2025-06-30",
    ];
    let message = ends(&ranch, &args, 65).stderr;
    assert!(
        message.contains("h-horses is not in home on 2025-06-30")
            && message.contains("to 2025-04-30 in home"),
        "{message}"
    );
    ranch.write(
        "bad.csv",
        "boundary_id,date,kg_per_ha\nnorth,2025-06-30,12\nnorth,2025-06-31,13\n",
    );
    let message = ends(&ranch, &["ingest", "--forage", "bad.csv"], 65).stderr;
    assert!(
        message.contains("bad.csv: row 3: date = `2025-06-31`"),
        "{message}"
    );
    let skipped = ranch.data(&["ingest", "--forage", "bad.csv", "--skip-bad-rows"], 0);
    assert_eq!(
        (&skipped["files"][0]["skipped"], &skipped["files"][0]["new"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn a_flipped_byte_is_11() {
    let ranch = Ranch::ran();
    let (path, mut bytes) = ranch.files("components").remove(1);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    let _ = ends(&ranch, &day("compute"), 11);
    let _ = ends(&ranch, &["verify"], 11);
    std::fs::write(&path, good).unwrap();
    let _ = ends(&ranch, &["verify"], 0);
    let id = ranch.data(&["list", "--boundary", "creek", "--herd", "h-cows"], 0)["answers"][0]["run"]["run_id"].as_str().unwrap().to_owned();
    let _ = ends(&ranch, &["explain", &id], 0);
    for (path, mut bytes) in ranch.files("out/manifests") {
        bytes[40] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    let _ = ends(&ranch, &["explain", &id], 11);
}

#[test]
fn an_invalid_component_is_14_and_one_that_runs_out_of_fuel_is_15() {
    let ranch = Ranch::ran();
    let lock = ranch.read("provender.lock");
    ranch.edit(
        "provender.toml",
        "[monitor]",
        "[limits]\nfuel_per_row = 1\n\n[monitor]",
    );
    // Enough fuel for `describe`, but far too little to compute a hundred days.
    let args = [
        "compute",
        "--all",
        "--from",
        "2025-05-20",
        "--to",
        "2025-12-30",
    ];
    ranch.edit(
        "provender.toml",
        "fuel_per_row = 1",
        "fuel_base = 150000\nfuel_per_row = 1",
    );
    let fuel = ends(&ranch, &args, 15).stderr;
    assert!(
        fuel.contains("failed in row") && fuel.contains("(fuel_exhausted): it used up its fuel"),
        "{fuel}"
    );
    let bytes = b"\0asm\x01\0\0\0";
    ranch.write(
        "components/days_remaining-v2.wasm",
        std::str::from_utf8(bytes).unwrap(),
    );
    let digest = provender_domain::canonical::Digest::of_bytes(bytes).to_string();
    let doc: toml::Table = lock.parse().unwrap();
    let old = doc["component"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["version"].as_str() == Some("v2"))
        .unwrap()
        .clone();
    let text = lock
        .replace(old["sha256"].as_str().unwrap(), &digest)
        .replace(&format!("size = {}", old["size"]), "size = 8");
    ranch.write("provender.lock", &text);
    let message = ends(&ranch, &day("compute"), 14).stderr;
    assert!(
        message.contains("is a core WebAssembly module, not a component"),
        "{message}"
    );
}

#[test]
fn a_guardrail_that_refuses_is_16_and_the_run_is_not_an_answer() {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    ranch.edit(
        "provender.toml",
        "on_guardrail = \"mark\"",
        "on_guardrail = \"fail\"",
    );
    ranch.edit(
        "logic.toml",
        "[days_remaining.v2.parameters]",
        "[days_remaining.v2.parameters]\nmax_days_remaining = 100",
    );
    let refused = ranch.data(&day("compute"), 16);
    assert_eq!(refused["summary"]["failed"], 1);
    assert_eq!(refused["summary"]["recorded"], 8);
    assert_eq!(
        ranch.data(&["list"], 0)["answers"]
            .as_array()
            .unwrap()
            .len(),
        8
    );
    let status = ranch.data(&["status", "--as-of", "2025-06-30"], 2);
    assert_eq!(status["failed"], 1);
    // If it is only marked, the run is an answer with a warning.
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    ranch.edit(
        "logic.toml",
        "[days_remaining.v2.parameters]",
        "[days_remaining.v2.parameters]\nmax_days_remaining = 100",
    );
    let marked = ranch.data(&day("compute"), 0);
    let run = marked["runs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["guardrails"]["status"] == "failed")
        .unwrap()
        .clone();
    assert_eq!(run["key"]["herd_config_id"], "h-steers");
    assert_eq!(
        ranch.data(&["list"], 0)["answers"]
            .as_array()
            .unwrap()
            .len(),
        9
    );
}

#[test]
fn a_database_that_is_not_a_ledger_is_69() {
    let ranch = Ranch::sample();
    std::fs::create_dir_all(ranch.path("out")).unwrap();
    Connection::open(ranch.path("out/ledger.db"))
        .unwrap()
        .execute_batch("CREATE TABLE mine (x)")
        .unwrap();
    let message = ends(&ranch, &["list"], 69).stderr;
    assert!(message.contains("not a Provender ledger"), "{message}");
    ranch.write("out/ledger.db", "this is a text, long enough to be looked at as a database header at least, and then some more of it");
    let _ = ends(&ranch, &["list"], 69);
}

#[test]
fn a_file_in_place_of_a_folder_is_74() {
    let ranch = Ranch::fresh();
    ranch.write("out", "in the way");
    let message = ends(
        &ranch,
        &day("run")[..1]
            .iter()
            .copied()
            .chain(["--as-of", "2025-06-30"])
            .collect::<Vec<_>>(),
        74,
    )
    .stderr;
    insta::assert_snapshot!(message, @r"
    error: the manifest folder out/manifests could not be read: out is not a folder
     help: check the disk's free space and permissions, then run the command again: finished work is kept, the rest is retried
    ");
}

#[test]
fn a_wrong_configuration_is_78_with_file_and_key() {
    let ranch = Ranch::ran();
    ranch.edit(
        "logic.toml",
        "residual_kg_per_ha = 250.0",
        "residual_kg_per_hectare = 250.0",
    );
    let message = ends(&ranch, &day("compute"), 78).stderr;
    insta::assert_snapshot!(message, @"error: days_remaining:v2: parameter `residual_kg_per_hectare` (logic.toml): this component has no such parameter; it has min_days_remaining, max_days_remaining, default_utilization_pct, residual_kg_per_ha");
    ranch.edit(
        "logic.toml",
        "residual_kg_per_hectare = 250.0",
        "residual_kg_per_ha = -1.0",
    );
    let message = ends(&ranch, &day("compute"), 78).stderr;
    insta::assert_snapshot!(message, @"error: days_remaining:v2: parameter `residual_kg_per_ha` (logic.toml): -1 is below the smallest allowed value 0");
    ranch.write("provender.toml", "[ledger]\nurl = \"oracle:x\"\n");
    let message = ends(&ranch, &["list"], 78).stderr;
    assert!(
        message.contains("provender.toml: ledger.url = oracle:x: only sqlite:PATH is supported"),
        "{message}"
    );
}

#[test]
fn an_unknown_feature_is_14_with_the_nearest_name() {
    let ranch = Ranch::ran();
    ranch.edit(
        "sources.toml",
        "name = \"soil_moisture_pct\"",
        "name = \"soil_moisture_percent\"",
    );
    let message = ends(&ranch, &day("compute"), 14).stderr;
    assert!(
        message.contains("asks for the feature `soil_moisture_pct`")
            && message.contains("did you mean `soil_moisture_percent`?"),
        "{message}"
    );
}

#[test]
fn a_ledger_locked_by_another_process_is_75() {
    let ranch = Ranch::ran();
    ranch.edit("provender.toml", "[ledger]", "[ledger]\nbusy_seconds = 0");
    let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let message = ends(
        &ranch,
        &["ingest", "--forage", "story/forage_revised.csv"],
        75,
    )
    .stderr;
    assert!(message.contains("the ledger is busy"), "{message}");
    // Readers are not blocked.
    let _ = ends(&ranch, &["list"], 0);
    db.execute_batch("ROLLBACK").unwrap();
    let _ = ends(
        &ranch,
        &["ingest", "--forage", "story/forage_revised.csv"],
        0,
    );
}

#[test]
fn a_different_output_from_the_same_inputs_is_13() {
    let ranch = Ranch::ran();
    // Only somebody who drops the guards can change a record. A recheck finds it.
    let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
    db.execute_batch(
        "DROP TRIGGER run_no_update; UPDATE run SET outputs = replace(outputs, '87.', '88.')",
    )
    .unwrap();
    let _ = ends(&ranch, &day("compute"), 0);
    let recheck = ["compute", "--all", "--as-of", "2025-06-30", "--recheck"];
    let message = ends(&ranch, &recheck, 13).stderr;
    assert!(
        message.contains("the same component on the same inputs gave a different output"),
        "{message}"
    );
    // The manifest shows it too.
    let _ = ends(
        &ranch,
        &["explain", "--boundary", "north", "--as-of", "2025-06-30"],
        11,
    );
}

#[test]
fn a_run_is_found_by_its_whole_key() {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&[
            "compute",
            "--boundary",
            "north",
            "--as-of",
            "2025-06-30",
            "--logic",
            "days_remaining:v2",
            "--param",
            "residual_kg_per_ha=100",
        ])
        .exits(0);
    let all = ranch.data(
        &[
            "list",
            "--boundary",
            "north",
            "--logic",
            "days_remaining:v2",
            "--all-versions",
        ],
        0,
    );
    for answer in all["answers"].as_array().unwrap() {
        let key = |name: &str| answer["run"]["key"][name].as_str().unwrap().to_owned();
        let (h, c) = (key("herd_config_id"), key("config_version"));
        let args = [
            "explain",
            "--boundary",
            "north",
            "--herd",
            &h,
            "--as-of",
            "2025-06-30",
            "--logic",
            "days_remaining:v2",
            "--config",
            &c,
        ];
        assert_eq!(
            ranch.data(&args, 0)["run"]["run_id"],
            answer["run"]["run_id"]
        );
    }
    assert_eq!(all["answers"].as_array().unwrap().len(), 2);
}
