//! Checking, pinning and freezing: which bytes a version has, and from when on permanently.

use crate::kit::{Ranch, unpin, variant_of};

const DAY: &str = "2025-06-30";

#[test]
fn a_draft_may_be_replaced_but_a_frozen_version_may_not() {
    let ranch = Ranch::ran();
    let (one, two) = (
        variant_of(&ranch, "v1", "one"),
        variant_of(&ranch, "v1", "two"),
    );
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());

    // Shipped versions are frozen: other bytes are refused, and the same bytes change nothing.
    let refused = ranch.run(&["plugin", "add", one]).exits(11);
    assert!(
        refused
            .stderr
            .contains("days_remaining:v1 is frozen as sha256:"),
        "{}",
        refused.stderr
    );
    assert!(
        refused
            .stderr
            .contains("release the new ones as a new version")
    );
    let same = ranch
        .run(&["plugin", "add", "components/days_remaining-v1.wasm"])
        .exits(0);
    assert!(
        same.stdout.contains("already pinned (frozen)"),
        "{}",
        same.stdout
    );

    // v1 recorded nothing here, so a deployment that never froze it accepts other bytes as a draft.
    unpin(&ranch, "v1");
    let data = ranch.data(&["plugin", "add", one], 0);
    assert_eq!(data["pin"]["state"], "draft");
    assert_eq!(data["replaced"], serde_json::Value::Null);
    let first = data["pin"]["sha256"].clone();
    let data = ranch.data(&["plugin", "add", two], 0);
    assert_eq!(data["replaced"], first);
    // Each draft has its own file. The shipped version's file belongs to no draft and stays.
    let path = data["pin"]["path"].as_str().unwrap();
    assert!(path.starts_with("components/days_remaining-v1-"), "{path}");
    assert!(ranch.path("components/days_remaining-v1.wasm").exists());
    assert_eq!(ranch.files("components").len(), 4);
    let listed = ranch.data(&["plugin", "list"], 0);
    let pin = &listed["components"][0];
    assert_eq!(
        (&pin["version"], &pin["state"]),
        (&"v1".into(), &"draft".into())
    );
    let _ = ranch.run(&["verify"]).exits(0);

    // A draft computes only in a dry run, and records nothing.
    let compute = [
        "compute",
        "--all",
        "--as-of",
        DAY,
        "--logic",
        "days_remaining:v1",
    ];
    let dry: Vec<_> = compute.iter().copied().chain(["--dry-run"]).collect();
    assert_eq!(ranch.data(&dry, 0)["summary"]["recorded"], 5);
    let refused = ranch.run(&compute).exits(14);
    insta::assert_snapshot!(refused.stderr, @r"
    error: days_remaining:v1 is pinned as a draft. A draft records no runs, because its bytes may still be replaced
     help: test and back-test it, then run `provender plugin freeze days_remaining:v1`; --dry-run and `backtest` work with a draft
    ");
    assert_eq!(
        ranch.data(&["list", "--all-versions"], 0)["answers"]
            .as_array()
            .unwrap()
            .len(),
        9
    );

    // Once frozen it records, and its version accepts no other bytes, even after its pin was removed.
    let frozen = ranch
        .run(&[
            "plugin",
            "freeze",
            "days_remaining:v1",
            "--reason",
            "reviewed",
        ])
        .exits(0);
    assert!(frozen.stdout.contains("from now on"), "{}", frozen.stdout);
    assert_eq!(
        ranch.data(&["plugin", "freeze", "days_remaining:v1"], 0)["changed"],
        false
    );
    assert_eq!(ranch.data(&compute, 0)["summary"]["recorded"], 5);
    let _ = ranch.run(&["plugin", "add", one]).exits(11);
    unpin(&ranch, "v1");
    let refused = ranch.run(&["plugin", "add", one]).exits(11);
    assert!(
        refused.stderr.contains("is frozen as"),
        "{}",
        refused.stderr
    );
    let back = ranch.data(&["plugin", "add", two], 0);
    assert_eq!(back["pin"]["state"], "frozen");
    assert_eq!(ranch.data(&compute, 0)["summary"]["unchanged"], 5);
}

#[test]
fn a_lock_file_edited_by_hand_cannot_give_a_recorded_version_other_bytes() {
    let ranch = Ranch::ran();
    let compute = [
        "compute",
        "--all",
        "--as-of",
        DAY,
        "--logic",
        "days_remaining:v2",
    ];
    let _ = ranch.run(&compute).exits(0);
    let other = variant_of(&ranch, "v2", "other");
    let bytes = std::fs::read(&other).unwrap();
    let listed = ranch.data(&["plugin", "show", other.to_str().unwrap()], 0);
    let old = ranch.data(&["plugin", "show", "days_remaining:v2"], 0);
    ranch.edit(
        "provender.lock",
        old["sha256"].as_str().unwrap(),
        listed["sha256"].as_str().unwrap(),
    );
    ranch.edit(
        "provender.lock",
        &format!("size = {}", old["size"]),
        &format!("size = {}", bytes.len()),
    );
    std::fs::write(ranch.path("components/days_remaining-v2.wasm"), bytes).unwrap();
    // Lock file and bytes agree with each other, but not with the ledger.
    let refused = ranch.run(&["verify"]).exits(11);
    let clean = |text: &str| {
        let digests = [(&old, "OLD"), (&listed, "NEW")];
        digests.iter().fold(text.to_owned(), |text, (shown, name)| {
            text.replace(shown["sha256"].as_str().unwrap(), name)
        })
    };
    insta::assert_snapshot!("lock_edited", clean(&refused.stderr));
    let json = ranch.run(&["verify", "--json"]).exits(11).json();
    assert_eq!(json["error"]["code"], "frozen");
    let components = json["data"]["components"].as_array().unwrap();
    let status = |version: &str| {
        let found = components
            .iter()
            .find(|c| c["name"] == "days_remaining" && c["version"] == version);
        found.unwrap()["status"].clone()
    };
    assert_eq!(
        (status("v1"), status("v2")),
        ("ok".into(), "refused".into())
    );
    let next = [
        "compute",
        "--all",
        "--as-of",
        "2025-06-29",
        "--logic",
        "days_remaining:v2",
    ];
    let refused = ranch.run(&next).exits(11);
    assert!(
        refused.stderr.contains("is frozen as"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("put the frozen bytes back"));
}

#[test]
fn check_names_the_problem_and_works_without_a_deployment() {
    let ranch = Ranch::empty();
    ranch.write("x.wasm", "print('hello')");
    let refused = ranch.run(&["plugin", "check", "x.wasm"]).exits(14);
    insta::assert_snapshot!(refused.stdout, @r"
    x.wasm  sha256:96f43d529af3430cb6b0e2c02f6b38ef1a121e8a31d2d09a3ebb716f2f35c9de
    14 bytes

    refused: x.wasm is not a valid WebAssembly component: it does not start like a WebAssembly component
      fix: give the .wasm file that `provender plugin build` wrote, whole and unchanged
    ");
    insta::assert_snapshot!(refused.stderr, @r"
    error: x.wasm is not a valid WebAssembly component: it does not start like a WebAssembly component
     help: give the .wasm file that `provender plugin build` wrote, whole and unchanged
    ");
    let none = ranch.run(&["plugin", "check", "none.wasm"]).exits(66);
    assert!(none.stderr.contains("none.wasm"), "{}", none.stderr);

    let ranch = Ranch::sample();
    for logic in ["days_remaining:v1", "days_remaining:v2", "frost_days:v1"] {
        let data = ranch.data(&["plugin", "check", logic], 0);
        assert_eq!(data["accepted"], true);
        assert_eq!(data["conformance"].as_array().unwrap().len(), 9);
    }
    // A check records nothing.
    assert!(!ranch.path("out/ledger.db").exists());
}

#[test]
fn two_versions_are_compared_by_what_they_declare() {
    let ranch = Ranch::sample();
    let same = [
        "plugin",
        "diff",
        "days_remaining:v2",
        "components/days_remaining-v2.wasm",
    ];
    let data = ranch.data(&same, 0);
    assert_eq!(data["identical"], true);
    assert_eq!(data["differences"], serde_json::json!([]));
    let data = ranch.data(
        &["plugin", "diff", "days_remaining:v1", "days_remaining:v2"],
        0,
    );
    let differences = data["differences"].as_array().unwrap();
    let has = |part: &str, name: &str| {
        differences
            .iter()
            .any(|d| d["part"] == part && d["name"] == name)
    };
    assert!(has("parameter", "residual_kg_per_ha"));
    assert!(has("input", "utilization_target_pct"));
    assert!(has("output", "available_forage_kg: formula"));
    // Equal declarations are not listed.
    assert!(!has("parameter", "max_days_remaining"));
    assert!(!differences.iter().any(|d| d["first"] == d["second"]));
}

/// Each command rewrites the whole lock file from what it has read.
#[test]
fn pins_added_at_the_same_time_are_all_kept() {
    let ranch = Ranch::sample();
    let bytes = std::fs::read(ranch.path("components/days_remaining-v1.wasm")).unwrap();
    let old = b"days_remaining";
    let adding: Vec<_> = ['a', 'b', 'c', 'd']
        .map(|letter| {
            // Another name of the same length, in every place, makes another logic.
            let new = format!("days_remainin{letter}");
            let mut renamed = bytes.clone();
            for at in 0..bytes.len() - old.len() {
                if bytes[at..].starts_with(old) {
                    renamed[at..at + old.len()].copy_from_slice(new.as_bytes());
                }
            }
            std::fs::write(ranch.path(&format!("{letter}.wasm")), renamed).unwrap();
            let mut command = ranch.command();
            command.args(["plugin", "add", &format!("{letter}.wasm")]);
            command.spawn().unwrap()
        })
        .into_iter()
        .collect();
    for mut child in adding {
        assert!(child.wait().unwrap().success());
    }
    let listed = ranch.data(&["plugin", "list"], 0);
    let pins = listed["components"].as_array().unwrap();
    assert_eq!(pins.iter().filter(|p| p["state"] == "draft").count(), 4);
}

/// What remains of an `add` that was killed between writing the file and the lock file.
#[test]
fn adding_the_pinned_bytes_again_restores_the_file() {
    let ranch = Ranch::sample();
    let file = "components/days_remaining-v1.wasm";
    let bytes = std::fs::read(ranch.path(file)).unwrap();
    std::fs::write(ranch.path("kept.wasm"), &bytes).unwrap();
    std::fs::copy(variant_of(&ranch, "v1", "other"), ranch.path(file)).unwrap();
    let _ = ranch.run(&["verify"]).exits(11);
    let data = ranch.data(&["plugin", "add", "kept.wasm"], 0);
    assert_eq!(data["changed"], true);
    assert_eq!(std::fs::read(ranch.path(file)).unwrap(), bytes);
    let _ = ranch.run(&["verify"]).exits(0);
    let data = ranch.data(&["plugin", "add", "kept.wasm"], 0);
    assert_eq!(data["changed"], false);
}

/// Adds two drafts one after the other, with a file-size limit in between. A kill in the middle of a write
/// leaves a file that nobody reads. The next command that may write pins removes it, whatever else it does.
#[test]
fn the_next_pin_removes_what_a_killed_one_left() {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    let cut = [
        "release",
        "cut",
        "--reason",
        "x",
        "--active",
        "days_remaining:v1",
    ];
    let freeze = ["plugin", "freeze", "days_remaining:v1"];
    let add = ["plugin", "add", "components/days_remaining-v1.wasm"];
    let left = [
        "provender.lock.tmp",
        "components/days_remaining-v9.wasm.tmp",
    ];
    for args in [&add[..], &freeze, &cut] {
        for file in left {
            ranch.write(file, "half");
        }
        ranch.write("components/notes.tmp", "somebody's own");
        let _ = ranch.run(args).exits(0);
        for file in left {
            assert!(!ranch.path(file).exists(), "{args:?}: {file}");
        }
        assert_eq!(ranch.read("components/notes.tmp"), "somebody's own");
    }
}

#[test]
fn replacing_a_draft_removes_its_file_and_no_other() {
    let ranch = Ranch::sample();
    unpin(&ranch, "v1");
    std::fs::remove_file(ranch.path("components/days_remaining-v1.wasm")).unwrap();
    let [one, two] =
        ["one", "two"].map(|name| variant_of(&ranch, "v2", name).display().to_string());
    let adds = |file: &str| ranch.data(&["plugin", "add", file], 0)["pin"]["path"].clone();
    // The version is days_remaining:v2, which the shipped lock file freezes and no ledger knows.
    unpin(&ranch, "v2");
    std::fs::remove_file(ranch.path("components/days_remaining-v2.wasm")).unwrap();
    let first = adds(&one);
    assert_eq!(first, "components/days_remaining-v2.wasm");
    std::fs::copy(&one, ranch.path("components/days_remaining-v2-mine.wasm")).unwrap();
    let second = adds(&two);
    assert_ne!(first, second);
    assert!(!ranch.path(first.as_str().unwrap()).exists());
    // The first draft again: its own name is free, and the other draft's file is removed.
    assert_eq!(adds(&one), first);
    assert!(!ranch.path(second.as_str().unwrap()).exists());
    assert!(
        ranch
            .path("components/days_remaining-v2-mine.wasm")
            .exists()
    );
    let _ = ranch.run(&["verify"]).exits(0);
    // Bytes that nobody pinned are not treated as a draft's.
    ranch.write("components/days_remaining-v2-0123456789ab.wasm", "mine too");
    let _ = adds(&two);
    assert!(
        ranch
            .path("components/days_remaining-v2-0123456789ab.wasm")
            .exists()
    );
}

#[test]
fn a_folder_given_as_a_component_says_what_to_build() {
    let ranch = Ranch::sample();
    let _ = ranch
        .run(&["plugin", "new", "rain:v1", "--lang", "python"])
        .exits(0);
    let says = |args: &[&str]| {
        let ran = ranch.run(args).exits(64);
        format!("$ provender {}\n{}", args.join(" "), ran.stderr)
    };
    let backtest = ["backtest", "rain-v1", "--against", "days_remaining:v2"];
    let mut all = vec![
        says(&["plugin", "check", "rain-v1"]),
        says(&["plugin", "add", "rain-v1"]),
        says(&["plugin", "show", "inputs"]),
        says(&backtest),
    ];
    ranch.write("rain-v1/build/rain-v1.wasm", "built");
    all.push(says(&["plugin", "check", "rain-v1"]));
    insta::assert_snapshot!("folder_for_component", all.join("\n"));
}

#[test]
fn show_prints_everything_that_a_component_declares() {
    let ranch = Ranch::new();
    let shown = ranch.run(&["plugin", "show", "days_remaining:v2"]).exits(0);
    insta::assert_snapshot!("shown", shown.stdout);
}
