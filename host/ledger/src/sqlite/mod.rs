//! The ledger on SQLite: one file, WAL, `synchronous=FULL`.
//!
//! * `open` — opening, the schema, the settings every connection gets
//! * `migrate` — from an older schema to the newest, with a copy first
//! * [`located`] — lists of runs by place and id
//! * `locator` — runs by their id and by their entry
//! * `read` — queries
//! * `readers` — more connections, all of one moment
//! * `rows` — their rows as values
//! * [`scan`] — every run, read by several threads, pack by pack
//! * [`inspect`] — every row as it stands, for the audit
//! * `whole` — whether all of its pages are there
//! * `write` — appends, each one immediate transaction
//! * `write_facts` — the append of a file with its rows
//! * `schema.sql`, `schema-2.sql`, `schema-3.sql` — tables, guards and the view for people; what each schema added

pub mod inspect;
pub mod located;
mod locator;
mod migrate;
mod open;
mod read;
mod readers;
mod rows;
pub mod scan;
mod whole;
mod write;
mod write_facts;

pub use open::SqliteLedger;

/// The newest schema that this program knows.
#[must_use]
pub fn schema() -> i64 {
    migrate::newest(migrate::STEPS)
}

#[cfg(test)]
mod tests;
