//! The append-only record: ingested files, observations, runs, retractions, reissues, activations, reports.
//!
//! Every change is one entry of a hash chain and one transaction; nothing is ever updated or deleted. Entry
//! numbers order everything, so "known at entry K" is a consistent view of the past. The store behind the trait
//! is SQLite. A store on another database would have to pass the same tests.
//!
//! * [`types`] — what is written and read
//! * [`entries`] — the payload of each kind of entry
//! * [`entry`] — the hash chain
//! * [`leaf`] — the canonical texts under the roots in entries
//! * [`address`] — ledger addresses
//! * [`admin`] — opening, migrating, copying and describing a ledger
//! * [`store`] — the traits for reading and writing
//! * [`retry`] — repeats decisions if another process recorded something in between
//! * [`inspect`] — every stored row, for audits
//! * [`scan`] — all runs, read pack by pack by several threads
//! * [`located`] — lists of runs by position and id
//! * `sqlite` — the SQLite store; nothing else mentions SQLite or its files
//! * `nul` — refuses texts with U+0000
//! * `conformance` — tests that every store must pass
//! * [`error`] — errors of the ledger

#![cfg_attr(not(test), warn(clippy::too_many_lines))]

pub mod address;
pub mod admin;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod entries;
pub mod entry;
pub mod error;
pub mod inspect;
pub mod leaf;
pub mod located;
mod nul;
pub mod retry;
pub mod scan;
mod sqlite;
pub mod store;
pub mod types;

pub use address::{Address, UnknownAddress};
pub use admin::{Admin, Opening, open, open_reader};
pub use entries::{Payload, PayloadError};
pub use entry::EntryNumber;
pub use error::LedgerError;
pub use inspect::Inspect;
pub use store::{Read, Write};
