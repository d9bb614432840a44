//! The JSON and the other renderings of the same report.

use super::*;
use crate::monitor::brief::brief;
use provender_domain::ids::BoundaryId;
use provender_domain::render::{Look, html, markdown, terminal};

#[test]
fn the_json_is_the_contract_and_carries_its_own_digest() {
    let rules = vec![
        days(0.02, 0.1, "share_null"),
        rule("coverage", None, Some(0.98), Some(0.9)),
    ];
    let (report, _) = fleet_of(rules, &EIGHT);
    let mut json = report.to_json().unwrap();
    assert_eq!(json["status"], "crit");
    assert_eq!(json["fleet"][0]["boundary_id"], serde_json::Value::Null);
    assert_eq!(json["fleet"][0]["metrics"][0]["name"], "share_null");
    assert_eq!(json["fleet"][0]["metrics"][0]["direction"], "above");
    assert_eq!(
        json["fleet"][0]["failing"][0]["manifest"],
        "manifests/north/2025-06-03_3.json"
    );
    assert_eq!(json["series"][0]["herd_config_id"], "h1");
    assert_eq!(
        json["series"][0]["outcome"]["points"][2][1],
        serde_json::Value::Null
    );
    assert_eq!(json["$type"], "provender.monitor-report.v1");
    let stated = json.as_object_mut().unwrap().remove("report").unwrap();
    assert_eq!(stated, Digest::of_json(&json).unwrap().to_string());
}

fn hostile() -> MonitorReport {
    let evil = "</script><script>alert(1)</script>|`\u{1b}[31m\n# x";
    let mut bad = series(&EIGHT);
    bad.boundary_id = BoundaryId::unchecked(evil);
    bad.rows[2].manifest = "javascript:alert(1)//\"><b>.json".to_owned();
    judge(
        window(),
        &[logic(vec![days(0.02, 0.1, "share_null")], vec![bad])],
    )
    .unwrap()
}

#[test]
fn a_hostile_id_stays_text_in_every_rendering() {
    let report = hostile();
    let page = html::page(&document(&report, &whole()).unwrap());
    assert!(!page.contains("<script>") && !page.contains("<b>"));
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(page.contains("href=\"../javascript%3Aalert%281%29//%22%3E%3Cb%3E.json\""));
    let json = page.split("id=\"provender-report\">").nth(1).unwrap();
    let json = json.split("</script>").next().unwrap();
    let back: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        back,
        serde_json::from_str::<serde_json::Value>(&report.to_canonical().unwrap()).unwrap()
    );

    let summary = Extent::summary(None);
    let markdown = markdown::markdown(&document(&report, &summary).unwrap());
    assert!(!markdown.contains("\n# x") && !markdown.contains('\u{1b}'));
    for line in terminal::lines(&brief(&report, 50)) {
        for (_, text) in line {
            assert!(!text.contains(['\n', '\u{1b}']), "{text}");
        }
    }
}

#[test]
fn renderings_start_with_the_verdict_and_count_what_they_leave_out() {
    let values: Vec<Option<f64>> = (0..30).map(|i| (i >= 12).then(|| f64::from(i))).collect();
    let (report, group) = fleet_of(vec![days(0.02, 0.1, "share_null")], &values);
    assert_eq!(group.failing.len(), 12);
    let lines: Vec<_> = terminal::lines(&brief(&report, 5))
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(lines[0].0, Look::Bad);
    assert!(
        lines[0]
            .1
            .starts_with("monitor crit: 2025-06-01 to 2025-06-30 (30 days)")
    );
    assert!(
        lines
            .iter()
            .any(|l| l.1.contains("and 7 more failing answers"))
    );
    let five = |extent: Extent| {
        let extent = Extent { rows: 5, ..extent };
        document(&report, &extent).unwrap()
    };
    let markdown = markdown::markdown(&five(Extent::summary(None)));
    assert!(markdown.contains("5 of 12; all are in the JSON report"));
    let verdict = markdown.find("\n✕ crit\n").unwrap();
    assert!(verdict < markdown.find("\n## ").unwrap(), "{markdown}");
    let page = html::page(&five(whole()));
    assert!(page.contains("5 of 12; all are in the JSON report"));
    assert!(page.contains("<svg class=\"chart\"") && page.contains("12 null, 0 missing"));
}

#[test]
fn a_chart_draws_the_values_that_exist() {
    use super::chart::{Mark, chart};
    let points = vec![
        (june(1), Some(10.0)),
        (june(2), None),
        (june(3), Some(400.0)),
        (june(4), Some(12.0)),
    ];
    let outcome = report::OutcomeSeries {
        name: "days".to_owned(),
        unit: Some("d".to_owned()),
        minimum: Some(0.0),
        maximum: Some(365.0),
        points,
    };
    let window = report::ReportWindow {
        start: june(1),
        end: june(30),
        days: 30,
    };
    let marks = [
        Mark {
            value: 50.0,
            crit: false,
            label: "warn of mean".to_owned(),
        },
        Mark {
            value: 1e6,
            crit: true,
            label: "crit of mean".to_owned(),
        },
    ];
    let svg = chart(&outcome, window, &[june(9)], &marks).to_string();
    for (what, times) in [
        ("class=\"dot\"", 2),
        ("class=\"breach\"", 1),
        ("class=\"null\"", 1),
        ("class=\"missing\"", 1),
        ("class=\"bound\"", 2),
        ("class=\"t-warn\"", 1),
        ("class=\"t-crit\"", 0),
    ] {
        assert_eq!(svg.matches(what).count(), times, "{what}");
    }
    assert!(svg.contains("Beyond the chart: crit of mean 1000000"));
    let empty = report::OutcomeSeries {
        points: vec![],
        ..outcome
    };
    let svg = chart(
        &empty,
        report::ReportWindow {
            start: june(1),
            end: june(1),
            days: 1,
        },
        &[],
        &[],
    )
    .to_string();
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}
