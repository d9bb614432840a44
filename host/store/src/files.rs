//! Objects as files in a folder.
//!
//! A file is written under a temporary name, fsynced and linked to its name, which fails if the name exists; then
//! the folders are fsynced. A killed process leaves at most a temporary file, which the next write removes, or a
//! complete object without a reference, which the next write of the same object finds.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::OnceLock;

use cap_std::fs::Dir;
use tracing::field::Empty;

use provender_domain::files::bounded;
use provender_domain::files::durable::{self, Staging};

use crate::address::StoreAddress;
use crate::objects::{Creating, Creation, ObjectError, Objects, Remove, create_or_compare};

/// A folder of objects.
#[derive(Debug)]
pub struct Files {
    open: OnceLock<Dir>,
    /// Set when the folder is known to exist durably.
    made: OnceLock<()>,
    /// The parent folder of `path`, for a folder that may not exist yet.
    above: Option<Dir>,
    address: StoreAddress,
}

impl Files {
    /// Objects in an open folder; `path` is its name in messages.
    #[must_use]
    pub fn new(dir: Dir, path: &str) -> Files {
        Files {
            open: OnceLock::from(dir),
            made: OnceLock::new(),
            above: None,
            address: StoreAddress::file(path),
        }
    }

    /// Objects in a folder below an open one. A missing folder counts as empty; the first write creates it, and
    /// reading does not.
    #[must_use]
    pub fn below(above: Dir, path: &str) -> Files {
        Files {
            open: OnceLock::new(),
            made: OnceLock::new(),
            above: Some(above),
            address: StoreAddress::file(path),
        }
    }

    fn dir(&self) -> io::Result<&Dir> {
        if let Some(dir) = self.open.get() {
            return Ok(dir);
        }
        let (above, path) = (
            self.above.as_ref().ok_or(ErrorKind::NotFound)?,
            self.address.shown(),
        );
        let dir = above
            .open_dir(path)
            .map_err(|e| durable::in_the_way(above, path, e))?;
        Ok(self.open.get_or_init(|| dir))
    }

    /// The folder for writing, created durably if necessary.
    fn made(&self) -> io::Result<&Dir> {
        if let (None, Some(above)) = (self.made.get(), &self.above) {
            let path = self.address.shown();
            durable::make_folder(above, path).map_err(|e| durable::in_the_way(above, path, e))?;
            self.made.get_or_init(|| ());
        }
        self.dir()
    }

    /// The folder if it exists. A dangling link is an error, not a missing folder.
    fn there(&self) -> Result<Option<&Dir>, ObjectError> {
        let path = self.address.shown();
        let missing = |above: &Dir| durable::obstacle(above, path).is_none();
        match self.dir() {
            Ok(dir) => Ok(Some(dir)),
            Err(e)
                if e.kind() == ErrorKind::NotFound && self.above.as_ref().is_some_and(missing) =>
            {
                Ok(None)
            }
            Err(e) => Err(self.place("read", e)),
        }
    }

    fn place(&self, verb: &'static str, cause: io::Error) -> ObjectError {
        ObjectError::Place {
            path: self.address.shown().to_owned(),
            verb,
            cause,
        }
    }

    fn object(&self, name: &str, verb: &'static str, cause: io::Error) -> ObjectError {
        ObjectError::Object {
            path: self.address.object(name),
            verb,
            cause,
        }
    }

    /// Adds the names of the files below a folder.
    fn walk(&self, dir: &Dir, folder: &str, names: &mut Vec<String>) -> io::Result<()> {
        for entry in dir.entries()? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if folder.is_empty() && [durable::WRITING, durable::OF_THE_DISK].contains(&&*name) {
                continue;
            }
            let path = format!("{folder}{name}");
            match entry.file_type()?.is_dir() {
                true => self.walk(&entry.open_dir()?, &format!("{path}/"), names)?,
                false => names.push(path),
            }
        }
        Ok(())
    }
}

/// Checks that a name stays below the folder and does not collide with the folder's own files.
fn checked(name: &str) -> io::Result<&str> {
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.');
    match name.split('/').all(plain) {
        true => Ok(name),
        false => Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!("`{name}` is not a valid object name"),
        )),
    }
}

impl Objects for Files {
    fn address(&self) -> &StoreAddress {
        &self.address
    }

    fn begin(&self) -> Result<Box<dyn Creating + '_>, ObjectError> {
        let open = || {
            let dir = self.made()?;
            let staging = Staging::open(dir)?;
            Ok((dir, staging))
        };
        let (dir, staging) = open().map_err(|e| self.place("written", e))?;
        Ok(Box::new(CreatingFiles {
            files: self,
            dir,
            staging,
            folders: BTreeSet::new(),
            objects: 0,
            bytes: 0,
            span: tracing::info_span!(
                target: "provender::store",
                "write",
                objects = Empty,
                bytes = Empty,
            ),
        }))
    }

    fn read(&self, name: &str, ceiling: u64) -> Result<Vec<u8>, ObjectError> {
        let span =
            tracing::debug_span!(target: "provender::store", "read", bytes = Empty).entered();
        let bytes = self
            .dir()
            .and_then(|dir| bounded::read_in(dir, checked(name)?, ceiling))
            .map_err(|e| self.object(name, "read", e))?;
        span.record("bytes", bytes.len());
        Ok(bytes)
    }

    fn size(&self, name: &str) -> Result<Option<u64>, ObjectError> {
        let Some(dir) = self.there()? else {
            return Ok(None);
        };
        match checked(name).and_then(|name| dir.metadata(name)) {
            Ok(about) => Ok(Some(about.len())),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.object(name, "read", e)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError> {
        let span =
            tracing::debug_span!(target: "provender::store", "list", objects = Empty).entered();
        let mut names = Vec::new();
        let Some(dir) = self.there()? else {
            return Ok(names);
        };
        let walked = match prefix.rsplit_once('/') {
            None => self.walk(dir, "", &mut names),
            Some((folder, _)) => match checked(folder).and_then(|folder| dir.open_dir(folder)) {
                Ok(opened) => self.walk(&opened, &format!("{folder}/"), &mut names),
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
                Err(e) => Err(e),
            },
        };
        walked.map_err(|e| self.place("read", e))?;
        names.retain(|name| name.starts_with(prefix));
        names.sort_unstable();
        span.record("objects", names.len());
        Ok(names)
    }

    fn holds_any(&self) -> Result<bool, ObjectError> {
        let Some(dir) = self.there()? else {
            return Ok(false);
        };
        for entry in dir.entries().map_err(|e| self.place("read", e))? {
            let name = entry.map_err(|e| self.place("read", e))?.file_name();
            if name != durable::OF_THE_DISK && !name.to_string_lossy().starts_with('.') {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Remove for Files {
    fn remove(&self, name: &str) -> Result<(), ObjectError> {
        match self.dir().and_then(|dir| dir.remove_file(checked(name)?)) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(self.object(name, "removed", e)),
            _ => Ok(()),
        }
    }
}

/// Files that are created together.
struct CreatingFiles<'a> {
    files: &'a Files,
    dir: &'a Dir,
    staging: Staging,
    /// Folders whose entries are not durable yet.
    folders: BTreeSet<String>,
    objects: u64,
    bytes: u64,
    /// Open from the first file until all files are durable.
    span: tracing::Span,
}

impl CreatingFiles<'_> {
    /// Creates the folders of a file, each once.
    fn make_folders(&mut self, name: &str) -> io::Result<()> {
        let folder = durable::parent(name);
        if folder == "." || self.folders.contains(folder) {
            return Ok(());
        }
        self.dir.create_dir_all(folder)?;
        let above = Path::new(folder).ancestors().filter_map(Path::to_str);
        self.folders
            .extend(above.filter(|f| !f.is_empty()).map(str::to_owned));
        Ok(())
    }
}

impl Creating for CreatingFiles<'_> {
    fn create(&mut self, name: &str, bytes: &[u8], ceiling: u64) -> Result<Creation, ObjectError> {
        let files = self.files;
        self.objects += 1;
        self.bytes += bytes.len() as u64;
        checked(name)
            .and_then(|name| self.make_folders(name))
            .and_then(|()| bounded::within(bytes.len() as u64, ceiling))
            .map_err(|e| files.object(name, "written", e))?;
        let create = || {
            let created = self.staging.create(name, bytes);
            created.map_err(|e| files.object(name, "written", e))
        };
        create_or_compare(
            bytes,
            create,
            || files.read(name, ceiling),
            ObjectError::is_absent,
        )
    }

    fn settle(self: Box<Self>) -> Result<(), ObjectError> {
        for folder in &self.folders {
            durable::sync(self.dir, folder).map_err(|e| self.files.object(folder, "written", e))?;
        }
        durable::sync(self.dir, ".").map_err(|e| self.files.place("written", e))?;
        let _inside = self.span.enter();
        self.span.record("objects", self.objects);
        self.span.record("bytes", self.bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;
    use crate::conformance;

    fn open(path: &Path) -> Dir {
        Dir::open_ambient_dir(path, ambient_authority()).unwrap()
    }

    #[test]
    fn files_in_an_open_folder_are_objects_written_once() {
        let temp = tempfile::tempdir().unwrap();
        conformance::check(&|| Box::new(Files::new(open(temp.path()), "objects")));
    }

    #[test]
    fn files_in_a_folder_to_be_created_are_objects_written_once() {
        let temp = tempfile::tempdir().unwrap();
        conformance::check(&|| Box::new(Files::below(open(temp.path()), "out/objects/")));
    }

    #[test]
    fn reading_creates_no_folder() {
        let temp = tempfile::tempdir().unwrap();
        let files = Files::below(open(temp.path()), "out/objects");
        assert_eq!(files.list("").unwrap(), Vec::<String>::new());
        assert_eq!(files.size("a").unwrap(), None);
        assert!(!files.holds_any().unwrap());
        assert!(files.read("a", 1).is_err());
        files.remove("a").unwrap();
        assert!(!temp.path().join("out").exists());
    }

    #[test]
    fn files_of_the_disk_and_the_driver_are_not_objects() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join(durable::OF_THE_DISK)).unwrap();
        std::fs::write(temp.path().join(durable::OF_THE_DISK).join("x"), "").unwrap();
        let files = Files::new(open(temp.path()), "objects");
        assert_eq!(files.create("a/b", b"1", 9).unwrap(), Creation::Created);
        assert!(temp.path().join(durable::WRITING).is_dir());
        assert_eq!(files.list("").unwrap(), ["a/b"]);
        files.remove("a/b").unwrap();
        assert_eq!(files.list("").unwrap(), Vec::<String>::new());
    }

    #[cfg(unix)]
    #[test]
    fn a_dangling_link_is_not_an_empty_store() {
        let temp = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", temp.path().join("objects")).unwrap();
        let files = Files::below(open(temp.path()), "objects");
        let error = files.list("").unwrap_err().to_string();
        assert!(error.contains("does not lead to a folder"), "{error}");
        assert!(files.holds_any().is_err());
        assert!(files.create("a", b"1", 9).is_err());
    }
}
