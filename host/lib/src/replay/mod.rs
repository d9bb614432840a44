//! Computes recorded runs again, using only their manifests and the bytes of their components.
//!
//! Nothing from today is used: no observations, no lock file, no configuration. The fuel limit is ten times that of the
//! first computation, so that a lowered ceiling does not stop a replay; ceilings do not affect numbers. Outputs are
//! compared as canonical JSON, which shows every bit of a number.
//!
//! * `packed` — compares the manifests of a pack with the ledger's runs
//! * `packs` — computes the columns of a pack again
//! * `compute` — loads components and computes runs again in parallel
//! * `select` — selects runs: filters, and a sample that anyone can draw again
//! * `verdict` — the result, and the ledger entry for it

pub(crate) mod compute;
mod packed;
mod packs;
pub(crate) mod select;
pub(crate) mod verdict;

pub use compute::{Manifests, Replayer, Subject};
pub use packed::Packed;
pub use provender_proof::ManifestRecord;
pub use select::sample_of;
pub use verdict::{Cause as FailureCause, Difference, Failure as ReplayFailure, ReplayResults};
