//! Canaries: a candidate beside the active release, compared day by day, whose runs are never the answer.

use std::process::Stdio;

use provender_ledger::entry::Kind;
use provender_ledger::{Address, open_reader};
use serde_json::{Value as Json, json};

use crate::kit::Ranch;
use crate::prepared::prepared;

pub(crate) const DAY: &str = "2025-06-30";

/// R1 is active with v1 and frost days and has runs from 17 June on. R2 has v2 instead of v1.
pub(crate) fn two() -> Ranch {
    prepared("two", make_two)
}

fn make_two() -> Ranch {
    let ranch = Ranch::sample();
    ranch.edit(
        "provender.toml",
        "active = [\"days_remaining:v2\", \"frost_days:v1\"]",
        "active = [\"days_remaining:v1\", \"frost_days:v1\"]",
    );
    ranch.write("logic.toml", "");
    let _ = ranch.run(&["ingest"]).exits(0);
    cut(&ranch, "days_remaining:v1");
    promote(&ranch, "R1", 0);
    compute(&ranch, "2025-06-17", DAY, 0);
    cut(&ranch, "days_remaining:v2");
    ranch
}

pub(crate) fn cut(ranch: &Ranch, logic: &str) {
    let args = ["release", "cut", "--active", logic, "--active"];
    let rest = ["frost_days:v1", "--reason", "for the test"];
    let _ = ranch.data(&[&args[..], &rest[..]].concat(), 0);
}

pub(crate) fn promote(ranch: &Ranch, release: &str, code: i32) {
    let args = ["release", "promote", release, "--reason", "it is time"];
    let _ = ranch.run(&args).exits(code);
}

pub(crate) fn compute(ranch: &Ranch, from: &str, to: &str, code: i32) -> Json {
    let data = ranch.data(&["compute", "--all", "--from", from, "--to", to], code);
    data["summary"].clone()
}

pub(crate) fn canary(ranch: &Ranch, more: &[&str], code: i32) -> Json {
    let args = ["release", "canary", "R2", "--as-of", DAY];
    ranch.data(&[&args[..], more].concat(), code)
}

pub(crate) fn stop(ranch: &Ranch) -> Json {
    ranch.data(&["release", "canary", "stop", "--reason", "seen enough"], 0)
}

pub(crate) fn figure<'o>(observed: &'o Json, name: &str) -> &'o Json {
    let figures = observed["figures"].as_array().unwrap();
    figures.iter().find(|f| f["name"] == name).unwrap()
}

/// Digests change with the bytes of the components.
fn without_digests(text: &str) -> String {
    let is_digest = |word: &&str| word.len() >= 12 && word.chars().all(|c| c.is_ascii_hexdigit());
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let digests: Vec<&str> = words.filter(is_digest).collect();
    digests
        .iter()
        .fold(text.to_owned(), |text, digest| text.replace(digest, "HEX"))
}

pub(crate) fn status(ranch: &Ranch) -> Json {
    ranch.data(&["release", "status"], 0)["canary"].clone()
}

#[test]
fn a_canary_backfills_continues_daily_and_its_runs_answer_once_promoted() {
    let ranch = two();
    let first = ranch.answer("north", "h-heifers");
    let started = canary(&ranch, &["--window-days", "14", "--reason", "look"], 0);
    assert_eq!(started["new"], true);
    assert_eq!(started["backfill"]["summary"]["recorded"], 70);
    let observed = &started["observed"];
    assert_eq!(
        (&observed["rows"], &observed["days"]),
        (&json!(70), &json!(14))
    );
    assert_eq!(observed["unchanged"], json!(["frost_days:v1"]));
    assert_eq!(figure(observed, "share_changed")["value"], 1.0);
    assert_eq!(figure(observed, "candidate_missing")["status"], "ok");
    assert_eq!(observed["by_day"][0]["status"], "unknown");

    // The batch names the release that recorded it, although nothing has activated that release.
    let ledger = open_reader(&Address::from_path(&ranch.path("out/ledger.db"))).unwrap();
    let batch = ledger.entries(Some(Kind::Runs)).unwrap().pop().unwrap();
    let batch: Json = serde_json::from_str(&batch.payload).unwrap();
    assert_eq!(batch["origin"], "canary");
    assert_eq!(batch["release"], started["release"]);
    assert!((ranch.answer("north", "h-heifers") - first).abs() < f64::EPSILON);
    let explained = ranch.data(&["explain", "--boundary", "north", "--as-of", DAY], 0);
    assert_eq!(
        explained["run"]["key"]["model_version"],
        "days_remaining:v1"
    );
    let day = ranch.data(&["status", "--as-of", DAY], 0);
    assert_eq!(
        (&day["expected"], &day["complete"]),
        (&json!(9), &json!(true))
    );

    // A release whose canary is running needs its files.
    let plan = ranch.data(&["release", "prune", "--keep", "0"], 0);
    assert_eq!(plan["releases"], json!([]));
    assert_eq!(plan["kept"][0]["why"], "its canary is running");

    // If it is requested by its id, the run is shown as one in shadow.
    let shadow = ranch.data(
        &[
            "list",
            "--all-versions",
            "--as-of",
            DAY,
            "--logic",
            "days_remaining:v2",
        ],
        0,
    );
    let id = shadow["answers"][0]["run"]["run_id"].as_str().unwrap();
    let output = ranch.run(&["explain", id]).exits(0);
    assert!(
        output.stdout.contains("shadow run of a canary of R2"),
        "{}",
        output.stdout
    );

    let ran = ranch.data(&["run", "--as-of", "2025-07-01"], 2);
    assert_eq!(ran["summary"]["recorded"], 9);
    assert_eq!(ran["canary"]["summary"]["recorded"], 5);
    assert_eq!(ran["canary"]["observed"]["rows"], 75);
    let page = ran["report"].as_str().unwrap().replace("RANCH/", "");
    assert!(ranch.read(&page).contains("Canary of R2"));
    assert!(
        ranch
            .read(&page.replace(".html", ".md"))
            .contains("## Canary of R2")
    );
    let ran = ranch.run(&["run", "--as-of", "2025-07-01"]).exits(2);
    assert!(
        ran.stdout
            .contains("5 runs in shadow: 0 recorded, 5 unchanged"),
        "{}",
        ran.stdout
    );

    let output = ranch.run(&["release", "status"]).exits(0);
    insta::assert_snapshot!(
        "release_status_with_a_canary",
        without_digests(&output.stdout)
    );

    // Once the release is promoted, its recorded runs are the answers; nothing is computed again.
    promote(&ranch, "R2", 0);
    assert_eq!(status(&ranch), Json::Null);
    let summary = compute(&ranch, "2025-06-17", "2025-07-01", 0);
    assert_eq!(
        (&summary["recorded"], &summary["unchanged"]),
        (&json!(0), &json!(135))
    );
    assert!((ranch.answer("north", "h-heifers") - first).abs() > 0.1);
    // The canary's result stays as recorded.
    let none = ranch
        .run(&["release", "canary", "stop", "--reason", "x"])
        .exits(12);
    assert!(
        none.stderr.contains("no canary is running"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_share_takes_the_same_boundaries_daily_and_continues_after_an_interruption() {
    let ranch = two();
    // Of the sample's boundaries only creek lies below 50 percent; it has two herds.
    let started = canary(&ranch, &["--window-days", "5", "--share", "50"], 0);
    assert_eq!(started["backfill"]["summary"]["recorded"], 10);
    let places: Vec<_> = ranch.data(
        &[
            "list",
            "--all-versions",
            "--from",
            "2025-06-17",
            "--to",
            DAY,
            "--logic",
            "days_remaining:v2",
        ],
        0,
    )["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["run"]["key"]["boundary_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(places.iter().all(|b| b == "creek"), "{places:?}");
    // Ten rows are too few for a verdict.
    assert_eq!(started["observed"]["status"], "unknown");
    for name in ["candidate_missing", "median_change", "psi"] {
        assert_eq!(figure(&started["observed"], name)["status"], "unknown");
    }
    let again = canary(&ranch, &[], 0);
    assert_eq!(
        (&again["new"], &again["share"]),
        (&json!(false), &json!(50))
    );
    assert_eq!(again["backfill"]["summary"]["unchanged"], 10);
    assert_eq!(again["entry"], started["entry"]);
    let _ = canary(&ranch, &["--share", "60"], 12);

    // A larger share contains the smaller one.
    assert_eq!(stop(&ranch)["observed"]["rows"], 10);
    let wider = canary(&ranch, &["--window-days", "5", "--share", "60"], 0);
    let filled = &wider["backfill"]["summary"];
    assert_eq!(
        (&filled["unchanged"], &filled["recorded"]),
        (&json!(10), &json!(5))
    );
}

#[test]
fn a_canary_that_makes_no_sense_is_refused_with_the_next_step() {
    let ranch = two();
    cut(&ranch, "days_remaining:v1");
    let mut texts = String::new();
    let mut refuse = |ranch: &Ranch, args: &[&str], code: i32| {
        let ran = ranch
            .run(&[&["release", "canary"], args].concat())
            .exits(code);
        texts.push_str(&format!(
            "$ release canary {}\n{}\n",
            args.join(" "),
            ran.stderr
        ));
    };
    refuse(&ranch, &["R9"], 66);
    refuse(&ranch, &["R1"], 12);
    refuse(&ranch, &["stop", "--reason", "x"], 12);
    refuse(&ranch, &["stop"], 64);
    refuse(&ranch, &[], 64);
    refuse(&ranch, &["R2", "--share", "0"], 64);
    let _ = canary(&ranch, &[], 0);
    ranch.write(
        "logic.toml",
        "[days_remaining.v2.parameters]\nresidual_kg_per_ha = 400\n",
    );
    cut(&ranch, "days_remaining:v2");
    refuse(&ranch, &["R3"], 12);
    let _ = stop(&ranch);
    std::fs::remove_dir_all(ranch.path("out/releases/components")).unwrap();
    refuse(&ranch, &["R3"], 11);
    let fresh = Ranch::sample();
    let _ = fresh.data(&["release", "cut", "--reason", "one"], 0);
    refuse(&fresh, &["R1"], 12);
    insta::assert_snapshot!("canaries_refused", without_digests(&texts));
}

#[test]
fn rows_that_only_one_side_has_are_counted_and_named() {
    let ranch = two();
    // The active release never computed these two days.
    let started = ranch.data(
        &[
            "release",
            "canary",
            "R2",
            "--window-days",
            "16",
            "--as-of",
            DAY,
        ],
        0,
    );
    let unpaired = &started["observed"]["unpaired"];
    assert_eq!(unpaired["candidate_only"], 10);
    let note = started["observed"]["notes"].to_string();
    assert!(
        note.contains("provender compute --all --from 2025-06-15"),
        "{note}"
    );
    // The active release alone computes one day.
    let _ = compute(&ranch, "2025-07-01", "2025-07-01", 0);
    let seen = status(&ranch)["observed"].clone();
    assert_eq!(seen["unpaired"]["active_only"], 5);
    let missing = figure(&seen, "candidate_missing");
    assert_eq!(
        (&missing["rows"], &missing["status"]),
        (&json!(75), &json!("crit"))
    );
    let _ = ranch.data(&["release", "canary", "R2", "--as-of", "2025-07-01"], 0);
    let seen = status(&ranch)["observed"].clone();
    assert_eq!(figure(&seen, "candidate_missing")["status"], "ok");
}

#[test]
fn a_canary_continues_beside_another_release_and_ends_when_its_own_is_active() {
    let ranch = two();
    let _ = canary(&ranch, &[], 0);
    ranch.write(
        "logic.toml",
        "[days_remaining.v2.parameters]\nresidual_kg_per_ha = 400\n",
    );
    cut(&ranch, "days_remaining:v2");
    promote(&ranch, "R3", 0);
    let seen = status(&ranch);
    assert_eq!(seen["observed"]["against_number"], 3);
    assert_eq!(seen["observed"]["status"], "unknown");
    let note = seen["observed"]["notes"].to_string();
    assert!(note.contains("R3 became active at"), "{note}");
    let _ = compute(&ranch, "2025-06-17", DAY, 0);
    assert_eq!(status(&ranch)["observed"]["rows"], 70);
    let plan = ranch.data(&["release", "prune", "--keep", "0"], 0);
    let kept = plan["kept"].to_string();
    assert!(kept.contains("its canary is running"), "{kept}");
    promote(&ranch, "R2", 0);
    assert_eq!(status(&ranch), Json::Null);
}

#[test]
fn a_canary_that_cannot_run_is_reported_and_fails_nothing() {
    let ranch = two();
    let _ = canary(&ranch, &[], 0);
    let before = ranch.data(&["run", "--as-of", "2025-07-01"], 2);
    assert_eq!(before["canary"]["error"], Json::Null);
    let digest = ranch.data(&["plugin", "show", "days_remaining:v2"], 0)["sha256"].clone();
    let file = format!(
        "out/releases/components/{}.wasm",
        digest.as_str().unwrap().replace("sha256:", "")
    );
    std::fs::remove_file(ranch.path(&file)).unwrap();
    let ran = ranch.data(&["run", "--as-of", "2025-07-02"], 2);
    assert_eq!(ran["summary"]["recorded"], 9);
    assert_eq!(ran["canary"]["error"]["code"], "release_io");
    let output = ranch.run(&["run", "--as-of", "2025-07-02"]).exits(2);
    assert!(
        output.stdout.contains("the answers above are not affected"),
        "{}",
        output.stdout
    );
    let output = ranch.run(&["release", "status"]).exits(0);
    assert!(
        output.stdout.contains("cannot be evaluated"),
        "{}",
        output.stdout
    );
    // It can be stopped anyway.
    assert_eq!(stop(&ranch)["observed"], Json::Null);
}

#[test]
fn of_two_commands_that_start_a_canary_exactly_one_does() {
    let ranch = two();
    ranch.write(
        "logic.toml",
        "[days_remaining.v2.parameters]\nresidual_kg_per_ha = 400\n",
    );
    cut(&ranch, "days_remaining:v2");
    let both: Vec<_> = ["R2", "R3"]
        .iter()
        .map(|r| {
            let mut command = ranch.command();
            command
                .args(["release", "canary", r, "--as-of", DAY, "--window-days", "2"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut codes: Vec<_> = both
        .into_iter()
        .map(|child| ranch.finish(child.wait_with_output().unwrap()).code)
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 12]);
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_leaves_a_running_canary_or_none_and_the_same_command_continues() {
    let starts = [
        "canary.before-ledger",
        "ledger.before-commit",
        "canary.after-ledger",
        "canary.after-chunk",
    ];
    for name in starts {
        let ranch = two();
        let args = ["release", "canary", "R2", "--as-of", DAY];
        ranch.killed_at(name, &args);
        let runs = name.starts_with("canary.after");
        assert_eq!(!status(&ranch).is_null(), runs, "{name}");
        let done = canary(&ranch, &[], 0);
        assert_eq!(done["new"], !runs, "{name}");
        assert_eq!(done["observed"]["rows"], 70, "{name}");
    }
    for name in ["canary-stop.before-ledger", "canary-stop.after-ledger"] {
        let ranch = two();
        let _ = canary(&ranch, &["--window-days", "1"], 0);
        let args = ["release", "canary", "stop", "--reason", "x"];
        ranch.killed_at(name, &args);
        let stopped = name.ends_with("after-ledger");
        assert_eq!(status(&ranch).is_null(), stopped, "{name}");
        let _ = ranch.run(&args).exits(if stopped { 12 } else { 0 });
    }
}
