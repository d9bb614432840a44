//! Whether what is stored is what was recorded, and proofs of it for people who have nothing else.
//!
//! Entries bind rows (each names a count and a root over the rows that it recorded), rows bind manifests,
//! manifests bind components; the entries are a hash chain and the leaves of an RFC 6962 tree. So whoever
//! keeps the root of that tree elsewhere, a signed checkpoint, has everything in it.
//! `docs/reference/audit.md` has every format; the crate `provender_proof` checks those that leave the ledger.
//!
//! * [`all`] — the audit: every check in turn, at one moment of the ledger
//! * [`finding`] — what held, what did not
//! * [`claims`] — the chain of entries, and what they say of rows, documents and components
//! * [`facts`] — files and what they brought, against the roots in their entries
//! * [`runs`] — runs against the roots of their batches, and each manifest against its run
//! * `lists` — the lists by which runs are found, against the runs
//! * `referred` — packs, configurations and series: each by what names it
//! * [`stored`] — components, releases and documents
//! * [`proof`] — that a run is recorded, from the run to a checkpoint
//! * [`error`] — why a ledger does not continue a checkpoint, or proves nothing

pub mod all;
pub mod claims;
pub mod error;
pub mod facts;
pub mod finding;
mod lists;
pub mod proof;
mod referred;
pub mod runs;
pub mod stored;

pub use all::{Audit, audit};
pub use error::AuditError;
pub use finding::{Bad, Check, ObjectKind, Report};

/// One file with a run's manifest, component and proof, and the ceilings to compute it below.
pub type Bundle = provender_proof::Bundle<provender_sandbox::PinLimits>;
