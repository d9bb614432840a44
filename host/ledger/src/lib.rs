//! The append-only record of everything that happened: files taken in, observations, runs,
//! withdrawals, reissues, activations, reports.
//!
//! Every change is one entry of a hash chain and one transaction; nothing is ever updated or
//! deleted. An entry's number orders all knowledge: "known at entry K" is a consistent view of the
//! past. The store behind the trait is SQLite; a twin for another database would be held to the
//! same tests.
//!
//! * [`types`] — what goes in and comes out
//! * [`entries`] — what an entry of each kind says
//! * [`entry`] — the chain: what an entry's hash covers
//! * [`leaf`] — the canonical texts that the roots in entries are over
//! * [`address`] — where a ledger is
//! * [`admin`] — opening one, migrating, copying and describing it
//! * [`store`] — reading and writing, which the other rooms use
//! * [`retry`] — decisions by what is recorded, made again where that has changed
//! * [`inspect`] — every row as it stands, for the audit
//! * [`scan`] — every run, read by several threads, pack by pack
//! * [`located`] — lists of runs by place and id
//! * `sqlite` — SQLite, with its schema: nothing outside it names SQLite or its files
//! * `nul` — text that no store takes
//! * `conformance` — what every store must do, for the tests of each
//! * [`error`] — how it says no

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
pub use error::LedgerError;
pub use inspect::Inspect;
pub use store::{Read, Write};
