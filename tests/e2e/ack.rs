//! `monitor ack` and `monitor acks`: known cases that keep a day quiet and are never hidden.

use serde_json::Value as Json;

use crate::kit::Ranch;

/// The fleet's group of `days_remaining`.
fn fleet(data: &Json) -> &Json {
    let groups = data["fleet"].as_array().unwrap();
    groups
        .iter()
        .find(|g| g["model_version"] == "days_remaining:v2")
        .unwrap()
}

#[test]
fn a_known_case_is_acknowledged_shown_and_expires() {
    let ranch = Ranch::ran();
    // In spring the home field has no grass yet.
    let _ = ranch
        .run(&[
            "compute",
            "--all",
            "--from",
            "2025-04-01",
            "--to",
            "2025-05-31",
        ])
        .exits(0);
    let window = [
        "monitor",
        "--all",
        "--end",
        "2025-05-31",
        "--window-days",
        "60",
    ];
    let monitor = |code| ranch.data(&window, code);
    let crit = monitor(2);
    assert!(crit.get("acknowledged").is_none(), "{crit}");
    let ack = |series: &str, until: &str| {
        ranch.run(&[
            "monitor",
            "ack",
            series,
            "--until",
            until,
            "--reason",
            "vendor informed",
        ])
    };

    // What would have no effect is refused.
    let text = ack("mesa/h-shep/days_remaining", "2025-07-31")
        .exits(66)
        .stderr;
    assert!(
        text.contains("nothing is recorded or due for mesa/h-shep/days_remaining"),
        "{text}"
    );
    let _ = ack("mesa/h-sheep", "2025-07-31").exits(64);
    let _ = ack("mesa/h-sheep/days_remaining", "2025-06-01").exits(64);

    let failing = fleet(&crit)["failing"].as_array().unwrap();
    assert_eq!(failing.len(), 29);
    assert!(
        failing
            .iter()
            .all(|f| f["boundary_id"] == "home" && f["herd_config_id"] == "h-horses")
    );
    let home = "home/h-horses/days_remaining";
    // An acknowledgement does not silence another metric or another place of the same logic.
    let _ = ack("mesa/h-sheep/days_remaining", "2025-07-31").exits(0);
    let _ = ranch
        .run(&[
            "monitor",
            "ack",
            home,
            "--metric",
            "share_null",
            "--until",
            "2025-07-31",
            "--reason",
            "x",
        ])
        .exits(0);
    assert_eq!(monitor(2)["status"], "crit");
    let _ = ack(home, "2025-07-31").exits(0);
    let again = ack(home, "2025-07-31").exits(0).stdout;
    assert!(again.starts_with("unchanged"), "{again}");

    // The verdict ignores the acknowledged row but names it. The status of the row and of the fleet stays.
    let quiet = monitor(0);
    assert_eq!(quiet["status"], "ok");
    assert_eq!(fleet(&quiet)["status"], "crit");
    assert_eq!(fleet(&quiet)["failing"], fleet(&crit)["failing"]);
    let named = quiet["acknowledged"].as_array().unwrap();
    assert_eq!(named.len(), 3);
    let whole = named
        .iter()
        .find(|a| a["boundary_id"] == "home" && a["metric"].is_null())
        .unwrap();
    assert_eq!(whole["by"], "tester");
    assert_eq!(whole["reason"], "vendor informed");
    let text = ranch.run(&window).exits(0).stdout;
    assert!(
        text.contains(
            "acknowledged by tester until 2025-07-31: home/h-horses/days_remaining (vendor informed)"
        ),
        "{text}"
    );
    let list = ranch.data(&["monitor", "acks"], 0);
    assert_eq!(list["acknowledged"][0]["expired"], false);

    // An acknowledgement counts for windows up to its last day. Ended by a newer one, the case fails again.
    let _ = ack(home, "2025-05-30").exits(0);
    let after = monitor(2);
    assert_eq!(after["acknowledged"].as_array().unwrap().len(), 2);
    let list = ranch.data(&["monitor", "acks"], 0);
    assert_eq!(list["acknowledged"][0]["expired"], true);
    assert_eq!(list["acknowledged"][0]["series"], home);
}

#[test]
fn an_impossible_acknowledgement_is_refused_with_the_reason() {
    let ranch = Ranch::ran();
    let ack = |args: &[&str]| {
        let all: Vec<&str> = ["monitor", "ack"].iter().chain(args).copied().collect();
        ranch.run(&all)
    };
    let why = ["--until", "2025-07-31", "--reason", "x"];
    let with = |series: &'static str, more: &[&'static str]| -> Vec<&str> {
        [series].iter().chain(&why).chain(more).copied().collect()
    };
    let mut texts = Vec::new();
    for (args, exit) in [
        (with("mesa/h-sheep", &[]), 64),
        (with("mesa/h-shep/days_remaining", &[]), 66),
        (
            with("mesa/h-sheep/days_remaining", &["--metric", "shares"]),
            64,
        ),
        (
            vec![
                "mesa/h-sheep/days_remaining",
                "--until",
                "2025-06-01",
                "--reason",
                "x",
            ],
            64,
        ),
        (
            vec![
                "mesa/h-sheep/days_remaining",
                "--until",
                "2025-07-31",
                "--reason",
                " ",
            ],
            64,
        ),
    ] {
        texts.push(ack(&args).exits(exit).stderr);
    }
    insta::assert_snapshot!(texts.join("\n"));
    assert_eq!(
        ranch.data(&["monitor", "acks"], 0)["acknowledged"],
        serde_json::json!([])
    );
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_around_an_acknowledgement_leaves_it_complete_or_absent() {
    let ranch = Ranch::ran();
    let args = [
        "monitor",
        "ack",
        "mesa / h-sheep / days_remaining:v2",
        "--until",
        "2025-07-31",
        "--reason",
        "x",
    ];
    let known = || {
        let data = ranch.data(&["monitor", "acks"], 0);
        data["acknowledged"].as_array().unwrap().len()
    };
    for (name, left) in [("ledger.before-commit", 0), ("ledger.after-commit", 1)] {
        ranch.killed_at(name, &args);
        assert_eq!(known(), left, "{name}");
    }
    let again = ranch.run(&args).exits(0).stdout;
    assert!(again.starts_with("unchanged"), "{again}");
    assert_eq!(known(), 1);
}
