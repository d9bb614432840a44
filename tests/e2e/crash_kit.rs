//! Shared by the tests of kills: a ranch to work on, and what must be the same afterwards.

use std::path::{Path, PathBuf};

use provender_domain::canonical::Digest;
use provender_store::manifest::Manifest;
use provender_store::manifest::pack::Pack;
use rusqlite::{Connection, OpenFlags};

use crate::kit::Ranch;
use crate::prepared::{copy, prepared};

/// The sample ranch with its observations ingested and nothing computed.
pub(crate) fn ingested() -> Ranch {
    prepared("ingested", || {
        let ranch = Ranch::sample();
        let _ = ranch.run(&["ingest"]).exits(0);
        ranch
    })
}

/// A copy of the same folder.
pub(crate) fn copy_of(ranch: &Ranch) -> Ranch {
    let other = Ranch::empty();
    copy(&ranch.dir(), &other.dir());
    other
}

/// Runs the verb to its end and returns every passage of a fail point, in order, as `PROVENDER_FAIL_AT` names
/// it.
#[cfg(debug_assertions)]
pub(crate) fn passages(ranch: &Ranch, args: &[&str], exit: i32) -> Vec<String> {
    let file = ranch.path("../passes");
    let mut command = ranch.command();
    let command = command.args(args).env("PROVENDER_PASSES", &file);
    let _ = ranch.finish(command.output().unwrap()).exits(exit);
    let passes = std::fs::read_to_string(file).unwrap();
    let passes: Vec<&str> = passes.lines().collect();
    let nth = |n: usize| passes[..=n].iter().filter(|p| **p == passes[n]).count();
    (0..passes.len())
        .map(|n| format!("{}#{}", passes[n], nth(n)))
        .collect()
}

/// A deployment whose last command was killed: what it recorded is only in the ledger's WAL.
pub(crate) fn with_wal_of_killed(args: &[&str]) -> Ranch {
    let ranch = ingested();
    // This connection stays open, so that the WAL is not checkpointed when the command ends.
    let held = database(&ranch);
    let _: i64 = held
        .query_row("SELECT count(*) FROM run", [], |r| r.get(0))
        .unwrap();
    let _ = ranch.run(args).exits(0);
    let killed = copy_of(&ranch);
    std::fs::remove_file(killed.path("out/ledger.db-shm")).unwrap();
    let log = std::fs::metadata(killed.path("out/ledger.db-wal")).unwrap();
    assert!(
        log.len() > 0,
        "the WAL is empty, so the test would show nothing"
    );
    killed
}

/// The ledger, through a read-only connection.
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

/// The final content of a deployment: every recorded fact and run, and every file with its digest. Of a
/// manifest it has only the reproducible part, whose digest is in the file name. The rest of a manifest says
/// what was known when it was written, which a kill may change.
#[derive(PartialEq)]
pub(crate) struct DeploymentContent {
    pub(crate) runs: Vec<String>,
    /// All other recorded rows, without row and entry numbers, which only give the order of recording.
    tables: Vec<(&'static str, Vec<String>)>,
    pub(crate) files: Vec<(PathBuf, Digest)>,
    /// The snapshots of the runs whose manifests are in packs.
    packed: Vec<String>,
}

/// All recorded rows except runs, under keys that do not depend on when they were recorded.
const TABLES: [(&str, &str); 7] = [
    (
        "fact",
        "SELECT s.boundary_id, column_name, s.source, o.date, value, row, hex(sha256), x.file_id IS NULL FROM stream s JOIN observation o USING (stream_id) JOIN file f USING (file_id) LEFT JOIN retraction x USING (file_id) ORDER BY 1, 2, 3, 4, 7, 6, 5",
    ),
    (
        "boundary",
        "SELECT boundary_id, effective_date, name, geometry, area_ha, declared_area_ha, hex(sha256), row FROM boundary JOIN file USING (file_id) ORDER BY 1, 2, 7, 8",
    ),
    (
        "herd",
        "SELECT herd_config_id, boundary_id, effective_date, end_date, name, animal_count, daily_intake_kg_per_head, average_weight_kg, utilization_target_pct, animal_type, class, hex(sha256), row FROM herd JOIN file USING (file_id) ORDER BY 1, 2, 3, 12, 13",
    ),
    (
        "file",
        "SELECT source, kind, format, path, hex(sha256), rows FROM file ORDER BY 1, 2, 3, 4, 5",
    ),
    (
        "retraction",
        "SELECT f.source, f.path, hex(f.sha256), e.kind, e.actor, e.reason FROM retraction x JOIN file f USING (file_id) JOIN entry e ON e.seq = x.entry ORDER BY 1, 2, 3",
    ),
    (
        "document",
        "SELECT hex(digest), kind, body FROM report ORDER BY 1",
    ),
    // Acts, without duplicates: a command repeated after a kill may have done the same twice.
    (
        "act",
        "SELECT DISTINCT kind, actor, reason, payload FROM entry WHERE kind IN ('replay', 'baseline') ORDER BY 1, 4",
    ),
];

fn is_pack(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "arrow")
}

/// The name of a pack depends on when it was written. So packs may differ after a kill, but not their
/// content.
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

impl DeploymentContent {
    pub(crate) fn of(ranch: &Ranch) -> DeploymentContent {
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
        DeploymentContent {
            runs: rows(
                &db,
                "SELECT boundary_id, herd_config_id, calculation_date, model_version, config_version, provenance, snapshot_id, guardrails, outputs FROM runs ORDER BY 1, 2, 3, 4, 5",
            ),
            tables: TABLES.map(|(of, sql)| (of, rows(&db, sql))).to_vec(),
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

    /// Panics with the differences.
    pub(crate) fn must_equal(&self, reference: &DeploymentContent, when: &str) {
        let differing = |mine: &[String], theirs: &[String]| {
            let missing = theirs.iter().find(|r| !mine.contains(r));
            let extra = mine.iter().find(|r| !theirs.contains(r));
            format!("missing {missing:?}, extra {extra:?}")
        };
        for (of, mine, theirs) in [
            ("run", &self.runs, &reference.runs),
            ("packed manifest", &self.packed, &reference.packed),
        ] {
            assert!(mine == theirs, "{when}: {of}: {}", differing(mine, theirs));
        }
        for ((of, mine), (_, theirs)) in self.tables.iter().zip(&reference.tables) {
            assert!(mine == theirs, "{when}: {of}: {}", differing(mine, theirs));
        }
        let names = |held: &DeploymentContent| -> Vec<String> {
            held.files
                .iter()
                .map(|(p, d)| format!("{} {d}", p.display()))
                .collect()
        };
        let (mine, theirs) = (names(self), names(reference));
        assert!(mine == theirs, "{when}: {}", differing(&mine, &theirs));
    }
}

/// Asserts what must hold at any moment, also right after a kill: the database and its chain are intact,
/// every recorded run has its whole manifest, and no file under a final name is incomplete.
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

/// Asserts that no temporary file is left.
pub(crate) fn tidy(ranch: &Ranch, when: &str) {
    for (path, _) in ranch.files("") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Compiled code is a convenience that may be deleted at any time.
        if !path.starts_with(ranch.path("out/cache")) {
            assert!(!name.contains(".tmp"), "{when}: {} is left", path.display());
        }
    }
}
