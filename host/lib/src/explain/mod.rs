//! Explains why a number is what it is: from a recorded run to the arithmetic, the inputs down to file and row, and
//! what has changed since.
//!
//! * [`find`] — finds the run: by id, or the answer for a place and day
//! * [`explanation`] — collects it: run, manifest with every digest checked, facts of today
//! * [`parts`] — its parts, for layouts
//! * [`answer`] — its JSON form
//! * [`arithmetic`] — formulas with their values
//! * [`units`] — numbers in acres and pounds, for people
//! * [`document`] — rendered for a terminal and as a page
//! * [`diff`] — compares two runs
//! * [`error`] — errors of finding and explaining

pub mod answer;
pub mod arithmetic;
pub mod diff;
pub mod document;
pub mod error;
pub mod explanation;
pub mod find;
pub mod parts;
pub mod units;

pub use error::ExplainError;
pub use explanation::{Explanation, explain};
