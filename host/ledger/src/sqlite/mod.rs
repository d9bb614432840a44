//! The ledger on SQLite: one file, WAL, `synchronous=FULL`.
//!
//! * `open` — opening, the schema, the settings every connection gets
//! * `migrate` — from an older schema to the newest, with a copy first
//! * `locator` — runs by their id and by their entry
//! * `read` — queries
//! * `readers` — more connections, all of one moment
//! * `rows` — their rows as values
//! * `inspect` — every row as it stands, for the audit
//! * `store` — the file at an address: opened, copied, described
//! * `whole` — whether all of its pages are there
//! * `write` — appends, each one immediate transaction
//! * `write_facts` — the append of a file with its rows
//! * `schema.sql`, `schema-2.sql`, `schema-3.sql` — tables, guards and the view for people; what each schema added

mod inspect;
mod locator;
mod migrate;
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

/// The newest schema that this program knows.
#[must_use]
pub(crate) fn schema() -> i64 {
    migrate::newest(migrate::STEPS)
}

#[cfg(test)]
mod tests;
