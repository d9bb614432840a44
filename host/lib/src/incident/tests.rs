//! The state of incidents follows from their entries.

use crate::incident::IncidentState;
use provender_ledger::EntryNumber;
use serde_json::{Value as Json, json};

use super::IncidentError;
use super::state::Incidents;
use provender_ledger::entry::{Entry, Kind, Stamp};

fn entry(seq: i64, kind: Kind, payload: &Json) -> Entry {
    let stamp = Stamp {
        at: format!("2025-07-{seq:02}T06:00:00Z"),
        actor: "ops".into(),
        reason: None,
    };
    Entry::following(
        Some((EntryNumber::new(seq - 1), [0; 32])),
        kind,
        &stamp,
        payload,
    )
    .unwrap()
}

fn link(id: &str) -> Json {
    json!({"what": "run", "id": id, "entry": 1, "about": "a"})
}

fn opened(seq: i64, number: u32) -> Entry {
    let payload = json!({"incident": number, "title": format!("t{number}"), "links": [link("a")]});
    entry(seq, Kind::IncidentOpen, &payload)
}

fn story() -> Vec<Entry> {
    let exported = |sha: &str| json!({"file": "f", "sha256": sha, "logic": "n:v1", "since": "v2", "cases": ["c"]});
    vec![
        opened(1, 1),
        opened(2, 2),
        entry(
            3,
            Kind::IncidentLink,
            &json!({"incident": 1, "links": [link("a"), link("b")]}),
        ),
        entry(4, Kind::IncidentNote, &json!({"incident": 2, "note": "hm"})),
        entry(
            5,
            Kind::IncidentRegression,
            &json!({"incident": 1, "exported": exported("one")}),
        ),
        entry(
            6,
            Kind::IncidentRegression,
            &json!({"incident": 1, "exported": exported("two")}),
        ),
        entry(
            7,
            Kind::IncidentClose,
            &json!({"incident": 1, "resolution": "fixed", "waived": null, "cases": []}),
        ),
        entry(
            8,
            Kind::IncidentNote,
            &json!({"incident": 1, "note": "after"}),
        ),
    ]
}

#[test]
fn the_state_of_incidents_follows_from_their_entries_alone() {
    let all = Incidents::of(&story()).unwrap();
    assert_eq!((all.all.len(), all.last.get(), all.next()), (2, 8, 3));
    let one = all.find("I1").unwrap();
    assert_eq!(one.state(), IncidentState::Closed);
    assert_eq!(one.title, "t1");
    let ids: Vec<_> = one.links.iter().map(|l| l.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    let exported: Vec<_> = one.exported().iter().map(|e| e.sha256.as_str()).collect();
    assert_eq!(exported, ["two"]);
    assert_eq!((one.opened().entry.get(), one.newest().get()), (1, 8));
    assert!(matches!(
        one.must_be_open(),
        Err(IncidentError::Closed { .. })
    ));
    assert_eq!(all.open().map(|i| i.number).collect::<Vec<_>>(), [2]);
    // The state before it was closed.
    let before = Incidents::of(&story()[..6]).unwrap();
    assert_eq!(before.find("1").unwrap().state(), IncidentState::Open);
    assert!(before.find("i1").unwrap().must_be_open().is_ok());
}

#[test]
fn an_unknown_incident_is_refused_with_the_known_ones() {
    let all = Incidents::of(&story()).unwrap();
    for asked in ["I3", "x", "", "I-1"] {
        assert!(all.find(asked).is_err(), "{asked}");
    }
    assert_eq!(
        all.find("I9").unwrap_err().to_string(),
        "there is no incident I9; known incidents: I1 to I2"
    );
    let none = Incidents::default().find("I1").unwrap_err();
    assert_eq!(
        none.to_string(),
        "there is no incident I1; known incidents: none"
    );
}

#[test]
fn entries_that_make_no_sense_are_damage() {
    for entries in [
        vec![opened(1, 2)],
        vec![opened(1, 1), opened(2, 1)],
        vec![entry(
            1,
            Kind::IncidentNote,
            &json!({"incident": 1, "note": "x"}),
        )],
        vec![
            opened(1, 1),
            entry(2, Kind::IncidentNote, &json!({"incident": 1})),
        ],
        vec![entry(
            1,
            Kind::IncidentOpen,
            &json!({"incident": 1, "title": "x", "links": [{}]}),
        )],
        vec![
            opened(1, 1),
            entry(
                2,
                Kind::IncidentClose,
                &json!({"incident": 1, "resolution": "x"}),
            ),
        ],
        vec![opened(1, 1), entry(2, Kind::Hold, &json!({}))],
    ] {
        let got = Incidents::of(&entries);
        assert!(matches!(got, Err(IncidentError::Damaged { .. })), "{got:?}");
    }
}
