//! The folder of manifests: `{boundary_id}/{as_of}_{snapshot_id}.json`, and packs of many of them as
//! `packs/{sha256}.arrow`, each written once.
//!
//! A file is written under a temporary name, fsynced and linked to its name, which fails when the
//! name exists; then the folder is fsynced. A killed process leaves at most a temporary file, which the
//! next write removes, or a whole manifest without a run, which it adopts.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, OnceLock};

use cap_std::fs::Dir;

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_domain::files::bounded::{self, MANIFEST_BYTES, PACK_BYTES};
use provender_domain::files::durable::{self, Staging};
use provender_domain::key::{ManifestRef, RunKey};

use super::document::Manifest;
use super::error::ManifestError;
use super::names;
use super::pack::Pack;

/// The folder of packs. A boundary of this name has its manifests beside them, under other names.
const PACKS: &str = "packs";

/// Packs that are kept when they were read.
const AT_HAND: usize = 3;

/// A store of manifests.
#[derive(Debug)]
pub struct Store {
    open: OnceLock<Dir>,
    /// That the folder is there durably.
    made: OnceLock<()>,
    /// The folder that the path is relative to, where the store's own may be missing.
    above: Option<Dir>,
    packs: Mutex<VecDeque<(Digest, Arc<Pack>)>>,
    /// Path of the folder for people, relative to the deployment's.
    path: String,
}

/// A manifest to write into a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The run.
    pub key: RunKey,
    /// Digest of the reproducible part.
    pub snapshot: Digest,
    /// The document.
    pub bytes: Vec<u8>,
}

impl Store {
    /// A store in an open folder; `path` is its name for people.
    #[must_use]
    pub fn new(dir: Dir, path: &str) -> Store {
        Store {
            open: OnceLock::from(dir),
            made: OnceLock::new(),
            above: None,
            packs: Mutex::default(),
            path: path.trim_end_matches('/').to_owned(),
        }
    }

    /// A store below an open folder. Where it is missing it holds nothing, and the first write makes it:
    /// who looks makes no folder.
    #[must_use]
    pub fn below(above: Dir, path: &str) -> Store {
        Store {
            open: OnceLock::new(),
            made: OnceLock::new(),
            above: Some(above),
            packs: Mutex::default(),
            path: path.trim_end_matches('/').to_owned(),
        }
    }

    fn dir(&self) -> io::Result<&Dir> {
        if let Some(dir) = self.open.get() {
            return Ok(dir);
        }
        let above = self.above.as_ref().ok_or(ErrorKind::NotFound)?;
        let dir = above
            .open_dir(&self.path)
            .map_err(|e| durable::in_the_way(above, &self.path, e))?;
        Ok(self.open.get_or_init(|| dir))
    }

    /// The folder to write in, whose own name is on the disk.
    fn made(&self) -> io::Result<&Dir> {
        if let (None, Some(above)) = (self.made.get(), &self.above) {
            durable::make_folder(above, &self.path)
                .map_err(|e| durable::in_the_way(above, &self.path, e))?;
            self.made.get_or_init(|| ());
        }
        self.dir()
    }

    fn local(key: &RunKey, snapshot_id: &Digest) -> (String, String) {
        (
            names::safe(&key.boundary_id),
            format!("{}_{snapshot_id}.json", key.calculation_date),
        )
    }

    /// Where a run's manifest is, relative to the deployment's folder: its file, or its pack and the
    /// row in it.
    #[must_use]
    pub fn path_of(&self, run: ManifestRef<'_>) -> String {
        if let Some(place) = run.place {
            return format!("{}#{}", self.pack_path(&place.pack), place.row);
        }
        let (folder, file) = Self::local(run.key, run.snapshot);
        format!("{}/{folder}/{file}", self.path)
    }

    /// The path of a pack, relative to the deployment's folder.
    #[must_use]
    pub fn pack_path(&self, pack: &Digest) -> String {
        format!("{}/{}", self.path, pack_file(pack))
    }

    fn io(&self, path: &str, verb: &'static str, cause: io::Error) -> ManifestError {
        let path = match path {
            "" => format!("folder {}", self.path),
            inside => format!("{}{inside}", self.path),
        };
        ManifestError::Io { path, verb, cause }
    }

    /// Writes manifests, each into a file of its own; what is given back is durable: the SHA-256 of each
    /// file's bytes. A name that exists is adopted when its reproducible part is the same, and its bytes
    /// are what the ledger will name.
    ///
    /// # Errors
    /// When the disk refuses, or a name is taken by other content. Manifests written before stay:
    /// without a row they are no run.
    pub fn write(&self, manifests: &[Sheet]) -> Result<Vec<Digest>, ManifestError> {
        let dir = self.made().map_err(|e| self.io("", "written", e))?;
        let staging = Staging::open(dir).map_err(|e| self.io("", "written", e))?;
        let mut folders = BTreeSet::new();
        let mut written = Vec::with_capacity(manifests.len());
        for sheet in manifests {
            let (folder, file) = Self::local(&sheet.key, &sheet.snapshot);
            let inside = format!("{folder}/{file}");
            let io = |cause| self.io(&format!("/{inside}"), "written", cause);
            if folders.insert(folder.clone()) {
                dir.create_dir_all(&folder).map_err(io)?;
            }
            // What could not be read again is not written.
            bounded::read(&sheet.bytes[..], MANIFEST_BYTES).map_err(io)?;
            written.push(if staging.create(&inside, &sheet.bytes).map_err(io)? {
                Digest::of_bytes(&sheet.bytes)
            } else {
                self.adopt(&inside, sheet.snapshot)?
            });
        }
        // One barrier a folder: the names are durable before any row refers to them.
        for folder in folders {
            let io = |cause| self.io(&format!("/{folder}"), "written", cause);
            durable::sync(dir, &folder).map_err(io)?;
        }
        durable::sync(dir, ".").map_err(|e| self.io("", "written", e))?;
        Ok(written)
    }

    /// Writes packs, each named by its digest; they are durable then. A name that exists has the same bytes, or
    /// is an error.
    ///
    /// # Errors
    /// When the disk refuses, or a name is taken by other content.
    pub fn write_packs(&self, packs: &[Vec<u8>]) -> Result<Vec<Digest>, ManifestError> {
        let io = |cause| self.io(&format!("/{PACKS}"), "written", cause);
        let dir = self.made().map_err(io)?;
        let staging = Staging::open(dir).map_err(io)?;
        dir.create_dir_all(PACKS).map_err(io)?;
        let written = packs
            .iter()
            .map(|bytes| self.write_pack(dir, &staging, bytes));
        let written = written.collect::<Result<_, _>>()?;
        // One barrier for all: the names are durable before any row refers to them.
        durable::sync(dir, PACKS).map_err(io)?;
        durable::sync(dir, ".").map_err(io)?;
        failpoint::hit("pack.after-file");
        Ok(written)
    }

    fn write_pack(
        &self,
        dir: &Dir,
        staging: &Staging,
        bytes: &[u8],
    ) -> Result<Digest, ManifestError> {
        let digest = Digest::of_bytes(bytes);
        let inside = pack_file(&digest);
        let io = |cause| self.io(&format!("/{inside}"), "written", cause);
        bounded::read(bytes, PACK_BYTES).map_err(io)?;
        failpoint::hit("pack.before-file");
        if !staging.create(&inside, bytes).map_err(io)? {
            let found = bounded::read_in(dir, &inside, PACK_BYTES)
                .map_err(|e| self.io(&format!("/{inside}"), "read", e))?;
            if found != bytes {
                return Err(ManifestError::Taken {
                    path: self.pack_path(&digest),
                    problem: format!("its SHA-256 is {}", Digest::of_bytes(&found)),
                });
            }
        }
        Ok(digest)
    }

    fn adopt(&self, inside: &str, snapshot_id: Digest) -> Result<Digest, ManifestError> {
        let taken = |problem: String| ManifestError::Taken {
            path: format!("{}/{inside}", self.path),
            problem,
        };
        let bytes = self
            .bytes(inside)
            .map_err(|cause| self.io(&format!("/{inside}"), "read", cause))?;
        let manifest = Manifest::parse(&bytes).map_err(taken)?;
        let found = manifest.snapshot_id()?;
        if found != snapshot_id {
            return Err(taken(format!("its snapshot_id is {found}")));
        }
        Ok(Digest::of_bytes(&bytes))
    }

    /// The folder as it is, where there is one: a link that leads nowhere is none that is missing.
    fn there(&self) -> io::Result<Option<&Dir>> {
        let missing = |above: &Dir| durable::obstacle(above, &self.path).is_none();
        match self.dir() {
            Ok(dir) => Ok(Some(dir)),
            Err(e)
                if e.kind() == ErrorKind::NotFound && self.above.as_ref().is_some_and(missing) =>
            {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Whether any manifest is there, whoever names it.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn holds_any(&self) -> Result<bool, ManifestError> {
        let io = |cause| self.io("", "read", cause);
        let Some(dir) = self.there().map_err(io)? else {
            return Ok(false);
        };
        for entry in dir.entries().map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            if name != durable::OF_THE_DISK && !name.to_string_lossy().starts_with('.') {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The paths of all manifests that are there, as [`Store::path_of`] gives them, whoever names them.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn files(&self) -> Result<Vec<String>, ManifestError> {
        let io = |cause| self.io("", "read", cause);
        let mut paths = Vec::new();
        let Some(dir) = self.there().map_err(io)? else {
            return Ok(paths);
        };
        for folder in dir.entries().map_err(io)? {
            let folder = folder.map_err(io)?;
            let name = folder.file_name().to_string_lossy().into_owned();
            let ours = ![durable::WRITING, durable::OF_THE_DISK].contains(&name.as_str());
            if !ours || !folder.file_type().map_err(io)?.is_dir() {
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
    pub fn read(&self, run: ManifestRef<'_>) -> Result<Manifest, ManifestError> {
        Ok(self.read_with_bytes(run)?.0)
    }

    /// As [`Store::read`], with the manifest's bytes.
    ///
    /// # Errors
    /// As [`Store::read`].
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
                let (folder, file) = Self::local(run.key, run.snapshot);
                let inside = format!("{folder}/{file}");
                self.bytes(&inside)
                    .map_err(|cause| self.io(&format!("/{inside}"), "read", cause))?
            }
        };
        let found = Digest::of_bytes(&bytes);
        if found != *run.sha256 {
            return Err(damaged(format!(
                "its SHA-256 is {found}, the ledger says {}",
                run.sha256
            )));
        }
        let manifest = Manifest::parse(&bytes).map_err(damaged)?;
        let found = manifest.snapshot_id()?;
        if found != *run.snapshot {
            return Err(damaged(format!(
                "its snapshot_id is {found}, the ledger says {}",
                run.snapshot
            )));
        }
        Ok((manifest, bytes))
    }

    /// Reads a pack and checks its digest. The last few that were read are at hand.
    ///
    /// # Errors
    /// When it cannot be read or is not what was recorded.
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
        if held.len() >= AT_HAND {
            held.pop_front();
        }
        held.push_back((*digest, Arc::clone(&pack)));
        Ok(pack)
    }

    /// As [`Store::pack`], for who reads each pack once.
    ///
    /// # Errors
    /// As [`Store::pack`].
    pub fn open_pack(&self, digest: &Digest) -> Result<Pack, ManifestError> {
        let inside = pack_file(digest);
        let bytes = self
            .dir()
            .and_then(|dir| bounded::read_in(dir, &inside, PACK_BYTES))
            .map_err(|cause| self.io(&format!("/{inside}"), "read", cause))?;
        let damaged = |problem: String| ManifestError::Damaged {
            path: self.pack_path(digest),
            problem,
        };
        let found = Digest::of_bytes(&bytes);
        if found != *digest {
            return Err(damaged(format!(
                "its SHA-256 is {found}, the ledger says {digest}"
            )));
        }
        Pack::parse(&bytes).map_err(damaged)
    }
}

fn pack_file(pack: &Digest) -> String {
    format!("{PACKS}/{}.arrow", pack.hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_std::ambient_authority;
    use provender_domain::key::ConfigVersion;
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

    fn sheet(environment: &str) -> Sheet {
        let manifest = manifest(environment);
        Sheet {
            key: key(),
            snapshot: manifest.snapshot_id().unwrap(),
            bytes: manifest.to_bytes().unwrap(),
        }
    }

    fn named<'a>(key: &'a RunKey, sheet: &'a Sheet, sha256: &'a Digest) -> ManifestRef<'a> {
        ManifestRef {
            key,
            snapshot: &sheet.snapshot,
            sha256,
            place: None,
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
        let (key, sheet) = (key(), sheet("1"));
        let w = store.write(std::slice::from_ref(&sheet)).unwrap();
        let run = named(&key, &sheet, &w[0]);
        assert_eq!(store.read(run).unwrap(), manifest("1"));
        let path = store.path_of(run);
        assert_eq!(
            path,
            format!(
                "out/manifests/%2E.%2Fnorth/2025-06-30_{}.json",
                sheet.snapshot
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
        let (key, sheet) = (key(), sheet("1"));
        let digest = Digest::of_bytes(b"x");
        assert!(store.read(named(&key, &sheet, &digest)).is_err());
        assert!(store.pack(&digest).is_err());
        assert_eq!(store.files().unwrap(), Vec::<String>::new());
        assert!(!temp.path().join("out").exists());
        let w = store.write(std::slice::from_ref(&sheet)).unwrap();
        let run = named(&key, &sheet, &w[0]);
        assert!(store.read(run).is_ok());
        assert_eq!(store.files().unwrap(), [store.path_of(run)]);
    }

    #[test]
    fn a_manifest_left_by_a_killed_process_is_adopted_with_its_own_bytes() {
        let (_temp, store) = store();
        let first = store.write(&[sheet("1")]).unwrap();
        let second = store.write(&[sheet("2")]).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn a_changed_byte_is_found() {
        let (temp, store) = store();
        let (key, sheet) = (key(), sheet("1"));
        let w = store.write(std::slice::from_ref(&sheet)).unwrap();
        let file = temp
            .path()
            .join("%2E.%2Fnorth")
            .join(format!("2025-06-30_{}.json", sheet.snapshot));
        let bytes = std::fs::read(&file).unwrap();
        for i in 0..bytes.len() {
            let mut other = bytes.clone();
            other[i] ^= 1;
            std::fs::write(&file, &other).unwrap();
            let read = store.read(named(&key, &sheet, &w[0]));
            assert!(read.is_err(), "byte {i}");
        }
        std::fs::write(&file, "{}").unwrap();
        assert!(matches!(
            store.write(&[sheet]),
            Err(ManifestError::Taken { .. })
        ));
    }
}
