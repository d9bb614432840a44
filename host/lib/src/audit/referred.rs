//! Checks what runs refer to: packs, configurations and series. Each must be named by something recorded.

use provender_ledger::EntryNumber;
use std::collections::{BTreeSet, HashSet};

use provender_domain::canonical::{Digest, Recipe, hex};
use provender_ledger::inspect::PackRow;
use provender_ledger::{Inspect, LedgerError};

use super::claims::Claims;
use super::finding::{AuditReport, Check, ObjectKind};

/// Checks packs: each is named by its entry and by at least one run.
pub(super) fn packs(
    snapshot: &dyn Inspect,
    claims: &Claims,
    named: &BTreeSet<Digest>,
    report: &mut AuditReport,
) -> Result<(), LedgerError> {
    let mut missing: BTreeSet<(EntryNumber, Digest)> = claims
        .batches
        .iter()
        .flat_map(|(entry, batch)| batch.packs.iter().map(|p| (*entry, *p)))
        .collect();
    snapshot.scan_packs(&mut |scanned| {
        let PackRow { digest, entry, .. } = match scanned {
            Ok(row) => row,
            Err(e) => return report.bad(Check::Manifests, ObjectKind::Pack, e.id, e.problem),
        };
        let digest = Digest::from_parts(Recipe::Raw, digest);
        let mut bad = |problem: String| {
            report.bad(
                Check::Manifests,
                ObjectKind::Pack,
                digest.to_string(),
                problem,
            );
        };
        if !missing.remove(&(entry, digest)) {
            bad(format!("it names entry {entry}, which names no such pack"));
        } else if !named.contains(&digest) {
            bad("no run has its manifest in it, so no entry recorded it".to_owned());
        }
    })?;
    for (entry, digest) in missing {
        let problem = format!("entry {entry} names it, but it is missing");
        report.bad(
            Check::Manifests,
            ObjectKind::Pack,
            digest.to_string(),
            problem,
        );
    }
    Ok(())
}

/// Checks configurations by their digests. A configuration that no run and no series refers to was recorded by
/// no entry.
pub(super) fn configs(
    snapshot: &dyn Inspect,
    with_runs: Option<&HashSet<i64>>,
    report: &mut AuditReport,
) -> Result<(), LedgerError> {
    let mut used: BTreeSet<i64> = BTreeSet::new();
    snapshot.scan_series(&mut |scanned| match scanned {
        Ok((series, config)) => {
            used.insert(config);
            if with_runs.is_some_and(|known| !known.contains(&series)) {
                report.bad(
                    Check::Configs,
                    ObjectKind::Series,
                    format!("series {series}"),
                    "no run belongs to it, so no entry recorded it",
                );
            }
        }
        Err(e) => report.bad(Check::Configs, ObjectKind::Series, e.id, e.problem),
    })?;
    snapshot.scan_configs(&mut |scanned| {
        report.looked(Check::Configs, 1);
        let config = match scanned {
            Ok(config) => config,
            Err(e) => return report.bad(Check::Configs, ObjectKind::Config, e.id, e.problem),
        };
        let found = Digest::of_canonical(config.canonical.as_bytes());
        if *found.bytes() != config.digest {
            let problem = format!("its text has the digest {found}");
            report.bad(
                Check::Configs,
                ObjectKind::Config,
                hex(&config.digest),
                problem,
            );
        } else if !used.contains(&config.config_id) {
            let problem = "no series refers to it, so no entry recorded it";
            report.bad(
                Check::Configs,
                ObjectKind::Config,
                found.to_string(),
                problem,
            );
        }
    })
}
