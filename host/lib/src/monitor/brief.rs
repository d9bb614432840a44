//! The report in short, for a terminal: a line for each rule and each failing row.

use provender_domain::render::Document;
use provender_domain::render::text::number;

use super::report::{Group, MetricReport, MonitorReport};

/// The short report, with at most `cap` entries of each list and a line that counts the rest.
#[must_use]
pub fn brief(report: &MonitorReport, cap: usize) -> Document {
    let window = report.window;
    let title = format!(
        "monitor {}: {} to {} ({} days), report {}",
        report.status.word(),
        window.start,
        window.end,
        window.days,
        report.report.short()
    );
    let mut out = Document::new(&title);
    out.note(Some(report.status.status().tone()), title);
    for note in &report.notes {
        out.note(None, format!("  {note}"));
    }
    for group in &report.fleet {
        fleet(&mut out, group, cap);
    }
    series(&mut out, report, cap);
    out
}

fn fleet(out: &mut Document, group: &Group, cap: usize) {
    out.note(
        Some(group.status.tone()),
        format!(
            "{} fleet: {}, {} answers, {} of {} expected",
            group.model_version,
            group.status.word(),
            group.rows,
            group.recorded,
            group.expected
        ),
    );
    let width = group.metrics.iter().map(|m| m.label().chars().count());
    let width = width.max().unwrap_or(0);
    for metric in &group.metrics {
        out.note(Some(metric.status.tone()), metric_line(metric, width));
    }
    for row in group.failing.iter().take(cap) {
        out.note(
            None,
            format!(
                "    {} / {} {}: run {} snapshot {} ({}) {}",
                row.boundary_id,
                row.herd_config_id,
                row.calculation_date,
                row.run_id.short(),
                row.snapshot_id.short(),
                row.metrics.join(", "),
                row.manifest
            ),
        );
    }
    rest(out, "failing answers", group.failing.len(), cap);
    for row in group.missing.iter().take(cap) {
        out.note(
            None,
            format!(
                "    {} / {} {}: expected, not recorded",
                row.boundary_id, row.herd_config_id, row.calculation_date
            ),
        );
    }
    rest(out, "missing answers", group.missing.len(), cap);
}

fn metric_line(metric: &MetricReport, width: usize) -> String {
    let label = metric.label();
    let pad = " ".repeat(width.saturating_sub(label.chars().count()));
    format!(
        "  {} {:<14} {label}{pad}  n {:<5} {}",
        metric.status.tone().glyph(),
        metric.status.word(),
        metric.rows,
        metric.why
    )
}

fn series(out: &mut Document, report: &MonitorReport, cap: usize) {
    let s = report.summary;
    if s.series == 0 {
        return;
    }
    out.note(None,
        format!(
            "series: {} in all; {} crit, {} warn, {} unknown, {} ok, {} not applicable, {} without series rules",
            s.series, s.crit, s.warn, s.unknown, s.ok, s.not_applicable, s.info
        ),
    );
    let mut urgent: Vec<&Group> = report
        .series
        .iter()
        .filter(|g| g.status.needs_attention())
        .collect();
    urgent.sort_by_key(|g| std::cmp::Reverse(g.status));
    for group in urgent.iter().take(cap) {
        let why: Vec<String> = group
            .metrics
            .iter()
            .filter(|m| m.status.needs_attention())
            .map(|m| format!("{}: {}", m.label(), m.why))
            .collect();
        out.note(
            Some(group.status.tone()),
            format!(
                "  {} {:<8} {} {}: {}",
                group.status.tone().glyph(),
                group.status.word(),
                group.model_version,
                place(group),
                why.join("; ")
            ),
        );
    }
    rest(out, "series that need attention", urgent.len(), cap);
}

fn rest(out: &mut Document, what: &str, all: usize, cap: usize) {
    if all > cap {
        out.note(
            None,
            format!(
                "    and {} more {what} (all are in the JSON report)",
                all - cap
            ),
        );
    }
}

/// The place and herd of a group, or `fleet`.
#[must_use]
pub(super) fn place(group: &Group) -> String {
    match (&group.boundary_id, &group.herd_config_id) {
        (Some(boundary), Some(herd)) => format!("{boundary} / {herd}"),
        _ => "fleet".to_owned(),
    }
}

/// A threshold for a table cell.
#[must_use]
pub(super) fn threshold(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), number)
}
