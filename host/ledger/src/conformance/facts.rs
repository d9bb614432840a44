//! Files, places and observations, now and as they were known.

use crate::entry::EntryNumber;
use provender_domain::day::Day;
use provender_domain::place::Boundary;

use super::{Promise, TestStore, boundary, day, file, herd, stamp};
use crate::entries::IngestNotes;
use crate::store::Coverage;
use crate::types::{NewFacts, NewObservation, NewStream};
use crate::{LedgerError, Write};

pub(super) const ALL: &[Promise] = &[
    places_are_given_by_id_day_and_entry_as_they_were_known,
    an_observation_is_revised_and_its_first_value_stays,
    what_a_withdrawn_file_said_is_no_longer_known,
    a_file_compared_to_an_older_state_is_refused,
];

pub(super) fn outline(id: &str, geometry: &str) -> Boundary {
    Boundary {
        boundary_id: boundary(id),
        name: None,
        geometry: geometry.to_owned(),
        area_ha: 1.5,
        declared_area_ha: None,
        effective_date: None,
    }
}

/// Takes in a file with these facts; its entry.
fn take_in(ledger: &dyn Write, source: &str, facts: &NewFacts) -> EntryNumber {
    let known = ledger.head().unwrap();
    let at = stamp("2025-07-01T00:00:00Z");
    ledger
        .record_file(&at, &file(source), facts, &IngestNotes::default(), known)
        .unwrap()
}

/// A value of one column of `north` on some days.
fn said(values: &[(&str, Option<f64>)]) -> NewFacts {
    NewFacts {
        streams: vec![NewStream {
            boundary_id: boundary("north"),
            column: "x".to_owned(),
        }],
        observations: (1..)
            .zip(values)
            .map(|(row, (date, value))| NewObservation {
                stream: 0,
                date: Some(day(date)),
                value: *value,
                row,
            })
            .collect(),
        ..NewFacts::default()
    }
}

fn places_are_given_by_id_day_and_entry_as_they_were_known(store: &dyn TestStore) {
    let ledger = store.open();
    let places = |outlines: &[(&str, &str, &str)], herds: &[(&str, &str, &str)]| NewFacts {
        boundaries: (1..)
            .zip(outlines)
            .map(|(row, (id, from, shape))| (row, day(from), outline(id, shape)))
            .collect(),
        herds: (1..)
            .zip(herds)
            .map(|(row, (id, at, from))| (row, herd(id, at, from)))
            .collect(),
        ..NewFacts::default()
    };
    let first = take_in(
        &*ledger,
        "a",
        &places(
            &[
                ("south", "2025-01-01", "1"),
                ("north", "2025-02-01", "2"),
                ("north", "2025-01-01", "3"),
            ],
            &[
                ("h2", "north", "2025-01-01"),
                ("h1", "north", "2025-03-01"),
                ("h1", "south", "2025-01-01"),
                ("h3", "south", "2025-01-01"),
            ],
        ),
    );
    let second = take_in(&*ledger, "b", &places(&[("north", "2025-01-01", "4")], &[]));
    let shapes = |only: Option<&str>, known| -> String {
        let only = only.map(boundary);
        let all = ledger.boundaries(only.as_ref(), known).unwrap();
        all.into_iter().map(|(_, s)| s.value.geometry).collect()
    };
    assert_eq!(shapes(None, second), "3421");
    assert_eq!(shapes(None, first), "321");
    assert_eq!(shapes(Some("north"), second), "342");
    assert_eq!(shapes(Some("west"), second), "");
    let herds = |only: Option<&str>| -> Vec<String> {
        let only = only.map(boundary);
        let all = ledger.herds(only.as_ref(), second).unwrap();
        let name = |s: crate::types::Sourced<provender_domain::place::Herd>| {
            format!("{} in {}", s.value.herd_config_id, s.value.boundary_id)
        };
        all.into_iter().map(name).collect()
    };
    assert_eq!(
        herds(None),
        ["h1 in north", "h1 in south", "h2 in north", "h3 in south"]
    );
    // Its rows elsewhere end its periods here.
    assert_eq!(
        herds(Some("north")),
        ["h1 in north", "h1 in south", "h2 in north"]
    );
}

fn an_observation_is_revised_and_its_first_value_stays(store: &dyn TestStore) {
    let ledger = store.open();
    let first = take_in(
        &*ledger,
        "a",
        &said(&[
            ("2025-06-02", Some(2.0)),
            ("2025-06-01", Some(1.0)),
            ("2025-06-03", None),
        ]),
    );
    let second = take_in(&*ledger, "a", &said(&[("2025-06-01", Some(1.5))]));
    let third = take_in(&*ledger, "b", &said(&[("2025-06-05", Some(9.0))]));
    let north = boundary("north");
    let values = |known| -> Vec<Option<f64>> {
        let all = ledger.observations(&north, "x", known).unwrap();
        all.into_iter().map(|o| o.value.value).collect()
    };
    assert_eq!(values(first), [Some(1.0), Some(2.0), None]);
    assert_eq!(values(second), [Some(1.0), Some(1.5), Some(2.0), None]);
    assert_eq!(values(EntryNumber::NONE), []);
    assert!(ledger.observations(&north, "y", third).unwrap().is_empty());
    assert!(
        ledger
            .observations(&boundary("south"), "x", third)
            .unwrap()
            .is_empty()
    );
    let of = |source: &str, days, first: &str, newest: &str| Coverage {
        boundary_id: boundary("north"),
        column: "x".into(),
        source: source.into(),
        days,
        first: Some(day(first)),
        newest: Some(day(newest)),
    };
    let coverage = ledger.coverage(third).unwrap();
    assert_eq!(
        coverage,
        [
            of("a", 2, "2025-06-01", "2025-06-02"),
            of("b", 1, "2025-06-05", "2025-06-05")
        ]
    );
    let newest = |at: &str| -> Vec<(String, Option<Day>)> {
        ledger
            .newest_by_source(third, day(at))
            .unwrap()
            .into_iter()
            .collect()
    };
    assert_eq!(
        newest("2025-06-05"),
        [
            ("a".to_owned(), Some(day("2025-06-02"))),
            ("b".to_owned(), Some(day("2025-06-05")))
        ]
    );
    let before = newest("2025-06-01");
    assert!(
        before.contains(&("a".to_owned(), Some(day("2025-06-01")))),
        "{before:?}"
    );
    assert!(
        !before
            .iter()
            .any(|(_, newest)| *newest > Some(day("2025-06-01"))),
        "{before:?}"
    );
}

fn what_a_withdrawn_file_said_is_no_longer_known(store: &dyn TestStore) {
    let ledger = store.open();
    let taken = take_in(&*ledger, "a", &said(&[("2025-06-01", Some(1.0))]));
    let files = ledger.files().unwrap();
    assert_eq!((files[0].entry, files[0].retracted), (taken, None));
    let withdrawn = ledger
        .retract(&stamp("2025-07-02T00:00:00Z"), &files)
        .unwrap();
    assert_eq!(ledger.files().unwrap()[0].retracted, Some(withdrawn));
    let north = boundary("north");
    assert!(
        ledger
            .observations(&north, "x", withdrawn)
            .unwrap()
            .is_empty()
    );
    assert_eq!(ledger.observations(&north, "x", taken).unwrap().len(), 1);
    // For those that ask what was known at many moments.
    assert_eq!(ledger.all_observations(&north, "x").unwrap().len(), 1);
    assert!(ledger.coverage(withdrawn).unwrap().is_empty());
}

fn a_file_compared_to_an_older_state_is_refused(store: &dyn TestStore) {
    let ledger = store.open();
    let facts = said(&[("2025-06-01", Some(1.0))]);
    let taken = take_in(&*ledger, "a", &facts);
    let at = stamp("2025-07-02T00:00:00Z");
    let late = |known| ledger.record_file(&at, &file("b"), &facts, &IngestNotes::default(), known);
    assert!(matches!(
        late(EntryNumber::NONE),
        Err(LedgerError::Moved { .. })
    ));
    let withdrawn = ledger.retract(&at, &ledger.files().unwrap()).unwrap();
    assert!(matches!(late(taken), Err(LedgerError::Moved { .. })));
    assert_eq!(ledger.head().unwrap(), withdrawn);
    // Entries that say nothing of files are in nobody's way.
    ledger.append(&at, &super::note()).unwrap();
    assert!(late(withdrawn).is_ok());
}
