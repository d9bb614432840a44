//! Computes the state of releases from entries: known, active, frozen.
//!
//! A pure function of the entries: nothing here is stored. Given the entries up to a moment, it returns the
//! state at that moment.

use provender_ledger::EntryNumber;
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, to_text};
use provender_domain::day::Day;
use provender_ledger::entries::{Approval, Rollback};
use provender_ledger::entry::{Entry, Kind, Stamp};
use provender_ledger::{LedgerError, Payload, Read};

use super::ReleaseError;
use super::document::Document;
use super::evidence::Evidence;

/// Every kind of entry about releases.
pub(crate) const KINDS: [Kind; 12] = [
    Kind::ReleaseCut,
    Kind::ReleaseImport,
    Kind::Promotion,
    Kind::Rollback,
    Kind::Hold,
    Kind::Unhold,
    Kind::Approval,
    Kind::Evidence,
    Kind::GateDecision,
    Kind::CanaryStart,
    Kind::CanaryStop,
    Kind::Prune,
];

/// The kinds that decide what is active or whether anything may become active. A promotion fails if one of
/// these was recorded in the meantime.
pub(crate) const DECIDING: [Kind; 4] = [Kind::Promotion, Kind::Rollback, Kind::Hold, Kind::Unhold];

/// The kinds that decide which releases exist.
pub(crate) const KNOWING: [Kind; 3] = [Kind::ReleaseCut, Kind::ReleaseImport, Kind::Prune];

/// A release that this environment knows.
#[derive(Clone, Debug)]
pub struct Known {
    /// Digest of the release.
    pub digest: Digest,
    /// The release.
    pub document: Document,
    /// The entry that made it known.
    pub entry: EntryNumber,
    /// Who made it known here, when and why.
    pub stamp: Stamp,
    /// Whether it was cut elsewhere and imported.
    pub imported: bool,
    /// The entry that pruned its files; `None` if they were never pruned or were brought back since.
    pub pruned: Option<EntryNumber>,
}

/// A promotion or a rollback.
#[derive(Clone, Debug)]
pub struct ReleaseChange {
    /// Sequence number of the entry.
    pub entry: EntryNumber,
    /// Who, when, why.
    pub stamp: Stamp,
    /// Whether it is a rollback.
    pub rollback: bool,
    /// Digest of the release that became active.
    pub release: Digest,
    /// Number of that release.
    pub number: u32,
    /// First calculation date that it answers for.
    pub from: Day,
    /// Digest of the release that was active before.
    pub previous: Option<Digest>,
    /// The reason given for overriding the gate.
    pub overridden: Option<String>,
}

/// A freeze of promotions.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Sequence number of the entry.
    pub entry: EntryNumber,
    /// Who, when, why.
    pub stamp: Stamp,
}

/// An entry about a release: an approval, evidence, a gate decision or a canary.
#[derive(Clone, Debug)]
pub struct Note {
    /// Sequence number of the entry.
    pub entry: EntryNumber,
    /// Who, when, why.
    pub stamp: Stamp,
    /// Digest of the release.
    pub release: Digest,
    /// The payload of the entry.
    pub payload: Payload,
}

impl Note {
    /// The approval, if the note is one.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        match &self.payload {
            Payload::Approval(approval) => Some(approval),
            _ => None,
        }
    }

    /// The evidence, if the note is some in a form that this program knows.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        match &self.payload {
            Payload::Evidence(found) => Evidence::of(found),
            _ => None,
        }
    }
}

/// A gate's decision on a release in an environment.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// Sequence number of the entry.
    pub entry: EntryNumber,
    /// Whether it lets the release in.
    pub passes: bool,
    /// The reasons, in words.
    pub why: String,
    /// When (RFC 3339, UTC).
    pub at: String,
    /// Digest of the policy it was made under.
    pub policy: Digest,
    /// Digest of the release that was active.
    pub against: Option<Digest>,
}

/// The state of releases in an environment.
#[derive(Clone, Debug, Default)]
pub struct ReleaseState {
    /// Known releases, in the order in which they became known.
    pub releases: Vec<Known>,
    /// Promotions and rollbacks, oldest first.
    pub changes: Vec<ReleaseChange>,
    /// The freeze in force; `None` if promotions are possible.
    pub hold: Option<Hold>,
    /// Approvals, evidence, gate decisions and canaries, oldest first.
    pub notes: Vec<Note>,
    /// Newest entry of the `DECIDING` kinds; 0 if there is none.
    pub decided: EntryNumber,
    /// Newest entry of the `KNOWING` kinds; 0 if there is none.
    pub knew: EntryNumber,
    /// Newest entry of the `KINDS`; 0 if there is none.
    pub last: EntryNumber,
}

impl ReleaseState {
    /// The state as of entry `known` of the ledger ([`EntryNumber::LATEST`] for now).
    ///
    /// # Errors
    /// If the ledger cannot be read, or an entry is damaged.
    pub fn read(ledger: &dyn Read, known: EntryNumber) -> Result<ReleaseState, ReleaseError> {
        let mut entries = ledger.entries_of_kinds(&KINDS)?;
        entries.retain(|e| e.seq <= known);
        ReleaseState::of(&entries)
    }

    /// The state after these entries.
    ///
    /// # Errors
    /// If an entry is damaged.
    pub(crate) fn of(entries: &[Entry]) -> Result<ReleaseState, ReleaseError> {
        let mut standing = ReleaseState::default();
        for entry in entries {
            standing.take(entry)?;
        }
        Ok(standing)
    }

    fn take(&mut self, entry: &Entry) -> Result<(), ReleaseError> {
        let payload = entry.parse().map_err(LedgerError::from)?;
        self.last = entry.seq;
        if DECIDING.contains(&payload.kind()) {
            self.decided = entry.seq;
        }
        if KNOWING.contains(&payload.kind()) {
            self.knew = entry.seq;
        }
        match payload {
            Payload::Hold(_) => {
                self.hold = Some(Hold {
                    entry: entry.seq,
                    stamp: entry.stamp.clone(),
                });
            }
            Payload::Unhold(_) => self.hold = None,
            Payload::ReleaseCut(cut) => self.learn(entry, cut.release, &cut.document)?,
            Payload::ReleaseImport(import) => {
                self.learn(entry, import.release, &import.document)?;
            }
            Payload::Promotion(promotion) => {
                let overridden = promotion.overridden;
                self.changes
                    .push(change(entry, promotion.change, overridden));
            }
            Payload::Rollback(rollback) => self.changes.push(change(entry, rollback, None)),
            Payload::Prune(prune) => {
                let gone = |k: &&mut Known| prune.releases.iter().any(|g| g.release == k.digest);
                for known in self.releases.iter_mut().filter(gone) {
                    known.pruned = Some(entry.seq);
                }
            }
            about => {
                // Every other kind of [`KINDS`] names a release.
                let release = about.release();
                let release = release.ok_or_else(|| damaged(entry, "it names no release"))?;
                if let Payload::Evidence(found) = &about {
                    // If such evidence were skipped, older evidence would count instead.
                    Evidence::check_words(found).map_err(|e| damaged(entry, &e.to_string()))?;
                }
                self.notes.push(Note {
                    entry: entry.seq,
                    stamp: entry.stamp.clone(),
                    release,
                    payload: about,
                });
            }
        }
        Ok(())
    }

    fn learn(&mut self, entry: &Entry, named: Digest, written: &Json) -> Result<(), ReleaseError> {
        if let Some(known) = self.releases.iter_mut().find(|k| k.digest == named) {
            // The files that were pruned are back.
            known.pruned = None;
            return Ok(());
        }
        let text = to_text(written)?;
        let document =
            Document::parse(text.as_bytes()).map_err(|problem| damaged(entry, &problem))?;
        if Digest::of_canonical(text.as_bytes()) != named {
            return Err(damaged(
                entry,
                "its release does not have the recorded digest",
            ));
        }
        self.releases.push(Known {
            digest: named,
            document,
            entry: entry.seq,
            stamp: entry.stamp.clone(),
            imported: entry.kind == Kind::ReleaseImport.name(),
            pruned: None,
        });
        Ok(())
    }

    /// The promotion or rollback that made the active release active.
    #[must_use]
    pub fn active(&self) -> Option<&ReleaseChange> {
        self.changes.last()
    }

    /// The active release, if any.
    #[must_use]
    pub fn active_release(&self) -> Option<&Known> {
        self.active().and_then(|c| self.known(&c.release))
    }

    /// A release by its digest.
    #[must_use]
    pub fn known(&self, digest: &Digest) -> Option<&Known> {
        self.releases.iter().find(|k| k.digest == *digest)
    }

    /// Finds a release by its name as typed: `R3`, `3`, or at least the first eight digits of its digest.
    ///
    /// # Errors
    /// If no release matches, or several do.
    pub fn find(&self, asked: &str) -> Result<&Known, ReleaseError> {
        let number = asked
            .strip_prefix(['R', 'r'])
            .unwrap_or(asked)
            .parse::<u32>()
            .ok()
            // Eight or more digits are the beginning of a digest, not a number.
            .filter(|_| asked.len() < 8);
        let hex = asked.strip_prefix("sha256-jcs-v1:").unwrap_or(asked);
        let found: Vec<&Known> = self
            .releases
            .iter()
            .filter(|k| match number {
                Some(n) => k.document.number == n,
                None => hex.len() >= 8 && k.digest.hex().starts_with(hex),
            })
            .collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(ReleaseError::Unknown {
                asked: asked.to_owned(),
                known: match self.releases.len() {
                    0 => "none".to_owned(),
                    _ => names(self.releases.iter()),
                },
            }),
            several => Err(ReleaseError::Ambiguous {
                asked: asked.to_owned(),
                found: names(several.iter().copied()),
            }),
        }
    }

    /// The release that a rollback without a name goes back to. Promotions form a stack, and a rollback removes
    /// everything above its release, so two rollbacks go back two steps.
    #[must_use]
    pub fn former(&self) -> Option<&Known> {
        let mut stack: Vec<Digest> = Vec::new();
        for change in &self.changes {
            match stack.iter().rposition(|d| *d == change.release) {
                Some(at) if change.rollback => stack.truncate(at + 1),
                _ => stack.push(change.release),
            }
        }
        let active = stack.pop()?;
        stack
            .iter()
            .rev()
            .find(|d| **d != active)
            .and_then(|d| self.known(d))
    }

    /// The notes on a release of one kind.
    pub fn notes_of<'a>(
        &'a self,
        kind: Kind,
        release: &'a Digest,
    ) -> impl Iterator<Item = &'a Note> {
        self.notes
            .iter()
            .filter(move |n| n.payload.kind() == kind && n.release == *release)
    }

    /// Which release is active, since when, by whom and why, as a clause.
    #[must_use]
    pub fn text(&self) -> String {
        match self.active() {
            None => "no release is active".to_owned(),
            Some(c) => format!(
                "R{} is active, {} by {} at {}: {}",
                c.number,
                if c.rollback {
                    "rolled back to"
                } else {
                    "promoted"
                },
                c.stamp.actor,
                c.stamp.at,
                c.stamp.reason.as_deref().unwrap_or("no reason")
            ),
        }
    }
}

/// The newest gate decision on a release in an environment, which `promote` obeys.
#[must_use]
pub(crate) fn gate_of(
    standing: &ReleaseState,
    release: &Digest,
    environment: &str,
) -> Option<Decision> {
    let mut newest = None;
    for note in standing.notes_of(Kind::GateDecision, release) {
        if let Payload::GateDecision(decision) = &note.payload
            && decision.environment == environment
        {
            newest = Some(Decision {
                entry: note.entry,
                passes: decision.passes,
                why: decision.why.clone(),
                at: note.stamp.at.clone(),
                policy: decision.policy,
                against: decision.against,
            });
        }
    }
    newest
}

fn names<'a>(known: impl Iterator<Item = &'a Known>) -> String {
    known
        .map(|k| format!("{} ({})", k.document.name(), k.digest.short()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn damaged(entry: &Entry, problem: &str) -> ReleaseError {
    ReleaseError::damaged(format!("entry {} ({})", entry.seq, entry.kind), problem)
}

fn change(entry: &Entry, to: Rollback, overridden: Option<String>) -> ReleaseChange {
    ReleaseChange {
        entry: entry.seq,
        stamp: entry.stamp.clone(),
        rollback: entry.kind == Kind::Rollback.name(),
        release: to.release,
        number: to.number,
        from: to.from,
        previous: to.previous,
        overridden,
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::release;
    use super::*;
    use serde_json::json;

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

    fn known(seq: i64, number: u32) -> Entry {
        let d = release(number, b"a", &format!("r{number}"));
        let payload = json!({"release": d.digest().unwrap().to_string(), "number": number, "document": d.to_json().unwrap()});
        entry(seq, Kind::ReleaseCut, &payload)
    }

    fn change(seq: i64, kind: Kind, number: u32) -> Entry {
        let d = release(number, b"a", &format!("r{number}"));
        let payload = json!({"release": d.digest().unwrap().to_string(), "number": number, "from": "2025-07-01", "previous": null, "previous_number": null, "logics": [], "gate": null, "override": null, "objection": null});
        entry(seq, kind, &payload)
    }

    #[test]
    fn going_back_twice_goes_back_two_steps() {
        use Kind::{Promotion, Rollback};
        let cases: [(&[(Kind, u32)], Option<u32>); 8] = [
            (&[], None),
            (&[(Promotion, 1)], None),
            (&[(Promotion, 1), (Promotion, 2)], Some(1)),
            (&[(Promotion, 1), (Promotion, 2), (Rollback, 1)], None),
            (
                &[
                    (Promotion, 1),
                    (Promotion, 2),
                    (Promotion, 3),
                    (Rollback, 2),
                ],
                Some(1),
            ),
            (
                &[
                    (Promotion, 1),
                    (Promotion, 2),
                    (Rollback, 1),
                    (Promotion, 3),
                ],
                Some(1),
            ),
            // A release that was never active can be rolled back to by name; after that, to the one that was
            // active.
            (&[(Promotion, 1), (Rollback, 2)], Some(1)),
            (&[(Promotion, 1), (Promotion, 2), (Promotion, 1)], Some(2)),
        ];
        for (changes, expected) in cases {
            let mut entries = vec![known(1, 1), known(2, 2), known(3, 3)];
            for (seq, (kind, number)) in (4..).zip(changes) {
                entries.push(change(seq, *kind, *number));
            }
            let standing = ReleaseState::of(&entries).unwrap();
            let former = standing.former().map(|k| k.document.number);
            assert_eq!(former, expected, "{changes:?}");
            let active = standing.active().map(|c| c.number);
            assert_eq!(active, changes.last().map(|c| c.1));
        }
    }

    #[test]
    fn a_release_is_found_by_number_and_by_digest() {
        let standing = ReleaseState::of(&[known(1, 1), known(2, 2)]).unwrap();
        let digest = standing.releases[1].digest;
        let whole = digest.to_string();
        for asked in ["R2", "r2", "2", &digest.hex()[..8], whole.as_str()] {
            assert_eq!(standing.find(asked).unwrap().document.number, 2, "{asked}");
        }
        for asked in ["R3", "", "R", &digest.hex()[..7], "00000000"] {
            assert!(standing.find(asked).is_err(), "{asked}");
        }
    }

    #[test]
    fn a_freeze_ends_and_a_pruned_release_comes_back() {
        let one = release(1, b"a", "r1").digest().unwrap().to_string();
        let prune = json!({"releases": [{"release": one, "number": 1}], "components": []});
        let entries = [
            known(1, 1),
            entry(2, Kind::Hold, &json!({})),
            entry(3, Kind::Prune, &prune),
            entry(4, Kind::Unhold, &json!({})),
            known(5, 1),
        ];
        let at = |n: usize| ReleaseState::of(&entries[..n]).unwrap();
        assert!(at(2).hold.is_some());
        assert_eq!(at(3).releases[0].pruned, Some(EntryNumber::new(3)));
        assert!(at(4).hold.is_none());
        assert_eq!(at(5).releases[0].pruned, None);
        assert_eq!((at(5).decided.get(), at(5).knew.get()), (4, 5));
    }

    #[test]
    fn evidence_with_an_unknown_word_is_damage_and_of_another_form_is_skipped() {
        let digest = release(1, b"a", "r1").digest().unwrap().to_string();
        let of = |form: &str, verdict: &str| {
            let evidence = json!({"$type": form, "kind": "goldens", "verdict": verdict});
            let payload = json!({"release": digest, "number": 1, "digest": digest, "evidence": evidence, "imported_with": null});
            ReleaseState::of(&[known(1, 1), entry(2, Kind::Evidence, &payload)])
        };
        let error = of("provender.evidence.v1", "fine").unwrap_err();
        assert_eq!(
            error.to_string(),
            "entry 2 (evidence) is not what was recorded: unknown verdict `fine`, expected one of ok, warn, crit, unknown"
        );
        let newer = of("provender.evidence.v9", "fine").unwrap();
        assert!(newer.notes[0].evidence().is_none());
    }

    #[test]
    fn an_entry_whose_release_has_another_digest_is_damage() {
        let mut payload: Json = serde_json::from_str(&known(1, 1).payload).unwrap();
        payload["document"]["cut"]["reason"] = json!("another");
        assert!(ReleaseState::of(&[entry(1, Kind::ReleaseCut, &payload)]).is_err());
    }
}
