//! The renderers on a report with hostile texts and every kind of block.
//!
//! * `dealt` — threads and spans give the same report as one pass

mod dealt;

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use serde_json::json;

use super::document::document;
use super::report::{
    AffectedRow, BacktestMonitor, BacktestReport, Baseline, FailedRow, GuardrailReport,
    InputReport, NotCompared, NullChange, OutcomeReport, RailReport, Range, ReadBy, RuleReport,
    SettingKind, SettingReport, SettingValue, SideReport, VerdictReport, Warning,
};
use super::snapshot::Provenance;
use super::statistics::Pairs;
use crate::monitor::report::{MonitorVerdict, ReportWindow, Status, Summary};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::description::{Scope, Severity};
use provender_domain::manifest::SetBy;
use provender_domain::render::html::page;
use provender_domain::render::markdown::markdown;
use provender_domain::value::DataType;

const HOSTILE: &str = "<b>|`x`\n\u{1b}[31m";

fn day() -> Day {
    "2025-06-30".parse().unwrap()
}

fn side(version: &str) -> SideReport {
    SideReport {
        model_version: ModelVersion::of("days", version),
        component: Digest::of_bytes(version.as_bytes()),
        config_version: Digest::of_bytes(b"config"),
        file: Some(HOSTILE.to_owned()),
    }
}

fn outcome() -> OutcomeReport {
    let mut pairs = Pairs::default();
    for (before, after) in [(1.0, 2.0), (4.0, 4.0), (10.0, 5.0)] {
        pairs.add(Some(before), Some(after), before != after);
    }
    OutcomeReport {
        name: HOSTILE.to_owned(),
        data_type: DataType::Float64,
        unit: Some("d".to_owned()),
        changed: 3,
        became_null: 1,
        ceased_null: 0,
        both_null: 0,
        figures: Some(pairs.summary()),
        null_changes: vec![NullChange {
            boundary_id: BoundaryId::unchecked(HOSTILE),
            herd_config_id: HerdId::unchecked("h"),
            calculation_date: day(),
            before: json!(7),
            after: json!(null),
            reasons: vec![HOSTILE.to_owned()],
        }],
    }
}

fn report() -> BacktestReport {
    let rule = |status, value| RuleReport {
        status,
        value: Some(value),
        rows: 4,
        why: HOSTILE.to_owned(),
    };
    let rail = RailReport {
        minimum: Some(0.0),
        maximum: None,
        severity: Severity::Crit,
        breaches: 2,
    };
    BacktestReport {
        candidate: side("v2"),
        against: side("v1"),
        range: Range {
            from: day(),
            to: day(),
            boundary_id: Some(BoundaryId::unchecked(HOSTILE)),
            herd_config_id: None,
        },
        rows: 5,
        compared: 4,
        provenance: Provenance {
            proved: 4,
            from_manifests: 1,
        },
        beyond: vec![HOSTILE.to_owned()],
        baseline: Baseline {
            recorded: 3,
            other_configs: 1,
            computed: 2,
            failed: 1,
        },
        settings: vec![SettingReport {
            kind: SettingKind::Parameter,
            name: HOSTILE.to_owned(),
            unit: Some("d".to_owned()),
            before: None,
            after: Some(SettingValue {
                value: json!(7.5),
                text: "7.5".to_owned(),
                set_by: SetBy::CommandLine,
            }),
        }],
        warnings: vec![Warning {
            code: "candidate_without_settings",
            message: HOSTILE.to_owned(),
            help: HOSTILE.to_owned(),
        }],
        outcomes: vec![outcome()],
        not_compared: vec![NotCompared {
            name: "gone".to_owned(),
            why: "only the version before has it".to_owned(),
        }],
        guardrails: vec![GuardrailReport {
            output: "days".to_owned(),
            before: None,
            after: Some(rail),
        }],
        verdict: VerdictReport {
            window: ReportWindow {
                start: day(),
                end: day(),
                days: 1,
            },
            before: MonitorVerdict::Ok,
            after: MonitorVerdict::Crit,
            series_before: Summary::default(),
            series_after: Summary::default(),
            notes: vec![HOSTILE.to_owned()],
        },
        monitors: vec![BacktestMonitor {
            rule: "share_null(days)".to_owned(),
            scope: Scope::Fleet,
            boundary_id: None,
            herd_config_id: None,
            before: Some(rule(Status::Ok, 0.0)),
            after: Some(rule(Status::Crit, 0.5)),
        }],
        affected_by: Some("days".to_owned()),
        affected: vec![AffectedRow {
            boundary_id: BoundaryId::unchecked(HOSTILE),
            herd_config_id: HerdId::unchecked("h"),
            calculation_date: day(),
            run_id: Digest::of_bytes(b"run"),
            before: json!(10),
            after: json!(5),
            change: -5.0,
            relative: Some(0.5),
            inputs: vec![InputReport {
                name: "text".to_owned(),
                value: json!(HOSTILE),
                unit: None,
                read_by: ReadBy::After,
            }],
        }],
        failed_rows: 1,
        failed: vec![FailedRow {
            boundary_id: BoundaryId::unchecked("b"),
            herd_config_id: HerdId::unchecked("h"),
            calculation_date: day(),
            code: "trap".to_owned(),
            message: HOSTILE.to_owned(),
        }],
    }
}

#[test]
fn a_hostile_text_stays_text_in_every_rendering() {
    let page = page(&document(&report()).unwrap());
    assert!(page.contains("&lt;b&gt;"));
    // The embedded JSON escapes `<` as JSON does, so that no such markup is anywhere.
    assert!(!page.contains("<b>"));
    assert!(!page.contains('\u{1b}'));
    let markdown = markdown(&document(&report()).unwrap());
    assert!(!markdown.contains('\u{1b}'));
    assert!(!markdown.contains("<b>"));
    let heads = |line: &&str| line.starts_with("| outcome | boundary ");
    let head = markdown.lines().find(heads).unwrap();
    let row = markdown
        .lines()
        .find(|l| l.contains("2025-06-30 | 7 |"))
        .unwrap();
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    assert_eq!(bars(row), bars(head), "a bar of a name opens no column");
}

#[test]
fn the_report_has_every_part() {
    let markdown = markdown(&document(&report()).unwrap());
    for part in [
        "5 recorded answers from 2025-06-30 to 2025-06-30, boundary",
        "- ✕ days:v2 failed on 1 row (20.0 % of 5)",
        "4 gathered again and proved by the recorded digest, 1 taken from manifests",
        "3 as recorded (1 of them under another configuration than the one in force), 2 computed here",
        "- ▲ days:v1 failed on 1 row, which are not compared",
        " | – | 7.5 (--param) |",
        "- ▲ warning: ",
        "- ▲ gone is not compared: only the version before has it",
        "| days | – | – | 0.. | 2 |",
        "ok before, crit after",
        "| -5 | 50 | text",
    ] {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
}

#[test]
fn both_distributions_are_drawn_over_the_same_bins() {
    let page = page(&document(&report()).unwrap());
    let svg = page
        .split("<svg")
        .nth(1)
        .unwrap()
        .split("</svg>")
        .next()
        .unwrap();
    // 1, 4 and 10 before: three bars; 2, 4 and 5 after: one line.
    assert_eq!(svg.matches("class=\"before\"").count(), 3);
    assert_eq!(svg.matches("class=\"line\"").count(), 1);
    assert!(svg.contains(">1 rows<"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}
