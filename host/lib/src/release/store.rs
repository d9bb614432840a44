//! The folder of releases: `HEX.json` and `components/HEX.wasm`, each written once.
//!
//! A file is named after the digest of its bytes, so that any number of releases share a component
//! and what is read is checked by its own name. It is written under a temporary name, fsynced and
//! linked; a kill leaves a whole file that no entry names yet, or a temporary one. Computing under a
//! release reads bytes from here alone.

use std::io;

use cap_std::fs::Dir;

use provender_domain::canonical::Digest;
use provender_domain::files::bounded::{self, COMPONENT_BYTES};
use provender_domain::files::durable::{self, Staging};

use super::ReleaseError;
use super::document::{Component, Document, file_of};

/// A release store.
#[derive(Debug)]
pub struct ReleaseStore {
    dir: Dir,
    /// Path of the folder relative to the deployment's, for pins and people.
    path: String,
}

impl ReleaseStore {
    /// A store in an open folder; `path` is where that is in the deployment's folder.
    #[must_use]
    pub fn new(dir: Dir, path: &str) -> ReleaseStore {
        ReleaseStore {
            dir,
            path: path.trim_end_matches('/').to_owned(),
        }
    }

    /// Path of a component, relative to the deployment's folder.
    #[must_use]
    pub fn path_of(&self, sha256: &Digest) -> String {
        format!("{}/{}", self.path, file_of(sha256))
    }

    /// Writes a component's bytes; what is there already is checked instead.
    ///
    /// # Errors
    /// When the disk refuses, or other bytes lie under the name.
    pub fn add_component(&self, bytes: &[u8]) -> Result<Digest, ReleaseError> {
        let sha256 = Digest::of_bytes(bytes);
        self.write(&file_of(&sha256), bytes)?;
        Ok(sha256)
    }

    /// Writes a release's document; what is there already is checked instead.
    ///
    /// # Errors
    /// As [`ReleaseStore::add_component`].
    pub fn add_document(&self, document: &Document) -> Result<Digest, ReleaseError> {
        let text = document.to_text()?;
        let digest = document.digest()?;
        self.write(&name_of(&digest), text.as_bytes())?;
        Ok(digest)
    }

    /// The bytes of a component, which are those that the release names.
    ///
    /// # Errors
    /// When they are missing or others.
    pub fn component(&self, component: &Component) -> Result<Vec<u8>, ReleaseError> {
        let path = self.path_of(&component.sha256);
        let bytes = self.read(&file_of(&component.sha256), &path)?;
        component.pin(path.clone()).check_bytes(&path, &bytes)?;
        Ok(bytes)
    }

    /// What is missing of a release, or is not what it must be.
    #[must_use]
    pub fn problems(&self, digest: &Digest, document: &Document) -> Vec<String> {
        let file = name_of(digest);
        let path = format!("{}/{file}", self.path);
        let mut problems = Vec::new();
        match self.read(&file, &path) {
            Err(e) => problems.push(e.to_string()),
            Ok(bytes) if Digest::of_canonical(&bytes) != *digest => {
                problems.push(format!("{path} is not the release of this digest"));
            }
            Ok(_) => {}
        }
        let components = document.components.iter();
        problems.extend(components.filter_map(|c| self.component(c).err().map(|e| e.to_string())));
        problems
    }

    /// Whether a component's file is there.
    #[must_use]
    pub fn has(&self, sha256: &Digest) -> bool {
        self.dir.exists(file_of(sha256))
    }

    /// Whether a release's document is there.
    #[must_use]
    pub fn has_document(&self, digest: &Digest) -> bool {
        self.dir.exists(name_of(digest))
    }

    /// Bytes of a component's file; 0 when it is not there.
    #[must_use]
    pub fn size(&self, sha256: &Digest) -> u64 {
        self.dir.metadata(file_of(sha256)).map_or(0, |m| m.len())
    }

    /// Takes a component's file away; that it is gone already is no error.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove_component(&self, sha256: &Digest) -> Result<(), ReleaseError> {
        self.remove(&file_of(sha256))
    }

    /// Takes a release's document away; that it is gone already is no error.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove_document(&self, digest: &Digest) -> Result<(), ReleaseError> {
        self.remove(&name_of(digest))
    }

    fn remove(&self, file: &str) -> Result<(), ReleaseError> {
        match self.dir.remove_file(file) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(ReleaseError::Io {
                what: format!("{}/{file}", self.path),
                cause,
            }),
            _ => Ok(()),
        }
    }

    fn read(&self, file: &str, path: &str) -> Result<Vec<u8>, ReleaseError> {
        bounded::read_in(&self.dir, file, COMPONENT_BYTES).map_err(|cause| ReleaseError::Io {
            what: path.to_owned(),
            cause,
        })
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), ReleaseError> {
        let path = format!("{}/{file}", self.path);
        let io = |cause| ReleaseError::Io {
            what: path.clone(),
            cause,
        };
        if self.dir.exists(file) {
            return match self.read(file, &path)? == bytes {
                true => Ok(()),
                false => Err(ReleaseError::damaged(
                    &path,
                    "other bytes lie under the name; remove the file and repeat the command",
                )),
            };
        }
        durable::make_folder(&self.dir, "components").map_err(io)?;
        let staging = Staging::open(&self.dir).map_err(io)?;
        if !staging.create(file, bytes).map_err(io)? {
            // Another process wrote the same file meanwhile: look at what it wrote.
            return self.write(file, bytes);
        }
        for folder in [".", "components"] {
            durable::sync(&self.dir, folder).map_err(io)?;
        }
        Ok(())
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
        assert_eq!(names.filter(|n| n != durable::WRITING).count(), 2);

        let file = temp.path().join(file_of(&component.sha256));
        std::fs::write(&file, b"b").unwrap();
        assert!(store.component(component).is_err());
        assert!(store.add_component(b"a").is_err());
        std::fs::write(temp.path().join(format!("{}.json", digest.hex())), "{}").unwrap();
        assert_eq!(store.problems(&digest, &document).len(), 2);
    }
}
