use super::super::document::tests::release;
use super::super::evidence::EvidenceFinding;
use super::*;
use crate::compute::test_ledger;
use crate::project::gate::GateSettings;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use provender_ledger::EntryNumber;
use provender_ledger::entries::{CheckVerdict, ReportKind};
use provender_ledger::entry::Kind;
use provender_ledger::{LedgerError, Write};
use serde_json::{Value as Json, json};

/// Records the next of these events, as another process would, each time a promotion looks.
struct Meanwhile {
    ledger: Box<dyn Write>,
    events: Vec<Payload>,
    looked: usize,
    /// Whether the result of the canary cannot be computed.
    blind: bool,
}

impl Look for Meanwhile {
    fn runs_here(&mut self, _: &Known) -> Result<(), ReleaseError> {
        if let Some(payload) = self.events.get(self.looked) {
            let _ = self.ledger.append(&stamp(), payload)?;
        }
        self.looked += 1;
        Ok(())
    }

    fn canary(
        &mut self,
        _: &dyn Read,
        _: &ReleaseState,
        _: &Digest,
    ) -> Result<Option<Reported>, ReleaseError> {
        if self.blind {
            return Err(ReleaseError::damaged("a manifest", "it is gone"));
        }
        let finding = EvidenceFinding {
            kind: ReportKind::Canary,
            verdict: CheckVerdict::Ok,
            rows: 70,
            report: None,
            summary: "as expected".into(),
        };
        Ok(Some(Reported::new(finding, "{}".into())))
    }
}

fn stamp() -> Stamp {
    Stamp {
        at: "2025-07-01T06:00:00.000000Z".into(),
        actor: "ops".into(),
        reason: Some("why".into()),
    }
}

fn about(number: u32, more: Json) -> Json {
    let document = release(number, b"a", &format!("r{number}"));
    let mut payload = json!({"release": document.digest().unwrap().to_string(), "number": number});
    if let (Json::Object(to), Json::Object(from)) = (&mut payload, more) {
        to.extend(from);
    }
    payload
}

fn entry_payload(kind: Kind, number: u32, more: Json) -> Payload {
    Payload::from_json(kind, about(number, more)).unwrap()
}

fn active(number: u32) -> Payload {
    let more = json!({
        "from": "2025-07-01", "previous": null, "previous_number": null, "logics": [],
        "gate": null, "override": null, "objection": null,
    });
    entry_payload(Kind::Promotion, number, more)
}

fn decision(number: u32, passes: bool) -> Payload {
    let digest = Digest::of_bytes(b"x");
    let more = json!({
        "environment": "prod", "passes": passes, "why": "replay is crit", "against": null,
        "outcome": "blocked", "policy": digest, "max_age_days": 7, "checks": [], "report": digest,
    });
    entry_payload(Kind::GateDecision, number, more)
}

/// Promotes R2 over R1, expecting R1, while `events` happen. Returns the result, how often the promotion
/// looked, and the state afterwards.
fn promoted(events: Vec<Payload>) -> (Result<Moved, ReleaseError>, usize, ReleaseState) {
    promoted_so(events, false)
}

fn promoted_so(
    events: Vec<Payload>,
    blind: bool,
) -> (Result<Moved, ReleaseError>, usize, ReleaseState) {
    let temp = tempfile::tempdir().unwrap();
    let ledger = test_ledger(temp.path());
    std::fs::create_dir(temp.path().join("store")).unwrap();
    let dir = Dir::open_ambient_dir(temp.path().join("store"), ambient_authority()).unwrap();
    let store = ReleaseStore::new(dir, "out/releases");
    store.add_component(b"a").unwrap();
    for number in 1..=3 {
        let document = release(number, b"a", &format!("r{number}"));
        let _ = store.add_document(&document).unwrap();
        let more = json!({"document": document.to_json().unwrap()});
        let payload = entry_payload(Kind::ReleaseCut, number, more);
        let _ = ledger.append(&stamp(), &payload).unwrap();
    }
    let _ = ledger.append(&stamp(), &active(1)).unwrap();
    let set = GateSettings {
        required: Some(false),
        ..GateSettings::default()
    };
    let policy = Policy::of("prod", Some(&set));
    let request = Request {
        release: "R2",
        expect: Some("R1"),
        overriding: None,
        environment: "prod",
        policy: (&policy, policy.digest("prod", &Json::Null).unwrap()),
        today: "2025-07-01".parse().unwrap(),
        from: "2025-07-01".parse().unwrap(),
    };
    let mut look = Meanwhile {
        ledger: test_ledger(temp.path()),
        events,
        looked: 0,
        blind,
    };
    let moved = promote(&*ledger, &store, &request, &stamp(), &mut look);
    let standing = ReleaseState::read(&*ledger, EntryNumber::LATEST).unwrap();
    (moved, look.looked, standing)
}

fn number_of(standing: &ReleaseState) -> u32 {
    standing.active().unwrap().number
}

#[test]
fn a_refusal_recorded_during_a_promotion_stops_it() {
    let (moved, _, standing) = promoted(vec![decision(2, true), decision(2, false)]);
    let Err(ReleaseError::Gate { why, .. }) = moved else {
        panic!("{moved:?}");
    };
    assert_eq!((why.as_str(), number_of(&standing)), ("replay is crit", 1));
}

#[test]
fn a_promotion_goes_on_after_entries_that_change_nothing_for_its_release() {
    let role = json!({"role": "ds", "environment": "prod"});
    let (moved, looked, standing) = promoted(vec![
        decision(3, false),
        entry_payload(Kind::Approval, 2, role),
        decision(2, true),
    ]);
    let moved = moved.unwrap();
    // Something was recorded three times, so the fourth attempt succeeded.
    assert_eq!((looked, number_of(&standing)), (4, 2));
    assert!(moved.canary.is_none());
    let entry = standing.active().unwrap().entry;
    assert_eq!(moved.entry, Some(entry));
}

#[test]
fn another_promotion_is_never_overridden_whatever_else_is_recorded() {
    let (moved, looked, standing) = promoted(vec![decision(3, true), active(3)]);
    assert!(
        matches!(moved, Err(ReleaseError::Overtaken { .. })),
        "{moved:?}"
    );
    assert_eq!((looked, number_of(&standing)), (2, 3));
    let (moved, _, standing) = promoted(vec![Payload::Hold(NoPayload {})]);
    assert!(
        matches!(moved, Err(ReleaseError::Overtaken { .. })),
        "{moved:?}"
    );
    assert_eq!(number_of(&standing), 1);
}

#[test]
fn a_release_whose_files_are_being_pruned_is_not_promoted() {
    let gone = about(2, json!({}));
    let pruned = json!({"releases": [gone], "components": []});
    let (moved, _, standing) = promoted(vec![Payload::from_json(Kind::Prune, pruned).unwrap()]);
    let Err(ReleaseError::Missing { problem, .. }) = moved else {
        panic!("{moved:?}");
    };
    assert!(problem.contains("pruned by entry 5"), "{problem}");
    assert_eq!(number_of(&standing), 1);
}

#[test]
fn a_canary_that_starts_meanwhile_is_ended_and_leaves_its_evidence() {
    let more = json!({
        "share": 50, "from": "2025-06-17", "as_of": "2025-06-30", "against_number": 1,
        "against": Digest::of_bytes(b"x"),
    });
    let start = entry_payload(Kind::CanaryStart, 2, more);
    let (moved, looked, standing) = promoted(vec![start.clone()]);
    let moved = moved.unwrap();
    assert_eq!((looked, number_of(&standing)), (2, 2));
    assert_eq!(moved.canary.unwrap().found.unwrap().finding().rows, 70);
    assert!(running(&standing).is_none());
    let found = standing.notes_of(Kind::Evidence, &moved.release.digest);
    // Before the promotion's entry, so that it is part of what the promotion rests on.
    let entries: Vec<_> = found.map(|n| n.entry).collect();
    assert_eq!(entries, [moved.entry.unwrap().previous()]);

    // If the canary's result cannot be computed, the promotion reports that and goes ahead.
    let (moved, _, standing) = promoted_so(vec![start], true);
    let moved = moved.unwrap();
    let why = moved.canary.unwrap().found.unwrap_err();
    assert!(why.contains("it is gone"), "{why}");
    assert_eq!(number_of(&standing), 2);
    let mut found = standing.notes_of(Kind::Evidence, &moved.release.digest);
    assert!(found.next().is_none());
}

#[test]
fn a_ledger_that_never_rests_is_busy() {
    let (moved, looked, standing) = promoted(vec![decision(3, true); 200]);
    let busy = matches!(moved, Err(ReleaseError::Ledger(LedgerError::Busy)));
    assert!(busy, "{moved:?}");
    assert_eq!((looked, number_of(&standing)), (100, 1));
}
