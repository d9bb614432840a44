//! One moment for several readers, and every row as it stands.

use super::{Promise, TestStore, filled, note, scanned_entries, stamp};
use crate::Inspect;
use crate::entry::EntryNumber;
use crate::inspect::RunAt;

pub(super) const ALL: &[Promise] = &[
    readers_see_one_moment,
    every_row_is_scanned,
    a_corrupted_row_is_found_by_inspecting,
];

pub(super) fn readers_see_one_moment(store: &dyn TestStore) {
    let ledger = filled(store);
    let head = ledger.head().unwrap();
    assert!(ledger.readers(0).unwrap().is_empty());
    let readers = ledger.readers(3).unwrap();
    ledger
        .append(&stamp("2025-07-04T00:00:00Z"), &note())
        .unwrap();
    let heads: Vec<EntryNumber> = readers.iter().map(|r| r.head().unwrap()).collect();
    assert_eq!(heads, [head; 3]);
    let scanned = std::thread::scope(|scope| {
        let read = |reader: Box<dyn Inspect>| scope.spawn(move || scanned_entries(&*reader));
        let reading: Vec<_> = readers.into_iter().map(read).collect();
        let scanned = reading.into_iter().map(|r| r.join().unwrap());
        scanned.collect::<Vec<usize>>()
    });
    assert_eq!(scanned, [usize::try_from(head.get()).unwrap(); 3]);
    assert_eq!(ledger.moment().unwrap().head().unwrap(), head.next());
}

pub(super) fn a_corrupted_row_is_found_by_inspecting(store: &dyn TestStore) {
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

/// A scan of something, with how many rows it must give.
type Scanned<'s> = (&'s str, usize, &'s dyn Fn(&mut dyn FnMut()));

pub(super) fn every_row_is_scanned(store: &dyn TestStore) {
    let ledger = filled(store);
    ledger
        .retract(&stamp("2025-07-03T00:00:00Z"), &ledger.files().unwrap())
        .unwrap();
    let m = ledger.moment().unwrap();
    assert!(m.has_lists().unwrap());
    let schema = m.schema().unwrap();
    assert_eq!(schema.found, schema.expected);
    let scans: [Scanned<'_>; 10] = [
        ("entries", 4, &|n| {
            m.scan_entries(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        ("files", 1, &|n| {
            m.scan_files(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        ("retractions", 1, &|n| {
            m.scan_retractions(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        // Also those of a file withdrawn since.
        ("herds", 1, &|n| {
            m.scan_herds(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        ("streams", 1, &|n| {
            m.scan_streams(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        ("observations", 1, &|n| {
            m.scan_observations(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        ("configs", 1, &|n| {
            m.scan_configs(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        ("series", 1, &|n| {
            m.scan_series(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        ("packs", 1, &|n| {
            m.scan_packs(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
        ("lists", 1, &|n| {
            m.scan_lists(&mut |r| {
                r.unwrap();
                n();
            })
            .unwrap()
        }),
    ];
    for (what, rows, scan) in scans {
        let mut found = 0;
        scan(&mut || found += 1);
        assert_eq!(found, rows, "{what}");
    }
    let keys = m.series_keys().unwrap();
    let (number, key) = keys.iter().next().unwrap();
    assert_eq!(key.as_ref().unwrap().boundary_id, "north");
    let mut packed = 0;
    m.scan_run_places(*number, Some(number + 1), &mut |place| {
        packed += usize::from(place.unwrap().pack.is_some());
    })
    .unwrap();
    assert_eq!((keys.len(), packed), (1, 1));
    m.scan_run_places(number + 1, None, &mut |_| {
        panic!("no series has this number")
    })
    .unwrap();
}
