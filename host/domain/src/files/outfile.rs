//! Writes files that the user names on the command line, completely or not at all, even if the disk fails.

use std::collections::BTreeSet;
use std::fs::{Metadata, Permissions};
use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::files::durable::{folder_of, make_durably, sync_at, write_synced};

/// Writes a file, replacing one with its name and taking over its permissions. It is durable when this returns.
///
/// Some targets cannot be replaced: a pipe, a terminal, a link to nothing, a file with several names, or a file in a
/// folder in which only this file may be written. They are written in place, and then are incomplete while being
/// written.
pub fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let found = match std::fs::metadata(file) {
        Ok(found) => found,
        Err(_) if file.is_symlink() => return in_place(file, bytes),
        Err(_) => return over(file, bytes, None),
    };
    if !found.is_file() || has_other_names(file, &found) {
        return in_place(file, bytes);
    }
    // A user who may not write the file may not replace it.
    drop(std::fs::OpenOptions::new().write(true).open(file)?);
    // Follows a link, as a plain write would.
    match over(
        &std::fs::canonicalize(file)?,
        bytes,
        Some(found.permissions()),
    ) {
        // A folder in which only this file may be written, or a mount of this file alone.
        Err(e)
            if matches!(
                e.kind(),
                PermissionDenied | ReadOnlyFilesystem | ResourceBusy
            ) =>
        {
            in_place(file, bytes)
        }
        written => written,
    }
}

fn has_other_names(file: &Path, found: &Metadata) -> bool {
    // `/dev/stdout` is another name for a file that this process has open.
    let system = ["/dev", "/proc"]
        .iter()
        .any(|above| file.starts_with(above));
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        system || found.nlink() > 1
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        system
    }
}

fn in_place(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = std::fs::File::create(file)?;
    file.write_all(bytes)?;
    match file.sync_all() {
        // A pipe or a terminal cannot be synced.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

fn over(file: &Path, bytes: &[u8], rights: Option<Permissions>) -> io::Result<()> {
    let folder = folder_of(file);
    prepared(&folder, bytes, false, rights)?.persist(file)?;
    sync_at(&folder)
}

/// Writes a file whose name is free, durable when this returns. A private file is readable only by its owner.
pub fn create(file: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    let folder = folder_of(file);
    prepared(&folder, bytes, private, None)?.persist_noclobber(file)?;
    sync_at(&folder).inspect_err(|_| {
        // The caller reports an error, so no file may remain.
        let _ = std::fs::remove_file(file);
    })
}

/// A complete file without a name yet; it is removed when its owner is dropped.
fn prepared(
    folder: &Path,
    bytes: &[u8],
    private: bool,
    rights: Option<Permissions>,
) -> io::Result<NamedTempFile> {
    let mut options = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if private { 0o600 } else { 0o666 };
        options.permissions(Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut temporary = options.tempfile_in(folder).map_err(nameless)?;
    if let Some(rights) = rights {
        temporary.as_file().set_permissions(rights)?;
    }
    write_synced(temporary.as_file_mut(), bytes)?;
    Ok(temporary)
}

/// Files and folders that are created together. Unless all of them succeed, new ones are removed and files to be
/// replaced stay unchanged.
#[derive(Debug, Default)]
pub struct Together {
    made: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// Files that replace existing ones.
    others: Vec<(NamedTempFile, PathBuf)>,
    /// Folders whose names are not yet durable.
    touched: BTreeSet<PathBuf>,
}

impl Together {
    /// Creates a folder and the missing folders above it.
    ///
    /// # Errors
    /// If a folder cannot be created.
    pub fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let missing = |f: &&Path| !f.as_os_str().is_empty() && !f.is_dir();
        let missing: Vec<&Path> = folder.ancestors().take_while(missing).collect();
        for made in missing.into_iter().rev() {
            match std::fs::create_dir(made) {
                Ok(()) => self.made.push(made.to_path_buf()),
                // Created by another process in the meantime.
                Err(_) if made.is_dir() => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Writes a file whose name is free, and creates the missing folders above it.
    ///
    /// # Errors
    /// If the disk fails. With [`io::ErrorKind::AlreadyExists`] if the name is taken.
    pub fn create(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = folder_of(path);
        self.folder(&folder)?;
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        prepared(&folder, bytes, false, None)?.persist_noclobber(path)?;
        self.files.push(path.to_path_buf());
        self.touched.insert(folder);
        Ok(())
    }

    /// Like [`Together::create`]. An existing file with the name gets these bytes only in [`Together::settle`].
    ///
    /// # Errors
    /// If the disk fails.
    pub fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let created = self.create(path, bytes);
        match created {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_file() => {}
            created => return created,
        }
        // Follows a link, as a plain write would.
        let path = std::fs::canonicalize(path)?;
        drop(std::fs::OpenOptions::new().write(true).open(&path)?);
        let rights = std::fs::metadata(&path)?.permissions();
        let folder = folder_of(&path);
        let other = prepared(&folder, bytes, false, Some(rights))?;
        self.others.push((other, path));
        self.touched.insert(folder);
        Ok(())
    }

    /// Replaces the existing files, and makes the names of everything written so far durable.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn settle(&mut self) -> io::Result<()> {
        for (other, path) in self.others.drain(..) {
            other.persist(path)?;
        }
        for folder in std::mem::take(&mut self.touched) {
            sync_at(&folder)?;
            make_durably(&folder)?;
        }
        Ok(())
    }

    /// Keeps everything that was written.
    pub fn keep(mut self) {
        self.files.clear();
        self.made.clear();
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        for file in self.files.drain(..).rev() {
            let _ = std::fs::remove_file(file);
        }
        for folder in self.made.drain(..).rev() {
            // A folder into which someone else has put something is kept.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// The system's error without the name of the temporary file, which would mean nothing to the user.
fn nameless(e: io::Error) -> io::Error {
    match e.to_string().split_once(" at path ") {
        Some((cause, _)) => io::Error::new(e.kind(), cause.to_owned()),
        None => e,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create_refuses_a_taken_name_and_write_leaves_no_other_file() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("proof.json");
        create(&file, b"one", false).unwrap();
        let taken = create(&file, b"two", false).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&file).unwrap(), b"one");
        write(&file, b"three").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"three");
        write(&temp.path().join("other"), b"four").unwrap();
        let nowhere = write(&temp.path().join("nowhere/other"), b"x").unwrap_err();
        assert_eq!(nowhere.kind(), io::ErrorKind::NotFound);
        assert!(!nowhere.to_string().contains("tmp"), "{nowhere}");
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 2);
    }

    #[test]
    fn files_are_made_together_or_not_at_all() {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        std::fs::create_dir(path("here")).unwrap();
        std::fs::write(path("here/old"), "mine").unwrap();
        std::fs::write(path("here/other"), "mine").unwrap();
        for keep in [false, true] {
            let mut files = Together::default();
            files.create(&path("here/a/b/one"), b"1").unwrap();
            files.write(&path("here/two"), b"2").unwrap();
            files.write(&path("here/other"), b"theirs").unwrap();
            files.folder(&path("here/c/d")).unwrap();
            let taken = files.create(&path("here/old"), b"3").unwrap_err();
            assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(path("here/other")).unwrap(), b"mine");
            if keep {
                files.settle().unwrap();
                files.keep();
            } else {
                drop(files);
            }
            let names = ["here/a/b/one", "here/a", "here/two", "here/c"];
            assert_eq!(names.map(|name| path(name).exists()), [keep; 4]);
            assert_eq!(std::fs::read(path("here/old")).unwrap(), b"mine");
        }
        assert_eq!(std::fs::read(path("here/other")).unwrap(), b"theirs");
        let there = std::fs::read_dir(path("here")).unwrap().count();
        assert_eq!(there, 5, "nothing else is left");
        // What is in the way belongs to someone else.
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere", path("here/link")).unwrap();
            let mut files = Together::default();
            assert!(files.create(&path("here/link/a/one"), b"1").is_err());
            assert!(files.create(&path("here/link"), b"1").is_err());
            assert!(files.write(&path("here/old/one"), b"1").is_err());
            drop(files);
            assert!(path("here/link").is_symlink() && path("here/old").is_file());
        }
    }

    #[cfg(unix)]
    #[test]
    fn others_can_read_public_files_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        let mode = |name: &str| std::fs::metadata(path(name)).unwrap().permissions().mode();
        std::fs::write(path("plain"), "").unwrap();
        create(&path("key"), b"k", true).unwrap();
        create(&path("key.pub"), b"p", false).unwrap();
        write(&path("page"), b"p").unwrap();
        assert_eq!(mode("key") & 0o777, 0o600);
        assert_eq!(mode("key.pub"), mode("plain"));
        assert_eq!(mode("page"), mode("plain"));
        std::os::unix::fs::symlink("page", path("link")).unwrap();
        write(&path("link"), b"q").unwrap();
        assert_eq!(std::fs::read(path("page")).unwrap(), b"q");
        assert!(
            std::fs::symlink_metadata(path("link"))
                .unwrap()
                .is_symlink()
        );
        write(Path::new("/dev/null"), b"q").unwrap();
        // Writing to a link to nothing creates its target; a file with two names keeps both.
        std::os::unix::fs::symlink("made", path("dangling")).unwrap();
        write(&path("dangling"), b"r").unwrap();
        assert_eq!(std::fs::read(path("made")).unwrap(), b"r");
        std::fs::hard_link(path("page"), path("second")).unwrap();
        write(&path("page"), b"s").unwrap();
        assert_eq!(std::fs::read(path("second")).unwrap(), b"s");
        // An existing file keeps its permissions.
        std::fs::set_permissions(path("made"), std::fs::Permissions::from_mode(0o640)).unwrap();
        write(&path("made"), b"t").unwrap();
        assert_eq!(mode("made") & 0o777, 0o640);
        assert_eq!(std::fs::read(path("made")).unwrap(), b"t");
    }
}
