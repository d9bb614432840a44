//! The append-only record of everything that happened: files taken in, observations, runs,
//! withdrawals, reissues, activations, reports.
//!
//! Every change is one entry of a hash chain and one transaction; nothing is ever updated or
//! deleted. An entry's number orders all knowledge: "known at entry K" is a consistent view of the
//! past. The store behind the trait is SQLite; a twin for another database would be held to the
//! same tests.
//!
//! * [`types`] — what goes in and comes out
//! * [`entry`] — the chain: what an entry's hash covers
//! * [`leaf`] — the canonical texts that the roots in entries are over
//! * [`store`] — the traits that the other rooms use
//! * [`sqlite`] — SQLite, with its schema
//! * [`error`] — how it says no

pub mod entry;
pub mod error;
pub mod leaf;
pub mod sqlite;
pub mod store;
pub mod types;

pub use error::LedgerError;
pub use store::{Read, Write};
