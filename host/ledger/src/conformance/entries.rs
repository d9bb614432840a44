//! The chain of entries and the documents beside it.

use crate::entry::EntryNumber;
use provender_domain::canonical::Digest;

use super::{Promise, TestStore, boundary, day, filled, new_run, note, stamp};
use crate::LedgerError;
use crate::entries::{BaselineFrozen, NoPayload, Payload, ReportKind};
use crate::entry::Kind;
use crate::types::Document;

pub(super) const ALL: &[Promise] = &[
    an_append_that_expects_another_head_is_refused_whole,
    entries_are_found_by_number_kind_and_moment,
    the_chain_of_entries_holds_and_the_past_can_be_asked,
    a_report_is_recorded_once,
    a_document_is_kept_once_however_often_an_entry_names_it,
];

pub(super) fn an_append_that_expects_another_head_is_refused_whole(store: &dyn TestStore) {
    let (first, second) = (store.open(), store.open());
    let at = stamp("2025-07-01T00:00:00Z");
    let entries = [Payload::Hold(NoPayload {}), Payload::Unhold(NoPayload {})];
    let watched = [Kind::Hold, Kind::Unhold];
    let written = first
        .append_expecting(&at, &entries, &watched, EntryNumber::NONE)
        .unwrap();
    let numbers: Vec<i64> = written.iter().map(|e| e.seq.get()).collect();
    assert_eq!(numbers, [1, 2]);
    let late = second.append_expecting(&at, &entries, &watched, EntryNumber::NONE);
    assert!(
        matches!(&late, Err(LedgerError::Moved { expected, found }) if (expected.get(), found.get()) == (0, 2)),
        "{late:?}"
    );
    // What is not watched is in nobody's way.
    second.append(&at, &note()).unwrap();
    second
        .append_expecting(&at, &entries, &watched, EntryNumber::new(2))
        .unwrap();
    assert_eq!(first.head().unwrap(), 5);
    let all = first.append_all(&at, &entries).unwrap();
    assert_eq!(first.entries_of_kinds(&watched).unwrap().last(), all.last());
}

pub(super) fn the_chain_of_entries_holds_and_the_past_can_be_asked(store: &dyn TestStore) {
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
            .observations(&boundary("north"), "forage_kg_per_ha", now)
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        ledger
            .observations(&boundary("north"), "forage_kg_per_ha", then)
            .unwrap()
            .len(),
        1
    );
    assert!(ledger.herds(None, now).unwrap().is_empty());
    assert_eq!(ledger.herds(None, then).unwrap().len(), 1);
}

pub(super) fn a_report_is_recorded_once(store: &dyn TestStore) {
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

pub(super) fn entries_are_found_by_number_kind_and_moment(store: &dyn TestStore) {
    let ledger = store.open();
    assert_eq!(ledger.head().unwrap(), 0);
    assert_eq!(ledger.known_at("2025-07-02T00:00:00Z").unwrap(), 0);
    assert!(ledger.entries(None).unwrap().is_empty());
    for (at, payload) in [
        ("2025-07-01T00:00:00Z", Payload::Hold(NoPayload {})),
        ("2025-07-02T00:00:00Z", note()),
        ("2025-07-03T00:00:00Z", Payload::Unhold(NoPayload {})),
    ] {
        let entry = ledger.append(&stamp(at), &payload).unwrap();
        assert_eq!(ledger.entry(entry.seq).unwrap().as_ref(), Some(&entry));
        assert_eq!(entry.parse().unwrap(), payload);
    }
    assert_eq!(ledger.entry(EntryNumber::new(4)).unwrap(), None);
    let numbers = |entries: Vec<crate::entry::Entry>| -> Vec<i64> {
        entries.into_iter().map(|e| e.seq.get()).collect()
    };
    assert_eq!(numbers(ledger.entries(None).unwrap()), [1, 2, 3]);
    let notes = ledger.entries(Some(Kind::IncidentNote)).unwrap();
    assert_eq!(numbers(notes), [2]);
    let both = ledger
        .entries_of_kinds(&[Kind::Unhold, Kind::Hold])
        .unwrap();
    assert_eq!(numbers(both), [1, 3]);
    assert!(ledger.entries_of_kinds(&[]).unwrap().is_empty());
    // The very moment of an entry counts.
    assert_eq!(ledger.known_at("2025-07-02T00:00:00Z").unwrap(), 2);
    assert_eq!(ledger.known_at("2025-07-01T23:59:59Z").unwrap(), 1);
}

pub(super) fn a_document_is_kept_once_however_often_an_entry_names_it(store: &dyn TestStore) {
    let ledger = store.open();
    let document = Document {
        kind: ReportKind::Baseline,
        digest: Digest::of_bytes(b"baseline"),
        body: "{\"b\":1}".into(),
    };
    assert_eq!(ledger.document(document.digest).unwrap(), None);
    let frozen = || BaselineFrozen {
        baseline: document.digest,
        model_version: new_run(0, "a").key.model_version,
        config_versions: Vec::new(),
        from: day("2025-06-01"),
        to: day("2025-06-30"),
        rows: 1,
        document: None,
    };
    let at = stamp("2025-07-01T00:00:00Z");
    let first = ledger.record_baseline(&at, frozen(), &document).unwrap();
    let says: BaselineFrozen = first.read().unwrap();
    let row = says.document.unwrap();
    assert_eq!(row.digest, document.digest);
    assert_eq!(row.sha256, Digest::of_bytes(document.body.as_bytes()));
    ledger.record_baseline(&at, frozen(), &document).unwrap();
    assert_eq!(ledger.head().unwrap(), 2);
    assert_eq!(ledger.document(document.digest).unwrap(), Some(document));
    let mut rows = 0;
    let moment = ledger.moment().unwrap();
    moment
        .scan_reports(&mut |row| {
            row.unwrap();
            rows += 1;
        })
        .unwrap();
    assert_eq!(rows, 1);
}
