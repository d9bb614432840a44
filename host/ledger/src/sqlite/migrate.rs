//! Migrates an older schema to the newest: forward only, all steps in one transaction, after making a copy.
//!
//! A step never changes recorded data. It adds tables, columns, indexes and triggers, and fills in what follows
//! from the runs. The copy lies beside the ledger, named after its schema; it appears under that name only when
//! complete. There is no downgrade: to go back, open the copy with the program that wrote it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::{Address, LedgerError};
use provender_domain::failpoint;

use super::locator;
use super::open::translate;

/// SQL that migrates a schema to the next one.
pub(super) type MigrationStep = &'static str;

/// Step N migrates schema N + 1 to N + 2. A released step never changes.
pub(super) const STEPS: &[MigrationStep] = &[
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
];

/// Make a ledger of schema N + 1 readable without migrating it: temporary views and tables of the connection that
/// shadow those in the file. One per step.
pub(super) const SHIMS: &[&str] = &[
    "CREATE TEMP VIEW run AS
   SELECT series_id, date, entry, provenance, snapshot, manifest, guardrail, replaces, outputs,
     NULL AS pack, NULL AS place
   FROM main.run;
 CREATE TEMP TABLE pack (pack_id INTEGER PRIMARY KEY, digest BLOB, entry INTEGER);",
    "CREATE TEMP TABLE locator (digit INTEGER, entry INTEGER, part INTEGER, runs BLOB);",
    "CREATE TEMP TABLE identity (one INTEGER, id BLOB, copy BLOB);",
];

/// The newest schema that these steps reach.
pub(super) fn newest(steps: &[MigrationStep]) -> i64 {
    numbered(steps).last().map_or(1, |(schema, _)| schema)
}

/// Each step with the schema that it reaches; the first step starts from schema 1.
pub(super) fn numbered<T>(steps: &[T]) -> impl Iterator<Item = (i64, &T)> {
    (2..).zip(steps)
}

/// Path of the copy of a ledger with an older schema.
pub(super) fn copy_of(path: &Path, schema: i64) -> PathBuf {
    with(path, &format!(".schema-{schema}"))
}

/// Whether a file beside the ledger is an unfinished copy.
pub(super) fn is_unfinished(path: &Path, name: &str) -> bool {
    path.file_name()
        .and_then(|ledger| name.strip_prefix(&*ledger.to_string_lossy()))
        .is_some_and(|rest| rest.starts_with(".schema-") && rest.ends_with(".tmp"))
}

/// The path with a suffix.
fn with(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    PathBuf::from(name)
}

/// Why a migration failed.
enum MigrationFailure {
    /// The disk is full or failing, which is not caused by the schema.
    Disk(String),
    Ledger(LedgerError),
    Other(String),
}

impl From<rusqlite::Error> for MigrationFailure {
    fn from(e: rusqlite::Error) -> MigrationFailure {
        match e.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
                MigrationFailure::Disk(e.to_string())
            }
            _ => match translate(e) {
                e @ (LedgerError::Busy | LedgerError::Damaged(_)) => MigrationFailure::Ledger(e),
                LedgerError::Database(cause) => MigrationFailure::Other(cause),
                e => MigrationFailure::Other(e.to_string()),
            },
        }
    }
}

impl From<io::Error> for MigrationFailure {
    fn from(e: io::Error) -> MigrationFailure {
        /// Failing disks have no `ErrorKind` of their own.
        const EIO: i32 = 5;
        let full = [
            ErrorKind::StorageFull,
            ErrorKind::QuotaExceeded,
            ErrorKind::FileTooLarge,
        ];
        if full.contains(&e.kind()) || cfg!(unix) && e.raw_os_error() == Some(EIO) {
            MigrationFailure::Disk(e.to_string())
        } else {
            MigrationFailure::Other(e.to_string())
        }
    }
}

/// Migrates the ledger at `path` to the newest schema.
///
/// The ledger's write lock is held from before the copy on. So each copy has exactly the state that the steps
/// start from, and any partial copy is left over from a killed process.
pub(super) fn migrate(
    db: &mut Connection,
    path: &Path,
    found: i64,
    steps: &[MigrationStep],
) -> Result<(), LedgerError> {
    let url = Address::from_path(path).to_string();
    let newest = newest(steps);
    let tx = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(translate)?;
    match copy_and_step(&tx, path, steps) {
        Ok(now) if now > newest => {
            return Err(LedgerError::NewerSchema {
                url,
                found: now,
                known: newest,
            });
        }
        Ok(_) => {}
        Err(MigrationFailure::Disk(cause)) => {
            return Err(LedgerError::Io(format!("{url}: {cause}")));
        }
        Err(MigrationFailure::Ledger(e)) => return Err(e),
        Err(MigrationFailure::Other(cause)) => {
            return Err(LedgerError::Migration {
                url,
                found,
                newest,
                cause,
            });
        }
    }
    failpoint::hit("ledger.before-commit");
    tx.commit().map_err(translate)?;
    failpoint::hit("ledger.after-commit");
    Ok(())
}

/// Makes the copy, applies the steps, and returns the resulting schema.
fn copy_and_step(
    tx: &Transaction<'_>,
    path: &Path,
    steps: &[MigrationStep],
) -> Result<i64, MigrationFailure> {
    let now: i64 = tx.pragma_query_value(None, "user_version", |r| r.get(0))?;
    let newest = newest(steps);
    // Another process has migrated the ledger in the meantime and made the copy.
    if now >= newest {
        return Ok(now);
    }
    write_copy(path, &copy_of(path, now)).map_err(|cause| match cause {
        MigrationFailure::Other(cause) => {
            MigrationFailure::Other(format!("the copy could not be made: {cause}"))
        }
        other => other,
    })?;
    for (_, step) in numbered(steps).filter(|(schema, _)| *schema > now) {
        tx.execute_batch(step)?;
    }
    // Derived data that SQL cannot compute.
    locator::fill(tx).map_err(MigrationFailure::Ledger)?;
    tx.pragma_update(None, "user_version", newest)?;
    Ok(newest)
}

/// Makes a complete copy durably under its name. The caller must hold the ledger's write lock.
fn write_copy(path: &Path, to: &Path) -> Result<(), MigrationFailure> {
    let partial = with(to, ".tmp");
    remove_partial(&partial)?;
    let made = back_up(path, &partial).and_then(|()| {
        std::fs::File::open(&partial)?.sync_all()?;
        failpoint::hit("copy.before-name");
        std::fs::rename(&partial, to)?;
        failpoint::hit("copy.after-name");
        #[cfg(unix)]
        if let Some(folder) = to.parent() {
            let folder = match folder.as_os_str().is_empty() {
                true => Path::new("."),
                false => folder,
            };
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    });
    if made.is_err() {
        let _ = remove_partial(&partial);
    }
    made
}

/// Pages of the first backup step: few, so that a test can stop in the middle of any ledger.
const FIRST_PAGES: i32 = 8;
/// Pages of every later backup step.
const BACKUP_PAGES: i32 = 1_024;

/// Copies through a separate connection, because one that holds the write lock cannot be copied from.
fn back_up(path: &Path, partial: &Path) -> Result<(), MigrationFailure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(path, flags)?;
    let mut copy = Connection::open(partial)?;
    {
        let backup = Backup::new(&from, &mut copy)?;
        let mut pages = FIRST_PAGES;
        loop {
            match backup.step(pages)? {
                StepResult::Done => break,
                StepResult::More => failpoint::hit("copy.half"),
                _ => return Err(MigrationFailure::Ledger(LedgerError::Busy)),
            }
            pages = BACKUP_PAGES;
        }
    }
    // Without WAL, the copy is a single file that can be opened from a read-only folder.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, e)| e)?;
    Ok(())
}

/// Removes a partial copy with SQLite's files beside it. A remaining journal would be rolled back into the next
/// copy.
pub(super) fn remove_partial(partial: &Path) -> io::Result<()> {
    for beside in ["-journal", "-wal", "-shm", ""] {
        match std::fs::remove_file(with(partial, beside)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::{NoPayload, Payload};
    use crate::entry::{Kind, Stamp};
    use crate::scan::Scan;
    use crate::sqlite::SqliteLedger;
    use crate::types::RunFilter;
    use crate::{Read as _, Write as _};

    /// A ledger written when schema 1 was the newest.
    const SCHEMA_1: &[u8] = include_bytes!("../../../../tests/fixtures/ledger-schema-1.db");
    const LATER: &[MigrationStep] = &[
        "CREATE TABLE note (entry INTEGER NOT NULL REFERENCES entry (seq), text TEXT NOT NULL) STRICT",
        "ALTER TABLE note ADD COLUMN language TEXT",
    ];

    #[test]
    fn a_copy_is_not_replaced_by_one_of_a_newer_schema() {
        let (_temp, path) = fixture();
        drop(SqliteLedger::open(&path).unwrap());
        let copy = copy_of(&path, 1);
        let kept = std::fs::read(&copy).unwrap();
        // Another process found schema 1 too, and gets the lock after the steps are done.
        let mut late = Connection::open(&path).unwrap();
        migrate(&mut late, &path, 1, STEPS).unwrap();
        assert_eq!(std::fs::read(&copy).unwrap(), kept);
        // A newer program may also have migrated it further.
        late.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut late, &path, 1, STEPS).unwrap_err();
        assert_eq!(error.code(), "ledger_newer_schema");
        assert_eq!(std::fs::read(&copy).unwrap(), kept);
        assert_eq!(temporary(&path), Vec::<String>::new());
    }

    #[test]
    fn a_partial_copy_of_a_killed_process_is_removed() {
        let (_temp, path) = fixture();
        let copy = copy_of(&path, 1);
        // A journal would restore the pages as they were before a write.
        for left in [".tmp", ".tmp-journal", ".tmp-wal", ".tmp-shm"] {
            std::fs::write(with(&copy, left), "half of it").unwrap();
        }
        let before = entries(&path);
        drop(SqliteLedger::open(&path).unwrap());
        assert_eq!(temporary(&path), Vec::<String>::new());
        assert_eq!(entries(&copy), before);
    }

    /// Temporary files beside the ledger.
    fn temporary(path: &Path) -> Vec<String> {
        let beside = std::fs::read_dir(path.parent().unwrap()).unwrap();
        beside
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("tmp"))
            .collect()
    }

    fn fixture() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("ledger.db");
        std::fs::write(&path, SCHEMA_1).unwrap();
        (temp, path)
    }

    #[test]
    fn every_step_has_a_shim_for_reading_older_ledgers() {
        assert_eq!(SHIMS.len(), STEPS.len());
        let (_temp, path) = fixture();
        let older = SqliteLedger::open_read_only(&path).unwrap();
        let runs = older.runs(&RunFilter::default()).unwrap();
        for run in &runs {
            let digits = run.run.key.run_id().hex();
            assert_eq!(
                older.keys_with_id(&digits).unwrap(),
                std::slice::from_ref(&run.run.key)
            );
            let mut found = Vec::new();
            older
                .runs_of_entry(run.entry, &mut |r| found.push(r))
                .unwrap();
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
        // The runs must be the same as after the steps.
        let newer = SqliteLedger::open(&path).unwrap();
        assert_eq!(newer.runs(&RunFilter::default()).unwrap(), runs);
        assert_eq!(runs.len(), 5);
    }

    /// The steps of a hypothetical newer program.
    fn all_steps() -> Vec<MigrationStep> {
        STEPS.iter().chain(LATER).copied().collect()
    }

    fn entries(path: &Path) -> Vec<String> {
        let ledger = SqliteLedger::open_read_only(path).unwrap();
        let entries = ledger.entries(None).unwrap();
        entries.iter().map(|e| format!("{e:?}")).collect()
    }

    #[test]
    fn a_ledger_of_schema_1_is_read_and_migrated() {
        let (_temp, path) = fixture();
        let ledger = SqliteLedger::open(&path).unwrap();
        assert_eq!(ledger.head().unwrap(), 6);
        let runs = ledger.runs(&RunFilter::default()).unwrap();
        assert_eq!(runs.len(), 5);
        assert!(runs.iter().all(|r| r.run.place.is_none()));
        let stamp = Stamp {
            at: "2026-01-01T00:00:00.000000Z".to_owned(),
            actor: "tester".to_owned(),
            reason: None,
        };
        let entry = ledger.append(&stamp, &Payload::Hold(NoPayload {})).unwrap();
        assert_eq!(entry.seq.get(), 7);
        // The steps must have listed every run.
        let mut listed = 0;
        for run in &runs {
            let digits = run.run.key.run_id().hex();
            let found = locator::listed(&ledger.db, &digits).unwrap();
            assert_eq!(found.len(), 1, "{}", run.run.key);
            listed += found.len();
            assert_eq!(
                ledger.keys_with_id(&digits).unwrap(),
                std::slice::from_ref(&run.run.key)
            );
        }
        assert_eq!(listed, 5);
        for entry in ledger.entries_of_kinds(&[Kind::Runs]).unwrap() {
            let mut of_entry = 0;
            ledger
                .runs_of_entry(entry.seq, &mut |_| of_entry += 1)
                .unwrap();
            let all = runs.iter().filter(|r| r.entry == entry.seq).count();
            assert_eq!(of_entry, all);
        }
    }

    #[test]
    fn steps_make_a_copy_first_and_change_no_recorded_data() {
        let (_temp, path) = fixture();
        let before = entries(&path);
        let mut db = Connection::open(&path).unwrap();
        let steps = all_steps();
        migrate(&mut db, &path, 1, &steps).unwrap();
        let version: i64 = db
            .pragma_query_value(None, "user_version", |r| r.get(0))
            .unwrap();
        assert_eq!(version, newest(STEPS) + 2);
        assert_eq!(version, newest(&steps));
        db.execute("INSERT INTO note VALUES (1, 'x', 'en')", [])
            .unwrap();
        drop(db);
        // The copy is the unmigrated ledger, and today's program refuses the newer one.
        assert_eq!(entries(&copy_of(&path, 1)), before);
        let Err(error) = SqliteLedger::open(&path) else {
            panic!("a newer schema was accepted")
        };
        assert_eq!(error.code(), "ledger_newer_schema");
    }

    #[test]
    fn a_failing_step_leaves_the_schema_unchanged() {
        let (_temp, path) = fixture();
        let mut db = Connection::open(&path).unwrap();
        let error = migrate(&mut db, &path, 1, &[LATER[0], "CREATE TABLE run (x)"]).unwrap_err();
        assert_eq!(error.code(), "ledger_migration");
        assert!(error.to_string().contains("schema 1"), "{error}");
        drop(db);
        assert_eq!(SqliteLedger::open(&path).unwrap().head().unwrap(), 6);
        assert_eq!(temporary(&path), Vec::<String>::new());
    }

    #[test]
    fn without_a_copy_nothing_is_changed() {
        let (_temp, path) = fixture();
        std::fs::create_dir(copy_of(&path, 1)).unwrap();
        let mut db = Connection::open(&path).unwrap();
        let error = migrate(&mut db, &path, 1, LATER).unwrap_err();
        assert!(
            error.to_string().contains("the copy could not be made"),
            "{error}"
        );
        drop(db);
        let ledger = SqliteLedger::open_read_only(&path).unwrap();
        assert_eq!(ledger.head().unwrap(), 6);
    }
}
