//! The deployment's stores: its ledger, its manifests and its releases, or those beside another ledger.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use provender_ledger::sqlite::SqliteLedger;
use provender_ledger::{LedgerError, Read as _};
use provender_store::manifest::Store;

use crate::release::ReleaseStore;

use super::{Deployment, DeploymentError, Warning};

impl Deployment {
    pub(super) fn cached(&self) -> MutexGuard<'_, Option<SqliteLedger>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that may write.
    ///
    /// # Errors
    /// When it cannot be opened, is busy, or the deployment was opened on another ledger.
    pub fn writer(&self) -> Result<SqliteLedger, DeploymentError> {
        if let Some(file) = &self.ledger_file {
            return Err(DeploymentError::ReadOnly(file.clone()));
        }
        if let Some(ledger) = self.cached().take().filter(SqliteLedger::is_writable) {
            return Ok(ledger);
        }
        let patience = Duration::from_secs(u64::from(self.project.settings.ledger.busy_seconds));
        let path = self.project.ledger_path();
        // A ledger that is lost must not be begun anew unnoticed: every key would be recorded again.
        let bytes = self.ledger_bytes()?;
        self.project.make_ledger_folder()?;
        let was_there = match (bytes, self.manifests_of_project()?.holds_any()) {
            (0, manifests) => manifests?,
            // Another process may be making it at this moment, where there are no manifests yet.
            (_, manifests) => manifests.unwrap_or(true),
        };
        let ledger = if was_there {
            SqliteLedger::open_existing(&path, patience)?
        } else {
            SqliteLedger::open_patiently(&path, patience)?
        };
        self.look_at_clock(&ledger)?;
        Ok(ledger)
    }

    /// Whether there is a ledger to look into. One that is lost, or that nobody can look for, is not taken for
    /// none: what was recorded there, the release in force for one, would be passed over in silence.
    ///
    /// # Errors
    /// When there are manifests and no ledger, or the ledger cannot be looked for.
    pub fn has_ledger(&self) -> Result<bool, DeploymentError> {
        if self.ledger_file.is_some() {
            return Ok(true);
        }
        if self.ledger_bytes()? > 0 {
            return Ok(true);
        }
        if !self.manifests_of_project()?.holds_any()? {
            return Ok(false);
        }
        // Another process may have made both meanwhile, the ledger before its manifests.
        match self.ledger_bytes()? {
            0 => Err(LedgerError::gone(&self.project.ledger_path()).into()),
            _ => Ok(true),
        }
    }

    /// Length of the deployment's ledger; 0 where there is none.
    fn ledger_bytes(&self) -> Result<u64, DeploymentError> {
        let path = self.project.ledger_path();
        match path.metadata() {
            Ok(found) => Ok(found.len()),
            // A file on the way to it is reported when its folder is made.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(0),
            Err(e) => Err(LedgerError::unavailable(&path, &e).into()),
        }
    }

    /// Warns once when the clock is behind the newest entry. Entries are ordered by their numbers, so
    /// nothing else depends on it.
    fn look_at_clock(&self, ledger: &SqliteLedger) -> Result<(), DeploymentError> {
        let newest = match ledger.head().and_then(|head| ledger.entry(head)) {
            Ok(newest) => newest.map(|e| e.stamp.at),
            // Damage is reported by what reads the entry: an audit looks at the rest anyway.
            Err(LedgerError::Damaged(_)) => None,
            Err(e) => return Err(e.into()),
        };
        if let Some(newest) = newest.filter(|at| *at > self.now)
            && self.clock_reported.set(()).is_ok()
        {
            self.observer.warn(&Warning::ClockBehind {
                now: &self.now,
                newest: &newest,
            });
        }
        Ok(())
    }

    /// A connection to read through: the ledger, or the one named instead of it. A ledger that this
    /// process may not write, or that lies on a full disk, is read anyway.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn reader(&self) -> Result<SqliteLedger, DeploymentError> {
        if let Some(ledger) = self.cached().take() {
            return Ok(ledger);
        }
        if let Some(file) = &self.ledger_file {
            return Ok(SqliteLedger::open_read_only(file)?);
        }
        // Looking makes no ledger.
        if !self.has_ledger()? {
            return Ok(SqliteLedger::none()?);
        }
        let refused = match self.writer() {
            Err(e) if is_refused(&e) => e,
            opened => return opened,
        };
        match SqliteLedger::open_read_only(&self.project.ledger_path()) {
            Ok(ledger) => Ok(ledger),
            Err(e @ LedgerError::LogLeft { .. }) => Err(e.into()),
            Err(_) => Err(refused),
        }
    }

    /// Opens the ledger to audit. It must exist: a fresh, empty one would pass every check.
    ///
    /// # Errors
    /// When nothing is recorded, or it cannot be opened.
    pub fn recorded(&self) -> Result<SqliteLedger, DeploymentError> {
        if !self.has_ledger()? {
            return Err(DeploymentError::NothingRecorded(self.project.ledger_path()));
        }
        // An audit changes nothing: not the schema of an older ledger either.
        let own = || self.project.ledger_path();
        let file = self.ledger_file.clone().unwrap_or_else(own);
        Ok(SqliteLedger::open_read_only(&file)?)
    }

    /// The ledger to look into and nothing else, if there is one: looking makes no ledger and writes
    /// nothing.
    ///
    /// # Errors
    /// When it cannot be opened, or is lost.
    pub fn ledger_if_any(&self) -> Result<Option<SqliteLedger>, DeploymentError> {
        if !self.has_ledger()? {
            return Ok(None);
        }
        let own = || self.project.ledger_path();
        let file = self.ledger_file.clone().unwrap_or_else(own);
        Ok(Some(SqliteLedger::open_read_only(&file)?))
    }

    /// The manifest store: beside the ledger that was named instead of the deployment's, if it is there.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn manifests(&self) -> Result<Store, DeploymentError> {
        if let Some(beside) = self.beside_ledger("manifests") {
            return Ok(Store::new(
                open_folder(&beside)?,
                &beside.display().to_string(),
            ));
        }
        self.manifests_of_project()
    }

    /// The deployment's own store of manifests, whatever ledger was named.
    fn manifests_of_project(&self) -> Result<Store, DeploymentError> {
        let path = &self.project.settings.manifests.path;
        let above = self
            .project
            .dir
            .try_clone()
            .map_err(DeploymentError::Handle)?;
        Ok(Store::below(above, path))
    }

    /// The release store: beside the ledger that was named instead of the deployment's, if it is there.
    ///
    /// # Errors
    /// When the folder cannot be opened or made.
    pub fn store(&self) -> Result<ReleaseStore, DeploymentError> {
        let (dir, path) = self.store_folder()?;
        Ok(ReleaseStore::new(dir, &path))
    }

    /// The release store to look into, if there is one: looking makes no folder.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn store_if_any(&self) -> Result<Option<ReleaseStore>, DeploymentError> {
        let path = &self.project.settings.releases.path;
        if self.beside_ledger("releases").is_none() && !self.project.dir.is_dir(path) {
            return Ok(None);
        }
        self.store().map(Some)
    }

    pub(super) fn store_folder(&self) -> Result<(Dir, String), DeploymentError> {
        if let Some(beside) = self.beside_ledger("releases") {
            return Ok((open_folder(&beside)?, beside.display().to_string()));
        }
        let path = self.project.settings.releases.path.trim_end_matches('/');
        Ok((self.project.folder(path)?, path.to_owned()))
    }

    /// A folder of this name beside a ledger that was named instead of the deployment's.
    fn beside_ledger(&self, name: &str) -> Option<PathBuf> {
        let folder = self.ledger_file.as_ref()?.parent()?.join(name);
        folder.is_dir().then_some(folder)
    }
}

/// Whether this process may not write the ledger, or its disk is full. It may be readable.
fn is_refused(e: &DeploymentError) -> bool {
    matches!(
        e,
        DeploymentError::Ledger(
            LedgerError::Unavailable { .. } | LedgerError::Broken { .. } | LedgerError::Io(_)
        )
    )
}

/// A folder beside a ledger that the caller named.
fn open_folder(path: &Path) -> Result<Dir, DeploymentError> {
    Dir::open_ambient_dir(path, ambient_authority()).map_err(|cause| DeploymentError::Folder {
        path: path.to_path_buf(),
        cause,
    })
}
