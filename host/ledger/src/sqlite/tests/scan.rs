//! A scan returns every run once, whoever reads it, and reports unreadable rows.

use provender_domain::ids::BoundaryId;
use rusqlite::Connection;

use super::{batch, filled, new_run};
use crate::scan::Scan;
use crate::sqlite::SqliteLedger;
use crate::types::{NewRun, RunFilter};
use crate::{Read as _, Write as _};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::key::Place;

#[test]
fn runs_are_scanned_pack_by_pack_whatever_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).unwrap();
    let packs = [1, 0].map(|n| Digest::of_bytes(&[n]));
    for (day, pack) in packs.iter().enumerate() {
        let runs = ["a", "b", "c"].into_iter().zip(0..).map(|(id, row)| {
            let mut run = new_run(0, id);
            run.key.boundary_id = BoundaryId::unchecked(id);
            run.key.calculation_date = Day::from_days(i32::try_from(day).unwrap()).unwrap();
            // Rows in the pack have another order than their keys.
            run.place = Some(Place {
                pack: *pack,
                row: 2 - row,
            });
            run
        });
        ledger.record_runs(&batch(runs.collect())).unwrap();
    }
    let mut alone = new_run(0, "z");
    alone.key.boundary_id = BoundaryId::unchecked("z");
    ledger.record_runs(&batch(vec![alone])).unwrap();
    let place = |pack: usize, row| {
        let pack = packs[pack];
        Some(Place { pack, row })
    };
    let packed = (0..2).flat_map(|p| (0..3).map(move |r| (p, r)));
    let expected: Vec<_> = std::iter::once(None)
        .chain(packed.map(|(p, r)| place(p, r)))
        .collect();
    for readers in 1..6 {
        let scan = Scan::begin(ledger.beside(readers).unwrap()).unwrap();
        assert_eq!((scan.runs, scan.unreadable.len()), (7, 0));
        let mut readers = scan.readers;
        let mut found = Vec::new();
        // Readers alternate, like threads; each run is returned to one reader only.
        let mut at_once = Vec::new();
        let turns = readers.len();
        for turn in (0..turns).cycle() {
            let Some(read) = readers[turn].read().unwrap() else {
                break;
            };
            assert!(read.unreadable.is_empty());
            at_once.push(read.runs.len());
            found.extend(read.runs.iter().map(|stored| stored.run.place));
        }
        assert!(readers.iter_mut().all(|r| r.read().unwrap().is_none()));
        assert_eq!(at_once, [1, 3, 3]);
        assert_eq!(found, expected);
    }
}

#[test]
fn packs_of_one_entry_are_read_at_once_each_by_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).unwrap();
    let packs = [1, 0].map(|n| Digest::of_bytes(&[n]));
    let runs = (0..6).map(|n| {
        let mut run = new_run(0, &n.to_string());
        run.key.calculation_date = Day::from_days(n).unwrap();
        let (pack, row) = (
            packs[usize::try_from(n % 2).unwrap()],
            n.cast_unsigned() / 2,
        );
        run.place = Some(Place { pack, row });
        run
    });
    ledger.record_runs(&batch(runs.collect())).unwrap();
    let mut scan = Scan::begin(ledger.beside(2).unwrap()).unwrap();
    let read = scan.readers[1].read().unwrap().unwrap();
    let found: Vec<_> = read.runs.iter().map(|stored| stored.run.place).collect();
    let mut expected: Vec<_> = packs
        .iter()
        .flat_map(|pack| (0..3).map(|row| Some(Place { pack: *pack, row })))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
    assert!(scan.readers[0].read().unwrap().is_none());
}

#[test]
fn a_scan_returns_every_run_as_a_query_does() {
    let (_dir, ledger) = filled();
    ledger.record_runs(&batch(vec![new_run(1, "b")])).unwrap();
    let asked: Vec<NewRun> = ledger
        .runs(&RunFilter::default())
        .unwrap()
        .into_iter()
        .map(|r| r.run)
        .collect();
    assert!(asked.iter().any(|r| r.replaces.is_some()));
    let mut scan = Scan::begin(ledger.beside(1).unwrap()).unwrap();
    let mut read = Vec::new();
    while let Some(runs) = scan.readers[0].read().unwrap() {
        read.extend(runs.runs.into_iter().map(|stored| stored.run));
    }
    for run in &asked {
        assert!(read.contains(run), "{run:?}");
    }
    assert_eq!(read.len(), asked.len());
}

#[test]
fn a_scan_names_rows_that_refer_to_nothing() {
    let (dir, ledger) = filled();
    drop(ledger);
    let path = dir.path().join("ledger.db");
    let db = Connection::open(&path).unwrap();
    let mut triggers = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap();
    let triggers = triggers.query_map([], |r| r.get(0)).unwrap();
    let triggers: Vec<String> = triggers.collect::<Result<_, _>>().unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .unwrap();
    for trigger in triggers {
        db.execute_batch(&format!("DROP TRIGGER \"{trigger}\""))
            .unwrap();
    }
    let runs: i64 = db
        .query_row("SELECT count(*) FROM run", [], |r| r.get(0))
        .unwrap();
    let runs = usize::try_from(runs).unwrap();
    let problems = || {
        let ledger = SqliteLedger::open_read_only(&path).unwrap();
        let mut scan = Scan::begin(ledger.beside(1).unwrap()).unwrap();
        let (mut read, mut problems) = (0, scan.unreadable);
        while let Some(runs) = scan.readers[0].read().unwrap() {
            read += runs.runs.len();
            problems.extend(runs.unreadable);
        }
        assert_eq!(read + problems.len(), runs);
        problems.into_iter().map(|e| e.problem).collect::<Vec<_>>()
    };
    assert_eq!(problems(), Vec::<String>::new());
    db.execute_batch("UPDATE run SET replaces = 4711").unwrap();
    assert_eq!(
        problems()[0],
        "the run that it replaces: its series 4711 is missing"
    );
    db.execute_batch("UPDATE run SET replaces = NULL, pack = 4711, place = 0")
        .unwrap();
    assert_eq!(problems()[0], "the pack that it names is missing");
    db.execute_batch("UPDATE run SET pack = NULL, place = 0")
        .unwrap();
    assert_eq!(
        problems()[0],
        "it names a pack without a row, or a row without a pack"
    );
    db.execute_batch("UPDATE run SET place = NULL; DELETE FROM config")
        .unwrap();
    assert_eq!(problems()[0], "its configuration is missing");
    db.execute_batch("DELETE FROM series").unwrap();
    assert!(problems()[0].starts_with("its series "), "{:?}", problems());
}
