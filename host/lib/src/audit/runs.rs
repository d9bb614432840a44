//! Checks runs against the roots of their batches, configurations and series against what refers to them, and
//! each manifest against its run.
//!
//! Threads read rows in parallel. Rows of one pack stay together, so each pack is opened once.

use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::replay::{ManifestRecord, Packed};
use provender_domain::canonical::Digest;
use provender_domain::interrupt::Interrupt;
use provender_domain::key::{ManifestRef, RunKey};
use provender_domain::merkle::Hash;
use provender_ledger::inspect::Unreadable;
use provender_ledger::located::Located;
use provender_ledger::scan::{Reader, RunGroup, Scan, ScannedRun};
use provender_ledger::types::NewRun;
use provender_ledger::{Inspect, LedgerError};
use provender_store::manifest::{ManifestError, Store};

use super::claims::Claims;
use super::finding::{AuditReport, Check, ObjectKind};
use super::lists::{self, Sums};
use super::referred;

/// How a scan of runs reports progress and is stopped.
#[derive(Clone, Copy)]
pub(super) struct Follow<'a> {
    /// Receives the number of runs done since the last call, from any thread.
    pub tick: &'a (dyn Fn(u64) + Sync),
    /// Stops the scan on request.
    pub interrupt: &'a Interrupt,
}

/// What the scan of runs found for other checks to use.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Manifests and packs that runs name, as paths in the store.
    pub manifests: HashSet<String>,
    /// Packs that runs name.
    pub packs: BTreeSet<Digest>,
    /// Components that runs name, each with the first run that names it.
    pub components: BTreeMap<Digest, String>,
}

/// Checks runs with their manifests, packs, configurations and series. `singles` are the manifests that have a
/// file of their own; a manifest in a pack may also have one.
///
/// # Errors
/// If the database cannot be read further.
pub(super) fn check(
    (snapshot, scan): (&dyn Inspect, Scan),
    claims: &Claims,
    (manifests, singles): (&Store, &HashSet<&str>),
    report: &mut AuditReport,
    follow: Follow<'_>,
) -> Result<Seen, LedgerError> {
    let mut whole = Part::default();
    whole.unreadable(scan.unreadable);
    let empty = whole.sums.empty();
    let worker = |mut reader: Reader| {
        let mut part = Part {
            sums: empty.clone(),
            ..Part::default()
        };
        loop {
            match reader.read() {
                Ok(Some(_)) if follow.interrupt.is_asked() => return (part, Ok(())),
                Ok(Some(runs)) => {
                    let span = tracing::debug_span!(
                        target: "provender::audit",
                        "runs",
                        runs = tracing::field::Empty,
                    )
                    .entered();
                    let looked_at = part.chunk(claims, (manifests, singles), runs);
                    span.record("runs", looked_at);
                    (follow.tick)(looked_at);
                }
                Ok(None) => return (part, Ok(())),
                Err(e) => return (part, Err(e)),
            }
        }
    };
    let parts: Vec<(Part, Result<(), LedgerError>)> = std::thread::scope(|scope| {
        let readers = scan.readers.into_iter();
        let workers: Vec<_> = readers
            .map(|reader| scope.spawn(|| worker(reader)))
            .collect();
        workers
            .into_iter()
            .map(|w| match w.join() {
                Ok(part) => part,
                // A panic in a worker is a bug of this program: pass it on.
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    let mut scanned = Ok(());
    for (part, ended) in parts {
        whole.join(part);
        scanned = scanned.and(ended);
    }
    whole.report.bad.sort();
    merge(report, whole.report);
    scanned?;
    let unsound = batches(claims, whole.leaves, &whole.sound, report);
    lists::check(snapshot, &whole.sums, &unsound, report)?;
    referred::packs(snapshot, claims, &whole.seen.packs, report)?;
    // If a run cannot be read, it may be the only run of its series, so series are not checked then.
    let series = whole.all_read.then_some(&whole.series);
    referred::configs(snapshot, series, report)?;
    Ok(whole.seen)
}

fn merge(report: &mut AuditReport, other: AuditReport) {
    for (check, n) in other.checked {
        report.looked(check, n);
    }
    report.bad.extend(other.bad);
}

fn located(stored: &ScannedRun, id: &Digest) -> Located {
    Located::new(stored.series, stored.run.key.calculation_date, id)
}

/// The findings of one thread.
struct Part {
    report: AuditReport,
    sums: Sums,
    leaves: HashMap<EntryNumber, Vec<Hash>>,
    /// Entries whose rows are complete and match their root; their leaves have been dropped to save memory.
    sound: HashSet<EntryNumber>,
    seen: Seen,
    /// Series that have at least one run.
    series: HashSet<i64>,
    /// Whether every row could be read.
    all_read: bool,
    /// Buffer for the text of a run, reused.
    room: Vec<u8>,
}

impl Default for Part {
    fn default() -> Part {
        Part {
            report: AuditReport::default(),
            sums: Sums::default(),
            leaves: HashMap::new(),
            sound: HashSet::new(),
            seen: Seen::default(),
            series: HashSet::new(),
            all_read: true,
            room: Vec::new(),
        }
    }
}

impl Part {
    fn unreadable(&mut self, rows: Vec<Unreadable>) {
        for row in rows {
            self.all_read = false;
            self.report.looked(Check::Runs, 1);
            self.report
                .bad(Check::Runs, ObjectKind::Run, row.id, row.problem);
        }
    }

    /// Checks runs that were read together. Returns how many there were.
    fn chunk(&mut self, claims: &Claims, files: (&Store, &HashSet<&str>), runs: RunGroup) -> u64 {
        let RunGroup { runs, unreadable } = runs;
        let rows = runs.len() + unreadable.len();
        self.unreadable(unreadable);
        self.series.extend(runs.iter().map(|stored| stored.series));
        let pack = |stored: &ScannedRun| stored.run.place.map(|p| p.pack);
        let mut leaves: HashMap<EntryNumber, Vec<Hash>> = HashMap::new();
        for together in runs.chunk_by(|a, b| pack(a) == pack(b)) {
            match together.first().and_then(pack) {
                Some(digest) => self.pack(claims, files, (&digest, together), &mut leaves),
                None => together.iter().for_each(|r| self.run(claims, files.0, r)),
            }
        }
        for (entry, leaves) in leaves {
            let claim = claims.batches.get(&entry);
            let whole = claim.is_some_and(|c| c.rows.count == leaves.len() as u64);
            match whole && claim.is_some_and(|c| c.rows.check(leaves.clone()).is_ok()) {
                true => {
                    self.sound.insert(entry);
                }
                false => self.leaves.entry(entry).or_default().extend(leaves),
            }
        }
        rows as u64
    }

    fn run(&mut self, claims: &Claims, manifests: &Store, stored: &ScannedRun) {
        let (entry, run) = (stored.entry, &stored.run);
        self.report.looked(Check::Runs, 1);
        self.leaves
            .entry(entry)
            .or_default()
            .push(run.leaf_in(&mut self.room));
        let id = || format!("{} ({})", run.key.run_id().short(), run.key);
        let Some(batch) = claims.batches.get(&entry) else {
            let problem = format!("it names entry {entry}, which recorded no runs");
            return self.report.bad(Check::Runs, ObjectKind::Run, id(), problem);
        };
        self.sums.add(entry, located(stored, &run.key.run_id()));
        self.report.looked(Check::Manifests, 1);
        let path = manifests.path_of(run.manifest_ref());
        match manifest(manifests, run) {
            Err(problem) => {
                self.report.bad(
                    Check::Manifests,
                    ObjectKind::Manifest,
                    path.as_str(),
                    problem,
                );
            }
            Ok(component) => {
                if batch.component != component {
                    let problem = format!(
                        "it names the component {component}, but entry {entry} names another"
                    );
                    self.report.bad(
                        Check::Manifests,
                        ObjectKind::Manifest,
                        path.as_str(),
                        problem,
                    );
                }
                self.seen.components.entry(component).or_insert_with(id);
            }
        }
        self.seen.manifests.insert(path);
    }

    /// Checks runs whose manifests are in the same pack.
    fn pack(
        &mut self,
        claims: &Claims,
        (manifests, singles): (&Store, &HashSet<&str>),
        (digest, runs): (&Digest, &[ScannedRun]),
        leaves: &mut HashMap<EntryNumber, Vec<Hash>>,
    ) {
        self.report.looked(Check::Runs, runs.len() as u64);
        self.report.looked(Check::Manifests, runs.len() as u64);
        self.seen.packs.insert(*digest);
        self.seen.manifests.insert(manifests.pack_path(digest));
        let pack = match manifests.open_pack(digest) {
            Ok(pack) => Some(pack),
            Err(e) => {
                let path = manifests.pack_path(digest);
                let problem = format!("{}; {} runs name it", manifest_problem(e), runs.len());
                self.report
                    .bad(Check::Manifests, ObjectKind::Pack, path, problem);
                None
            }
        };
        let mut packed = pack.as_ref().map(Packed::new);
        let id = |run: &NewRun| format!("{} ({})", run.key.run_id().short(), run.key);
        for stored in runs {
            let (entry, run) = (&stored.entry, &stored.run);
            leaves
                .entry(*entry)
                .or_default()
                .push(run.leaf_in(&mut self.room));
            let Some(batch) = claims.batches.get(entry) else {
                let problem = format!("it names entry {entry}, which recorded no runs");
                self.report
                    .bad(Check::Runs, ObjectKind::Run, id(run), problem);
                continue;
            };
            if !singles.is_empty() {
                let alone = ManifestRef {
                    place: None,
                    ..run.manifest_ref()
                };
                let path = manifests.path_of(alone);
                if singles.contains(path.as_str()) {
                    self.seen.manifests.insert(path);
                }
            }
            let Some(packed) = &mut packed else {
                self.sums.add(*entry, located(stored, &run.key.run_id()));
                continue;
            };
            let path = || manifests.path_of(run.manifest_ref());
            let run_id = packed.check(run).unwrap_or_else(|problem| {
                self.report
                    .bad(Check::Manifests, ObjectKind::Manifest, path(), problem);
                run.key.run_id()
            });
            self.sums.add(*entry, located(stored, &run_id));
            let component = packed.component();
            if batch.component != component {
                let problem =
                    format!("it names the component {component}, but entry {entry} names another");
                self.report
                    .bad(Check::Manifests, ObjectKind::Manifest, path(), problem);
            }
            let first = self.seen.components.entry(component);
            first.or_insert_with(|| id(run));
        }
    }

    fn join(&mut self, other: Part) {
        merge(&mut self.report, other.report);
        self.sums.join(other.sums);
        self.sound.extend(other.sound);
        self.series.extend(other.series);
        self.all_read &= other.all_read;
        self.seen.packs.extend(other.seen.packs);
        for (entry, leaves) in other.leaves {
            self.leaves.entry(entry).or_default().extend(leaves);
        }
        self.seen.manifests.extend(other.seen.manifests);
        for (digest, run) in other.seen.components {
            let first = self.seen.components.entry(digest).or_insert(run.clone());
            // Name the same run regardless of which thread came first.
            if run < *first {
                *first = run;
            }
        }
    }
}

fn manifest_problem(e: ManifestError) -> String {
    match e {
        ManifestError::Io { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
            "it is missing".to_owned()
        }
        ManifestError::Io { cause, .. } => format!("it cannot be read: {cause}"),
        ManifestError::Damaged { problem, .. } => problem,
        other => other.to_string(),
    }
}

/// The component that a run's manifest names; the error says what is wrong with the manifest.
fn manifest(store: &Store, run: &NewRun) -> Result<Digest, String> {
    let manifest = store.read(run.manifest_ref()).map_err(manifest_problem)?;
    let record = ManifestRecord::read(&manifest)?;
    let of = |key: &RunKey| key.to_string();
    if record.key != run.key {
        return Err(format!(
            "it belongs to {}, but its run is {}",
            of(&record.key),
            of(&run.key)
        ));
    }
    if record.provenance != run.provenance {
        return Err(format!(
            "its provenance is {}, but its run's is {}",
            record.provenance, run.provenance
        ));
    }
    Ok(record.component)
}

/// Compares each batch with its entry. Returns the entries whose runs differ.
fn batches(
    claims: &Claims,
    mut leaves: HashMap<EntryNumber, Vec<Hash>>,
    sound: &HashSet<EntryNumber>,
    report: &mut AuditReport,
) -> HashSet<EntryNumber> {
    let mut unsound = HashSet::new();
    for (entry, batch) in &claims.batches {
        let found = leaves.remove(entry).unwrap_or_default();
        let problem = match (sound.contains(entry), found.len()) {
            (true, 0) => continue,
            (true, more) => format!(
                "the entry recorded {} rows, but there are {more} more",
                batch.rows.count
            ),
            (false, _) => match batch.rows.check(found) {
                Ok(()) => continue,
                Err(problem) => problem,
            },
        };
        unsound.insert(*entry);
        report.bad(
            Check::Runs,
            ObjectKind::Batch,
            format!("entry {entry}"),
            problem,
        );
    }
    unsound
}
