//! A canary's results as lines and tables.

use crate::ui::{Look, Text};
use provender_domain::render::text::count;
use provender_host::monitor::Status;
use provender_host::release::{
    FIGURE_HEADS, Figure, Observed, ObservedDay, figure_rows, figure_text, percent,
};

/// Appends the two releases, the verdict and how much was compared.
pub(super) fn headline(text: &mut Text, o: &Observed) {
    text.look(
        Look::from(o.status.tone()),
        format!(
            "Canary of R{} beside R{}: {}",
            o.number,
            o.against_number,
            o.status.word()
        ),
    );
    let state = o
        .ended
        .clone()
        .unwrap_or_else(|| format!("running since {} by {}", o.since, o.by));
    text.line(format!(
        "  {state}; share {} %, {} to {}: {} compared on {}",
        o.share,
        o.from,
        o.to,
        count(o.rows as u64, "row"),
        count(o.days as u64, "day")
    ));
    for note in &o.notes {
        text.line(format!("  {note}"));
    }
}

/// One line for each figure that needs attention.
pub(super) fn urgent(o: &Observed) -> Vec<(Status, String)> {
    let figures = o.figures.iter().filter(|f| f.status.needs_attention());
    figures
        .map(|f| {
            let of = f.subject.as_ref().map(|s| format!(" of {s}"));
            let (word, name, of) = (f.status.word(), f.name, of.unwrap_or_default());
            (
                f.status,
                format!("{word} {name}{of} ({}): {}", f.logic, f.why),
            )
        })
        .collect()
}

/// Appends everything: headline, rows that could not be compared, figures, and each day.
pub(crate) fn say(text: &mut Text, o: &Observed) {
    headline(text, o);
    for example in &o.unpaired.examples {
        text.look(Look::Dim, format!("  not compared: {example}"));
    }
    if o.figures.is_empty() {
        return;
    }
    text.blank();
    let rows: Vec<Vec<(Look, String)>> = figure_rows(o)
        .into_iter()
        .map(|(status, cells)| styled(status, cells))
        .collect();
    text.table(&FIGURE_HEADS, &rows);
    text.blank();
    let rows: Vec<Vec<(Look, String)>> = day_rows(o)
        .into_iter()
        .map(|(status, cells)| styled(status, cells))
        .collect();
    text.table(&DAY_HEADS, &rows);
}

/// Colours the last cell, which is the verdict.
fn styled(status: Status, cells: Vec<String>) -> Vec<(Look, String)> {
    let last = cells.len().saturating_sub(1);
    let look = |i| {
        if i == last {
            status.tone().into()
        } else {
            Look::Plain
        }
    };
    cells
        .into_iter()
        .enumerate()
        .map(|(i, cell)| (look(i), cell))
        .collect()
}

const DAY_HEADS: [&str; 10] = [
    "day",
    "logic",
    "compared",
    "changed",
    "median change",
    "p95 change",
    "nulls",
    "guardrails",
    "missing",
    "verdict",
];

/// One row per day and logic, from the figures of the logic's first outcome.
fn day_rows(o: &Observed) -> Vec<(Status, Vec<String>)> {
    let mut rows = Vec::new();
    for day in &o.by_day {
        let mut logics: Vec<&str> = day.figures.iter().map(|f| f.logic.as_str()).collect();
        logics.dedup();
        rows.extend(logics.into_iter().map(|logic| day_row(day, logic)));
    }
    rows
}

fn day_row(day: &ObservedDay, logic: &str) -> (Status, Vec<String>) {
    let own: Vec<&Figure> = day.figures.iter().filter(|f| f.logic == logic).collect();
    let first = |name: &str| own.iter().find(|f| f.name == name);
    let value = |name: &str| {
        let value = first(name).and_then(|f| f.value);
        value.map_or_else(dash, |x| figure_text(name, x))
    };
    let rate = |name: &str| {
        let both = first(name).and_then(|f| f.active.zip(f.candidate));
        both.map_or_else(dash, |(a, c)| format!("{} → {}", percent(a), percent(c)))
    };
    let status = own
        .iter()
        .map(|f| f.status)
        .max()
        .unwrap_or(Status::Unknown);
    let compared = first("guardrail_rate").map_or(0, |f| f.rows);
    let cells = vec![
        day.day.to_string(),
        logic.to_owned(),
        compared.to_string(),
        value("share_changed"),
        value("median_change"),
        value("p95_change"),
        rate("null_rate"),
        rate("guardrail_rate"),
        value("candidate_missing"),
        status.word().to_owned(),
    ];
    (status, cells)
}

fn dash() -> String {
    "–".to_owned()
}
