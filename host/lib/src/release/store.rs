//! The store of releases: `HEX.json` and `components/HEX.wasm`, each written once.
//!
//! An object is named after the digest of its bytes. So releases share components, and everything read is
//! checked against its name. A kill leaves at most a complete object that no entry names yet. Computing under a
//! release reads component bytes only from here.

use cap_std::fs::Dir;

use provender_domain::canonical::Digest;
use provender_domain::files::bounded::COMPONENT_BYTES;
use provender_store::files::Files;
use provender_store::objects::{Creation, ObjectError, Remove};

use super::ReleaseError;
use super::document::{Component, Document, file_of};

/// A store of releases and their components.
#[derive(Debug)]
pub struct ReleaseStore {
    objects: Box<dyn Remove>,
}

impl ReleaseStore {
    /// A store on top of any object storage.
    #[must_use]
    pub(crate) fn over(objects: Box<dyn Remove>) -> ReleaseStore {
        ReleaseStore { objects }
    }

    /// A store in an open folder. `path` is the folder's path relative to the deployment's folder.
    #[must_use]
    pub fn new(dir: Dir, path: &str) -> ReleaseStore {
        ReleaseStore::over(Box::new(Files::new(dir, path)))
    }

    /// Path of a component, relative to the deployment's folder.
    #[must_use]
    pub(crate) fn path_of(&self, sha256: &Digest) -> String {
        self.objects.address().object(&file_of(sha256))
    }

    /// Writes a component's bytes. If it exists already, its bytes are compared instead.
    ///
    /// # Errors
    /// If the file system fails, or if other bytes are stored under the name.
    pub(crate) fn add_component(&self, bytes: &[u8]) -> Result<Digest, ReleaseError> {
        let sha256 = Digest::of_bytes(bytes);
        self.write(&file_of(&sha256), bytes)?;
        Ok(sha256)
    }

    /// Writes a release's document. If it exists already, its bytes are compared instead.
    ///
    /// # Errors
    /// As for [`ReleaseStore::add_component`].
    pub(crate) fn add_document(&self, document: &Document) -> Result<Digest, ReleaseError> {
        let text = document.to_text()?;
        let digest = document.digest()?;
        self.write(&name_of(&digest), text.as_bytes())?;
        Ok(digest)
    }

    /// Reads a component and checks its bytes against the release.
    ///
    /// # Errors
    /// If it is missing or has other bytes.
    pub(crate) fn component(&self, component: &Component) -> Result<Vec<u8>, ReleaseError> {
        let path = self.path_of(&component.sha256);
        let bytes = self.read(&file_of(&component.sha256))?;
        component.pin(path.clone()).check_bytes(&path, &bytes)?;
        Ok(bytes)
    }

    /// The files of a release that are missing or differ, each as a sentence.
    #[must_use]
    pub(crate) fn problems(&self, digest: &Digest, document: &Document) -> Vec<String> {
        let file = name_of(digest);
        let mut problems = Vec::new();
        match self.read(&file) {
            Err(e) => problems.push(e.to_string()),
            Ok(bytes) if Digest::of_canonical(&bytes) != *digest => {
                let path = self.objects.address().object(&file);
                problems.push(format!("{path} does not match the digest in its name"));
            }
            Ok(_) => {}
        }
        let components = document.components.iter();
        problems.extend(components.filter_map(|c| self.component(c).err().map(|e| e.to_string())));
        problems
    }

    /// Whether a component's file exists.
    #[must_use]
    pub(crate) fn has(&self, sha256: &Digest) -> bool {
        self.has_object(&file_of(sha256))
    }

    /// Whether a release's document exists.
    #[must_use]
    pub(crate) fn has_document(&self, digest: &Digest) -> bool {
        self.has_object(&name_of(digest))
    }

    fn has_object(&self, name: &str) -> bool {
        // A file that cannot be looked up cannot be used either, so it counts as missing.
        matches!(self.objects.size(name), Ok(Some(_)))
    }

    /// Size of a component's file in bytes; 0 if it is missing.
    #[must_use]
    pub(crate) fn size(&self, sha256: &Digest) -> u64 {
        match self.objects.size(&file_of(sha256)) {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(_) => 0,
        }
    }

    /// Removes a component's file. It is no error if it is already gone.
    ///
    /// # Errors
    /// If the file system fails.
    pub(crate) fn remove_component(&self, sha256: &Digest) -> Result<(), ReleaseError> {
        self.remove(&file_of(sha256))
    }

    /// Removes a release's document. It is no error if it is already gone.
    ///
    /// # Errors
    /// If the file system fails.
    pub(crate) fn remove_document(&self, digest: &Digest) -> Result<(), ReleaseError> {
        self.remove(&name_of(digest))
    }

    fn remove(&self, name: &str) -> Result<(), ReleaseError> {
        Ok(self.objects.remove(name)?)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, ReleaseError> {
        Ok(self.objects.read(name, COMPONENT_BYTES)?)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ReleaseError> {
        match self.objects.create(name, bytes, COMPONENT_BYTES)? {
            Creation::Created | Creation::Same => Ok(()),
            Creation::Taken(_) => Err(ReleaseError::damaged(
                self.objects.address().object(name),
                "it has other contents; remove the file and repeat the command",
            )),
        }
    }
}

impl From<ObjectError> for ReleaseError {
    fn from(e: ObjectError) -> ReleaseError {
        match e {
            ObjectError::Place { path, cause, .. } | ObjectError::Object { path, cause, .. } => {
                ReleaseError::Io { what: path, cause }
            }
        }
    }
}

fn name_of(digest: &Digest) -> String {
    format!("{}.json", digest.hex())
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::release;
    use super::*;
    use cap_std::ambient_authority;
    use provender_domain::files::durable::WRITING;

    #[test]
    fn what_is_stored_is_checked_whenever_it_is_read() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        let store = ReleaseStore::new(dir, "out/releases");
        let document = release(1, b"a", "first");
        let digest = document.digest().unwrap();
        assert_eq!(store.problems(&digest, &document).len(), 2);
        store.add_component(b"a").unwrap();
        store.add_component(b"a").unwrap();
        store.add_document(&document).unwrap();
        assert_eq!(store.problems(&digest, &document), Vec::<String>::new());
        let component = &document.components[0];
        assert_eq!(store.component(component).unwrap(), b"a");
        let names = std::fs::read_dir(temp.path()).unwrap();
        let names = names.map(|e| e.unwrap().file_name());
        assert_eq!(names.filter(|n| n != WRITING).count(), 2);

        let file = temp.path().join(file_of(&component.sha256));
        std::fs::write(&file, b"b").unwrap();
        assert!(store.component(component).is_err());
        assert!(store.add_component(b"a").is_err());
        std::fs::write(temp.path().join(format!("{}.json", digest.hex())), "{}").unwrap();
        assert_eq!(store.problems(&digest, &document).len(), 2);
    }
}
