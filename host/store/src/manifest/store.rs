//! Manifests as objects `{boundary_id}/{as_of}_{snapshot_id}.json`, and packs of manifests as
//! `packs/{sha256}.arrow`, each written once.
//!
//! A killed process may leave a complete manifest without a run; the next process that writes the same manifest
//! adopts it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use cap_std::fs::Dir;

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_domain::files::bounded::{MANIFEST_BYTES, PACK_BYTES};
use provender_domain::key::{ManifestRef, RunKey};
use provender_domain::manifest::Manifest;

use crate::files::Files;
use crate::objects::{Creating, Creation, Objects};

use super::error::ManifestError;
use super::names;
use super::pack::Pack;

/// The folder of packs. A boundary with this name shares the folder, but its files are named differently.
const PACKS: &str = "packs";

/// Number of recently read packs to cache.
const CACHED_PACKS: usize = 3;

/// A store of manifests.
#[derive(Debug)]
pub struct Store {
    objects: Box<dyn Objects>,
    packs: Mutex<VecDeque<(Digest, Arc<Pack>)>>,
}

/// A manifest to be written to its own file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestDraft {
    /// The run.
    pub key: RunKey,
    /// Digest of the reproducible part.
    pub snapshot: Digest,
    /// The document.
    pub bytes: Vec<u8>,
}

impl Store {
    /// A manifest store on an object store.
    #[must_use]
    pub fn on_objects(objects: Box<dyn Objects>) -> Store {
        Store {
            objects,
            packs: Mutex::default(),
        }
    }

    /// A store in an open folder; `path` is its name in messages.
    #[must_use]
    pub fn new(dir: Dir, path: &str) -> Store {
        Store::on_objects(Box::new(Files::new(dir, path)))
    }

    /// A store in a folder below an open one. A missing folder counts as empty; the first write creates it, and
    /// reading does not.
    #[must_use]
    pub fn below(above: Dir, path: &str) -> Store {
        Store::on_objects(Box::new(Files::below(above, path)))
    }

    /// Object name of a manifest with its own file.
    fn name_of(key: &RunKey, snapshot_id: &Digest) -> String {
        let (folder, day) = (names::folder_name(&key.boundary_id), key.calculation_date);
        format!("{folder}/{day}_{snapshot_id}.json")
    }

    /// Path of a run's manifest, relative to the deployment's folder: its file, or its pack and row.
    #[must_use]
    pub fn path_of(&self, run: ManifestRef<'_>) -> String {
        if let Some(place) = run.place {
            return format!("{}#{}", self.pack_path(&place.pack), place.row);
        }
        let name = Self::name_of(run.key, run.snapshot);
        self.objects.address().object(&name)
    }

    /// Path of a pack, relative to the deployment's folder.
    #[must_use]
    pub fn pack_path(&self, pack: &Digest) -> String {
        self.objects.address().object(&pack_name(pack))
    }

    /// Writes manifests durably, each to its own file, and returns the SHA-256 of each file's bytes. An existing
    /// file with the same reproducible part is adopted; then the ledger names the existing bytes.
    ///
    /// # Errors
    /// When the disk refuses, or a name exists with other content. Manifests written before stay; without a
    /// ledger row they are not runs.
    pub fn write(&self, manifests: &[ManifestDraft]) -> Result<Vec<Digest>, ManifestError> {
        let mut creating = self.objects.begin()?;
        let mut written = Vec::with_capacity(manifests.len());
        for draft in manifests {
            let name = Self::name_of(&draft.key, &draft.snapshot);
            let creation = creating.create(&name, &draft.bytes, MANIFEST_BYTES)?;
            written.push(match creation {
                Creation::Created | Creation::Same => Digest::of_bytes(&draft.bytes),
                Creation::Taken(found) => self.adopt(&name, &found, draft.snapshot)?,
            });
        }
        // One barrier for all: the names must be durable before any row refers to them.
        creating.settle()?;
        Ok(written)
    }

    /// Writes packs durably, each named by its digest. An existing file must have the same bytes.
    ///
    /// # Errors
    /// When the disk refuses, or a name exists with other content.
    pub fn write_packs(&self, packs: &[Vec<u8>]) -> Result<Vec<Digest>, ManifestError> {
        let mut creating = self.objects.begin()?;
        let written = packs
            .iter()
            .map(|bytes| self.write_pack(&mut *creating, bytes));
        let written = written.collect::<Result<_, _>>()?;
        // One barrier for all: the names must be durable before any row refers to them.
        creating.settle()?;
        failpoint::hit("pack.after-file");
        Ok(written)
    }

    fn write_pack(
        &self,
        creating: &mut dyn Creating,
        bytes: &[u8],
    ) -> Result<Digest, ManifestError> {
        let digest = Digest::of_bytes(bytes);
        failpoint::hit("pack.before-file");
        match creating.create(&pack_name(&digest), bytes, PACK_BYTES)? {
            Creation::Created | Creation::Same => Ok(digest),
            Creation::Taken(found) => Err(ManifestError::Taken {
                path: self.pack_path(&digest),
                problem: format!("its SHA-256 is {}", Digest::of_bytes(&found)),
            }),
        }
    }

    /// The SHA-256 of an existing manifest if it has the same run and answer. The files and the environment in it
    /// may differ.
    fn adopt(
        &self,
        name: &str,
        bytes: &[u8],
        snapshot_id: Digest,
    ) -> Result<Digest, ManifestError> {
        let taken = |problem: String| ManifestError::Taken {
            path: self.objects.address().object(name),
            problem,
        };
        let (_, found) = Manifest::parse_named(bytes).map_err(taken)?;
        if found != snapshot_id {
            return Err(taken(format!("its snapshot_id is {found}")));
        }
        Ok(Digest::of_bytes(bytes))
    }

    /// Whether the store contains anything, recorded or not.
    ///
    /// # Errors
    /// When the folder exists but cannot be read.
    pub fn holds_any(&self) -> Result<bool, ManifestError> {
        Ok(self.objects.holds_any()?)
    }

    /// Paths of all existing manifests, recorded or not, as from [`Store::path_of`].
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn files(&self) -> Result<Vec<String>, ManifestError> {
        let mut names = self.objects.list("")?;
        // A file beside the boundaries' folders is foreign.
        names.retain(|name| name.contains('/'));
        let address = self.objects.address();
        Ok(names.iter().map(|name| address.object(name)).collect())
    }

    /// Reads a recorded run's manifest, and checks every digest.
    ///
    /// # Errors
    /// When it cannot be read or differs from what was recorded.
    pub fn read(&self, run: ManifestRef<'_>) -> Result<Manifest, ManifestError> {
        Ok(self.read_with_bytes(run)?.0)
    }

    /// Like [`Store::read`], also returning the manifest's bytes.
    ///
    /// # Errors
    /// See [`Store::read`].
    pub fn read_with_bytes(
        &self,
        run: ManifestRef<'_>,
    ) -> Result<(Manifest, Vec<u8>), ManifestError> {
        let path = self.path_of(run);
        let damaged = |problem: String| ManifestError::Damaged {
            path: path.clone(),
            problem,
        };
        let bytes = match run.place {
            Some(place) => self
                .pack(&place.pack)?
                .document(place.row)
                .map_err(damaged)?,
            None => {
                let name = Self::name_of(run.key, run.snapshot);
                self.objects.read(&name, MANIFEST_BYTES)?
            }
        };
        let found = Digest::of_bytes(&bytes);
        if found != *run.sha256 {
            return Err(damaged(format!(
                "its SHA-256 is {found}, but the ledger has {}",
                run.sha256
            )));
        }
        let (manifest, found) = Manifest::parse_named(&bytes).map_err(damaged)?;
        if found != *run.snapshot {
            return Err(damaged(format!(
                "its snapshot_id is {found}, but the ledger has {}",
                run.snapshot
            )));
        }
        Ok((manifest, bytes))
    }

    /// Reads a pack and checks its digest. The packs that were read last are cached.
    ///
    /// # Errors
    /// When it cannot be read or differs from what was recorded.
    pub fn pack(&self, digest: &Digest) -> Result<Arc<Pack>, ManifestError> {
        let held = || match self.packs.lock() {
            Ok(held) => held,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((_, pack)) = held().iter().find(|(known, _)| known == digest) {
            return Ok(Arc::clone(pack));
        }
        let pack = Arc::new(self.open_pack(digest)?);
        let mut held = held();
        if held.len() >= CACHED_PACKS {
            held.pop_front();
        }
        held.push_back((*digest, Arc::clone(&pack)));
        Ok(pack)
    }

    /// Like [`Store::pack`], without caching, for callers that read each pack once.
    ///
    /// # Errors
    /// See [`Store::pack`].
    pub fn open_pack(&self, digest: &Digest) -> Result<Pack, ManifestError> {
        let bytes = self.objects.read(&pack_name(digest), PACK_BYTES)?;
        let damaged = |problem: String| ManifestError::Damaged {
            path: self.pack_path(digest),
            problem,
        };
        let found = Digest::of_bytes(&bytes);
        if found != *digest {
            return Err(damaged(format!(
                "its SHA-256 is {found}, but the ledger has {digest}"
            )));
        }
        Pack::parse(&bytes).map_err(damaged)
    }
}

fn pack_name(pack: &Digest) -> String {
    format!("{PACKS}/{}.arrow", pack.hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_std::ambient_authority;
    use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
    use provender_domain::key::ConfigVersion;

    fn key() -> RunKey {
        RunKey {
            boundary_id: BoundaryId::unchecked("../north"),
            herd_config_id: HerdId::unchecked("h"),
            calculation_date: "2025-06-30".parse().unwrap(),
            model_version: ModelVersion::unchecked("a:v1"),
            config_version: ConfigVersion::first(Digest::of_bytes(b"c")),
        }
    }

    fn draft(environment: &str) -> ManifestDraft {
        let manifest = manifest(environment);
        ManifestDraft {
            key: key(),
            snapshot: manifest.snapshot_id().unwrap(),
            bytes: manifest.to_bytes().unwrap(),
        }
    }

    fn named<'a>(key: &'a RunKey, draft: &'a ManifestDraft, sha256: &'a Digest) -> ManifestRef<'a> {
        ManifestRef {
            key,
            snapshot: &draft.snapshot,
            sha256,
            place: None,
        }
    }

    fn manifest(recorded_at: &str) -> Manifest {
        let kept = include_str!("../../../../tests/fixtures/manifests-0.1.0.jsonl");
        let mut manifest = Manifest::parse(kept.lines().next().unwrap().as_bytes()).unwrap();
        manifest.environment.recorded_at = recorded_at.to_owned();
        manifest
    }

    fn store() -> (tempfile::TempDir, Store) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        (temp, Store::new(dir, "out/manifests"))
    }

    #[test]
    fn a_written_manifest_can_be_read_and_nothing_else_remains() {
        let (temp, store) = store();
        let (key, draft) = (key(), draft("1"));
        let w = store.write(std::slice::from_ref(&draft)).unwrap();
        let run = named(&key, &draft, &w[0]);
        assert_eq!(store.read(run).unwrap(), manifest("1"));
        let path = store.path_of(run);
        assert_eq!(
            path,
            format!(
                "out/manifests/%2E.%2Fnorth/2025-06-30_{}.json",
                draft.snapshot
            )
        );
        let names: Vec<_> = std::fs::read_dir(temp.path().join("%2E.%2Fnorth"))
            .unwrap()
            .collect();
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn reading_creates_no_folder_and_writing_does() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        let store = Store::below(dir, "out/manifests/");
        let (key, draft) = (key(), draft("1"));
        let digest = Digest::of_bytes(b"x");
        assert!(store.read(named(&key, &draft, &digest)).is_err());
        assert!(store.pack(&digest).is_err());
        assert_eq!(store.files().unwrap(), Vec::<String>::new());
        assert!(!temp.path().join("out").exists());
        let w = store.write(std::slice::from_ref(&draft)).unwrap();
        let run = named(&key, &draft, &w[0]);
        assert!(store.read(run).is_ok());
        assert_eq!(store.files().unwrap(), [store.path_of(run)]);
    }

    #[test]
    fn a_manifest_of_a_killed_process_is_adopted_with_its_bytes() {
        let (_temp, store) = store();
        let first = store.write(&[draft("1")]).unwrap();
        let second = store.write(&[draft("2")]).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn a_changed_byte_is_detected() {
        let (temp, store) = store();
        let (key, draft) = (key(), draft("1"));
        let w = store.write(std::slice::from_ref(&draft)).unwrap();
        let file = temp
            .path()
            .join("%2E.%2Fnorth")
            .join(format!("2025-06-30_{}.json", draft.snapshot));
        let bytes = std::fs::read(&file).unwrap();
        for i in 0..bytes.len() {
            let mut other = bytes.clone();
            other[i] ^= 1;
            std::fs::write(&file, &other).unwrap();
            let read = store.read(named(&key, &draft, &w[0]));
            assert!(read.is_err(), "byte {i}");
        }
        std::fs::write(&file, "{}").unwrap();
        assert!(matches!(
            store.write(&[draft]),
            Err(ManifestError::Taken { .. })
        ));
    }
}
