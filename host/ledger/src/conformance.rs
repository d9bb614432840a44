//! What every store must do, tried through the traits alone: a new one is held to the same as the others.
//!
//! A store's tests call [`conforms`] with a way to make empty stores. What only one database knows, such as
//! the statements by which its clients change rows, the store says itself.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a suite of tests: a panic is how it says no"
)]

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use serde_json::json;

use provender_domain::canonical::Digest;
use provender_domain::key::{ConfigVersion, Place, RunKey};
use provender_domain::place::Herd;

use crate::entries::{FileNotes, IncidentNote, Nothing, Origin, Payload, ReportKind, RunsOf};
use crate::entry::{Kind, Stamp};
use crate::inspect::RunAt;
use crate::scan::Scan;
use crate::store::Extent;
use crate::types::{
    Batch, Config, File, Guardrail, NewFacts, NewObservation, NewRun, NewStream, Recorded,
    RunFilter,
};
use crate::{Inspect, LedgerError, Read, Write};

/// The tables that [`TestStore::changing`] is asked of; all of them have rows then.
const TABLES: [&str; 11] = [
    "entry",
    "file",
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

/// A store of a test's own, empty at first.
pub trait TestStore {
    /// A handle that writes.
    fn open(&self) -> Box<dyn Write>;

    /// A handle that reads only.
    fn reader(&self) -> Box<dyn Read>;

    /// Every form of statement of this database that changes, replaces or removes rows of a table.
    fn changing(&self, table: &str) -> Vec<String>;

    /// Executes a statement as a client that is not this program, with whatever settings clients have.
    ///
    /// # Errors
    /// What the database says.
    fn outside(&self, statement: &str) -> Result<(), String>;

    /// Begins a transaction, inserts an entry, and goes without a commit.
    fn interrupted(&self);

    /// Puts bytes that are no text into the outputs of every run, past all guards, as an administrator can.
    fn corrupt_outputs(&self);
}

/// Everything that a store must do.
///
/// # Panics
/// With what the store does not do.
pub fn conforms(fresh: &dyn Fn() -> Box<dyn TestStore>) {
    a_change_by_an_outside_client_is_refused(&*fresh());
    a_writer_that_goes_before_it_commits_leaves_nothing(&*fresh());
    an_append_that_expects_another_head_is_refused_whole(&*fresh());
    readers_see_one_moment(&*fresh());
    a_corrupted_row_is_found_by_inspecting(&*fresh());
    order_is_by_bytes_and_numbers_and_texts_come_back_as_they_were(&*fresh());
    the_second_of_two_writers_learns_what_the_first_recorded(&*fresh());
    a_reissue_supersedes_and_the_base_key_leads_to_the_newest(&*fresh());
    the_chain_of_entries_holds_and_the_past_can_be_asked(&*fresh());
    a_report_is_recorded_once(&*fresh());
    the_extent_of_recorded_runs_counts_them_by_place(&*fresh());
}

pub(crate) fn stamp(at: &str) -> Stamp {
    Stamp {
        at: at.to_owned(),
        actor: "tester".to_owned(),
        reason: None,
    }
}

pub(crate) fn file(source: &str) -> File {
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

/// What an entry of a kind says that nothing else depends on.
fn note() -> Payload {
    Payload::IncidentNote(IncidentNote {
        incident: 1,
        note: "n".into(),
    })
}

pub(crate) fn new_run(reissue: u32, inputs: &str) -> NewRun {
    let config = Digest::of_json(&json!({"c": 1})).unwrap();
    NewRun {
        key: RunKey {
            boundary_id: BoundaryId::unchecked("north"),
            herd_config_id: HerdId::unchecked("h"),
            calculation_date: "2025-06-30".parse().unwrap(),
            model_version: ModelVersion::unchecked("days_remaining:v1"),
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

pub(crate) fn batch(runs: Vec<NewRun>) -> Batch {
    let canonical = r#"{"c":1}"#.to_owned();
    let configs = vec![Config {
        digest: Digest::of_canonical(canonical.as_bytes()),
        canonical,
    }];
    Batch {
        stamp: stamp("2025-07-01T00:00:00Z"),
        of: RunsOf {
            model_version: ModelVersion::unchecked("days_remaining:v1"),
            component: Digest::of_bytes(b"c"),
            world: "w".into(),
            config_version: runs[0].key.config_version.config,
            origin: match runs[0].key.config_version.reissue {
                0 => Origin::Answers,
                _ => Origin::Reissue,
            },
            release: None,
        },
        runs,
        configs,
    }
}

/// Something of most kinds: a file with a herd and an observation, a run, a report.
pub(crate) fn fill(ledger: &dyn Write) {
    let facts = NewFacts {
        herds: vec![(
            1,
            Herd {
                herd_config_id: HerdId::unchecked("h"),
                boundary_id: BoundaryId::unchecked("north"),
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
        streams: vec![NewStream {
            boundary_id: BoundaryId::unchecked("north"),
            column: "forage_kg_per_ha".into(),
        }],
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
            &FileNotes::default(),
            0,
        )
        .unwrap();
    let late = ledger.record_file(
        &stamp("2025-07-01T00:00:00Z"),
        &file("csv"),
        &facts,
        &FileNotes::default(),
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
            ReportKind::Monitor,
            Digest::of_bytes(b"r"),
            "{}",
        )
        .unwrap();
}

fn filled(store: &dyn TestStore) -> Box<dyn Write> {
    let ledger = store.open();
    fill(&*ledger);
    ledger
}

fn scanned_entries(reader: &dyn Inspect) -> usize {
    let mut entries = 0;
    reader
        .scan_entries(&mut |entry| {
            entry.unwrap();
            entries += 1;
        })
        .unwrap();
    entries
}

/// What an inspection finds wrong: with the database, its schema, a row.
fn problems(ledger: &dyn Read) -> Vec<String> {
    let mut readers = ledger.readers(3).unwrap();
    let moment = readers.pop().unwrap();
    let mut problems = moment.integrity().unwrap();
    let schema = moment.schema().unwrap();
    if schema.found != schema.expected {
        problems.push("the schema is another one".to_owned());
    }
    let scan = Scan::begin(readers).unwrap();
    problems.extend(scan.unreadable.into_iter().map(|e| e.problem));
    for mut reader in scan.readers {
        while let Some(runs) = reader.read().unwrap() {
            problems.extend(runs.unreadable.into_iter().map(|e| e.problem));
        }
    }
    problems
}

fn a_change_by_an_outside_client_is_refused(store: &dyn TestStore) {
    drop(filled(store));
    let before = store.open().entries(None).unwrap();
    for table in TABLES {
        let statements = store.changing(table);
        assert!(!statements.is_empty(), "{table}");
        for statement in statements {
            let refused = store.outside(&statement);
            assert!(refused.is_err(), "{statement} went through");
        }
    }
    assert_eq!(store.open().entries(None).unwrap(), before);
    assert_eq!(problems(&*store.open()), Vec::<String>::new());
}

fn a_writer_that_goes_before_it_commits_leaves_nothing(store: &dyn TestStore) {
    let ledger = filled(store);
    let head = ledger.head().unwrap();
    store.interrupted();
    assert_eq!(ledger.head().unwrap(), head);
    // Refused half-way: the second run names a configuration that is not recorded.
    let mut unknown = new_run(0, "b");
    unknown.key.boundary_id = BoundaryId::unchecked("south");
    let mut late = unknown.clone();
    late.key.config_version.config = Digest::of_json(&json!({"c": 2})).unwrap();
    assert!(ledger.record_runs(&batch(vec![unknown, late])).is_err());
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(ledger.runs(&RunFilter::default()).unwrap().len(), 1);
    assert_eq!(problems(&*ledger), Vec::<String>::new());
}

fn an_append_that_expects_another_head_is_refused_whole(store: &dyn TestStore) {
    let (first, second) = (store.open(), store.open());
    let at = stamp("2025-07-01T00:00:00Z");
    let entries = [Payload::Hold(Nothing {}), Payload::Unhold(Nothing {})];
    let watched = [Kind::Hold, Kind::Unhold];
    let written = first.append_expecting(&at, &entries, &watched, 0).unwrap();
    let numbers: Vec<i64> = written.iter().map(|e| e.seq).collect();
    assert_eq!(numbers, [1, 2]);
    let late = second.append_expecting(&at, &entries, &watched, 0);
    assert!(
        matches!(
            late,
            Err(LedgerError::Moved {
                expected: 0,
                found: 2
            })
        ),
        "{late:?}"
    );
    // What is not watched is in nobody's way.
    second.append(&at, &note()).unwrap();
    second.append_expecting(&at, &entries, &watched, 2).unwrap();
    assert_eq!(first.head().unwrap(), 5);
    let all = first.append_all(&at, &entries).unwrap();
    assert_eq!(first.entries_of(&watched).unwrap().last(), all.last());
}

fn readers_see_one_moment(store: &dyn TestStore) {
    let ledger = filled(store);
    let head = ledger.head().unwrap();
    assert!(ledger.readers(0).unwrap().is_empty());
    let readers = ledger.readers(3).unwrap();
    ledger
        .append(&stamp("2025-07-04T00:00:00Z"), &note())
        .unwrap();
    let heads: Vec<i64> = readers.iter().map(|r| r.head().unwrap()).collect();
    assert_eq!(heads, [head; 3]);
    let scanned = std::thread::scope(|scope| {
        let read = |reader: Box<dyn Inspect>| scope.spawn(move || scanned_entries(&*reader));
        let reading: Vec<_> = readers.into_iter().map(read).collect();
        let scanned = reading.into_iter().map(|r| r.join().unwrap());
        scanned.collect::<Vec<usize>>()
    });
    assert_eq!(scanned, [usize::try_from(head).unwrap(); 3]);
    assert_eq!(ledger.moment().unwrap().head().unwrap(), head + 1);
}

fn a_corrupted_row_is_found_by_inspecting(store: &dyn TestStore) {
    drop(filled(store));
    store.corrupt_outputs();
    let moment = store.reader().moment().unwrap();
    let (mut found, mut unreadable) = (0, 0);
    let everything = (
        RunAt {
            series: i64::MIN,
            date: i32::MIN,
        },
        RunAt {
            series: i64::MAX,
            date: i32::MAX,
        },
    );
    moment
        .scan_runs(everything.0, everything.1, &mut |row| match row {
            Ok(_) => found += 1,
            Err(e) => {
                unreadable += 1;
                assert!(e.id.starts_with("series_id "), "{}", e.id);
            }
        })
        .unwrap();
    assert_eq!((found, unreadable), (0, 1));
}

fn order_is_by_bytes_and_numbers_and_texts_come_back_as_they_were(store: &dyn TestStore) {
    let ledger = store.open();
    // As no language sorts them; ä also in two code points.
    let ids = [
        "Z",
        "a",
        "a b",
        "a\u{308}",
        "z",
        "\u{e4}",
        "\u{ff21}",
        "\u{1f404}",
    ];
    let runs = ids
        .iter()
        .rev()
        .zip([1, 0, 3, 2, 7, 5, 4, 6])
        .map(|(id, day)| {
            let mut run = new_run(0, id);
            run.key.boundary_id = BoundaryId::unchecked(*id);
            run.key.calculation_date = run.key.calculation_date.plus(day).unwrap();
            run.outputs = format!("[\"{id}\",0.1,5e-324,9007199254740993]");
            run
        });
    let runs: Vec<NewRun> = runs.collect();
    ledger.record_runs(&batch(runs.clone())).unwrap();
    let read: Vec<NewRun> = ledger
        .runs(&RunFilter::default())
        .unwrap()
        .into_iter()
        .map(|r| r.run)
        .collect();
    let order: Vec<&str> = read.iter().map(|r| r.key.boundary_id.as_str()).collect();
    assert_eq!(order, ids);
    assert!(runs.iter().all(|r| read.contains(r)));
    let extent = ledger.extent(&RunFilter::default()).unwrap();
    let order: Vec<&str> = extent.iter().map(|e| e.boundary_id.as_str()).collect();
    assert_eq!(order, ids);
    let values = [
        0.1,
        -0.5,
        5e-324,
        f64::MAX,
        f64::MIN_POSITIVE,
        9_007_199_254_740_993.0,
    ];
    let observations = values
        .into_iter()
        .zip(0..)
        .map(|(value, n)| NewObservation {
            stream: 0,
            date: Some(
                "2025-06-01"
                    .parse::<provender_domain::day::Day>()
                    .unwrap()
                    .plus(n)
                    .unwrap(),
            ),
            value: Some(value),
            row: u32::MAX,
        });
    let facts = NewFacts {
        streams: vec![NewStream {
            boundary_id: BoundaryId::unchecked("north"),
            column: "forage_kg_per_ha".into(),
        }],
        observations: observations.collect(),
        ..NewFacts::default()
    };
    let at = stamp("2025-07-02T00:00:00Z");
    let entry = ledger
        .record_file(&at, &file("csv"), &facts, &FileNotes::default(), 0)
        .unwrap();
    let read = ledger
        .observations(&BoundaryId::unchecked("north"), "forage_kg_per_ha", entry)
        .unwrap();
    let bits: Vec<u64> = read
        .iter()
        .filter_map(|o| o.value.value)
        .map(f64::to_bits)
        .collect();
    assert_eq!(bits, values.map(f64::to_bits));
    assert!(read.iter().all(|o| o.row == u32::MAX));
}

fn the_second_of_two_writers_learns_what_the_first_recorded(store: &dyn TestStore) {
    let ledger = filled(store);
    let other = store.open();
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

fn a_reissue_supersedes_and_the_base_key_leads_to_the_newest(store: &dyn TestStore) {
    let ledger = filled(store);
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

fn the_chain_of_entries_holds_and_the_past_can_be_asked(store: &dyn TestStore) {
    let ledger = filled(store);
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
            .observations(&BoundaryId::unchecked("north"), "forage_kg_per_ha", now)
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        ledger
            .observations(&BoundaryId::unchecked("north"), "forage_kg_per_ha", then)
            .unwrap()
            .len(),
        1
    );
    assert!(ledger.herds(None, now).unwrap().is_empty());
    assert_eq!(ledger.herds(None, then).unwrap().len(), 1);
}

fn a_report_is_recorded_once(store: &dyn TestStore) {
    let ledger = filled(store);
    let again = ledger
        .record_report(
            &stamp("2025-07-05T00:00:00Z"),
            ReportKind::Monitor,
            Digest::of_bytes(b"r"),
            "{}",
        )
        .unwrap();
    assert_eq!(again, None);
}

fn the_extent_of_recorded_runs_counts_them_by_place(store: &dyn TestStore) {
    let ledger = filled(store);
    ledger.record_runs(&batch(vec![new_run(1, "b")])).unwrap();
    let name = |logic: &str| RunFilter {
        logic: Some(logic.into()),
        ..RunFilter::default()
    };
    let extent = ledger.extent(&name("days_remaining")).unwrap();
    let day = "2025-06-30".parse().unwrap();
    let north = Extent {
        boundary_id: BoundaryId::unchecked("north"),
        herd_config_id: HerdId::unchecked("h"),
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
        boundary_id: Some(BoundaryId::unchecked("north")),
        herd_config_id: Some(HerdId::unchecked(herd)),
        ..RunFilter::default()
    };
    assert_eq!(ledger.runs(&herd("h")).unwrap().len(), 2);
    assert!(ledger.runs(&herd("other")).unwrap().is_empty());
}
