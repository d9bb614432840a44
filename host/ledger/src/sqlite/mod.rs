//! The ledger on SQLite: one file, WAL, `synchronous=FULL`.
//!
//! * `open` — opens a ledger, checks or creates the schema, configures connections
//! * `migrate` — migrates an older schema to the newest, after making a copy
//! * `locator` — finds runs by id and by entry
//! * `read` — queries
//! * `readers` — more connections that see the same moment
//! * `rows` — converts rows to values
//! * `inspect` — scans every row, for audits
//! * `store` — administers the file at an address: open, copy, describe
//! * `whole` — checks that no page is missing
//! * `write` — appends, each in an immediate transaction
//! * `write_facts` — appends a file with its rows
//! * `schema.sql`, `schema-2.sql`, `schema-3.sql`, `schema-4.sql` — tables, guards, a view for people, and the
//!   additions of each schema

mod inspect;
mod locator;
mod migrate;
mod numbers;
mod open;
mod read;
mod readers;
mod rows;
mod store;
mod whole;
mod write;
mod write_facts;

pub(crate) use open::SqliteLedger;
pub(crate) use store::SqliteStore;

/// The newest schema that this program supports.
#[must_use]
pub(crate) fn schema() -> i64 {
    migrate::newest(migrate::STEPS)
}

#[cfg(test)]
mod tests;
