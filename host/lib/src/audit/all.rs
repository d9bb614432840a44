//! The audit: runs every check in order, all on the ledger as it was at one moment.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::release::ReleaseStore;
use provender_domain::canonical::{Digest, Recipe};
use provender_domain::failpoint;
use provender_domain::interrupt::Interrupt;
use provender_ledger::entry::Kind;
use provender_ledger::inspect::Schema;
use provender_ledger::scan::Scan;
use provender_ledger::{Inspect, LedgerError, Read};
use provender_proof::{Checkpoint, continues};
use provender_sandbox::ComponentSearchPath;
use provender_store::manifest::Store;

use super::claims::Claims;
use super::error::AuditError;
use super::finding::{AuditReport, Check, ObjectKind};
use super::stored::Pinned;
use super::{facts, runs, stored};

/// Inputs of [`audit`].
pub struct Audit<'a> {
    /// The ledger to audit.
    pub ledger: &'a dyn Read,
    /// The manifests that its runs name.
    pub manifests: &'a Store,
    /// Folders in which components are searched by digest.
    pub search_path: &'a ComponentSearchPath,
    /// The pins of the lock file, or why the file cannot be read.
    pub pinned: Result<&'a [Pinned], &'a str>,
    /// The store of releases; `None` if the deployment has none.
    pub releases: Option<&'a ReleaseStore>,
    /// A checkpoint that was kept outside the ledger, to compare with.
    pub against: Option<&'a Checkpoint>,
    /// Stops the audit on request. A stopped audit returns an error, because half an audit proves nothing.
    pub interrupt: &'a Interrupt,
}

/// Runs every check. `begun` receives the number of runs, `tick` the number of runs done since its last call. A
/// check that reaches a damaged page of the database is dropped, and the report says so; checks that do not
/// need its result still run.
///
/// # Errors
/// If the ledger cannot be read at all, or if the audit was interrupted.
pub fn audit(
    what: &Audit<'_>,
    begun: &dyn Fn(u64),
    tick: &(dyn Fn(u64) + Sync),
) -> Result<AuditReport, AuditError> {
    let _phase = tracing::info_span!(target: "provender::phase", "audit").entered();
    // List the files before opening the ledger: a file listed now either has its row by then or is an orphan.
    let files = what.manifests.files();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // All readers see the same moment: one for small tables, one for SQLite's integrity check, and one per
    // thread that reads runs.
    let mut readers = what.ledger.readers(threads + 2)?;
    let (Some(own), Some(whole)) = (readers.pop(), readers.pop()) else {
        return Err(LedgerError::Damaged("its file has no name".to_owned()).into());
    };
    let snapshot = &*own;
    let singles: HashSet<&str> = files
        .iter()
        .flatten()
        .map(String::as_str)
        .filter(|f| f.ends_with(".json"))
        .collect();
    let mut findings = Findings::default();
    let (sound, scanned) = std::thread::scope(|scope| {
        let sound = scope.spawn(move || whole.integrity());
        let scanned = scan(
            what,
            (snapshot, readers),
            &singles,
            (begun, tick),
            &mut findings,
        );
        match sound.join() {
            Ok(sound) => (sound, scanned),
            // A panic in the thread is a bug of this program: pass it on.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    what.interrupt.check()?;
    let sound = findings.made(&[], sound)?;
    let seen = scanned?;
    let Findings {
        mut report,
        mut damage,
    } = findings;
    report.looked(Check::Database, 1);
    damage.extend(sound.into_iter().flatten());
    for problem in damage {
        report.bad(Check::Database, ObjectKind::Database, "ledger", problem);
    }
    match (files, seen) {
        (Ok(files), Some(seen)) => {
            report.orphans = files
                .into_iter()
                .filter(|f| !seen.manifests.contains(f))
                .collect();
        }
        (Err(e), _) => report.bad(
            Check::Manifests,
            ObjectKind::Manifest,
            "folder",
            e.to_string(),
        ),
        (Ok(_), None) => {}
    }
    report.sort();
    Ok(report)
}

/// What was found, and the damage that kept checks from reading the database further.
#[derive(Default)]
struct Findings {
    report: AuditReport,
    damage: BTreeSet<String>,
}

impl Findings {
    /// The result of a step. `None` if it reached a damaged page: its checks then count as not run.
    fn made<T>(
        &mut self,
        checks: &[Check],
        step: Result<T, LedgerError>,
    ) -> Result<Option<T>, LedgerError> {
        match step {
            Ok(found) => Ok(Some(found)),
            Err(LedgerError::Damaged(problem)) => {
                self.damage.insert(problem);
                for check in checks {
                    self.report.checked.remove(check);
                }
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// The report for a step with these checks. They count as run even if they find nothing to look at.
    fn begin(&mut self, checks: &[Check]) -> &mut AuditReport {
        for check in checks {
            self.report.looked(*check, 0);
        }
        &mut self.report
    }
}

/// The table with the ledger's id.
const IDENTITY: &str = "table identity";

fn schema(snapshot: &dyn Inspect, report: &mut AuditReport) -> Result<(), LedgerError> {
    let Schema { found, expected } = snapshot.schema()?;
    for (name, sql) in &expected {
        report.looked(Check::Schema, 1);
        match found.get(name) {
            None => report.bad(
                Check::Schema,
                ObjectKind::Schema,
                name.as_str(),
                "it is missing",
            ),
            Some(other) if other != sql => report.bad(
                Check::Schema,
                ObjectKind::Schema,
                name.as_str(),
                "it differs from this program's schema",
            ),
            Some(_) => {}
        }
    }
    for name in found.keys().filter(|n| !expected.contains_key(*n)) {
        let problem = "it is not part of this program's schema";
        report.bad(Check::Schema, ObjectKind::Schema, name.as_str(), problem);
    }
    // No entry's hash covers the ledger's id. It is kept twice.
    if found.contains_key(IDENTITY) {
        match snapshot.id() {
            Err(LedgerError::Damaged(problem)) => {
                report.bad(Check::Schema, ObjectKind::Schema, IDENTITY, problem);
            }
            id => drop(id?),
        }
    }
    Ok(())
}

/// What runs refer to; `None` if damage kept the runs from being read.
fn scan(
    what: &Audit<'_>,
    (snapshot, readers): (&dyn Inspect, Vec<Box<dyn Inspect>>),
    singles: &HashSet<&str>,
    (begun, tick): (&dyn Fn(u64), &(dyn Fn(u64) + Sync)),
    findings: &mut Findings,
) -> Result<Option<runs::Seen>, LedgerError> {
    let runs = Scan::begin(readers);
    begun(runs.as_ref().map_or(0, |scan| scan.runs));
    let checks = [Check::Schema];
    let step = schema(snapshot, findings.begin(&checks));
    findings.made(&checks, step)?;
    let checks = [Check::Entries];
    let step = Claims::read(snapshot, findings.begin(&checks));
    let claims = findings.made(&checks, step)?;
    let seen = match &claims {
        Some(claims) => against_claims(what, (snapshot, runs), (claims, singles), tick, findings)?,
        // Without the entries there is nothing to compare the rows with.
        None => None,
    };
    let nothing = BTreeMap::new();
    let named = seen.as_ref().map_or(&nothing, |seen| &seen.components);
    findings.report.add(stored(what, claims.as_ref(), named));
    // Nobody can vouch for components whose runs are unknown.
    if seen.is_none() {
        findings.report.checked.remove(&Check::Components);
    }
    if claims.is_none() {
        findings.report.checked.remove(&Check::Releases);
    }
    Ok(seen)
}

/// Checks the release store and the component files. These are read now, while the entries date from the start
/// of the audit. A release pruned since then is not expected in the store.
fn stored(
    what: &Audit<'_>,
    claims: Option<&Claims>,
    named: &BTreeMap<Digest, String>,
) -> AuditReport {
    let (known, moment) = match claims {
        Some(claims) => (&claims.releases[..], claims.leaves.len()),
        None => (&[][..], 0),
    };
    let mut pruned = Vec::new();
    loop {
        let mut found = AuditReport::default();
        for check in [Check::Components, Check::Releases] {
            found.looked(check, 0);
        }
        let entries = [known, &pruned].concat();
        let (pins, search_path) = (what.pinned, what.search_path);
        stored::components(
            &entries,
            pins,
            search_path,
            what.releases,
            named,
            &mut found,
        );
        if found.bad.is_empty() {
            return found;
        }
        let mut since = match what.ledger.entries_of_kinds(&[Kind::Prune]) {
            Ok(since) => since,
            Err(e) => {
                let problem = format!("the entries about later prunes cannot be read: {e}");
                found.bad(Check::Database, ObjectKind::Database, "ledger", problem);
                return found;
            }
        };
        since.retain(|e| usize::try_from(e.seq.get()).is_ok_and(|seq| seq > moment));
        if since.len() <= pruned.len() {
            return found;
        }
        pruned = since;
    }
}

fn against_claims(
    what: &Audit<'_>,
    (snapshot, runs): (&dyn Inspect, Result<Scan, LedgerError>),
    (claims, singles): (&Claims, &HashSet<&str>),
    tick: &(dyn Fn(u64) + Sync),
    findings: &mut Findings,
) -> Result<Option<runs::Seen>, LedgerError> {
    let size = claims.leaves.len() as u64;
    findings.report.tree = Some((size, Digest::from_parts(Recipe::Raw, claims.root())));
    if let Some(old) = what.against {
        let report = &mut findings.report;
        report.looked(Check::Checkpoint, 1);
        match continues(old, &claims.leaves) {
            Ok(proof) => report.consistency = proof,
            Err(problem) => {
                report.bad(
                    Check::Checkpoint,
                    ObjectKind::Checkpoint,
                    old.origin.as_str(),
                    problem.to_string(),
                );
            }
        }
    }
    let checks = [Check::Files];
    let step = facts::files(snapshot, claims, findings.begin(&checks));
    if let Some(of_entry) = findings.made(&checks, step)? {
        let checks = [Check::Facts];
        let step = facts::rows(snapshot, claims, of_entry, findings.begin(&checks));
        findings.made(&checks, step)?;
    }
    let checks = [Check::Reports];
    let step = stored::reports(snapshot, claims, findings.begin(&checks));
    findings.made(&checks, step)?;
    let checks = [Check::Runs, Check::Configs, Check::Manifests];
    let report = findings.begin(&checks);
    failpoint::hit("audit.before-runs");
    let files = (what.manifests, singles);
    let follow = runs::Follow {
        tick,
        interrupt: what.interrupt,
    };
    let step = runs.and_then(|runs| runs::check((snapshot, runs), claims, files, report, follow));
    findings.made(&checks, step)
}
