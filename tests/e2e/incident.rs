//! Incidents: opened about recorded objects, guarded against a return by a case that DS completes, closed,
//! and shown on one page for the audit.

use serde_json::{Value as Json, json};

use crate::kit::Ranch;
use crate::prepared::prepared;

const CASE: &str = "logic-plugins/cases/days_remaining/incident-sample-I1-v2.toml";
const CLOSE: [&str; 5] = [
    "incident",
    "close",
    "I1",
    "--resolution",
    "the file was withdrawn and the number reissued",
];

/// The ranch after a reissue with a misplaced decimal point, and the monitor's report of it.
fn breached() -> (Ranch, Json) {
    let ranch = prepared("breached", make_breached);
    let report = ranch.data(&["monitor", "--all", "--end", "2025-06-30"], 2);
    (ranch, report)
}

fn make_breached() -> Ranch {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&["ingest", "--forage", "story/wrong_forage.csv"])
        .exits(0);
    let reissue = ["reissue", "--as-of", "2025-06-30", "--reason", "clipping"];
    let plan = ranch.data(&reissue, 0)["plan"].as_str().unwrap().to_owned();
    let mut apply = reissue.to_vec();
    apply.extend(["--apply", &plan]);
    let _ = ranch.run(&apply).exits(0);
    std::fs::create_dir_all(ranch.path("logic-plugins/cases")).unwrap();
    ranch
}

fn open(ranch: &Ranch, title: &str) -> Json {
    ranch.data(
        &["incident", "open", "--title", title, "--report", "latest"],
        0,
    )
}

/// Completes the regression case in place of DS.
fn complete(ranch: &Ranch, expect: &str) {
    let text = ranch.read(CASE);
    let kept: Vec<_> = text
        .lines()
        .filter(|l| !l.starts_with("expect") && !l.starts_with("tolerance"))
        .collect();
    ranch.write(CASE, &format!("{}\n{expect}\n", kept.join("\n")));
}

#[test]
fn an_incident_leads_from_its_report_to_its_page() {
    let (ranch, report) = breached();
    let opened = open(&ranch, "days far too high on the mesa");
    assert_eq!(opened["incident"], "I1");
    let links = opened["links"].as_array().unwrap();
    assert_eq!(links[0]["id"], report["report"]);
    let row = &report["fleet"][0]["failing"][0];
    assert_eq!(links[1]["id"], row["run_id"]);
    assert_eq!(links[1]["snapshot_id"], row["snapshot_id"]);
    assert_eq!(links[1]["manifest"], row["manifest"]);
    assert_eq!(links.len(), 2);

    // Linking the same again says so; new links are added.
    let manifest = row["manifest"].as_str().unwrap();
    let again = ranch.data(&["incident", "link", "I1", "--manifest", manifest], 0);
    assert_eq!((&again["entry"], &again["new"]), (&Json::Null, &json!([])));
    let retracted = ranch.data(
        &[
            "ingest",
            "retract",
            "story/wrong_forage.csv",
            "--reason",
            "a slipped point",
        ],
        0,
    );
    assert!(retracted.is_object());
    let _ = ranch
        .run(&["incident", "note", "i1", "4385 where 438.5 was meant"])
        .exits(0);

    // Without a case the incident cannot be closed.
    let refused = ranch.run(&CLOSE).exits(17).stderr;
    insta::assert_snapshot!(refused);

    let written = ranch.data(&["incident", "regression", "I1"], 0);
    let file = &written["files"][0];
    assert_eq!(file["file"], CASE);
    assert_eq!(
        (&file["logic"], &file["since"]),
        (&json!("days_remaining:v2"), &json!("v3"))
    );
    insta::assert_snapshot!(ranch.read(CASE));
    let again = ranch.data(&["incident", "regression", "I1"], 0);
    assert_eq!(again["files"][0]["entry"], Json::Null);

    // The case is not completed, so neither the test nor the incident passes.
    ranch.edit(CASE, "since = \"v3\"", "since = \"v2\"");
    let test = [
        "plugin",
        "test",
        "days_remaining:v2",
        "--cases",
        "logic-plugins/cases",
    ];
    insta::assert_snapshot!(ranch.run(&test).exits(17).stderr);
    insta::assert_snapshot!(ranch.run(&CLOSE).exits(17).stderr);
    // A file that DS has edited is not overwritten.
    insta::assert_snapshot!(
        ranch
            .run(&["incident", "regression", "I1"])
            .exits(17)
            .stderr
    );
    // The expectation differs from the answer of the active version.
    complete(&ranch, "expect = { days_of_grazing_remaining = 18.06 }");
    insta::assert_snapshot!(ranch.run(&CLOSE).exits(17).stderr);
    complete(
        &ranch,
        "expect = { days_of_grazing_remaining = 376.3278149714286 }",
    );
    let _ = ranch.run(&test).exits(0);
    // The inputs differ from those that failed.
    ranch.edit(
        CASE,
        "forage_kg_per_ha = 4385.0",
        "forage_kg_per_ha = 4386.0",
    );
    let other = ranch.run(&CLOSE).exits(17).stderr;
    assert!(
        other.contains("has another forage_kg_per_ha than the run that failed"),
        "{other}"
    );
    ranch.edit(
        CASE,
        "forage_kg_per_ha = 4386.0",
        "forage_kg_per_ha = 4385.0",
    );
    let closed = ranch.data(&CLOSE, 0);
    assert_eq!(closed["cases"][0]["file"], CASE);
    assert_eq!(closed["cases"][0]["checked"], "passes days_remaining:v2");
    let digest = provender_domain::canonical::Digest::of_bytes(ranch.read(CASE).as_bytes());
    assert_eq!(closed["cases"][0]["sha256"], digest.to_string());

    // A closed incident stays closed; notes are still accepted.
    insta::assert_snapshot!(ranch.run(&CLOSE).exits(17).stderr);
    let _ = ranch
        .run(&["incident", "note", "I1", "the vendor has answered"])
        .exits(0);
    let listed = ranch.data(&["incident", "list"], 0);
    assert_eq!(listed["incidents"][0]["state"], "closed");
    assert_eq!(
        ranch.data(&["incident", "list", "--open"], 0)["incidents"],
        json!([])
    );

    let shown = ranch.data(&["incident", "show", "I1"], 0);
    let steps: Vec<String> = shown["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["what"].as_str().unwrap().to_owned())
        .collect();
    insta::assert_snapshot!(steps.join("\n"));

    let export = [
        "incident",
        "export",
        "I1",
        "--html",
        "I1.html",
        "--markdown",
        "I1.md",
    ];
    let exported = ranch.data(&export, 0);
    assert_eq!(exported["files"], json!(["I1.html", "I1.md"]));
    let (html, markdown) = (ranch.read("I1.html"), ranch.read("I1.md"));
    for page in [&html, &markdown] {
        for said in [
            "days far too high on the mesa",
            "the file was withdrawn and the number reissued",
            report["report"].as_str().unwrap(),
            row["run_id"].as_str().unwrap(),
            &digest.to_string(),
        ] {
            assert!(page.contains(said), "{said} is not in\n{page}");
        }
    }
    for outside in ["http://", "https://", "src="] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn only_recorded_objects_can_be_linked() {
    let ranch = Ranch::ran();
    let mut texts = Vec::new();
    for (args, exit) in [
        (vec!["--report", "abcdef012345"], 66),
        (vec!["--run", "abcdef012345"], 66),
        (vec!["--release", "R9"], 66),
        (vec!["--manifest", "abcdef012345"], 66),
        (vec!["--replay", "1"], 66),
        (vec!["--entry", "999"], 66),
        (vec!["--incident", "I1"], 66),
        (vec![], 64),
    ] {
        let mut all = vec!["incident", "open", "--title", "x"];
        all.extend(args);
        texts.push(ranch.run(&all).exits(exit).stderr);
    }
    let _ = ranch
        .run(&["incident", "open", "--title", " ", "--report", "latest"])
        .exits(64);
    texts.push(ranch.run(&["incident", "show", "I1"]).exits(66).stderr);
    insta::assert_snapshot!(texts.join("\n"));
    assert_eq!(ranch.data(&["incident", "list"], 0)["incidents"], json!([]));

    // A run whose manifest is missing is not linked as if it were complete.
    let answers = ranch.data(&["list", "--boundary", "north", "--herd", "h-heifers"], 0);
    let run = answers["answers"][0]["run"].clone();
    std::fs::remove_dir_all(ranch.path("out/manifests/north")).unwrap();
    let id = run["run_id"].as_str().unwrap();
    let _ = ranch
        .run(&["incident", "open", "--title", "x", "--run", id])
        .exits(74);
    assert_eq!(ranch.data(&["incident", "list"], 0)["incidents"], json!([]));
}

#[test]
fn an_incident_without_a_case_needs_a_reason() {
    let (ranch, _) = breached();
    let _ = open(&ranch, "one");
    let waive = |why: &'static str| {
        let mut all = CLOSE.to_vec();
        all.extend(["--waive-regression", why]);
        all
    };
    let _ = ranch.run(&waive(" ")).exits(64);
    let closed = ranch.data(&waive("the data was wrong, not the logic"), 0);
    assert_eq!(closed["waived"], "the data was wrong, not the logic");
    assert_eq!(closed["cases"], json!([]));
    let page = ranch.run(&["incident", "export", "I1"]).exits(0).stdout;
    assert!(
        page.contains("no regression case: the data was wrong, not the logic"),
        "{page}"
    );
}

#[test]
fn a_removed_case_keeps_the_incident_open() {
    let (ranch, _) = breached();
    let _ = open(&ranch, "one");
    let _ = ranch.run(&["incident", "regression", "I1"]).exits(0);
    std::fs::remove_file(ranch.path(CASE)).unwrap();
    insta::assert_snapshot!(ranch.run(&CLOSE).exits(17).stderr);
    // Written again, the file is the same, and is not recorded a second time.
    let again = ranch.data(&["incident", "regression", "I1"], 0);
    assert_eq!(again["files"][0]["entry"], Json::Null);
    // A version that the case does not bind need not pass it; the output says so.
    complete(&ranch, "expect = { days_of_grazing_remaining = 18.06 }");
    let closed = ranch.data(&CLOSE, 0);
    assert_eq!(
        closed["cases"][0]["checked"],
        "does not bind days_remaining:v2, which answers"
    );
}

#[test]
fn two_incidents_opened_together_get_two_numbers() {
    let (ranch, _) = breached();
    let start = |title: &str| {
        ranch
            .command()
            .args(["incident", "open", "--title", title, "--report", "latest"])
            .arg("--json")
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running: Vec<_> = ["a", "b", "c", "d"].map(start).into();
    let mut numbers: Vec<u64> = running
        .into_iter()
        .map(|child| {
            let ran = ranch.finish(child.wait_with_output().unwrap()).exits(0);
            ran.json()["data"]["number"].as_u64().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let listed = ranch.data(&["incident", "list"], 0);
    assert_eq!(listed["incidents"].as_array().unwrap().len(), 4);
}

#[test]
fn an_open_incident_keeps_its_release() {
    let (ranch, _) = breached();
    let cut = |value: &str| {
        let text = ranch.read("logic.toml");
        let lines = text.lines().map(|l| match l.starts_with("residual_kg") {
            true => format!("residual_kg_per_ha = {value}"),
            false => l.to_owned(),
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        ranch.write("logic.toml", &text);
        let _ = ranch.run(&["release", "cut", "--reason", value]).exits(0);
    };
    cut("240.0");
    cut("230.0");
    let plan = |keep: &'static str| {
        let plan = ranch.data(&["release", "prune", "--keep", keep], 0);
        plan["releases"].as_array().unwrap().len()
    };
    assert_eq!(plan("0"), 2);
    let _ = ranch
        .run(&["incident", "open", "--title", "x", "--release", "R1"])
        .exits(0);
    assert_eq!(plan("0"), 1);
    let kept = ranch.data(&["release", "prune", "--keep", "0"], 0);
    assert_eq!(kept["kept"][0]["why"], "I1 is open and refers to it");
    let mut close = CLOSE.to_vec();
    close.extend(["--waive-regression", "x"]);
    let _ = ranch.run(&close).exits(0);
    assert_eq!(plan("0"), 2);
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_around_a_write_leaves_the_old_state_or_the_new_one() {
    let (ranch, _) = breached();
    let count = || {
        let listed = ranch.data(&["incident", "list"], 0);
        listed["incidents"].as_array().unwrap().len()
    };
    let open = ["incident", "open", "--title", "x", "--report", "latest"];
    for (name, left) in [("ledger.before-commit", 0), ("ledger.after-commit", 1)] {
        ranch.killed_at(name, &open);
        assert_eq!(count(), left, "{name}");
    }
    let steps = || {
        let shown = ranch.data(&["incident", "show", "I1"], 0);
        shown["timeline"].as_array().unwrap().len()
    };
    let before = steps();
    let write = ["incident", "regression", "I1"];
    // A file without an entry is adopted. An entry without a file never occurs.
    for (name, there) in [
        ("file.half", false),
        ("file.before-name", false),
        ("file.after-name", true),
        ("ledger.before-commit", true),
    ] {
        ranch.killed_at(name, &write);
        assert_eq!(ranch.path(CASE).exists(), there, "{name}");
        if name == "file.after-name" {
            std::fs::remove_file(ranch.path(CASE)).unwrap();
        }
    }
    assert_eq!(steps(), before);
    let written = ranch.data(&write, 0);
    assert!(written["files"][0]["entry"].is_i64());
    assert_eq!(steps(), before + 1);
    complete(&ranch, "expect = { days_of_grazing_remaining = 18.06 }");
    ranch.killed_at("ledger.before-commit", &CLOSE);
    assert_eq!(ranch.data(&["incident", "show", "I1"], 0)["state"], "open");
    ranch.killed_at("ledger.after-commit", &CLOSE);
    assert_eq!(
        ranch.data(&["incident", "show", "I1"], 0)["state"],
        "closed"
    );
}
