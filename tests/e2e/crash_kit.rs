//! What the tests of crashes share: a ranch to work on, and what must be the same afterwards.

use std::path::{Path, PathBuf};

use provender::domain::canonical::Digest;
use provender::manifest::Manifest;
use provender::manifest::pack::Pack;
use rusqlite::{Connection, OpenFlags};

use crate::kit::Ranch;

/// The sample ranch with its observations taken in and nothing computed.
pub(crate) fn ingested() -> Ranch {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["ingest"]).exits(0);
    ranch
}

/// The same folder elsewhere.
pub(crate) fn copy_of(ranch: &Ranch) -> Ranch {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &target);
            } else {
                std::fs::copy(&path, &target).unwrap();
            }
        }
    }
    let other = Ranch::empty();
    copy(&ranch.dir(), &other.dir());
    other
}

/// The ledger through a connection that changes nothing.
pub(crate) fn database(ranch: &Ranch) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    Connection::open_with_flags(ranch.path("out/ledger.db"), flags).unwrap()
}

fn rows(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |r| {
            let cells = (0..columns).map(|c| {
                r.get_ref(c).map(|v| match v.as_str() {
                    Ok(text) => text.to_owned(),
                    Err(_) => format!("{v:?}"),
                })
            });
            Ok(cells.collect::<Result<Vec<_>, _>>()?.join(" "))
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// What a deployment holds when everything is done: every recorded fact and run, every file with its
/// bytes. Of a manifest the part that can be reproduced, whose digest is in its name: beside it stands
/// what was known when it was written, which a kill in between may change.
#[derive(PartialEq)]
pub(crate) struct Held {
    pub(crate) runs: Vec<String>,
    facts: Vec<String>,
    reports: Vec<String>,
    pub(crate) files: Vec<(PathBuf, Digest)>,
    /// Of the runs whose manifests are in packs the snapshots that those have.
    packed: Vec<String>,
}

fn is_pack(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "arrow")
}

/// The pack that a run is in says when it was written: which pack that is may differ, what is in it not.
fn packed(db: &Connection, ranch: &Ranch) -> Vec<String> {
    let sql = "SELECT pack_sha256, place FROM runs WHERE place IS NOT NULL ORDER BY boundary_id, herd_config_id, calculation_date, model_version, config_version";
    let mut packs = std::collections::HashMap::new();
    rows(db, sql)
        .iter()
        .map(|row| {
            let (pack, place) = row.split_once(' ').unwrap();
            let place = place.trim_start_matches("Integer(").trim_end_matches(')');
            let pack: &Pack = packs.entry(pack.to_owned()).or_insert_with(|| {
                let hex = pack.trim_start_matches("sha256:");
                let file = ranch.path(&format!("out/manifests/packs/{hex}.arrow"));
                Pack::parse(&std::fs::read(file).unwrap()).unwrap()
            });
            let document = pack.document(place.parse().unwrap()).unwrap();
            let manifest = Manifest::parse(&document).unwrap();
            manifest.snapshot_id().unwrap().to_string()
        })
        .collect()
}

impl Held {
    pub(crate) fn by(ranch: &Ranch) -> Held {
        let db = database(ranch);
        let root = ranch.dir();
        let mut files = Vec::new();
        for folder in ["out/manifests", "out/reports", "out/releases", "components"] {
            if ranch.path(folder).is_dir() {
                files.extend(ranch.files(folder));
            }
        }
        files.push((
            ranch.path("provender.lock"),
            ranch.read("provender.lock").into_bytes(),
        ));
        Held {
            runs: rows(
                &db,
                "SELECT boundary_id, herd_config_id, calculation_date, model_version, config_version, provenance, snapshot_id, guardrails, outputs FROM runs ORDER BY 1, 2, 3, 4, 5",
            ),
            facts: rows(
                &db,
                "SELECT boundary_id, column_name, source, date, value, row FROM stream JOIN observation USING (stream_id) ORDER BY 1, 2, 3, 4, 5",
            ),
            reports: rows(&db, "SELECT digest, kind FROM report ORDER BY 1"),
            files: files
                .into_iter()
                .filter(|(path, _)| !is_pack(path))
                .map(|(path, bytes)| {
                    let path = path.strip_prefix(&root).unwrap().to_owned();
                    let bytes = match path.starts_with("out/manifests") {
                        true => Manifest::parse(&bytes).unwrap().snapshot_id().unwrap(),
                        false => Digest::of_bytes(&bytes),
                    };
                    (path, bytes)
                })
                .collect(),
            packed: packed(&db, ranch),
        }
    }

    /// Panics with what differs.
    pub(crate) fn must_be(&self, reference: &Held, when: &str) {
        let differing = |mine: &[String], theirs: &[String]| {
            let missing = theirs.iter().find(|r| !mine.contains(r));
            let extra = mine.iter().find(|r| !theirs.contains(r));
            format!("missing {missing:?}, extra {extra:?}")
        };
        for (mine, theirs) in [
            (&self.runs, &reference.runs),
            (&self.facts, &reference.facts),
            (&self.reports, &reference.reports),
            (&self.packed, &reference.packed),
        ] {
            assert!(mine == theirs, "{when}: {}", differing(mine, theirs));
        }
        let names = |held: &Held| -> Vec<String> {
            held.files
                .iter()
                .map(|(p, d)| format!("{} {d}", p.display()))
                .collect()
        };
        let (mine, theirs) = (names(self), names(reference));
        assert!(mine == theirs, "{when}: {}", differing(&mine, &theirs));
    }
}

/// What must hold at any moment, also right after a kill: the database is sound, its chain unbroken,
/// every recorded run has its whole manifest, and no file under a final name is torn.
pub(crate) fn sound(ranch: &Ranch, when: &str) {
    for (path, bytes) in ranch.files("out") {
        let is_manifest = path.starts_with(ranch.path("out/manifests"));
        if is_manifest && !path.components().any(|c| c.as_os_str() == ".writing") {
            let read = match is_pack(&path) {
                true => Pack::parse(&bytes).map(|_| ()),
                false => Manifest::parse(&bytes).map(|_| ()),
            };
            read.unwrap_or_else(|e| panic!("{when}: {}: {e}", path.display()));
        }
    }
    if !ranch.path("out/ledger.db").exists() {
        return;
    }
    let db = database(ranch);
    let check = rows(&db, "PRAGMA integrity_check");
    assert_eq!(check, ["ok"], "{when}");
    if rows(&db, "SELECT name FROM sqlite_schema WHERE name = 'entry'").is_empty() {
        return;
    }
    drop(db);
    let audit = ranch.run(&["audit"]);
    assert_eq!(audit.code, 0, "{when}: {}\n{}", audit.stdout, audit.stderr);
}

/// No temporary file is left.
pub(crate) fn tidy(ranch: &Ranch, when: &str) {
    for (path, _) in ranch.files("") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Compiled code is a convenience that may be deleted at any time.
        if !path.starts_with(ranch.path("out/cache")) {
            assert!(
                !name.ends_with(".tmp"),
                "{when}: {} is left",
                path.display()
            );
        }
    }
}
