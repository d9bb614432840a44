//! The promises of every object store, checked by one function that each driver's tests call.

use std::io::ErrorKind;

use crate::objects::{Creation, Objects};

/// Opens the store under test. Every call opens the same store, which is empty at the start.
pub(crate) type Open<'a> = dyn Fn() -> Box<dyn Objects> + Sync + 'a;

const MOST: u64 = 1 << 20;

/// Checks a driver.
pub(crate) fn check(open: &Open<'_>) {
    empty(&*open());
    written_once(open);
    created_together(open);
    ceilings(&*open());
    names(open);
    listed(open);
    one_of_many(open);
}

fn empty(place: &dyn Objects) {
    assert!(!place.holds_any().unwrap());
    assert_eq!(place.list("").unwrap(), Vec::<String>::new());
    assert_eq!(place.size("once/a").unwrap(), None);
    let absent = place.read("once/a", MOST).unwrap_err();
    assert_eq!(absent.cause().kind(), ErrorKind::NotFound);
    assert!(absent.is_absent());
}

fn written_once(open: &Open<'_>) {
    let (first, second) = (open(), open());
    let create = |place: &dyn Objects, bytes: &[u8]| place.create("once/a", bytes, MOST).unwrap();
    assert_eq!(create(&*first, b"one"), Creation::Created);
    for place in [&first, &second] {
        assert_eq!(create(&**place, b"one"), Creation::Same);
        assert_eq!(create(&**place, b"two"), Creation::Taken(b"one".to_vec()));
        assert_eq!(create(&**place, b""), Creation::Taken(b"one".to_vec()));
        assert_eq!(place.read("once/a", MOST).unwrap(), b"one");
        assert_eq!(place.size("once/a").unwrap(), Some(3));
        assert!(place.holds_any().unwrap());
    }
    let empty = first.create("once/empty", b"", MOST).unwrap();
    assert_eq!(empty, Creation::Created);
    assert_eq!(second.read("once/empty", MOST).unwrap(), b"");
    assert_eq!(second.size("once/empty").unwrap(), Some(0));
}

fn created_together(open: &Open<'_>) {
    let place = open();
    let mut creating = place.begin().unwrap();
    let mut create = |name: &str| creating.create(name, name.as_bytes(), MOST).unwrap();
    assert_eq!(create("together/a"), Creation::Created);
    assert_eq!(create("together/b/c"), Creation::Created);
    assert_eq!(create("together/a"), Creation::Same);
    creating.settle().unwrap();
    let other = open();
    assert_eq!(
        other.list("together/").unwrap(),
        ["together/a", "together/b/c"]
    );
    assert_eq!(other.read("together/b/c", MOST).unwrap(), b"together/b/c");
}

fn ceilings(place: &dyn Objects) {
    let refused = place.create("ceiling/large", &[7; 11], 10).unwrap_err();
    assert_eq!(refused.cause().kind(), ErrorKind::FileTooLarge);
    assert_eq!(place.size("ceiling/large").unwrap(), None);
    let exact = place.create("ceiling/exact", &[7; 10], 10).unwrap();
    assert_eq!(exact, Creation::Created);
    assert_eq!(place.read("ceiling/exact", 10).unwrap(), [7; 10]);
    let larger = place.read("ceiling/exact", 9).unwrap_err();
    assert_eq!(larger.cause().kind(), ErrorKind::FileTooLarge);
    // An object larger than the ceiling cannot be compared, so it is an error.
    assert!(place.create("ceiling/exact", b"7", 9).is_err());
}

fn names(open: &Open<'_>) {
    // One letter in both normal forms, and names that are prefixes of others.
    let names = [
        "names/a:b",
        "names/caf\u{e9}",
        "names/cafe\u{301}",
        "names/a b%20c",
        "names/a",
        "names/a.json",
        "names/sub/a",
    ];
    let place = open();
    for name in names {
        let created = place.create(name, name.as_bytes(), MOST).unwrap();
        assert_eq!(created, Creation::Created, "{name}");
    }
    let other = open();
    for name in names {
        assert_eq!(other.read(name, MOST).unwrap(), name.as_bytes(), "{name}");
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(other.list("names/").unwrap(), sorted);
    for name in ["", "/", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a/.b"] {
        let refused = place.create(name, b"x", MOST).unwrap_err();
        assert_eq!(refused.cause().kind(), ErrorKind::InvalidInput, "{name}");
        assert!(place.read(name, MOST).is_err(), "{name}");
    }
}

fn listed(open: &Open<'_>) {
    let place = open();
    for n in (0..30).rev() {
        let name = format!("list/{}/{n:02}", n % 3);
        let _ = place.create(&name, b"x", MOST).unwrap();
    }
    let of = |prefix: &str| open().list(prefix).unwrap();
    assert_eq!(of("list/").len(), 30);
    assert_eq!(of("list/1/").len(), 10);
    assert_eq!(of("list/1/0"), ["list/1/01", "list/1/04", "list/1/07"]);
    assert_eq!(of("list/1").len(), 10);
    assert!(of("list/").is_sorted());
    assert_eq!(of("nothing/"), Vec::<String>::new());
    assert_eq!(of("list/9"), Vec::<String>::new());
    assert!(of("").len() > 30 && of("").is_sorted());
}

/// Of writers that start at once, one creates the object and all others find its bytes.
fn one_of_many(open: &Open<'_>) {
    const WRITERS: u8 = 8;
    for round in 0..5 {
        let name = format!("race/{round}");
        let start = std::sync::Barrier::new(usize::from(WRITERS));
        let found: Vec<(u8, Creation)> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|n| {
                    let (name, start) = (&name, &start);
                    scope.spawn(move || {
                        let place = open();
                        start.wait();
                        (n, place.create(name, &[n; 5_000], MOST).unwrap())
                    })
                })
                .collect();
            writers.into_iter().map(|w| w.join().unwrap()).collect()
        });
        let created = |(_, creation): &&(u8, Creation)| *creation == Creation::Created;
        let winners: Vec<u8> = found.iter().filter(created).map(|(n, _)| *n).collect();
        let [winner] = winners[..] else {
            panic!("{winners:?} created {name}")
        };
        let bytes = vec![winner; 5_000];
        assert_eq!(open().read(&name, MOST).unwrap(), bytes);
        for (n, creation) in found.into_iter().filter(|(n, _)| *n != winner) {
            assert_eq!(creation, Creation::Taken(bytes.clone()), "writer {n}");
        }
    }
}
