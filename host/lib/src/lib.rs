//! The library of Provender, a plugin host for versioned data-science logic.
//!
//! A logic version is a WebAssembly component. The host hashes its bytes into the provenance of every number,
//! computes over ingested observations inside a sandbox, and records runs in an append-only ledger. This crate is
//! the application without its command line: it prints nothing, and reads neither environment nor clock.
//!
//! It builds on five crates: `provender-domain` (values, files, rendering), `provender-proof` (what an auditor
//! checks with), `provender-sandbox` (components), `provender-ledger` (the append-only record) and
//! `provender-store` (write-once objects and manifests). Inside it, rooms depend downwards only, which
//! `tests/e2e/walls.rs` checks against this line:
//!
//! ```text
//! doctor → deployment → incident, audit → release → author, backtest, check, contract, golden → monitor → explain, replay → compute → project → ingest → embedded
//! ```
//!
//! * [`project`] — a deployment's folder, its three hand-written files, and the files that its sources name
//! * [`ingest`] — bytes of a file in, domain values out, and what they change in the ledger
//! * [`compute`] — plan, look up, execute, guard, record, reissue; decides which run is the answer
//! * [`explain`] — why a number is what it is: arithmetic, inputs down to file and row, what changed since
//! * [`replay`] — a recorded run computed again, from its manifest and its component's bytes alone
//! * [`monitor`] — a rolling window of answers in, a verdict and its report out
//! * [`deployment`] — a deployment opened once, and everything that is done with one
//! * [`backtest`] — a candidate against the active version, over every recorded answer's inputs
//! * [`check`] — everything for which a component would be refused, and its conformance
//! * [`golden`] — golden cases, run in the sandbox that production uses
//! * [`contract`] — what a change must not do to released versions, read from git
//! * [`author`] — a logic's folder: created, and built to a component with the language's own tools
//! * [`release`] — numbered, immutable releases: cut, carried, promoted, rolled back, pruned
//! * [`incident`] — what went wrong, as a timeline of entries, and the golden cases made from it
//! * [`audit`] — whether what is stored is what was recorded, and proofs of it for others
//! * [`doctor`] — what to do about a deployment, found without changing it
//! * [`embedded`] — the components and the sample ranch that the program contains

#![cfg_attr(not(test), warn(clippy::too_many_lines))]
#![warn(unnameable_types)]

pub mod audit;
pub mod author;
pub mod backtest;
pub mod check;
pub mod compute;
pub mod contract;
pub mod deployment;
pub mod doctor;
pub mod embedded;
pub mod explain;
pub mod golden;
pub mod incident;
pub mod ingest;
pub mod monitor;
pub mod project;
pub mod release;
pub mod replay;
#[cfg(test)]
mod testing;
