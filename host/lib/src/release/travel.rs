//! Exports and imports releases: a release moves to another deployment together with its evidence.

use provender_domain::ids::ModelVersion;
use provender_ledger::EntryNumber;
use std::collections::BTreeMap;

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_ledger::entries::{Approval, CheckVerdict, ReleaseImport, ReportKind};
use provender_ledger::entry::{Kind, Stamp};
use provender_ledger::retry::{retry, unless_moved};
use provender_ledger::{Payload, Read, Write};

use super::ReleaseError;
use super::archive::Archive;
use super::cut::{Snapshot, watched};
use super::evidence::{Evidence, EvidenceFinding};
use super::state::{Known, Note, ReleaseState};
use super::store::ReleaseStore;

/// The archive of a release with its evidence, which includes approvals.
///
/// # Errors
/// If a file of the release is missing or differs from its digest.
pub fn export(
    ledger: &dyn Read,
    store: &ReleaseStore,
    standing: &ReleaseState,
    release: &Known,
) -> Result<Archive, ReleaseError> {
    let mut components = BTreeMap::new();
    for component in &release.document.components {
        components.insert(component.sha256, store.component(component)?);
    }
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut reports = BTreeMap::new();
    for note in standing
        .notes
        .iter()
        .filter(|n| n.release == release.digest)
    {
        let found = match note.approval() {
            Some(approval) => Some(consent(note, approval)),
            None => note.evidence(),
        };
        let Some(found) = found.filter(|e| !evidence.contains(e)) else {
            continue;
        };
        if let Some(digest) = found.report
            && let Some(report) = ledger.document(digest)?
            // Only reports that the importing side can check by their digest.
            && Digest::of_canonical(report.body.as_bytes()) == digest
        {
            reports.insert(digest, (report.kind, report.body));
        }
        evidence.push(found);
    }
    Ok(Archive {
        document: release.document.clone(),
        components,
        evidence,
        reports,
    })
}

/// An approval as evidence. Elsewhere it shows who approved, but it does not count as an approval there.
fn consent(note: &Note, approval: &Approval) -> Evidence {
    let finding = EvidenceFinding {
        kind: ReportKind::Approval,
        verdict: CheckVerdict::Ok,
        rows: 1,
        report: None,
        summary: format!(
            "{} as {}: {}",
            note.stamp.actor,
            approval.role,
            note.stamp.reason.as_deref().unwrap_or_default()
        ),
    };
    Evidence::new(note.release, finding, &approval.environment, &note.stamp)
}

/// The result of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The release.
    pub release: Known,
    /// Whether the release was new here, or its files had been pruned.
    pub new: bool,
    /// The number of new pieces of evidence.
    pub evidence: usize,
    /// Versions that the import froze.
    pub frozen: Vec<ModelVersion>,
}

/// Imports the release of an archive, which was checked when it was read. Known things stay unchanged, and
/// missing files are restored.
///
/// # Errors
/// If another release has its number, or if one of its versions is frozen here with other bytes.
pub fn import(
    ledger: &dyn Write,
    store: &ReleaseStore,
    archive: &Archive,
    sha256: Digest,
    stamp: &Stamp,
) -> Result<Imported, ReleaseError> {
    let document = &archive.document;
    let digest = document.digest()?;
    // Check before anything is written.
    check(&Snapshot::read(ledger)?, archive, &digest)?;
    for bytes in archive.components.values() {
        store.add_component(bytes)?;
    }
    failpoint::hit("import.after-components");
    store.add_document(document)?;
    for (report, (kind, body)) in &archive.reports {
        ledger.record_report(stamp, *kind, *report, body)?;
    }
    retry(|| {
        let now = Snapshot::read(ledger)?;
        check(&now, archive, &digest)?;
        let known: Vec<Evidence> = now
            .standing
            .notes_of(Kind::Evidence, &digest)
            .filter_map(Note::evidence)
            .collect();
        let (mut entries, frozen) = now.freezes(document)?;
        let there = now
            .standing
            .known(&digest)
            .is_some_and(|k| k.pruned.is_none());
        if !there {
            entries.push(Payload::ReleaseImport(ReleaseImport {
                release: digest,
                number: document.number,
                document: document.to_json()?,
                origin: document.cut.environment.clone(),
                archive: sha256,
            }));
        }
        let is_new = |e: &&Evidence| !known.contains(e);
        let fresh: Vec<&Evidence> = archive.evidence.iter().filter(is_new).collect();
        for evidence in &fresh {
            entries.push(evidence.payload(document.number, Some(&sha256))?);
        }
        failpoint::hit("import.before-ledger");
        if !entries.is_empty() {
            // Watch evidence too: of two simultaneous imports, one must see what the other recorded.
            let watched: Vec<Kind> = watched().into_iter().chain([Kind::Evidence]).collect();
            let seen = now
                .standing
                .notes
                .iter()
                .filter(|n| n.payload.kind() == Kind::Evidence);
            let last = seen
                .map(|n| n.entry)
                .max()
                .unwrap_or(EntryNumber::NONE)
                .max(now.last);
            let appended = ledger.append_expecting(stamp, &entries, &watched, last);
            if unless_moved(appended)?.is_none() {
                return Ok(None);
            }
        }
        failpoint::hit("import.after-ledger");
        let standing = ReleaseState::read(ledger, EntryNumber::LATEST)?;
        let release = standing.known(&digest).cloned().ok_or_else(|| {
            ReleaseError::damaged("the ledger", "the imported release is not in it")
        })?;
        Ok(Some(Imported {
            release,
            new: !there,
            evidence: fresh.len(),
            frozen,
        }))
    })
}

fn check(now: &Snapshot, archive: &Archive, digest: &Digest) -> Result<(), ReleaseError> {
    let number = archive.document.number;
    let taken = now
        .standing
        .releases
        .iter()
        .find(|k| k.document.number == number && k.digest != *digest);
    if let Some(ours) = taken {
        return Err(ReleaseError::NumberTaken {
            number: archive.document.name(),
            theirs: digest.to_string(),
            ours: ours.digest.to_string(),
            cut: ours.document.cut.at.clone(),
            by: ours.document.cut.by.clone(),
        });
    }
    now.freezes(&archive.document).map(|_| ())
}
