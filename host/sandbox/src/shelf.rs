//! A component by its digest alone.
//!
//! What was recorded names bytes, not a file: the lock file may have moved on, the file may lie in
//! the store of a release or in a bundle. A shelf knows the places and takes from the first one that
//! holds exactly those bytes.

use std::io;

use cap_std::fs::Dir;

use provender_domain::canonical::Digest;
use provender_domain::files::bounded::{self, COMPONENT_BYTES};

/// Places where components lie.
#[derive(Debug, Default)]
pub struct Shelf {
    places: Vec<Place>,
}

#[derive(Debug)]
enum Place {
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
    /// Bytes at hand.
    Bytes { digest: Digest, bytes: Vec<u8> },
}

/// How a shelf says no.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// Nowhere.
    #[error("the component {digest} is in none of: {looked}")]
    Missing {
        /// The digest asked for.
        digest: Box<Digest>,
        /// Where it was looked for.
        looked: String,
    },
    /// The file that should hold it holds something else, and no other place has it.
    #[error("{path} should hold the component {digest} and holds {found}")]
    Damaged {
        /// The digest asked for.
        digest: Box<Digest>,
        /// The file.
        path: String,
        /// The digest of its bytes.
        found: Box<Digest>,
    },
    /// A place cannot be read.
    #[error("{path}, where the component {digest} should be, cannot be read: {cause}")]
    Io {
        /// The digest asked for.
        digest: Box<Digest>,
        /// The place.
        path: String,
        /// Why.
        cause: io::Error,
    },
}

impl ShelfError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ShelfError::Missing { .. } => "component_missing",
            ShelfError::Damaged { .. } => "component_digest",
            ShelfError::Io { .. } => "component_unreadable",
        }
    }
}

impl Shelf {
    /// Adds the file that a pin names for a digest.
    pub fn pinned(&mut self, dir: Dir, path: &str, digest: Digest) {
        self.places.push(Place::File {
            dir,
            path: path.to_owned(),
            digest,
        });
    }

    /// Adds a store whose files are named `<hex>.wasm`; `label` names it in messages.
    pub fn store(&mut self, dir: Dir, label: &str) {
        let label = label.to_owned();
        self.places.push(Place::Store { dir, label });
    }

    /// Adds a folder whose `.wasm` files may have any name: each is read to know its digest.
    pub fn folder(&mut self, dir: Dir, label: &str) {
        let label = label.to_owned();
        self.places.push(Place::Folder { dir, label });
    }

    /// Adds bytes at hand.
    pub fn bytes(&mut self, bytes: Vec<u8>) {
        let digest = Digest::of_bytes(&bytes);
        self.places.push(Place::Bytes { digest, bytes });
    }

    /// The bytes with a digest.
    ///
    /// # Errors
    /// When no place has them; a file that should hold them and does not is named.
    pub fn find(&self, digest: &Digest) -> Result<Vec<u8>, ShelfError> {
        let mut looked = Vec::new();
        let mut wrong = None;
        for place in &self.places {
            let file = |dir: &Dir, path: &str, shown: String, wrong: &mut Option<ShelfError>| {
                match bounded::read_in(dir, path, COMPONENT_BYTES) {
                    Ok(bytes) => {
                        let found = Digest::of_bytes(&bytes);
                        if found == *digest {
                            return Some(bytes);
                        }
                        wrong.get_or_insert(ShelfError::Damaged {
                            digest: Box::new(*digest),
                            path: shown,
                            found: Box::new(found),
                        });
                    }
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    Err(cause) => {
                        wrong.get_or_insert(ShelfError::Io {
                            digest: Box::new(*digest),
                            path: shown,
                            cause,
                        });
                    }
                }
                None
            };
            let found = match place {
                Place::File {
                    dir,
                    path,
                    digest: pinned,
                } => {
                    if pinned != digest {
                        continue;
                    }
                    looked.push(path.clone());
                    file(dir, path, path.clone(), &mut wrong)
                }
                Place::Store { dir, label } => {
                    let name = format!("{}.wasm", digest.hex());
                    looked.push(format!("{label}/{name}"));
                    file(dir, &name, format!("{label}/{name}"), &mut wrong)
                }
                Place::Folder { dir, label } => {
                    looked.push(format!("{label}/*.wasm"));
                    scan(dir, digest)
                }
                Place::Bytes {
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
        Err(wrong.unwrap_or_else(|| ShelfError::Missing {
            digest: Box::new(*digest),
            looked: if looked.is_empty() {
                "no place at all".to_owned()
            } else {
                looked.join(", ")
            },
        }))
    }
}

/// A file of the folder with these bytes; what cannot be read is not it.
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

    fn shelf(temp: &tempfile::TempDir, digest: Digest) -> Shelf {
        let dir = || Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        let mut shelf = Shelf::default();
        shelf.pinned(dir(), "a.wasm", digest);
        shelf.store(dir(), "store");
        shelf.folder(dir(), "components");
        shelf
    }

    #[test]
    fn the_bytes_are_found_wherever_they_lie_and_only_those() {
        let digest = Digest::of_bytes(b"component");
        for name in [
            "a.wasm",
            &format!("{}.wasm", digest.hex()),
            "other-name.wasm",
        ] {
            let temp = tempfile::tempdir().unwrap();
            std::fs::write(temp.path().join(name), b"component").unwrap();
            assert_eq!(
                shelf(&temp, digest).find(&digest).unwrap(),
                b"component",
                "{name}"
            );
        }
        let temp = tempfile::tempdir().unwrap();
        let error = shelf(&temp, digest).find(&digest).unwrap_err();
        assert_eq!(error.code(), "component_missing");
        std::fs::write(temp.path().join("a.wasm"), b"compoment").unwrap();
        let error = shelf(&temp, digest).find(&digest).unwrap_err();
        assert_eq!(error.code(), "component_digest");
        assert!(error.to_string().starts_with("a.wasm should hold"));
    }
}
