//! `monitor report` and `monitor triage`: what is behind a failing row, and whether the data or the logic is
//! at fault.

use crate::kit::Ranch;

fn reissue(ranch: &Ranch, from: &str, to: &str) {
    let range = ["reissue", "--from", from, "--to", to, "--reason", "x"];
    let plan = ranch.data(&range, 0)["plan"].as_str().unwrap().to_owned();
    let mut apply = range.to_vec();
    apply.extend(["--apply", &plan]);
    let _ = ranch.run(&apply).exits(0);
}

/// The ranch over June. From the 16th on its forage is in the wrong unit, accepted and reissued.
fn unit_mistake() -> Ranch {
    let ranch = Ranch::ran();
    let june = [
        "compute",
        "--all",
        "--from",
        "2025-05-20",
        "--to",
        "2025-06-29",
    ];
    let _ = ranch.run(&june).exits(0);
    let take = [
        "ingest",
        "--forage",
        "story/forage_unit_mistake.csv",
        "--accept",
    ];
    let _ = ranch.run(&take).exits(0);
    reissue(&ranch, "2025-06-16", "2025-06-30");
    ranch
}

#[test]
fn a_changed_unit_is_recognised_by_its_factor() {
    let ranch = unit_mistake();
    // No bound detects it: DS monitors how low the north gets.
    let text = ranch.read("logic.toml");
    let rule = "\n[[days_remaining.v2.monitors]]\nadd = true\nmetric = \"min\"\nsubject = \"days_of_grazing_remaining\"\nscope = \"fleet\"\ndirection = \"below\"\nwarn = 72\ncrit = 71\nmin_rows = 5\n";
    ranch.write("logic.toml", &format!("{text}{rule}"));
    let window = [
        "monitor",
        "--boundary",
        "north",
        "--end",
        "2025-06-30",
        "--window-days",
        "14",
    ];
    let report = ranch.data(&window, 2);
    let failing = report["fleet"][0]["failing"].as_array().unwrap();
    assert_eq!(failing.len(), 8);
    let triage = ranch.data(&["monitor", "triage"], 0);
    assert_eq!(triage["logics"][0]["verdict"], "data");
    insta::assert_snapshot!(ranch.run(&["monitor", "triage"]).exits(0).stdout);

    // Once another version is recorded on the same inputs, it is compared.
    let v1 = [
        "compute",
        "--all",
        "--from",
        "2025-06-17",
        "--to",
        "2025-06-30",
        "--logic",
        "days_remaining:v1",
    ];
    let _ = ranch.run(&v1);
    let triage = ranch.data(&["monitor", "triage"], 0);
    let findings = triage["logics"][0]["findings"].as_array().unwrap();
    let other = findings.iter().find(|f| f["code"] == "other_version");
    let other = other.unwrap();
    assert_eq!(other["rows"], 8, "{other}");
    assert!(
        other["says"]
            .as_str()
            .unwrap()
            .starts_with("days_remaining:v1 on the same inputs"),
        "{other}"
    );

    // So is a baseline frozen while all was well: pounds per acre lie within the range of a month of
    // kilograms per hectare.
    let frozen = [
        "monitor",
        "baseline",
        "create",
        "--logic",
        "days_remaining:v2",
        "--to",
        "2025-06-15",
        "--window-days",
        "27",
        "--reason",
        "before the new file",
    ];
    let _ = ranch.run(&frozen).exits(0);
    let triage = ranch.data(&["monitor", "triage"], 0);
    let findings = triage["logics"][0]["findings"].as_array().unwrap();
    let within = findings
        .iter()
        .find(|f| f["code"] == "inputs_within_baseline");
    let within = within.unwrap_or_else(|| panic!("{triage}"));
    assert_eq!(within["rows"], 8);
    let says = within["says"].as_str().unwrap();
    let of = "the baseline of days_remaining:v2, 2025-05-20 to 2025-06-15,";
    assert!(says.contains(of), "{says}");
}

#[test]
fn a_slipped_decimal_point_is_recognised_by_what_the_reissue_replaced() {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&["ingest", "--forage", "story/wrong_forage.csv"])
        .exits(0);
    reissue(&ranch, "2025-06-30", "2025-06-30");
    let window = ["monitor", "--all", "--end", "2025-06-30"];
    let said = ranch.run(&window).exits(2).stdout;
    let next = said.split("next: ").nth(1).unwrap();
    insta::assert_snapshot!(next);
    insta::assert_snapshot!(ranch.run(&["monitor", "triage"]).exits(0).stdout);
    insta::assert_snapshot!(ranch.run(&["monitor", "report"]).exits(0).stdout);

    let report = ranch.data(&["monitor", "report", "--end", "2025-06-30"], 0);
    let recorded = ranch.data(&window, 2);
    assert_eq!(report["report"], recorded["report"]);
    let row = &report["failing"][0];
    let behind = &recorded["fleet"][0]["failing"][0];
    for name in ["run_id", "snapshot_id", "manifest", "config_version"] {
        assert_eq!(row[name], behind[name]);
    }
    assert!(row["component"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(report["failing"].as_array().unwrap().len(), 1);
    let triage = ranch.data(&["monitor", "triage"], 0);
    assert_eq!(triage["logics"][0]["verdict"], "data");
    assert_eq!(triage["report"], report["report"]);

    // After withdrawal and reissue, the old report is still explained, and the new one has nothing to triage.
    let _ = ranch
        .run(&[
            "ingest",
            "retract",
            "story/wrong_forage.csv",
            "--reason",
            "x",
        ])
        .exits(0);
    reissue(&ranch, "2025-06-30", "2025-06-30");
    let _ = ranch.run(&window).exits(0);
    let digest = report["report"].as_str().unwrap();
    let old = ranch.data(&["monitor", "report", digest], 0);
    assert!(old["failing"][0]["superseded_by"].is_string());
    assert_eq!(
        ranch.data(&["monitor", "triage", digest], 0)["logics"][0]["verdict"],
        "data"
    );
    let quiet = ranch.run(&["monitor", "triage"]).exits(0).stdout;
    assert!(quiet.contains("there is nothing to triage"), "{quiet}");
}

#[test]
fn a_missing_report_is_an_error_that_says_so() {
    let ranch = Ranch::sample();
    let mut texts = vec![ranch.run(&["monitor", "report"]).exits(66).stderr];
    let _ = ranch.run(&["run", "--as-of", "2025-06-30"]).exits(0);
    texts.push(
        ranch
            .run(&["monitor", "triage", "--end", "2025-05-01"])
            .exits(66)
            .stderr,
    );
    texts.push(
        ranch
            .run(&["monitor", "report", "abcdef0123"])
            .exits(66)
            .stderr,
    );
    insta::assert_snapshot!(texts.join("\n"));
}
