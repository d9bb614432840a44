//! Computes the state of incidents from entries: which exist, which are open, and everything recorded about
//! each.
//!
//! A pure function of the entries: nothing here is stored.

use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet};

use provender_domain::canonical::Digest;
use provender_domain::words;
use provender_ledger::entry::{Entry, Kind, Stamp};
use provender_ledger::{Payload, Read};

use super::IncidentError;
use super::link::{Link, LinkKind, damaged, unreadable};

pub use provender_ledger::entries::{ExportedCases, RegressionCase};

/// Every kind of entry about incidents.
pub(crate) const KINDS: [Kind; 5] = [
    Kind::IncidentOpen,
    Kind::IncidentLink,
    Kind::IncidentNote,
    Kind::IncidentRegression,
    Kind::IncidentClose,
];

/// What an entry records about an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The incident was opened.
    Opened,
    /// More things were linked.
    Linked(Vec<Link>),
    /// Somebody added a note.
    Noted(String),
    /// Its failing inputs were exported as golden cases.
    Regression(ExportedCases),
    /// The incident was closed.
    Closed {
        /// How it was resolved.
        resolution: String,
        /// Why it was closed without a regression case.
        waived: Option<String>,
        /// The regression cases, as checked.
        cases: Vec<RegressionCase>,
    },
}

/// One entry about an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Sequence number of the entry.
    pub entry: EntryNumber,
    /// Who and when.
    pub stamp: Stamp,
    /// What it records.
    pub what: What,
}

words! {
    /// Whether people still look into an incident.
    pub enum IncidentState: "state" {
        /// They do.
        Open = "open",
        /// It was closed.
        Closed = "closed",
    }
}

/// An incident and its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// 1, 2, 3, … in this ledger; shown as `I3`.
    pub number: u32,
    /// What went wrong, in one line.
    pub title: String,
    /// The linked things, each once, in the order of linking.
    pub links: Vec<Link>,
    /// Everything recorded about it, oldest first, beginning with its opening.
    pub events: Vec<Event>,
    opened: Event,
}

impl Incident {
    /// Its name: `I3`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("I{}", self.number)
    }

    /// The entry that opened it.
    #[must_use]
    pub fn opened(&self) -> &Event {
        &self.opened
    }

    /// The entry that closed it; `None` while it is open.
    #[must_use]
    pub fn closed(&self) -> Option<&Event> {
        self.events
            .iter()
            .find(|e| matches!(e.what, What::Closed { .. }))
    }

    /// Whether people still look into it.
    #[must_use]
    pub fn state(&self) -> IncidentState {
        match self.closed() {
            None => IncidentState::Open,
            Some(_) => IncidentState::Closed,
        }
    }

    /// The exported files of regression cases; of each file only the newest export.
    #[must_use]
    pub fn exported(&self) -> Vec<&ExportedCases> {
        let mut seen = BTreeSet::new();
        let exports = self.events.iter().rev().filter_map(|e| match &e.what {
            What::Regression(exported) => Some(exported),
            _ => None,
        });
        let mut newest: Vec<_> = exports.filter(|e| seen.insert(e.file.clone())).collect();
        newest.reverse();
        newest
    }

    /// Sequence number of its newest entry.
    #[must_use]
    pub(crate) fn newest(&self) -> EntryNumber {
        self.events.last().map_or(self.opened.entry, |e| e.entry)
    }

    /// Refuses to continue if the incident is closed.
    ///
    /// # Errors
    /// [`IncidentError::Closed`].
    pub fn must_be_open(&self) -> Result<(), IncidentError> {
        let Some(closed) = self.closed() else {
            return Ok(());
        };
        Err(IncidentError::Closed {
            incident: self.name(),
            by: closed.stamp.actor.clone(),
            at: closed.stamp.at.clone(),
            resolution: match &closed.what {
                What::Closed { resolution, .. } => resolution.clone(),
                _ => String::new(),
            },
        })
    }
}

/// All incidents of a ledger.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    /// Ordered by number.
    pub all: Vec<Incident>,
    /// Newest entry of the `KINDS`; 0 if there is none.
    pub last: EntryNumber,
}

impl Incidents {
    /// Reads the current state from the ledger.
    ///
    /// # Errors
    /// If the ledger cannot be read, or an entry does not have the documented form.
    pub fn read(ledger: &dyn Read) -> Result<Incidents, IncidentError> {
        Incidents::of(&ledger.entries_of_kinds(&KINDS)?)
    }

    /// The state after these entries.
    ///
    /// # Errors
    /// If an entry does not have the documented form, or is about an incident that was never opened.
    pub(crate) fn of(entries: &[Entry]) -> Result<Incidents, IncidentError> {
        let mut incidents = Incidents::default();
        for entry in entries {
            incidents.take(entry)?;
            incidents.last = entry.seq;
        }
        Ok(incidents)
    }

    /// The number that the next incident gets.
    #[must_use]
    pub(crate) fn next(&self) -> u32 {
        self.all.iter().map(|i| i.number).max().unwrap_or(0) + 1
    }

    /// Finds an incident by its name as typed: `I3`, `i3` or `3`.
    ///
    /// # Errors
    /// If there is no such incident.
    pub fn find(&self, asked: &str) -> Result<&Incident, IncidentError> {
        let number = asked.strip_prefix(['I', 'i']).unwrap_or(asked).parse().ok();
        let found = self.all.iter().find(|i| Some(i.number) == number);
        found.ok_or_else(|| IncidentError::Unknown {
            asked: asked.to_owned(),
            known: match self.all.as_slice() {
                [] => "none".to_owned(),
                [one] => one.name(),
                [.., last] => format!("I1 to {}", last.name()),
            },
        })
    }

    /// The open incidents.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Incident> {
        self.all.iter().filter(|i| i.closed().is_none())
    }

    /// The releases that open incidents link, directly or through a linked entry, each with the reason why it
    /// must be kept.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn releases(&self, ledger: &dyn Read) -> Result<BTreeMap<Digest, String>, IncidentError> {
        let mut needed = BTreeMap::new();
        for incident in self.open() {
            for link in &incident.links {
                let named = match link.what {
                    LinkKind::Release => link.id.parse().ok(),
                    LinkKind::Entry => match ledger.entry(link.entry)? {
                        Some(entry) => entry.parse().map_err(|e| unreadable(&entry, e))?.release(),
                        None => None,
                    },
                    _ => None,
                };
                if let Some(digest) = named {
                    needed
                        .entry(digest)
                        .or_insert_with(|| format!("{} is open and refers to it", incident.name()));
                }
            }
        }
        Ok(needed)
    }

    fn take(&mut self, entry: &Entry) -> Result<(), IncidentError> {
        let event = |what: What| Event {
            entry: entry.seq,
            stamp: entry.stamp.clone(),
            what,
        };
        let (number, what) = match entry.parse().map_err(|e| unreadable(entry, e))? {
            Payload::IncidentOpen(open) => {
                if open.incident != self.next() {
                    return Err(damaged(entry, "its number is not the next one"));
                }
                let opened = event(What::Opened);
                self.all.push(Incident {
                    number: open.incident,
                    title: open.title,
                    links: open.links,
                    events: vec![opened.clone()],
                    opened,
                });
                return Ok(());
            }
            Payload::IncidentLink(more) => (more.incident, What::Linked(more.links)),
            Payload::IncidentNote(note) => (note.incident, What::Noted(note.note)),
            Payload::IncidentRegression(of) => (of.incident, What::Regression(of.exported)),
            Payload::IncidentClose(close) => (
                close.incident,
                What::Closed {
                    resolution: close.resolution,
                    waived: close.waived,
                    cases: close.cases,
                },
            ),
            // A kind of [`KINDS`] without an arm above: skipping it would give a wrong state.
            _ => return Err(damaged(entry, "it is not about an incident")),
        };
        let incident = self
            .all
            .iter_mut()
            .find(|i| i.number == number)
            .ok_or_else(|| damaged(entry, "it names an incident that was never opened"))?;
        if let What::Linked(links) = &what {
            for link in links {
                let known = |l: &Link| l.what == link.what && l.id == link.id;
                if !incident.links.iter().any(known) {
                    incident.links.push(link.clone());
                }
            }
        }
        incident.events.push(event(what));
        Ok(())
    }
}
