//! Gates: what admits a release, what stops it and with which message, and which decision a promotion needs.

use serde_json::{Value as Json, json};

use crate::gate_kit::{
    DAY, approve, approved, cut, first, gate, of, promote, ranch, residual, staged, verdicts,
};

#[test]
fn a_good_release_is_admitted_and_the_decision_is_recorded_and_required() {
    let ranch = staged();
    // Without a decision nothing is promoted, and the message names the next step.
    let refused = promote(&ranch, "R2", 12);
    insta::assert_snapshot!(refused.stderr);

    // Nobody has approved, and missing approvals do not pass.
    let report = gate(&ranch, &["R2"], 12);
    assert_eq!(of(&report, "ownership")["verdict"], "unknown");
    let refused = promote(&ranch, "R2", 12);
    insta::assert_snapshot!(refused.stderr);

    // The approval of the person who cut the release is not enough.
    approve(&ranch, "R2", "tester", "ds");
    approve(&ranch, "R2", "tester", "mlops");
    let report = gate(&ranch, &["R2", "--dry-run"], 12);
    assert_eq!(of(&report, "ownership")["verdict"], "crit");
    assert_eq!(report["entry"], Json::Null);

    approved(&ranch, "R2");
    let report = gate(&ranch, &["R2"], 0);
    assert_eq!(
        verdicts(&report),
        "verify ok, goldens ok, ownership ok, min_rows ok, replay ok, backtest ok, monitors ok, age ok"
    );
    assert_eq!(
        (&report["passes"], &report["number"]),
        (&json!(true), &json!(2))
    );
    assert!(report["entry"].as_i64().is_some());
    assert_eq!(report["against_number"], 1);
    let moved = ranch.data(&["release", "promote", "R2", "--reason", "go"], 0);
    assert_eq!(
        (&moved["changed"], &moved["number"]),
        (&json!(true), &json!(2))
    );

    // A rollback needs no gate.
    let _ = ranch
        .run(&["release", "rollback", "--reason", "back"])
        .exits(0);

    // The decision was made while R1 was active, so it is valid again, but not under another policy.
    ranch.edit(
        "provender.toml",
        "[ledger]",
        "[gate.staging]\nmax_age_days = 9\n[ledger]",
    );
    let other = promote(&ranch, "R2", 12);
    assert!(
        other.stderr.contains("under another policy"),
        "{}",
        other.stderr
    );
    ranch.edit("provender.toml", "[gate.staging]\nmax_age_days = 9\n", "");
    let _ = promote(&ranch, "R2", 0);

    // For the active release, the monitors' own report of its answers is the evidence.
    let _ = gate(&ranch, &["R2"], 0);
    let shown = ranch.data(&["release", "evidence", "R2"], 0);
    let evidence = shown["evidence"].as_array().unwrap().iter();
    let monitor = evidence.rev().find(|e| e["kind"] == "monitor").unwrap();
    let digest = monitor["report"].as_str().unwrap();
    let kept = ranch.data(&["release", "evidence", "R2", "--report", digest], 0);
    let one = &kept["content"]["logics"][0];
    assert_eq!(one["of"], "answers");
    assert_eq!(one["report"]["status"], "ok", "{kept}");
}

#[test]
fn a_decision_expires_and_is_bound_to_the_release_active_at_the_time() {
    let mut ranch = staged();
    approved(&ranch, "R2");
    let _ = gate(&ranch, &["R2"], 0);
    ranch.now = "2025-07-09T06:00:00Z".into();
    let old = promote(&ranch, "R2", 12);
    assert!(
        old.stderr.contains("none older than 7 days"),
        "{}",
        old.stderr
    );
    // A new decision fails too, because the recorded answers and the approvals are too old.
    let report = gate(&ranch, &["R2"], 12);
    assert_eq!(of(&report, "age")["verdict"], "unknown");

    ranch.now = "2025-07-01T06:00:00Z".into();
    let _ = gate(&ranch, &["R2"], 0);
    residual(&ranch, 2);
    cut(&ranch, "days_remaining:v2");
    let args = [
        "release",
        "promote",
        "R3",
        "--reason",
        "go",
        "--override",
        "urgent",
    ];
    let _ = ranch.run(&args).exits(0);
    let other = promote(&ranch, "R2", 12);
    assert!(
        other.stderr.contains("beside another release"),
        "{}",
        other.stderr
    );
}

#[test]
fn missing_broken_or_insufficient_evidence_stops_a_release_and_is_named() {
    let ranch = ranch("staging", "v1");
    cut(&ranch, "days_remaining:v1");
    approved(&ranch, "R1");
    // The first release has nothing to compare with, and v1 has no answer for the creek.
    let report = gate(&ranch, &["R1", "--dry-run"], 12);
    assert_eq!(
        verdicts(&report),
        "verify ok, goldens ok, ownership ok, min_rows ok, replay ok, backtest unknown, monitors crit, age ok"
    );
    first(&ranch, "days_remaining:v1");

    // v2 moves the numbers by more than half. Intended or not, staging requires approval of that.
    cut(&ranch, "days_remaining:v2");
    approved(&ranch, "R2");
    let report = gate(&ranch, &["R2", "--dry-run"], 12);
    assert_eq!(of(&report, "backtest")["verdict"], "warn", "{report}");
    assert_eq!(of(&report, "backtest")["action"], "block");

    // If the policy allows for the change, the release is admitted; prod would alert.
    ranch.edit(
        "provender.toml",
        "[ledger]",
        "[gate.staging.backtest]\nmedian_change_warn = 0.9\n[gate.prod]\nchecks = [\"backtest\"]\n[ledger]",
    );
    let report = gate(&ranch, &["R2", "--dry-run"], 0);
    assert_eq!(report["passes"], true);
    let report = gate(&ranch, &["R2", "--env", "prod"], 1);
    assert_eq!(
        (&report["entry"], &report["outcome"]),
        (&Json::Null, &json!("warn"))
    );

    // The policy requires more rows than there are.
    ranch.edit(
        "provender.toml",
        "[gate.staging.backtest]\n",
        "[gate.staging.min_rows]\nrows = 5000\n[gate.staging.backtest]\nmin_rows = 5000\n",
    );
    let report = gate(&ranch, &["R2", "--dry-run"], 12);
    assert_eq!(of(&report, "min_rows")["verdict"], "unknown");
    assert_eq!(of(&report, "backtest")["verdict"], "unknown");
    assert!(
        of(&report, "backtest")["observed"]
            .as_str()
            .unwrap()
            .contains("too few")
    );
    ranch.edit(
        "provender.toml",
        "[gate.staging.min_rows]\nrows = 5000\n[gate.staging.backtest]\nmin_rows = 5000\n",
        "[gate.staging.backtest]\n",
    );

    // A golden case fails.
    ranch.edit(
        "cases/days_remaining/both.toml",
        "daily_consumption_kg = 0.0 }",
        "daily_consumption_kg = 1.0 }",
    );
    let report = gate(&ranch, &["R2", "--dry-run"], 12);
    assert_eq!(of(&report, "goldens")["verdict"], "crit", "{report}");
    std::fs::remove_dir_all(ranch.path("cases")).unwrap();
    // Without cases here, the evidence from the cut counts.
    let report = gate(&ranch, &["R2", "--dry-run"], 0);
    assert!(
        of(&report, "goldens")["evidence"][0]
            .as_str()
            .unwrap()
            .starts_with("entry ")
    );

    // A component has other bytes than its pin, so nothing is computed with it.
    let store = ranch.path("out/releases/components");
    for entry in std::fs::read_dir(store).unwrap() {
        std::fs::write(entry.unwrap().path(), b"other bytes").unwrap();
    }
    let report = gate(&ranch, &["R2", "--dry-run"], 12);
    assert_eq!(of(&report, "verify")["verdict"], "crit");
    assert_eq!(of(&report, "backtest")["verdict"], "unknown");
}

#[test]
fn a_release_without_the_evidence_that_a_policy_requires_is_stopped() {
    let ranch = staged();
    ranch.edit(
        "provender.toml",
        "[ledger]",
        "[gate.staging]\nchecks = [\"baseline\", \"approvals\", \"canary\", \"passed\"]\n[gate.staging.passed]\nenvironments = [\"dev\"]\n[ledger]",
    );
    let report = gate(&ranch, &["R2", "--dry-run"], 12);
    assert_eq!(
        verdicts(&report),
        "approvals unknown, passed unknown, baseline unknown, canary unknown"
    );
    let remedy =
        |report: &Json, name: &str| of(report, name)["remedy"][0].as_str().unwrap().to_owned();
    assert!(remedy(&report, "canary").contains("release canary R2"));
    assert!(remedy(&report, "baseline").contains("monitor baseline create"));
    approved(&ranch, "R2");
    let args = [
        "monitor",
        "baseline",
        "create",
        "--to",
        DAY,
        "--window-days",
        "10",
        "--reason",
        "normal",
    ];
    let _ = ranch.run(&args).exits(0);
    let report = gate(&ranch, &["R2", "--dry-run"], 12);
    assert_eq!(
        verdicts(&report),
        "approvals ok, passed unknown, baseline ok, canary unknown"
    );
}

#[test]
fn a_decision_is_exported_and_imported_as_evidence() {
    let staging = staged();
    // The first decision is a refusal. Of two decisions the later one counts, in the other environment too.
    let _ = gate(&staging, &["R2"], 12);
    approved(&staging, "R2");
    let _ = gate(&staging, &["R2"], 0);
    let file = staging.path("R2.tar");
    let file = file.to_str().unwrap();
    let _ = staging.run(&["release", "export", "R2", file]).exits(0);

    let prod = ranch("prod", "v2");
    let imported = prod.run(&["release", "import", file]).exits(0).stdout;
    assert!(
        imported.contains("then release gate R2 --explain"),
        "{imported}"
    );
    let shown = prod.data(&["release", "show", "R2"], 0);
    let evidence = shown["evidence"].as_array().unwrap();
    let gates: Vec<_> = evidence.iter().filter(|e| e["kind"] == "gate").collect();
    let decisions: Vec<_> = gates
        .iter()
        .map(|e| (&e["environment"], &e["verdict"]))
        .collect();
    let staging_said = json!("staging");
    assert_eq!(
        decisions,
        [
            (&staging_said, &json!("crit")),
            (&staging_said, &json!("ok"))
        ]
    );
    // The approvals are imported too, but as evidence, not as approvals here.
    let approvals: Vec<&str> = evidence
        .iter()
        .filter(|e| e["kind"] == "approval" && e["environment"] == "staging")
        .map(|e| e["summary"].as_str().unwrap())
        .collect();
    assert_eq!(
        approvals,
        ["dora as ds: looked at", "omar as mlops: looked at"]
    );
    assert_eq!(shown["approvals"], json!([]));
    let asked = gate(&prod, &["R2", "--dry-run"], 12);
    assert_eq!(of(&asked, "ownership")["verdict"], "unknown");

    // The report was imported with the decision, unchanged.
    let digest = gates[1]["report"].as_str().unwrap();
    let kept = prod.data(&["release", "evidence", "R2", "--report", digest], 0);
    assert_eq!(kept["kind"], "gate");
    assert_eq!(kept["content"]["why"], "all 8 checks hold");
    let monitors = evidence.iter().rfind(|e| e["kind"] == "monitor").unwrap();
    let digest = monitors["report"].as_str().unwrap();
    let kept = prod.data(&["release", "evidence", "R2", "--report", digest], 0);
    let logics = kept["content"]["logics"].as_array().unwrap();
    // For a version with another configuration, the report has its rules on the recorded inputs.
    assert_eq!(logics[0]["of"], "recorded inputs");
    assert!(logics[0]["report"]["rules"][0]["after"].is_object());
    // The imported decision alone does not allow a promotion.
    let _ = promote(&prod, "R2", 12);
    prod.edit(
        "provender.toml",
        "[ledger]",
        "[gate.prod]\nchecks = [\"verify\", \"passed\", \"age\"]\n[ledger]",
    );
    let report = gate(&prod, &["R2"], 0);
    assert_eq!(verdicts(&report), "verify ok, passed ok, age ok");
    let _ = promote(&prod, "R2", 0);
    let history = prod.run(&["release", "history"]).exits(0).stdout;
    for part in [
        "gate ok (the gate of staging lets in R2: all 8 checks hold, staging, ",
        "approval ok (dora as ds: looked at, staging, ",
        "gate ok (the gate of prod lets in R2: all 3 checks hold, prod, ",
    ] {
        assert!(history.contains(part), "{part}: {history}");
    }
}

#[test]
fn a_refusal_is_shown_in_every_format() {
    let ranch = staged();
    let ran = ranch
        .run(&["release", "gate", "R2", "--explain", "--dry-run"])
        .exits(12);
    insta::assert_snapshot!(without_digests(&format!("{}\n{}", ran.stdout, ran.stderr)));
    for format in ["markdown", "junit"] {
        let args = ["release", "gate", "R2", "--dry-run", "--format", format];
        let ran = ranch.run(&args).exits(12);
        insta::assert_snapshot!(without_digests(&ran.stdout));
    }
    let args = [
        "release",
        "gate",
        "R2",
        "--dry-run",
        "--format",
        "html",
        "--out",
        "gate.html",
    ];
    let ran = ranch.run(&args).exits(12);
    assert!(ran.stdout.contains("report: gate.html"), "{}", ran.stdout);
    let page = ranch.read("gate.html");
    assert!(page.contains("the gate of staging refuses R2"));
    assert!(page.contains("provender release approve R2 --as ds"));
    assert!(!page.contains("://"), "a page of its own needs no network");
    // The report as stored.
    let args = ["release", "gate", "R2", "--dry-run", "--format", "json"];
    let kept: Json = serde_json::from_str(&ranch.run(&args).exits(12).stdout).unwrap();
    assert_eq!(kept["$type"], "provender.gate.v1");
}

/// Digests depend on the tools that built the components.
fn without_digests(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("sha256") {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let end = found
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-')))
            .unwrap_or(found.len());
        out.push_str("DIGEST");
        rest = &found[end..];
    }
    out.push_str(rest);
    out
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_leaves_the_whole_decision_or_none() {
    let ranch = staged();
    approved(&ranch, "R2");
    for (point, code) in [("gate.before-ledger", 12), ("gate.after-ledger", 0)] {
        ranch.killed_at(point, &["release", "gate", "R2"]);
        let _ = promote(&ranch, "R2", code);
        let _ = ranch.run(&["audit"]).exits(0);
    }
}

#[test]
fn prod_requires_a_canary_beside_the_active_release() {
    let ranch = ranch("prod", "v2");
    first(&ranch, "days_remaining:v2");
    residual(&ranch, 1);
    cut(&ranch, "days_remaining:v2");
    approved(&ranch, "R2");
    let report = gate(&ranch, &["R2"], 12);
    assert_eq!(report["why"], "canary is unknown (no canary)");
    let canary = |days| {
        let args = [
            "release",
            "canary",
            "R2",
            "--window-days",
            days,
            "--as-of",
            DAY,
            "--reason",
            "look",
        ];
        let _ = ranch.run(&args).exits(0);
    };
    // The policy requires more than five days.
    canary("5");
    let report = gate(&ranch, &["R2"], 12);
    assert!(
        of(&report, "canary")["observed"]
            .as_str()
            .unwrap()
            .ends_with("5 days compared, too few"),
        "{report}"
    );
    let _ = ranch
        .run(&["release", "canary", "stop", "--reason", "longer"])
        .exits(0);
    canary("10");
    let report = gate(&ranch, &["R2"], 0);
    assert_eq!(of(&report, "canary")["verdict"], "ok");
    let _ = promote(&ranch, "R2", 0);
}

#[test]
fn a_crit_that_the_policy_admits_shows_in_the_exit_code() {
    let ranch = ranch("prod", "v1");
    cut(&ranch, "days_remaining:v1");
    ranch.edit(
        "provender.toml",
        "[ledger]",
        "[gate.prod]\nchecks = [\"monitors\"]\non_crit = \"alert\"\n[ledger]",
    );
    // v1 has no answer for the creek.
    let report = gate(&ranch, &["R1"], 2);
    assert_eq!(
        (&report["passes"], &report["outcome"]),
        (&json!(true), &json!("crit"))
    );
    let _ = promote(&ranch, "R1", 0);
}
