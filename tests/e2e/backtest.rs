//! `backtest`: its figures against those of `compute`, planted changes found, nothing written.

use provender::domain::canonical::to_text;
use serde_json::Value as Json;

use crate::kit::Ranch;

const DAYS: &str = "days_of_grazing_remaining";

/// v2 recorded as the answer over eleven days.
fn recorded() -> Ranch {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    let _ = ranch.run(&with_days(&["compute", "--all"])).exits(0);
    ranch
}

fn with_days<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let days = ["--from", "2025-06-20", "--to", "2025-06-30"];
    args.iter().copied().chain(days).collect()
}

/// What `compute` gives for a version on these days: (boundary, herd, date) and the number.
fn computed(ranch: &Ranch, logic: &str) -> Vec<(String, Option<f64>)> {
    let args = with_days(&["compute", "--all", "--dry-run", "--logic", logic]);
    let data = ranch.data(&args, 0);
    let runs = data["runs"].as_array().unwrap().iter();
    let mut all: Vec<_> = runs
        .map(|r| {
            let key = |n: &str| r["key"][n].as_str().unwrap().to_owned();
            let place = [
                key("boundary_id"),
                key("herd_config_id"),
                key("calculation_date"),
            ];
            (place.join(" "), r["outputs"][DAYS].as_f64())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// The outcome of this name.
fn outcome<'a>(data: &'a Json, name: &str) -> &'a Json {
    let all = data["outcomes"].as_array().unwrap();
    all.iter().find(|o| o["name"] == name).unwrap()
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n % 2 == 1 {
        values[n / 2]
    } else {
        f64::midpoint(values[n / 2 - 1], values[n / 2])
    }
}

/// The shipped v2 with some of its bytes replaced, every place of them; all of one length.
fn patched(ranch: &Ranch, file: &str, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(ranch.path("components/days_remaining-v2.wasm")).unwrap();
    let mut places = 0;
    for i in 0..bytes.len() - from.len() {
        if bytes[i..].starts_with(from) {
            bytes[i..i + to.len()].copy_from_slice(to);
            places += 1;
        }
    }
    assert!(places > 0, "the component has changed: nothing to patch");
    std::fs::write(ranch.path(file), bytes).unwrap();
}

/// `f64.const x; f64.div`: how v2 turns a percentage into a share.
fn divide_by(x: f64) -> Vec<u8> {
    let mut code = vec![0x44];
    code.extend(x.to_le_bytes());
    code.push(0xa3);
    code
}

#[test]
fn figures_are_those_of_computing_both_versions() {
    let ranch = recorded();
    let before = computed(&ranch, "days_remaining:v2");
    let after = computed(&ranch, "days_remaining:v1");
    assert_eq!(before.len(), 55);
    let data = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(data["rows"], 55);
    assert_eq!(data["compared"], 55);
    assert_eq!(data["against"]["model_version"], "days_remaining:v2");
    assert_eq!(data["provenance"]["proved"], 55);
    assert_eq!(data["provenance"]["from_manifests"], 0);
    assert_eq!(data["baseline"]["recorded"], 55);

    let pairs: Vec<(&str, Option<f64>, Option<f64>)> = before
        .iter()
        .zip(&after)
        .map(|(b, a)| {
            assert_eq!(b.0, a.0);
            (b.0.as_str(), b.1, a.1)
        })
        .collect();
    let changes: Vec<(&str, f64, f64)> = pairs
        .iter()
        .filter_map(|(place, b, a)| Some((*place, (*b)?, (*a)?)))
        .filter(|(_, b, a)| b.to_bits() != a.to_bits())
        .collect();
    let o = outcome(&data, DAYS);
    let became = pairs.iter().filter(|p| p.1.is_some() && p.2.is_none());
    let became = became.count();
    assert_eq!(became, 11, "the home field has increments alone");
    assert_eq!(o["became_null"], became);
    assert_eq!(o["ceased_null"], 0);
    assert_eq!(o["changed"], changes.len() + became);
    assert_eq!(
        o["null_changes"][0]["reasons"][0],
        "only increments of forage are known: v1 needs standing forage"
    );
    let sizes: Vec<f64> = changes.iter().map(|(_, b, a)| (a - b).abs()).collect();
    let shares: Vec<f64> = changes
        .iter()
        .map(|(_, b, a)| ((a - b) / b).abs())
        .collect();
    let largest = |v: &[f64]| v.iter().copied().fold(0.0, f64::max);
    assert_eq!(o["figures"]["absolute"]["largest"], largest(&sizes));
    assert_eq!(o["figures"]["relative"]["largest"], largest(&shares));
    assert_eq!(o["figures"]["absolute"]["median"], middle(sizes.clone()));
    assert_eq!(o["figures"]["relative"]["median"], middle(shares));
    assert_eq!(o["figures"]["absolute"]["rows"], sizes.len());

    // The most affected boundaries, each by its most changed row.
    let mut peaks: std::collections::BTreeMap<&str, (f64, &str)> = Default::default();
    for (place, b, a) in &changes {
        let boundary = place.split(' ').next().unwrap();
        let peak = peaks.entry(boundary).or_insert((0.0, ""));
        if (a - b).abs() > peak.0 {
            *peak = ((a - b).abs(), place);
        }
    }
    let mut peaks: Vec<(f64, &str)> = peaks.into_values().collect();
    peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
    let affected = data["affected"].as_array().unwrap();
    assert_eq!(affected.len(), 3);
    for (row, (size, place)) in affected.iter().zip(peaks) {
        let key = |n: &str| row[n].as_str().unwrap();
        assert_eq!(
            [
                key("boundary_id"),
                key("herd_config_id"),
                key("calculation_date")
            ]
            .join(" "),
            place
        );
        assert_eq!(row["change"].as_f64().unwrap().abs(), size);
        let inputs = row["inputs"].as_array().unwrap();
        let read_by = |name: &str| {
            let one = inputs.iter().find(|i| i["name"] == name).unwrap();
            one["read_by"].as_str().unwrap().to_owned()
        };
        assert_eq!(read_by("forage_kg_per_ha"), "both");
        assert_eq!(read_by("utilization_target_pct"), "before");
    }
    // Whether each monitor's word changes is told rule by rule.
    let nulls =
        data["monitors"].as_array().unwrap().iter().find(|m| {
            m["rule"] == "share_null(days_of_grazing_remaining)" && m["scope"] == "fleet"
        });
    assert_eq!(nulls.unwrap()["before"]["status"], "ok");
    assert_eq!(nulls.unwrap()["after"]["status"], "crit");
    assert_eq!(nulls.unwrap()["after"]["value"], 0.2);
    assert_eq!(data["verdict"]["before"], "ok");
    assert_eq!(data["verdict"]["after"], "crit");
    // One outcome stands beside the other: the date moves by whole days.
    let date = outcome(&data, "recommended_move_date");
    assert_eq!(date["became_null"], 11);
    let moved = date["figures"]["absolute"]["largest"].as_f64().unwrap();
    assert!((moved - largest(&sizes)).abs() <= 1.0);
}

#[test]
fn what_the_candidate_reads_beyond_is_what_was_known_then() {
    let ranch = Ranch::sample();
    ranch.edit(
        "provender.toml",
        "\"days_remaining:v2\"",
        "\"days_remaining:v1\"",
    );
    let _ = ranch.run(&["ingest"]).exits(0);
    let _ = ranch.run(&with_days(&["compute", "--all"])).exits(0);
    let then = computed(&ranch, "days_remaining:v2");
    // What comes in later must not reach the past.
    let _ = ranch.run(&["ingest", "--forage", "story/forage_revised.csv"]);
    let data = ranch.data(&["backtest", "days_remaining:v2"], 0);
    assert_eq!(data["provenance"]["proved"], 55);
    assert_eq!(
        data["beyond"],
        serde_json::json!([
            "forage_increments_kg_per_ha",
            "increment_age_days",
            "utilization_target_pct"
        ])
    );
    let o = outcome(&data, DAYS);
    assert_eq!(o["ceased_null"], 11);
    let mut after: Vec<f64> = then.iter().filter_map(|t| t.1).collect();
    assert_eq!(after.len(), 55);
    after.sort_by(f64::total_cmp);
    // Nearest rank: the 3rd and 53rd of 55; the middle one is the 28th.
    let quantiles = &o["figures"]["after"];
    assert_eq!(quantiles["p05"], after[2]);
    assert_eq!(quantiles["p50"], after[27]);
    assert_eq!(quantiles["p95"], after[52]);
}

#[test]
fn a_version_that_never_answered_is_computed_as_the_side_before() {
    let ranch = recorded();
    let data = ranch.data(
        &[
            "backtest",
            "days_remaining:v2",
            "--against",
            "days_remaining:v1",
        ],
        0,
    );
    assert_eq!(data["baseline"]["computed"], 55);
    assert_eq!(data["baseline"]["recorded"], 0);
    let mut before: Vec<f64> = computed(&ranch, "days_remaining:v1")
        .iter()
        .filter_map(|t| t.1)
        .collect();
    before.sort_by(f64::total_cmp);
    let o = outcome(&data, DAYS);
    assert_eq!(before.len(), 44);
    assert_eq!(o["figures"]["before"]["p50"], middle(before));
    assert_eq!(o["ceased_null"], 11);
}

#[test]
fn a_planted_change_is_found_in_a_candidate_file() {
    let ranch = recorded();
    // A share out of 80 instead of 100: a quarter more usable forage everywhere.
    patched(
        &ranch,
        "candidate.wasm",
        &divide_by(100.0),
        &divide_by(80.0),
    );
    let data = ranch.data(&["backtest", "candidate.wasm"], 0);
    assert_eq!(data["candidate"]["file"], "candidate.wasm");
    assert_ne!(data["candidate"]["component"], data["against"]["component"]);
    let o = outcome(&data, DAYS);
    assert_eq!(o["changed"], 55);
    for figure in ["median", "largest"] {
        let share = o["figures"]["relative"][figure].as_f64().unwrap();
        assert!((share - 0.25).abs() < 1e-12, "{figure}: {share}");
    }
    assert_eq!(data["failed_rows"], 0);

    // Out of 40: a target of 50 % becomes a share of 1.25, which v2 refuses with a null and which
    // breaches the guardrail.
    patched(
        &ranch,
        "candidate.wasm",
        &divide_by(100.0),
        &divide_by(40.0),
    );
    let data = ranch.data(&["backtest", "candidate.wasm"], 0);
    let o = outcome(&data, DAYS);
    let halves = o["became_null"].as_u64().unwrap();
    assert!(halves > 0 && halves < 55, "{halves}");
    assert_eq!(o["changed"], 55);
    let rail = data["guardrails"]
        .as_array()
        .unwrap()
        .iter()
        .find(|g| g["output"] == "usable_share")
        .unwrap();
    assert_eq!(rail["before"]["breaches"], 0);
    assert_eq!(rail["after"]["breaches"], halves);
    assert_eq!(
        o["null_changes"][0]["reasons"][0],
        "the herd's utilisation target lies outside 0 to 100 %"
    );
}

#[test]
fn a_draft_can_be_tried_and_still_records_nothing() {
    let ranch = recorded();
    let pinned = ranch.data(&["backtest", "days_remaining:v1"], 0);
    let lock = ranch.read("provender.lock");
    let (v1, rest) = lock.split_once("version = \"v2\"").unwrap();
    assert!(v1.contains("state = \"frozen\""), "{v1}");
    let draft = v1.replacen("state = \"frozen\"", "state = \"draft\"", 1);
    ranch.write("provender.lock", &format!("{draft}version = \"v2\"{rest}"));
    let _ = ranch
        .run(&with_days(&[
            "compute",
            "--all",
            "--logic",
            "days_remaining:v1",
        ]))
        .exits(14);
    assert_eq!(ranch.data(&["backtest", "days_remaining:v1"], 0), pinned);
}

#[test]
fn the_same_component_changes_nothing_and_a_parameter_does() {
    let ranch = recorded();
    let same = ranch.data(&["backtest", "days_remaining:v2"], 0);
    for o in same["outcomes"].as_array().unwrap() {
        assert_eq!(o["changed"], 0);
        assert!(o["figures"]["absolute"].is_null());
    }
    assert_eq!(same["affected"], serde_json::json!([]));
    assert_eq!(same["verdict"]["before"], same["verdict"]["after"]);
    let other = ranch.data(
        &[
            "backtest",
            "days_remaining:v2",
            "--param",
            "max_days_remaining=100",
        ],
        0,
    );
    assert_eq!(outcome(&other, DAYS)["changed"], 0);
    let rail = &other["guardrails"][0];
    assert_eq!(rail["before"]["maximum"], 365.0);
    assert_eq!(rail["after"]["maximum"], 100.0);
    let over = computed(&ranch, "days_remaining:v2")
        .iter()
        .filter(|t| t.1.is_some_and(|x| x > 100.0))
        .count();
    assert!(over > 0);
    assert_eq!(rail["after"]["breaches"], over);
}

#[test]
fn rows_on_which_the_candidate_fails_are_told_and_end_with_17() {
    let ranch = recorded();
    // The word for the home field's basis is no UTF-8 any more: its rows fail, the others do not.
    patched(
        &ranch,
        "some.wasm",
        b"increments since season startstanding",
        b"\xffncrements since season startstanding",
    );
    let ran = ranch.run(&["backtest", "some.wasm", "--json"]).exits(17);
    let json = ran.json();
    let data = &json["data"];
    assert_eq!(data["failed_rows"], 11);
    assert_eq!(data["compared"], 44);
    assert_eq!(outcome(data, DAYS)["changed"], 0);
    assert_eq!(data["failed"].as_array().unwrap().len(), 10);
    assert_eq!(data["failed"][0]["boundary_id"], "home");
    assert_eq!(data["failed"][0]["calculation_date"], "2025-06-20");
    // Fewer answers than expected: the monitor says so.
    let coverage = data["monitors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["rule"] == "coverage" && m["scope"] == "fleet")
        .unwrap();
    assert_eq!(coverage["before"]["value"], 1.0);
    assert_eq!(coverage["after"]["value"], 0.8);
    assert_eq!(json["error"]["code"], "candidate_failed");

    // A trap in every row.
    let mut trap = divide_by(100.0);
    trap.pop();
    trap.push(0x00);
    patched(&ranch, "all.wasm", &divide_by(100.0), &trap);
    let ran = ranch
        .run(&["backtest", "all.wasm", "--boundary", "mesa"])
        .exits(17);
    assert!(ran.stdout.contains("The candidate fails"), "{}", ran.stdout);
    let first: Vec<&str> = ran.stderr.lines().take(2).collect();
    insta::assert_snapshot!(first.join("\n"), @r#"
    error: days_remaining:v2 failed on 11 of 11 rows
      mesa / h-sheep / 2025-06-20: it trapped: wasm trap: wasm `unreachable` instruction executed (trap)
    "#);
}

#[test]
fn nothing_recorded_is_66_and_never_a_pass() {
    let empty = Ranch::sample();
    let ran = empty.run(&["backtest", "days_remaining:v1"]).exits(66);
    insta::assert_snapshot!(ran.stderr, @r#"
    error: days_remaining has no recorded answer in this deployment, which has no ledger yet: nothing was compared, which is no pass
     help: `provender list --logic days_remaining` shows what is recorded, `provender compute --all --from … --to …` records a range
    "#);
    assert!(!empty.path("out/ledger.db").exists());

    let ranch = recorded();
    for args in [
        &["--to", "2025-06-19"][..],
        &["--from", "2025-07-01"],
        &["--boundary", "nowhere"],
        &["--herd", "h-none"],
    ] {
        let mut all = vec!["backtest", "days_remaining:v1"];
        all.extend(args);
        let _ = ranch.run(&all).exits(66);
    }
    let ran = ranch
        .run(&[
            "backtest",
            "days_remaining:v1",
            "--boundary",
            "mesa",
            "--from",
            "2025-07-01",
            "--to",
            "2025-07-31",
        ])
        .exits(66);
    insta::assert_snapshot!(ran.stderr, @r#"
    error: days_remaining has no recorded answer in mesa from 2025-07-01 up to 2025-07-31: nothing was compared, which is no pass
     help: `provender list --logic days_remaining` shows what is recorded, `provender compute --all --from … --to …` records a range
    "#);
    // A run that no version answers with is nothing to compare with either.
    let other = Ranch::sample();
    let _ = other.run(&["ingest"]).exits(0);
    let _ = other
        .run(&with_days(&[
            "compute",
            "--all",
            "--logic",
            "days_remaining:v1",
        ]))
        .exits(0);
    let _ = other.run(&["backtest", "days_remaining:v2"]).exits(66);
}

#[test]
fn what_cannot_be_tried_is_refused() {
    let ranch = recorded();
    for (args, code) in [
        (&["backtest", "days_remaining:v9"][..], 66),
        (&["backtest", "nothing.wasm"], 66),
        (&["backtest", "provender.toml"], 64),
        (
            &[
                "backtest",
                "days_remaining:v1",
                "--against",
                "frost_days:v7",
            ],
            66,
        ),
        (
            &[
                "backtest",
                "days_remaining:v1",
                "--from",
                "2025-06-30",
                "--to",
                "2025-06-01",
            ],
            64,
        ),
        (&["backtest", "days_remaining:v1", "--param", "x=1"], 64),
        (&["backtest", "days_remaining:v1", "--window-days", "0"], 64),
    ] {
        let _ = ranch.run(args).exits(code);
    }
    ranch.write("junk.wasm", "junk");
    let _ = ranch.run(&["backtest", "junk.wasm"]).exits(14);
    ranch.edit(
        "provender.toml",
        "[\"days_remaining:v2\", \"frost_days:v1\"]",
        "[\"frost_days:v1\"]",
    );
    let ran = ranch.run(&["backtest", "days_remaining:v1"]).exits(64);
    insta::assert_snapshot!(ran.stderr, @r#"
    error: no version of days_remaining is active; active are: frost_days:v1
     help: name what to compare with: --against NAME:VERSION
    "#);
}

#[test]
fn nothing_is_written() {
    let ranch = recorded();
    // Compiled code may be kept; nothing else.
    let _ = ranch.run(&["backtest", "days_remaining:v1"]).exits(0);
    let before = ranch.files(".");
    let _ = ranch.run(&["backtest", "days_remaining:v1"]).exits(0);
    let _ = ranch
        .run(&[
            "backtest",
            "days_remaining:v1",
            "--json",
            "--boundary",
            "mesa",
        ])
        .exits(0);
    assert_eq!(ranch.files("."), before);
}

#[test]
fn inputs_that_cannot_be_proved_come_from_the_manifest() {
    // Answers of a day recorded from what was known before another file came.
    let mut later = Ranch::sample();
    later.now = "2025-07-02T06:00:00Z".into();
    let _ = later.run(&["ingest"]).exits(0);
    later.now = "2025-07-03T06:00:00Z".into();
    later.write(
        "inputs/more.csv",
        "boundary_id,date,kg_per_ha,series\nmesa,2025-06-29,999.0,standing\n",
    );
    let _ = later
        .run(&["ingest", "--forage", "inputs/more.csv"])
        .exits(0);
    let _ = later
        .run(&[
            "compute",
            "--all",
            "--as-of",
            "2025-06-30",
            "--known-at",
            "2025-07-02T12:00:00Z",
        ])
        .exits(0);
    let data = later.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(
        data["provenance"]["from_manifests"], 1,
        "mesa alone differs"
    );
    assert_eq!(data["provenance"]["proved"], 4);
    // Both sides saw the forage of 25 June, not that of the 29th.
    let mesa = data["affected"].as_array().unwrap();
    let mesa = mesa.iter().find(|a| a["boundary_id"] == "mesa").unwrap();
    assert!((mesa["before"].as_f64().unwrap() - 18.1).abs() < 0.1);
    assert!((mesa["after"].as_f64().unwrap() - 136.0).abs() < 0.1);

    // A manifest that is needed and damaged is an integrity error, not a guess.
    for (path, _) in later.files("out/manifests/mesa") {
        std::fs::write(path, "{}").unwrap();
    }
    let _ = later.run(&["backtest", "days_remaining:v1"]).exits(11);
}

#[test]
fn what_is_ingested_later_reaches_no_recorded_answer() {
    let ranch = recorded();
    let before = ranch.data(&["backtest", "days_remaining:v1"], 0);
    let _ = ranch
        .run(&[
            "ingest",
            "--source",
            "forage-standing",
            "--forage",
            "story/wrong_forage.csv",
        ])
        .exits(0);
    let after = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(after, before);
    assert_eq!(after["provenance"]["proved"], 55);
    let _ = ranch
        .run(&[
            "ingest",
            "retract",
            "inputs/forage_standing.csv",
            "--reason",
            "test",
        ])
        .exits(0);
    assert_eq!(ranch.data(&["backtest", "days_remaining:v1"], 0), before);
    // Neither does a pasture with a herd from before those days on: nobody could have answered for it.
    ranch.write(
        "late.geojson",
        &ranch
            .read("inputs/pastures.geojson")
            .replace("\"mesa\"", "\"late\""),
    );
    let _ = ranch
        .run(&["ingest", "--boundaries", "late.geojson"])
        .exits(0);
    let late = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(late["verdict"], before["verdict"]);
    let frost = ranch.data(&["backtest", "frost_days:v1"], 0);
    assert_eq!(frost["verdict"]["after"], "ok", "{:#}", frost["verdict"]);
}

#[test]
fn a_logic_without_herds_is_tried_on_a_copy_of_the_ledger() {
    let ranch = recorded();
    let here = ranch.data(&["backtest", "frost_days:v1"], 0);
    assert_eq!(here["rows"], 44, "four pastures on eleven days");
    assert_eq!(
        here["provenance"]["proved"], 44,
        "series of thirty days too"
    );
    assert_eq!(outcome(&here, "frost_days")["changed"], 0);
    let _ = ranch.run(&["backup", "copy"]).exits(0);
    let copy = ranch.data(
        &["backtest", "frost_days:v1", "--ledger", "copy/ledger.db"],
        0,
    );
    assert_eq!(copy, here);
}

#[test]
fn a_reissued_answer_counts_with_its_own_inputs() {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&[
            "ingest",
            "--source",
            "forage-standing",
            "--forage",
            "story/forage_revised.csv",
        ])
        .exits(0);
    let plan = ranch.data(
        &["reissue", "--as-of", "2025-06-30", "--reason", "revised"],
        0,
    );
    let digest = plan["plan"].as_str().unwrap().to_owned();
    let _ = ranch
        .run(&[
            "reissue",
            "--as-of",
            "2025-06-30",
            "--reason",
            "revised",
            "--apply",
            &digest,
        ])
        .exits(0);
    let data = ranch.data(&["backtest", "days_remaining:v1", "--boundary", "north"], 0);
    assert_eq!(data["rows"], 1);
    assert_eq!(data["provenance"]["proved"], 1);
    let before = data["affected"][0]["before"].as_f64().unwrap();
    assert!((before - 77.2).abs() < 0.1, "{before}");
}

#[test]
fn the_report_is_written_as_markdown_and_as_one_page() {
    let ranch = recorded();
    let ran = ranch
        .run(&[
            "backtest",
            "days_remaining:v1",
            "--markdown",
            "report.md",
            "--html",
            "report.html",
        ])
        .exits(0);
    assert!(ran.stdout.contains("page: report.html"), "{}", ran.stdout);
    let markdown = ranch.read("report.md");
    let printed = ranch
        .run(&["backtest", "days_remaining:v1", "--markdown"])
        .exits(0);
    assert_eq!(printed.stdout, markdown);
    // The head, and what a reviewer looks for first.
    let head: Vec<&str> = markdown.lines().take(14).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    # Back-test: days\_remaining:v1 against days\_remaining:v2

    - 55 recorded answers from 2025-06-20 to 2025-06-30; 55 compared. Nothing was recorded.
    - candidate: days\_remaining:v1 (component cd049a0155b2, config 2b932e8284e0)
    - against: days\_remaining:v2 (component 63a75b9aacbc, config 62c2623bdca6)
    - inputs: 55 gathered again and proved by the recorded digest, 0 taken from manifests
    - numbers before: 55 as recorded

    ## Settings

    - Set differently on the two sides:

    | setting | of | before | after |
    |---|---|---|---|
    ");
    let outcomes = markdown.lines().skip_while(|l| *l != "## Outcomes").take(6);
    insta::assert_snapshot!(outcomes.collect::<Vec<_>>().join("\n"), @r"
    ## Outcomes

    | outcome | changed | share | became null | ceased to be null | null in both |
    |---|--:|--:|--:|--:|--:|
    | days\_of\_grazing\_remaining (d) | 55 | 100.0 % | 11 | 0 | 0 |
    | recommended\_move\_date | 55 | 100.0 % | 11 | 0 | 0 |
    ");
    for line in [
        "| days\\_of\\_grazing\\_remaining (d) | 141.2165 | 227.46 | 203 | 653.4 | 90.28 | 141.2165 | 227.46 |",
        "| recommended\\_move\\_date (days) | 141 | 227 | – | – | 90 | 141 | 227 |",
        "| usable\\_share | 0..1 | 0 | – | – |",
        "- ✕ over the 30 days from 2025-06-01 to 2025-06-30: ok before, crit after",
    ] {
        assert!(markdown.lines().any(|l| l == line), "{line}\n{markdown}");
    }
    let page = ranch.read("report.html");
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg").count(), 1);
    assert_eq!(
        page.matches("<script").count(),
        1,
        "the embedded JSON alone"
    );
    let json = page
        .split("id=\"provender-backtest\">")
        .nth(1)
        .and_then(|t| t.split("</script>").next())
        .unwrap();
    let embedded: Json = serde_json::from_str(json).unwrap();
    let data = ranch.data(&["backtest", "days_remaining:v1"], 0);
    assert_eq!(to_text(&embedded).unwrap(), to_text(&data).unwrap());
}
