//! What a command reports about itself: its duration, its log, its defects, its manual.

use serde_json::Value as Json;

use crate::kit::{Ran, Ranch};

#[test]
fn the_envelope_gives_the_duration_of_the_command_and_its_phases() {
    let ranch = Ranch::sample();
    let run = ranch
        .run(&["run", "--as-of", "2025-06-30", "--json"])
        .exits(0);
    let data = run.json()["data"].clone();
    for name in ["duration_ms", "phases"] {
        assert!(data.get(name).is_none(), "{name} is in data");
    }
    let took = run.took.unwrap();
    let names: Vec<&str> = took.phases.keys().map(String::as_str).collect();
    assert_eq!(names, ["compute", "ingest", "monitor", "report", "status"]);
    assert!(took.phases.values().all(|ms| *ms > 0.0));
    assert!(took.phases.values().sum::<f64>() <= took.duration_ms);

    let phases = |args: &[&str], code| {
        let took = ranch.run(args).exits(code).took.unwrap();
        assert!(took.duration_ms > 0.0, "{args:?}");
        took.phases.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(phases(&["replay", "--all", "--json"], 0), ["replay"]);
    assert_eq!(phases(&["audit", "--json"], 0), ["audit"]);
    // Errors have an envelope too, including wrong usage.
    assert!(phases(&["compute", "--all", "--as-of", "never", "--json"], 64).is_empty());
    assert!(phases(&["grow", "--json"], 64).is_empty());
}

/// The lines of a log on stderr; asserts that each is a JSON object.
fn lines(stderr: &str) -> Vec<Json> {
    let parsed = stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")));
    parsed.collect()
}

fn logged(ranch: &Ranch, log: &str, args: &[&str]) -> Ran {
    let mut command = ranch.command();
    let output = command.args(args).env("PROVENDER_LOG", log).output();
    ranch.finish(output.unwrap())
}

const DAY: [&str; 3] = ["run", "--as-of", "2025-06-30"];

#[test]
fn the_json_log_of_a_day_has_the_documented_lines() {
    let ranch = Ranch::sample();
    let mut args = DAY.to_vec();
    args.extend(["--log-format", "json"]);
    let ran = ranch.run(&args).exits(0);
    let lines = lines(&ran.stderr);
    for line in &lines {
        for name in [
            "timestamp",
            "level",
            "target",
            "message",
            "command",
            "environment",
        ] {
            assert!(line[name].is_string(), "{name} is missing: {line}");
        }
        let at: jiff::Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
        // The time is that of the system's clock, not of the test's.
        assert!(at > "2026-01-01T00:00:00Z".parse().unwrap(), "{line}");
        assert_eq!(line["command"], "run");
        assert_eq!(line["as_of"], "2025-06-30");
    }
    let named = |target: &str, message: &str| -> Vec<&Json> {
        let is = |l: &&Json| l["target"] == target && l["message"] == message;
        lines.iter().filter(is).collect()
    };
    for phase in ["ingest", "compute", "monitor", "report", "status"] {
        let [line] = named("provender::phase", phase)[..] else {
            panic!("{phase} is not there once");
        };
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    }
    let files = named("provender::ingest", "take");
    let forage = files
        .iter()
        .find(|l| l["file"] == "inputs/forage_standing.csv");
    let forage = forage.unwrap();
    assert!(forage["rows"].as_u64().unwrap() > 0);
    assert_eq!(forage["rows"], forage["new"]);
    assert_eq!(forage["outcome"], "taken");
    assert!(forage["duration_ms"].is_number() && forage["entry"].is_u64());
    // `status` checks every due run again.
    let mut computed = named("provender::compute", "compute");
    computed.retain(|l| l["unchanged"] == 0);
    assert!(!computed.is_empty() && computed.iter().all(|l| l["runs"] == l["recorded"]));
    let batches = named("provender::ledger", "record_runs");
    assert_eq!(batches.len(), computed.len());
    let sum = |lines: &[&Json], field: &str| -> u64 {
        lines.iter().map(|l| l[field].as_u64().unwrap()).sum()
    };
    // One manifest for each recorded run.
    let written = named("provender::store", "write");
    assert_eq!(sum(&written, "objects"), sum(&batches, "new"));
    assert!(sum(&written, "bytes") > 1_000);
    for batch in batches {
        assert!(batch["batch"].as_u64().unwrap() > 0);
        assert_eq!(batch["new"], batch["runs"]);
        assert_eq!(batch["kind"], "runs");
    }
    let [judged] = named("provender::monitor", "judge")[..] else {
        panic!("the monitors judged more than once, or not at all");
    };
    assert_eq!(judged["verdict"], "ok");
    let last = lines.last().unwrap();
    assert_eq!(last["message"], "command");
    assert_eq!(last["exit_code"], 0);
}

#[test]
fn nothing_is_logged_unless_requested() {
    let ranch = Ranch::sample();
    let quiet = ranch.run(&DAY).exits(0);
    assert_eq!(quiet.stderr, "");
    let text = logged(&ranch, "info", &DAY).exits(0);
    let line = text
        .stderr
        .lines()
        .find(|l| l.contains("provender::ingest"));
    assert!(
        line.unwrap().contains(" INFO provender::ingest: take "),
        "{}",
        text.stderr
    );
    assert!(!text.stderr.contains("DEBUG"));
    // Stdout is the same with and without a log.
    assert_eq!(text.stdout, ranch.run(&DAY).exits(0).stdout);
    let some = logged(&ranch, "provender::ledger=debug", &DAY).exits(0);
    assert!(
        some.stderr.contains("DEBUG provender::ledger: read"),
        "{}",
        some.stderr
    );
    assert!(
        some.stderr
            .lines()
            .all(|l| l.contains(" provender::ledger: ")),
        "{}",
        some.stderr
    );
    assert_eq!(logged(&ranch, "off", &DAY).exits(0).stderr, "");
}

#[test]
fn an_invalid_request_for_a_log_is_wrong_usage() {
    let ranch = Ranch::sample();
    let ran = logged(&ranch, "provender::ledger=loud", &DAY).exits(64);
    assert!(
        ran.stderr.contains("`loud` is not a level"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("debug, trace"), "{}", ran.stderr);
    assert!(!ranch.path("out/ledger.db").exists());
    let format = ranch.run(&["list", "--log-format", "yaml"]).exits(64);
    assert!(format.stderr.contains("text, json"), "{}", format.stderr);
}

#[test]
fn errors_and_notes_are_lines_of_a_json_log() {
    let ranch = Ranch::ran();
    let args = ["explain", "abcdef123456", "--log-format=json"];
    let mut ran = lines(&ranch.run(&args).exits(66).stderr);
    let command = ran.pop().unwrap();
    assert_eq!(command["exit_code"], 66);
    let error = ran.iter().find(|l| l["level"] == "ERROR").unwrap();
    assert!(error["message"].is_string() && error["code"].is_string());
    // Wrong usage is detected before anything is set up.
    let usage = lines(
        &ranch
            .run(&["explain", "--log-format", "json", "--x"])
            .exits(64)
            .stderr,
    );
    assert_eq!(usage.len(), 1);
    assert_eq!(usage[0]["code"], "usage");
    // A note.
    let mut past = ranch;
    past.now = "2025-06-01T00:00:00Z".to_owned();
    let noted = past
        .run(&["ingest", "--log-format", "json"])
        .exits(0)
        .stderr;
    let warned = |l: &Json| l["level"] == "WARN" && l["target"] == "provender::cli";
    assert!(lines(&noted).iter().any(warned), "{noted}");
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_names_its_place_in_the_source() {
    let ranch = Ranch::empty();
    let panic = |how: &str, backtrace: &str, args: &[&str]| {
        let mut command = ranch.command();
        let command = command.args(args).env("PROVENDER_TEST_PANIC", how);
        let output = command.env("RUST_BACKTRACE", backtrace).output();
        ranch.finish(output.unwrap()).exits(70)
    };
    for how in ["1", "thread"] {
        let text = panic(how, "0", &["list"]);
        let said: Vec<&str> = text.stderr.lines().collect();
        assert_eq!(
            said[0],
            "error: this is a defect of provender: PROVENDER_TEST_PANIC is set"
        );
        assert!(
            said[1].starts_with("  at host/cli/src/main.rs:"),
            "{}",
            said[1]
        );
        assert!(
            said[2].starts_with(" help: please report it"),
            "{}",
            said[2]
        );
        assert_eq!(said.len(), 3, "{}", text.stderr);
        let json = panic(how, "1", &["list", "--json"]).json();
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains("  at host/cli/src/main.rs:"), "{message}");
        assert!(message.contains("provender::seams"), "{message}");
    }
}

#[test]
fn the_manual_page_of_every_verb_lists_its_options() {
    let ranch = Ranch::empty();
    let page = ranch.run(&["man"]).exits(0).stdout;
    assert!(
        page.starts_with(".ie") && page.contains(".TH provender 1"),
        "{page}"
    );
    let data = ranch.data(&["man", "--out", "pages/man1"], 0);
    let names: Vec<&str> = data["pages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_str().unwrap())
        .collect();
    assert_eq!(names.len(), ranch.files("pages/man1").len());
    // The reference has a section for each verb, from the same definition.
    let reference = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md"),
    )
    .unwrap();
    let mut verbs = 0;
    for section in reference.split("\n## `").skip(1) {
        let verb = section.split('`').next().unwrap();
        let file = format!("pages/man1/provender-{}.1", verb.replace(' ', "-"));
        let page = ranch.read(&file).replace("\\-", "-");
        for row in section.lines().filter(|l| l.starts_with("| `-")) {
            let spelled = row.split('`').nth(1).unwrap();
            let option = spelled
                .split([' ', ','])
                .find(|w| w.starts_with("--"))
                .unwrap();
            assert!(page.contains(option), "{file} lacks {option}");
        }
        assert!(
            page.contains("--log-format"),
            "{file} lacks the options of every verb"
        );
        verbs += 1;
    }
    assert_eq!(verbs + 1, names.len());
    ranch.write("taken", "a file");
    let refused = ranch.run(&["man", "--out", "taken"]).exits(74);
    assert!(refused.stderr.contains("taken"), "{}", refused.stderr);
}
