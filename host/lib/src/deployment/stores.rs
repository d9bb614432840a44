//! The deployment's stores: its ledger, manifests and releases, or those beside another ledger.

use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use provender_ledger::admin::empty_ledger;
use provender_ledger::{Address, LedgerError, Opening, Read, Write, open_reader};
use provender_store::manifest::Store;

use crate::project::ProjectError;
use crate::release::ReleaseStore;

use super::{Deployment, DeploymentError, Warning};

/// An open ledger.
pub(super) enum Handle {
    /// Opened read-only.
    Reader(Box<dyn Read>),
    /// Opened for reading and writing.
    Writer(Box<dyn Write>),
}

impl Handle {
    pub(super) fn reader(&self) -> &dyn Read {
        match self {
            Handle::Reader(ledger) => &**ledger,
            Handle::Writer(ledger) => &**ledger,
        }
    }

    /// The writer; `None` if the ledger was opened read-only.
    pub(super) fn writer(&self) -> Option<&dyn Write> {
        match self {
            Handle::Reader(_) => None,
            Handle::Writer(ledger) => Some(&**ledger),
        }
    }

    fn into_reader(self) -> Box<dyn Read> {
        match self {
            Handle::Reader(ledger) => ledger,
            Handle::Writer(ledger) => ledger,
        }
    }
}

impl Deployment {
    pub(super) fn cached(&self) -> MutexGuard<'_, Option<Handle>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the ledger to write.
    ///
    /// # Errors
    /// If it cannot be opened, is busy, or the deployment was opened on a different ledger.
    pub fn writer(&self) -> Result<Box<dyn Write>, DeploymentError> {
        if let Some(other) = &self.other_ledger {
            return Err(DeploymentError::ReadOnly(other.clone()));
        }
        if let Some(Handle::Writer(ledger)) = self.cached().take() {
            return Ok(ledger);
        }
        let patience = Duration::from_secs(u64::from(self.project.settings.ledger.busy_seconds));
        let ledger = self.project.ledger().admin();
        // A lost ledger must not be replaced silently by a new one: every key would be recorded again.
        let is_there = ledger.exists()?;
        ledger.prepare().map_err(|e| ProjectError::Write {
            file: e.folder.display().to_string(),
            cause: Arc::new(e.cause),
        })?;
        let was_there = match (is_there, self.manifests_of_project()?.holds_any()) {
            (false, manifests) => manifests?,
            // If there are no manifests yet, another process may be creating the ledger at this moment.
            (true, Ok(manifests)) => manifests,
            (true, Err(_)) => true,
        };
        let opening = match was_there {
            true => Opening::Existing,
            false => Opening::Create,
        };
        let ledger = ledger.open(opening, patience)?;
        self.look_at_clock(&*ledger)?;
        Ok(ledger)
    }

    /// Whether there is a ledger to read. A ledger that is lost or inaccessible is an error, not an absent one: its
    /// contents, such as the release in force, would be ignored silently.
    ///
    /// # Errors
    /// If there are manifests but no ledger, or if access to the ledger fails.
    pub(crate) fn has_ledger(&self) -> Result<bool, DeploymentError> {
        let ledger = self.project.ledger();
        if self.other_ledger.is_some() || ledger.admin().exists()? {
            return Ok(true);
        }
        if !self.manifests_of_project()?.holds_any()? {
            return Ok(false);
        }
        // Another process may have created both in the meantime, the ledger first.
        match ledger.admin().exists()? {
            true => Ok(true),
            false => Err(LedgerError::gone(ledger).into()),
        }
    }

    /// Warns once if the clock is behind the newest entry. Entries are ordered by number, so nothing else depends on
    /// the clock.
    fn look_at_clock(&self, ledger: &dyn Read) -> Result<(), DeploymentError> {
        let newest = match ledger.head().and_then(|head| ledger.entry(head)) {
            Ok(newest) => newest.map(|e| e.stamp.at),
            // Damage is reported by whatever reads the entry; an audit continues with the rest.
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

    /// Opens a handle to read the deployment's ledger, or the one given instead of it. A ledger that this process may
    /// not write, or that is on a full disk, is still readable.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn reader(&self) -> Result<Box<dyn Read>, DeploymentError> {
        self.handle().map(Handle::into_reader)
    }

    pub(super) fn handle(&self) -> Result<Handle, DeploymentError> {
        if let Some(ledger) = self.cached().take() {
            return Ok(ledger);
        }
        if let Some(other) = &self.other_ledger {
            return Ok(Handle::Reader(open_reader(other)?));
        }
        // Reading does not create a ledger.
        if !self.has_ledger()? {
            return Ok(Handle::Reader(empty_ledger()?));
        }
        let refused = match self.writer() {
            Err(e) if is_refused(&e) => e,
            opened => return opened.map(Handle::Writer),
        };
        match open_reader(self.project.ledger()) {
            Ok(ledger) => Ok(Handle::Reader(ledger)),
            Err(e @ LedgerError::LogLeft { .. }) => Err(e.into()),
            Err(_) => Err(refused),
        }
    }

    /// The address of the ledger, or of the one given instead of it.
    #[must_use]
    pub(crate) fn ledger(&self) -> &Address {
        let own = || self.project.ledger();
        self.other_ledger.as_ref().unwrap_or_else(own)
    }

    /// Opens the ledger to audit. It must exist: a fresh, empty one would pass every check.
    ///
    /// # Errors
    /// If nothing is recorded, or it cannot be opened.
    pub fn recorded(&self) -> Result<Box<dyn Read>, DeploymentError> {
        let ledger = self.ledger_if_any()?;
        ledger.ok_or_else(|| DeploymentError::NothingRecorded(self.project.ledger().clone()))
    }

    /// Opens the ledger only to read, if it exists. Does not create or migrate it, and writes nothing.
    ///
    /// # Errors
    /// If it cannot be opened, or is lost.
    pub fn ledger_if_any(&self) -> Result<Option<Box<dyn Read>>, DeploymentError> {
        if !self.has_ledger()? {
            return Ok(None);
        }
        Ok(Some(open_reader(self.ledger())?))
    }

    /// The manifest store; beside the ledger given instead of the deployment's, if it exists there.
    ///
    /// # Errors
    /// If the folder cannot be opened.
    pub fn manifests(&self) -> Result<Store, DeploymentError> {
        if let Some(beside) = self.beside_ledger("manifests") {
            return Ok(Store::new(
                open_folder(&beside)?,
                &beside.display().to_string(),
            ));
        }
        self.manifests_of_project()
    }

    /// The deployment's own manifest store, whatever ledger was given.
    fn manifests_of_project(&self) -> Result<Store, DeploymentError> {
        let path = &self.project.settings.manifests.path;
        let above = self
            .project
            .dir
            .try_clone()
            .map_err(DeploymentError::Handle)?;
        Ok(Store::below(above, path))
    }

    /// The release store; beside the ledger given instead of the deployment's, if it exists there.
    ///
    /// # Errors
    /// If the folder cannot be opened or created.
    pub fn store(&self) -> Result<ReleaseStore, DeploymentError> {
        let (dir, path) = self.store_folder()?;
        Ok(ReleaseStore::new(dir, &path))
    }

    /// The release store to read, if it exists. Does not create its folder.
    ///
    /// # Errors
    /// If the folder cannot be opened.
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

    /// A folder with this name beside the ledger given instead of the deployment's.
    fn beside_ledger(&self, name: &str) -> Option<PathBuf> {
        let folder = self.other_ledger.as_ref()?.folder()?.join(name);
        folder.is_dir().then_some(folder)
    }
}

/// Whether this process may not write the ledger, or its disk is full. It may still be readable.
fn is_refused(e: &DeploymentError) -> bool {
    matches!(
        e,
        DeploymentError::Ledger(
            LedgerError::Unavailable { .. } | LedgerError::Broken { .. } | LedgerError::Io(_)
        )
    )
}

/// Opens a folder beside a ledger that the caller named.
fn open_folder(path: &Path) -> Result<Dir, DeploymentError> {
    Dir::open_ambient_dir(path, ambient_authority()).map_err(|cause| DeploymentError::Folder {
        path: path.to_path_buf(),
        cause,
    })
}
