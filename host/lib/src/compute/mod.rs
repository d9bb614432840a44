//! Computes questions into recorded numbers: plan, look up, execute, guard, record.
//!
//! * [`binding`] — binds a component's declaration to the catalogue and DS's settings: the configuration
//! * [`places`] — boundaries and herds as known at one entry of the ledger
//! * [`aggregate`] — turns dated points into the value of a feature
//! * [`facts`] — what is known about places, and the values of features
//! * [`past`] — the same values as known at many entries, for long tables of runs
//! * [`question`] — one row to compute: its inputs and provenance
//! * [`recipe`] — gathers the inputs of recorded runs again and proves that they are the same
//! * [`guard`] — compares a question with what is recorded: unchanged, drift, or unknown
//! * [`outcome`] — what became of each run
//! * [`answer`] — the JSON form of an outcome
//! * [`bulk`] — long ranges by columns: looked up, compared, computed and recorded in batches
//! * `fits` — checks whether recorded outputs match a component's declaration
//! * `gather` — the inputs of many runs as columns
//! * `sheets` — turns answers into manifests: the columns of a pack, from which every document is made
//! * `record` — records runs, and turns recorded runs into outcomes
//! * [`engine`] — the chunks: sandbox, guardrails, manifests, ledger
//! * [`select`] — which runs a command asks for
//! * [`reissue`] — the only way to record revised inputs: plan, review, apply
//! * [`answers`] — which recorded run is the answer
//! * [`activation`] — from when a version answers
//! * [`freeze`] — freezes the bytes of a version for ever
//! * [`error`] — errors of a whole computation

pub mod activation;
pub mod aggregate;
pub mod answer;
pub mod answers;
pub mod binding;
pub mod bulk;
pub mod engine;
pub mod error;
pub mod facts;
mod fits;
pub mod freeze;
mod gather;
pub mod guard;
pub mod outcome;
pub mod past;
pub mod places;
pub mod question;
pub mod recipe;
mod record;
pub mod reissue;
pub mod select;
mod sheets;
#[cfg(test)]
pub(crate) mod tests;

pub use binding::Bound;
pub use error::ComputeError;
pub use facts::Facts;

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
