//! From an older schema to the newest: forward only, all steps in one transaction, a copy first.
//!
//! A step never touches what is recorded: it adds tables, columns, indexes and triggers, and fills what
//! follows from the runs. The copy lies
//! beside the ledger, named after the schema that it has, and is whole under its name or not there. There
//! is no way back; who must go back opens the copy with the program that made it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, TransactionBehavior};

use crate::ledger::LedgerError;

use super::locator;
use super::open::translate;

/// The statements that lead from a schema to the next one.
pub(super) type Step = &'static str;

/// Step N leads from schema N + 1 to N + 2. Schema 1 is the first; a step that was released never changes.
pub(super) const STEPS: &[Step] = &[include_str!("schema-2.sql"), include_str!("schema-3.sql")];

/// What lets a ledger of schema N + 1 be read as it is, without a write: views and tables of the
/// connection alone that stand before those of the file. One for each step.
pub(super) const SHIMS: &[&str] = &[
    "CREATE TEMP VIEW run AS
   SELECT series_id, date, entry, provenance, snapshot, manifest, guardrail, replaces, outputs,
     NULL AS pack, NULL AS place
   FROM main.run;
 CREATE TEMP TABLE pack (pack_id INTEGER PRIMARY KEY, digest BLOB, entry INTEGER);",
    "CREATE TEMP TABLE locator (digit INTEGER, entry INTEGER, part INTEGER, runs BLOB);",
];

/// The newest schema that these steps lead to.
pub(super) fn newest(steps: &[Step]) -> i64 {
    1 + i64::try_from(steps.len()).unwrap_or(i64::MAX - 1)
}

/// Where the copy of a ledger of an older schema lies.
pub(super) fn copy_of(path: &Path, schema: i64) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".schema-{schema}"));
    path.with_file_name(name)
}

/// Leads the ledger at `path` from an older schema to the newest.
pub(super) fn migrate(
    db: &mut Connection,
    path: &Path,
    found: i64,
    steps: &[Step],
) -> Result<(), LedgerError> {
    let failed = |cause: String| LedgerError::Migration {
        url: format!("sqlite:{}", path.display()),
        found,
        newest: newest(steps),
        cause,
    };
    keep(db, found, &copy_of(path, found)).map_err(|e| failed(format!("no copy was made: {e}")))?;
    let sql = |e: rusqlite::Error| failed(e.to_string());
    let tx = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(translate)?;
    // Another process may have been here meanwhile.
    let now: i64 = tx
        .pragma_query_value(None, "user_version", |r| r.get(0))
        .map_err(sql)?;
    let from = usize::try_from(now.max(1) - 1).unwrap_or(usize::MAX);
    for step in steps.iter().skip(from) {
        tx.execute_batch(step).map_err(sql)?;
    }
    // What follows from the runs but is no SQL.
    locator::fill(&tx)?;
    tx.pragma_update(None, "user_version", newest(steps).max(now))
        .map_err(sql)?;
    crate::failpoint::hit("ledger.before-commit");
    tx.commit().map_err(sql)
}

/// A whole copy under its name, unless another process has led the ledger on meanwhile: then the copy is of
/// its making, and is not replaced by one of a newer schema.
fn keep(db: &Connection, found: i64, to: &Path) -> std::io::Result<()> {
    let other = |e: rusqlite::Error| std::io::Error::other(e.to_string());
    let partial = to.with_extension(format!("{}.tmp", std::process::id()));
    let made = (|| {
        let mut copy = Connection::open(&partial).map_err(other)?;
        Backup::new(db, &mut copy)
            .and_then(|b| b.run_to_completion(1_024, Duration::ZERO, None))
            .map_err(other)?;
        copy.pragma_update(None, "journal_mode", "DELETE")
            .map_err(other)?;
        let copied: i64 = copy
            .pragma_query_value(None, "user_version", |r| r.get(0))
            .map_err(other)?;
        if copied != found {
            copy.close().map_err(|(_, e)| other(e))?;
            return std::fs::remove_file(&partial);
        }
        copy.close().map_err(|(_, e)| other(e))?;
        std::fs::File::open(&partial)?.sync_all()?;
        std::fs::rename(&partial, to)?;
        #[cfg(unix)]
        if let Some(folder) = to.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    })();
    if made.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger as _;
    use crate::ledger::entry::{Kind, Stamp};
    use crate::ledger::sqlite::SqliteLedger;
    use crate::ledger::sqlite::scan::Scan;
    use crate::ledger::types::RunFilter;
    use serde_json::json;

    /// A ledger that was written when schema 1 was the newest.
    const SCHEMA_1: &[u8] = include_bytes!("../../../../tests/fixtures/ledger-schema-1.db");
    const LATER: &[Step] = &[
        "CREATE TABLE note (entry INTEGER NOT NULL REFERENCES entry (seq), text TEXT NOT NULL) STRICT",
        "ALTER TABLE note ADD COLUMN language TEXT",
    ];

    #[test]
    fn a_copy_is_not_replaced_by_one_of_a_newer_schema() {
        let (_temp, path) = fixture();
        drop(SqliteLedger::open(&path).unwrap());
        let copy = copy_of(&path, 1);
        let kept = std::fs::read(&copy).unwrap();
        // Another process found schema 1 too, and comes to copy when the steps are done.
        keep(&Connection::open(&path).unwrap(), 1, &copy).unwrap();
        assert_eq!(std::fs::read(&copy).unwrap(), kept);
        let beside = std::fs::read_dir(path.parent().unwrap()).unwrap();
        let names: Vec<_> = beside
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(
            names.iter().all(|name| !name.ends_with(".tmp")),
            "{names:?}"
        );
    }

    fn fixture() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("ledger.db");
        std::fs::write(&path, SCHEMA_1).unwrap();
        (temp, path)
    }

    #[test]
    fn every_step_has_what_lets_older_ledgers_be_read() {
        assert_eq!(SHIMS.len(), STEPS.len());
        let (_temp, path) = fixture();
        let older = SqliteLedger::open_read_only(&path).unwrap();
        let runs = older.runs(&RunFilter::default()).unwrap();
        for run in &runs {
            let digits = run.run.key.run_id().hex();
            assert_eq!(
                older.with_id(&digits).unwrap(),
                std::slice::from_ref(&run.run.key)
            );
            let mut found = Vec::new();
            older.runs_of(run.entry, &mut |r| found.push(r)).unwrap();
            assert!(found.contains(&run.run));
        }
        let mut scan = Scan::begin(older.beside(2).unwrap()).unwrap();
        let scanned = scan.readers[0].read().unwrap().unwrap();
        assert_eq!((scan.runs, scanned.runs.len()), (5, 5));
        assert!(
            runs.iter()
                .all(|r| scanned.runs.iter().any(|s| s.run == r.run))
        );
        drop((older, scan));
        assert_eq!(std::fs::read(&path).unwrap(), SCHEMA_1);
        // The same runs as after the steps.
        let newer = SqliteLedger::open(&path).unwrap();
        assert_eq!(newer.runs(&RunFilter::default()).unwrap(), runs);
        assert_eq!(runs.len(), 5);
    }

    /// As a program that knows these steps alone would have made them.
    fn stepped() -> Vec<Step> {
        STEPS.iter().chain(LATER).copied().collect()
    }

    fn entries(path: &Path) -> Vec<String> {
        let ledger = SqliteLedger::open_read_only(path).unwrap();
        let entries = ledger.entries(None).unwrap();
        entries.iter().map(|e| format!("{e:?}")).collect()
    }

    #[test]
    fn a_ledger_of_schema_1_is_read_and_goes_on() {
        let (_temp, path) = fixture();
        let mut ledger = SqliteLedger::open(&path).unwrap();
        assert_eq!(ledger.head().unwrap(), 6);
        let runs = ledger.runs(&RunFilter::default()).unwrap();
        assert_eq!(runs.len(), 5);
        assert!(runs.iter().all(|r| r.run.place.is_none()));
        let stamp = Stamp {
            at: "2026-01-01T00:00:00.000000Z".to_owned(),
            actor: "tester".to_owned(),
            reason: None,
        };
        let entry = ledger.append(Kind::Pin, &stamp, &json!({})).unwrap();
        assert_eq!(entry.seq, 7);
        // The steps listed every run.
        let mut listed = 0;
        for run in &runs {
            let digits = run.run.key.run_id().hex();
            let found = locator::listed(&ledger.db, &digits).unwrap();
            assert_eq!(found.len(), 1, "{}", run.run.key);
            listed += found.len();
            assert_eq!(
                ledger.with_id(&digits).unwrap(),
                std::slice::from_ref(&run.run.key)
            );
        }
        assert_eq!(listed, 5);
        for entry in ledger.entries_of(&[Kind::Runs]).unwrap() {
            let mut of_entry = 0;
            ledger.runs_of(entry.seq, &mut |_| of_entry += 1).unwrap();
            let all = runs.iter().filter(|r| r.entry == entry.seq).count();
            assert_eq!(of_entry, all);
        }
    }

    #[test]
    fn steps_lead_forward_with_a_copy_first_and_change_nothing_that_is_recorded() {
        let (_temp, path) = fixture();
        let before = entries(&path);
        let mut db = Connection::open(&path).unwrap();
        let steps = stepped();
        migrate(&mut db, &path, 1, &steps).unwrap();
        let version: i64 = db
            .pragma_query_value(None, "user_version", |r| r.get(0))
            .unwrap();
        assert_eq!(version, newest(STEPS) + 2);
        assert_eq!(version, newest(&steps));
        db.execute("INSERT INTO note VALUES (1, 'x', 'en')", [])
            .unwrap();
        drop(db);
        // The copy is the ledger as it was, and today's program refuses the newer one.
        assert_eq!(entries(&copy_of(&path, 1)), before);
        let Err(error) = SqliteLedger::open(&path) else {
            panic!("a newer schema is taken")
        };
        assert_eq!(error.code(), "ledger_newer_schema");
    }

    #[test]
    fn a_step_that_fails_leaves_the_schema_as_it_was() {
        let (temp, path) = fixture();
        let mut db = Connection::open(&path).unwrap();
        let error = migrate(&mut db, &path, 1, &[LATER[0], "CREATE TABLE run (x)"]).unwrap_err();
        assert_eq!(error.code(), "ledger_migration");
        assert!(error.to_string().contains("schema 1"), "{error}");
        drop(db);
        assert_eq!(SqliteLedger::open(&path).unwrap().head().unwrap(), 6);
        let left: Vec<_> = std::fs::read_dir(temp.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .filter(|n| n.to_string_lossy().contains("tmp"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn without_a_copy_nothing_is_changed() {
        let (_temp, path) = fixture();
        std::fs::create_dir(copy_of(&path, 1)).unwrap();
        let mut db = Connection::open(&path).unwrap();
        let error = migrate(&mut db, &path, 1, LATER).unwrap_err();
        assert!(error.to_string().contains("no copy was made"), "{error}");
        drop(db);
        let ledger = SqliteLedger::open_read_only(&path).unwrap();
        assert_eq!(ledger.head().unwrap(), 6);
    }
}
