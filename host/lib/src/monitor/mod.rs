//! The monitor: a rolling window of answers in, a verdict and its report out.
//!
//! Everything here is a pure function of its input: no ledger, no clock, no file. The caller
//! gathers the answers of a window ([`input`]), [`judge`] turns them into a [`MonitorReport`], and the
//! renderers turn that one model into text, Markdown and a page. The report holds no clock value
//! and no order of its input: the same rows give the same bytes and the same digest, which is how
//! the ledger knows that it has recorded this report already.
//!
//! What could not be checked is never ok: too few rows, no rows or a column of nulls give `unknown`,
//! which the verdict counts as `warn`; nothing recorded where something was expected is `crit`.
//!
//! * [`ack`] — known cases that keep a day quiet and are never hidden
//! * [`baseline`] — a frozen reference period, as an immutable record
//! * [`shift`] — a window against its baseline, a day against the day before
//! * [`input`] — what the caller gathers: window, logics, series, rows
//! * `excused` — what of the verdict remains without acknowledged cases
//! * [`frozen`] — the baselines in the ledger, and which is in force
//! * [`gather`] — the ledger's answers as input; with [`frozen`] and [`ack`] the parts that read
//! * [`metrics`] — the catalogue of metrics, and how each is computed
//! * [`overrides`] — DS's thresholds in `logic.toml` over those the component declares; their digest
//! * [`resolve`] — whether rules and input make sense, before anything is computed
//! * [`rules`] — an observed value against its thresholds
//! * [`verdict`] — groups, statuses and the overall verdict
//! * [`report`] — the model of the report, its canonical JSON and its digest
//! * [`stored`] — reports found again in the ledger, with their failing rows
//! * [`triage`] — whether a failure comes from the data or from the logic
//! * [`brief`] — the report in short, for a terminal
//! * [`document`] — the report in full, for a page and for Markdown
//! * [`aside`] — a section beside the report, in its page and Markdown
//! * [`chart`] — a series as an inline SVG line chart
//! * [`error`] — what is refused, in sentences

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
