//! Open, link, note and close: each is one entry, appended only while what it was decided by still
//! stands.

use provender_ledger::entries::{
    IncidentClose, IncidentLink, IncidentNote, IncidentOpen, IncidentRegression,
};
use provender_ledger::entry::{Entry, Kind, Stamp};
use provender_ledger::retry::{retry_always, unless_moved};
use provender_ledger::{LedgerError, Payload, Write};

use super::IncidentError;
use super::link::Link;
use super::standing::{ExportedCases, Incident, Incidents, KINDS, RegressionCase};

/// Opens an incident; its number and its entry. Two people who open one at once get two numbers.
///
/// # Errors
/// When the ledger refuses.
pub fn open(
    ledger: &dyn Write,
    stamp: &Stamp,
    title: &str,
    links: &[Link],
) -> Result<(u32, i64), IncidentError> {
    // Where somebody else is faster, the next number is another one.
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

/// Adds what is not linked yet; the entry, or `None` when all of it was.
///
/// # Errors
/// When the incident is closed, or the ledger refuses.
pub fn link(
    ledger: &dyn Write,
    stamp: &Stamp,
    asked: &str,
    links: &[Link],
) -> Result<(Vec<Link>, Option<i64>), IncidentError> {
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

/// Adds a finding, also to an incident that is closed.
///
/// # Errors
/// When the ledger refuses.
pub fn note(
    ledger: &dyn Write,
    stamp: &Stamp,
    asked: &str,
    text: &str,
) -> Result<i64, IncidentError> {
    let incidents = Incidents::read(ledger)?;
    let incident = incidents.find(asked)?;
    let payload = Payload::IncidentNote(IncidentNote {
        incident: incident.number,
        note: text.to_owned(),
    });
    append(ledger, stamp, incident, incidents.last, payload)
}

/// Records a file of regression cases; `None` when that very file is recorded already.
///
/// # Errors
/// When the incident is closed, or the ledger refuses.
pub fn exported(
    ledger: &dyn Write,
    stamp: &Stamp,
    asked: &str,
    exported: &ExportedCases,
) -> Result<Option<i64>, IncidentError> {
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

/// Closes an incident with the regression cases that hold, or with the reason for which there are
/// none. The caller has checked the cases.
///
/// # Errors
/// When it is closed already, neither cases nor a waiver are given, something was recorded of it
/// since it was looked at, or the ledger refuses.
pub fn close(
    ledger: &dyn Write,
    stamp: &Stamp,
    looked_at: &Incident,
    resolution: &str,
    waived: Option<&str>,
    cases: &[RegressionCase],
) -> Result<i64, IncidentError> {
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
    last: i64,
    payload: Payload,
) -> Result<i64, IncidentError> {
    let kind = payload.kind();
    let entries = [payload];
    let mut last = last;
    retry_always(|| {
        let appended = first(ledger.append_expecting(stamp, &entries, &KINDS, last))?;
        if appended.is_none() {
            // What was recorded meanwhile may be of another incident; of this one, only its closing
            // matters to what adds to it, and anything to what closes it.
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

/// The number of the first entry that was appended, or `None` where another process was faster.
fn first(appended: Result<Vec<Entry>, LedgerError>) -> Result<Option<i64>, LedgerError> {
    let appended = unless_moved(appended)?;
    Ok(appended.map(|entries| entries.first().map_or(0, |e| e.seq)))
}
