//! A recorded run computed again, from its manifest and its component's bytes alone.
//!
//! Nothing of today enters: no table of observations, no lock file's idea of which bytes a version
//! is, no configuration. Fuel is ten times what the run had, so that a ceiling that has been lowered
//! since does not stop it; ceilings are no part of a number. Outputs are compared as canonical JSON,
//! which tells every bit of a number.
//!
//! * [`packed`] — what the manifests of a pack say was asked and answered
//! * `packs` — the columns of a pack computed again
//! * [`compute`] — the components loaded, the runs computed again in parallel
//! * [`select`] — which runs: filters, and a sample that anyone can draw again
//! * [`verdict`] — what came of it, and what the ledger says of it

pub mod compute;
pub mod packed;
mod packs;
pub mod select;
pub mod verdict;

pub use compute::{Replayer, Subject};
pub use packed::Packed;
pub use provender_proof::ManifestRecord;
pub use verdict::{Difference, ReplayResults};
