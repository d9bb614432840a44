//! Two processes on one deployment at once, and kills of the verbs that change it: the result is exactly one
//! order of events, and it is reported.

use std::process::Stdio;

use provender_domain::failpoint;
use serde_json::{Value as Json, json};

use crate::crash_kit::copy_of;
use crate::kit::{Ran, Ranch};
use crate::release::{active, promote, set, three};

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
fn a_promotion_and_a_rollback_at_once_happen_one_after_the_other() {
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
        // A rollback has no condition; the promotion succeeds if nothing came before it.
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
fn two_cuts_at_once_get_two_numbers_or_make_one_release() {
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
fn a_freeze_during_a_promotion_stops_every_later_one() {
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
fn two_imports_at_once_import_the_release_once() {
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
        let ranch = copy_of(&prepared);
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

#[test]
fn of_two_processes_that_promote_at_once_exactly_one_succeeds() {
    let ranch = three();
    let mut current = "R1".to_owned();
    for round in 0..8 {
        let start = |release: &str| {
            let mut command = ranch.command();
            let args = [
                "release", "promote", release, "--expect", &current, "--reason", "now",
            ];
            let command = command.args(args).args(["--json"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let rivals = match current.as_str() {
            "R1" => ["R2", "R3"],
            "R2" => ["R1", "R3"],
            _ => ["R1", "R2"],
        };
        let started = rivals.map(start);
        let ended = started.map(|child| ranch.finish(child.wait_with_output().unwrap()));
        let mut codes = [ended[0].code, ended[1].code];
        let winner = rivals[usize::from(codes[0] != 0)];
        codes.sort_unstable();
        assert_eq!(
            codes,
            [0, 12],
            "{round}: {} {}",
            ended[0].stdout,
            ended[1].stdout
        );
        let data = ranch.data(&["release", "history"], 0);
        assert_eq!(data["changes"].as_array().unwrap().len(), 2 + round);
        assert_eq!(active(&ranch), winner[1..].parse::<u32>().unwrap());
        current = winner.to_owned();
    }
}

/// Everything that is visible about releases.
pub(crate) fn seen(ranch: &Ranch) -> Json {
    json!([
        ranch.data(&["release", "list"], 0),
        ranch.data(&["release", "history"], 0),
        ranch.data(&["release", "status"], 0)["active"],
    ])
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_anywhere_leaves_the_old_state_or_the_new_one() {
    let prepared = three();
    promote(&prepared, "R2", "R1");
    let _ = prepared
        .run(&["release", "export", "R3", "R3.tar"])
        .exits(0);
    set(&prepared, "123.0");
    let plan = prepared.data(&["release", "prune", "--keep", "0"], 0);
    assert_eq!(plan["releases"][0]["number"], 3);
    let plan = plan["plan"].as_str().unwrap().to_owned();
    let operations: [(&str, Vec<&str>, bool); 5] = [
        (
            "cut",
            vec![
                "release",
                "cut",
                "--active",
                "days_remaining:v2",
                "--reason",
                "x",
            ],
            false,
        ),
        ("import", vec!["release", "import", "R3.tar"], true),
        (
            "promote",
            vec![
                "release", "promote", "R3", "--expect", "R2", "--reason", "x",
            ],
            false,
        ),
        (
            "rollback",
            vec!["release", "rollback", "--to", "R1", "--reason", "x"],
            false,
        ),
        (
            "prune",
            vec!["release", "prune", "--keep", "0", "--apply", &plan],
            false,
        ),
    ];
    let elsewhere = Ranch::sample();
    std::fs::copy(prepared.path("R3.tar"), elsewhere.path("R3.tar")).unwrap();
    for (operation, args, other) in &operations {
        let origin = if *other { &elsewhere } else { &prepared };
        let fresh = || copy_of(origin);
        let old = seen(&fresh());
        let done = fresh();
        let _ = done.run(args).exits(0);
        let new = seen(&done);
        assert_ne!(old, new, "{operation}");
        let names: Vec<&str> = failpoint::NAMES
            .into_iter()
            .filter(|n| n.starts_with(operation) || *n == "ledger.before-commit")
            .collect();
        assert!(names.len() > 2);
        for name in names {
            let ranch = fresh();
            ranch.killed_at(name, args);
            let left = seen(&ranch);
            assert!(left == old || left == new, "{operation} {name}: {left}");
            let after = name.ends_with("after-ledger") || name.ends_with("-lock");
            let after = after || name == "prune.after-documents";
            assert_eq!(left == new, after, "{operation} {name}");
            // After the same command again, or a new plan, the result is that of an undisturbed run.
            if *operation == "prune" {
                let plan = ranch.data(&["release", "prune", "--keep", "0"], 0);
                let digest = plan["plan"].as_str().unwrap();
                let left_over = !plan["releases"].as_array().unwrap().is_empty()
                    || !plan["components"].as_array().unwrap().is_empty();
                if left_over {
                    let _ = ranch
                        .run(&["release", "prune", "--keep", "0", "--apply", digest])
                        .exits(0);
                }
                let store = |r: &Ranch| -> Vec<_> {
                    let files = r.files("out/releases").into_iter();
                    files
                        .map(|(p, _)| p.file_name().unwrap().to_owned())
                        .collect()
                };
                assert_eq!(store(&ranch), store(&done), "{name}");
                continue;
            }
            let retried = ranch.run(args);
            let moved = *operation == "promote" && left == new;
            let _ = retried.exits(if moved { 12 } else { 0 });
            assert_eq!(seen(&ranch), new, "{operation} {name}");
            assert_eq!(ranch.read("provender.lock"), done.read("provender.lock"));
        }
    }
}
