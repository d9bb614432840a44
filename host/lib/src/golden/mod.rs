//! Golden cases: the outputs a logic must give for given inputs, run in the sandbox that production uses.
//!
//! A folder contains the cases of one logic for all of its versions, so that a new version keeps what
//! earlier ones promised: it passes each case or states in a `[[supersede]]` why it does not. The
//! format is described in `docs/reference/golden-cases.md`. The author's crate reads the same files
//! (`logic-plugins/sdk/src/testing/`); tests check both readers with the same cases.
//!
//! * `case` — a case, what it expects, and for which versions
//! * `number` — the distance of two numbers in units in the last place
//! * `cell` — a text or a TOML value as a value of a column's type
//! * `toml_file`, `csv_file` — the two spellings of a file of cases
//! * `toml_part` — a part of a TOML file, key by key, with its place
//! * `set` — a folder: which cases a version runs, which it skips and why
//! * [`run`] — the cases in the sandbox: alone, together, in reverse and split
//! * `judge` — compares a case's outputs with what it expects
//! * [`bless`] — writes the actual outputs into the files for review
//! * `draft` — recorded inputs as a file of cases that DS completes
//! * [`profile`] — where the fuel goes
//! * `junit` — a run as JUnit suites
//! * `folder` — where cases lie
//! * `error` — errors

mod bless;
pub(crate) mod case;
mod cell;
mod csv_file;
pub(crate) mod draft;
mod error;
pub(crate) mod folder;
mod judge;
mod junit;
mod number;
mod profile;
pub(crate) mod run;
pub(crate) mod set;
mod supersede;
#[cfg(test)]
mod tests;
mod toml_file;
mod toml_part;

pub use bless::{Blessing, FileRewrite, bless};
pub use case::{Case, Expectation, Expected, Skipped as SkippedCase, version_number};
pub use error::{GoldenError, SourceLine};
pub use folder::{cases_of, of_deployment as case_folders, outside as folder_above};
pub use judge::{CaseVerdict, Difference};
pub use junit::{problems as case_problems, suite as junit_suite};
pub use profile::{BULK_ROWS, CaseFuel, Profile, profile};
pub use run::{CallOrder, Disagreement, FailedCases, GoldenCounts, Ran, Tested, run};
pub use set::{CaseSet, Selected};
