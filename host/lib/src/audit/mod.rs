//! Checks that what is stored is what was recorded, and proves it to people who have nothing but the proof.
//!
//! Entries bind rows: each names the count of the rows that it recorded and a root over them. Rows bind
//! manifests, and manifests bind components. The entries form a hash chain, and they are the leaves of an RFC
//! 6962 tree. A signed checkpoint, kept elsewhere, holds the root of that tree and so commits to everything in
//! it.
//! `docs/reference/audit.md` describes every format. The crate `provender_proof` checks those that leave the
//! ledger.
//!
//! * `all` — the audit: every check in order, at one moment of the ledger
//! * `finding` — the result: what holds and what does not
//! * `claims` — the chain of entries, and what they claim about rows, documents and components
//! * `facts` — files and the rows they added, against the roots in their entries
//! * `runs` — runs against the roots of their batches, and each manifest against its run
//! * `lists` — the lists that index runs, against the runs
//! * `referred` — packs, configurations and series: each against what refers to it
//! * `stored` — components, releases and documents
//! * `proof` — proofs that a run is recorded, from the run to a checkpoint
//! * `error` — why a ledger does not continue a checkpoint, or why a run cannot be proved

mod all;
mod claims;
mod error;
mod facts;
mod finding;
mod lists;
mod proof;
mod referred;
mod runs;
mod stored;

pub use all::{Audit, audit};
pub use claims::{BatchClaim, Claims, DocumentClaim, FileClaim};
pub use error::AuditError;
pub use finding::{AuditReport, Bad, Check, ObjectKind};
pub use proof::prove;
pub use stored::Pinned;

/// One file with a run's manifest, component and proof, and the resource limits for computing it again.
pub type Bundle = provender_proof::Bundle<provender_sandbox::PinLimits>;
