//! Two processes on one deployment at once, and kills of the verbs that write one entry alone: exactly one
//! order of events comes of it, and it is told.

use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::kit::{Ran, Ranch};
use crate::release::{active, copy, promote, seen, set, three};

/// Runs two commands at the same time.
fn at_once(ranch: &Ranch, commands: [&[&str]; 2]) -> [Ran; 2] {
    let start = |args: &[&str]| {
        let mut command = ranch.command();
        let command = command.args(args).arg("--json");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let started = commands.map(start);
    started.map(|child| ranch.finish(child.wait_with_output().unwrap()))
}

/// The kind and number of every change of what is active, oldest first.
fn changes(ranch: &Ranch) -> Vec<(String, Json)> {
    let data = ranch.data(&["release", "history"], 0);
    let all = data["changes"].as_array().unwrap();
    all.iter()
        .map(|c| (c["kind"].as_str().unwrap().to_owned(), c["number"].clone()))
        .collect()
}

#[test]
fn a_promotion_and_a_rollback_at_once_are_one_after_the_other() {
    for round in 0..4 {
        let ranch = three();
        promote(&ranch, "R2", "R1");
        let [promoted, back] = at_once(
            &ranch,
            [
                &[
                    "release", "promote", "R3", "--expect", "R2", "--reason", "now",
                ],
                &["release", "rollback", "--to", "R1", "--reason", "back"],
            ],
        );
        // The rollback asks nobody; the promotion holds if nothing came before it.
        let _ = back.exits(0);
        let last = changes(&ranch).split_off(2);
        let roll = ("rollback".to_owned(), json!(1));
        match promoted.code {
            0 => assert_eq!(
                last,
                [("promotion".to_owned(), json!(3)), roll],
                "{round}: {}",
                promoted.stdout
            ),
            code => {
                assert_eq!((code, last), (12, vec![roll]), "{}", promoted.stdout);
            }
        }
        assert_eq!(active(&ranch), 1);
    }
}

#[test]
fn two_cuts_at_once_get_two_numbers_or_are_one_release() {
    let ranch = three();
    set(&ranch, "55.0");
    let args = [
        "release",
        "cut",
        "--active",
        "days_remaining:v2",
        "--reason",
        "the same",
    ];
    let same = at_once(&ranch, [&args, &args]);
    let numbers = same.map(|ran| ran.exits(0).json()["data"]["number"].clone());
    assert_eq!(numbers, [json!(4), json!(4)]);

    let other = [
        "release",
        "cut",
        "--active",
        "days_remaining:v1",
        "--reason",
        "the first again",
    ];
    set(&ranch, "56.0");
    let ran = at_once(&ranch, [&args, &other]);
    let mut numbers: Vec<_> = ran
        .map(|ran| ran.exits(0).json()["data"]["number"].as_u64().unwrap())
        .to_vec();
    numbers.sort_unstable();
    assert_eq!(numbers, [5, 6]);
    let listed = ranch.data(&["release", "list"], 0);
    assert_eq!(listed["releases"].as_array().unwrap().len(), 6);
}

#[test]
fn a_freeze_beside_a_promotion_holds_every_later_one() {
    for _ in 0..4 {
        let ranch = three();
        let [promoted, frozen] = at_once(
            &ranch,
            [
                &[
                    "release", "promote", "R2", "--expect", "R1", "--reason", "now",
                ],
                &["release", "freeze", "--reason", "look first"],
            ],
        );
        let _ = frozen.exits(0);
        assert!([0, 12].contains(&promoted.code), "{}", promoted.stdout);
        let number = if promoted.code == 0 { 2 } else { 1 };
        assert_eq!(active(&ranch), number);
        let _ = ranch
            .run(&["release", "promote", "R3", "--reason", "after"])
            .exits(12);
        assert_eq!(active(&ranch), number);
    }
}

#[test]
fn two_imports_at_once_take_the_release_in_once() {
    let from = three();
    let _ = from.run(&["release", "export", "R2", "R2.tar"]).exits(0);
    let to = Ranch::sample();
    std::fs::copy(from.path("R2.tar"), to.path("R2.tar")).unwrap();
    let args = ["release", "import", "R2.tar"];
    let both = at_once(&to, [&args, &args]);
    let mut new: Vec<_> = both
        .map(|ran| ran.exits(0).json()["data"]["new"].as_bool().unwrap())
        .to_vec();
    new.sort_unstable();
    assert_eq!(new, [false, true]);
    promote(&to, "R2", "none");
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_of_freeze_unfreeze_and_approve_leaves_the_old_state() {
    let prepared = three();
    let verbs: [&[&str]; 3] = [
        &["release", "freeze", "--reason", "x"],
        &["release", "approve", "R2", "--as", "ds", "--reason", "x"],
        &["release", "unfreeze", "--reason", "x"],
    ];
    for (n, args) in verbs.iter().enumerate() {
        let ranch = Ranch::empty();
        copy(&prepared.dir(), &ranch.dir());
        if n == 2 {
            let _ = ranch.run(verbs[0]).exits(0);
        }
        let state = || {
            let shown = ranch.data(&["release", "show", "R2"], 0);
            let status = ranch.data(&["release", "status"], 0);
            json!([seen(&ranch), status, shown])
        };
        let old = state();
        let output = ranch
            .command()
            .args(*args)
            .env("PROVENDER_FAIL_AT", "ledger.before-commit")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), None, "{args:?} was not killed");
        assert_eq!(state(), old, "{args:?}");
        let _ = ranch.run(args).exits(0);
        assert_ne!(state(), old, "{args:?}");
    }
}
