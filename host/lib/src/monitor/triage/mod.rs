//! Triage: does a report's failure come from the data or from the logic?
//!
//! Failing answers are compared with passing answers of the same window, with earlier inputs and the frozen
//! baseline of the same places, with the run that a reissue replaced, and with recorded answers of other versions
//! for the same inputs. Each comparison states its number of rows and where it points; one with too few rows
//! points nowhere. "Not enough to tell" is a valid result.
//!
//! * [`scene`] — what is compared: rows with their inputs, outputs and files
//! * [`gather`] — the scene of a report, from the ledger and the manifests
//! * [`groups`] — failing rows by version, configuration, place, source and file
//! * [`inputs`] — inputs against what the same places had before
//! * [`frozen`] — inputs against the frozen baseline of the same places
//! * [`versions`] — other versions and replaced runs
//! * [`mod@judge`] — the evidence together, and where it points

mod frozen;
mod gather;
mod groups;
mod inputs;
mod judge;
mod scene;
#[cfg(test)]
mod tests;
mod versions;

pub use gather::scenes as triage_scenes;
pub use groups::Group as TriageGroup;
pub use judge::{Points, Triage, TriageFinding, TriageVerdict, judge as judge_triage};
pub use scene::TriageScene;
