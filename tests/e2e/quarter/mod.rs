//! A whole quarter on the sample ranch, with a staging and a prod deployment: a version is replaced by a
//! better one, staging stops a unit mistake, the same mistake is let through, caught and rolled back, and a
//! new version fixes it. Afterwards every number can be explained and replayed.

use std::path::{Path, PathBuf};

use serde_json::json;

mod deployment;

use deployment::{Deployment, carry};

#[test]
fn a_quarter_from_v1_to_v4() {
    let mut staging = Deployment::new("staging");
    let mut prod = Deployment::new("prod");
    the_first_version_goes_to_prod(&mut staging, &mut prod);
    a_better_one_takes_its_place(&mut staging, &mut prod);
    staging_stops_a_unit_mistake(&mut staging);
    it_is_let_through_and_caught(&mut staging, &mut prod);
    it_is_taken_back(&mut prod);
    let case = it_is_put_on_record(&mut prod);
    ds_completes_the_cases(&mut staging, &case);
    the_version_that_mends_it(&mut staging, &mut prod);
    all_of_it_can_be_told(&mut prod);
}

/// `[("backtest", "warn")]` as the gate returns it.
fn wrong(checks: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, verdict): &(&str, &str)| ((*name).to_owned(), (*verdict).to_owned());
    checks.iter().map(owned).collect()
}

/// July starts with v1, which has no answer for the home field. That is acknowledged and alerts nobody. The
/// first release of an environment has nothing to compare with, so somebody has to override the gate.
fn the_first_version_goes_to_prod(staging: &mut Deployment, prod: &mut Deployment) {
    staging.cut("days_remaining:v1", "v1, as the range team knows it", 1);
    let first = Some("the first release of this environment");
    staging.promote("R1", "none", "the first release", first);
    carry(staging, prod, "R1");
    prod.promote("R1", "none", "the first release", first);
    for place in [&*staging, &*prod] {
        assert_eq!(place.compute("2025-06-01", "2025-06-30")["recorded"], 270);
        let report = place.job("2025-06-30", 2);
        assert_eq!(report["summary"]["unchanged"], 9);
        let ack = ["monitor", "ack", "home/h-bulls/days_remaining:v1"];
        let until = ["--until", "2025-09-30", "--reason", "v1 sums no growth"];
        let _ = place.data(&[&ack[..], &until[..]].concat(), 0);
        let _ = place.job("2025-06-30", 0);
    }
}

/// In July v2 replaces it: it uses the usable forage instead of all of it, and the growth of the home field.
/// Half as many days are intended, so MLOps sets staging's threshold for it. Prod alerts, and has a canary of
/// a fortnight to look at.
fn a_better_one_takes_its_place(staging: &mut Deployment, prod: &mut Deployment) {
    for place in [&mut *staging, &mut *prod] {
        place.on("2025-07-15");
        assert_eq!(place.compute("2025-07-01", "2025-07-14")["recorded"], 126);
    }
    staging.cut("days_remaining:v2", "usable forage, not all of it", 2);
    staging.approve("R2");
    assert_eq!(staging.gate("R2", 12), wrong(&[("backtest", "warn")]));
    let settings = staging.ranch.read("provender.toml");
    let meant = "\n[gate.staging.backtest]\nmedian_change_warn = 0.8\n";
    staging
        .ranch
        .write("provender.toml", &format!("{settings}{meant}"));
    assert_eq!(staging.gate("R2", 0), wrong(&[]));
    staging.promote("R2", "R1", "back-test reviewed with the range team", None);
    let _ = staging.job("2025-07-15", 0);

    carry(staging, prod, "R2");
    prod.approve("R2");
    let refused = wrong(&[("backtest", "warn"), ("canary", "unknown")]);
    assert_eq!(prod.gate("R2", 12), refused);
    let canary = ["release", "canary", "R2", "--window-days", "14"];
    let how = ["--as-of", "2025-07-14", "--reason", "before it answers"];
    let started = prod.data(&[&canary[..], &how].concat(), 0);
    assert_eq!(started["backfill"]["summary"]["recorded"], 70);
    let shadow = prod.job("2025-07-15", 0);
    assert_eq!(shadow["canary"]["summary"]["recorded"], 5);
    let v1 = prod.answer("creek", "h-steers", "2025-07-15");
    assert!(v1 > 200.0, "a canary answers nothing: {v1}");
    let alerts = wrong(&[("backtest", "warn"), ("canary", "warn")]);
    assert_eq!(prod.gate("R2", 1), alerts);
    prod.promote("R2", "R1", "held in staging", None);
    // What it computed in shadow is the answer now, and nothing is computed again.
    let again = prod.compute("2025-07-01", "2025-07-15");
    assert_eq!(again["recorded"], 0);
    let report = prod.job("2025-07-15", 0);
    assert_eq!(report["summary"]["unchanged"], 9);
    let home = prod.answer("home", "h-bulls", "2025-07-15");
    let steers = prod.answer("creek", "h-steers", "2025-07-15");
    let near = home > 80.0 && (130.0..132.0).contains(&steers);
    assert!(near, "{home} {steers}");
}

/// In August DS delivers v3, which reads the animals' weight and mistakes kilograms for pounds. No golden
/// case has a weight, so they all pass.
fn staging_stops_a_unit_mistake(staging: &mut Deployment) {
    staging.on("2025-08-15");
    assert_eq!(staging.compute("2025-07-16", "2025-08-14")["recorded"], 270);
    staging.add("v3", "v2");
    staging.cut("days_remaining:v3", "intake by the animals' weight", 3);
    staging.approve("R3");
    let stopped = wrong(&[("backtest", "crit"), ("monitors", "crit")]);
    assert_eq!(staging.gate("R3", 12), stopped);
    let promote = ["release", "promote", "R3", "--expect", "R2"];
    let _ = staging.data(&[&promote[..], &["--reason", "now"]].concat(), 12);
    assert_eq!(staging.active(), json!(2));
}

/// Somebody is in a hurry and overrides the gate. Prod's monitor reports it on the first morning, a Friday;
/// on Monday somebody reads it.
fn it_is_let_through_and_caught(staging: &mut Deployment, prod: &mut Deployment) {
    prod.on("2025-08-15");
    assert_eq!(prod.compute("2025-07-16", "2025-08-14")["recorded"], 270);
    carry(staging, prod, "R3");
    let refused = prod.gate("R3", 12);
    assert!(refused.contains(&("backtest".to_owned(), "crit".to_owned())));
    let hurry = Some("the range team wants the weights today");
    prod.promote("R3", "R2", "weights of the herds are in", hurry);
    for day in ["2025-08-15", "2025-08-16", "2025-08-17", "2025-08-18"] {
        prod.on(day);
        let report = prod.job(day, 2);
        assert_eq!(report["summary"]["recorded"], 9, "{day}");
    }
    let doubled = prod.answer("creek", "h-steers", "2025-08-18");
    assert!(doubled > 250.0, "{doubled}");
}

/// The runbook, one command for each step: freeze, report, triage, rollback.
fn it_is_taken_back(prod: &mut Deployment) {
    let freeze = ["release", "freeze", "--reason", "days doubled over night"];
    let _ = prod.data(&freeze, 0);
    let report = prod.data(&["monitor", "report"], 0);
    let failing = report["failing"].as_array().unwrap();
    assert_eq!(failing.len(), 4);
    for row in failing {
        assert_eq!(row["model_version"], "days_remaining:v3");
        assert_eq!(row["release"], "R3");
        assert!(prod.ranch.path(row["manifest"].as_str().unwrap()).is_file());
    }
    // Triage says what is missing. Once the earlier version has run on the same days, it points to the logic.
    let verdict = |prod: &Deployment| {
        let triage = prod.data(&["monitor", "triage"], 0);
        triage["logics"][0]["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(prod), "unknown");
    let beside = ["--from", "2025-08-15", "--to", "2025-08-18"];
    let v2 = ["compute", "--all", "--logic", "days_remaining:v2"];
    let _ = prod.data(&[&v2[..], &beside[..]].concat(), 0);
    assert_eq!(verdict(prod), "logic");

    let open = ["incident", "open", "--title", "days of every herd doubled"];
    let digest = report["report"].as_str().unwrap();
    let about = ["--report", digest, "--release", "R3"];
    let opened = prod.data(&[&open[..], &about[..]].concat(), 0);
    assert_eq!(opened["incident"], "I1");

    let back = [
        "release",
        "rollback",
        "--reason",
        "v3 is wrong about intake",
    ];
    let back = prod.data(&back, 0);
    assert_eq!(
        (&back["number"], &back["previous_number"]),
        (&json!(2), &json!(3))
    );
    // The runs of v2 for these days are recorded already, and are the answers again.
    let again = prod.compute("2025-08-15", "2025-08-18");
    assert_eq!(
        (&again["recorded"], &again["unchanged"]),
        (&json!(0), &json!(36))
    );
    let steers = prod.answer("creek", "h-steers", "2025-08-18");
    assert!(steers < 120.0, "{steers}");
    let _ = prod.job("2025-08-18", 0);
}

/// The incident gets its regression cases, and cannot be closed before DS has completed them. Returns their
/// file.
fn it_is_put_on_record(prod: &mut Deployment) -> PathBuf {
    let found = "the weights are kilograms already";
    let _ = prod.data(&["incident", "note", "I1", found], 0);
    let written = prod.data(&["incident", "regression", "I1", "--cases", "cases"], 0);
    let file = written["files"][0]["file"].as_str().unwrap();
    assert_eq!(written["files"][0]["since"], "v4");
    let close = ["incident", "close", "I1", "--resolution", "rolled back"];
    let refused = prod.run(&close).exits(17).stderr;
    assert!(refused.contains("expect"), "{refused}");
    prod.ranch.path(file)
}

/// DS completes the cases by hand; v3 fails them and v4 passes.
fn ds_completes_the_cases(staging: &mut Deployment, case: &Path) {
    let text = std::fs::read_to_string(case).unwrap();
    // 24 g per kilogram of a steer's weight: 8.64 kg a day, for 190 steers.
    let right = "expect = { intake_kg_per_head = 8.64, daily_consumption_kg = 1641.6 }\ntolerance = { intake_kg_per_head = 1e-9, daily_consumption_kg = 1e-6 }";
    let completed = text.replace(
        "# expect = { … }   # DS: what is right for these inputs; then take this line in",
        right,
    );
    assert_ne!(completed, text);
    std::fs::write(case, &completed).unwrap();
    let name = case.file_name().unwrap().to_str().unwrap();
    let ranch = &staging.ranch;
    ranch.write(&format!("cases/days_remaining/{name}"), &completed);
    // The same cases, as if v3 had to pass them.
    let bound = completed.replace("since = \"v4\"", "since = \"v3\"");
    ranch.write("bound/days_remaining/all.toml", &bound);

    staging.on("2025-08-22");
    staging.add("v4", "v3");
    for (version, cases, code) in [("v3", "bound", 17), ("v4", "bound", 0), ("v4", "cases", 0)] {
        let model = format!("days_remaining:{version}");
        let _ = staging
            .run(&["plugin", "test", &model, "--cases", cases])
            .exits(code);
    }
}

/// The release with v4 takes the same path as the others, once promotions are allowed again.
fn the_version_that_mends_it(staging: &mut Deployment, prod: &mut Deployment) {
    assert_eq!(staging.compute("2025-08-15", "2025-08-21")["recorded"], 63);
    staging.cut("days_remaining:v4", "the weight is in kilograms", 4);
    staging.approve("R4");
    assert_eq!(staging.gate("R4", 0), wrong(&[]));
    staging.promote("R4", "R2", "the regression cases hold", None);
    let _ = staging.job("2025-08-22", 0);
    carry(staging, prod, "R4");

    prod.on("2025-08-22");
    assert_eq!(prod.compute("2025-08-19", "2025-08-21")["recorded"], 27);
    prod.approve("R4");
    let canary = ["release", "canary", "R4", "--window-days", "14"];
    let how = ["--as-of", "2025-08-21", "--reason", "before it answers"];
    let _ = prod.data(&[&canary[..], &how].concat(), 0);
    let alerts = prod.gate("R4", 0);
    assert_eq!(alerts, wrong(&[]));
    let promote = ["release", "promote", "R4", "--reason", "held in staging"];
    let held = prod.run(&promote).exits(12).stderr;
    assert!(held.contains("frozen"), "{held}");
    let free = ["release", "unfreeze", "--reason", "the mistake is found"];
    let _ = prod.data(&free, 0);
    prod.promote("R4", "R2", "held in staging, passes the cases of I1", None);
    let _ = prod.job("2025-08-22", 0);
    let close = ["incident", "close", "I1"];
    let how = ["--resolution", "v4 takes the weight as it is; R4"];
    let closed = prod.data(&[&close[..], &how].concat(), 0);
    assert_eq!(closed["incident"], "I1");
}

/// The quarter ends. Its history names each change with its reason and each number with its inputs, and a
/// replay of all of it gives the same bits.
fn all_of_it_can_be_told(prod: &mut Deployment) {
    prod.on("2025-10-01");
    let _ = prod.compute("2025-08-23", "2025-09-29");
    let _ = prod.job("2025-09-30", 0);
    assert_eq!(prod.active(), json!(4));
    let history = prod.data(&["release", "history"], 0);
    let changes: Vec<_> = history["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            let number = c["number"].as_u64().unwrap();
            (
                c["kind"].as_str().unwrap(),
                number,
                c["override"].is_string(),
            )
        })
        .collect();
    let expected = [
        ("promotion", 1, true),
        ("promotion", 2, false),
        ("promotion", 3, true),
        ("rollback", 2, false),
        ("promotion", 4, false),
    ];
    assert_eq!(changes, expected);
    let then = ["release", "history", "--at", "2025-08-16"];
    let then = prod.run(&then).exits(0).stdout;
    assert!(then.contains("R3") && then.contains("the range team wants the weights today"));

    let replayed = prod.data(&["replay", "--all"], 0);
    assert_eq!(replayed["replayed"], replayed["identical"]);
    let listed = prod.data(&["list", "--from", "2025-07-01", "--to", "2025-09-30"], 0);
    let answers = listed["answers"].as_array().unwrap();
    // 92 days of five herds and four boundaries; the sheep leave on 31 August, the steers on 15 September.
    assert_eq!(answers.len(), 92 * 9 - 30 - 15);
    for answer in answers.iter().step_by(97) {
        let run = answer["run"]["run_id"].as_str().unwrap();
        let explained = prod.data(&["explain", run], 0);
        assert_eq!(explained["run"]["outputs"], answer["run"]["outputs"]);
        assert!(!explained["inputs"].as_array().unwrap().is_empty());
    }
    let page = ["incident", "export", "I1", "--markdown", "I1.md"];
    let _ = prod.run(&page).exits(0);
    let page = prod.ranch.read("I1.md");
    for said in [
        "R3",
        "days doubled over night",
        "v4 takes the weight as it is",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
}
