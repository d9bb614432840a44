//! Check `monitors`: what the monitors say of the recent window.
//!
//! Of a version that answers already, what they say of its answers; of one that does not, what they
//! would say of it, as the back-test computed it on the recorded inputs of the same window.

use crate::monitor::gather::gather;
use crate::monitor::report::{Status, Verdict as Overall};
use crate::monitor::{Window, judge_with};
use crate::project::gate::CheckName;
use crate::render::text::count;

use super::super::ReleaseError;
use super::backtest::Compared;
use super::check::{Check, Verdict};
use super::scene::{Scene, Side};

/// The verdicts of every active logic of the release.
///
/// # Errors
/// When the window cannot be gathered or judged.
pub fn check(
    scene: &Scene<'_, '_>,
    candidates: &[Side],
    compared: &[Compared],
) -> Result<Check, ReleaseError> {
    let mut check = Check::new(CheckName::Monitors, Verdict::Ok, 0, String::new());
    let mut told = Vec::new();
    for (side, one) in candidates.iter().zip(compared) {
        let Some(report) = &one.report else {
            check.verdict = Verdict::Unknown;
            told.push(format!("{} has no recorded answer to watch", one.logic));
            continue;
        };
        let window = Window {
            end: report.range.to,
            days: scene.window_days,
        };
        let (overall, lines, rows) = match one.same {
            true => answered(scene, side, window)?,
            false => expected(report),
        };
        let verdict = match overall {
            _ if rows == 0 => Verdict::Unknown,
            Overall::Ok => Verdict::Ok,
            Overall::Warn => Verdict::Warn,
            Overall::Crit => Verdict::Crit,
        };
        check.verdict = check.verdict.max(verdict);
        check.rows += rows;
        let how = match one.same {
            true => "of its answers",
            false => "of its numbers on the recorded inputs",
        };
        let mut said = format!("{} {how} to {}: {}", one.logic, window.end, verdict.word());
        if let Some(first) = lines.first().filter(|_| verdict != Verdict::Ok) {
            said.push_str(&format!(", {first}"));
        }
        told.push(said);
        let of = |line: String| format!("{}: {line}", one.logic);
        check.details.extend(lines.into_iter().map(of));
        // A window that ended long ago says nothing of today.
        check.relied.push((
            format!("the newest recorded answer for {}", one.logic),
            report.range.to.to_string(),
        ));
    }
    check.observed = told.join("; ");
    Ok(check
        .asks(format!(
            "fleet rules of each logic over {} hold",
            count(u64::from(scene.window_days), "day")
        ))
        .remedy("provender backtest NAME:VERSION   # rule by rule, before and after")
        .remedy(
            "provender monitor --all --end DATE, then provender monitor triage   # data or logic?",
        )
        .found("monitor", None))
}

type Said = (Overall, Vec<String>, u64);

/// What monitors say of the answers of a version that is active as it is.
fn answered(scene: &Scene<'_, '_>, side: &Side, window: Window) -> Result<Said, ReleaseError> {
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
    let report =
        judge_with(window, &[input], &acks).map_err(crate::monitor::gather::GatherError::from)?;
    let fleet = report.fleet.iter().flat_map(|g| &g.metrics);
    let lines = fleet
        .filter(|m| m.status.needs_attention())
        .map(|m| format!("{}: {}: {}", m.label(), m.status.word(), m.why))
        .collect();
    Ok((report.status, lines, rows))
}

/// What monitors would say of a version's numbers.
fn expected(report: &crate::backtest::report::Report) -> Said {
    let fleet = report.monitors.iter().filter(|m| m.boundary_id.is_none());
    let lines = fleet
        .filter_map(|m| Some((m, m.after.as_ref()?)))
        .filter(|(_, after)| after.status >= Status::Unknown)
        .map(|(m, after)| format!("{}: {}: {}", m.rule, after.status.word(), after.why))
        .collect();
    (report.verdict.after, lines, report.compared)
}
