//! Opens, links, notes and closes incidents. Each action is one entry, appended only if what it was decided on
//! has not changed.

use provender_ledger::EntryNumber;
use provender_ledger::entries::{
    IncidentClose, IncidentLink, IncidentNote, IncidentOpen, IncidentRegression,
};
use provender_ledger::entry::{Entry, Kind, Stamp};
use provender_ledger::retry::{retry_always, unless_moved};
use provender_ledger::{LedgerError, Payload, Write};

use super::IncidentError;
use super::link::Link;
use super::state::{ExportedCases, Incident, Incidents, KINDS, RegressionCase};

/// Opens an incident. Returns its number and its entry. Two people who open one at the same time get two
/// numbers.
///
/// # Errors
/// If the ledger cannot be read or written.
pub fn open(
    ledger: &dyn Write,
    stamp: &Stamp,
    title: &str,
    links: &[Link],
) -> Result<(u32, EntryNumber), IncidentError> {
    // If another process was faster, the next number is different: try again.
    retry_always(|| {
        let incidents = Incidents::read(ledger)?;
        let number = incidents.next();
        let payload = Payload::IncidentOpen(IncidentOpen {
            incident: number,
            title: title.to_owned(),
            links: links.to_vec(),
        });
        let entry = first(ledger.append_expecting(stamp, &[payload], &KINDS, incidents.last))?;
        Ok(entry.map(|entry| (number, entry)))
    })
}

/// Links what is not linked yet. Returns the new links and the entry, `None` if everything was linked already.
///
/// # Errors
/// If the incident is closed, or the ledger cannot be read or written.
pub fn link(
    ledger: &dyn Write,
    stamp: &Stamp,
    asked: &str,
    links: &[Link],
) -> Result<(Vec<Link>, Option<EntryNumber>), IncidentError> {
    let incidents = Incidents::read(ledger)?;
    let incident = incidents.find(asked)?;
    incident.must_be_open()?;
    let known = |l: &&Link| {
        let same = |o: &Link| o.what == l.what && o.id == l.id;
        !incident.links.iter().any(same)
    };
    let new: Vec<Link> = links.iter().filter(known).cloned().collect();
    if new.is_empty() {
        return Ok((new, None));
    }
    let payload = Payload::IncidentLink(IncidentLink {
        incident: incident.number,
        links: new.clone(),
    });
    let entry = append(ledger, stamp, incident, incidents.last, payload)?;
    Ok((new, Some(entry)))
}

/// Adds a note. A closed incident can also be noted.
///
/// # Errors
/// If the ledger cannot be read or written.
pub fn note(
    ledger: &dyn Write,
    stamp: &Stamp,
    asked: &str,
    text: &str,
) -> Result<EntryNumber, IncidentError> {
    let incidents = Incidents::read(ledger)?;
    let incident = incidents.find(asked)?;
    let payload = Payload::IncidentNote(IncidentNote {
        incident: incident.number,
        note: text.to_owned(),
    });
    append(ledger, stamp, incident, incidents.last, payload)
}

/// Records a file of regression cases. `None` if exactly this file is already recorded.
///
/// # Errors
/// If the incident is closed, or the ledger cannot be read or written.
pub(crate) fn exported(
    ledger: &dyn Write,
    stamp: &Stamp,
    asked: &str,
    exported: &ExportedCases,
) -> Result<Option<EntryNumber>, IncidentError> {
    let incidents = Incidents::read(ledger)?;
    let incident = incidents.find(asked)?;
    incident.must_be_open()?;
    if incident.exported().contains(&exported) {
        return Ok(None);
    }
    let payload = Payload::IncidentRegression(IncidentRegression {
        incident: incident.number,
        exported: exported.clone(),
    });
    append(ledger, stamp, incident, incidents.last, payload).map(Some)
}

/// Closes an incident with its passing regression cases, or with the reason why there are none. The caller has
/// checked the cases.
///
/// # Errors
/// If it is already closed, if there are neither cases nor a waiver, if something was recorded about it since
/// `looked_at` was read, or if the ledger cannot be read or written.
pub fn close(
    ledger: &dyn Write,
    stamp: &Stamp,
    looked_at: &Incident,
    resolution: &str,
    waived: Option<&str>,
    cases: &[RegressionCase],
) -> Result<EntryNumber, IncidentError> {
    let incidents = Incidents::read(ledger)?;
    let incident = incidents.find(&looked_at.name())?;
    incident.must_be_open()?;
    if incident.newest() != looked_at.newest() {
        return Err(IncidentError::Overtaken(incident.name()));
    }
    if cases.is_empty() && waived.is_none() {
        return Err(IncidentError::NotReady {
            incident: incident.name(),
            problem: "it has no regression case".to_owned(),
            written: false,
        });
    }
    let payload = Payload::IncidentClose(IncidentClose {
        incident: incident.number,
        resolution: resolution.to_owned(),
        waived: waived.map(str::to_owned),
        cases: cases.to_vec(),
    });
    append(ledger, stamp, incident, incidents.last, payload)
}

fn append(
    ledger: &dyn Write,
    stamp: &Stamp,
    incident: &Incident,
    last: EntryNumber,
    payload: Payload,
) -> Result<EntryNumber, IncidentError> {
    let kind = payload.kind();
    let entries = [payload];
    let mut last = last;
    retry_always(|| {
        let appended = first(ledger.append_expecting(stamp, &entries, &KINDS, last))?;
        if appended.is_none() {
            // The new entry may be about another incident. If it is about this one, it stops a close; links and
            // exports are stopped only if it closed the incident, and notes never.
            let now = Incidents::read(ledger)?;
            let same = now.find(&incident.name())?;
            if kind != Kind::IncidentNote {
                same.must_be_open()?;
            }
            if kind == Kind::IncidentClose && same.newest() != incident.newest() {
                return Err(IncidentError::Overtaken(incident.name()));
            }
            last = now.last;
        }
        Ok(appended)
    })
}

/// The number of the first appended entry; `None` if another process was faster.
fn first(appended: Result<Vec<Entry>, LedgerError>) -> Result<Option<EntryNumber>, LedgerError> {
    let appended = unless_moved(appended)?;
    Ok(appended.map(|entries| entries.first().map_or(EntryNumber::NONE, |e| e.seq)))
}
