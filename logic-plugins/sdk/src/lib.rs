//! # provender-logic: what a data scientist writes a logic with
//!
//! A logic is a function from one row of inputs to one row of outputs, and a declaration of what
//! those are. [`logic!`] takes both and makes a component of them; columns, nulls, text and series,
//! `describe`, and the way of a panic's message to the host are the work of this crate.
//!
//! ```
//! use provender_logic::{Day, RowError};
//!
//! provender_logic::logic! {
//!     name: "rain_balance",
//!     version: "v1",
//!     summary: "Rain of the last 30 days against what the grass needs.",
//!     inputs: struct Inputs {
//!         /// The day the number is for.
//!         calculation_date: Day,
//!         /// Rain of the last 30 days; null where there is no weather.
//!         rain_mm: Option<f64> ["mm"] = "precipitation_mm:sum:30d",
//!     },
//!     parameters: struct Parameters {
//!         /// Rain that the grass needs in 30 days.
//!         need_mm: f64 ["mm"] = 40.0 in 0.0..=1000.0,
//!     },
//!     outputs: struct Outputs {
//!         /// Rain above the need; negative when it was dry.
//!         outcome balance_mm: Option<f64> ["mm"] = "rain_mm - need_mm",
//!     },
//!     guardrails: { warn balance_mm: (-1000)..=1000, },
//!     monitors: { coverage below 0.98, 0.90; },
//!     annotations: { "not-accounted-for": "water held in the soil", },
//!     compute: row,
//! }
//!
//! fn row(p: &Parameters, i: &Inputs) -> Result<Outputs, RowError> {
//!     Ok(Outputs { balance_mm: i.rain_mm.map(|rain| rain - p.need_mm) })
//! }
//! # fn main() { assert_eq!(describe().name, "rain_balance") }
//! ```
//!
//! * `bindings`: the world of `wit/logic.wit`, as wit-bindgen spells it
//! * `declare`: the macro [`logic!`]
//! * [`Day`]: a calendar day
//! * `input`, `output`, `parameter`: columns and scalars to typed values and back
//! * `rows`: the loop over the rows, in blocks of eight
//! * [`RowError`]: how a row says that it cannot be computed
//! * `panic_note`: how a panic's message reaches the host
//! * `testing` (feature of that name): golden cases in an author's own `cargo test`

#[doc(hidden)]
pub mod bindings;
mod day;
mod declare;
mod error;
mod input;
mod output;
pub mod panic_note;
mod parameter;
mod rows;
#[cfg(feature = "testing")]
pub mod testing;

pub use bindings::exports::provender::logic::logic as contract;
pub use day::Day;
pub use error::RowError;
pub use input::Series;

/// What the code that [`logic!`] writes calls; not for authors.
#[doc(hidden)]
pub mod glue {
    pub use crate::bindings::export;
    pub use crate::declare::{BoundLiteral, doc, field};
    pub use crate::input::{Cells, ColumnArgs, InputType, Reader};
    pub use crate::output::{OutputType, Writer};
    pub use crate::panic_note::install;
    pub use crate::parameter::{ParameterType, ScalarArgs};
    pub use crate::rows::{each_block, ended};
}
