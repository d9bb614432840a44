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

pub mod age;
pub mod backtest;
pub mod canary;
pub mod check;
pub mod decision;
pub mod forms;
pub mod goldens;
pub mod judge;
pub mod monitors;
pub mod people;
pub mod record;
pub mod replay;
pub mod require;
pub mod rows;
pub mod scene;
pub mod verify;

pub use check::{Check, CheckVerdict};
pub use decision::GateReport;
pub use judge::judge;
pub use scene::GateContext;
