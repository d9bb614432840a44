//! Monitors over weeks: baselines, what they are compared with, and what never passes.

use serde_json::Value as Json;

use crate::kit::Ranch;

/// A sample ranch with three months of answers, and rules that compare with a baseline.
fn ranch() -> Ranch {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&[
            "compute",
            "--all",
            "--from",
            "2025-04-01",
            "--to",
            "2025-06-30",
        ])
        .exits(0);
    let mut text = ranch.read("logic.toml");
    for (metric, scope, warn, crit) in [
        ("median_shift", "fleet", 50, 90),
        ("psi", "fleet", 500, 900),
        ("psi", "series", 500, 900),
        ("step", "series", 500, 900),
    ] {
        text.push_str(&format!(
            "\n[[days_remaining.v2.monitors]]\nadd = true\nmetric = \"{metric}\"\nsubject = \"days_of_grazing_remaining\"\nscope = \"{scope}\"\nwarn = {warn}\ncrit = {crit}\nmin_rows = 10\n"
        ));
    }
    ranch.write("logic.toml", &text);
    ranch
}

const MONITOR: [&str; 4] = ["monitor", "--all", "--end", "2025-06-30"];

fn fleet(report: &Json) -> &Json {
    report["fleet"]
        .as_array()
        .unwrap()
        .iter()
        .find(|g| g["model_version"] == "days_remaining:v2")
        .unwrap()
}

fn metric<'a>(group: &'a Json, name: &str) -> &'a Json {
    group["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["name"] == name)
        .unwrap()
}

fn create(to: &str, days: &str) -> Vec<String> {
    [
        "monitor",
        "baseline",
        "create",
        "--to",
        to,
        "--window-days",
        days,
        "--logic",
        "days_remaining:v2",
        "--reason",
        "a quiet spring",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn a_baseline_is_frozen_compared_with_named_and_replaced() {
    let ranch = ranch();
    let run = |args: &[String], code| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        ranch.data(&args, code)
    };

    // Without a baseline a shift is unknown, which does not pass.
    let unknown = ranch.data(&MONITOR, 1);
    for name in ["median_shift", "psi"] {
        assert_eq!(metric(fleet(&unknown), name)["status"], "unknown");
    }
    let empty = ranch.data(&["monitor", "baseline", "list"], 0);
    assert_eq!(empty["baselines"], serde_json::json!([]));

    // A dry run writes nothing.
    let mut dry = create("2025-05-31", "60");
    dry.push("--dry-run".to_owned());
    let tried = run(&dry, 0);
    assert_eq!(ranch.data(&["monitor", "baseline", "list"], 0), empty);

    let made = run(&create("2025-05-31", "60"), 0);
    assert_eq!(made["baselines"][0]["outcome"], "recorded");
    assert_eq!(
        made["baselines"][0]["baseline"],
        tried["baselines"][0]["baseline"]
    );
    assert_eq!(made["baselines"][0]["from"], "2025-04-02");
    let again = run(&create("2025-05-31", "60"), 0);
    assert_eq!(again["baselines"][0]["outcome"], "unchanged");

    let report = ranch.data(&MONITOR, 0);
    let logic = report["logics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["model_version"] == "days_remaining:v2")
        .unwrap();
    assert_eq!(
        logic["baseline"]["baseline"],
        made["baselines"][0]["baseline"]
    );
    for name in ["median_shift", "psi"] {
        let m = metric(fleet(&report), name);
        assert_eq!(m["status"], "ok", "{m}");
        assert!(m["value"].as_f64().unwrap() >= 0.0, "{m}");
        // Five places, thirty days.
        assert_eq!(m["rows"], 150, "{m}");
    }
    // Its own period does not differ from it. (It is crit for another reason: in that spring the home field
    // had no grass yet.)
    let own = ranch.data(
        &[
            "monitor",
            "--all",
            "--end",
            "2025-05-31",
            "--window-days",
            "60",
        ],
        2,
    );
    assert_eq!(metric(fleet(&own), "median_shift")["value"], 0.0);
    // The only difference left is half a row in every bin.
    assert!(metric(fleet(&own), "psi")["value"].as_f64().unwrap() < 0.01);

    // Every series with enough answers is compared with its own past.
    let series = report["series"].as_array().unwrap();
    let judged = series
        .iter()
        .filter(|g| g["model_version"] == "days_remaining:v2")
        .map(|g| metric(g, "step"));
    for m in judged {
        assert_eq!(m["status"], "ok", "{m}");
        assert!(m["rows"].as_u64().unwrap() >= 10, "{m}");
    }

    // A newer baseline replaces it; the older one stays in the record.
    let newer = run(&create("2025-06-15", "70"), 0);
    let list = ranch.data(&["monitor", "baseline", "list"], 0);
    let list = list["baselines"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["in_force"], false);
    assert_eq!(list[1]["in_force"], true);
    assert_eq!(list[1]["by"], "tester");
    assert_eq!(list[1]["reason"], "a quiet spring");
    let shown = ranch.data(&["monitor", "baseline", "show", "days_remaining:v2"], 0);
    assert_eq!(shown["baseline"], newer["baselines"][0]["baseline"]);
    let old = made["baselines"][0]["baseline"].as_str().unwrap();
    let shown = ranch.data(&["monitor", "baseline", "show", old], 0);
    let days = shown["document"]["fleet"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["subject"] == "days_of_grazing_remaining")
        .unwrap();
    let counts = days["counts"].as_array().unwrap();
    let held: u64 = counts.iter().map(|c| c.as_u64().unwrap()).sum();
    assert_eq!(held, days["rows"].as_u64().unwrap());
    assert_eq!(counts.len(), days["edges"].as_array().unwrap().len() + 1);
}

#[test]
fn an_impossible_baseline_or_rule_is_refused_with_the_reason() {
    let ranch = Ranch::ran();
    let create = |rest: &[&str]| {
        let mut args = vec!["monitor", "baseline", "create"];
        args.extend(rest);
        ranch.run(&args)
    };
    let text = create(&["--to", "2024-01-31", "--window-days", "30", "--reason", "x"])
        .exits(66)
        .stderr;
    insta::assert_snapshot!(text, @r"
    error: days_remaining:v2 has no answer from 2024-01-02 to 2024-01-31, so there is nothing to freeze
     help: `provender list --logic days_remaining:v2` shows what is recorded; nothing was written
    ");
    let text = create(&[
        "--from",
        "2025-06-30",
        "--to",
        "2025-06-01",
        "--reason",
        "x",
    ])
    .exits(64)
    .stderr;
    insta::assert_snapshot!(text, @"error: the period ends on 2025-06-01, before it starts on 2025-06-30");
    let _ = create(&["--to", "2025-06-30", "--window-days", "30", "--reason", " "]).exits(64);
    let _ = create(&["--to", "2025-06-30", "--window-days", "30"]).exits(64);
    let text = ranch
        .run(&["monitor", "baseline", "show", "days_remaining:v2"])
        .exits(66)
        .stderr;
    insta::assert_snapshot!(text, @r"
    error: there is no baseline `days_remaining:v2`
     help: `provender monitor baseline list` lists them; name one by at least six hex digits or by its name:version
    ");

    // A rule must be complete, with its number of rows, or it is refused.
    let own = ranch.read("logic.toml");
    let rule = "\n[[days_remaining.v2.monitors]]\nmetric = \"psi\"\nsubject = \"days_of_grazing_remaining\"\nwarn = 3\n";
    ranch.write("logic.toml", &format!("{own}{rule}"));
    let text = ranch.run(&MONITOR).exits(78).stderr;
    insta::assert_snapshot!(text, @r"
    error: days_remaining:v2: logic.toml sets thresholds of `psi(days_of_grazing_remaining)`, which the component does not declare; the nearest is `share_null(days_of_grazing_remaining) above, series`
     help: to add a rule of your own, set `add = true` in its table, with scope, direction and min_rows; docs/reference/monitoring.md lists the metrics
    ");
    ranch.write("logic.toml", &format!("{own}{rule}add = true\n"));
    let text = ranch.run(&MONITOR).exits(78).stderr;
    insta::assert_snapshot!(text, @"error: days_remaining:v2: logic.toml adds a monitor rule of `psi` without min_rows; set the fewest rows on which it can be judged");
    ranch.write(
        "logic.toml",
        &format!("{own}{rule}add = true\nmin_rows = 10\ndirection = \"up\"\n"),
    );
    let text = ranch.run(&MONITOR).exits(78).stderr;
    insta::assert_snapshot!(text, @"error: days_remaining:v2: logic.toml sets a monitor's direction to `up`; write above or below");
    // A rule that has no verdict for some days yet does not pass.
    ranch.write(
        "logic.toml",
        &format!("{own}{rule}add = true\nmin_rows = 10\n"),
    );
    let _ = ranch.run(&MONITOR).exits(1);
}
