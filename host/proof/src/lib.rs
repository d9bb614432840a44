//! Verifies the evidence an auditor of a Provender ledger receives: keys, signed checkpoints, proofs and bundles.
//!
//! You need no ledger, no file system, no network and no WebAssembly engine: every function takes text or
//! bytes. `docs/reference/audit.md` in the repository describes every form.
//!
//! * [`Signer`], [`Verifier`] — Ed25519 keys, in the text forms of C2SP's signed-note
//! * [`Checkpoint`] — size and root of the tree over a ledger's entries, signed
//! * [`continues`] — whether a ledger has only grown since a checkpoint
//! * [`Proof`] — shows that a run is recorded, from the run up to a checkpoint
//! * [`Bundle`] — one file with a run's manifest, its component and its proof
//! * [`ManifestRecord`] — question and answer of a manifest, with every digest recomputed
//! * [`archive`] — tar archives with exactly one encoding
//! * [`ProofError`] — why something is refused
//!
//! # Example
//! Check a proof with the public key of the ledger's owner:
//!
//! ```
//! use provender_proof::{Proof, Verifier};
//!
//! # std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/audit-v1"))?;
//! let key = std::fs::read_to_string("ledger.key.pub")?;
//! let key = Verifier::parse("ledger.key.pub", &key)?;
//! let proof = Proof::parse(&std::fs::read("proof.json")?)?;
//! let proven = proof.verify(Some(&key))?;
//! assert_eq!(proven.run.key.boundary_id, "north");
//! assert_eq!((proven.entry, proven.checkpoint.size), (17, 21));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(not(test), warn(clippy::too_many_lines))]
#![warn(unnameable_types)]

pub mod archive;
mod bundle;
mod checkpoint;
mod error;
mod note;
mod proof;
mod record;
#[cfg(test)]
mod vectors;

pub use bundle::Bundle;
pub use checkpoint::{Checkpoint, Discontinuity, continues};
pub use error::ProofError;
pub use note::{Signer, Verifier};
pub use proof::{InclusionStep, PROOF_FORM, Proof, ProvenRun, VerifiedProof};
pub use record::ManifestRecord;
