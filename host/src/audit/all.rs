//! The audit: every check in turn, at one moment of the ledger.

use std::collections::{BTreeSet, HashSet};

use crate::domain::canonical::{Digest, Recipe};
use crate::ledger::LedgerError;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::sqlite::inspect::{Snapshot, expected_schema};
use crate::ledger::sqlite::scan::Scan;
use crate::logic::Shelf;
use crate::manifest::Store;
use crate::release::ReleaseStore;

use super::checkpoint::{self, Checkpoint};
use super::claims::Claims;
use super::finding::{Check, Report};
use super::stored::Pinned;
use super::{facts, runs, stored};

/// What is audited.
pub struct Audit<'a> {
    /// The ledger.
    pub ledger: &'a SqliteLedger,
    /// Its manifests.
    pub manifests: &'a Store,
    /// Where components are looked for.
    pub shelf: &'a Shelf,
    /// What the lock file pins, or why it cannot be read.
    pub pinned: Result<&'a [Pinned], &'a str>,
    /// The store of releases, where there is one.
    pub releases: Option<&'a ReleaseStore>,
    /// A checkpoint kept elsewhere.
    pub against: Option<&'a Checkpoint>,
}

/// Makes every check. `begun` is told how many runs there are, `tick` how many are done. What cannot be
/// read is bad, and the checks after it are made all the same where they can be.
///
/// # Errors
/// When the ledger cannot be read at all.
pub fn audit(
    what: &Audit<'_>,
    begun: &dyn Fn(u64),
    tick: &(dyn Fn(u64) + Sync),
) -> Result<Report, LedgerError> {
    // Before the ledger is looked at: a manifest that is found has its row by then, unless it has none.
    let files = what.manifests.files();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // All of one moment: one for the rows that are few, one for SQLite's own check of its file, one for each
    // thread that reads runs.
    let mut readers = what.ledger.beside(threads + 2)?;
    let (Some(own), Some(whole)) = (readers.pop(), readers.pop()) else {
        return Err(LedgerError::Damaged("its file has no name".to_owned()));
    };
    let snapshot = own.held();
    let mut report = Report::default();
    let singles: HashSet<&str> = files
        .iter()
        .flatten()
        .map(String::as_str)
        .filter(|f| f.ends_with(".json"))
        .collect();
    let (sound, scanned) = std::thread::scope(|scope| {
        let sound = scope.spawn(move || whole.held().integrity());
        let scanned = scan(
            what,
            (&snapshot, readers),
            &singles,
            (begun, tick),
            &mut report,
        );
        match sound.join() {
            Ok(sound) => (sound, scanned),
            // A panic of a thread is a defect of this program and goes on as one.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    report.looked(Check::Database, 1);
    let mut problems: BTreeSet<String> = BTreeSet::new();
    match sound {
        Ok(found) => problems.extend(found),
        Err(LedgerError::Damaged(problem)) => problems.extend([problem]),
        Err(e) => return Err(e),
    }
    let seen = match scanned {
        Ok(seen) => Some(seen),
        Err(LedgerError::Damaged(problem)) => {
            problems.insert(problem);
            None
        }
        Err(e) => return Err(e),
    };
    for problem in problems {
        report.bad(Check::Database, "database", "ledger", problem);
    }
    match (files, seen) {
        (Ok(files), Some(seen)) => {
            report.orphans = files
                .into_iter()
                .filter(|f| !seen.manifests.contains(f))
                .collect();
        }
        (Err(e), _) => report.bad(Check::Manifests, "manifest", "folder", e.to_string()),
        (Ok(_), None) => {}
    }
    report.sort();
    Ok(report)
}

fn schema(snapshot: &Snapshot<'_>, report: &mut Report) -> Result<(), LedgerError> {
    let expected = expected_schema(snapshot.version()?)?;
    let found = snapshot.schema()?;
    for (name, sql) in &expected {
        report.looked(Check::Schema, 1);
        match found.get(name) {
            None => report.bad(Check::Schema, "schema", name.as_str(), "it is not there"),
            Some(other) if other != sql => report.bad(
                Check::Schema,
                "schema",
                name.as_str(),
                "it is not what this program makes",
            ),
            Some(_) => {}
        }
    }
    for name in found.keys().filter(|n| !expected.contains_key(*n)) {
        let problem = "this program makes no such thing";
        report.bad(Check::Schema, "schema", name.as_str(), problem);
    }
    Ok(())
}

fn scan(
    what: &Audit<'_>,
    (snapshot, readers): (&Snapshot<'_>, Vec<SqliteLedger>),
    singles: &HashSet<&str>,
    (begun, tick): (&dyn Fn(u64), &(dyn Fn(u64) + Sync)),
    report: &mut Report,
) -> Result<runs::Seen, LedgerError> {
    schema(snapshot, report)?;
    // Where a page of theirs is damaged, everything but runs is looked at all the same.
    let runs = Scan::begin(readers);
    begun(runs.as_ref().map_or(0, |scan| scan.runs));
    report.looked(Check::Entries, 0);
    let claims = Claims::read(snapshot, report)?;
    let size = claims.leaves.len() as u64;
    report.tree = Some((size, Digest::from_parts(Recipe::Raw, claims.root())));
    if let Some(old) = what.against {
        report.looked(Check::Checkpoint, 1);
        match checkpoint::continues(old, &claims.leaves) {
            Ok(proof) => report.consistency = proof,
            Err(problem) => {
                report.bad(
                    Check::Checkpoint,
                    "checkpoint",
                    old.origin.as_str(),
                    problem,
                );
            }
        }
    }
    // A check that had nothing to look at was made all the same.
    for check in [Check::Files, Check::Facts] {
        report.looked(check, 0);
    }
    facts::check(snapshot, &claims, report)?;
    report.looked(Check::Reports, 0);
    stored::reports(snapshot, &claims, report)?;
    for check in [Check::Runs, Check::Configs, Check::Manifests] {
        report.looked(check, 0);
    }
    let files = (what.manifests, singles);
    let seen = runs::check((snapshot, runs?), &claims, files, report, tick)?;
    for check in [Check::Components, Check::Releases] {
        report.looked(check, 0);
    }
    stored::components(
        &claims,
        what.pinned,
        what.shelf,
        what.releases,
        &seen.components,
        report,
    );
    Ok(seen)
}
