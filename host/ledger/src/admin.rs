//! Opening a ledger, and keeping it: the only door to a store.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::address::Address;
use crate::store::{Read, Write};
use crate::{LedgerError, sqlite};

/// How a ledger is opened to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Creates the ledger if it does not exist.
    Create,
    /// Refuses a missing ledger: for a deployment with recorded runs.
    Existing,
}

/// A store at one [`Address`]: what is done with it as a whole.
pub trait Admin {
    /// Whether a ledger is there. Looking makes none.
    ///
    /// # Errors
    /// When nobody can say.
    fn is_there(&self) -> Result<bool, LedgerError>;

    /// Makes what a ledger lies in, where there is no ledger yet: one that is there was begun when its folder was
    /// durable.
    ///
    /// # Errors
    /// When it cannot be made.
    fn prepare(&self) -> Result<(), PrepareError>;

    /// Opens the ledger to write, and leads an older schema to the newest. A writer waits up to `patience`
    /// for others.
    ///
    /// # Errors
    /// When it cannot be opened, is no ledger, or is of a newer schema; [`LedgerError::Gone`] when
    /// [`Opening::Existing`] finds none.
    fn open(&self, opening: Opening, patience: Duration) -> Result<Box<dyn Write>, LedgerError>;

    /// Opens the ledger to read only: a backup, or one that this process may not write. An older schema is read
    /// as it is.
    ///
    /// # Errors
    /// As [`Admin::open`]; also when it does not exist.
    fn open_reader(&self) -> Result<Box<dyn Read>, LedgerError>;

    /// Leads an older schema to the newest; what the ledger has before and after.
    ///
    /// # Errors
    /// As [`Admin::open`]; [`LedgerError::Migration`] leaves the ledger as it was.
    fn migrate(&self, patience: Duration) -> Result<(Description, Description), LedgerError> {
        let before = self.describe()?;
        drop(self.open(Opening::Existing, patience)?);
        Ok((before, self.describe()?))
    }

    /// Copies the ledger consistently into a folder while others go on writing; one with nothing in it where
    /// nothing is recorded yet.
    ///
    /// # Errors
    /// When the folder has a copy, or cannot be written.
    fn back_up(&self, folder: &Path) -> Result<Backup, LedgerError>;

    /// Waits for a lock of this name, which everybody who uses the ledger sees, and holds it until it is
    /// dropped. Who reads or appends does not wait for it.
    ///
    /// # Errors
    /// When there can be no such lock.
    fn lock(&self, name: &str) -> Result<AdvisoryLock, LockError>;

    /// How many files a killed process left of copies that it was making beside the ledger.
    fn unfinished(&self) -> usize;

    /// What can be said of the ledger without reading what is recorded.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn describe(&self) -> Result<Description, LedgerError>;
}

/// Opens a ledger to write; see [`Admin::open`].
///
/// # Errors
/// As [`Admin::open`].
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

/// Opens a ledger to read only; see [`Admin::open_reader`].
///
/// # Errors
/// As [`Admin::open_reader`].
pub fn open_reader(address: &Address) -> Result<Box<dyn Read>, LedgerError> {
    address.admin().open_reader()
}

/// An empty ledger to read: of a deployment in which nothing is recorded yet.
///
/// # Errors
/// When the memory does not suffice.
pub fn nothing() -> Result<Box<dyn Read>, LedgerError> {
    Ok(Box::new(sqlite::SqliteLedger::none()?))
}

/// The newest schema that this program knows.
#[must_use]
pub fn newest_schema() -> i64 {
    sqlite::schema()
}

/// What can be said of a ledger as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Where it is.
    pub address: Address,
    /// The schema that it has.
    pub schema: i64,
    /// The newest entry's number.
    pub head: i64,
}

/// What a ledger lies in could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", folder.display())]
pub struct PrepareError {
    /// The folder.
    pub folder: PathBuf,
    /// What the system says.
    pub cause: io::Error,
}

/// A lock could not be had.
#[derive(Debug, thiserror::Error)]
#[error("{place} cannot be locked: {cause}")]
pub struct LockError {
    /// What was to be locked.
    pub place: String,
    /// What the system says.
    pub cause: io::Error,
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct AdvisoryLock {
    /// Closing it gives the lock back.
    pub(crate) _file: std::fs::File,
}

/// A copy of a ledger in a folder. It has its name, [`Backup::NAME`], when [`Backup::publish`] gives it; one that
/// is dropped before goes.
#[derive(Debug)]
pub struct Backup {
    pub(crate) partial: PathBuf,
    pub(crate) to: PathBuf,
    /// What goes with a copy that is dropped.
    pub(crate) discard: fn(&Path),
}

impl Backup {
    /// Name of the ledger in a backup's folder.
    pub const NAME: &'static str = "ledger.db";

    /// Gives the copy its name, by which the folder is a backup. The caller makes the name durable.
    ///
    /// # Errors
    /// When it cannot be renamed; the copy goes then.
    pub fn publish(self) -> io::Result<()> {
        std::fs::rename(&self.partial, &self.to)
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        // One that has its name is not there any more.
        (self.discard)(&self.partial);
    }
}
