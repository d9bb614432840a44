//! The monitor: a rolling window of answers in, a verdict and its report out.
//!
//! Everything here is a pure function of its input: no ledger, no clock, no file. The caller
//! gathers the answers of a window ([`input`]), [`judge`] turns them into a [`MonitorReport`], and the renderers turn
//! that model into text, Markdown and a page. The report depends neither on a clock nor on the order of its input:
//! the same rows give the same bytes and digest. So the ledger can detect that it has already recorded a report.
//!
//! What could not be checked is never ok: too few rows, no rows or a column of nulls give `unknown`, which the
//! verdict counts as `warn`. If answers were expected and none is recorded, that is `crit`.
//!
//! * [`ack`] — acknowledgements of known cases
//! * [`baseline`] — a frozen reference period, as an immutable record
//! * [`shift`] — compares a window with its baseline, and a day with the day before
//! * [`input`] — the input: window, logics, series, rows
//! * `excused` — the verdict without acknowledged cases
//! * [`frozen`] — the baselines in the ledger, and which is in force
//! * [`gather`] — gathers the input from the ledger, which [`frozen`] and [`ack`] also read
//! * [`metrics`] — the catalogue of metrics, and how each is computed
//! * [`overrides`] — DS's thresholds in `logic.toml` over those that the component declares; their digest
//! * [`resolve`] — validates rules and input before anything is computed
//! * [`rules`] — compares an observed value with its thresholds
//! * [`verdict`] — groups, statuses and the overall verdict
//! * [`report`] — the model of the report, its canonical JSON and its digest
//! * [`stored`] — recorded reports, read from the ledger with their failing rows
//! * [`triage`] — finds out whether a failure comes from the data or from the logic
//! * [`brief`] — the short report, for a terminal
//! * [`document`] — the full report, for a page and for Markdown
//! * [`aside`] — additional sections in its page and Markdown
//! * [`chart`] — a series as an inline SVG line chart
//! * [`error`] — errors

pub mod ack;
pub mod aside;
pub mod baseline;
pub mod brief;
pub mod chart;
pub mod document;
pub mod error;
mod excused;
pub mod frozen;
pub mod gather;
pub mod input;
pub mod metrics;
pub mod overrides;
pub mod report;
pub mod resolve;
pub mod rules;
pub mod shift;
pub mod stored;
pub mod triage;
pub mod verdict;

#[cfg(test)]
mod tests;

pub use error::MonitorError;
pub use input::{Bounds, LogicInput, Row, SeriesInput, Subject, Window};
pub use overrides::{Override, Setting, apply_overrides, thresholds_version};
pub use report::{MonitorReport, MonitorVerdict, Status};
pub use resolve::bounds_of;
pub use verdict::{judge, judge_with};
