//! Errors of the ledger.

use crate::Address;
use crate::entry::EntryNumber;

/// Why the ledger refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database cannot be opened.
    #[error("the ledger {url} cannot be opened: {cause}")]
    Unavailable {
        /// Address from the configuration.
        url: String,
        /// The database's message.
        cause: String,
    },
    /// The file is truncated, damaged, or not a database.
    #[error("the ledger {url} is truncated, damaged or not a ledger: {cause}")]
    Broken {
        /// Address from the configuration.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The database is not a ledger.
    #[error("{url} is a database, but not a Provender ledger (its application id is {found})")]
    NotALedger {
        /// Address from the configuration.
        url: String,
        /// The id found.
        found: i64,
    },
    /// A newer program has written the ledger.
    #[error(
        "the ledger {url} has schema {found}, but this program supports schemas up to {known}; use a newer provender"
    )]
    NewerSchema {
        /// Address from the configuration.
        url: String,
        /// Schema found.
        found: i64,
        /// Newest schema known.
        known: i64,
    },
    /// Migration to a newer schema failed.
    #[error(
        "the ledger {url} could not be migrated from schema {found} to {newest}; it was left unchanged: {cause}"
    )]
    Migration {
        /// Address from the configuration.
        url: String,
        /// Schema found.
        found: i64,
        /// Newest schema known.
        newest: i64,
        /// The message of the system or the database.
        cause: String,
    },
    /// The ledger is missing, although runs have been recorded.
    #[error("the ledger {url} is missing or empty, but manifests of recorded runs exist")]
    Gone {
        /// Address from the configuration.
        url: String,
    },
    /// The ledger can only be read, and its log can only be checkpointed by a writer.
    #[error(
        "a killed process left the log {log} of the ledger {url}, and it cannot be checkpointed because its folder is not writable"
    )]
    LogLeft {
        /// Address from the configuration.
        url: String,
        /// Path of the log.
        log: String,
    },
    /// Another process has held the write lock for too long.
    #[error(
        "the ledger is busy: another process has been writing for longer than ledger.busy_seconds; try again"
    )]
    Busy,
    /// Something else that the write depends on was recorded after it was read.
    #[error(
        "entry {found} was recorded in the meantime; this write expected entry {expected} to be the last of its kind"
    )]
    Moved {
        /// The last entry of its kind when it was read.
        expected: EntryNumber,
        /// The last entry of its kind now.
        found: EntryNumber,
    },
    /// A guard refused another provenance for a recorded key.
    #[error("drift: {0} is recorded with other provenance")]
    Drift(String),
    /// A guard refused a change of recorded data.
    #[error("the ledger refused to change what is recorded: {0}")]
    Immutable(String),
    /// A text contains the character U+0000.
    #[error(
        "{what} contains the character U+0000, which a ledger cannot store: remove it and try again"
    )]
    Nul {
        /// Which text.
        what: &'static str,
    },
    /// The stored data contradicts itself.
    #[error("the ledger is damaged: {0}")]
    Damaged(String),
    /// An entry's payload is invalid.
    #[error("the ledger is damaged: {0}")]
    Payload(#[from] crate::entries::PayloadError),
    /// The disk is full or failing.
    #[error("the ledger could not be written: {0}")]
    Io(String),
    /// Any other error of the database.
    #[error("the ledger's database failed: {0}")]
    Database(String),
}

impl LedgerError {
    /// The error for a ledger that must exist but does not.
    #[must_use]
    pub fn gone(address: &Address) -> LedgerError {
        LedgerError::Gone {
            url: address.to_string(),
        }
    }

    /// A stable code for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LedgerError::Unavailable { .. } | LedgerError::Broken { .. } => "ledger_unavailable",
            LedgerError::NotALedger { .. } => "not_a_ledger",
            LedgerError::NewerSchema { .. } => "ledger_newer_schema",
            LedgerError::Migration { .. } => "ledger_migration",
            LedgerError::Gone { .. } => "ledger_missing",
            LedgerError::LogLeft { .. } => "ledger_log_left",
            LedgerError::Busy => "ledger_busy",
            LedgerError::Moved { .. } => "ledger_moved",
            LedgerError::Drift(_) => "drift",
            LedgerError::Nul { .. } => "nul_character",
            LedgerError::Immutable(_) => "immutable",
            LedgerError::Damaged(_) | LedgerError::Payload(_) => "ledger_damaged",
            LedgerError::Io(_) => "ledger_io",
            LedgerError::Database(_) => "ledger_database",
        }
    }
}
