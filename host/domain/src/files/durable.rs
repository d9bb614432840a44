//! Writes files that appear complete under their final name, or not at all, whenever the process is killed.
//!
//! A file is written under a temporary name in the folder `.writing`, fsynced, and then linked or renamed to its final
//! name. A writer holds a shared lock on `.writing`; a writer that finds no other removes what killed processes left
//! there. So a live process never loses a temporary file, and no leftover outlives the next write.
//!
//! A link fails if the name is taken; a rename replaces the file. Some file systems (some network mounts) have no
//! links. There, files get their names by rename, one process at a time, under an exclusive lock on the folder itself.

use std::fs::TryLockError;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::{Dir, OpenOptions};

use crate::failpoint;

/// A folder that belongs to the root of a disk, not to the program.
pub const OF_THE_DISK: &str = "lost+found";

/// The subfolder for temporary files. No boundary and no component can have this name.
pub const WRITING: &str = ".writing";

/// A folder into which complete files are put while this value exists.
#[derive(Debug)]
pub struct Staging {
    dir: Dir,
    writing: Dir,
    /// Holds the lock on `.writing`.
    _lock: Option<std::fs::File>,
}

impl Staging {
    /// Prepares to write into a folder, and removes what killed processes left.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn open(dir: &Dir) -> io::Result<Staging> {
        dir.create_dir_all(WRITING)?;
        let writing = dir.open_dir(WRITING)?;
        // Without locks (some network file systems, Windows) leftovers stay, which does no harm.
        let lock = dir.open(WRITING).ok().map(cap_std::fs::File::into_std);
        if let Some(lock) = &lock {
            match lock.try_lock() {
                Ok(()) => {
                    sweep(&writing)?;
                    lock.unlock()?;
                    lock.lock_shared()?;
                }
                Err(TryLockError::WouldBlock) => lock.lock_shared()?,
                Err(TryLockError::Error(_)) => {}
            }
        }
        Ok(Staging {
            dir: dir.try_clone()?,
            writing,
            _lock: lock,
        })
    }

    /// Writes a file if its name is free; returns false if it is taken. [`sync`] makes the name durable.
    ///
    /// # Errors
    /// If the disk fails; there is no file with the name then.
    pub fn create(&self, path: &str, bytes: &[u8]) -> io::Result<bool> {
        if self.dir.exists(path) {
            return Ok(false);
        }
        self.put(bytes, |temporary| {
            let linked = self.writing.hard_link(temporary, &self.dir, path);
            self.named(linked, temporary, path)
        })
    }

    /// Whether the link gave the file its name. Where there are no links, renames instead.
    fn named(&self, linked: io::Result<()>, temporary: &str, path: &str) -> io::Result<bool> {
        match linked {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(e) if knows_no_links(&e) => self.rename_to_free(temporary, path),
            Err(e) => Err(e),
        }
    }

    /// Renames to a name that is free; returns false if it is taken. The system releases the lock if its holder dies.
    /// Without locks, nothing is written.
    fn rename_to_free(&self, temporary: &str, path: &str) -> io::Result<bool> {
        let lock = self.dir.open(".")?.into_std();
        lock.lock()?;
        if self.dir.symlink_metadata(path).is_ok() {
            return Ok(false);
        }
        self.writing.rename(temporary, &self.dir, path)?;
        Ok(true)
    }

    /// Writes a file, replacing one with its name. It is durable when this returns.
    ///
    /// # Errors
    /// If the disk fails; the old file is kept then.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.put(bytes, |temporary| {
            self.writing.rename(temporary, &self.dir, path)
        })?;
        sync(&self.dir, parent(path))
    }

    /// Writes a temporary file, and calls `name` to give it its final name.
    fn put<T>(&self, bytes: &[u8], name: impl FnOnce(&str) -> io::Result<T>) -> io::Result<T> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let (temporary, file) = loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let temporary = format!("{}-{count}.tmp", std::process::id());
            match self.writing.open_with(&temporary, &options) {
                // A process with the same number on another machine uses this name.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                opened => break (temporary, opened?),
            }
        };
        let aside = (&self.writing, temporary.as_str());
        finish(aside, file, bytes, Keep::Durably, || name(&temporary))
    }
}

/// Whether a file must survive a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The bytes are on disk before the file gets its name.
    Durably,
    /// The file can be written again.
    ForNow,
}

/// Writes a file under the caller's temporary name, replacing what is there, and renames it, so that nobody sees half
/// of it. No other process may use the same temporary name at the same time. For folders that people look at, in which
/// there should be no [`WRITING`].
///
/// # Errors
/// If the disk fails; the old file is kept then.
pub fn replace_by(
    dir: &Dir,
    temporary: &str,
    path: &str,
    bytes: &[u8],
    keep: Keep,
) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let file = dir.open_with(temporary, &options)?;
    let rename = || dir.rename(temporary, dir, path);
    finish((dir, temporary), file, bytes, keep, rename)?;
    match keep {
        Keep::Durably => sync(dir, parent(path)),
        Keep::ForNow => Ok(()),
    }
}

/// Writes a temporary file, calls `name` to give it its final name, and removes it if it is still there.
fn finish<T>(
    (dir, temporary): (&Dir, &str),
    file: cap_std::fs::File,
    bytes: &[u8],
    keep: Keep,
    name: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let mut file = file.into_std();
    let written = match keep {
        Keep::Durably => write_synced(&mut file, bytes),
        Keep::ForNow => file.write_all(bytes),
    };
    let named = written.and_then(|()| name());
    if keep == Keep::Durably {
        failpoint::hit("file.after-name");
    }
    let removed = match dir.remove_file(temporary) {
        // It was renamed.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    };
    named.and_then(|result| removed.map(|()| result))
}

/// Whether the error of a link means that the file system has no links. Linux also reports EPERM, EOPNOTSUPP or ENOSYS.
/// If the folder is not writable, the rename fails as well.
fn knows_no_links(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        ErrorKind::PermissionDenied | ErrorKind::Unsupported
    )
}

/// Writes and fsyncs a file that gets its final name later.
///
/// # Errors
/// If the disk fails.
pub(super) fn write_synced(file: &mut std::fs::File, bytes: &[u8]) -> io::Result<()> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    failpoint::hit("file.half");
    file.write_all(second)?;
    file.sync_all()?;
    failpoint::hit("file.before-name");
    Ok(())
}

fn sweep(writing: &Dir) -> io::Result<()> {
    for entry in writing.entries()? {
        writing.remove_file(entry?.file_name())?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// If it cannot be opened or the disk fails.
pub fn sync(dir: &Dir, folder: &str) -> io::Result<()> {
    // Only on Unix can a folder be opened as a file.
    #[cfg(unix)]
    dir.open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = (dir, folder);
    Ok(())
}

/// The folder of a path, inside or outside the deployment.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Makes the names in any folder durable. A folder that may not be listed cannot be synced; its files keep their names.
///
/// # Errors
/// If it does not exist, or the disk fails.
pub fn sync_at(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match std::fs::File::open(folder) {
        Ok(folder) => folder.sync_all()?,
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {}
        Err(e) => return Err(e),
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Creates a folder and the folders above it, durably. An existing folder is synced too: a process may have been killed
/// before its name was on disk.
///
/// # Errors
/// If it cannot be created.
pub fn make_folder(dir: &Dir, path: &str) -> io::Result<()> {
    dir.create_dir_all(path)?;
    for above in Path::new(path).ancestors().skip(1) {
        let above = above.to_str().filter(|p| !p.is_empty()).unwrap_or(".");
        match sync(dir, above) {
            #[cfg(unix)]
            Err(e) if keeps_nothing_of_ours(&e) => {}
            synced => synced?,
        }
    }
    Ok(())
}

/// Creates a folder and the missing folders above it, each durable in its parent. An existing folder is synced too: a
/// process may have been killed before its name was on disk.
///
/// The ledger's path comes from the configuration, and a backup's from the command line. Both can be anywhere, so they
/// are not opened through the deployment's folder.
///
/// # Errors
/// If a folder cannot be created.
pub fn make_durably(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let disk = std::fs::metadata(folder)?.dev();
        for above in folder.ancestors().skip(1) {
            let above = match above.as_os_str().is_empty() {
                true => Path::new("."),
                false => above,
            };
            // The name of a mount point is on a different disk.
            if std::fs::metadata(above).map_or(0, |found| found.dev()) != disk {
                break;
            }
            if let Err(e) = std::fs::File::open(above).and_then(|above| above.sync_all())
                && !keeps_nothing_of_ours(&e)
            {
                return Err(e);
            }
        }
    }
    Ok(())
}

/// Whether a folder on the way cannot be synced for a harmless reason: this user cannot have created anything in a
/// folder that they may not even list, and a file system that cannot sync folders keeps names without it.
#[cfg(unix)]
fn keeps_nothing_of_ours(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::InvalidInput
            | ErrorKind::Unsupported
            | ErrorKind::ReadOnlyFilesystem
    )
}

/// Describes what is in the way of a folder, such as a file or a dangling link.
#[must_use]
pub fn obstacle(dir: &Dir, path: &str) -> Option<String> {
    let mut parts: Vec<&Path> = Path::new(path).ancestors().collect();
    parts.reverse();
    for part in parts.into_iter().filter(|p| !p.as_os_str().is_empty()) {
        let found = dir.symlink_metadata(part).ok()?;
        if dir.is_dir(part) {
            continue;
        }
        let shown = part.display();
        return Some(match found.is_symlink() {
            true => format!(
                "{shown} is a link that does not lead to a folder inside the deployment folder"
            ),
            false => format!("{shown} is not a folder"),
        });
    }
    None
}

/// Adds what is in a folder's way to an error, if something is.
#[must_use]
pub fn in_the_way(dir: &Dir, path: &str, cause: io::Error) -> io::Error {
    match obstacle(dir, path) {
        Some(obstacle) => io::Error::new(cause.kind(), obstacle),
        None => cause,
    }
}

/// The parent of a path inside an open folder.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_std::ambient_authority;

    fn temp() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        (temp, dir)
    }

    fn left(temp: &tempfile::TempDir) -> usize {
        std::fs::read_dir(temp.path().join(WRITING))
            .unwrap()
            .count()
    }

    #[test]
    fn create_refuses_a_taken_name_and_replace_replaces_the_file() {
        let (temp, dir) = temp();
        let staging = Staging::open(&dir).unwrap();
        assert!(staging.create("a", b"one").unwrap());
        assert!(!staging.create("a", b"two").unwrap());
        assert_eq!(dir.read("a").unwrap(), b"one");
        staging.replace("a", b"three").unwrap();
        assert_eq!(dir.read("a").unwrap(), b"three");
        assert!(staging.create("nowhere/a", b"x").is_err());
        assert!(staging.replace("nowhere/a", b"x").is_err());
        assert_eq!(left(&temp), 0);
    }

    #[test]
    fn replace_by_leaves_no_other_file() {
        let (temp, dir) = temp();
        dir.write("a.tmp", "left by a killed process").unwrap();
        for (keep, bytes) in [(Keep::Durably, b"one"), (Keep::ForNow, b"two")] {
            replace_by(&dir, "a.tmp", "a", bytes, keep).unwrap();
            assert_eq!(dir.read("a").unwrap(), bytes);
            assert!(replace_by(&dir, "b.tmp", "nowhere/a", b"x", keep).is_err());
        }
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn without_links_create_refuses_a_taken_name() {
        let (temp, dir) = temp();
        let staging = Staging::open(&dir).unwrap();
        let refused = |kind: ErrorKind| Err(io::Error::from(kind));
        let create = |path: &str, bytes: &[u8], kind| {
            staging.put(bytes, |temporary| {
                staging.named(refused(kind), temporary, path)
            })
        };
        assert!(create("a", b"one", ErrorKind::PermissionDenied).unwrap());
        assert!(!create("a", b"two", ErrorKind::Unsupported).unwrap());
        assert_eq!(dir.read("a").unwrap(), b"one");
        assert!(create("nowhere/a", b"x", ErrorKind::Unsupported).is_err());
        let full = create("b", b"x", ErrorKind::StorageFull).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        assert!(!dir.exists("b"));
        assert_eq!(left(&temp), 0);
    }

    #[test]
    fn without_links_one_of_many_gets_the_name() {
        let (_temp, dir) = temp();
        let winners: Vec<usize> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|n| {
                    let dir = dir.try_clone().unwrap();
                    scope.spawn(move || {
                        let staging = Staging::open(&dir).unwrap();
                        let text = format!("writer {n}");
                        let refused = Err(io::Error::from(ErrorKind::Unsupported));
                        staging
                            .put(text.as_bytes(), |t| staging.named(refused, t, "name"))
                            .unwrap()
                            .then_some(n)
                    })
                })
                .collect();
            tries
                .into_iter()
                .filter_map(|t| t.join().unwrap())
                .collect()
        });
        let [winner] = winners[..] else {
            panic!("{winners:?}")
        };
        assert_eq!(
            dir.read_to_string("name").unwrap(),
            format!("writer {winner}")
        );
    }

    #[test]
    fn leftovers_of_a_killed_process_are_removed_when_nobody_else_writes() {
        let (temp, dir) = temp();
        let first = Staging::open(&dir).unwrap();
        std::fs::write(temp.path().join(WRITING).join("1-0.tmp"), "half").unwrap();
        // Another process is writing, and the file may be its own.
        let second = Staging::open(&dir).unwrap();
        assert_eq!(left(&temp), 1);
        drop((first, second));
        let _third = Staging::open(&dir).unwrap();
        assert_eq!(left(&temp), 0);
    }

    #[test]
    fn folders_are_made_once() {
        let (temp, dir) = temp();
        for _ in 0..2 {
            make_folder(&dir, "out/manifests").unwrap();
        }
        assert!(temp.path().join("out/manifests").is_dir());
        std::fs::write(temp.path().join("file"), "").unwrap();
        assert!(make_folder(&dir, "file/below").is_err());
    }
}
