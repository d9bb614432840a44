//! Finds what an incident is about. Only things that are recorded in the ledger can be linked.

use provender_ledger::EntryNumber;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::explain::find::{Wanted, find};
use crate::monitor::stored::{begins, digests};
use crate::release::ReleaseState;
use provender_domain::canonical::{Digest, from_slice};
use provender_domain::key::ManifestRef;
use provender_ledger::entries::ReportKind;
use provender_ledger::entry::{Entry, Kind};
use provender_ledger::types::{Run, RunFilter};
use provender_ledger::{LedgerError, PayloadError, Read};
use provender_store::manifest::Store;

use super::IncidentError;
use super::state::Incidents;

pub use provender_ledger::entries::{Link, LinkKind};

fn link(what: LinkKind, id: String, entry: EntryNumber, about: String) -> Link {
    Link {
        what,
        id,
        entry,
        about,
        snapshot_id: None,
        manifest: None,
    }
}

/// What the user asked to link, as typed.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// Reports: a digest, its beginning, or `latest`.
    pub reports: &'a [String],
    /// Releases: `R3`, `3`, or the beginning of a digest.
    pub releases: &'a [String],
    /// Runs by id.
    pub runs: &'a [String],
    /// Manifests by snapshot id or path.
    pub manifests: &'a [String],
    /// Replays, by their entry.
    pub replays: &'a [EntryNumber],
    /// Entries by number.
    pub entries: &'a [EntryNumber],
    /// Other incidents: `I3`.
    pub incidents: &'a [String],
}

/// How many failing runs of a report are linked automatically; the report itself names them all.
pub(crate) const RUNS_OF_A_REPORT: usize = 50;

/// Finds everything that is asked for, in the order report, release, run, manifest, replay, entry, incident. A
/// thing that is named twice is linked once.
///
/// # Errors
/// If something is not recorded, or if a name is ambiguous.
pub fn resolve(
    ledger: &dyn Read,
    manifests: &Store,
    standing: &ReleaseState,
    incidents: &Incidents,
    asked: &Asked<'_>,
) -> Result<Vec<Link>, IncidentError> {
    let mut links = Vec::new();
    for text in asked.reports {
        links.push(report(ledger, text)?);
    }
    for text in asked.releases {
        links.push(release(standing, text)?);
    }
    for text in asked.runs {
        let found = find(ledger, &Wanted::Id(text.clone()))?.run;
        links.push(run(manifests, &found)?);
    }
    for text in asked.manifests {
        links.push(run(manifests, &by_manifest(ledger, manifests, text)?)?);
    }
    for seq in asked.replays {
        links.push(entry(ledger, *seq, Some(Kind::Replay))?);
    }
    for seq in asked.entries {
        links.push(entry(ledger, *seq, None)?);
    }
    for text in asked.incidents {
        let other = incidents.find(text)?;
        let opened = other.opened();
        links.push(link(
            LinkKind::Incident,
            other.name(),
            opened.entry,
            other.title.clone(),
        ));
    }
    let mut seen = BTreeSet::new();
    links.retain(|l| seen.insert((l.what, l.id.clone())));
    Ok(links)
}

/// A link to a recorded run. Reads its manifest, so that only a run with an intact manifest is linked.
///
/// # Errors
/// If the manifest cannot be read or differs from what was recorded.
pub(crate) fn run(manifests: &Store, run: &Run) -> Result<Link, IncidentError> {
    let key = &run.run.key;
    manifests.read(run.run.manifest_ref())?;
    Ok(Link {
        snapshot_id: Some(run.run.snapshot.to_string()),
        manifest: Some(manifests.path_of(run.run.manifest_ref())),
        ..link(
            LinkKind::Run,
            key.run_id().to_string(),
            run.entry,
            key.to_string(),
        )
    })
}

/// The run that a snapshot id or the path of a manifest names.
fn by_manifest(ledger: &dyn Read, manifests: &Store, text: &str) -> Result<Run, IncidentError> {
    let hex = text.strip_prefix("sha256-jcs-v1:").unwrap_or(text);
    let digits = is_beginning(hex);
    let is_it = |r: &Run| {
        let named = r.run.manifest_ref();
        let exported = ManifestRef {
            place: None,
            ..named
        };
        let is = |named| text.ends_with(&manifests.path_of(named));
        r.run.snapshot.hex().starts_with(hex) && digits || is(named) || is(exported)
    };
    let all = ledger.runs(&RunFilter::default())?;
    let mut hits: Vec<Run> = all.into_iter().filter(is_it).collect();
    // Runs with different keys never share a snapshot, so several hits are ambiguous.
    match hits.len() {
        1 => Ok(hits.remove(0)),
        0 => Err(IncidentError::NotRecorded {
            what: format!("manifest {text}"),
            problem: "no recorded run has this manifest; `provender explain` shows each run's snapshot and manifest".to_owned(),
        }),
        _ => Err(IncidentError::Ambiguous {
            asked: text.to_owned(),
            what: "manifests",
            found: hits
                .iter()
                .map(|r| r.run.snapshot.short())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

fn is_beginning(hex: &str) -> bool {
    hex.len() >= 6 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

fn release(standing: &ReleaseState, text: &str) -> Result<Link, IncidentError> {
    let known = standing.find(text)?;
    let d = &known.document;
    Ok(link(
        LinkKind::Release,
        known.digest.to_string(),
        known.entry,
        format!("{}: {}", d.name(), d.active.join(", ")),
    ))
}

/// Finds a report by its digest, the beginning of it, or `latest`.
///
/// # Errors
/// If no report matches, or several do.
pub(crate) fn report(ledger: &dyn Read, text: &str) -> Result<Link, IncidentError> {
    let mut hits = digests(ledger)?;
    hits.retain(|(_, digest, ..)| text == "latest" || begins(digest, text));
    if text == "latest" {
        hits = hits.pop().into_iter().collect();
    }
    match hits.as_slice() {
        [(seq, digest, kind, _)] => {
            let about = about_report(ledger, *digest, *kind)?;
            Ok(link(LinkKind::Report, digest.to_string(), *seq, about))
        }
        [] => Err(IncidentError::NotRecorded {
            what: format!("report {text}"),
            problem: "no report has this digest; `provender monitor` records a report and prints its digest, `latest` means the newest".to_owned(),
        }),
        several => Err(IncidentError::Ambiguous {
            asked: text.to_owned(),
            what: "reports",
            found: several
                .iter()
                .map(|(_, d, ..)| d.short())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// Parses a recorded document as JSON.
pub(super) fn read_document(digest: Digest, body: &str) -> Result<Json, LedgerError> {
    from_slice(body.as_bytes()).map_err(|e| {
        LedgerError::Damaged(format!("document {} cannot be read: {e}", digest.short()))
    })
}

fn about_report(
    ledger: &dyn Read,
    digest: Digest,
    kind: ReportKind,
) -> Result<String, IncidentError> {
    let body = match ledger.document(digest)? {
        Some(report) => read_document(digest, &report.body)?,
        None => Json::Null,
    };
    let (status, window) = (&body["status"], &body["window"]);
    Ok(
        match (
            status.as_str(),
            window["start"].as_str(),
            window["end"].as_str(),
        ) {
            (Some(status), Some(start), Some(end)) => format!("{kind} {status}: {start} to {end}"),
            (Some(status), ..) => format!("{kind} {status}"),
            _ => kind.to_string(),
        },
    )
}

fn entry(ledger: &dyn Read, seq: EntryNumber, kind: Option<Kind>) -> Result<Link, IncidentError> {
    let found = ledger
        .entry(seq)?
        .filter(|e| kind.is_none_or(|k| e.kind == k.name()));
    let Some(found) = found else {
        let what = kind.map_or("entry", |k| k.name());
        return Err(IncidentError::NotRecorded {
            what: format!("{what} {seq}"),
            problem: format!("the ledger has no {what} with this number"),
        });
    };
    let thing = if found.kind == Kind::Replay.name() {
        LinkKind::Replay
    } else {
        LinkKind::Entry
    };
    let why = found.stamp.reason.as_deref();
    let about = why.map_or_else(
        || found.kind.clone(),
        |why| format!("{}: {why}", found.kind),
    );
    Ok(link(thing, seq.to_string(), seq, about))
}

/// The failing runs that a monitor's report names, each once, at most `RUNS_OF_A_REPORT`, and how many it
/// names in total.
///
/// # Errors
/// If the report or a run's manifest cannot be read.
pub fn failing_of(
    ledger: &dyn Read,
    manifests: &Store,
    report: &Link,
) -> Result<(Vec<Link>, usize), IncidentError> {
    let digest: Digest = report.id.parse().map_err(|_| IncidentError::NotRecorded {
        what: report.name(),
        problem: "it has no digest".to_owned(),
    })?;
    let Some(report) = ledger.document(digest)? else {
        return Ok((Vec::new(), 0));
    };
    let body = read_document(digest, &report.body)?;
    let groups = ["fleet", "series"]
        .into_iter()
        .flat_map(|name| body[name].as_array().into_iter().flatten());
    let mut ids = Vec::new();
    let mut seen = BTreeSet::new();
    for row in groups.flat_map(|g| g["failing"].as_array().into_iter().flatten()) {
        if let Some(id) = row["run_id"].as_str()
            && seen.insert(id.to_owned())
        {
            ids.push(id.to_owned());
        }
    }
    let mut links = Vec::new();
    for id in ids.iter().take(RUNS_OF_A_REPORT) {
        let found = find(ledger, &Wanted::Id(id.clone()))?.run;
        links.push(run(manifests, &found)?);
    }
    Ok((links, ids.len()))
}

/// The error for an entry that cannot be read.
pub(super) fn unreadable(entry: &Entry, error: PayloadError) -> IncidentError {
    match error {
        PayloadError::Malformed { cause, .. } => damaged(entry, &cause.to_string()),
        other => damaged(entry, &other.to_string()),
    }
}

pub(super) fn damaged(entry: &Entry, problem: &str) -> IncidentError {
    IncidentError::Damaged {
        entry: entry.seq,
        kind: entry.kind.clone(),
        problem: problem.to_owned(),
    }
}
