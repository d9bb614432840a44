//! Gates: what a release must pass before it becomes active in an environment.
//!
//! The policy says which checks are made and what each verdict does. A check reports what it observed, on how
//! many rows, against which threshold, and what to change. What could not be looked at is unknown, and an
//! unknown verdict never lets a release in.
//!
//! * [`check`] — the result of a check
//! * [`scene`] — what checks look at
//! * [`verify`], [`goldens`], [`people`], [`rows`], [`replay`], [`backtest`], [`monitors`],
//!   [`canary`], [`age`] — the checks
//! * [`mod@judge`] — runs every check that the policy asks for
//! * [`decision`] — makes a decision from checks and policy
//! * [`record`] — records the decision, its report and the evidence
//! * [`require`] — the recorded decision that a promotion needs
//! * [`forms`] — the report as a document and as JUnit XML

mod age;
mod backtest;
mod canary;
mod check;
mod decision;
mod forms;
mod goldens;
mod judge;
mod monitors;
mod people;
mod record;
mod replay;
pub(crate) mod require;
mod rows;
mod scene;
mod verify;

pub use check::{Check as GateCheck, Figure as GateFigure};
pub use decision::{About as GateAbout, GateReport, Weighed as WeighedCheck};
pub use forms::{
    behind as reasons_behind, document as gate_document, effect as effect_of, suite as gate_suite,
};
pub use judge::judge as judge_gate;
pub use record::{Recorded as RecordedDecision, record as record_gate};
pub use scene::GateContext;
