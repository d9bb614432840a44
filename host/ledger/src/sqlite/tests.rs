//! Tests the guards, with the program's own connection and with one with default pragmas.

mod scan;

use rusqlite::Connection;

use super::SqliteLedger;
use super::open::translate;
use crate::conformance::{self, TestStore, batch, fill, new_run};
use crate::types::{NewRun, Recorded, RunFilter};
use crate::{Address, LedgerError, Read as _, Write as _};

/// A ledger in its own folder.
struct OneFile(tempfile::TempDir);

impl OneFile {
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("ledger.db")
    }

    fn shell(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

impl TestStore for OneFile {
    fn address(&self) -> Address {
        Address::from_path(&self.path())
    }

    fn again(&self) -> Vec<String> {
        let columns = ["zeroblob(32), snapshot", "provenance, zeroblob(32)"];
        let rows = columns.map(|c| {
            format!("SELECT series_id, date, entry, {c}, manifest, guardrail, replaces, outputs, pack, place FROM run")
        });
        let ways = |rows: String| {
            [
                format!("INSERT INTO run {rows}"),
                format!("INSERT OR REPLACE INTO run {rows}"),
                format!("INSERT OR IGNORE INTO run {rows}"),
                format!("INSERT INTO run {rows} WHERE true ON CONFLICT DO NOTHING"),
            ]
        };
        rows.into_iter().flat_map(ways).collect()
    }

    fn changing(&self, table: &str) -> Vec<String> {
        let sql = "SELECT name FROM pragma_table_info(?) LIMIT 1";
        let column: String = self.shell().query_row(sql, [table], |r| r.get(0)).unwrap();
        vec![
            format!("UPDATE {table} SET {column} = {column}"),
            format!("UPDATE OR REPLACE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"),
            format!("REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"),
        ]
    }

    fn outside(&self, statement: &str) -> Result<(), String> {
        let done = self.shell().execute(statement, []);
        done.map(|_| ()).map_err(|e| e.to_string())
    }

    fn interrupted(&self) {
        let insert = "BEGIN IMMEDIATE;
            INSERT INTO entry SELECT seq + 1, at, kind, actor, reason, payload, hash, zeroblob(32) FROM entry ORDER BY seq DESC LIMIT 1;";
        self.shell().execute_batch(insert).unwrap();
    }

    fn corrupt_outputs(&self) {
        let shell = self.shell();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
        let triggers: Vec<String> = shell
            .prepare(sql)
            .unwrap()
            .query_map([], |r| r.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for trigger in triggers {
            shell
                .execute_batch(&format!("DROP TRIGGER {trigger}"))
                .unwrap();
        }
        let text = "UPDATE run SET outputs = CAST(x'5bff5d' AS TEXT)";
        shell.execute_batch(text).unwrap();
    }
}

#[test]
fn it_passes_the_tests_for_every_store() {
    conformance::conforms(&|| Box::new(OneFile(tempfile::tempdir().unwrap())));
}

fn filled() -> (tempfile::TempDir, SqliteLedger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).unwrap();
    fill(&ledger);
    (dir, ledger)
}

#[test]
fn every_statement_that_would_change_history_is_refused_in_a_shell_with_default_pragmas() {
    let (dir, ledger) = filled();
    drop(ledger);
    let shell = Connection::open(dir.path().join("ledger.db")).unwrap();
    let tables = [
        "entry",
        "file",
        "boundary",
        "herd",
        "stream",
        "observation",
        "config",
        "series",
        "run",
        "pack",
        "locator",
        "report",
    ];
    let mut tried = 0;
    for table in tables {
        let count: i64 = shell
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))
            .unwrap();
        if count == 0 {
            continue;
        }
        let column: String = shell
            .query_row(
                "SELECT name FROM pragma_table_info(?) LIMIT 1",
                [table],
                |r| r.get(0),
            )
            .unwrap();
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("UPDATE OR REPLACE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"),
            format!("REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"),
        ] {
            let message = shell.execute(&sql, []).unwrap_err().to_string();
            assert!(message.contains("IMMUTABLE"), "{sql}: {message}");
            tried += 1;
        }
    }
    assert_eq!(tried, 55, "eleven tables hold rows");
    for sql in [
        "INSERT OR REPLACE INTO run SELECT series_id, date, entry, zeroblob(32), snapshot, manifest, guardrail, replaces, outputs, pack, place FROM run",
        "INSERT OR IGNORE INTO run SELECT series_id, date, entry, zeroblob(32), snapshot, manifest, guardrail, replaces, outputs, pack, place FROM run",
        "INSERT INTO run SELECT series_id, date, entry, zeroblob(32), snapshot, manifest, guardrail, replaces, outputs, pack, place FROM run WHERE true ON CONFLICT DO NOTHING",
    ] {
        assert!(
            shell
                .execute(sql, [])
                .unwrap_err()
                .to_string()
                .contains("DRIFT"),
            "{sql}"
        );
    }
    // Through a unique constraint other than the primary key.
    for sql in [
        "INSERT OR REPLACE INTO config (config_id, digest, canonical) SELECT 77, digest, 'x' FROM config",
        "INSERT OR REPLACE INTO pack SELECT 77, digest, entry FROM pack",
        "INSERT OR REPLACE INTO series SELECT 77, boundary_id, herd_config_id, model_version, config_id, reissue FROM series",
        "INSERT OR REPLACE INTO stream SELECT 77, boundary_id, column_name, source FROM stream",
        "INSERT INTO entry SELECT 99, at, kind, actor, reason, payload, prev, zeroblob(32) FROM entry LIMIT 1",
    ] {
        assert!(
            shell
                .execute(sql, [])
                .unwrap_err()
                .to_string()
                .contains("IMMUTABLE"),
            "{sql}"
        );
    }
}

#[test]
fn the_program_itself_cannot_drop_a_guard() {
    let (_dir, ledger) = filled();
    for sql in [
        "DROP TRIGGER run_guard",
        "DROP TABLE run",
        "ALTER TABLE run ADD COLUMN x",
        "DELETE FROM run",
    ] {
        let message = ledger.db.execute(sql, []).unwrap_err().to_string();
        assert!(
            message.contains("not authorized") || message.contains("prohibited"),
            "{sql}: {message}"
        );
    }
}

#[test]
fn another_database_or_a_newer_ledger_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert!(matches!(
        SqliteLedger::open(&path),
        Err(LedgerError::NotALedger { .. })
    ));
    let (dir, ledger) = filled();
    drop(ledger);
    let path = dir.path().join("ledger.db");
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(
        SqliteLedger::open(&path),
        Err(LedgerError::NewerSchema {
            found: 99,
            known: 4,
            ..
        })
    ));
    std::fs::write(
        dir.path().join("y.db"),
        "not a database, but long enough to be examined",
    )
    .unwrap();
    let Err(error) = SqliteLedger::open(&dir.path().join("y.db")) else {
        panic!()
    };
    assert!(error.to_string().contains("y.db"), "{error}");
}

mod model {
    //! Compares the guard with a model: in any sequence of attempts, the first provenance under a key stays, and
    //! every later attempt returns it.

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(provender_guests::how_many(64)))]
        #[test]
        fn the_first_record_under_a_key_stays(tries in prop::collection::vec((0_u32..4, 0_u8..3, 0_i32..3), 1..40)) {
            let dir = tempfile::tempdir().unwrap();
            let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).unwrap();
            let mut model: BTreeMap<(u32, i32), NewRun> = BTreeMap::new();
            for (reissue, inputs, day) in tries {
                let mut run = new_run(reissue, &format!("inputs {inputs}"));
                run.replaces = None;
                run.key.calculation_date = run.key.calculation_date.plus(day).unwrap();
                let before = ledger.head().unwrap();
                let outcome = ledger.record_runs(&batch(vec![run.clone()])).unwrap().remove(0);
                match model.get(&(reissue, day)) {
                    None => {
                        prop_assert_eq!(outcome, Recorded::New);
                        prop_assert_eq!(ledger.head().unwrap(), before.next());
                        model.insert((reissue, day), run);
                    }
                    Some(first) => {
                        let Recorded::Already(known) = outcome else { return Err(TestCaseError::fail("recorded twice")) };
                        prop_assert_eq!(&known.run, first);
                        prop_assert_eq!(ledger.head().unwrap(), before, "nothing is written");
                    }
                }
            }
            let recorded: Vec<NewRun> = ledger.runs(&RunFilter::default()).unwrap().into_iter().map(|r| r.run).collect();
            prop_assert_eq!(recorded.len(), model.len());
            prop_assert!(recorded.iter().all(|r| model.values().any(|m| m == r)));
        }
    }
}

#[test]
fn data_that_contains_a_guards_message_is_not_mistaken_for_it() {
    let translated = |code: i32, text: &str| {
        let error = rusqlite::ffi::Error::new(code);
        translate(rusqlite::Error::SqliteFailure(error, Some(text.to_owned())))
    };
    let drift = "DRIFT: a run with this key is recorded with other provenance";
    let trigger = rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER;
    assert_eq!(translated(trigger, drift).code(), "drift");
    assert_eq!(translated(trigger, "IMMUTABLE: entry").code(), "immutable");
    for text in [drift, "no such column: IMMUTABLE: entry"] {
        let error = translated(rusqlite::ffi::SQLITE_ERROR, text);
        assert_eq!(error.code(), "ledger_database", "{error}");
    }
}
