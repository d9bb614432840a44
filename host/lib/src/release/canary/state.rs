//! Computes the state of canaries from entries: a pure function, like [`ReleaseState`] itself.
//!
//! A canary ends when it is stopped, or when its release becomes active. If another release becomes active, the
//! canary continues and is compared with that one from then on.

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_ledger::EntryNumber;
use provender_ledger::Payload;
use provender_ledger::entry::{Kind, Stamp};

use super::super::state::{Known, Note, ReleaseState};

/// A canary, running or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Canary {
    /// The entry that started it.
    pub entry: EntryNumber,
    /// Who, when, why.
    pub stamp: Stamp,
    /// Digest of the candidate.
    pub release: Digest,
    /// Number of the candidate.
    pub number: u32,
    /// Share of the boundaries that take part, in percent.
    pub share: u32,
    /// First calculation date of its back-fill.
    pub from: Day,
    /// Last calculation date of its back-fill.
    pub as_of: Day,
    /// What ended it; `None` while it runs.
    pub ended: Option<Ended>,
}

/// What ended a canary.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Somebody stopped it.
    Stopped {
        /// The entry.
        entry: EntryNumber,
        /// Who, when, why.
        stamp: Stamp,
    },
    /// Its release became active.
    Active {
        /// The promotion or rollback.
        entry: EntryNumber,
        /// Who, when, why.
        stamp: Stamp,
    },
}

impl Ended {
    /// The entry.
    #[must_use]
    pub(crate) fn entry(&self) -> EntryNumber {
        match self {
            Ended::Stopped { entry, .. } | Ended::Active { entry, .. } => *entry,
        }
    }

    /// As a clause: `stopped by ops at …: why`.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let (what, stamp) = match self {
            Ended::Stopped { stamp, .. } => ("stopped", stamp),
            Ended::Active { stamp, .. } => ("ended as its release became active,", stamp),
        };
        format!(
            "{what} by {} at {}: {}",
            stamp.actor,
            stamp.at,
            stamp.reason.as_deref().unwrap_or("no reason")
        )
    }
}

impl Canary {
    /// The release that it is, or was, compared with: the one that was active before it ended.
    #[must_use]
    pub(crate) fn against<'s>(&self, standing: &'s ReleaseState) -> Option<&'s Known> {
        let until = self.until();
        let change = standing.changes.iter().rfind(|c| c.entry < until)?;
        standing.known(&change.release)
    }

    /// The entry that ended it. Runs recorded by this or a later entry are not part of the canary.
    #[must_use]
    pub(crate) fn until(&self) -> EntryNumber {
        self.ended
            .as_ref()
            .map_or(EntryNumber::LATEST, Ended::entry)
    }

    /// Number of days in its back-fill.
    #[must_use]
    pub(crate) fn window_days(&self) -> i32 {
        self.as_of.since(self.from) + 1
    }
}

/// All canaries, oldest first.
#[must_use]
pub(super) fn canaries(standing: &ReleaseState) -> Vec<Canary> {
    let starts = standing.notes.iter().filter_map(|n| match &n.payload {
        Payload::CanaryStart(start) => Some(Canary {
            entry: n.entry,
            stamp: n.stamp.clone(),
            release: n.release,
            number: start.number,
            share: start.share,
            from: start.from,
            as_of: start.as_of,
            ended: ended(standing, n),
        }),
        _ => None,
    });
    starts.collect()
}

/// The running canary; there is at most one.
#[must_use]
pub fn running(standing: &ReleaseState) -> Option<Canary> {
    canaries(standing).into_iter().rfind(|c| c.ended.is_none())
}

/// The newest canary of a release, running or not.
#[must_use]
pub(super) fn of_release(standing: &ReleaseState, release: &Digest) -> Option<Canary> {
    canaries(standing)
        .into_iter()
        .rfind(|c| c.release == *release)
}

/// The first entry after the start that ends the canary.
fn ended(standing: &ReleaseState, start: &Note) -> Option<Ended> {
    let stop = standing
        .notes_of(Kind::CanaryStop, &start.release)
        .filter(|n| n.entry > start.entry)
        .find(|n| matches!(&n.payload, Payload::CanaryStop(stop) if stop.canary == start.entry))
        .map(|n| Ended::Stopped {
            entry: n.entry,
            stamp: n.stamp.clone(),
        });
    let active = standing
        .changes
        .iter()
        .find(|c| c.entry > start.entry && c.release == start.release)
        .map(|c| Ended::Active {
            entry: c.entry,
            stamp: c.stamp.clone(),
        });
    [stop, active]
        .into_iter()
        .flatten()
        .min_by_key(Ended::entry)
}

#[cfg(test)]
mod tests {
    use super::super::super::document::tests::release;
    use super::*;
    use provender_ledger::entry::Entry;
    use serde_json::{Value as Json, json};

    fn entry(seq: i64, kind: Kind, payload: &Json) -> Entry {
        let stamp = Stamp {
            at: format!("2025-07-{seq:02}T06:00:00.000000Z"),
            actor: "ops".into(),
            reason: Some("why".into()),
        };
        Entry::following(
            Some((EntryNumber::new(seq - 1), [0; 32])),
            kind,
            &stamp,
            payload,
        )
        .unwrap()
    }

    fn about(number: u32) -> Json {
        let d = release(number, b"a", &format!("r{number}"));
        json!({"release": d.digest().unwrap().to_string(), "number": number})
    }

    fn with(number: u32, more: Json) -> Json {
        let mut payload = about(number);
        if let (Json::Object(to), Json::Object(from)) = (&mut payload, more) {
            to.extend(from);
        }
        payload
    }

    /// Releases 1 to 3 with the first one active, then these events from entry 5 on.
    fn after(events: &[(Kind, u32)]) -> ReleaseState {
        let mut entries: Vec<Entry> = (1..=3)
            .map(|n| {
                let d = release(n, b"a", &format!("r{n}"));
                let payload = with(n, json!({"document": d.to_json().unwrap()}));
                entry(i64::from(n), Kind::ReleaseCut, &payload)
            })
            .collect();
        let all = [(Kind::Promotion, 1)].iter().chain(events).copied();
        let mut start = 0;
        for (seq, (kind, n)) in (4..).zip(all.collect::<Vec<_>>()) {
            let more = match kind {
                Kind::CanaryStart => {
                    start = seq;
                    json!({
                        "share": 50, "from": "2025-06-17", "as_of": "2025-06-30",
                        "against": Digest::of_bytes(b"x"), "against_number": 1,
                    })
                }
                Kind::CanaryStop => json!({"canary": start}),
                _ => json!({
                    "from": "2025-07-01", "previous": null, "previous_number": null, "logics": [],
                    "gate": null, "override": null, "objection": null,
                }),
            };
            entries.push(entry(seq, kind, &with(n, more)));
        }
        ReleaseState::of(&entries).unwrap()
    }

    /// Number of the running canary, and of the release that it is compared with.
    fn seen(standing: &ReleaseState) -> Option<(u32, u32)> {
        let canary = running(standing)?;
        Some((
            canary.number,
            canary.against(standing).unwrap().document.number,
        ))
    }

    #[test]
    fn a_canary_runs_until_it_is_stopped_or_its_release_is_active() {
        use Kind::{CanaryStart, CanaryStop, Promotion, Rollback};
        type Case = (&'static [(Kind, u32)], Option<(u32, u32)>);
        let cases: [Case; 7] = [
            (&[], None),
            (&[(CanaryStart, 2)], Some((2, 1))),
            (&[(CanaryStart, 2), (CanaryStop, 2)], None),
            (&[(CanaryStart, 2), (Promotion, 2)], None),
            // Another release became active: the canary continues and is compared with that one.
            (&[(CanaryStart, 2), (Promotion, 3)], Some((2, 3))),
            (&[(CanaryStart, 2), (Promotion, 3), (Rollback, 2)], None),
            (
                &[(CanaryStart, 2), (CanaryStop, 2), (CanaryStart, 2)],
                Some((2, 1)),
            ),
        ];
        for (events, expected) in cases {
            assert_eq!(seen(&after(events)), expected, "{events:?}");
        }
    }

    #[test]
    fn an_ended_canary_stays_compared_with_what_was_active_then() {
        use Kind::{CanaryStart, CanaryStop, Promotion};
        let promoted = after(&[(CanaryStart, 2), (Promotion, 2), (Promotion, 3)]);
        let canary = of_release(&promoted, &promoted.releases[1].digest).unwrap();
        assert_eq!(canary.until(), 6);
        assert_eq!(canary.against(&promoted).unwrap().document.number, 1);
        assert_eq!((canary.share, canary.window_days()), (50, 14));
        let stopped = after(&[(CanaryStart, 2), (CanaryStop, 2), (Promotion, 2)]);
        let canary = of_release(&stopped, &stopped.releases[1].digest).unwrap();
        assert!(matches!(
            canary.ended,
            Some(Ended::Stopped { entry, .. }) if entry.get() == 6
        ));
    }
}
