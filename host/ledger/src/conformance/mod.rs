//! What every store must do, tried through the traits alone: a new one is held to the same as the others.
//!
//! A store's tests call [`conforms`] with a way to make empty stores. What only one database knows, such as
//! the statements by which its clients change rows, the store says itself.
//!
//! * `guards` — what is refused: changes, a second record under one key, text that some database cannot keep
//! * `entries` — the chain of entries, appending to it, documents
//! * `facts` — files, places and observations, now and as they were known
//! * `runs` — recording runs and finding them
//! * `inspect` — one moment for several readers, and every row as it stands
//! * `admin` — a ledger as a whole: opened, migrated, copied, locked

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a suite of tests: a panic is how it says no"
)]

mod admin;
mod entries;
mod facts;
mod guards;
mod inspect;
mod runs;

use crate::entry::EntryNumber;
use std::time::Duration;

use serde_json::json;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use provender_domain::key::{ConfigVersion, Place, RunKey};
use provender_domain::place::Herd;

use crate::entries::{IncidentNote, IngestNotes, Origin, Payload, ReportKind, RunsContext};
use crate::entry::Stamp;
use crate::scan::Scan;
use crate::types::{Batch, Config, File, Guardrail, NewFacts, NewObservation, NewRun, NewStream};
use crate::{Address, Inspect, Opening, Read, Write};

/// The tables that [`TestStore::changing`] is asked of; all of them have rows then.
const TABLES: [&str; 12] = [
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
    "identity",
];

/// A store of a test's own, empty at first.
pub trait TestStore {
    /// Where it is. Nothing is there before it is opened.
    fn address(&self) -> Address;

    /// Every form of statement of this database that changes, replaces or removes rows of a table.
    fn changing(&self, table: &str) -> Vec<String>;

    /// Every form of statement of this database that inserts each recorded run again: under its key, with
    /// another provenance, and with another snapshot.
    fn again(&self) -> Vec<String>;

    /// Executes a statement as a client that is not this program, with whatever settings clients have.
    ///
    /// # Errors
    /// What the database says.
    fn outside(&self, statement: &str) -> Result<(), String>;

    /// Begins a transaction, inserts an entry, and goes without a commit.
    fn interrupted(&self);

    /// Puts bytes that are no text into the outputs of every run, past all guards, as an administrator can.
    fn corrupt_outputs(&self);

    /// A handle that writes.
    fn open(&self) -> Box<dyn Write> {
        let patience = Duration::from_secs(60);
        crate::open(&self.address(), Opening::Create, patience).unwrap()
    }

    /// A handle that reads only.
    fn reader(&self) -> Box<dyn Read> {
        crate::open_reader(&self.address()).unwrap()
    }
}

/// Everything that a store must do.
///
/// # Panics
/// With what the store does not do.
pub fn conforms(fresh: &dyn Fn() -> Box<dyn TestStore>) {
    let suite = [
        guards::ALL,
        entries::ALL,
        facts::ALL,
        runs::ALL,
        inspect::ALL,
        admin::ALL,
    ];
    for promise in suite.into_iter().flatten() {
        promise(&*fresh());
    }
}

/// One promise, tried with an empty store.
type Promise = fn(&dyn TestStore);

fn boundary(id: &str) -> BoundaryId {
    BoundaryId::unchecked(id)
}

fn herd(id: &str, at: &str, from: &str) -> Herd {
    Herd {
        herd_config_id: HerdId::unchecked(id),
        boundary_id: boundary(at),
        name: None,
        effective_date: day(from),
        end_date: None,
        animal_count: None,
        daily_intake_kg_per_head: None,
        average_weight_kg: None,
        utilization_target_pct: None,
        animal_type: None,
        class: None,
    }
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
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
        entry: EntryNumber::NONE,
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
        context: RunsContext {
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
                animal_count: Some(1.0),
                ..herd("h", "north", "2025-01-01")
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
            &IngestNotes::default(),
            EntryNumber::NONE,
        )
        .unwrap();
    let late = ledger.record_file(
        &stamp("2025-07-01T00:00:00Z"),
        &file("csv"),
        &facts,
        &IngestNotes::default(),
        EntryNumber::NONE,
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
