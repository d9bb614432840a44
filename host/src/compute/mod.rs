//! From questions to recorded numbers: plan, look up, execute, guard, record.
//!
//! * [`binding`] — a component's declaration against the catalogue and DS's settings: the config
//! * [`facts`] — what is known of the places, and the values that features take from it
//! * [`question`] — one row to compute: its inputs, its provenance
//! * [`guard`] — a question against what is recorded: unchanged, drift, or unknown
//! * [`outcome`] — what is said of each run
//! * [`engine`] — the chunks: sandbox, guardrails, manifests, ledger
//! * [`select`] — which runs a command asks for
//! * [`reissue`] — the one door for a legitimate revision of inputs
//! * [`answers`] — which recorded run is the answer
//! * [`activation`] — from when a version answers
//! * [`freeze`] — which bytes a version is for ever
//! * [`error`] — how it says no

pub mod activation;
pub mod answers;
pub mod binding;
pub mod engine;
pub mod error;
pub mod facts;
pub mod freeze;
pub mod guard;
pub mod outcome;
pub mod question;
pub mod reissue;
pub mod select;

pub use binding::Bound;
pub use error::ComputeError;
pub use facts::Facts;
