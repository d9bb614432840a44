//! Checks what an auditor of a Provender ledger is given: keys, signed checkpoints, proofs and bundles.
//!
//! You need no ledger, no file system, no network and no WebAssembly engine: every function takes text or
//! bytes. `docs/reference/audit.md` in the repository describes every form.
//!
//! * [`Signer`], [`Verifier`] — Ed25519 keys, in the text forms of C2SP's signed-note
//! * [`Checkpoint`] — size and root of the tree over a ledger's entries, signed
//! * [`continues`] — whether a ledger only grew since a checkpoint
//! * [`Proof`] — that a run is recorded, from the run to a checkpoint
//! * [`Bundle`] — one file with a run's manifest, its component and its proof
//! * [`Record`] — what a manifest says was asked and answered, with every digest in it computed again
//! * [`archive`] — archives that have exactly one spelling
//! * [`ProofError`] — why one of them is refused
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
pub use proof::{PROOF_FORM, Proof, Proven, ProvenRun, Step};
pub use record::Record;
