//! Releases: what is active, and who may change it.

use provender_ledger::entry::Kind;
use provender_ledger::{Address, open_reader};
use serde_json::{Value as Json, json};

use crate::kit::{Ranch, variant_of};
use crate::prepared::prepared;

pub(crate) const DAY: &str = "2025-06-30";
pub(crate) const COMPUTE: [&str; 4] = ["compute", "--all", "--as-of", DAY];

/// The sample ranch with only v1 active, its inputs ingested and the day computed.
pub(crate) fn v1() -> Ranch {
    prepared("v1", make_v1)
}

fn make_v1() -> Ranch {
    let ranch = Ranch::sample();
    ranch.edit(
        "provender.toml",
        "active = [\"days_remaining:v2\", \"frost_days:v1\"]",
        "active = [\"days_remaining:v1\"]",
    );
    ranch.write("logic.toml", "");
    let _ = ranch.run(&["ingest"]).exits(0);
    let _ = ranch.run(&COMPUTE).exits(0);
    ranch
}

pub(crate) fn cut(ranch: &Ranch, active: &str, reason: &str) -> Json {
    ranch.data(
        &["release", "cut", "--active", active, "--reason", reason],
        0,
    )
}

pub(crate) fn promote(ranch: &Ranch, release: &str, expect: &str) -> Json {
    let args = [
        "release",
        "promote",
        release,
        "--expect",
        expect,
        "--reason",
        "it is time",
    ];
    ranch.data(&args, 0)
}

/// The number of the active release; null if there is none.
pub(crate) fn active(ranch: &Ranch) -> Json {
    ranch.data(&["release", "status"], 0)["active"]["number"].clone()
}

pub(crate) fn set(ranch: &Ranch, residual: &str) {
    ranch.write(
        "logic.toml",
        &format!("[days_remaining.v2.parameters]\nresidual_kg_per_ha = {residual}\n"),
    );
}

/// R1 has v1 and is active; R2 has v2 with a residual of 250 kg/ha, R3 with 400.
pub(crate) fn three() -> Ranch {
    prepared("three", make_three)
}

fn make_three() -> Ranch {
    let ranch = v1();
    assert_eq!(
        cut(&ranch, "days_remaining:v1", "the first one")["number"],
        1
    );
    set(&ranch, "250.0");
    assert_eq!(cut(&ranch, "days_remaining:v2", "v2")["number"], 2);
    set(&ranch, "400");
    assert_eq!(
        cut(&ranch, "days_remaining:v2", "v2, more left")["number"],
        3
    );
    promote(&ranch, "R1", "none");
    ranch
}

#[test]
fn an_active_release_overrides_local_settings_and_a_rollback_restores_its_configuration() {
    let ranch = v1();
    assert_eq!(active(&ranch), Json::Null);
    let first = ranch.answer("north", "h-heifers");

    let one = cut(&ranch, "days_remaining:v1", "the first one");
    assert_eq!((&one["number"], &one["new"]), (&json!(1), &json!(true)));
    let again = cut(&ranch, "days_remaining:v1", "another word for it");
    assert_eq!(again["new"], false);
    assert_eq!(again["release"], one["release"]);
    promote(&ranch, "R1", "none");
    assert_eq!(promote(&ranch, "R1", "R1")["changed"], false);
    assert_eq!(ranch.data(&COMPUTE, 0)["summary"]["unchanged"], 5);

    // The deployment's own files say something else. That is reported and ignored.
    ranch.edit(
        "provender.toml",
        "active = [\"days_remaining:v1\"",
        "on_guardrail = \"fail\"\nactive = [\"days_remaining:v2\"",
    );
    ranch.edit("provender.toml", "\non_guardrail = \"mark\"", "\n");
    set(&ranch, "250.0");
    let ran = ranch.run(&COMPUTE).exits(0);
    insta::assert_snapshot!(ran.stderr.lines().take(1).collect::<String>(), @"note: R1 is active; settings here that differ from it are ignored");
    let data = ranch.data(&COMPUTE, 0);
    let keys: Vec<_> = data["ignored"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["key"].as_str().unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "logic.active",
            "logic.on_guardrail",
            "days_remaining.v2.parameters.residual_kg_per_ha"
        ]
    );
    assert_eq!(data["summary"]["unchanged"], 5);
    assert!((ranch.answer("north", "h-heifers") - first).abs() < f64::EPSILON);
    differing_files_are_reported(&ranch);

    // The local settings become a release, and are in force once that is promoted.
    let two = ranch.data(&["release", "cut", "--reason", "v2"], 0);
    assert_eq!(two["logics"], json!(["days_remaining:v2"]));
    assert_eq!(active(&ranch), 1);
    promote(&ranch, "R2", "R1");
    set(&ranch, "9.0");
    let data = ranch.data(&COMPUTE, 0);
    assert_eq!(data["summary"]["recorded"], 5);
    let second = ranch.answer("north", "h-heifers");
    assert!((second - first).abs() > 0.1, "{second}");

    // The batch names the release under which it was recorded.
    let ledger = open_reader(&Address::from_path(&ranch.path("out/ledger.db"))).unwrap();
    let named: Vec<Json> = ledger
        .entries(Some(Kind::Runs))
        .unwrap()
        .iter()
        .map(|e| serde_json::from_str::<Json>(&e.payload).unwrap()["release"].clone())
        .collect();
    assert_eq!(named.first(), Some(&Json::Null));
    assert_eq!(named.last(), Some(&two["release"]));

    // A rollback restores the configuration. Afterwards the store of releases alone is enough.
    let back = ranch.data(&["release", "rollback", "--reason", "too low"], 0);
    assert_eq!(
        (&back["number"], &back["previous_number"]),
        (&json!(1), &json!(2))
    );
    assert!((ranch.answer("north", "h-heifers") - first).abs() < f64::EPSILON);
    assert_eq!(ranch.data(&COMPUTE, 0)["summary"]["unchanged"], 5);
    for gone in ["provender.lock", "logic.toml"] {
        std::fs::remove_file(ranch.path(gone)).unwrap();
    }
    std::fs::remove_dir_all(ranch.path("components")).unwrap();
    assert_eq!(ranch.data(&COMPUTE, 0)["summary"]["unchanged"], 5);
    let _ = ranch
        .run(&[
            "release",
            "rollback",
            "--to",
            "R2",
            "--reason",
            "it was right",
        ])
        .exits(0);
    let data = ranch.data(&COMPUTE, 0);
    assert_eq!(data["summary"]["unchanged"], 5);
    assert!((ranch.answer("north", "h-heifers") - second).abs() < f64::EPSILON);
    let _ = ranch
        .run(&["explain", "--boundary", "north", "--as-of", DAY])
        .exits(0);

    // Who, since when, why, and on which evidence.
    let all = ranch.data(&["release", "history"], 0);
    let numbers: Vec<_> = all["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["number"].clone(), c["kind"].clone()))
        .collect();
    assert_eq!(
        numbers,
        [
            (json!(1), json!("promotion")),
            (json!(2), json!("promotion")),
            (json!(1), json!("rollback")),
            (json!(2), json!("rollback")),
        ]
    );
    let then = ranch.data(&["release", "history", "--at", "2025-07-01"], 0);
    assert_eq!(then["changes"], all["changes"]);
    let kinds: Vec<_> = then["changes"][0]["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["verify", "goldens"]);
    let before = ranch.data(&["release", "history", "--at", DAY], 0);
    assert_eq!(before["changes"], json!([]));
}

/// A pin and a threshold that differ from the release are reported by commands that compute and by those that
/// monitor.
fn differing_files_are_reported(ranch: &Ranch) {
    let kept = [ranch.read("provender.lock"), ranch.read("logic.toml")];
    let active = ranch.data(&["release", "show", "R1"], 0);
    let sha256 = active["document"]["components"][0]["sha256"]
        .as_str()
        .unwrap();
    let other = format!("sha256:{}", "5".repeat(64));
    ranch.edit("provender.lock", sha256, &other);
    let rule = "metric = \"coverage\"\nscope = \"fleet\"\ncrit = 2.0\n";
    ranch.write(
        "logic.toml",
        &format!("[[days_remaining.v1.monitors]]\n{rule}"),
    );
    let monitor = ["monitor", "--all", "--end", DAY, "--fail-on", "never"];
    for args in [&COMPUTE[..], &monitor] {
        let data = ranch.data(args, 0);
        let ignored: Vec<(String, String)> = data["ignored"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|i| i["file"] != "provender.toml")
            .map(|i| {
                (
                    i["key"].as_str().unwrap().into(),
                    i["here"].as_str().unwrap().into(),
                )
            })
            .collect();
        let coverage = "days_remaining.v1.monitors.coverage, fleet";
        assert_eq!(
            ignored,
            [
                (coverage.to_owned(), "{\"crit\":2.0}".to_owned()),
                ("days_remaining:v1".to_owned(), other.clone()),
            ]
        );
    }
    // They are ignored.
    let report = ranch.data(&monitor, 0);
    let fleet = report["fleet"].as_array().unwrap();
    let metrics = fleet
        .iter()
        .flat_map(|group| group["metrics"].as_array().unwrap());
    let coverage: Vec<_> = metrics.filter(|m| m["name"] == "coverage").collect();
    assert!(!coverage.is_empty() && coverage.iter().all(|m| m["crit"] != 2.0));
    for (file, text) in ["provender.lock", "logic.toml"].into_iter().zip(kept) {
        ranch.write(file, &text);
    }
}

#[test]
fn history_shows_what_was_active_on_a_day() {
    let mut ranch = three();
    ranch.now = "2025-07-10T09:00:00Z".into();
    ranch.actor = "mlops".into();
    promote(&ranch, "R2", "R1");
    ranch.now = "2025-07-20T09:00:00Z".into();
    let _ = ranch
        .run(&["release", "rollback", "--reason", "too low"])
        .exits(0);
    let at = |at: &str| -> Vec<Json> {
        let data = ranch.data(&["release", "history", "--at", at], 0);
        let changes = data["changes"].as_array().unwrap();
        changes.iter().map(|c| c["number"].clone()).collect()
    };
    assert_eq!(at("2025-07-09"), [1]);
    assert_eq!(at("2025-07-10"), [1, 2]);
    assert_eq!(at("2025-07-10T08:00:00Z"), [1]);
    assert_eq!(at("2025-07-10T10:00:00Z"), [2]);
    assert_eq!(at("2025-07-15"), [2]);
    assert_eq!(at("2025-08-01"), [1]);
    let shown = ranch
        .run(&["release", "history", "--at", "2025-07-15"])
        .exits(0);
    assert!(
        shown
            .stdout
            .contains("2025-07-10T09:00:00.000000Z to 2025-07-20T09:00:00.000000Z")
    );
    assert!(shown.stdout.contains("promoted by mlops: it is time"));
}

#[test]
fn promotions_are_refused_with_the_reason_and_the_next_step() {
    let ranch = three();
    let refused = ranch
        .run(&[
            "release", "promote", "R2", "--expect", "none", "--reason", "x",
        ])
        .exits(12);
    insta::assert_snapshot!(refused.stderr, @r"
    error: no release was expected to be active, but R1 is active, promoted by tester at 2025-07-01T06:00:00.000000Z: it is time; nothing was promoted
     help: `provender release history` shows what was promoted; if you still want to promote, name the active release with --expect
    ");
    let _ = ranch
        .run(&["release", "promote", "R2", "--reason", " "])
        .exits(64);
    let _ = ranch
        .run(&["release", "promote", "R9", "--reason", "x"])
        .exits(66);
    let _ = ranch
        .run(&["release", "rollback", "--reason", "x"])
        .exits(66);
    let never = ranch
        .run(&["release", "rollback", "--to", "R3", "--reason", "x"])
        .exits(66);
    assert!(
        never.stderr.contains("was never active here"),
        "{}",
        never.stderr
    );

    promote(&ranch, "R2", "R1");
    let _ = ranch
        .run(&["release", "freeze", "--reason", "doubtful inputs"])
        .exits(0);
    let twice = ranch.data(&["release", "freeze", "--reason", "again"], 0);
    assert_eq!(twice["changed"], false);
    let held = ranch
        .run(&["release", "promote", "R3", "--reason", "x"])
        .exits(12);
    insta::assert_snapshot!(held.stderr, @r"
    error: promotions have been frozen since 2025-07-01T06:00:00.000000Z by tester: doubtful inputs
     help: `provender release unfreeze --reason …` allows promotions again; `provender release rollback` works while they are frozen
    ");
    // An override of the gate does not override that.
    let args = [
        "release",
        "promote",
        "R3",
        "--reason",
        "x",
        "--override",
        "y",
    ];
    assert_eq!(ranch.run(&args).exits(12).stderr, held.stderr);
    let _ = ranch
        .run(&["release", "rollback", "--reason", "too low"])
        .exits(0);
    let _ = ranch
        .run(&["release", "unfreeze", "--reason", "right after all"])
        .exits(0);
    assert_eq!(promote(&ranch, "3", "1")["number"], 3);

    // A damaged component in the store is found before anything is promoted.
    let shown = ranch.data(&["release", "show", "R1"], 0);
    let sha256 = shown["document"]["components"][0]["sha256"]
        .as_str()
        .unwrap();
    let file = format!("out/releases/components/{}.wasm", &sha256[7..]);
    let mut bytes = std::fs::read(ranch.path(&file)).unwrap();
    bytes[100] ^= 1;
    std::fs::write(ranch.path(&file), bytes).unwrap();
    let _ = ranch
        .run(&["release", "rollback", "--to", "R1", "--reason", "x"])
        .exits(11);
    assert_eq!(active(&ranch), 3);
}

#[test]
fn an_unclean_state_cannot_be_cut_and_every_reason_is_reported() {
    let ranch = v1();
    let file = ranch.path("components/days_remaining-v1.wasm");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    ranch.write(
        "logic.toml",
        "[days_remaining.v2.parameters]\nno_such = 1.0\n",
    );
    let before = ranch.files("out");
    let args = [
        "release",
        "cut",
        "--active",
        "days_remaining:v2",
        "--reason",
        "x",
    ];
    let refused = ranch.run(&args).exits(17);
    for expected in [
        "2 problems must be fixed first",
        "days_remaining:v1: ",
        "no such parameter",
        "remedy: ",
    ] {
        assert!(
            refused.stderr.contains(expected),
            "{expected}: {}",
            refused.stderr
        );
    }
    assert_eq!(ranch.data(&["release", "list"], 0)["releases"], json!([]));
    assert!(!before.is_empty());
}

#[test]
fn a_cut_freezes_the_active_draft_and_leaves_other_drafts_out() {
    let ranch = v1();
    crate::kit::unpin(&ranch, "v2");
    let draft = variant_of(&ranch, "v2", "draft");
    let _ = ranch
        .run(&["plugin", "add", draft.to_str().unwrap()])
        .exits(0);
    let one = cut(&ranch, "days_remaining:v1", "without the draft");
    let shown = ranch.data(&["release", "show", "R1"], 0);
    let versions: Vec<_> = shown["document"]["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["version"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(versions, ["v1", "v1"], "{one}"); // days_remaining and frost_days
    let two = cut(&ranch, "days_remaining:v2", "with it");
    assert_eq!(two["frozen"], json!(["days_remaining:v2"]));
    assert!(!ranch.read("provender.lock").contains("draft\""));
    let other = variant_of(&ranch, "v2", "other");
    let _ = ranch
        .run(&["plugin", "add", other.to_str().unwrap()])
        .exits(11);
}

#[test]
fn unusable_files_stop_neither_a_rollback_nor_the_daily_run() {
    let ranch = v1();
    cut(&ranch, "days_remaining:v1", "first");
    promote(&ranch, "R1", "none");
    set(&ranch, "300");
    cut(&ranch, "days_remaining:v2", "v2");
    promote(&ranch, "R2", "R1");

    // The file is not in force, so it is reported and ignored. A cut would read it, and refuses.
    ranch.write("logic.toml", "[days_remaining.v2\n");
    let status = ranch.data(&["status", "--as-of", DAY], 2);
    let ignored = status["ignored"].as_array().unwrap();
    assert!(ignored.iter().any(|i| i["file"] == "logic.toml"));
    let stderr = ranch.run(&COMPUTE).exits(0).stderr;
    assert!(
        stderr.contains("logic.toml: the file is unusable"),
        "{stderr}"
    );
    let cut = ["release", "cut", "--reason", "x"];
    assert!(ranch.run(&cut).exits(17).stderr.contains("logic.toml"));

    // Sources are needed by the daily run, but not by a rollback.
    ranch.write("sources.toml", "[[source]\n");
    assert!(
        ranch
            .run(&COMPUTE)
            .exits(78)
            .stderr
            .contains("sources.toml")
    );
    let back = ranch.data(&["release", "rollback", "--reason", "too low"], 0);
    assert_eq!(back["number"], 1);
    for verb in ["status", "history", "list"] {
        let _ = ranch.run(&["release", verb]).exits(0);
    }
    let hold = ["release", "freeze", "--reason", "files are damaged"];
    let _ = ranch.run(&hold).exits(0);
}

#[test]
fn before_the_first_promotion_an_unusable_logic_toml_stops_the_daily_run() {
    let ranch = v1();
    ranch.write("logic.toml", "[days_remaining.v1\n");
    assert!(ranch.run(&COMPUTE).exits(78).stderr.contains("logic.toml"));
}
