//! Tests of monitors; this file has the fixtures that they share.

mod judging;
mod properties;
mod refusing;
mod rendering;
mod shifting;

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::{BTreeMap, BTreeSet};

use super::document::{Extent, document};
use super::report::{Group, MetricReport};
use super::*;
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::description::{
    Bound, Description, Direction, Guardrail, MonitorRule, Scope, Severity,
};
use provender_domain::key::ConfigVersion;
use provender_domain::value::{DataType, Scalar, Value};

/// A page's extent.
fn whole() -> Extent {
    Extent::page("../".to_owned(), None)
}

fn window() -> Window {
    Window {
        end: "2025-06-30".parse().unwrap(),
        days: 30,
    }
}

/// The n-th day of June 2025, from 1.
fn june(n: i32) -> Day {
    Day::from_ymd(2025, 6, 1).unwrap().plus(n - 1).unwrap()
}

fn rule(metric: &str, subject: Option<&str>, warn: Option<f64>, crit: Option<f64>) -> MonitorRule {
    let direction = if matches!(metric, "coverage" | "rows" | "min" | "p05") {
        Direction::Below
    } else {
        Direction::Above
    };
    MonitorRule {
        metric: metric.to_owned(),
        subject: subject.map(str::to_owned),
        scope: Scope::Fleet,
        direction,
        warn,
        crit,
        min_rows: 1,
    }
}

fn days(warn: f64, crit: f64, metric: &str) -> MonitorRule {
    rule(metric, Some("days"), Some(warn), Some(crit))
}

fn row(n: i32, value: Option<f64>) -> Row {
    let config = Digest::of_bytes(b"config");
    Row {
        date: june(n),
        run_id: Digest::of_bytes(format!("run {n}").as_bytes()),
        snapshot_id: Digest::of_bytes(format!("snapshot {n}").as_bytes()),
        manifest: format!("manifests/north/{}_{n}.json", june(n)),
        config_version: ConfigVersion::first(config),
        values: BTreeMap::from([
            ("days".to_owned(), value.map_or(Value::Null, Value::Float64)),
            ("forage_age".to_owned(), Value::Int64(i64::from(n))),
            ("move_date".to_owned(), Value::Date(june(n))),
        ]),
        guardrail_failed: value.is_some_and(|x| x > 365.0),
    }
}

fn series(values: &[Option<f64>]) -> SeriesInput {
    let rows: Vec<Row> = (1..).zip(values).map(|(n, v)| row(n, *v)).collect();
    SeriesInput {
        boundary_id: BoundaryId::unchecked("north"),
        herd_config_id: HerdId::unchecked("h1"),
        expected: rows.iter().map(|r| r.date).collect(),
        rows,
    }
}

fn subject(name: &str, data_type: DataType, unit: Option<&str>) -> Subject {
    Subject {
        name: name.to_owned(),
        data_type,
        unit: unit.map(str::to_owned),
        outcome: name == "days",
    }
}

fn logic(rules: Vec<MonitorRule>, series: Vec<SeriesInput>) -> LogicInput {
    LogicInput {
        model_version: ModelVersion::unchecked("days_remaining:v1"),
        rules,
        bounds: BTreeMap::from([(
            "days".to_owned(),
            Bounds {
                minimum: Some(0.0),
                maximum: Some(365.0),
            },
        )]),
        subjects: vec![
            subject("days", DataType::Float64, Some("d")),
            subject("move_date", DataType::Date, None),
            subject("forage_age", DataType::Int64, Some("d")),
        ],
        explaining: Vec::new(),
        baseline: None,
        series,
    }
}

fn fleet_of(rules: Vec<MonitorRule>, values: &[Option<f64>]) -> (MonitorReport, Group) {
    let report = judge(window(), &[logic(rules, vec![series(values)])]).unwrap();
    let group = report.fleet[0].clone();
    (report, group)
}

fn one(rule: MonitorRule, values: &[Option<f64>]) -> (MetricReport, MonitorVerdict, Vec<String>) {
    let (report, group) = fleet_of(vec![rule], values);
    let failing = group.failing.iter().map(|f| f.calculation_date.to_string());
    (group.metrics[0].clone(), report.status, failing.collect())
}

const EIGHT: [Option<f64>; 8] = [
    Some(0.0),
    Some(-1.0),
    None,
    Some(365.0),
    Some(366.0),
    Some(10.0),
    Some(20.0),
    Some(30.0),
];
