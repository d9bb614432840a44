//! Computes questions into recorded numbers: plan, look up, execute, guard, record.
//!
//! * `binding` — binds a component's declaration to the catalogue and DS's settings: the configuration
//! * `places` — boundaries and herds as known at one entry of the ledger
//! * `aggregate` — turns dated points into the value of a feature
//! * `facts` — what is known about places, and the values of features
//! * `past` — the same values as known at many entries, for long tables of runs
//! * `question` — one row to compute: its inputs and provenance
//! * `recipe` — gathers the inputs of recorded runs again and proves that they are the same
//! * `guard` — compares a question with what is recorded: unchanged, drift, or unknown
//! * `outcome` — what became of each run
//! * `answer` — the JSON form of an outcome
//! * `bulk` — long ranges by columns: looked up, compared, computed and recorded in batches
//! * `fits` — checks whether recorded outputs match a component's declaration
//! * `gather` — the inputs of many runs as columns
//! * `sheets` — turns answers into manifests: the columns of a pack, from which every document is made
//! * `record` — records runs, and turns recorded runs into outcomes
//! * `engine` — the chunks: sandbox, guardrails, manifests, ledger
//! * `select` — which runs a command asks for
//! * `reissue` — the only way to record revised inputs: plan, review, apply
//! * [`answers`] — which recorded run is the answer
//! * `activation` — from when a version answers
//! * `freeze` — freezes the bytes of a version for ever
//! * `error` — errors of a whole computation

pub(crate) mod activation;
mod aggregate;
mod answer;
pub(crate) mod answers;
pub(crate) mod binding;
pub(crate) mod bulk;
pub(crate) mod engine;
mod error;
pub(crate) mod facts;
mod fits;
pub(crate) mod freeze;
mod gather;
pub(crate) mod guard;
pub(crate) mod outcome;
pub(crate) mod past;
mod places;
mod question;
pub(crate) mod recipe;
mod record;
pub(crate) mod reissue;
pub(crate) mod select;
mod sheets;
#[cfg(test)]
pub(crate) mod tests;

pub use activation::Activations;
pub use answer::RunAnswer;
pub use answers::{answers, rank};
pub use binding::{Bound, BoundInput, Rail as BoundGuardrail, bind};
pub use error::ComputeError;
pub use facts::{Cell as FactCell, Facts};
pub use freeze::all_frozen;
pub use outcome::{
    InputChange, Problem as RunProblem, RunOutcome, RunOutcomeKind, Summary, Trouble,
};
pub use question::{Question, QuestionError};
pub use reissue::{
    Cause as ReissueCause, Plan as ReissuePlan, Planned as PlannedReissue,
    Refused as RefusedReissue, causes as reissue_causes,
};
pub use select::Selection;

/// Opens the ledger for tests, and creates it if it does not exist.
#[cfg(test)]
pub(crate) fn test_ledger(folder: &std::path::Path) -> Box<dyn provender_ledger::Write> {
    use provender_ledger::{Address, Opening, open};
    let address = Address::from_path(&folder.join("ledger.db"));
    open(
        &address,
        Opening::Create,
        std::time::Duration::from_secs(60),
    )
    .unwrap()
}
