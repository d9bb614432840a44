//! The figures of a canary as table cells.

use crate::monitor::report::Status;

use super::Observed;
use super::figures::{figure_text, percent};

/// The column headings of [`figure_rows`].
pub const FIGURE_HEADS: [&str; 9] = [
    "logic",
    "outcome",
    "figure",
    "value",
    "active",
    "candidate",
    "warn / crit above",
    "rows",
    "verdict",
];

/// The cells of each figure, with its status.
#[must_use]
pub fn figure_rows(o: &Observed) -> Vec<(Status, Vec<String>)> {
    let dash = || "–".to_owned();
    o.figures
        .iter()
        .map(|f| {
            let limit = |t: Option<f64>| t.map_or_else(dash, |t| figure_text(f.name, t));
            let cells = vec![
                f.logic.to_string(),
                f.subject.clone().unwrap_or_else(dash),
                f.name.to_owned(),
                f.value.map_or_else(dash, |x| figure_text(f.name, x)),
                f.active.map_or_else(dash, percent),
                f.candidate.map_or_else(dash, percent),
                format!("{} / {}", limit(f.warn), limit(f.crit)),
                f.rows.to_string(),
                f.status.word().to_owned(),
            ];
            (f.status, cells)
        })
        .collect()
}
