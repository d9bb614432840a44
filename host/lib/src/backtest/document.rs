//! The report as a document: for terminals, for Markdown in a pull request, and for the page, on
//! which both distributions of each outcome are drawn.

use serde_json::Value as Json;

use crate::monitor::report::Status;
use provender_domain::canonical::{CanonicalError, to_text};
use provender_domain::description::Scope;
use provender_domain::render::text::{count, number};
use provender_domain::render::{Block, Document, Table, Tone};

use super::figures::outcomes;
use super::report::{
    BacktestMonitor, BacktestReport, GuardrailReport, RailReport, ReadBy, RuleReport, percent,
};
use super::settings::section;

/// The title.
fn title(report: &BacktestReport) -> String {
    format!(
        "Back-test: {} against {}",
        report.candidate.model_version, report.against.model_version
    )
}

/// The report as a document, its JSON included.
///
/// # Errors
/// When the report has no canonical JSON.
pub fn document(report: &BacktestReport) -> Result<Document, CanonicalError> {
    let title = title(report);
    let mut out = Document::new(&title);
    out.heading(1, title);
    about(&mut out, report);
    failed(&mut out, report);
    section(&mut out, report);
    outcomes(&mut out, report);
    guardrails(&mut out, report);
    monitors(&mut out, report);
    affected(&mut out, report);
    out.push(Block::Data {
        id: "provender-backtest",
        json: to_text(&report.to_json()?)?,
    });
    Ok(out)
}

fn about(out: &mut Document, report: &BacktestReport) {
    let r = &report.range;
    let mut place = String::new();
    if let Some(b) = &r.boundary_id {
        place.push_str(&format!(", boundary {b}"));
    }
    if let Some(h) = &r.herd_config_id {
        place.push_str(&format!(", herd {h}"));
    }
    out.note(
        None,
        format!(
            "{} from {} to {}{place}; {} compared. Nothing was recorded.",
            count(report.rows, "recorded answer"),
            r.from,
            r.to,
            report.compared
        ),
    );
    for (word, side) in [
        ("candidate", &report.candidate),
        ("against", &report.against),
    ] {
        let file = side.file.as_ref().map(|f| format!(", from {f}"));
        out.note(
            None,
            format!(
                "{word}: {} (component {}, config {}{})",
                side.model_version,
                side.component.short(),
                side.config_version.short(),
                file.unwrap_or_default()
            ),
        );
    }
    let p = report.provenance;
    out.note(
        None,
        format!(
            "inputs: {} gathered again and proved by the recorded digest, {} taken from manifests",
            p.proved, p.from_manifests
        ),
    );
    if !report.beyond.is_empty() {
        out.note(
            None,
            format!(
                "inputs that were not recorded, read as known then: {}",
                report.beyond.join(", ")
            ),
        );
    }
    baseline(out, report);
}

/// Where the numbers before come from.
fn baseline(out: &mut Document, report: &BacktestReport) {
    let b = &report.baseline;
    let mut before = format!("numbers before: {} as recorded", b.recorded);
    if b.other_configs > 0 {
        before.push_str(&format!(
            " ({} of them under another configuration than the one in force)",
            b.other_configs
        ));
    }
    if b.computed > 0 {
        before.push_str(&format!(
            ", {} computed here since another version or other bytes answered",
            b.computed
        ));
    }
    out.note(None, before);
    if b.failed > 0 {
        out.note(
            Some(Tone::Warn),
            format!(
                "{} failed on {}, which are not compared",
                report.against.model_version,
                count(b.failed, "row")
            ),
        );
    }
}

fn failed(out: &mut Document, report: &BacktestReport) {
    if report.failed_rows == 0 {
        return;
    }
    out.heading(2, "The candidate fails");
    out.note(
        Some(Tone::Bad),
        format!(
            "{} failed on {} ({} of {})",
            report.candidate.model_version,
            count(report.failed_rows, "row"),
            percent(report.failed_rows, report.rows),
            report.rows
        ),
    );
    let rows = report.failed.iter().map(|f| {
        vec![
            f.boundary_id.to_string(),
            f.herd_config_id.to_string(),
            f.calculation_date.to_string(),
            f.code.clone(),
            f.message.clone(),
        ]
    });
    out.table(Table::new(
        ["boundary", "herd", "date", "code", "why"],
        rows,
    ));
}

fn guardrails(out: &mut Document, report: &BacktestReport) {
    out.heading(2, "Guardrails");
    if report.guardrails.is_empty() {
        out.note(None, "Neither side has any.");
        return;
    }
    let bounds = |r: &Option<RailReport>| {
        r.map_or_else(none, |r| {
            let end = |x: Option<f64>| x.map_or_else(String::new, number);
            format!("{}..{}", end(r.minimum), end(r.maximum))
        })
    };
    let breaches =
        |r: &Option<RailReport>| r.map_or_else(none, |r: RailReport| r.breaches.to_string());
    let row = |g: &GuardrailReport| {
        vec![
            g.output.clone(),
            bounds(&g.before),
            breaches(&g.before),
            bounds(&g.after),
            breaches(&g.after),
        ]
    };
    out.table(
        Table::new(
            [
                "output",
                "bounds before",
                "breaches before",
                "bounds after",
                "breaches after",
            ],
            report.guardrails.iter().map(row),
        )
        .numbers(&["breaches before", "breaches after"]),
    );
}

fn monitors(out: &mut Document, report: &BacktestReport) {
    let v = &report.verdict;
    out.heading(2, "Monitors");
    out.note(
        Some(v.after.status().tone()),
        format!(
            "over the {} days from {} to {}: {} before, {} after",
            v.window.days,
            v.window.start,
            v.window.end,
            v.before.word(),
            v.after.word()
        ),
    );
    let cell = |r: &Option<RuleReport>| match r {
        None => "no such rule".to_owned(),
        Some(r) => {
            let value = r.value.map(|x| format!(" ({})", number(x)));
            format!("{}{}", r.status.word(), value.unwrap_or_default())
        }
    };
    let row = |m: &BacktestMonitor| {
        let place = match (&m.boundary_id, &m.herd_config_id, m.scope) {
            (Some(b), Some(h), _) => format!("{b} / {h}"),
            _ => "fleet".to_owned(),
        };
        let worse = m.after.as_ref().filter(|r| r.status > Status::Ok);
        vec![
            m.rule.clone(),
            place,
            cell(&m.before),
            cell(&m.after),
            worse.map_or_else(String::new, |r| r.why.clone()),
        ]
    };
    let (fleet, series): (Vec<_>, Vec<_>) = report
        .monitors
        .iter()
        .partition(|m| m.scope == Scope::Fleet);
    let shown: Vec<Vec<String>> = fleet
        .into_iter()
        .map(row)
        .chain(series.iter().take(SERIES).map(|m| row(m)))
        .collect();
    if !shown.is_empty() {
        out.table(Table::new(
            ["rule", "where", "before", "after", "why"],
            shown,
        ));
    }
    if series.len() > SERIES {
        out.note(
            None,
            format!(
                "and {} more series rules whose status changes; --json lists them all",
                series.len() - SERIES
            ),
        );
    }
    for n in &v.notes {
        out.note(None, n.clone());
    }
}

/// Number of series rules shown to people.
const SERIES: usize = 20;

fn affected(out: &mut Document, report: &BacktestReport) {
    let Some(by) = &report.affected_by else {
        return;
    };
    out.heading(2, "Most affected boundaries");
    if report.affected.is_empty() {
        out.note(None, format!("No {by} changed from one number to another."));
        return;
    }
    out.note(
        None,
        format!("For each boundary, the row whose {by} changes most, with its inputs:"),
    );
    let rows = report.affected.iter().map(|a| {
        let inputs = a.inputs.iter().map(|i| {
            let unit = i.unit.as_ref().map(|u| format!(" {u}"));
            let side = match i.read_by {
                ReadBy::Both => "",
                ReadBy::Before => " [before]",
                ReadBy::After => " [after]",
            };
            format!(
                "{} {}{}{side}",
                i.name,
                json(&i.value),
                unit.unwrap_or_default()
            )
        });
        vec![
            a.boundary_id.to_string(),
            a.herd_config_id.to_string(),
            a.calculation_date.to_string(),
            json(&a.before),
            json(&a.after),
            number(a.change),
            a.relative.map_or_else(none, |r| number(round(r * 100.0))),
            inputs.collect::<Vec<_>>().join(", "),
        ]
    });
    out.table(
        Table::new(
            [
                "boundary", "herd", "date", "before", "after", "change", "change %", "inputs",
            ],
            rows,
        )
        .numbers(&["before", "after", "change", "change %"]),
    );
}

pub(super) fn none() -> String {
    "–".to_owned()
}

/// Percentages need no four decimals.
pub(super) fn round(x: f64) -> f64 {
    if x.abs() >= 0.1 {
        (x * 10.0).round() / 10.0
    } else {
        x
    }
}

/// A recorded value in a table.
pub(super) fn json(value: &Json) -> String {
    match value {
        Json::Null => none(),
        Json::String(s) => s.clone(),
        Json::Number(n) => n.as_f64().map_or_else(|| n.to_string(), number),
        Json::Array(a) => format!("{} values", a.len()),
        other => other.to_string(),
    }
}
