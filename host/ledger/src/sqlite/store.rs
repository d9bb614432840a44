//! Administers the file at an address: open, copy, describe.

use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use provender_domain::files::durable::make_durably;

use crate::admin::{
    Admin, AdvisoryLock, Backup, LedgerProperties, LockError, Opening, PrepareError,
};
use crate::store::{Read, Write};
use crate::{Address, LedgerError};

use super::SqliteLedger;
use super::migrate::{is_unfinished, remove_partial};
use super::open::unavailable;

/// The file of a ledger, which may not exist.
pub(crate) struct SqliteStore {
    path: PathBuf,
}

impl SqliteStore {
    /// The store at this path.
    pub(crate) fn new(path: &Path) -> SqliteStore {
        SqliteStore {
            path: path.to_path_buf(),
        }
    }
}

impl Admin for SqliteStore {
    fn exists(&self) -> Result<bool, LedgerError> {
        match self.path.metadata() {
            Ok(found) => Ok(found.len() > 0),
            // A file in place of a folder on this path is reported by `prepare`.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Ok(false)
            }
            Err(e) => Err(unavailable(&self.path, &e)),
        }
    }

    fn prepare(&self) -> Result<(), PrepareError> {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !self.path.exists() => {
                make_durably(folder).map_err(|cause| PrepareError {
                    folder: folder.to_path_buf(),
                    cause,
                })
            }
            _ => Ok(()),
        }
    }

    fn open(&self, opening: Opening, patience: Duration) -> Result<Box<dyn Write>, LedgerError> {
        Ok(Box::new(match opening {
            Opening::Create => SqliteLedger::open_patiently(&self.path, patience)?,
            Opening::Existing => SqliteLedger::open_existing(&self.path, patience)?,
        }))
    }

    fn open_reader(&self) -> Result<Box<dyn Read>, LedgerError> {
        Ok(Box::new(SqliteLedger::open_read_only(&self.path)?))
    }

    fn back_up(&self, folder: &Path) -> Result<Backup, LedgerError> {
        let ledger = match self.exists()? {
            true => SqliteLedger::open_read_only(&self.path)?,
            false => SqliteLedger::empty_in_memory()?,
        };
        let backup = Backup {
            partial: folder.join(format!("{}.partial", Backup::NAME)),
            to: folder.join(Backup::NAME),
            discard: |partial| {
                // If removal fails, the next copy reports the remaining file.
                let _ = remove_partial(partial);
            },
        };
        if backup.to.exists() {
            return Err(LedgerError::Unavailable {
                url: Address::from_path(&backup.to).to_string(),
                cause: "the file exists; a backup never overwrites".to_owned(),
            });
        }
        ledger.backup(&backup.partial)?;
        Ok(backup)
    }

    fn lock(&self, name: &str) -> Result<AdvisoryLock, LockError> {
        let path = self.path.with_extension(name);
        let refused = |cause| LockError {
            place: path.display().to_string(),
            cause,
        };
        let mut options = std::fs::OpenOptions::new();
        let file = options.create(true).append(true).open(&path);
        let file = file.map_err(refused)?;
        file.lock().map_err(refused)?;
        Ok(AdvisoryLock { _file: file })
    }

    fn unfinished(&self) -> usize {
        // A missing or unreadable folder counts as having none.
        let beside = self.path.parent().and_then(|f| f.read_dir().ok());
        let of_a_copy = |entry: std::io::Result<DirEntry>| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            is_unfinished(&self.path, &name).then_some(())
        };
        beside.into_iter().flatten().filter_map(of_a_copy).count()
    }

    fn describe(&self) -> Result<LedgerProperties, LedgerError> {
        let ledger = SqliteLedger::open_read_only(&self.path)?;
        Ok(LedgerProperties {
            address: Address::from_path(&self.path),
            schema: ledger.schema,
            head: ledger.head()?,
        })
    }
}
