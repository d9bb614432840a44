//! Finds a component by its digest alone.
//!
//! Recorded runs name bytes, not files. The lock file may have changed since, and the file may be in the store of
//! a release or in a bundle. The search path lists these locations, and the first one that holds exactly those
//! bytes wins.

use std::io;

use cap_std::fs::Dir;

use provender_domain::canonical::Digest;
use provender_domain::files::bounded::{self, COMPONENT_BYTES};

/// Locations to search for components, in order.
#[derive(Debug, Default)]
pub struct ComponentSearchPath {
    locations: Vec<SearchLocation>,
}

#[derive(Debug)]
enum SearchLocation {
    /// A file that a pin names for a digest.
    File {
        dir: Dir,
        path: String,
        digest: Digest,
    },
    /// A store with files named `<hex>.wasm`.
    Store { dir: Dir, label: String },
    /// A folder with components under any name.
    Folder { dir: Dir, label: String },
    /// Bytes in memory, from a bundle.
    Bytes { digest: Digest, bytes: Vec<u8> },
}

/// Why a component could not be found.
#[derive(Debug, thiserror::Error)]
pub enum ComponentSearchError {
    /// No location has it.
    #[error("the component {digest} was not found in: {looked}")]
    Missing {
        /// The digest that was searched.
        digest: Box<Digest>,
        /// The locations that were searched.
        looked: String,
    },
    /// A file that should hold the component has other bytes, and no other location has it.
    #[error("{path} should hold the component {digest}, but holds {found}")]
    Damaged {
        /// The digest that was searched.
        digest: Box<Digest>,
        /// Path of the file.
        path: String,
        /// Digest of the file's bytes.
        found: Box<Digest>,
    },
    /// A file that should hold the component cannot be read.
    #[error("cannot read {path}, which should hold the component {digest}: {cause}")]
    Io {
        /// The digest that was searched.
        digest: Box<Digest>,
        /// Path of the file.
        path: String,
        /// The system's error.
        cause: io::Error,
    },
}

impl ComponentSearchError {
    /// A stable code for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ComponentSearchError::Missing { .. } => "component_missing",
            ComponentSearchError::Damaged { .. } => "component_digest",
            ComponentSearchError::Io { .. } => "component_unreadable",
        }
    }
}

impl ComponentSearchPath {
    /// Adds a file that a pin names for a digest.
    pub fn add_pinned(&mut self, dir: Dir, path: &str, digest: Digest) {
        self.locations.push(SearchLocation::File {
            dir,
            path: path.to_owned(),
            digest,
        });
    }

    /// Adds a store whose files are named `<hex>.wasm`; `label` names it in messages.
    pub fn add_store(&mut self, dir: Dir, label: &str) {
        let label = label.to_owned();
        self.locations.push(SearchLocation::Store { dir, label });
    }

    /// Adds a folder whose `.wasm` files may have any name; each is read and hashed.
    pub fn add_folder(&mut self, dir: Dir, label: &str) {
        let label = label.to_owned();
        self.locations.push(SearchLocation::Folder { dir, label });
    }

    /// Adds bytes in memory, from a bundle.
    pub fn add_bytes(&mut self, bytes: Vec<u8>) {
        let digest = Digest::of_bytes(&bytes);
        self.locations.push(SearchLocation::Bytes { digest, bytes });
    }

    /// Returns the bytes with this digest.
    ///
    /// # Errors
    /// When no location has them. A file that should hold them but does not is named.
    pub fn find(&self, digest: &Digest) -> Result<Vec<u8>, ComponentSearchError> {
        let mut looked = Vec::new();
        let mut failure = None;
        for location in &self.locations {
            let file = |dir: &Dir,
                        path: &str,
                        shown: String,
                        failure: &mut Option<ComponentSearchError>| {
                match bounded::read_in(dir, path, COMPONENT_BYTES) {
                    Ok(bytes) => {
                        let found = Digest::of_bytes(&bytes);
                        if found == *digest {
                            return Some(bytes);
                        }
                        failure.get_or_insert(ComponentSearchError::Damaged {
                            digest: Box::new(*digest),
                            path: shown,
                            found: Box::new(found),
                        });
                    }
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    Err(cause) => {
                        failure.get_or_insert(ComponentSearchError::Io {
                            digest: Box::new(*digest),
                            path: shown,
                            cause,
                        });
                    }
                }
                None
            };
            let found = match location {
                SearchLocation::File {
                    dir,
                    path,
                    digest: pinned,
                } => {
                    if pinned != digest {
                        continue;
                    }
                    looked.push(path.clone());
                    file(dir, path, path.clone(), &mut failure)
                }
                SearchLocation::Store { dir, label } => {
                    let name = format!("{}.wasm", digest.hex());
                    looked.push(format!("{label}/{name}"));
                    file(dir, &name, format!("{label}/{name}"), &mut failure)
                }
                SearchLocation::Folder { dir, label } => {
                    looked.push(format!("{label}/*.wasm"));
                    scan(dir, digest)
                }
                SearchLocation::Bytes {
                    digest: held,
                    bytes,
                } => {
                    looked.push(format!("the bundle, which holds {held}"));
                    (held == digest).then(|| bytes.clone())
                }
            };
            if let Some(bytes) = found {
                return Ok(bytes);
            }
        }
        Err(failure.unwrap_or_else(|| ComponentSearchError::Missing {
            digest: Box::new(*digest),
            looked: if looked.is_empty() {
                "no location is configured".to_owned()
            } else {
                looked.join(", ")
            },
        }))
    }
}

/// A file of the folder with these bytes. Unreadable files are skipped.
fn scan(dir: &Dir, digest: &Digest) -> Option<Vec<u8>> {
    dir.entries().ok()?.flatten().find_map(|entry| {
        let name = entry.file_name();
        if !name.to_string_lossy().ends_with(".wasm") {
            return None;
        }
        let bytes = bounded::read_in(dir, name, COMPONENT_BYTES).ok()?;
        (Digest::of_bytes(&bytes) == *digest).then_some(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_std::ambient_authority;

    fn search_path(temp: &tempfile::TempDir, digest: Digest) -> ComponentSearchPath {
        let dir = || Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        let mut search_path = ComponentSearchPath::default();
        search_path.add_pinned(dir(), "a.wasm", digest);
        search_path.add_store(dir(), "store");
        search_path.add_folder(dir(), "components");
        search_path
    }

    #[test]
    fn the_right_bytes_are_found_in_every_location() {
        let digest = Digest::of_bytes(b"component");
        for name in [
            "a.wasm",
            &format!("{}.wasm", digest.hex()),
            "other-name.wasm",
        ] {
            let temp = tempfile::tempdir().unwrap();
            std::fs::write(temp.path().join(name), b"component").unwrap();
            assert_eq!(
                search_path(&temp, digest).find(&digest).unwrap(),
                b"component",
                "{name}"
            );
        }
        let temp = tempfile::tempdir().unwrap();
        let error = search_path(&temp, digest).find(&digest).unwrap_err();
        assert_eq!(error.code(), "component_missing");
        std::fs::write(temp.path().join("a.wasm"), b"compoment").unwrap();
        let error = search_path(&temp, digest).find(&digest).unwrap_err();
        assert_eq!(error.code(), "component_digest");
        assert!(error.to_string().starts_with("a.wasm should hold"));
    }
}
