//! Recording runs and finding them again.

use crate::entry::EntryNumber;
use provender_domain::canonical::Digest;
use provender_domain::ids::{BoundaryId, HerdId};

use super::{Promise, TestStore, batch, boundary, day, file, filled, new_run, stamp};
use crate::LedgerError;
use crate::entries::{self, IngestNotes, Payload};
use crate::entry::Kind;
use crate::store::{Extent, Series};
use crate::types::{NewFacts, NewObservation, NewRun, NewStream, Recorded, RunFilter};

pub(super) const ALL: &[Promise] = &[
    order_is_by_bytes_and_numbers_and_texts_come_back_as_they_were,
    the_second_of_two_writers_learns_what_the_first_recorded,
    a_reissue_supersedes_and_the_base_key_leads_to_the_newest,
    the_extent_of_recorded_runs_counts_them_by_place,
    a_run_is_found_by_key_id_entry_and_place,
    the_newest_reissue_of_each_day_stands_for_its_series,
    activations_are_given_oldest_first,
];

pub(super) fn order_is_by_bytes_and_numbers_and_texts_come_back_as_they_were(
    store: &dyn TestStore,
) {
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
        .record_file(
            &at,
            &file("csv"),
            &facts,
            &IngestNotes::default(),
            EntryNumber::NONE,
        )
        .unwrap();
    let read = ledger
        .observations(&boundary("north"), "forage_kg_per_ha", entry)
        .unwrap();
    let bits: Vec<u64> = read
        .iter()
        .filter_map(|o| o.value.value)
        .map(f64::to_bits)
        .collect();
    assert_eq!(bits, values.map(f64::to_bits));
    assert!(read.iter().all(|o| o.row == u32::MAX));
}

pub(super) fn the_second_of_two_writers_learns_what_the_first_recorded(store: &dyn TestStore) {
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

pub(super) fn a_reissue_supersedes_and_the_base_key_leads_to_the_newest(store: &dyn TestStore) {
    let ledger = filled(store);
    ledger.record_runs(&batch(vec![new_run(1, "b")])).unwrap();
    ledger.record_runs(&batch(vec![new_run(2, "c")])).unwrap();
    let newest = ledger
        .newest_reissue(&new_run(0, "a").key)
        .unwrap()
        .unwrap();
    assert_eq!(newest.run, new_run(2, "c"));
    let all = ledger.runs(&RunFilter::default()).unwrap();
    let superseded: Vec<_> = all
        .iter()
        .map(|r| r.superseded_by.as_ref().map(|v| v.reissue))
        .collect();
    assert_eq!(superseded, [Some(1), Some(2), None]);
}

pub(super) fn the_extent_of_recorded_runs_counts_them_by_place(store: &dyn TestStore) {
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

pub(super) fn a_run_is_found_by_key_id_entry_and_place(store: &dyn TestStore) {
    let ledger = store.open();
    let on = |n: i32| {
        let mut run = new_run(0, "a");
        run.key.calculation_date = run.key.calculation_date.plus(n).unwrap();
        run
    };
    let (first, second) = (vec![on(0), on(2)], vec![on(1)]);
    ledger.record_runs(&batch(first.clone())).unwrap();
    ledger.record_runs(&batch(second.clone())).unwrap();
    let wanted = &first[1];
    assert_eq!(ledger.run(&wanted.key).unwrap().unwrap().run, *wanted);
    assert_eq!(ledger.run(&new_run(1, "a").key).unwrap(), None);
    let id = wanted.key.run_id().hex();
    for digits in [&id[..], &id[..6]] {
        assert!(
            ledger.keys_with_id(digits).unwrap().contains(&wanted.key),
            "{digits}"
        );
    }
    let other = if id.ends_with('0') { '1' } else { '0' };
    assert!(
        ledger
            .keys_with_id(&format!("{}{other}", &id[..63]))
            .unwrap()
            .is_empty()
    );
    let mut of_entry = Vec::new();
    ledger
        .runs_of_entry(EntryNumber::new(1), &mut |run| of_entry.push(run))
        .unwrap();
    assert_eq!(of_entry, first);
    let nth = ledger
        .runs_at_positions(EntryNumber::new(1), 2, &[1])
        .unwrap();
    assert_eq!(
        (nth.len(), &nth[0].run, nth[0].entry),
        (1, wanted, EntryNumber::new(1))
    );
    // Fewer or more than the entry says.
    let short = ledger.runs_at_positions(EntryNumber::new(1), 3, &[0]);
    assert!(matches!(short, Err(LedgerError::Damaged(_))), "{short:?}");
    let places = ledger.places(&RunFilter::default()).unwrap();
    let order: Vec<_> = places.iter().map(|p| (p.entry.get(), p.date)).collect();
    let date = |run: &NewRun| run.key.calculation_date;
    assert_eq!(
        order,
        [
            (1, date(&first[0])),
            (1, date(&first[1])),
            (2, date(&second[0]))
        ]
    );
    assert_eq!(ledger.run_at(places[1]).unwrap().unwrap().run, *wanted);
    let config = wanted.key.config_version.config;
    assert_eq!(ledger.config(config).unwrap().unwrap().digest, config);
    assert_eq!(ledger.config(Digest::of_canonical(b"{}")).unwrap(), None);
}

pub(super) fn the_newest_reissue_of_each_day_stands_for_its_series(store: &dyn TestStore) {
    let ledger = filled(store);
    ledger.record_runs(&batch(vec![new_run(1, "b")])).unwrap();
    let run = new_run(1, "b");
    let key = &run.key;
    let series = Series {
        boundary_id: &key.boundary_id,
        herd_config_id: &key.herd_config_id,
        model_version: &key.model_version,
        config: key.config_version.config,
    };
    let (from, to) = (day("2025-06-01"), day("2025-06-30"));
    let latest = ledger.latest_runs(series, from, to).unwrap();
    assert_eq!(latest.len(), 1);
    assert_eq!(
        (latest[0].day, latest[0].provenance),
        (key.calculation_date, run.provenance)
    );
    let before = ledger.latest_runs(series, from, day("2025-06-29")).unwrap();
    assert!(before.is_empty());
}

pub(super) fn activations_are_given_oldest_first(store: &dyn TestStore) {
    let ledger = store.open();
    let key = new_run(0, "a").key;
    let of = |from: &str| {
        Payload::Activation(entries::Activation {
            model_version: key.model_version.clone(),
            config_version: key.config_version.config,
            config: serde_json::json!({}),
            component: Digest::of_bytes(b"c"),
            from: day(from),
        })
    };
    let at = stamp("2025-07-01T00:00:00Z");
    ledger
        .append_all(&at, &[of("2025-06-10"), of("2025-06-01")])
        .unwrap();
    let all = ledger.activations().unwrap();
    let order: Vec<_> = all.iter().map(|a| (a.entry.get(), a.from)).collect();
    assert_eq!(order, [(1, day("2025-06-10")), (2, day("2025-06-01"))]);
    assert_eq!(all[0].model_version, key.model_version);
}
