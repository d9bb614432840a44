//! Files whose names the command line gives: whole under their name or not there, whatever the disk says.

use std::fs::{Metadata, Permissions};
use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes a file, in the place of one with its name, whose rights it takes over; durable when this returns.
///
/// In place, and then not whole at any instant, where nothing can be put in the place of what is there: a pipe, a
/// terminal, a link to nothing, a file with several names, a folder in which one may write this file alone.
pub(super) fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let found = match std::fs::metadata(file) {
        Ok(found) => found,
        Err(_) if file.is_symlink() => return in_place(file, bytes),
        Err(_) => return over(file, bytes, None),
    };
    if !found.is_file() || has_other_names(file, &found) {
        return in_place(file, bytes);
    }
    // Whoever may not write the file may not replace it.
    drop(std::fs::OpenOptions::new().write(true).open(file)?);
    // Through a link, as a plain write would.
    match over(
        &std::fs::canonicalize(file)?,
        bytes,
        Some(found.permissions()),
    ) {
        // A folder in which one may write this file alone, or a mount of this file alone.
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
    // `/dev/stdout` is another name of what it leads to, which this process has open.
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
        // A pipe or a terminal keeps nothing.
        Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

fn over(file: &Path, bytes: &[u8], rights: Option<Permissions>) -> io::Result<()> {
    put(file, bytes, false, |temporary, name| {
        if let Some(rights) = rights {
            temporary.as_file().set_permissions(rights)?;
        }
        Ok(temporary.persist(name)?)
    })
}

/// Writes a file whose name is free, a private one for its owner alone; durable when this returns.
pub(super) fn create(file: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    put(file, bytes, private, |temporary, name| {
        Ok(temporary.persist_noclobber(name)?)
    })
}

fn put(
    file: &Path,
    bytes: &[u8],
    private: bool,
    name: impl FnOnce(tempfile::NamedTempFile, &Path) -> io::Result<std::fs::File>,
) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut options = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if private { 0o600 } else { 0o666 };
        options.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = private;
    // Goes with its owner when something fails.
    let mut temporary = options.tempfile_in(&folder).map_err(nameless)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    name(temporary, file)?;
    #[cfg(unix)]
    match std::fs::File::open(&folder) {
        Ok(folder) => folder.sync_all()?,
        // It has its name: a folder that cannot be opened cannot be synced.
        Err(e) if e.kind() == PermissionDenied => {}
        Err(e) => return Err(e),
    }
    Ok(())
}

/// What the system said, without the name of the temporary file, which says nothing to anybody.
fn nameless(e: io::Error) -> io::Error {
    match e.to_string().split_once(" at path ") {
        Some((said, _)) => io::Error::new(e.kind(), said.to_owned()),
        None => e,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_once_or_written_over_and_nothing_else_is_left() {
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

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_is_not_private_and_a_link_stays_one() {
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
        // A link to nothing makes what it names; a file with two names keeps both.
        std::os::unix::fs::symlink("made", path("dangling")).unwrap();
        write(&path("dangling"), b"r").unwrap();
        assert_eq!(std::fs::read(path("made")).unwrap(), b"r");
        std::fs::hard_link(path("page"), path("second")).unwrap();
        write(&path("page"), b"s").unwrap();
        assert_eq!(std::fs::read(path("second")).unwrap(), b"s");
        // What is there keeps its rights.
        std::fs::set_permissions(path("made"), std::fs::Permissions::from_mode(0o640)).unwrap();
        write(&path("made"), b"t").unwrap();
        assert_eq!(mode("made") & 0o777, 0o640);
        assert_eq!(std::fs::read(path("made")).unwrap(), b"t");
    }
}
