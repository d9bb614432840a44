//! Why a number is what it is: from a recorded run to the arithmetic, the inputs down to file and
//! row, and what changed since.
//!
//! * [`find`] — which run is meant: by id, or the answer of a place and day
//! * [`explanation`] — gathering it: run, manifest with every digest checked, facts of today
//! * [`parts`] — what it says, part by part
//! * [`answer`] — all of it for machines
//! * [`arithmetic`] — formulas with their values
//! * [`units`] — figures in acres and pounds, for people
//! * [`document`] — in words and tables, for a terminal and as a page
//! * [`diff`] — two runs side by side
//! * [`error`] — how it says no

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
