//! The report as a document: the verdict, each logic's rules from crit to ok, the series with their charts, the
//! thresholds in force, and the report's JSON.

use provender_domain::day::Day;
use provender_domain::description::{Direction, MonitorRule, Scope};
use provender_domain::render::document::Span;
use provender_domain::render::text::number;
use provender_domain::render::{Block, Document, Inline, Table};

use super::aside::Aside;
use super::brief::{place, threshold};
use super::chart::{Mark, chart};
use super::error::MonitorError;
use super::metrics::Metric;
use super::report::{Group, LogicReport, MetricReport, MonitorReport};

/// How much of the report the document shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Relative path from the document's folder to the manifest store, such as `../`. Trusted: it is not user input.
    pub manifest_base: String,
    /// How many series get a section, the most urgent first.
    pub series: usize,
    /// Whether series that need no attention get a section too.
    pub calm_series: bool,
    /// How many rows of each list are shown.
    pub rows: usize,
    /// An additional section beside the report.
    pub aside: Option<Aside>,
}

impl Extent {
    /// For an HTML page, which scrolls and folds.
    #[must_use]
    pub(crate) fn page(manifest_base: String, aside: Option<Aside>) -> Extent {
        Extent {
            manifest_base,
            series: 100,
            calm_series: true,
            rows: 200,
            aside,
        }
    }

    /// For a job summary or a ticket.
    #[must_use]
    pub(crate) fn summary(aside: Option<Aside>) -> Extent {
        Extent {
            manifest_base: String::new(),
            series: 50,
            calm_series: false,
            rows: 50,
            aside,
        }
    }
}

/// The document. Lists that `extent` shortens say so; the JSON has everything.
///
/// # Errors
/// [`MonitorError`] when the report has no canonical JSON to embed.
pub(crate) fn document(report: &MonitorReport, extent: &Extent) -> Result<Document, MonitorError> {
    let window = report.window;
    let mut out = Document::new(format!("Monitor {}, {}", report.status.word(), window.end));
    header(&mut out, report);
    for group in &report.fleet {
        out.heading(2, heading(group));
        out.push(about(group));
        out.push(tests(&group.metrics));
        out.blocks.extend(failing(group, extent));
        out.blocks.extend(missing(group, extent));
    }
    if let Some(aside) = &extent.aside {
        out.blocks.extend(aside.blocks());
    }
    series(&mut out, report, extent);
    out.heading(2, "Thresholds in force");
    for logic in &report.logics {
        thresholds(&mut out, logic);
    }
    out.push(Block::Data {
        id: "provender-report",
        json: report.to_canonical()?,
    });
    Ok(out)
}

fn header(out: &mut Document, report: &MonitorReport) {
    let window = report.window;
    out.heading(1, "Monitor report");
    let days = format!("{} to {}, {} days", window.start, window.end, window.days);
    out.push(Block::Background(days.into()));
    let fired = report.fleet.iter().flat_map(|g| {
        let urgent = g.metrics.iter().filter(|m| m.status.needs_attention());
        urgent.map(move |m| {
            Inline::new()
                .badge(m.status.tone(), m.status.word())
                .text(format!(" {} ", g.model_version))
                .code(m.label())
                .text(format!(": {}", m.why))
        })
    });
    let mut why: Vec<Inline> = fired.collect();
    why.extend(report.notes.iter().map(Inline::from));
    if why.is_empty() {
        why.push("Every fleet rule holds.".into());
    }
    out.push(Block::Verdict {
        tone: report.status.status().tone(),
        word: report.status.word().to_owned(),
        why,
    });
    let s = report.summary;
    let answers = format!(
        "{}; {} of {} expected ones are recorded",
        s.rows, s.recorded, s.expected
    );
    let series = format!(
        "{}: {} crit, {} warn, {} unknown, {} ok, {} not applicable, {} without series rules",
        s.series, s.crit, s.warn, s.unknown, s.ok, s.not_applicable, s.info
    );
    let thresholds = report.thresholds_version.to_string();
    out.push(Block::Facts(vec![
        ("answers".to_owned(), answers.into()),
        ("series".to_owned(), series.into()),
        (
            "report".to_owned(),
            Inline::of_code(report.report.to_string()),
        ),
        ("thresholds".to_owned(), Inline::of_code(thresholds)),
    ]));
}

fn heading(group: &Group) -> Inline {
    Inline::new()
        .badge(group.status.tone(), group.status.word())
        .text(format!(" {} ", group.model_version))
        .with(Span::Dim(place(group)))
}

fn about(group: &Group) -> Block {
    let mut text = Inline::from(format!(
        "{} answers, {} of {} expected ones recorded. Config ",
        group.rows, group.recorded, group.expected
    ));
    if group.config_versions.is_empty() {
        text = text.text("none");
    }
    for (i, config) in group.config_versions.iter().enumerate() {
        text = text.text(if i == 0 { "" } else { ", " }).code(config);
    }
    Block::Background(text)
}

fn tests(metrics: &[MetricReport]) -> Block {
    if metrics.is_empty() {
        return Block::Background("No rules of this scope.".into());
    }
    let row = |m: &MetricReport| {
        let unit = m
            .unit
            .as_ref()
            .map_or_else(String::new, |u| format!(" {u}"));
        let observed = m
            .value
            .map_or_else(|| "–".to_owned(), |x| number(x) + &unit);
        vec![
            Inline::new().badge(m.status.tone(), m.status.word()),
            Inline::of_code(m.label()),
            observed.into(),
            side(m.direction, m.warn).into(),
            side(m.direction, m.crit).into(),
            m.rows.to_string().into(),
            Inline::from(&m.why),
        ]
    };
    let heads = ["status", "test", "observed", "warn", "crit", "n", "why"];
    let table = Table::new(heads, metrics.iter().map(row));
    Block::Table(
        table
            .numbers(&["observed", "warn", "crit", "n"])
            .unbroken(&["test"]),
    )
}

fn side(direction: Direction, value: Option<f64>) -> String {
    let sign = match direction {
        Direction::Above => "> ",
        Direction::Below => "< ",
    };
    value.map_or_else(|| threshold(None), |x| format!("{sign}{}", number(x)))
}

fn failing(group: &Group, extent: &Extent) -> Option<Block> {
    let rows = group.failing.iter().take(extent.rows).map(|row| {
        let ids = Inline::from("run ")
            .code(row.run_id.to_string())
            .with(Span::Break)
            .text("snapshot ")
            .code(row.snapshot_id.to_string())
            .with(Span::Break)
            .with(Span::Link {
                path: format!("{}{}", extent.manifest_base, row.manifest),
                name: row.manifest.clone(),
            });
        vec![
            format!("{} / {}", row.boundary_id, row.herd_config_id).into(),
            row.calculation_date.to_string().into(),
            row.metrics.join(", ").into(),
            ids,
        ]
    });
    let heads = ["place", "date", "rules", "run, snapshot and manifest"];
    let table = Table::new(heads, rows).unbroken(&["date"]);
    capped(
        "Answers behind fired rules",
        group.failing.len(),
        extent,
        table,
    )
}

fn missing(group: &Group, extent: &Extent) -> Option<Block> {
    let rows = group.missing.iter().take(extent.rows).map(|row| {
        let place = format!("{} / {}", row.boundary_id, row.herd_config_id);
        vec![place, row.calculation_date.to_string()]
    });
    let table = Table::new(["place", "date"], rows);
    capped("Expected, not recorded", group.missing.len(), extent, table)
}

/// A table that says how many rows it leaves out; `None` if there are no rows.
fn capped(what: &str, all: usize, extent: &Extent, table: Table) -> Option<Block> {
    (all > 0).then(|| Block::Details {
        title: shown(what, all, extent.rows),
        open: table.rows.len() <= 12,
        blocks: vec![Block::Table(table)],
    })
}

fn shown(what: &str, all: usize, cap: usize) -> String {
    if all > cap {
        format!("{what}: {cap} of {all}; all are in the JSON report")
    } else {
        format!("{what}: {all}")
    }
}

fn series(out: &mut Document, report: &MonitorReport, extent: &Extent) {
    let mut groups: Vec<&Group> = report.series.iter().collect();
    groups.retain(|g| extent.calm_series || g.status.needs_attention());
    // A stable sort: within a status, the order by model version, boundary and herd stays.
    groups.sort_by_key(|g| std::cmp::Reverse(g.status));
    out.heading(2, "Series");
    if groups.is_empty() {
        out.paragraph(match report.series.is_empty() {
            true => "There is no series in this window.",
            false => "No series needs attention.",
        });
    }
    if groups.len() > extent.series {
        let caption = shown("The most urgent series", groups.len(), extent.series);
        out.push(Block::Background(caption.into()));
    }
    for group in groups.into_iter().take(extent.series) {
        let mut item = vec![Block::Heading(3, heading(group)), about(group)];
        if let Some(outcome) = &group.outcome {
            let missing: Vec<Day> = group.missing.iter().map(|m| m.calculation_date).collect();
            let marks = marks(group, &outcome.name);
            let figure = chart(outcome, report.window, &missing, &marks);
            item.push(Block::Figure(figure));
        }
        if !group.metrics.is_empty() {
            item.push(tests(&group.metrics));
        }
        item.extend(failing(group, extent));
        out.push(Block::Section(item));
    }
}

/// The thresholds in the unit of the charted outcome; shares have another scale.
fn marks(group: &Group, outcome: &str) -> Vec<Mark> {
    let own = group.metrics.iter().filter(|m| {
        m.subject.as_deref() == Some(outcome)
            && Metric::by_name(&m.name).is_some_and(|m| m.has_unit())
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

fn thresholds(out: &mut Document, logic: &LogicReport) {
    out.heading(3, logic.model_version.as_str());
    let digest = Inline::from("Digest ").code(logic.thresholds_version.to_string());
    out.push(Block::Background(digest));
    let heads = ["rule", "scope", "warn", "crit", "min rows"];
    let rules = Table::new(heads, logic.rules.iter().map(rule_row));
    out.table(
        rules
            .numbers(&["warn", "crit", "min rows"])
            .unbroken(&["rule"])
            .caption("Comparisons are strict."),
    );
    if !logic.bounds.is_empty() {
        let rows = logic.bounds.iter().map(|b| {
            vec![
                Inline::of_code(&b.output),
                threshold(b.minimum).into(),
                threshold(b.maximum).into(),
                b.unit.as_deref().unwrap_or("–").into(),
            ]
        });
        let heads = ["guardrail of", "minimum", "maximum", "unit"];
        out.table(Table::new(heads, rows).numbers(&["minimum", "maximum"]));
    }
}

fn rule_row(rule: &MonitorRule) -> Vec<Inline> {
    let label = match &rule.subject {
        Some(subject) => format!("{}({subject})", rule.metric),
        None => rule.metric.clone(),
    };
    let scope = match rule.scope {
        Scope::Fleet => "fleet",
        Scope::Series => "series",
    };
    vec![
        Inline::of_code(label),
        scope.into(),
        side(rule.direction, rule.warn).into(),
        side(rule.direction, rule.crit).into(),
        rule.min_rows.to_string().into(),
    ]
}
