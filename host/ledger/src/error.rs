//! How the ledger says no.

use crate::Address;

/// A refusal or failure of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database cannot be opened.
    #[error("the ledger {url} cannot be opened: {cause}")]
    Unavailable {
        /// Address from the configuration.
        url: String,
        /// What the database says.
        cause: String,
    },
    /// Its file is not all there, or is no database.
    #[error("the ledger {url} is cut, damaged or no ledger: {cause}")]
    Broken {
        /// Address from the configuration.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The file is something else.
    #[error("{url} is a database, but not a ledger of provender (its application id is {found})")]
    NotALedger {
        /// Address from the configuration.
        url: String,
        /// The id found.
        found: i64,
    },
    /// Written by a newer program.
    #[error(
        "the ledger {url} has schema {found}, this program knows schemas up to {known}: use a newer provender"
    )]
    NewerSchema {
        /// Address from the configuration.
        url: String,
        /// Schema found.
        found: i64,
        /// Newest schema known.
        known: i64,
    },
    /// The way to a newer schema failed.
    #[error(
        "the ledger {url} could not be led from schema {found} to {newest}, and is as it was: {cause}"
    )]
    Migration {
        /// Address from the configuration.
        url: String,
        /// Schema found.
        found: i64,
        /// Newest schema known.
        newest: i64,
        /// What the disk or the database says.
        cause: String,
    },
    /// There is no ledger where runs have been recorded.
    #[error("the ledger {url} is missing or empty, but manifests of recorded runs are there")]
    Gone {
        /// Address from the configuration.
        url: String,
    },
    /// It can only be read, and a log lies beside it that only a writer can fold in.
    #[error(
        "the ledger {url} has a log ({log}) that a killed process left, and its folder cannot be written to fold it in"
    )]
    LogLeft {
        /// Address from the configuration.
        url: String,
        /// The log's path.
        log: String,
    },
    /// Another process holds the write lock for too long.
    #[error(
        "the ledger is busy: another process is writing for longer than this one waits (ledger.busy_seconds); try again"
    )]
    Busy,
    /// Since it was read, something else was recorded that the write depends on.
    #[error(
        "entry {found} was recorded meanwhile, where entry {expected} was the last of its kind"
    )]
    Moved {
        /// The entry that was the last one when it was read.
        expected: i64,
        /// The entry that is the last one now.
        found: i64,
    },
    /// The guard refused a second provenance under one key.
    #[error("drift: {0} is recorded with other provenance")]
    Drift(String),
    /// The guard refused a change of what is recorded.
    #[error("the ledger refused to change what is recorded: {0}")]
    Immutable(String),
    /// A text holds the character U+0000.
    #[error(
        "{what} holds the character U+0000, which a ledger cannot keep: remove it and try again"
    )]
    Nul {
        /// Which text.
        what: &'static str,
    },
    /// What is stored contradicts itself.
    #[error("the ledger is damaged: {0}")]
    Damaged(String),
    /// An entry does not say what its kind says.
    #[error("the ledger is damaged: {0}")]
    Payload(#[from] crate::entries::PayloadError),
    /// The disk is full or failing.
    #[error("the ledger could not be written: {0}")]
    Io(String),
    /// Anything else the database says.
    #[error("the ledger's database says: {0}")]
    Database(String),
}

impl LedgerError {
    /// There is no ledger where one must be.
    #[must_use]
    pub fn gone(address: &Address) -> LedgerError {
        LedgerError::Gone {
            url: address.to_string(),
        }
    }

    /// A stable name for machines.
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
