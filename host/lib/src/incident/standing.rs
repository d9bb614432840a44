//! From the entries to incidents: which there are, open or closed, and all that was said of each.
//!
//! A pure function of entries. Nothing here is stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use provender_domain::canonical::Digest;
use provender_ledger::Read;
use provender_ledger::entry::{Entry, Kind, Stamp};

use super::IncidentError;
use super::link::{Link, Thing, damaged, payload};

/// Every kind of entry that says something about incidents.
pub const KINDS: [Kind; 5] = [
    Kind::IncidentOpen,
    Kind::IncidentLink,
    Kind::IncidentNote,
    Kind::IncidentRegression,
    Kind::IncidentClose,
];

/// A file of golden cases made of an incident's failing inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// Where it was written.
    pub file: String,
    /// SHA-256 of its bytes as written, before DS completed them.
    pub sha256: String,
    /// `name:version` that gave the failing answers.
    pub logic: String,
    /// The first version that the cases bind.
    pub since: String,
    /// Their names.
    pub cases: Vec<String>,
}

/// A regression case as it stood when the incident was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The file it stands in.
    pub file: String,
    /// SHA-256 of that file's bytes.
    pub sha256: String,
    /// Its name.
    pub case: String,
    /// What was checked: `passes days_remaining:v4`, or why no version was run.
    pub checked: String,
}

/// What an entry says of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It was opened.
    Opened,
    /// More of what it is about.
    Linked(Vec<Link>),
    /// Somebody's finding.
    Noted(String),
    /// Its failing inputs were written as golden cases.
    Regression(Exported),
    /// It was closed.
    Closed {
        /// How it was resolved.
        resolution: String,
        /// Why no regression case was asked for.
        waived: Option<String>,
        /// The regression cases.
        cases: Vec<Held>,
    },
}

/// One step of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its entry.
    pub entry: i64,
    /// Who, when.
    pub stamp: Stamp,
    /// What.
    pub what: What,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// 1, 2, 3, … in this ledger.
    pub number: u32,
    /// What went wrong, in a line.
    pub title: String,
    /// What it is about, each once, in the order of linking.
    pub links: Vec<Link>,
    /// Everything that was said of it, oldest first; the first is its opening.
    pub events: Vec<Event>,
    opened: Event,
}

impl Incident {
    /// `I3`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("I{}", self.number)
    }

    /// Its opening.
    #[must_use]
    pub fn opened(&self) -> &Event {
        &self.opened
    }

    /// Its closing; `None` while it is open.
    #[must_use]
    pub fn closed(&self) -> Option<&Event> {
        self.events
            .iter()
            .find(|e| matches!(e.what, What::Closed { .. }))
    }

    /// `open` or `closed`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.closed() {
            None => "open",
            Some(_) => "closed",
        }
    }

    /// The files of regression cases, the newest export of each.
    #[must_use]
    pub fn exported(&self) -> Vec<&Exported> {
        let mut seen = BTreeSet::new();
        let exports = self.events.iter().rev().filter_map(|e| match &e.what {
            What::Regression(exported) => Some(exported),
            _ => None,
        });
        let mut newest: Vec<_> = exports.filter(|e| seen.insert(e.file.clone())).collect();
        newest.reverse();
        newest
    }

    /// Its newest entry.
    #[must_use]
    pub fn newest(&self) -> i64 {
        self.events.last().map_or(self.opened.entry, |e| e.entry)
    }

    /// Refuses to go on with an incident that is closed.
    ///
    /// # Errors
    /// [`IncidentError::Closed`] then.
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

/// All incidents.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    /// By number.
    pub all: Vec<Incident>,
    /// Newest entry of the [`KINDS`]; 0 when there is none.
    pub last: i64,
}

impl Incidents {
    /// How the ledger says they stand.
    ///
    /// # Errors
    /// When the ledger cannot be read or an entry is not of the documented form.
    pub fn read(ledger: &dyn Read) -> Result<Incidents, IncidentError> {
        Incidents::of(&ledger.entries_of(&KINDS)?)
    }

    /// How they stand after these entries.
    ///
    /// # Errors
    /// When an entry is not of the documented form, or speaks of an incident that was never opened.
    pub fn of(entries: &[Entry]) -> Result<Incidents, IncidentError> {
        let mut incidents = Incidents::default();
        for entry in entries {
            incidents.take(entry)?;
            incidents.last = entry.seq;
        }
        Ok(incidents)
    }

    /// The number of the next one.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.all.iter().map(|i| i.number).max().unwrap_or(0) + 1
    }

    /// The incident that a person calls `I3`, `i3` or `3`.
    ///
    /// # Errors
    /// When there is none.
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

    /// Those that are not closed.
    pub fn open(&self) -> impl Iterator<Item = &Incident> {
        self.all.iter().filter(|i| i.closed().is_none())
    }

    /// The releases that open incidents refer to, each with the reason for which it must stay: those
    /// that are linked, and those that a linked entry names.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn releases(&self, ledger: &dyn Read) -> Result<BTreeMap<Digest, String>, IncidentError> {
        let mut needed = BTreeMap::new();
        for incident in self.open() {
            for link in &incident.links {
                let named = match link.what {
                    Thing::Release => Some(link.id.clone()),
                    Thing::Entry => match ledger.entry(link.entry)? {
                        Some(entry) => payload(&entry)?["release"].as_str().map(str::to_owned),
                        None => None,
                    },
                    _ => None,
                };
                if let Some(digest) = named.and_then(|d| d.parse().ok()) {
                    needed.entry(digest).or_insert_with(|| {
                        format!("{}, which is open, refers to it", incident.name())
                    });
                }
            }
        }
        Ok(needed)
    }

    fn take(&mut self, entry: &Entry) -> Result<(), IncidentError> {
        let payload = payload(entry)?;
        let number = payload["incident"]
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| damaged(entry, "it names no incident"))?;
        let event = |what: What| Event {
            entry: entry.seq,
            stamp: entry.stamp.clone(),
            what,
        };
        if entry.kind == Kind::IncidentOpen.name() {
            if number != self.next() {
                return Err(damaged(entry, "its number is not the next one"));
            }
            let opened = event(What::Opened);
            self.all.push(Incident {
                number,
                title: text(entry, &payload, "title")?,
                links: links(entry, &payload)?,
                events: vec![opened.clone()],
                opened,
            });
            return Ok(());
        }
        let what = what(entry, &payload)?;
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

fn text(entry: &Entry, payload: &Json, name: &str) -> Result<String, IncidentError> {
    let text = payload[name].as_str().map(str::to_owned);
    text.ok_or_else(|| damaged(entry, &format!("it has no {name}")))
}

fn links(entry: &Entry, payload: &Json) -> Result<Vec<Link>, IncidentError> {
    serde_json::from_value(payload["links"].clone()).map_err(|e| damaged(entry, &e.to_string()))
}

fn what(entry: &Entry, payload: &Json) -> Result<What, IncidentError> {
    let parse = |e: serde_json::Error| damaged(entry, &e.to_string());
    let is = |kind: Kind| entry.kind == kind.name();
    Ok(if is(Kind::IncidentLink) {
        What::Linked(links(entry, payload)?)
    } else if is(Kind::IncidentNote) {
        What::Noted(text(entry, payload, "note")?)
    } else if is(Kind::IncidentRegression) {
        What::Regression(serde_json::from_value(payload["exported"].clone()).map_err(parse)?)
    } else {
        What::Closed {
            resolution: text(entry, payload, "resolution")?,
            waived: payload["waived"].as_str().map(str::to_owned),
            cases: serde_json::from_value(payload["cases"].clone()).map_err(parse)?,
        }
    })
}
