//! The outcomes of a report in words and tables: how many changed, by how much, how they are spread,
//! which became null.

use provender_domain::render::html::Tone;
use provender_domain::render::text::number;
use provender_domain::value::DataType;

use super::blocks::{Block, json, none, note, round, say};
use super::report::{OutcomeReport, Report};

/// The section of the outcomes.
pub(super) fn outcomes(out: &mut Vec<Block>, report: &Report) {
    out.push(Block::Heading("Outcomes".to_owned()));
    if report.outcomes.is_empty() {
        note(out, Tone::Warn, "no outcome of both sides can be compared");
    } else {
        let rows = report.outcomes.iter().map(|o| {
            vec![
                named(&o.name, o.unit.as_deref()),
                o.changed.to_string(),
                report.share(o.changed),
                o.became_null.to_string(),
                o.ceased_null.to_string(),
                o.both_null.to_string(),
            ]
        });
        out.push(Block::Table {
            heads: vec![
                ("outcome", false),
                ("changed", true),
                ("share", true),
                ("became null", true),
                ("ceased to be null", true),
                ("null in both", true),
            ],
            rows: rows.collect(),
        });
        changes(out, report);
        spread(out, report);
    }
    for (n, outcome) in report.outcomes.iter().enumerate() {
        let drawn = outcome
            .figures
            .as_ref()
            .is_some_and(|f| f.distribution.is_some());
        if drawn {
            out.push(Block::Chart(n));
        }
    }
    let nulls = report.outcomes.iter().flat_map(|o| {
        o.null_changes.iter().map(|n| {
            vec![
                o.name.clone(),
                n.boundary_id.clone(),
                n.herd_config_id.clone(),
                n.calculation_date.to_string(),
                json(&n.before),
                json(&n.after),
                n.reasons.join("; "),
            ]
        })
    });
    let nulls: Vec<Vec<String>> = nulls.collect();
    if !nulls.is_empty() {
        say(
            out,
            "Places with rows that became null or ceased to be, the first row of some of them:",
        );
        out.push(Block::Table {
            heads: vec![
                ("outcome", false),
                ("boundary", false),
                ("herd", false),
                ("date", false),
                ("before", true),
                ("after", true),
                ("why null", false),
            ],
            rows: nulls,
        });
    }
    for n in &report.not_compared {
        note(
            out,
            Tone::Warn,
            format!("{} is not compared: {}", n.name, n.why),
        );
    }
}

fn changes(out: &mut Vec<Block>, report: &Report) {
    let rows: Vec<Vec<String>> = report
        .outcomes
        .iter()
        .filter_map(|o| {
            let f = o.figures.as_ref()?;
            let (size, change) = (f.absolute?, f.change?);
            let share = |x: f64| number(round(x * 100.0));
            Some(vec![
                sized(o),
                number(size.median),
                number(size.largest),
                f.relative.map_or_else(none, |r| share(r.median)),
                f.relative.map_or_else(none, |r| share(r.largest)),
                number(change.p05),
                number(change.p50),
                number(change.p95),
            ])
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    say(
        out,
        "Size of the change, over the rows with two numbers that differ. Median and p50 are the middle one, of an even count the mean of the two in the middle; p05 and p95 are by nearest rank:",
    );
    out.push(Block::Table {
        heads: vec![
            ("outcome", false),
            ("median", true),
            ("largest", true),
            ("median %", true),
            ("largest %", true),
            ("p05 signed", true),
            ("p50 signed", true),
            ("p95 signed", true),
        ],
        rows,
    });
}

fn spread(out: &mut Vec<Block>, report: &Report) {
    let mut rows = Vec::new();
    for o in &report.outcomes {
        let Some(f) = &o.figures else { continue };
        for (side, quantiles) in [("before", f.before), ("after", f.after)] {
            if let Some(q) = quantiles {
                rows.push(vec![
                    named(&o.name, o.unit.as_deref()),
                    side.to_owned(),
                    number(q.p05),
                    number(q.p50),
                    number(q.p95),
                ]);
            }
        }
    }
    if !rows.is_empty() {
        say(out, "The numbers themselves:");
        out.push(Block::Table {
            heads: vec![
                ("outcome", false),
                ("side", false),
                ("p05", true),
                ("p50", true),
                ("p95", true),
            ],
            rows,
        });
    }
}

pub(super) fn named(name: &str, unit: Option<&str>) -> String {
    match unit {
        Some(unit) => format!("{name} ({unit})"),
        None => name.to_owned(),
    }
}

fn sized(o: &OutcomeReport) -> String {
    match o.data_type {
        DataType::Date => named(&o.name, Some("days")),
        _ => named(&o.name, o.unit.as_deref()),
    }
}
