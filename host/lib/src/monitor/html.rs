//! The report as one self-contained page: the verdict first, then each logic's tests from crit to
//! ok, the series with their charts, the thresholds in force, and the report's own JSON.

use provender_domain::day::Day;
use provender_domain::description::{Direction, MonitorRule, Scope};
use provender_domain::render::html::{Head, Html, embedded_json, page, table, terms};
use provender_domain::render::text::number;

use super::aside::Aside;
use super::chart::{Mark, chart};
use super::error::MonitorError;
use super::lines::{place, threshold};
use super::metrics::Metric;
use super::report::{Group, LogicReport, MetricReport, Report};

/// How the page is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOptions {
    /// What leads from the page's folder to the manifest store: `../`. Our own word.
    pub manifest_base: String,
    /// So many series get a section; the most urgent first.
    pub series: usize,
    /// So many rows of each list are shown.
    pub rows: usize,
    /// What stands beside the report.
    pub aside: Option<Aside>,
}

impl Default for PageOptions {
    fn default() -> Self {
        PageOptions {
            manifest_base: "../".to_owned(),
            series: 100,
            rows: 200,
            aside: None,
        }
    }
}

/// The page. Lists are capped by `options` and say so; the embedded JSON holds everything.
///
/// # Errors
/// [`MonitorError`] when the report has no canonical JSON to embed.
pub fn html(report: &Report, options: &PageOptions) -> Result<String, MonitorError> {
    let mut body = header(report);
    for group in &report.fleet {
        body.push(&fleet(group, options));
    }
    if let Some(aside) = &options.aside {
        body.push(&aside.html());
    }
    body.push(&series(report, options));
    body.push(&thresholds(report));
    body.push(&embedded_json("provender-report", &report.to_canonical()?));
    let title = format!("Monitor {}, {}", report.status.word(), report.window.end);
    Ok(page(&title, &body))
}

fn header(report: &Report) -> Html {
    let window = report.window;
    let tone = report.status.status().tone();
    let mut verdict = Html::element("p", "", &Html::badge(tone, report.status.word()));
    let fired = report.fleet.iter().flat_map(|g| {
        let urgent = g.metrics.iter().filter(|m| m.status.needs_attention());
        urgent.map(move |m| (g, m))
    });
    let mut list = Html::new();
    for (group, metric) in fired {
        let mut item = Html::badge(metric.status.tone(), metric.status.word());
        item.push(&Html::text(format!(" {} ", group.model_version)))
            .push(&Html::code(metric.label()))
            .push(&Html::text(format!(": {}", metric.why)));
        list.push(&Html::element("li", "", &item));
    }
    for note in &report.notes {
        list.push(&Html::element("li", "", &Html::text(note)));
    }
    if list == Html::new() {
        verdict.push(&Html::trusted("<p>Every fleet rule holds.</p>"));
    } else {
        verdict.push(&Html::element("ul", "", &list));
    }
    let s = report.summary;
    let mut out = Html::trusted("<h1>Monitor report</h1>\n");
    out.push(&Html::element(
        "p",
        "dim",
        &Html::text(format!(
            "{} to {}, {} days",
            window.start, window.end, window.days
        )),
    ));
    out.push(&Html::element(
        "div",
        &format!("verdict {}", tone.class()),
        &verdict,
    ));
    out.push(&terms(&[
        (
            "answers",
            Html::text(format!(
                "{}; {} of {} expected ones are recorded",
                s.rows, s.recorded, s.expected
            )),
        ),
        (
            "series",
            Html::text(format!(
                "{}: {} crit, {} warn, {} unknown, {} ok, {} not applicable, {} without series rules",
                s.series, s.crit, s.warn, s.unknown, s.ok, s.not_applicable, s.info
            )),
        ),
        ("report", Html::code(report.report.to_string())),
        ("thresholds", Html::code(report.thresholds_version.to_string())),
    ]));
    out
}

fn heading(level: &str, group: &Group) -> Html {
    let mut title = Html::badge(group.status.tone(), group.status.word());
    title
        .push(&Html::text(format!(" {} ", group.model_version)))
        .push(&Html::element("span", "dim", &Html::text(place(group))));
    Html::element(level, "", &title)
}

fn fleet(group: &Group, options: &PageOptions) -> Html {
    let mut out = heading("h2", group);
    out.push(&about(group));
    out.push(&tests(&group.metrics));
    out.push(&failing(group, options));
    out.push(&missing(group, options));
    out
}

fn about(group: &Group) -> Html {
    let configs: Vec<String> = group.config_versions.clone();
    let mut text = Html::text(format!(
        "{} answers, {} of {} expected ones recorded. Config ",
        group.rows, group.recorded, group.expected
    ));
    if configs.is_empty() {
        text.push(&Html::text("none"));
    }
    for (i, config) in configs.iter().enumerate() {
        text.push(&Html::text(if i == 0 { "" } else { ", " }));
        text.push(&Html::code(config));
    }
    Html::element("p", "dim", &text)
}

fn tests(metrics: &[MetricReport]) -> Html {
    if metrics.is_empty() {
        return Html::trusted("<p class=\"dim\">No rules of this scope.</p>\n");
    }
    let heads = [
        Head("status", false),
        Head("test", false),
        Head("observed", true),
        Head("warn", true),
        Head("crit", true),
        Head("n", true),
        Head("why", false),
    ];
    let rows: Vec<Vec<Html>> = metrics
        .iter()
        .map(|m| {
            let unit = m
                .unit
                .as_deref()
                .map(|u| format!(" {u}"))
                .unwrap_or_default();
            vec![
                Html::badge(m.status.tone(), m.status.word()),
                unbroken(&Html::code(m.label())),
                Html::text(
                    m.value
                        .map_or_else(|| "–".to_owned(), |x| number(x) + &unit),
                ),
                Html::text(side(m.direction, m.warn)),
                Html::text(side(m.direction, m.crit)),
                Html::text(m.rows.to_string()),
                Html::text(&m.why),
            ]
        })
        .collect();
    table(None, &heads, &rows)
}

fn side(direction: Direction, value: Option<f64>) -> String {
    let sign = match direction {
        Direction::Above => "> ",
        Direction::Below => "< ",
    };
    value.map_or_else(|| threshold(None), |x| format!("{sign}{}", number(x)))
}

fn failing(group: &Group, options: &PageOptions) -> Html {
    if group.failing.is_empty() {
        return Html::new();
    }
    let heads = ["place", "date", "rules", "run, snapshot and manifest"].map(|h| Head(h, false));
    let rows: Vec<Vec<Html>> = group
        .failing
        .iter()
        .take(options.rows)
        .map(|row| {
            let path = format!("{}{}", options.manifest_base, row.manifest);
            let mut ids = Html::text("run ");
            ids.push(&Html::code(row.run_id.to_string()))
                .push(&Html::trusted("<br>snapshot "))
                .push(&Html::code(row.snapshot_id.to_string()))
                .push(&Html::trusted("<br>"))
                .push(&Html::link(&path, &Html::code(&row.manifest)));
            vec![
                Html::text(format!("{} / {}", row.boundary_id, row.herd_config_id)),
                unbroken(&Html::text(row.calculation_date.to_string())),
                Html::text(row.metrics.join(", ")),
                ids,
            ]
        })
        .collect();
    let caption = shown(
        "Answers behind fired rules",
        group.failing.len(),
        options.rows,
    );
    folded(&caption, rows.len(), &table(None, &heads, &rows))
}

fn unbroken(content: &Html) -> Html {
    Html::element("span", "nowrap", content)
}

fn missing(group: &Group, options: &PageOptions) -> Html {
    if group.missing.is_empty() {
        return Html::new();
    }
    let heads = ["place", "date"].map(|h| Head(h, false));
    let rows: Vec<Vec<Html>> = group
        .missing
        .iter()
        .take(options.rows)
        .map(|row| {
            vec![
                Html::text(format!("{} / {}", row.boundary_id, row.herd_config_id)),
                Html::text(row.calculation_date.to_string()),
            ]
        })
        .collect();
    let caption = shown("Expected, not recorded", group.missing.len(), options.rows);
    folded(&caption, rows.len(), &table(None, &heads, &rows))
}

fn shown(what: &str, all: usize, cap: usize) -> String {
    if all > cap {
        format!("{what}: {cap} of {all}; all are in the JSON below")
    } else {
        format!("{what}: {all}")
    }
}

/// A list that can be folded; a short one is open from the start.
fn folded(summary: &str, rows: usize, content: &Html) -> Html {
    let open = if rows <= 12 { " open" } else { "" };
    let mut inner = Html::element("summary", "", &Html::text(summary));
    inner.push(content);
    Html::trusted(format!("<details{open}>{inner}</details>\n"))
}

fn series(report: &Report, options: &PageOptions) -> Html {
    let mut groups: Vec<&Group> = report.series.iter().collect();
    // Stable: within a status the order stays that of model version, boundary and herd.
    groups.sort_by_key(|g| std::cmp::Reverse(g.status));
    let mut out = Html::trusted("<h2>Series</h2>\n");
    if groups.is_empty() {
        out.push(&Html::trusted(
            "<p>There is no series in this window.</p>\n",
        ));
    }
    if groups.len() > options.series {
        let caption = shown("The most urgent series", groups.len(), options.series);
        out.push(&Html::element("p", "dim", &Html::text(caption)));
    }
    for group in groups.iter().take(options.series) {
        let mut item = heading("h3", group);
        item.push(&about(group));
        if let Some(outcome) = &group.outcome {
            let missing: Vec<Day> = group.missing.iter().map(|m| m.calculation_date).collect();
            item.push(&chart(
                outcome,
                report.window,
                &missing,
                &marks(group, &outcome.name),
            ));
        }
        if !group.metrics.is_empty() {
            item.push(&tests(&group.metrics));
        }
        item.push(&failing(group, options));
        out.push(&Html::element("section", "item", &item));
    }
    out
}

/// The thresholds that are values of the charted outcome itself; shares have another scale.
fn marks(group: &Group, outcome: &str) -> Vec<Mark> {
    let own = group.metrics.iter().filter(|m| {
        m.subject.as_deref() == Some(outcome)
            && Metric::by_name(&m.name).is_some_and(Metric::has_unit)
    });
    own.flat_map(|m| {
        let each = [(m.warn, false), (m.crit, true)];
        each.into_iter().filter_map(|(value, crit)| {
            let word = if crit { "crit" } else { "warn" };
            value.map(|value| Mark {
                value,
                crit,
                label: format!("{word} of {}", m.name),
            })
        })
    })
    .collect()
}

fn thresholds(report: &Report) -> Html {
    let mut out = Html::trusted("<h2>Thresholds in force</h2>\n");
    for logic in &report.logics {
        out.push(&logic_thresholds(logic));
    }
    out
}

fn logic_thresholds(logic: &LogicReport) -> Html {
    let mut out = Html::element("h3", "", &Html::text(&logic.model_version));
    let mut digest = Html::text("Digest ");
    digest.push(&Html::code(logic.thresholds_version.to_string()));
    out.push(&Html::element("p", "dim", &digest));
    let heads = [
        Head("rule", false),
        Head("scope", false),
        Head("warn", true),
        Head("crit", true),
        Head("min rows", true),
    ];
    let rows: Vec<Vec<Html>> = logic.rules.iter().map(rule_row).collect();
    out.push(&table(Some("Comparisons are strict."), &heads, &rows));
    if !logic.bounds.is_empty() {
        let heads = [
            Head("guardrail of", false),
            Head("minimum", true),
            Head("maximum", true),
            Head("unit", false),
        ];
        let rows: Vec<Vec<Html>> = logic
            .bounds
            .iter()
            .map(|b| {
                vec![
                    Html::code(&b.output),
                    Html::text(threshold(b.minimum)),
                    Html::text(threshold(b.maximum)),
                    Html::text(b.unit.as_deref().unwrap_or("–")),
                ]
            })
            .collect();
        out.push(&table(None, &heads, &rows));
    }
    out
}

fn rule_row(rule: &MonitorRule) -> Vec<Html> {
    let label = match &rule.subject {
        Some(subject) => format!("{}({subject})", rule.metric),
        None => rule.metric.clone(),
    };
    let scope = match rule.scope {
        Scope::Fleet => "fleet",
        Scope::Series => "series",
    };
    vec![
        unbroken(&Html::code(label)),
        Html::text(scope),
        Html::text(side(rule.direction, rule.warn)),
        Html::text(side(rule.direction, rule.crit)),
        Html::text(rule.min_rows.to_string()),
    ]
}
