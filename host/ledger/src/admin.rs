//! Opening and administering a ledger: the only entry point to a store.

use crate::entry::EntryNumber;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::address::Address;
use crate::store::{Read, Write};
use crate::{LedgerError, sqlite};

/// Whether opening a ledger may create it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Creates the ledger if it does not exist.
    Create,
    /// Refuses a missing ledger. For a deployment with recorded runs.
    Existing,
}

/// Administers the store at one [`Address`] as a whole.
pub trait Admin {
    /// Whether a ledger exists. Checking does not create one.
    ///
    /// # Errors
    /// When this cannot be determined.
    fn exists(&self) -> Result<bool, LedgerError>;

    /// Creates the folder of a ledger durably, unless the ledger exists: an existing ledger's folder was made
    /// durable when it was created.
    ///
    /// # Errors
    /// When the folder cannot be created.
    fn prepare(&self) -> Result<(), PrepareError>;

    /// Opens the ledger for writing, and migrates an older schema to the newest. A writer waits up to `patience`
    /// for other writers.
    ///
    /// # Errors
    /// When it cannot be opened, is not a ledger, or has a newer schema; [`LedgerError::Gone`] if
    /// [`Opening::Existing`] finds no ledger.
    fn open(&self, opening: Opening, patience: Duration) -> Result<Box<dyn Write>, LedgerError>;

    /// Opens the ledger read-only, for a backup or a ledger that this process may not write. An older schema is
    /// not migrated.
    ///
    /// # Errors
    /// See [`Admin::open`]; also when it does not exist.
    fn open_reader(&self) -> Result<Box<dyn Read>, LedgerError>;

    /// Migrates an older schema to the newest. Returns the ledger's properties before and after.
    ///
    /// # Errors
    /// See [`Admin::open`]; [`LedgerError::Migration`] leaves the ledger unchanged.
    fn migrate(
        &self,
        patience: Duration,
    ) -> Result<(LedgerProperties, LedgerProperties), LedgerError> {
        let before = self.describe()?;
        drop(self.open(Opening::Existing, patience)?);
        Ok((before, self.describe()?))
    }

    /// Copies a consistent state of the ledger into a folder while others keep writing. The copy of a ledger that
    /// does not exist yet is empty.
    ///
    /// # Errors
    /// When the folder already has a copy, or cannot be written.
    fn back_up(&self, folder: &Path) -> Result<Backup, LedgerError>;

    /// Waits for the lock with this name, which is visible to all users of the ledger, and holds it until
    /// dropped. Reads and appends do not wait for it.
    ///
    /// # Errors
    /// When the lock cannot be created.
    fn lock(&self, name: &str) -> Result<AdvisoryLock, LockError>;

    /// Number of unfinished copies beside the ledger, left over from killed processes.
    fn unfinished(&self) -> usize;

    /// Properties of the ledger that are available without reading its records.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn describe(&self) -> Result<LedgerProperties, LedgerError>;
}

/// Opens a ledger for writing; see [`Admin::open`].
///
/// # Errors
/// See [`Admin::open`].
///
/// ```
/// use std::time::Duration;
/// use provender_ledger::{Address, Opening, Read as _, open};
/// let folder = tempfile::tempdir()?;
/// let address = Address::parse("sqlite:ledger.db", folder.path())?;
/// let ledger = open(&address, Opening::Create, Duration::from_secs(1))?;
/// assert_eq!(ledger.head()?, 0);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn open(
    address: &Address,
    opening: Opening,
    patience: Duration,
) -> Result<Box<dyn Write>, LedgerError> {
    address.admin().open(opening, patience)
}

/// Opens a ledger read-only; see [`Admin::open_reader`].
///
/// # Errors
/// See [`Admin::open_reader`].
pub fn open_reader(address: &Address) -> Result<Box<dyn Read>, LedgerError> {
    address.admin().open_reader()
}

/// An empty ledger for reading, for a deployment that has not recorded anything yet.
///
/// # Errors
/// When memory is insufficient.
pub fn empty_ledger() -> Result<Box<dyn Read>, LedgerError> {
    Ok(Box::new(sqlite::SqliteLedger::empty_in_memory()?))
}

/// The newest schema that this program supports.
#[must_use]
pub fn newest_schema() -> i64 {
    sqlite::schema()
}

/// Properties of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerProperties {
    /// Address of the ledger.
    pub address: Address,
    /// Number of its schema.
    pub schema: i64,
    /// Number of its newest entry.
    pub head: EntryNumber,
}

/// The folder of a ledger could not be created.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", folder.display())]
pub struct PrepareError {
    /// The folder.
    pub folder: PathBuf,
    /// The system's error.
    pub cause: io::Error,
}

/// A lock could not be acquired.
#[derive(Debug, thiserror::Error)]
#[error("{place} cannot be locked: {cause}")]
pub struct LockError {
    /// What was to be locked.
    pub place: String,
    /// The system's error.
    pub cause: io::Error,
}

/// A lock, held until it is dropped.
#[derive(Debug)]
pub struct AdvisoryLock {
    /// Closing the file releases the lock.
    pub(crate) _file: std::fs::File,
}

/// An unpublished copy of a ledger in a folder. [`Backup::publish`] gives it its name, [`Backup::NAME`]; dropping
/// it deletes the copy.
#[derive(Debug)]
pub struct Backup {
    pub(crate) partial: PathBuf,
    pub(crate) to: PathBuf,
    /// Files to delete if the copy is dropped.
    pub(crate) discard: fn(&Path),
}

impl Backup {
    /// Name of the ledger in a backup's folder.
    pub const NAME: &'static str = "ledger.db";

    /// Gives the copy its final name, which makes the folder a backup. The caller makes the name durable.
    ///
    /// # Errors
    /// When it cannot be renamed; the copy is then deleted.
    pub fn publish(self) -> io::Result<()> {
        std::fs::rename(&self.partial, &self.to)
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        // After publishing, this file no longer exists.
        (self.discard)(&self.partial);
    }
}
