//! Explains why a number is what it is: from a recorded run to the arithmetic, the inputs down to file and row, and
//! what has changed since.
//!
//! * [`find`] — finds the run: by id, or the answer for a place and day
//! * `explanation` — collects it: run, manifest with every digest checked, facts of today
//! * `parts` — its parts, for layouts
//! * `answer` — its JSON form
//! * `arithmetic` — formulas with their values
//! * `units` — numbers in acres and pounds, for people
//! * [`document`] — rendered for a terminal and as a page
//! * [`diff`] — compares two runs
//! * `error` — errors of finding and explaining

mod answer;
mod arithmetic;
mod diff;
mod document;
mod error;
pub(crate) mod explanation;
pub(crate) mod find;
mod parts;
mod units;

pub use answer::ExplainAnswer;
pub use diff::{Difference, diff};
pub use document::document;
pub use error::ExplainError;
pub use explanation::{
    Explanation, Input as ExplainedInput, Parameter as ExplainedParameter, ParameterOrigin,
    Pinned as ExplainedPin, explain,
};
pub use find::{FoundRun, Wanted, find};
pub use parts::shown as value_text;
pub use units::Units;
