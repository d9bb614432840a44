//! Golden cases: what a logic must give for given inputs, run in the sandbox that production uses.
//!
//! A folder holds the cases of one logic for all of its versions, so that a new version meets what
//! its forerunners promised: it passes each case or says in a `[[supersede]]` why it does not. The
//! format is on one page, `docs/reference/golden-cases.md`; the author's crate reads the same files
//! (`logic-plugins/sdk/src/testing/`), and the two are held to the same cases.
//!
//! * [`case`] — a case, what it expects, and for which versions
//! * `number` — how far apart two numbers are
//! * `cell` — a text or a TOML value as a value of a column's type
//! * `toml_file`, `csv_file` — the two spellings of a file of cases
//! * `toml_part` — a part of a TOML file, key by key, with its place
//! * [`set`] — a folder: which cases a version runs, which it leaves out and why
//! * [`run`] — the cases in the sandbox: alone, together, in reverse and split
//! * [`judge`] — what a case gave against what it expects
//! * [`bless`] — what was got, written into the files for review
//! * [`draft`] — recorded inputs as a file of cases that DS completes
//! * [`profile`] — where the fuel goes
//! * [`junit`] — a run as JUnit suites
//! * [`error`] — how this room says no

pub mod bless;
pub mod case;
mod cell;
mod csv_file;
pub mod draft;
pub mod error;
pub mod judge;
pub mod junit;
mod number;
pub mod profile;
pub mod run;
pub mod set;
mod supersede;
#[cfg(test)]
mod tests;
mod toml_file;
mod toml_part;

pub use case::Case;
pub use error::GoldenError;
pub use judge::{CaseVerdict, Difference};
pub use run::{Ran, Tested};
pub use set::CaseSet;
