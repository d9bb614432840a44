//! The back-test: a candidate against the version that answers, over every recorded answer's inputs.
//!
//! ```text
//! ledger ─▶ snapshot: answer + its recorded inputs ─▶ side before: recorded outputs, or computed
//!                                                  └▶ side after: the candidate, computed
//!                                                       └▶ tally, monitors ─▶ report ─▶ text, Markdown, page
//! ```
//!
//! Nothing is recorded. Rows go by in chunks, one boundary and herd after the other; what is kept are counts
//! and, of every outcome, its numbers, so that medians and quantiles are exact. Threads take spans of places,
//! each with a reader of its own, and what they find is joined in the order of the places.
//!
//! * [`run`] — the back-test: selects the answers and builds the report
//! * `spans` — places dealt to threads
//! * [`pass`] — one pass over answers, as one thread makes it
//! * [`found`] — what was found, and how it joins
//! * `range` — which answers, and when there are none
//! * [`snapshot`] — recorded answers with their inputs, proved by digest or read from manifests
//! * [`side`] — one component with the columns that it is given
//! * [`tally`] — outcomes, guardrails, failures
//! * [`affected`] — the boundaries with the largest changes
//! * [`statistics`] — two columns of numbers side by side
//! * [`settings`] — what the sides are set to differently
//! * [`expected`] — the days that the monitors hold both sides to
//! * [`monitors`] — the verdicts of the monitors on both sides
//! * [`report`] — the model of the report and its JSON
//! * [`document`], `figures` — the report in words and tables, for every medium
//! * [`chart`] — two distributions as an inline SVG
//! * [`error`] — errors

pub mod affected;
pub mod chart;
pub mod document;
pub mod error;
pub mod expected;
mod figures;
pub mod found;
pub mod monitors;
pub mod pass;
mod range;
pub mod report;
pub mod run;
pub mod settings;
pub mod side;
pub mod snapshot;
mod spans;
pub mod statistics;
pub mod tally;
#[cfg(test)]
mod tests;

pub use error::BacktestError;
pub use report::BacktestReport;
pub use run::{Archive, Contender, Progress, Request, backtest};
