//! What a store refuses.

use crate::entry::EntryNumber;
use serde_json::json;

use provender_domain::canonical::Digest;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};

use super::{
    Promise, TABLES, TestStore, batch, boundary, file, filled, new_run, note, problems, stamp,
};
use crate::LedgerError;
use crate::entries::IngestNotes;
use crate::entry::Stamp;
use crate::types::{File, NewFacts, NewRun, NewStream, RunFilter};

pub(super) const ALL: &[Promise] = &[
    a_change_by_an_outside_client_is_refused,
    a_second_record_under_one_key_is_refused,
    a_writer_that_goes_before_it_commits_leaves_nothing,
    text_with_the_character_zero_is_refused,
];

pub(super) fn a_change_by_an_outside_client_is_refused(store: &dyn TestStore) {
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

pub(super) fn a_writer_that_goes_before_it_commits_leaves_nothing(store: &dyn TestStore) {
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

pub(super) fn a_second_record_under_one_key_is_refused(store: &dyn TestStore) {
    let ledger = filled(store);
    let before = ledger.runs(&RunFilter::default()).unwrap();
    let statements = store.again();
    assert!(!statements.is_empty());
    for statement in statements {
        let refused = store.outside(&statement);
        assert!(refused.is_err(), "{statement} went through");
    }
    let head = ledger.head().unwrap();
    // Twice in one batch: neither is known when it is looked up.
    let first = new_run(1, "b");
    let drifted = NewRun {
        provenance: Digest::of_bytes(b"other"),
        ..first.clone()
    };
    let twice = ledger.record_runs(&batch(vec![first.clone(), drifted]));
    assert!(matches!(twice, Err(LedgerError::Drift(_))), "{twice:?}");
    let other = NewRun {
        snapshot: Digest::of_bytes(b"other"),
        ..first.clone()
    };
    let twice = ledger.record_runs(&batch(vec![first, other]));
    assert!(matches!(twice, Err(LedgerError::Immutable(_))), "{twice:?}");
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(ledger.runs(&RunFilter::default()).unwrap(), before);
    assert_eq!(problems(&*ledger), Vec::<String>::new());
}

pub(super) fn text_with_the_character_zero_is_refused(store: &dyn TestStore) {
    let ledger = filled(store);
    let head = ledger.head().unwrap();
    let at = stamp("2025-07-05T00:00:00Z");
    let nul = || "a\u{0}b".to_owned();
    let refused = |what: &str, error: Option<LedgerError>| {
        assert!(
            matches!(error, Some(LedgerError::Nul { .. })),
            "{what}: {error:?}"
        );
    };
    let actor = Stamp {
        actor: nul(),
        ..at.clone()
    };
    refused("actor", ledger.append(&actor, &note()).err());
    let reason = Stamp {
        reason: Some(nul()),
        ..at.clone()
    };
    refused("reason", ledger.append_all(&reason, &[note()]).err());
    refused(
        "reason",
        ledger
            .append_expecting(&reason, &[note()], &[], EntryNumber::NONE)
            .err(),
    );
    let known = ledger.head().unwrap();
    let takes = |file: &File, facts: &NewFacts| {
        ledger
            .record_file(&at, file, facts, &IngestNotes::default(), known)
            .err()
    };
    let source = File {
        source: nul(),
        ..file("csv")
    };
    refused("source", takes(&source, &NewFacts::default()));
    let path = File {
        path: nul(),
        ..file("csv")
    };
    refused("path", takes(&path, &NewFacts::default()));
    let streams = |boundary_id: BoundaryId, column: String| NewFacts {
        streams: vec![NewStream {
            boundary_id,
            column,
        }],
        ..NewFacts::default()
    };
    refused(
        "boundary",
        takes(&file("csv"), &streams(boundary(&nul()), "x".into())),
    );
    refused(
        "column",
        takes(&file("csv"), &streams(boundary("north"), nul())),
    );
    let mut outline = super::facts::outline("north", "Polygon");
    outline.name = Some(nul());
    let boundaries = NewFacts {
        boundaries: vec![(1, super::day("2025-01-01"), outline)],
        ..NewFacts::default()
    };
    refused("name of a boundary", takes(&file("csv"), &boundaries));
    let mut herd = super::herd("h", "north", "2025-01-01");
    herd.class = Some(nul());
    let herds = NewFacts {
        herds: vec![(1, herd)],
        ..NewFacts::default()
    };
    refused("class of a herd", takes(&file("csv"), &herds));
    let changes: [fn(&mut NewRun); 4] = [
        |run| run.key.boundary_id = BoundaryId::unchecked("a\u{0}"),
        |run| run.key.herd_config_id = HerdId::unchecked("a\u{0}"),
        |run| run.key.model_version = ModelVersion::unchecked("a\u{0}:v1"),
        |run| run.outputs = "[\"\u{0}\"]".to_owned(),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut run = new_run(1, "b");
        change(&mut run);
        refused(
            &format!("run {n}"),
            ledger.record_runs(&batch(vec![run])).err(),
        );
    }
    let digest = Digest::of_json(&json!("r2")).unwrap();
    let report = crate::entries::ReportKind::Monitor;
    refused(
        "report",
        ledger.record_report(&at, report, digest, "{\u{0}}").err(),
    );
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(problems(&*ledger), Vec::<String>::new());
}
