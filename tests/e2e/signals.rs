//! SIGTERM and SIGINT: a command ends between two batches, says what it did, and can be run again.
//!
//! The command waits at a hold point while it gets the signal on the thread that handles signals. So it has
//! the signal before it continues, however slow the machine is.

use crate::backup::HeldCommand;
use crate::crash_kit::{DeploymentContent, copy_of, database, ingested};
use crate::kit::{Ran, Ranch};

/// Interrupts a command at a hold point. The error says so, and the audit finds no fault.
fn interrupted(ranch: &Ranch, (place, signal): (&str, &str), args: &[&str]) -> Ran {
    let mut args = args.to_vec();
    args.push("--json");
    let waiting = HeldCommand::at(ranch, place, &args);
    waiting.signal(signal);
    let ran = waiting.go_on(ranch).exits(75);
    let json = ran.json();
    assert_eq!(json["error"]["code"], "interrupted", "{json}");
    let message = json["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("interrupted"), "{message}");
    let help = json["error"]["help"].as_str().unwrap();
    assert!(help.starts_with("run the command again"), "{help}");
    let _ = ranch.run(&["audit"]).exits(0);
    ran
}

fn rows(ranch: &Ranch, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let rows: i64 = database(ranch).query_row(&sql, [], |r| r.get(0)).unwrap();
    rows.unsigned_abs()
}

#[test]
fn an_interrupted_range_keeps_the_batches_that_were_computed() {
    let ranch = ingested();
    let undisturbed = copy_of(&ranch);
    // The first logic has so many runs that they are computed by columns, and recorded by a separate thread.
    let logics = ["--logic", "frost_days:v1", "--logic", "days_remaining:v2"];
    let range = ["--from", "2024-07-01", "--to", "2025-06-30"];
    let args = [&["compute", "--all"], &range[..], &logics].concat();
    let whole = undisturbed.data(&args, 0)["summary"].clone();
    let place = ("compute.after-batch", "TERM");
    let done = interrupted(&ranch, place, &args).json()["data"]["summary"].clone();
    let recorded = done["recorded"].as_u64().unwrap();
    assert!(recorded > 0 && recorded < whole["recorded"].as_u64().unwrap());
    assert_eq!(rows(&ranch, "run"), recorded);
    let again = ranch.data(&args, 0)["summary"].clone();
    assert_eq!(again["unchanged"], recorded);
    assert_eq!(
        again["recorded"].as_u64().unwrap() + recorded,
        whole["recorded"].as_u64().unwrap()
    );
    DeploymentContent::of(&ranch).must_equal(
        &DeploymentContent::of(&undisturbed),
        "interrupted and run again",
    );
}

#[test]
fn an_interrupted_ingest_keeps_the_files_that_were_ingested() {
    let ranch = Ranch::sample();
    let undisturbed = copy_of(&ranch);
    let _ = undisturbed.run(&["ingest"]).exits(0);
    let data =
        interrupted(&ranch, ("ingest.after-file", "INT"), &["ingest"]).json()["data"].clone();
    assert_eq!(data["files"].as_array().unwrap().len(), 1, "{data}");
    assert_eq!(data["files"][0]["outcome"], "taken");
    assert_eq!(rows(&ranch, "file"), 1);
    let _ = ranch.run(&["ingest"]).exits(0);
    DeploymentContent::of(&ranch).must_equal(
        &DeploymentContent::of(&undisturbed),
        "interrupted and run again",
    );
}

#[test]
fn an_interrupted_day_says_how_far_it_got() {
    let ranch = Ranch::sample();
    let undisturbed = copy_of(&ranch);
    let args = ["run", "--as-of", "2025-06-30"];
    let _ = undisturbed.run(&args).exits(0);
    let data = interrupted(&ranch, ("compute.after-chunk", "TERM"), &args).json()["data"].clone();
    assert_eq!(data["as_of"], "2025-06-30");
    assert!(data["files"].as_array().unwrap().len() > 10, "{data}");
    assert_eq!(
        data["summary"]["recorded"].as_u64(),
        Some(rows(&ranch, "run"))
    );
    assert!(!ranch.path("out/reports").exists());
    let _ = ranch.run(&args).exits(0);
    DeploymentContent::of(&ranch).must_equal(
        &DeploymentContent::of(&undisturbed),
        "interrupted and run again",
    );
}

#[test]
fn an_interrupted_replay_audit_or_backup_records_nothing_and_can_be_repeated() {
    let ranch = Ranch::ran();
    let entries = rows(&ranch, "entry");
    let place = ("replay.before-chunks", "INT");
    let data = interrupted(&ranch, place, &["replay", "--all"]).json()["data"].clone();
    assert_eq!(data["replayed"], 0);
    assert_eq!(rows(&ranch, "entry"), entries);
    assert_eq!(ranch.data(&["replay", "--all"], 0)["identical"], 9);
    let _ = interrupted(&ranch, ("audit.before-runs", "TERM"), &["audit"]);
    let place = ("backup.before-manifests", "TERM");
    let _ = interrupted(&ranch, place, &["backup", "copy"]);
    assert!(!ranch.path("copy").exists());
    let _ = ranch.run(&["backup", "copy"]).exits(0);
    let _ = ranch.run(&["audit", "--ledger", "copy/ledger.db"]).exits(0);
}

#[test]
fn a_second_signal_ends_a_command_immediately() {
    let ranch = Ranch::sample();
    let waiting = HeldCommand::at(&ranch, "ingest.after-file", &["ingest"]);
    // Of two equal signals, the system may keep only one.
    waiting.signal("TERM");
    waiting.signal("INT");
    // It still waits, and is then ended by the signal, so it has no exit code.
    let _ = waiting.ended(&ranch).exits(-1);
    let _ = ranch.run(&["audit"]).exits(0);
    let _ = ranch.run(&["ingest"]).exits(0);
}
