//! The monitor: a rolling window of answers in, a verdict and its report out.
//!
//! Everything here is a pure function of its input: no ledger, no clock, no file. The caller
//! gathers the answers of a window (`input`), [`judge`] turns them into a [`MonitorReport`], and the renderers turn
//! that model into text, Markdown and a page. The report depends neither on a clock nor on the order of its input:
//! the same rows give the same bytes and digest. So the ledger can detect that it has already recorded a report.
//!
//! What could not be checked is never ok: too few rows, no rows or a column of nulls give `unknown`, which the
//! verdict counts as `warn`. If answers were expected and none is recorded, that is `crit`.
//!
//! * `ack` — acknowledgements of known cases
//! * `baseline` — a frozen reference period, as an immutable record
//! * `shift` — compares a window with its baseline, and a day with the day before
//! * `input` — the input: window, logics, series, rows
//! * `excused` — the verdict without acknowledged cases
//! * `frozen` — the baselines in the ledger, and which is in force
//! * `gather` — gathers the input from the ledger, which `frozen` and `ack` also read
//! * `metrics` — the catalogue of metrics, and how each is computed
//! * `overrides` — DS's thresholds in `logic.toml` over those that the component declares; their digest
//! * `resolve` — validates rules and input before anything is computed
//! * `rules` — compares an observed value with its thresholds
//! * `verdict` — groups, statuses and the overall verdict
//! * `report` — the model of the report, its canonical JSON and its digest
//! * `stored` — recorded reports, read from the ledger with their failing rows
//! * `triage` — finds out whether a failure comes from the data or from the logic
//! * [`brief`] — the short report, for a terminal
//! * `document` — the full report, for a page and for Markdown
//! * `aside` — additional sections in its page and Markdown
//! * `chart` — a series as an inline SVG line chart
//! * `error` — errors

pub(crate) mod ack;
pub(crate) mod aside;
pub(crate) mod baseline;
mod brief;
mod chart;
pub(crate) mod document;
mod error;
mod excused;
pub(crate) mod frozen;
pub(crate) mod gather;
pub(crate) mod input;
pub(crate) mod metrics;
pub(crate) mod overrides;
pub(crate) mod report;
pub(crate) mod resolve;
mod rules;
pub(crate) mod shift;
pub(crate) mod stored;
mod triage;
mod verdict;

#[cfg(test)]
mod tests;

pub use ack::{Ack, Target as AckTarget, acks, record as record_ack};
pub use aside::Aside as SetAside;
pub use baseline::{Baseline, Reference, SeriesReference};
pub use brief::brief;
pub use error::MonitorError;
pub use frozen::{
    Frozen as FrozenBaseline, baselines, document as baseline_of, find_baseline,
    record as record_baseline,
};
pub use gather::{GatherError, rules as rules_in_force};
pub use input::{Bounds, LogicInput, Row, SeriesInput, Subject, Window};
pub use metrics::Metric;
pub use overrides::{Override, Setting, apply_overrides, rule_text, thresholds_version};
pub use report::{
    BaselineReport, BoundsReport, FailingRow as ReportedRow, Group, LogicReport, MetricReport,
    MissingRow, MonitorReport, MonitorVerdict, OutcomeSeries, ReportWindow, Status,
    Summary as ReportSummary,
};
pub use resolve::bounds_of;
pub use stored::{
    Body as StoredBody, Days as StoredDays, Failing as FailingRow, Group as StoredGroup,
    Logic as StoredLogic, Metric as StoredMetric, Missing as StoredMissing, OutputBounds,
    Stored as StoredReport, StoredError, Wanted as WantedReport, begins as digest_begins,
    find as find_report,
};
pub use triage::{
    Points, Triage, TriageFinding, TriageGroup, TriageScene, TriageVerdict, judge_triage,
    triage_scenes,
};
pub use verdict::{judge, judge_with};
