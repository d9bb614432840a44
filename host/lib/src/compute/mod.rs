//! From questions to recorded numbers: plan, look up, execute, guard, record.
//!
//! * [`binding`] — a component's declaration against the catalogue and DS's settings: the config
//! * [`places`] — boundaries and herds as known at a moment
//! * [`aggregate`] — dated points into the value of a feature
//! * [`facts`] — what is known of the places, and the values that features take from it
//! * [`past`] — the same values as they were known at many moments, for long tables of runs
//! * [`question`] — one row to compute: its inputs, its provenance
//! * [`recipe`] — how the inputs of recorded runs are gathered again, and proved to be the same
//! * [`guard`] — a question against what is recorded: unchanged, drift, or unknown
//! * [`outcome`] — what is said of each run
//! * [`answer`] — the same for machines
//! * [`bulk`] — long ranges by columns: looked up, compared, computed and recorded in batches
//! * `fits` — whether recorded outputs are those that a component declares
//! * `gather` — the inputs of many runs as columns
//! * `sheets` — answers into manifests: the columns of a pack, of which every document is made
//! * `record` — how runs get into the ledger, and what is said of those that are in it
//! * [`engine`] — the chunks: sandbox, guardrails, manifests, ledger
//! * [`select`] — which runs a command asks for
//! * [`reissue`] — the one door for a legitimate revision of inputs
//! * [`answers`] — which recorded run is the answer
//! * [`activation`] — from when a version answers
//! * [`freeze`] — which bytes a version is for ever
//! * [`error`] — how it says no

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

/// A ledger for tests, made where it does not exist.
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
