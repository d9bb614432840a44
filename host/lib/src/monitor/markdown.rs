//! The report as Markdown, for a job summary or a ticket.

use provender_domain::render::text::{markdown_code, markdown_text, number};

use super::lines::threshold;
use super::report::{Group, MetricReport, Report};

/// The report as Markdown; at most `cap` entries of each list, with a line that counts the rest.
#[must_use]
pub fn markdown(report: &Report, cap: usize) -> String {
    let window = report.window;
    let mut out = format!(
        "# Monitor: {} {}\n\nWindow {} to {} ({} days). Report `{}`, thresholds `{}`.\n\n",
        report.status.status().tone().glyph(),
        report.status.word(),
        window.start,
        window.end,
        window.days,
        report.report,
        report.thresholds_version
    );
    for note in &report.notes {
        out.push_str(&format!("- {}\n", markdown_text(note)));
    }
    for group in &report.fleet {
        out.push_str(&format!(
            "\n## {} fleet: {}\n\n{} answers, {} of {} expected ones recorded. Config versions: {}.\n\n",
            markdown_code(&group.model_version),
            group.status.word(),
            group.rows,
            group.recorded,
            group.expected,
            configs(group)
        ));
        metrics(&mut out, &group.metrics);
        failing(&mut out, group, cap);
        missing(&mut out, group, cap);
    }
    series(&mut out, report, cap);
    out
}

fn configs(group: &Group) -> String {
    if group.config_versions.is_empty() {
        return "none".to_owned();
    }
    let each: Vec<String> = group
        .config_versions
        .iter()
        .map(|c| markdown_code(c))
        .collect();
    each.join(", ")
}

fn metrics(out: &mut String, metrics: &[MetricReport]) {
    if metrics.is_empty() {
        out.push_str("No rules.\n");
        return;
    }
    out.push_str(
        "| status | metric | observed | warn | crit | n | why |\n|---|---|--:|--:|--:|--:|---|\n",
    );
    for m in metrics {
        out.push_str(&format!(
            "| {} {} | {} | {} | {} | {} | {} | {} |\n",
            m.status.tone().glyph(),
            m.status.word(),
            markdown_code(&m.label()),
            m.value.map_or_else(|| "–".to_owned(), number),
            threshold(m.warn),
            threshold(m.crit),
            m.rows,
            markdown_text(&m.why)
        ));
    }
}

fn failing(out: &mut String, group: &Group, cap: usize) {
    if group.failing.is_empty() {
        return;
    }
    out.push_str("\n### Answers behind fired rules\n\n| boundary | herd | date | rules | run | snapshot | manifest |\n|---|---|---|---|---|---|---|\n");
    for row in group.failing.iter().take(cap) {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            markdown_code(&row.boundary_id),
            markdown_code(&row.herd_config_id),
            row.calculation_date,
            markdown_code(&row.metrics.join(", ")),
            markdown_code(&row.run_id.to_string()),
            markdown_code(&row.snapshot_id.to_string()),
            markdown_code(&row.manifest)
        ));
    }
    rest(out, group.failing.len(), cap);
}

fn missing(out: &mut String, group: &Group, cap: usize) {
    if group.missing.is_empty() {
        return;
    }
    out.push_str("\n### Expected, not recorded\n\n| boundary | herd | date |\n|---|---|---|\n");
    for row in group.missing.iter().take(cap) {
        out.push_str(&format!(
            "| {} | {} | {} |\n",
            markdown_code(&row.boundary_id),
            markdown_code(&row.herd_config_id),
            row.calculation_date
        ));
    }
    rest(out, group.missing.len(), cap);
}

fn series(out: &mut String, report: &Report, cap: usize) {
    let s = report.summary;
    out.push_str(&format!(
        "\n## Series\n\n{} series: {} crit, {} warn, {} unknown, {} ok, {} not applicable, {} without series rules.\n",
        s.series, s.crit, s.warn, s.unknown, s.ok, s.not_applicable, s.info
    ));
    let mut urgent: Vec<&Group> = report
        .series
        .iter()
        .filter(|g| g.status.needs_attention())
        .collect();
    urgent.sort_by_key(|g| std::cmp::Reverse(g.status));
    for group in urgent.iter().take(cap) {
        out.push_str(&format!(
            "\n### {} {}: {} on {} / {}\n\n",
            group.status.tone().glyph(),
            group.status.word(),
            markdown_code(&group.model_version),
            markdown_code(group.boundary_id.as_deref().unwrap_or("-")),
            markdown_code(group.herd_config_id.as_deref().unwrap_or("-"))
        ));
        metrics(out, &group.metrics);
    }
    rest(out, urgent.len(), cap);
}

fn rest(out: &mut String, all: usize, cap: usize) {
    if all > cap {
        out.push_str(&format!(
            "\nAnd {} more; all are in the JSON report.\n",
            all - cap
        ));
    }
}
