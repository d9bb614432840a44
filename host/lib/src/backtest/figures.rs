//! The outcomes of a report in words and tables: how many changed, by how much, how they are spread,
//! which became null.

use provender_domain::render::text::number;
use provender_domain::render::{Block, Document, Table, Tone};
use provender_domain::value::DataType;

use super::chart::chart;
use super::document::{json, none, round};
use super::report::{BacktestReport, OutcomeReport};

/// The section of the outcomes.
pub(super) fn outcomes(out: &mut Document, report: &BacktestReport) {
    out.heading(2, "Outcomes");
    if report.outcomes.is_empty() {
        out.note(Some(Tone::Warn), "no outcome of both sides can be compared");
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
        out.table(
            Table::new(
                [
                    "outcome",
                    "changed",
                    "share",
                    "became null",
                    "ceased to be null",
                    "null in both",
                ],
                rows,
            )
            .numbers(&[
                "changed",
                "share",
                "became null",
                "ceased to be null",
                "null in both",
            ]),
        );
        changes(out, report);
        spread(out, report);
    }
    let drawn = report.outcomes.iter().filter_map(chart);
    drawn.for_each(|figure| out.push(Block::Figure(figure)));
    null_changes(out, report);
    for n in &report.not_compared {
        out.note(
            Some(Tone::Warn),
            format!("{} is not compared: {}", n.name, n.why),
        );
    }
}

/// The places with rows that became null or ceased to be.
fn null_changes(out: &mut Document, report: &BacktestReport) {
    let nulls = report.outcomes.iter().flat_map(|o| {
        o.null_changes.iter().map(|n| {
            vec![
                o.name.clone(),
                n.boundary_id.to_string(),
                n.herd_config_id.to_string(),
                n.calculation_date.to_string(),
                json(&n.before),
                json(&n.after),
                n.reasons.join("; "),
            ]
        })
    });
    let nulls: Vec<Vec<String>> = nulls.collect();
    if !nulls.is_empty() {
        out.note(
            None,
            "Places with rows that became null or ceased to be, the first row of some of them:",
        );
        out.table(
            Table::new(
                [
                    "outcome", "boundary", "herd", "date", "before", "after", "why null",
                ],
                nulls,
            )
            .numbers(&["before", "after"]),
        );
    }
}

fn changes(out: &mut Document, report: &BacktestReport) {
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
    out.note(None,
        "Size of the change, over the rows with two numbers that differ. Median and p50 are the middle one, of an even count the mean of the two in the middle; p05 and p95 are by nearest rank:",
    );
    out.table(
        Table::new(
            [
                "outcome",
                "median",
                "largest",
                "median %",
                "largest %",
                "p05 signed",
                "p50 signed",
                "p95 signed",
            ],
            rows,
        )
        .numbers(&[
            "median",
            "largest",
            "median %",
            "largest %",
            "p05 signed",
            "p50 signed",
            "p95 signed",
        ]),
    );
}

fn spread(out: &mut Document, report: &BacktestReport) {
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
        out.note(None, "The numbers themselves:");
        out.table(
            Table::new(["outcome", "side", "p05", "p50", "p95"], rows)
                .numbers(&["p05", "p50", "p95"]),
        );
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
