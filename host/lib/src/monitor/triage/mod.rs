//! Triage: does a report's failure come from the data or from the logic?
//!
//! Compared are the failing answers with those of the same window that do not fail, with what the same
//! places had before and with their frozen baseline, with the run that a reissue replaced, and with what other versions gave for the
//! same inputs, where that is recorded. Each comparison says on how many rows it rests and where it
//! points; one that rests on too few points nowhere. What was not compared is not claimed: "not enough to
//! tell" is an answer.
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
