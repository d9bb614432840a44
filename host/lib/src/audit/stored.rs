//! Checks documents in the ledger, and components and releases stored beside it.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet};

use crate::release::{ReleaseState, ReleaseStore};
use provender_domain::canonical::{Digest, Recipe};
use provender_ledger::entry::Entry;
use provender_ledger::{Inspect, LedgerError};
use provender_sandbox::ComponentSearchPath;

use super::claims::{Claims, DocumentClaim};
use super::finding::{AuditReport, Check, ObjectKind};

/// A component that the lock file pins.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Path of its file.
    pub path: String,
    /// The digest that the lock file pins.
    pub sha256: Digest,
    /// The digest of the file's bytes, or why they cannot be read.
    pub found: Result<Digest, String>,
}

/// Checks documents against their entries.
///
/// # Errors
/// If the database cannot be read further.
pub(super) fn reports(
    snapshot: &dyn Inspect,
    claims: &Claims,
    report: &mut AuditReport,
) -> Result<(), LedgerError> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    snapshot.scan_reports(&mut |scanned| {
        report.looked(Check::Reports, 1);
        let row = match scanned {
            Ok(row) => row,
            Err(e) => return report.bad(Check::Reports, ObjectKind::Report, e.id, e.problem),
        };
        let digest = Digest::from_parts(Recipe::JcsV1, row.digest);
        let entry = row.entry;
        let id = format!("{} ({})", digest.short(), row.kind);
        let Some(claim) = claims.documents.get(&entry) else {
            let problem = format!("it names entry {entry}, which recorded no document");
            return report.bad(Check::Reports, ObjectKind::Report, id, problem);
        };
        let row = DocumentClaim {
            kind: row.kind,
            digest: digest.to_string(),
            sha256: Digest::of_bytes(row.body.as_bytes()).to_string(),
        };
        let raw = Digest::from_parts(Recipe::Raw, *digest.bytes()).to_string();
        for (column, found, claimed) in [
            ("kind", &row.kind, &claim.kind),
            ("digest", &row.digest, &claim.digest),
            ("SHA-256", &row.sha256, &claim.sha256),
        ] {
            if found != claimed && !(column == "digest" && *claimed == raw) {
                let problem =
                    format!("its {column} is {found}, but entry {entry} recorded {claimed}");
                report.bad(Check::Reports, ObjectKind::Report, id.as_str(), problem);
            }
        }
        found.insert(row.digest);
        found.insert(raw);
    })?;
    for (entry, claim) in &claims.documents {
        if !found.contains(&claim.digest) {
            let problem = format!("entry {entry} recorded it, but it is missing");
            report.bad(
                Check::Reports,
                ObjectKind::Report,
                claim.digest.as_str(),
                problem,
            );
        }
    }
    Ok(())
}

/// Checks releases in the store, and every component that the lock file, a run or a release names. `entries`
/// are those that decide the state of releases.
pub(super) fn components(
    entries: &[Entry],
    pinned: Result<&[Pinned], &str>,
    search_path: &ComponentSearchPath,
    releases: Option<&ReleaseStore>,
    runs: &BTreeMap<Digest, String>,
    report: &mut AuditReport,
) {
    let pinned = pinned.unwrap_or_else(|problem| {
        let problem = format!("{problem}; the components it pins were not checked");
        let lock = "provender.lock";
        report.bad(Check::Components, ObjectKind::Lock, lock, problem);
        &[]
    });
    for pin in pinned {
        report.looked(Check::Components, 1);
        let problem = match &pin.found {
            Ok(found) if *found == pin.sha256 => continue,
            Ok(found) => format!(
                "its bytes have the digest {found}, but {} is pinned",
                pin.sha256
            ),
            Err(problem) => problem.clone(),
        };
        let id = format!("{} ({})", pin.model_version, pin.path);
        report.bad(Check::Components, ObjectKind::Component, id, problem);
    }
    let mut named: BTreeMap<Digest, String> = runs.clone();
    match ReleaseState::of(entries) {
        Err(e) => report.bad(
            Check::Releases,
            ObjectKind::Release,
            "entries",
            e.to_string(),
        ),
        Ok(standing) => {
            for known in standing.releases.iter().filter(|k| k.pruned.is_none()) {
                report.looked(Check::Releases, 1);
                let id = format!("release {}", known.document.number);
                let problems = match releases {
                    Some(store) => store.problems(&known.digest, &known.document),
                    None => vec!["the folder of releases is missing".to_owned()],
                };
                for problem in problems {
                    report.bad(Check::Releases, ObjectKind::Release, id.as_str(), problem);
                }
                for component in &known.document.components {
                    let by = format!("{} of {id}", component.model_version());
                    named.entry(component.sha256).or_insert(by);
                }
            }
        }
    }
    for (digest, by) in named {
        report.looked(Check::Components, 1);
        if let Err(e) = search_path.find(&digest) {
            let id = format!("{} (of {by})", digest.short());
            report.bad(Check::Components, ObjectKind::Component, id, e.to_string());
        }
    }
}
