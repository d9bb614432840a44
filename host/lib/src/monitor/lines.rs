//! The report as lines for a terminal: plain text, with the status of each line beside it, so that
//! colour stays the command line's business.

use provender_domain::render::text::{number, printable};

use super::report::{Group, MetricReport, Report, Status};

/// A line of text and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The status that the line tells, where it tells one.
    pub status: Option<Status>,
    /// The text, without a line break and without control characters.
    pub text: String,
}

/// The report in lines; at most `cap` entries of each list, with a line that counts the rest.
#[must_use]
pub fn lines(report: &Report, cap: usize) -> Vec<Line> {
    let mut out = Vec::new();
    let window = report.window;
    say(
        &mut out,
        Some(report.status.status()),
        format!(
            "monitor {}: {} to {} ({} days), report {}",
            report.status.word(),
            window.start,
            window.end,
            window.days,
            report.report.short()
        ),
    );
    for note in &report.notes {
        say(&mut out, None, format!("  {note}"));
    }
    for group in &report.fleet {
        fleet(&mut out, group, cap);
    }
    series(&mut out, report, cap);
    out
}

fn say(out: &mut Vec<Line>, status: Option<Status>, text: impl AsRef<str>) {
    let text = printable(text.as_ref());
    out.push(Line { status, text });
}

fn fleet(out: &mut Vec<Line>, group: &Group, cap: usize) {
    say(
        out,
        Some(group.status),
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
        say(out, Some(metric.status), metric_line(metric, width));
    }
    for row in group.failing.iter().take(cap) {
        say(
            out,
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
        say(
            out,
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

fn series(out: &mut Vec<Line>, report: &Report, cap: usize) {
    let s = report.summary;
    if s.series == 0 {
        return;
    }
    say(
        out,
        None,
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
        say(
            out,
            Some(group.status),
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

fn rest(out: &mut Vec<Line>, what: &str, all: usize, cap: usize) {
    if all > cap {
        say(
            out,
            None,
            format!(
                "    and {} more {what} (all are in the JSON report)",
                all - cap
            ),
        );
    }
}

/// The place and herd of a group, or that it is the fleet.
#[must_use]
pub fn place(group: &Group) -> String {
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
