//! Check `monitors`: the monitors' verdict on the recent window.
//!
//! For a version that is already active, the monitors judge its recorded answers. For one that is not, they
//! judge the numbers that the back-test computed on the recorded inputs of the same window.

use serde_json::{Value as Json, json};

use crate::monitor::gather::{GatherError, gather};
use crate::monitor::report::{MonitorVerdict, Status};
use crate::monitor::{Window, judge_with};
use crate::project::gate::CheckName;
use provender_domain::day::Day;
use provender_domain::forms::Form;
use provender_domain::render::text::count;
use provender_ledger::entries::ReportKind;

use super::super::ReleaseError;
use super::backtest::Compared;
use super::check::{Check, CheckVerdict};
use super::scene::{GateContext, Side};

/// Judges every active logic of the release.
///
/// # Errors
/// If the window cannot be gathered or judged.
pub(super) fn check(
    scene: &GateContext<'_, '_>,
    candidates: &[Side],
    compared: &[Compared],
) -> Result<Check, ReleaseError> {
    let (mut watched, mut reports) = (Vec::new(), Vec::new());
    for (side, one) in candidates.iter().zip(compared) {
        let seen = match &one.report {
            None => None,
            Some(report) => {
                let end = report.range.to;
                let days = scene.window_days;
                let (summary, whole) = match one.same {
                    true => answered(scene, side, Window { end, days })?,
                    false => (expected(report), json!({"rules": report.monitors})),
                };
                let of = if one.same {
                    "answers"
                } else {
                    "recorded inputs"
                };
                reports.push(json!({"logic": one.logic, "of": of, "end": end, "days": days, "report": whole}));
                Some((end, summary))
            }
        };
        watched.push(Watched {
            logic: &one.logic,
            same: one.same,
            seen,
        });
    }
    let body = Form::GateMonitors.text(&json!({"logics": reports}))?;
    Ok(weigh(&watched, scene.window_days).found(ReportKind::Monitor, Some(body)))
}

/// A logic of the release, and the monitors' verdict on it.
struct Watched<'a> {
    logic: &'a str,
    /// Whether the version is already active, so that its own answers were judged.
    same: bool,
    /// The window's last day and the verdict; `None` if nothing is recorded.
    seen: Option<(Day, MonitorSummary)>,
}

fn weigh(watched: &[Watched<'_>], window_days: u32) -> Check {
    let mut check = Check::new(CheckName::Monitors, CheckVerdict::Ok, 0, String::new());
    let mut sentences = Vec::new();
    for one in watched {
        let Some((end, (overall, lines, rows))) = &one.seen else {
            check.verdict = CheckVerdict::Unknown;
            sentences.push(format!("{} has no recorded answer to watch", one.logic));
            continue;
        };
        let verdict = match overall {
            _ if *rows == 0 => CheckVerdict::Unknown,
            MonitorVerdict::Ok => CheckVerdict::Ok,
            MonitorVerdict::Warn => CheckVerdict::Warn,
            MonitorVerdict::Crit => CheckVerdict::Crit,
        };
        check.verdict = check.verdict.max(verdict);
        check.rows += rows;
        let how = match one.same {
            true => "of its answers",
            false => "of its numbers on the recorded inputs",
        };
        let mut summary = format!("{} {how} to {end}: {}", one.logic, verdict.name());
        if let Some(first) = lines.first().filter(|_| verdict != CheckVerdict::Ok) {
            summary.push_str(&format!(", {first}"));
        }
        sentences.push(summary);
        let of = |line: &String| format!("{}: {line}", one.logic);
        check.details.extend(lines.iter().map(of));
        // A window that ended long ago shows nothing about today.
        check.relied.push((
            format!("the newest recorded answer for {}", one.logic),
            end.to_string(),
        ));
    }
    check.observed = sentences.join("; ");
    check
        .asks(format!(
            "fleet rules of each logic over {} hold",
            count(u64::from(window_days), "day")
        ))
        .remedy("provender backtest NAME:VERSION   # rule by rule, before and after")
        .remedy(
            "provender monitor --all --end DATE, then provender monitor triage   # data or logic?",
        )
}

type MonitorSummary = (MonitorVerdict, Vec<String>, u64);

/// The monitors' verdict on the answers of a version that is active with this configuration, and their report.
fn answered(
    scene: &GateContext<'_, '_>,
    side: &Side,
    window: Window,
) -> Result<(MonitorSummary, Json), ReleaseError> {
    let input = gather(
        scene.ledger,
        scene.facts,
        scene.manifests,
        &side.bound,
        &side.settings,
        window,
        None,
    )?;
    let rows = input.series.iter().map(|s| s.rows.len() as u64).sum();
    let acks = crate::monitor::ack::acks(scene.ledger)?;
    let report = judge_with(window, &[input], &acks).map_err(GatherError::from)?;
    let fleet = report.fleet.iter().flat_map(|g| &g.metrics);
    let lines = fleet
        .filter(|m| m.status.needs_attention())
        .map(|m| format!("{}: {}: {}", m.label(), m.status.word(), m.why))
        .collect();
    let whole = report.to_json().map_err(GatherError::from)?;
    Ok(((report.status, lines, rows), whole))
}

/// The verdict that monitors would give on the numbers of a version.
fn expected(report: &crate::backtest::report::BacktestReport) -> MonitorSummary {
    let fleet = report.monitors.iter().filter(|m| m.boundary_id.is_none());
    let lines = fleet
        .filter_map(|m| Some((m, m.after.as_ref()?)))
        .filter(|(_, after)| after.status >= Status::Unknown)
        .map(|(m, after)| format!("{}: {}: {}", m.rule, after.status.word(), after.why))
        .collect();
    (report.verdict.after, lines, report.compared)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(logic: &str, same: bool, seen: Option<(MonitorVerdict, u64)>) -> Watched<'_> {
        let end: Day = "2025-06-30".parse().unwrap();
        let lines = vec!["null_rate of days: warn: 0.3 is above 0.2".to_owned()];
        Watched {
            logic,
            same,
            seen: seen.map(|(overall, rows)| (end, (overall, lines, rows))),
        }
    }

    #[test]
    fn each_verdict_of_the_monitors_is_the_checks_and_nothing_to_watch_is_unknown() {
        for (seen, expected, rows) in [
            (Some((MonitorVerdict::Ok, 70)), CheckVerdict::Ok, 70),
            (Some((MonitorVerdict::Warn, 70)), CheckVerdict::Warn, 70),
            (Some((MonitorVerdict::Crit, 70)), CheckVerdict::Crit, 70),
            // Any verdict on no rows is unknown.
            (Some((MonitorVerdict::Ok, 0)), CheckVerdict::Unknown, 0),
            (None, CheckVerdict::Unknown, 0),
        ] {
            let check = weigh(&[watched("days:v2", false, seen)], 30);
            assert_eq!((check.verdict, check.rows), (expected, rows));
            assert_eq!(check.relied.len(), usize::from(seen.is_some()));
            assert_eq!(check.remedy.is_empty(), expected == CheckVerdict::Ok);
        }
    }

    #[test]
    fn the_worst_logic_decides_and_the_check_says_what_was_judged() {
        let logics = [
            watched("days:v2", true, Some((MonitorVerdict::Crit, 70))),
            watched("frost:v1", false, Some((MonitorVerdict::Ok, 30))),
        ];
        let check = weigh(&logics, 30);
        assert_eq!((check.verdict, check.rows), (CheckVerdict::Crit, 100));
        assert_eq!(
            check.observed,
            "days:v2 of its answers to 2025-06-30: crit, null_rate of days: warn: 0.3 is above 0.2; frost:v1 of its numbers on the recorded inputs to 2025-06-30: ok"
        );
        let unseen = [
            watched("days:v2", false, None),
            watched("frost:v1", false, Some((MonitorVerdict::Crit, 30))),
        ];
        assert_eq!(weigh(&unseen, 30).verdict, CheckVerdict::Unknown);
    }
}
