//! Files that appear whole under their name, or not at all, whenever the process is killed.
//!
//! A file is written under a temporary name in the folder `.writing`, fsynced, and then linked or renamed
//! to its name. Who writes holds a shared lock on `.writing`; who finds nobody else there removes what
//! killed processes left in it. So a temporary file is never taken from a process that lives, and none
//! outlives the next write.
//!
//! A link refuses a name that is taken, a rename replaces it. Where the file system has no links (some
//! that are mounted over a network), names are given by rename, one process after the other, under
//! an exclusive lock on the folder itself.

use std::fs::TryLockError;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::{Dir, OpenOptions};

use crate::failpoint;

/// A folder that belongs to a disk of its own, and to nobody else.
pub const OF_THE_DISK: &str = "lost+found";

/// Where temporary files lie, below the folder that they are for. No boundary and no component has such
/// a name.
pub const WRITING: &str = ".writing";

/// A folder in which whole files are put, for as long as this lives.
#[derive(Debug)]
pub struct Staging {
    dir: Dir,
    writing: Dir,
    /// Holds the lock.
    _turn: Option<std::fs::File>,
}

impl Staging {
    /// Starts to write into a folder, and removes what killed processes left.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn open(dir: &Dir) -> io::Result<Staging> {
        dir.create_dir_all(WRITING)?;
        let writing = dir.open_dir(WRITING)?;
        // Without locks (some network file systems, Windows) what was left stays, which harms nobody.
        let turn = dir.open(WRITING).ok().map(cap_std::fs::File::into_std);
        if let Some(turn) = &turn {
            match turn.try_lock() {
                Ok(()) => {
                    sweep(&writing)?;
                    turn.unlock()?;
                    turn.lock_shared()?;
                }
                Err(TryLockError::WouldBlock) => turn.lock_shared()?,
                Err(TryLockError::Error(_)) => {}
            }
        }
        Ok(Staging {
            dir: dir.try_clone()?,
            writing,
            _turn: turn,
        })
    }

    /// Writes a file whose name is not taken; false when it is. [`sync`] makes the name durable.
    ///
    /// # Errors
    /// If the disk refuses; the name then is not there.
    pub fn create(&self, path: &str, bytes: &[u8]) -> io::Result<bool> {
        if self.dir.exists(path) {
            return Ok(false);
        }
        self.put(bytes, |temporary| {
            let linked = self.writing.hard_link(temporary, &self.dir, path);
            self.named(linked, temporary, path)
        })
    }

    /// Whether a link gave the name; another way where there are no links.
    fn named(&self, linked: io::Result<()>, temporary: &str, path: &str) -> io::Result<bool> {
        match linked {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(e) if knows_no_links(&e) => self.rename_to_free(temporary, path),
            Err(e) => Err(e),
        }
    }

    /// Renames to a name that is not taken; false when it is. The system gives the lock back when who
    /// holds it dies. Where there are no locks either, nothing is written.
    fn rename_to_free(&self, temporary: &str, path: &str) -> io::Result<bool> {
        let turn = self.dir.open(".")?.into_std();
        turn.lock()?;
        if self.dir.symlink_metadata(path).is_ok() {
            return Ok(false);
        }
        self.writing.rename(temporary, &self.dir, path)?;
        Ok(true)
    }

    /// Writes a file, in the place of one with its name; durable when this returns.
    ///
    /// # Errors
    /// If the disk refuses; under the name is what was there before.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.put(bytes, |temporary| {
            self.writing.rename(temporary, &self.dir, path)
        })?;
        sync(&self.dir, parent(path))
    }

    /// Writes a temporary file and lets `name` name it.
    fn put<T>(&self, bytes: &[u8], name: impl FnOnce(&str) -> io::Result<T>) -> io::Result<T> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let (temporary, file) = loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let temporary = format!("{}-{count}.tmp", std::process::id());
            match self.writing.open_with(&temporary, &options) {
                // Of a process with the same number on another machine.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                opened => break (temporary, opened?),
            }
        };
        let aside = (&self.writing, temporary.as_str());
        finish(aside, file, bytes, Keep::Durably, || name(&temporary))
    }
}

/// How long a file must last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Whatever happens to the machine: its bytes are on the disk before it has its name.
    Durably,
    /// It can be made again.
    ForNow,
}

/// Writes a file under a temporary name of the caller's, in the place of what lies there, and renames it: nobody
/// sees half of it. Nobody else may write the same temporary file meanwhile. For folders whose files people look
/// at, in which no [`WRITING`] should stand.
///
/// # Errors
/// If the disk refuses; under the name is what was there before.
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

/// Writes a temporary file, lets `name` name it, and takes it away where it still is.
fn finish<T>(
    (dir, temporary): (&Dir, &str),
    mut file: cap_std::fs::File,
    bytes: &[u8],
    keep: Keep,
    name: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let written = match keep {
        Keep::Durably => write(&mut file, bytes),
        Keep::ForNow => file.write_all(bytes),
    };
    let named = written.and_then(|()| name());
    if keep == Keep::Durably {
        failpoint::hit("file.after-name");
    }
    let removed = match dir.remove_file(temporary) {
        // Renamed.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    };
    named.and_then(|result| removed.map(|()| result))
}

/// Whether a refused link says that the file system has none: Linux says EPERM, EOPNOTSUPP or
/// ENOSYS for others. Where a folder is forbidden, the rename is refused as well.
fn knows_no_links(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        ErrorKind::PermissionDenied | ErrorKind::Unsupported
    )
}

/// Writes and fsyncs.
fn write(file: &mut cap_std::fs::File, bytes: &[u8]) -> io::Result<()> {
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
/// If it cannot be opened or the disk refuses.
pub fn sync(dir: &Dir, folder: &str) -> io::Result<()> {
    // Only Unix lets a folder be opened as a file.
    #[cfg(unix)]
    dir.open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = (dir, folder);
    Ok(())
}

/// The folder that a path lies in, which may lie anywhere.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Makes the names in a folder durable, wherever it lies. One that may not be listed cannot be synced; its files
/// have their names.
///
/// # Errors
/// If it is not there, or the disk refuses.
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

/// Makes a folder and the folders above it, durably. One that is there already may be of a process that was
/// killed before its name was on the disk.
///
/// # Errors
/// If it cannot be made.
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

/// Makes a folder and those above it that are missing, each durable in the one above it. One that is there
/// already may be of a process that was killed before its name was on the disk.
///
/// The ledger's path comes from the configuration alone, and a backup's from the command line: they may lie
/// anywhere, so that they are not reached through the deployment's folder.
///
/// # Errors
/// If one of them cannot be made.
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
            // What a disk is mounted on has its name on another one.
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

/// Whether a folder on the way cannot be synced for a reason that is not the disk's: nothing of this user's making
/// lies in one that may not even be listed, and a file system that knows no syncing of folders keeps names without.
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

/// What lies on the way to a folder and is none.
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

/// An error with the name of what lies in a folder's way, where something does.
#[must_use]
pub fn in_the_way(dir: &Dir, path: &str, cause: io::Error) -> io::Error {
    match obstacle(dir, path) {
        Some(obstacle) => io::Error::new(cause.kind(), obstacle),
        None => cause,
    }
}

/// The folder that a path inside an open folder lies in.
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
    fn a_name_is_taken_once_and_replaced_when_asked() {
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
    fn a_file_is_replaced_by_one_beside_it_and_nothing_else_is_left() {
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
    fn without_links_a_name_is_taken_once_too() {
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
    fn what_a_killed_process_left_goes_when_nobody_else_writes() {
        let (temp, dir) = temp();
        let first = Staging::open(&dir).unwrap();
        std::fs::write(temp.path().join(WRITING).join("1-0.tmp"), "half").unwrap();
        // Somebody writes: it may be theirs.
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
