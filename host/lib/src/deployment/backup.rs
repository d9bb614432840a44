//! Makes a consistent copy of a live ledger, its manifests and its releases.

use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use provender_domain::failpoint;
use provender_domain::files::durable::{self, make_durably};
use provender_domain::files::outfile::Together;
use provender_domain::interrupt::{Interrupt, Interrupted};
use provender_ledger::LedgerError;
use provender_ledger::admin::Backup;

use crate::release::prune::newest;

use super::{Deployment, DeploymentError, Phase, Progress};

const MANIFESTS: &str = "manifests";
const RELEASES: &str = "releases";

/// How many times a backup starts again because releases were pruned in the meantime.
const TRIES: usize = 5;

/// The parts whose progress is reported: the ledger, the manifests, the releases.
const PARTS: u64 = 3;

/// A finished backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The copy of the ledger. Manifests and releases are beside it.
    pub ledger: PathBuf,
    /// Number of copied manifests.
    pub manifests: u64,
    /// Number of copied files of releases.
    pub release_files: u64,
}

/// Why no backup was made. A partial copy is removed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target is a file or a device.
    #[error("{} is not a folder; a backup never overwrites anything", .0.display())]
    NotAFolder(PathBuf),
    /// The target is not empty; it may contain another backup.
    #[error("{} is not empty; a backup never overwrites anything", .0.display())]
    NotEmpty(PathBuf),
    /// Another process is making a backup in the target, or was killed while doing so.
    #[error("{} holds a backup without {}: it is still being made, or it was killed", .0.display(), Backup::NAME)]
    Unfinished(PathBuf),
    /// The target is inside a folder that is backed up.
    #[error("{} lies in {folder}, which is backed up; a backup cannot contain itself", .dir.display())]
    Inside {
        /// The target.
        dir: PathBuf,
        /// The folder, as the settings name it.
        folder: String,
    },
    /// The target cannot be written, or a file cannot be read.
    #[error("{}: {cause}", .dir.display())]
    Io {
        /// The target.
        dir: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The work was interrupted between two files.
    #[error("interrupted: the partial backup was removed")]
    Interrupted(Interrupted),
    /// The ledger cannot be copied. [`LedgerError::Busy`] if releases are pruned again and again in the meantime.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The deployment's ledger cannot be opened.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
}

impl BackupError {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            BackupError::NotAFolder(_) | BackupError::NotEmpty(_) | BackupError::Unfinished(_) => {
                "backup_exists"
            }
            BackupError::Inside { .. } => "backup_inside",
            BackupError::Io { .. } => "backup",
            BackupError::Interrupted(_) => "interrupted",
            BackupError::Ledger(e) => e.code(),
            BackupError::Deployment(e) => e.code(),
        }
    }
}

/// Why a folder was not copied.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Deployment {
    /// Copies the ledger, its manifests and the release store into a folder that is empty or does not exist, while
    /// other processes write. The ledger gets its final name last; from then on the folder is a backup.
    ///
    /// # Errors
    /// If the folder is not empty or is inside a folder that is backed up, if the ledger cannot be read, if the disk
    /// fails, or if the work was interrupted. The partial backup is removed.
    pub fn back_up(
        &self,
        dir: &Path,
        progress: &mut dyn Progress,
    ) -> Result<BackedUp, BackupError> {
        self.outside(dir)?;
        // Folders created for the backup are removed if it fails.
        let mut made = Together::default();
        made.folder(dir).map_err(fail(dir))?;
        let target = claim(dir)?;
        let backed_up = self.copies(dir, &target, progress).inspect_err(|_| {
            // Half a backup would look like a whole one, and block the next.
            clear(&target);
        })?;
        made.keep();
        Ok(backed_up)
    }

    /// Refuses a target that is not a folder, or that is inside a folder that is backed up: the copy would contain
    /// itself.
    fn outside(&self, dir: &Path) -> Result<(), BackupError> {
        if dir.metadata().is_ok_and(|there| !there.is_dir()) {
            return Err(BackupError::NotAFolder(dir.to_path_buf()));
        }
        let settings = &self.project.settings;
        for folder in [&settings.manifests.path, &settings.releases.path] {
            let from = self.project.root.join(folder).canonicalize();
            let (Ok(from), Some(to)) = (from, resolved(dir)) else {
                continue;
            };
            // A link that leads elsewhere is not copied.
            if to.starts_with(&from) && self.project.dir.is_dir(folder) {
                return Err(BackupError::Inside {
                    dir: dir.to_path_buf(),
                    folder: folder.clone(),
                });
            }
        }
        Ok(())
    }

    fn copies(
        &self,
        dir: &Path,
        target: &Dir,
        progress: &mut dyn Progress,
    ) -> Result<BackedUp, BackupError> {
        let _phase = tracing::info_span!(target: "provender::phase", "backup").entered();
        let ledger = self.reader()?;
        let admin = self.ledger().admin();
        let settings = &self.project.settings;
        for _ in 0..TRIES {
            progress.begin(Phase::Backup, PARTS);
            // The ledger is copied first: every manifest and release that it refers to was durable before. It gets its
            // final name last, so what a killed process leaves is not a backup.
            let pruned = newest(&*ledger)?;
            let backup = admin.back_up(dir)?;
            progress.advance(1);
            failpoint::hit("backup.before-manifests");
            let mut part = |from: &str, to: &str| {
                let copied = self.copy_folder(from, target, to).map_err(fail(dir));
                progress.advance(1);
                copied
            };
            let manifests = part(&settings.manifests.path, MANIFESTS)?;
            let release_files = part(&settings.releases.path, RELEASES)?;
            // A release pruned in the meantime may be missing from the copied store, while the copied ledger still
            // lists it.
            if newest(&*ledger)? == pruned {
                failpoint::hit("backup.before-name");
                backup.publish().map_err(fail(dir))?;
                durable::sync(target, ".").map_err(fail(dir))?;
                progress.end();
                return Ok(BackedUp {
                    ledger: dir.join(Backup::NAME),
                    manifests,
                    release_files,
                });
            }
            drop(backup);
            discard(target);
            target.create_dir(MANIFESTS).map_err(fail(dir))?;
        }
        Err(LedgerError::Busy.into())
    }

    /// Copies a folder of the deployment, if it exists. Returns the number of files.
    fn copy_folder(&self, path: &str, target: &Dir, name: &str) -> Result<u64, CopyError> {
        match self.project.dir.open_dir(path) {
            Ok(from) => copy(&from, target, name.as_ref(), &self.interrupt),
            Err(e) => match durable::obstacle(&self.project.dir, path) {
                None if e.kind() == io::ErrorKind::NotFound => Ok(0),
                None => Err(e.into()),
                Some(obstacle) => Err(io::Error::new(e.kind(), obstacle).into()),
            },
        }
    }
}

/// Claims a folder that is empty or does not exist. If two processes try at once, one of them gets it.
fn claim(dir: &Path) -> Result<Dir, BackupError> {
    make_durably(dir).map_err(fail(dir))?;
    let taken = || match dir.join(Backup::NAME).exists() || !dir.join(MANIFESTS).exists() {
        true => BackupError::NotEmpty(dir.to_path_buf()),
        false => BackupError::Unfinished(dir.to_path_buf()),
    };
    let target = Dir::open_ambient_dir(dir, ambient_authority()).map_err(fail(dir))?;
    if target.entries().map_err(fail(dir))?.next().is_some() {
        return Err(taken());
    }
    match target.create_dir(MANIFESTS) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(taken()),
        made => made.map(|()| target).map_err(fail(dir)),
    }
}

/// Resolves a path as if the missing folders on the way existed.
fn resolved(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let there = |p: &&Path| p.canonicalize().is_ok();
    let known = path.ancestors().find(there)?;
    let mut resolved = known.canonicalize().ok()?;
    for part in path.strip_prefix(known).ok()?.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
    }
    Some(resolved)
}

fn fail<E: Into<CopyError>>(dir: &Path) -> impl Fn(E) -> BackupError + Copy + '_ {
    |e| match e.into() {
        CopyError::Interrupted(e) => BackupError::Interrupted(e),
        CopyError::Io(cause) => BackupError::Io {
            dir: dir.to_path_buf(),
            cause,
        },
    }
}

/// Removes this process's copy from a folder that was empty or did not exist.
fn clear(target: &Dir) {
    // The file that makes the folder a backup is removed first.
    let _ = target.remove_file(Backup::NAME);
    discard(target);
}

/// Removes a partial backup.
fn discard(target: &Dir) {
    for part in [MANIFESTS, RELEASES] {
        let _ = target.remove_dir_all(part);
    }
}

/// Copies a folder with everything below it, durably. Returns the number of files. Files are written under their final
/// names, because a folder without the ledger's final name is not a backup.
fn copy(from: &Dir, above: &Dir, name: &Path, interrupt: &Interrupt) -> Result<u64, CopyError> {
    above.create_dir_all(name)?;
    let to = above.open_dir(name)?;
    let mut copied = 0;
    for entry in from.entries()? {
        interrupt.check()?;
        let entry = entry?;
        let name = entry.file_name();
        // Another process is still writing this file.
        if name == durable::OF_THE_DISK || name.to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type()?;
        if !kind.is_dir() && !kind.is_file() && !kind.is_symlink() {
            let problem = format!("{} is a pipe or a device, not a file", name.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem).into());
        }
        if kind.is_dir() {
            copied += copy(&entry.open_dir()?, &to, name.as_ref(), interrupt)?;
        } else {
            let mut source = match entry.open() {
                Ok(source) => source,
                // It belongs to a release that is being pruned. A missing manifest is left for an audit to find.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e.into()),
            };
            let mut new = OpenOptions::new();
            let mut file = to.open_with(&name, new.write(true).create_new(true))?;
            io::copy(&mut source, &mut file)?;
            file.sync_all()?;
            copied += 1;
        }
    }
    durable::sync(&to, ".")?;
    Ok(copied)
}
