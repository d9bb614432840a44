//! The guards, tried by the program's own connection and by one with default pragmas.

mod scan;

use rusqlite::Connection;
use serde_json::json;

use super::SqliteLedger;
use super::open::translate;
use crate::entry::{Kind, Stamp};
use crate::store::Extent;
use crate::types::{
    Batch, Config, File, Guardrail, NewFacts, NewObservation, NewRun, Recorded, RunFilter,
};
use crate::{LedgerError, Read as _, Write as _};
use provender_domain::canonical::Digest;
use provender_domain::key::{ConfigVersion, Place, RunKey};
use provender_domain::place::Herd;

fn stamp(at: &str) -> Stamp {
    Stamp {
        at: at.to_owned(),
        actor: "tester".to_owned(),
        reason: None,
    }
}

fn file(source: &str) -> File {
    File {
        file_id: 0,
        entry: 0,
        source: source.into(),
        kind: "forage".into(),
        format: "forage-csv".into(),
        path: "f.csv".into(),
        sha256: Digest::of_bytes(b"f"),
        rows: 1,
        retracted: None,
    }
}

fn new_run(reissue: u32, inputs: &str) -> NewRun {
    let config = Digest::of_json(&json!({"c": 1})).unwrap();
    NewRun {
        key: RunKey {
            boundary_id: "north".into(),
            herd_config_id: "h".into(),
            calculation_date: "2025-06-30".parse().unwrap(),
            model_version: "days_remaining:v1".into(),
            config_version: ConfigVersion { config, reissue },
        },
        provenance: Digest::of_json(&json!(inputs)).unwrap(),
        snapshot: Digest::of_json(&json!([inputs])).unwrap(),
        manifest: Digest::of_bytes(inputs.as_bytes()),
        place: None,
        guardrail: Guardrail::Ok,
        replaces: (reissue > 0).then(|| ConfigVersion {
            config,
            reissue: reissue - 1,
        }),
        outputs: "[1]".into(),
    }
}

fn batch(runs: Vec<NewRun>) -> Batch {
    let canonical = r#"{"c":1}"#.to_owned();
    let configs = vec![Config {
        digest: Digest::of_canonical(canonical.as_bytes()),
        canonical,
    }];
    Batch {
        stamp: stamp("2025-07-01T00:00:00Z"),
        reissue: runs[0].key.config_version.reissue > 0,
        runs,
        configs,
        about: json!({}),
    }
}

fn filled() -> (tempfile::TempDir, SqliteLedger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).unwrap();
    let facts = NewFacts {
        herds: vec![(
            1,
            Herd {
                herd_config_id: "h".into(),
                boundary_id: "north".into(),
                name: None,
                effective_date: "2025-01-01".parse().unwrap(),
                end_date: None,
                animal_count: Some(1.0),
                daily_intake_kg_per_head: None,
                average_weight_kg: None,
                utilization_target_pct: None,
                animal_type: None,
                class: None,
            },
        )],
        streams: vec![("north".into(), "forage_kg_per_ha".into())],
        observations: vec![NewObservation {
            stream: 0,
            date: Some("2025-06-01".parse().unwrap()),
            value: Some(7.0),
            row: 2,
        }],
        ..NewFacts::default()
    };
    ledger
        .record_file(
            &stamp("2025-07-01T00:00:00Z"),
            &file("csv"),
            &facts,
            &json!({}),
            0,
        )
        .unwrap();
    let late = ledger.record_file(
        &stamp("2025-07-01T00:00:00Z"),
        &file("csv"),
        &facts,
        &json!({}),
        0,
    );
    assert_eq!(late.unwrap_err().code(), "ledger_moved");
    let mut packed = new_run(0, "a");
    packed.place = Some(Place {
        pack: Digest::of_bytes(b"pack"),
        row: 3,
    });
    ledger.record_runs(&batch(vec![packed])).unwrap();
    ledger
        .record_report(
            &stamp("2025-07-02T00:00:00Z"),
            "monitor",
            Digest::of_bytes(b"r"),
            "{}",
        )
        .unwrap();
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
fn the_program_itself_may_not_drop_a_guard() {
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
fn the_second_of_two_writers_learns_what_the_first_recorded() {
    let (dir, ledger) = filled();
    let other = SqliteLedger::open(&dir.path().join("ledger.db")).unwrap();
    let Recorded::Already(run) = &other.record_runs(&batch(vec![new_run(0, "b")])).unwrap()[0]
    else {
        panic!()
    };
    let found = NewRun {
        place: None,
        ..run.run.clone()
    };
    assert_eq!(found, new_run(0, "a"));
    assert_eq!(
        ledger.entries(Some(Kind::Runs)).unwrap().len(),
        1,
        "no entry for a batch of nothing"
    );
    assert!(matches!(
        ledger.record_runs(&batch(vec![new_run(1, "b")])).unwrap()[0],
        Recorded::New
    ));
}

#[test]
fn a_reissue_supersedes_and_the_base_key_leads_to_the_newest() {
    let (_dir, ledger) = filled();
    ledger.record_runs(&batch(vec![new_run(1, "b")])).unwrap();
    ledger.record_runs(&batch(vec![new_run(2, "c")])).unwrap();
    let newest = ledger.newest_of(&new_run(0, "a").key).unwrap().unwrap();
    assert_eq!(newest.run, new_run(2, "c"));
    let all = ledger.runs(&RunFilter::default()).unwrap();
    let superseded: Vec<_> = all
        .iter()
        .map(|r| r.superseded_by.as_ref().map(|v| v.reissue))
        .collect();
    assert_eq!(superseded, [Some(1), Some(2), None]);
}

#[test]
fn the_chain_of_entries_holds_and_the_past_can_be_asked() {
    let (_dir, ledger) = filled();
    let files = ledger.files().unwrap();
    ledger
        .retract(&stamp("2025-07-03T00:00:00Z"), &files)
        .unwrap();
    let mut prev = [0; 32];
    for entry in ledger.entries(None).unwrap() {
        assert_eq!(entry.prev, prev);
        assert_eq!(entry.computed_hash().unwrap(), entry.hash);
        prev = entry.hash;
    }
    let (now, then) = (
        ledger.head().unwrap(),
        ledger.known_at("2025-07-02T12:00:00Z").unwrap(),
    );
    assert!(
        ledger
            .observations("north", "forage_kg_per_ha", now)
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        ledger
            .observations("north", "forage_kg_per_ha", then)
            .unwrap()
            .len(),
        1
    );
    assert!(ledger.herds(None, now).unwrap().is_empty());
    assert_eq!(ledger.herds(None, then).unwrap().len(), 1);
}

#[test]
fn a_report_is_recorded_once() {
    let (_dir, ledger) = filled();
    let again = ledger
        .record_report(
            &stamp("2025-07-05T00:00:00Z"),
            "monitor",
            Digest::of_bytes(b"r"),
            "{}",
        )
        .unwrap();
    assert_eq!(again, None);
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
            known: 3,
            ..
        })
    ));
    std::fs::write(
        dir.path().join("y.db"),
        "not a database at all, but long enough to look",
    )
    .unwrap();
    let Err(error) = SqliteLedger::open(&dir.path().join("y.db")) else {
        panic!()
    };
    assert!(error.to_string().contains("y.db"), "{error}");
}

mod model {
    //! The guard against a model: whatever is tried in whatever order, the first provenance under a
    //! key stays, and every later try learns of it.

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
                        prop_assert_eq!(ledger.head().unwrap(), before + 1);
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
fn the_extent_of_recorded_runs_counts_them_by_place() {
    let (_dir, ledger) = filled();
    ledger.record_runs(&batch(vec![new_run(1, "b")])).unwrap();
    let name = |logic: &str| RunFilter {
        logic: Some(logic.into()),
        ..RunFilter::default()
    };
    let extent = ledger.extent(&name("days_remaining")).unwrap();
    let day = "2025-06-30".parse().unwrap();
    let north = Extent {
        boundary_id: "north".into(),
        herd_config_id: "h".into(),
        runs: 2,
        first: day,
        last: day,
    };
    assert_eq!(extent, [north]);
    assert!(ledger.extent(&name("frost_days")).unwrap().is_empty());
    let later = RunFilter {
        from: day.plus(1),
        ..name("days_remaining")
    };
    assert!(ledger.extent(&later).unwrap().is_empty());
    let herd = |herd: &str| RunFilter {
        boundary_id: Some("north".into()),
        herd_config_id: Some(herd.into()),
        ..RunFilter::default()
    };
    assert_eq!(ledger.runs(&herd("h")).unwrap().len(), 2);
    assert!(ledger.runs(&herd("other")).unwrap().is_empty());
}

#[test]
fn the_words_of_a_guard_in_somebodys_data_are_no_guard() {
    let said = |code: i32, text: &str| {
        let error = rusqlite::ffi::Error::new(code);
        translate(rusqlite::Error::SqliteFailure(error, Some(text.to_owned())))
    };
    let drift = "DRIFT: a run with this key is recorded with other provenance";
    let trigger = rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER;
    assert_eq!(said(trigger, drift).code(), "drift");
    assert_eq!(said(trigger, "IMMUTABLE: entry").code(), "immutable");
    for text in [drift, "no such column: IMMUTABLE: entry"] {
        let error = said(rusqlite::ffi::SQLITE_ERROR, text);
        assert_eq!(error.code(), "ledger_database", "{error}");
    }
}
