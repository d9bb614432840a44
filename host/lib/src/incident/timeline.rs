//! An incident's own entries and those of what it links, in ledger order.

use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::release::state::{DECIDING, KNOWING};
use provender_domain::render::text::count;
use provender_ledger::entry::{Entry, Kind};
use provender_ledger::{LedgerError, Payload, Read};

use super::IncidentError;
use super::link::{Link, LinkKind};
use super::state::{Event, Incident, What};

/// A step of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "TimelineStep")]
pub struct Step {
    /// Sequence number of its entry.
    pub entry: EntryNumber,
    /// When (RFC 3339, UTC).
    pub at: String,
    /// Who.
    pub by: String,
    /// What happened, as a clause.
    pub what: String,
    /// Whether the entry is about the incident itself.
    pub own: bool,
    /// Hash of the entry, so that an auditor can find it.
    pub hash: String,
}

/// All steps: the incident's own entries, the entries that recorded what it links, and the release decisions
/// made while it was open.
///
/// # Errors
/// If the ledger cannot be read.
pub fn steps(ledger: &dyn Read, incident: &Incident) -> Result<Vec<Step>, IncidentError> {
    let mut sentences: BTreeMap<EntryNumber, (String, bool)> = BTreeMap::new();
    for (seq, text) in of_links(&incident.links) {
        let _ = sentences.insert(seq, (text, false));
    }
    // Starts at the first run or report in question, because a linked release may be much older.
    let in_question = incident
        .links
        .iter()
        .filter(|l| matches!(l.what, LinkKind::Run | LinkKind::Report))
        .map(|l| l.entry);
    let first = in_question
        .chain([incident.opened().entry])
        .min()
        .unwrap_or_default();
    let last = incident.closed().map_or(EntryNumber::LATEST, |e| e.entry);
    let kinds: Vec<Kind> = DECIDING
        .into_iter()
        .chain(KNOWING)
        .chain([
            Kind::Retract,
            Kind::Reissue,
            Kind::GateDecision,
            Kind::CanaryStart,
            Kind::CanaryStop,
        ])
        .collect();
    for entry in ledger.entries_of_kinds(&kinds)? {
        let within = (first..=last).contains(&entry.seq);
        if within && !sentences.contains_key(&entry.seq) {
            let _ = sentences.insert(entry.seq, (decided(&entry)?, false));
        }
    }
    for event in &incident.events {
        let _ = sentences.insert(event.entry, (own(event, incident), true));
    }
    let mut steps = Vec::new();
    for (seq, (what, own)) in sentences {
        if let Some(entry) = ledger.entry(seq)? {
            let reason = entry.stamp.reason.as_deref();
            let what = match reason.filter(|r| !own && !what.contains(r)) {
                Some(reason) => format!("{what}: {reason}"),
                None => what,
            };
            steps.push(Step {
                entry: seq,
                what,
                own,
                hash: entry.digest().to_string(),
                at: entry.stamp.at,
                by: entry.stamp.actor,
            });
        }
    }
    Ok(steps)
}

/// The entries that recorded what is linked. Runs of one batch share a step.
fn of_links(links: &[Link]) -> Vec<(EntryNumber, String)> {
    let mut batches: BTreeMap<EntryNumber, usize> = BTreeMap::new();
    let mut out = Vec::new();
    for link in links {
        match link.what {
            LinkKind::Run => *batches.entry(link.entry).or_default() += 1,
            LinkKind::Incident => {}
            LinkKind::Report => out.push((link.entry, format!("{} ({})", link.name(), link.about))),
            LinkKind::Release => out.push((link.entry, format!("{} became known", link.about))),
            LinkKind::Replay | LinkKind::Entry => out.push((link.entry, link.about.clone())),
        }
    }
    for (entry, runs) in batches {
        out.push((
            entry,
            format!(
                "recorded {} that the incident links",
                count(runs as u64, "run")
            ),
        ));
    }
    out
}

fn decided(entry: &Entry) -> Result<String, LedgerError> {
    Ok(match entry.parse()? {
        Payload::Promotion(p) => match &p.overridden {
            Some(why) => format!("R{} promoted, the gate overridden ({why})", p.change.number),
            None => format!("R{} promoted", p.change.number),
        },
        Payload::Rollback(back) => format!("rolled back to R{}", back.number),
        Payload::Hold(_) => "promotions frozen".to_owned(),
        Payload::Unhold(_) => "promotions unfrozen".to_owned(),
        Payload::ReleaseCut(cut) => format!("R{} cut", cut.number),
        Payload::ReleaseImport(import) => format!("R{} imported", import.number),
        Payload::GateDecision(gate) => {
            let word = if gate.passes { "lets in" } else { "refuses" };
            format!("the gate {word} R{}: {}", gate.number, gate.why)
        }
        Payload::CanaryStart(canary) => format!("canary of R{} started", canary.number),
        Payload::CanaryStop(canary) => format!("canary of R{} stopped", canary.number),
        Payload::Reissue(runs) => format!("{} reissued", count(runs.count, "run")),
        Payload::Retract(_) => "a file withdrawn".to_owned(),
        _ => entry.kind.clone(),
    })
}

fn own(event: &Event, incident: &Incident) -> String {
    match &event.what {
        What::Opened => format!("{} opened: {}", incident.name(), incident.title),
        What::Linked(links) => {
            let mut seen = BTreeSet::new();
            let names = links
                .iter()
                .map(Link::name)
                .filter(|n| seen.insert(n.clone()));
            format!("linked {}", names.collect::<Vec<_>>().join(", "))
        }
        What::Noted(text) => format!("note: {text}"),
        What::Regression(exported) => format!(
            "{} of {} written to {}, for DS to complete",
            count(exported.cases.len() as u64, "golden case"),
            exported.logic,
            exported.file
        ),
        What::Closed {
            resolution, waived, ..
        } => match waived {
            None => format!("closed: {resolution}"),
            Some(why) => format!("closed: {resolution} (no regression case: {why})"),
        },
    }
}
