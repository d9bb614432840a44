//! What `backtest` refuses, what does not pass, and that it never writes anything.

use crate::backtest_kit::{DAYS, divide_by, outcome, patched, recorded, with_days};
use crate::kit::Ranch;

#[test]
fn rows_on_which_the_candidate_fails_are_reported_and_end_with_17() {
    let ranch = recorded();
    // The word for the home field's basis is no longer UTF-8, so that only its rows fail.
    patched(
        &ranch,
        "some.wasm",
        b"increments since season startstanding",
        b"\xffncrements since season startstanding",
    );
    let ran = ranch.run(&["backtest", "some.wasm", "--json"]).exits(17);
    let json = ran.json();
    let data = &json["data"];
    assert_eq!(data["failed_rows"], 11);
    assert_eq!(data["compared"], 44);
    assert_eq!(outcome(data, DAYS)["changed"], 0);
    assert_eq!(data["failed"].as_array().unwrap().len(), 10);
    assert_eq!(data["failed"][0]["boundary_id"], "home");
    assert_eq!(data["failed"][0]["calculation_date"], "2025-06-20");
    // There are fewer answers than expected, and the monitor reports it.
    let coverage = data["monitors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["rule"] == "coverage" && m["scope"] == "fleet")
        .unwrap();
    assert_eq!(coverage["before"]["value"], 1.0);
    assert_eq!(coverage["after"]["value"], 0.8);
    assert_eq!(json["error"]["code"], "candidate_failed");

    // A trap in every row.
    let mut trap = divide_by(100.0);
    trap.pop();
    trap.push(0x00);
    patched(&ranch, "all.wasm", &divide_by(100.0), &trap);
    let ran = ranch
        .run(&["backtest", "all.wasm", "--boundary", "mesa"])
        .exits(17);
    assert!(ran.stdout.contains("The candidate fails"), "{}", ran.stdout);
    let first: Vec<&str> = ran.stderr.lines().take(2).collect();
    insta::assert_snapshot!(first.join("\n"), @r#"
    error: days_remaining:v2 failed on 11 of 11 rows
      mesa / h-sheep / 2025-06-20: it trapped: wasm trap: wasm `unreachable` instruction executed (trap)
    "#);
}

#[test]
fn a_backtest_without_recorded_runs_is_66_and_never_a_pass() {
    let empty = Ranch::sample();
    let ran = empty.run(&["backtest", "days_remaining:v1"]).exits(66);
    insta::assert_snapshot!(ran.stderr, @r#"
    error: days_remaining has no recorded answer in this deployment, which has no ledger yet: nothing was compared, so this is not a pass
     help: `provender list --logic days_remaining` shows what is recorded, `provender compute --all --from … --to …` records a range
    "#);
    assert!(!empty.path("out/ledger.db").exists());

    let ranch = recorded();
    for args in [
        &["--to", "2025-06-19"][..],
        &["--from", "2025-07-01"],
        &["--boundary", "nowhere"],
        &["--herd", "h-none"],
    ] {
        let mut all = vec!["backtest", "days_remaining:v1"];
        all.extend(args);
        let _ = ranch.run(&all).exits(66);
    }
    let ran = ranch
        .run(&[
            "backtest",
            "days_remaining:v1",
            "--boundary",
            "mesa",
            "--from",
            "2025-07-01",
            "--to",
            "2025-07-31",
        ])
        .exits(66);
    insta::assert_snapshot!(ran.stderr, @r#"
    error: days_remaining has no recorded answer in mesa from 2025-07-01 up to 2025-07-31: nothing was compared, so this is not a pass
     help: `provender list --logic days_remaining` shows what is recorded, `provender compute --all --from … --to …` records a range
    "#);
    // A run of a version that was never active cannot be compared with either.
    let other = Ranch::sample();
    let _ = other.run(&["ingest"]).exits(0);
    let _ = other
        .run(&with_days(&[
            "compute",
            "--all",
            "--logic",
            "days_remaining:v1",
        ]))
        .exits(0);
    let _ = other.run(&["backtest", "days_remaining:v2"]).exits(66);
}

#[test]
fn an_impossible_backtest_is_refused() {
    let ranch = recorded();
    for (args, code) in [
        (&["backtest", "days_remaining:v9"][..], 66),
        (&["backtest", "nothing.wasm"], 66),
        (&["backtest", "provender.toml"], 64),
        (
            &[
                "backtest",
                "days_remaining:v1",
                "--against",
                "frost_days:v7",
            ],
            66,
        ),
        (
            &[
                "backtest",
                "days_remaining:v1",
                "--from",
                "2025-06-30",
                "--to",
                "2025-06-01",
            ],
            64,
        ),
        (&["backtest", "days_remaining:v1", "--param", "x=1"], 64),
        (&["backtest", "days_remaining:v1", "--window-days", "0"], 64),
    ] {
        let _ = ranch.run(args).exits(code);
    }
    ranch.write("junk.wasm", "junk");
    let _ = ranch.run(&["backtest", "junk.wasm"]).exits(14);
    ranch.edit(
        "provender.toml",
        "[\"days_remaining:v2\", \"frost_days:v1\"]",
        "[\"frost_days:v1\"]",
    );
    let ran = ranch.run(&["backtest", "days_remaining:v1"]).exits(64);
    insta::assert_snapshot!(ran.stderr, @r#"
    error: no version of days_remaining is active; the active versions are: frost_days:v1
     help: name what to compare with: --against NAME:VERSION
    "#);
}

#[test]
fn a_backtest_writes_nothing() {
    let ranch = recorded();
    // Compiled code may be kept; nothing else.
    let _ = ranch.run(&["backtest", "days_remaining:v1"]).exits(0);
    let before = ranch.files(".");
    let _ = ranch.run(&["backtest", "days_remaining:v1"]).exits(0);
    let _ = ranch
        .run(&[
            "backtest",
            "days_remaining:v1",
            "--json",
            "--boundary",
            "mesa",
        ])
        .exits(0);
    assert_eq!(ranch.files("."), before);
}
