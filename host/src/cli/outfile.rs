//! Files whose names the command line gives: whole under their name or not there, whatever the disk says.

use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes a file, in the place of one with its name; durable when this returns.
pub(super) fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    match std::fs::metadata(file) {
        // A pipe, a terminal: nothing to put in the place of.
        Ok(found) if !found.is_file() => std::fs::write(file, bytes),
        // Through a link, as a plain write would.
        Ok(_) => match over(&std::fs::canonicalize(file)?, bytes) {
            // A folder in which one may write this file alone, or a mount of this file alone.
            Err(e)
                if matches!(
                    e.kind(),
                    PermissionDenied | ReadOnlyFilesystem | ResourceBusy
                ) =>
            {
                std::fs::write(file, bytes)
            }
            written => written,
        },
        Err(_) => over(file, bytes),
    }
}

fn over(file: &Path, bytes: &[u8]) -> io::Result<()> {
    put(file, bytes, false, |temporary, name| {
        temporary.persist(name)
    })
}

/// Writes a file whose name is free, a private one for its owner alone; durable when this returns.
pub(super) fn create(file: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    put(file, bytes, private, |temporary, name| {
        temporary.persist_noclobber(name)
    })
}

type Named = Result<std::fs::File, tempfile::PersistError>;

fn put(
    file: &Path,
    bytes: &[u8],
    private: bool,
    name: impl FnOnce(tempfile::NamedTempFile, &Path) -> Named,
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
    let mut temporary = options.tempfile_in(&folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    name(temporary, file).map_err(|e| e.error)?;
    #[cfg(unix)]
    std::fs::File::open(&folder)?.sync_all()?;
    Ok(())
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
        assert!(write(&temp.path().join("nowhere/other"), b"x").is_err());
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
    }
}
