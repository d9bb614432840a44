//! Gates: what must hold before a release becomes active in an environment, looked at and decided.
//!
//! The policy says which checks are made and what each verdict does. A check yields what was
//! observed, on how many rows, against which threshold, and what would have to change. What could not
//! be looked at is unknown, and unknown never lets anything in.
//!
//! * [`check`] — a check's result
//! * [`scene`] — what checks look at, bound once
//! * [`verify`], [`goldens`], [`people`], [`rows`], [`replay`], [`backtest`], [`monitors`],
//!   [`canary`], [`age`] — the checks
//! * [`mod@judge`] — every check that the policy asks for
//! * [`decision`] — from checks and policy to a decision, and what its entry says
//! * [`record`] — the decision, its report and the evidence, as entries
//! * [`require`] — what a promotion asks of the ledger
//! * [`forms`] — as a document, and as JUnit

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

pub use check::{Check, Verdict};
pub use decision::GateReport;
pub use judge::judge;
pub use scene::Scene;
