//! `backtest`: its figures agree with those of `compute`, planted changes are found, and the report has its
//! formats.

use provender_domain::canonical::to_text;
use serde_json::Value as Json;

use crate::backtest_kit::{
    DAYS, computed, divide_by, middle, outcome, patched, recorded, with_days,
};

#[test]
fn figures_equal_those_from_computing_both_versions() {
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
    // The report says for each rule whether its status changes.
    let nulls =
        data["monitors"].as_array().unwrap().iter().find(|m| {
            m["rule"] == "share_null(days_of_grazing_remaining)" && m["scope"] == "fleet"
        });
    assert_eq!(nulls.unwrap()["before"]["status"], "ok");
    assert_eq!(nulls.unwrap()["after"]["status"], "crit");
    assert_eq!(nulls.unwrap()["after"]["value"], 0.2);
    assert_eq!(data["verdict"]["before"], "ok");
    assert_eq!(data["verdict"]["after"], "crit");
    // The other outcome agrees: the date moves by whole days.
    let date = outcome(&data, "recommended_move_date");
    assert_eq!(date["became_null"], 11);
    let moved = date["figures"]["absolute"]["largest"].as_f64().unwrap();
    assert!((moved - largest(&sizes)).abs() <= 1.0);
}

#[test]
fn a_planted_change_is_found_in_a_candidate_file() {
    let ranch = recorded();
    // Dividing by 80 instead of 100 gives a quarter more usable forage everywhere.
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

    // Dividing by 40 turns a target of 50 % into a share of 1.25. v2 refuses it with a null, which breaches
    // the guardrail.
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
fn a_draft_can_be_backtested_and_still_records_nothing() {
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
fn the_same_component_shows_no_change_and_another_parameter_does() {
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
fn the_report_is_written_as_markdown_and_as_one_html_page() {
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
    // The head of the report, and what a reviewer looks for first.
    let head: Vec<&str> = markdown.lines().take(14).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    # Back-test: days\_remaining:v1 against days\_remaining:v2

    - 55 recorded answers from 2025-06-20 to 2025-06-30; 55 compared. Nothing was recorded.
    - candidate: days\_remaining:v1 (component 18d83e7386a2, config 2b932e8284e0)
    - against: days\_remaining:v2 (component 7d67488e7837, config 62c2623bdca6)
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
