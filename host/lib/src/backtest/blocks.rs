//! The report in words and tables, once, for terminals, Markdown and the page alike.

use serde_json::Value as Json;

use crate::monitor::report::Status;
use provender_domain::description::Scope;
use provender_domain::render::html::Tone;
use provender_domain::render::text::{count, number};

use super::figures::outcomes;
use super::report::{GuardrailReport, MonitorReport, RailReport, Report, RuleReport, percent};
use super::settings::section;

/// A piece of the report.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A sentence; how good or bad it is.
    Line(Option<Tone>, String),
    /// A table.
    Table {
        /// Heads, and whether the column holds numbers.
        heads: Vec<(&'static str, bool)>,
        /// Cells.
        rows: Vec<Vec<String>>,
    },
    /// The two distributions of an outcome, by its place in the report; for the page alone.
    Chart(usize),
}

/// The title.
#[must_use]
pub fn title(report: &Report) -> String {
    format!(
        "Back-test: {} against {}",
        report.candidate.model_version, report.against.model_version
    )
}

/// Everything below the title.
#[must_use]
pub fn blocks(report: &Report) -> Vec<Block> {
    let mut out = Vec::new();
    about(&mut out, report);
    failed(&mut out, report);
    section(&mut out, report);
    outcomes(&mut out, report);
    guardrails(&mut out, report);
    monitors(&mut out, report);
    affected(&mut out, report);
    out
}

pub(super) fn say(out: &mut Vec<Block>, text: impl Into<String>) {
    out.push(Block::Line(None, text.into()));
}

pub(super) fn note(out: &mut Vec<Block>, tone: Tone, text: impl Into<String>) {
    out.push(Block::Line(Some(tone), text.into()));
}

fn about(out: &mut Vec<Block>, report: &Report) {
    let r = &report.range;
    let mut place = String::new();
    if let Some(b) = &r.boundary_id {
        place.push_str(&format!(", boundary {b}"));
    }
    if let Some(h) = &r.herd_config_id {
        place.push_str(&format!(", herd {h}"));
    }
    say(
        out,
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
        say(
            out,
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
    say(
        out,
        format!(
            "inputs: {} gathered again and proved by the recorded digest, {} taken from manifests",
            p.proved, p.from_manifests
        ),
    );
    if !report.beyond.is_empty() {
        say(
            out,
            format!(
                "read beyond the recorded inputs, as known then: {}",
                report.beyond.join(", ")
            ),
        );
    }
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
    say(out, before);
    if b.failed > 0 {
        note(
            out,
            Tone::Warn,
            format!(
                "{} failed on {}, which are not compared",
                report.against.model_version,
                count(b.failed, "row")
            ),
        );
    }
}

fn failed(out: &mut Vec<Block>, report: &Report) {
    if report.failed_rows == 0 {
        return;
    }
    out.push(Block::Heading("The candidate fails".to_owned()));
    note(
        out,
        Tone::Bad,
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
            f.boundary_id.clone(),
            f.herd_config_id.clone(),
            f.calculation_date.to_string(),
            f.code.clone(),
            f.message.clone(),
        ]
    });
    out.push(Block::Table {
        heads: vec![
            ("boundary", false),
            ("herd", false),
            ("date", false),
            ("code", false),
            ("why", false),
        ],
        rows: rows.collect(),
    });
}

fn guardrails(out: &mut Vec<Block>, report: &Report) {
    out.push(Block::Heading("Guardrails".to_owned()));
    if report.guardrails.is_empty() {
        say(out, "Neither side has any.");
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
    out.push(Block::Table {
        heads: vec![
            ("output", false),
            ("bounds before", false),
            ("breaches before", true),
            ("bounds after", false),
            ("breaches after", true),
        ],
        rows: report.guardrails.iter().map(row).collect(),
    });
}

fn monitors(out: &mut Vec<Block>, report: &Report) {
    let v = &report.verdict;
    out.push(Block::Heading("Monitors".to_owned()));
    note(
        out,
        v.after.status().tone(),
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
    let row = |m: &MonitorReport| {
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
        out.push(Block::Table {
            heads: vec![
                ("rule", false),
                ("where", false),
                ("before", false),
                ("after", false),
                ("why", false),
            ],
            rows: shown,
        });
    }
    if series.len() > SERIES {
        say(
            out,
            format!(
                "and {} more series rules that say something else; --json lists them all",
                series.len() - SERIES
            ),
        );
    }
    for n in &v.notes {
        say(out, n.clone());
    }
}

/// So many series rules are shown to people.
const SERIES: usize = 20;

fn affected(out: &mut Vec<Block>, report: &Report) {
    let Some(by) = &report.affected_by else {
        return;
    };
    out.push(Block::Heading("Most affected boundaries".to_owned()));
    if report.affected.is_empty() {
        say(out, format!("No {by} changed from one number to another."));
        return;
    }
    say(
        out,
        format!("Of each boundary the row whose {by} changes most, with what was read:"),
    );
    let rows = report.affected.iter().map(|a| {
        let inputs = a.inputs.iter().map(|i| {
            let unit = i.unit.as_ref().map(|u| format!(" {u}"));
            let side = match i.read_by {
                "both" => String::new(),
                side => format!(" [{side}]"),
            };
            format!(
                "{} {}{}{side}",
                i.name,
                json(&i.value),
                unit.unwrap_or_default()
            )
        });
        vec![
            a.boundary_id.clone(),
            a.herd_config_id.clone(),
            a.calculation_date.to_string(),
            json(&a.before),
            json(&a.after),
            number(a.change),
            a.relative.map_or_else(none, |r| number(round(r * 100.0))),
            inputs.collect::<Vec<_>>().join(", "),
        ]
    });
    out.push(Block::Table {
        heads: vec![
            ("boundary", false),
            ("herd", false),
            ("date", false),
            ("before", true),
            ("after", true),
            ("change", true),
            ("change %", true),
            ("inputs", false),
        ],
        rows: rows.collect(),
    });
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
