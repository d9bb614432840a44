//! The folder of manifests: `{boundary_id}/{as_of}_{snapshot_id}.json`, each written once.
//!
//! A file is written under a temporary name, fsynced and linked to its name, which fails when the
//! name exists; then the folder is fsynced. A killed process leaves at most a temporary file, which the
//! next write removes, or a whole manifest without a run, which it adopts.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::sync::OnceLock;

use cap_std::fs::Dir;

use crate::bounded::{self, MANIFEST_BYTES};
use crate::domain::canonical::Digest;
use crate::domain::day::Day;
use crate::domain::key::RunKey;
use crate::durable::{self, Staging};

use super::document::Manifest;
use super::error::ManifestError;
use super::names;

/// A store of manifests.
#[derive(Debug)]
pub struct Store {
    open: OnceLock<Dir>,
    /// The folder that the path is relative to, where the store's own may be missing.
    above: Option<Dir>,
    /// Path of the folder for people, relative to the deployment's.
    path: String,
}

/// A manifest that stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Id of its reproducible part.
    pub snapshot_id: Digest,
    /// Digest of the file's bytes.
    pub sha256: Digest,
}

impl Store {
    /// A store in an open folder; `path` is its name for people.
    #[must_use]
    pub fn new(dir: Dir, path: &str) -> Store {
        Store {
            open: OnceLock::from(dir),
            above: None,
            path: path.trim_end_matches('/').to_owned(),
        }
    }

    /// A store below an open folder. Where it is missing it holds nothing, and the first write makes it:
    /// who looks makes no folder.
    #[must_use]
    pub fn below(above: Dir, path: &str) -> Store {
        Store {
            open: OnceLock::new(),
            above: Some(above),
            path: path.trim_end_matches('/').to_owned(),
        }
    }

    fn dir(&self) -> io::Result<&Dir> {
        if let Some(dir) = self.open.get() {
            return Ok(dir);
        }
        let above = self.above.as_ref().ok_or(ErrorKind::NotFound)?;
        let dir = above.open_dir(&self.path)?;
        Ok(self.open.get_or_init(|| dir))
    }

    /// The folder to write in.
    fn made(&self) -> io::Result<&Dir> {
        if let (None, Some(above)) = (self.open.get(), &self.above) {
            durable::make_folder(above, &self.path)?;
        }
        self.dir()
    }

    fn local(boundary_id: &str, day: Day, snapshot_id: &Digest) -> (String, String) {
        (
            names::safe(boundary_id),
            format!("{day}_{snapshot_id}.json"),
        )
    }

    /// The path of a run's manifest, relative to the deployment's folder.
    #[must_use]
    pub fn path_of(&self, key: &RunKey, snapshot_id: &Digest) -> String {
        let (folder, file) = Self::local(&key.boundary_id, key.calculation_date, snapshot_id);
        format!("{}/{folder}/{file}", self.path)
    }

    /// Writes manifests; what they name is durable when this returns. A name that exists is adopted
    /// when its reproducible part is the same, and its bytes are what the ledger will name.
    ///
    /// # Errors
    /// When the disk refuses, or a name is taken by other content. Manifests written before stay:
    /// without a row they are no run.
    pub fn write(&self, manifests: &[(RunKey, Manifest)]) -> Result<Vec<Written>, ManifestError> {
        let unwritten = |cause| ManifestError::Io {
            path: self.path.clone(),
            verb: "written",
            cause,
        };
        let dir = self.made().map_err(unwritten)?;
        let staging = Staging::open(dir).map_err(unwritten)?;
        let mut folders = BTreeSet::new();
        let mut written = Vec::with_capacity(manifests.len());
        for (key, manifest) in manifests {
            let snapshot_id = manifest.snapshot_id()?;
            let (folder, file) = Self::local(&key.boundary_id, key.calculation_date, &snapshot_id);
            let path = self.path_of(key, &snapshot_id);
            let io = |cause| ManifestError::Io {
                path: path.clone(),
                verb: "written",
                cause,
            };
            if folders.insert(folder.clone()) {
                dir.create_dir_all(&folder).map_err(io)?;
            }
            let bytes = manifest.to_bytes()?;
            // What could not be read again is not written.
            bounded::read(&bytes[..], MANIFEST_BYTES).map_err(io)?;
            let inside = format!("{folder}/{file}");
            let sha256 = if staging.create(&inside, &bytes).map_err(io)? {
                Digest::of_bytes(&bytes)
            } else {
                self.adopt(&inside, &path, snapshot_id)?
            };
            written.push(Written {
                snapshot_id,
                sha256,
            });
        }
        // One barrier a folder: the names are durable before any row refers to them.
        for folder in folders {
            let io = |cause| ManifestError::Io {
                path: format!("{}/{folder}", self.path),
                verb: "written",
                cause,
            };
            durable::sync(dir, &folder).map_err(io)?;
        }
        durable::sync(dir, ".").map_err(unwritten)?;
        Ok(written)
    }

    fn adopt(
        &self,
        inside: &str,
        path: &str,
        snapshot_id: Digest,
    ) -> Result<Digest, ManifestError> {
        let taken = |problem: String| ManifestError::Taken {
            path: path.to_owned(),
            problem,
        };
        let bytes = self.bytes(inside).map_err(|cause| ManifestError::Io {
            path: path.to_owned(),
            verb: "read",
            cause,
        })?;
        let manifest = Manifest::parse(&bytes).map_err(taken)?;
        let found = manifest.snapshot_id()?;
        if found != snapshot_id {
            return Err(taken(format!("its snapshot_id is {found}")));
        }
        Ok(Digest::of_bytes(&bytes))
    }

    /// The paths of all manifests that are there, as [`Store::path_of`] gives them, whoever names them.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn files(&self) -> Result<Vec<String>, ManifestError> {
        let io = |cause| ManifestError::Io {
            path: self.path.clone(),
            verb: "read",
            cause,
        };
        let mut paths = Vec::new();
        let dir = match self.dir() {
            Ok(dir) => dir,
            Err(e) if self.above.is_some() && e.kind() == ErrorKind::NotFound => return Ok(paths),
            Err(e) => return Err(io(e)),
        };
        for folder in dir.entries().map_err(io)? {
            let folder = folder.map_err(io)?;
            let name = folder.file_name().to_string_lossy().into_owned();
            if name == durable::WRITING || !folder.file_type().map_err(io)?.is_dir() {
                continue;
            }
            for file in folder.open_dir().and_then(|d| d.entries()).map_err(io)? {
                let file = file.map_err(io)?.file_name();
                paths.push(format!("{}/{name}/{}", self.path, file.to_string_lossy()));
            }
        }
        Ok(paths)
    }

    fn bytes(&self, inside: &str) -> io::Result<Vec<u8>> {
        bounded::read_in(self.dir()?, inside, MANIFEST_BYTES)
    }

    /// Reads a recorded run's manifest and checks every digest on the way.
    ///
    /// # Errors
    /// When it cannot be read or is not what was recorded.
    pub fn read(
        &self,
        key: &RunKey,
        snapshot_id: &Digest,
        sha256: &Digest,
    ) -> Result<Manifest, ManifestError> {
        Ok(self.read_with_bytes(key, snapshot_id, sha256)?.0)
    }

    /// As [`Store::read`], with the file's bytes.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_with_bytes(
        &self,
        key: &RunKey,
        snapshot_id: &Digest,
        sha256: &Digest,
    ) -> Result<(Manifest, Vec<u8>), ManifestError> {
        let (folder, file) = Self::local(&key.boundary_id, key.calculation_date, snapshot_id);
        let path = self.path_of(key, snapshot_id);
        let bytes = self
            .bytes(&format!("{folder}/{file}"))
            .map_err(|cause| ManifestError::Io {
                path: path.clone(),
                verb: "read",
                cause,
            })?;
        let damaged = |problem: String| ManifestError::Damaged {
            path: path.clone(),
            problem,
        };
        let found = Digest::of_bytes(&bytes);
        if found != *sha256 {
            return Err(damaged(format!(
                "its SHA-256 is {found}, the ledger says {sha256}"
            )));
        }
        let manifest = Manifest::parse(&bytes).map_err(damaged)?;
        let found = manifest.snapshot_id()?;
        if found != *snapshot_id {
            return Err(damaged(format!(
                "its snapshot_id is {found}, the ledger says {snapshot_id}"
            )));
        }
        Ok((manifest, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::ConfigVersion;
    use cap_std::ambient_authority;
    use serde_json::json;

    fn key() -> RunKey {
        RunKey {
            boundary_id: "../north".into(),
            herd_config_id: "h".into(),
            calculation_date: "2025-06-30".parse().unwrap(),
            model_version: "a:v1".into(),
            config_version: ConfigVersion::first(Digest::of_bytes(b"c")),
        }
    }

    fn manifest(environment: &str) -> Manifest {
        Manifest {
            reproducible: json!({"x": 1.5}),
            sources: json!({}),
            environment: json!({ "at": environment }),
        }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        (temp, Store::new(dir, "out/manifests"))
    }

    #[test]
    fn what_is_written_can_be_read_and_nothing_else_is_left() {
        let (temp, store) = store();
        let w = store.write(&[(key(), manifest("1"))]).unwrap();
        assert_eq!(
            store.read(&key(), &w[0].snapshot_id, &w[0].sha256).unwrap(),
            manifest("1")
        );
        let path = store.path_of(&key(), &w[0].snapshot_id);
        assert_eq!(
            path,
            format!(
                "out/manifests/%2E.%2Fnorth/2025-06-30_{}.json",
                w[0].snapshot_id
            )
        );
        let names: Vec<_> = std::fs::read_dir(temp.path().join("%2E.%2Fnorth"))
            .unwrap()
            .collect();
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn who_looks_makes_no_folder_and_who_writes_does() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        let store = Store::below(dir, "out/manifests/");
        let digest = Digest::of_bytes(b"x");
        assert!(store.read(&key(), &digest, &digest).is_err());
        assert_eq!(store.files().unwrap(), Vec::<String>::new());
        assert!(!temp.path().join("out").exists());
        let w = store.write(&[(key(), manifest("1"))]).unwrap();
        assert!(store.read(&key(), &w[0].snapshot_id, &w[0].sha256).is_ok());
        assert_eq!(
            store.files().unwrap(),
            [store.path_of(&key(), &w[0].snapshot_id)]
        );
    }

    #[test]
    fn a_manifest_left_by_a_killed_process_is_adopted_with_its_own_bytes() {
        let (_temp, store) = store();
        let first = store.write(&[(key(), manifest("1"))]).unwrap();
        let second = store.write(&[(key(), manifest("2"))]).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn a_changed_byte_is_found() {
        let (temp, store) = store();
        let w = store.write(&[(key(), manifest("1"))]).unwrap();
        let file = temp
            .path()
            .join("%2E.%2Fnorth")
            .join(format!("2025-06-30_{}.json", w[0].snapshot_id));
        let bytes = std::fs::read(&file).unwrap();
        for i in 0..bytes.len() {
            let mut other = bytes.clone();
            other[i] ^= 1;
            std::fs::write(&file, &other).unwrap();
            assert!(
                store.read(&key(), &w[0].snapshot_id, &w[0].sha256).is_err(),
                "byte {i}"
            );
        }
        std::fs::write(&file, "{}").unwrap();
        assert!(matches!(
            store.write(&[(key(), manifest("1"))]),
            Err(ManifestError::Taken { .. })
        ));
    }
}
