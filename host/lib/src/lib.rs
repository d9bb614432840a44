//! Provender: a plugin host for versioned data-science logic.
//!
//! A logic version is a WebAssembly component; the host hashes its bytes into the provenance of
//! every number, computes over ingested observations inside a sandbox, and records runs in an
//! append-only ledger. Rooms depend downwards only:
//!
//! ```text
//! cli → incident, audit → release → author, backtest, check, contract, golden → monitor → replay → explain → compute → manifest, ledger, logic, ingest, project → render, domain
//! ```
//!
//! * [`domain`] — boundaries, herds, values, columns, keys and digests; no input or output
//! * [`render`] — what the HTML pages share: the page shell, its style, escaping
//! * [`project`] — a deployment's folder and its three hand-written files
//! * [`ingest`] — bytes of a file in, domain values out, and what they change in the ledger
//! * [`logic`] — the sandbox: components loaded, checked and run over columns, and the lock file
//! * [`contract`] — what a change may not do to what was released, read from git
//! * [`golden`] — golden cases, run in the sandbox that production uses
//! * [`ledger`] — the append-only record, on SQLite
//! * [`manifest`] — write-once manifests, one a run
//! * [`compute`] — plan, look up, execute, guard, record, reissue; which run is the answer
//! * [`author`] — a logic's folder: made new, and built to a component by the language's own tools
//! * [`check`] — everything that would be refused about a component, and its conformance
//! * [`cli`] — one file a verb; the only room that prints or reads environment and clock
//! * [`explain`] — why a number is what it is: arithmetic, inputs down to file and row, what changed since
//! * [`replay`] — a recorded run computed again, from its manifest and its component's bytes alone
//! * [`monitor`] — a rolling window of answers in, a verdict and its report out
//! * [`release`] — numbered, immutable releases: cut, carried, promoted, rolled back, pruned
//! * [`incident`] — what went wrong, as a timeline of entries, and the golden cases made of it
//! * [`audit`] — whether what is stored is what was recorded, and proofs of it for others
//! * [`bounded`] — files read up to a ceiling and no further
//! * [`durable`] — files that appear whole under their name, or not at all
//! * `outfile` — files that people name, whole or not there, alone or together
//! * [`failpoint`] — where tests kill the process; nothing in a release build
//! * [`backtest`] — a candidate against the active version, over every recorded answer's inputs

pub mod audit;
pub mod author;
pub mod backtest;
pub mod check;
pub mod compute;
pub mod contract;
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
