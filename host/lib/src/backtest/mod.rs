//! The back-test: a candidate against the version that answers, over every recorded answer's inputs.
//!
//! ```text
//! ledger ─▶ snapshot: answer + its recorded inputs ─▶ side before: recorded outputs, or computed
//!                                                  └▶ side after: the candidate, computed
//!                                                       └▶ tally, monitors ─▶ report ─▶ text, Markdown, page
//! ```
//!
//! Nothing is recorded. Rows are processed in chunks, sorted by boundary and herd. Only counts and the numbers of
//! each outcome are kept, so that medians and quantiles are exact. Threads take spans of places, each with its
//! own reader, and their results are merged in the order of the places.
//!
//! * `run` — the back-test: selects the answers and builds the report
//! * `spans` — places dealt to threads
//! * `pass` — one pass over answers, as one thread makes it
//! * `found` — the counts of a part of the places, and how parts are merged
//! * `range` — which answers, and when there are none
//! * `snapshot` — recorded answers with their inputs, proved by digest or read from manifests
//! * `side` — one component with the columns that it is given
//! * `tally` — outcomes, guardrails, failures
//! * `affected` — the boundaries with the largest changes
//! * `statistics` — two columns of numbers side by side
//! * `settings` — the settings that differ between the sides
//! * `expected` — the days on which the monitors expect an answer of both sides
//! * `monitors` — the verdicts of the monitors on both sides
//! * `report` — the model of the report and its JSON
//! * [`document`], `figures` — the report in words and tables, for every medium
//! * `chart` — two distributions as an inline SVG
//! * `error` — errors

mod affected;
mod chart;
mod document;
mod error;
mod expected;
mod figures;
mod found;
mod monitors;
mod pass;
mod range;
pub(crate) mod report;
pub(crate) mod run;
mod settings;
mod side;
mod snapshot;
mod spans;
mod statistics;
mod tally;
#[cfg(test)]
mod tests;

pub use document::document;
pub use error::BacktestError;
pub use report::{
    AffectedRow, BacktestMonitor, BacktestReport, Baseline as BacktestBaseline, FailedRow,
    GuardrailReport, InputReport, NotCompared, NullChange, OutcomeReport, RailReport,
    Range as BacktestRange, ReadBy, RuleReport, SettingKind, SettingReport, SettingValue,
    SideReport, VerdictReport, Warning as BacktestWarning,
};
pub use run::{Archive, Contender, Progress, Request, backtest};
pub use snapshot::Provenance as SnapshotProvenance;
pub use statistics::{Distribution, Quantiles, Size as DifferenceSize, Summary as NumberSummary};
