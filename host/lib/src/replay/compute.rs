//! Loads components and computes runs again, in parallel.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json};

use provender_domain::canonical::{Digest, from_slice, to_text};
use provender_domain::column::Column;
use provender_domain::failpoint;
use provender_domain::interrupt::Interrupt;
use provender_domain::key::{ManifestRef, Place, RunKey};
use provender_domain::value::{Scalar, Value};
use provender_ledger::types::NewRun;
use provender_proof::{ManifestRecord, ProvenRun};
use provender_sandbox::{
    Component, ComponentSearchError, ComponentSearchPath, ExitKind, PinLimits, Sandbox,
    stated_language,
};
use provender_store::manifest::{Manifest, ManifestError, Store};

use super::packs;
use super::verdict::{Cause, Difference, Failure, ReplayResults};

/// A replay may burn this many times the fuel of a first computation.
const FUEL: u64 = 10;
/// Runs whose manifests are in memory at once, for each thread.
const CHUNK: usize = 500;

/// A run to compute again, as the ledger or a bundle names it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The run's key.
    pub(crate) key: RunKey,
    /// Digest of everything that determines the number.
    pub(crate) provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub(crate) snapshot: Digest,
    /// SHA-256 of the manifest's bytes.
    pub(crate) manifest: Digest,
    /// The pack and row of the manifest, if it has no file of its own.
    pub(crate) place: Option<Place>,
    /// Canonical JSON list of the outputs in declared order.
    pub(crate) outputs: String,
}

impl Subject {
    /// Identifies its manifest in the store.
    #[must_use]
    pub(crate) fn manifest_ref(&self) -> ManifestRef<'_> {
        ManifestRef {
            key: &self.key,
            snapshot: &self.snapshot,
            sha256: &self.manifest,
            place: self.place,
        }
    }

    /// The subject for a run of the ledger.
    #[must_use]
    pub fn of(run: &NewRun) -> Subject {
        Subject::from(run.clone())
    }
}

impl From<ProvenRun> for Subject {
    fn from(run: ProvenRun) -> Subject {
        Subject {
            key: run.key,
            provenance: run.provenance,
            snapshot: run.snapshot,
            manifest: run.manifest,
            // A bundle contains the manifest itself.
            place: None,
            outputs: run.outputs,
        }
    }
}

impl From<NewRun> for Subject {
    fn from(run: NewRun) -> Subject {
        Subject {
            key: run.key,
            provenance: run.provenance,
            snapshot: run.snapshot,
            manifest: run.manifest,
            place: run.place,
            outputs: run.outputs,
        }
    }
}

/// Where manifests are read from.
pub enum Manifests<'a> {
    /// A store.
    Store(&'a Store),
    /// The only manifest of a bundle.
    One(&'a Manifest),
}

/// Computes recorded runs again.
pub struct Replayer<'a> {
    /// The sandbox, on the backend that the user chose.
    pub sandbox: &'a Sandbox,
    /// Where components are searched.
    pub search_path: &'a ComponentSearchPath,
    /// Where manifests are read from.
    pub manifests: Manifests<'a>,
    /// Ceilings recorded with a component's version, by its digest.
    pub ceilings: HashMap<Digest, PinLimits>,
    /// Checked between two chunks of runs for a request to stop.
    pub interrupt: Interrupt,
}

/// Cause, code and message.
pub(super) type Trouble = (Cause, String, String);

pub(super) type Loaded = Result<Component, Trouble>;

impl Replayer<'_> {
    /// Computes runs again. `tick` is called with the number of finished runs, from any thread. If the work is
    /// interrupted, the results cover the runs computed by then and record the interruption.
    pub fn replay(&self, subjects: &[Subject], tick: &(dyn Fn(usize) + Sync)) -> ReplayResults {
        let mut order: Vec<&Subject> = subjects.iter().collect();
        order.sort_by_key(|s| s.place);
        let pack = |s: &Subject| s.place.map(|p| p.pack);
        let chunks: Vec<&[&Subject]> = order
            .chunk_by(|a, b| pack(a) == pack(b))
            .flat_map(|of_pack| match of_pack.first().and_then(|s| s.place) {
                Some(_) => of_pack.chunks(of_pack.len()),
                None => of_pack.chunks(CHUNK),
            })
            .collect();
        let (chunks, place) = (&chunks, &AtomicUsize::new(0));
        let next = || -> Result<_, Infallible> {
            let chunk = chunks.get(place.fetch_add(1, Ordering::Relaxed));
            Ok(chunk.map(|chunk| chunk.iter().map(|s| (*s).clone()).collect()))
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        match self.replay_each(vec![next; threads], tick) {
            Ok(verdict) => verdict,
            Err(never) => match never {},
        }
    }

    /// Like [`Replayer::replay`], but reads runs while others are computed. Each reader runs on a thread of its own. It
    /// returns runs of one pack, or some runs with manifests of their own, until there are none left.
    ///
    /// # Errors
    /// If a reader fails.
    pub fn replay_each<E: Send>(
        &self,
        readers: Vec<impl FnMut() -> Result<Option<Vec<Subject>>, E> + Send>,
        tick: &(dyn Fn(usize) + Sync),
    ) -> Result<ReplayResults, E> {
        let _phase = tracing::info_span!(target: "provender::phase", "replay").entered();
        // Components are loaded one at a time, when first needed. The lock is held while loading so that no component
        // is compiled twice.
        let components: Mutex<HashMap<Digest, Loaded>> = Mutex::default();
        let component = |digest: &Digest| {
            let mut held = components.lock().unwrap_or_else(PoisonError::into_inner);
            held.entry(*digest)
                .or_insert_with(|| self.load(digest))
                .clone()
        };
        failpoint::hit("replay.before-chunks");
        let within = tracing::Span::current();
        let parts: Vec<Result<ReplayResults, E>> = std::thread::scope(|scope| {
            let (component, within) = (&component, &within);
            let workers: Vec<_> = readers
                .into_iter()
                .map(|mut next| {
                    scope.spawn(move || {
                        let _within = within.enter();
                        let mut own = ReplayResults::default();
                        while let Some(chunk) = next()? {
                            if self.interrupt.is_asked() {
                                own.interrupted = true;
                                break;
                            }
                            own.extend(self.chunk(&chunk, component));
                            tick(chunk.len());
                        }
                        own.sort();
                        Ok(own)
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| match worker.join() {
                    Ok(own) => own,
                    // A panic of a worker is a bug in this program, so it continues as a panic.
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        });
        let mut verdict = ReplayResults::default();
        for part in parts {
            verdict.extend(part?);
        }
        verdict.sort();
        Ok(verdict)
    }

    fn load(&self, digest: &Digest) -> Loaded {
        let bytes = self.search_path.find(digest).map_err(|e| {
            let cause = match e {
                ComponentSearchError::Missing { .. } => Cause::ComponentMissing,
                ComponentSearchError::Damaged { .. } => Cause::Integrity,
                ComponentSearchError::Io { .. } => Cause::Host,
            };
            (cause, e.code().to_owned(), e.to_string())
        })?;
        let base = self.sandbox.limits();
        let recorded = self.ceilings.get(digest);
        let usual = PinLimits::for_language(&stated_language(&bytes));
        // Ceilings do not change numbers: what was computed below one is the same below a higher one. The ceilings at
        // recording time are no longer known, so the maximum is used. Fuel has its own factor.
        let room = PinLimits {
            fuel_base: None,
            fuel_per_row: None,
            ..PinLimits::MAX
        };
        let mut own = recorded.cloned().unwrap_or(usual).max_of_each(&room);
        let more = |own: Option<u64>, base: u64| Some(own.unwrap_or(base).saturating_mul(FUEL));
        own.fuel_base = more(own.fuel_base, base.fuel_base);
        own.fuel_per_row = more(own.fuel_per_row, base.fuel_per_row);
        self.sandbox
            .load_with_limits(&digest.to_string(), &bytes, &own)
            .map_err(|e| {
                let cause = match e.exit_code_kind() {
                    ExitKind::Rejected => Cause::ComponentRejected,
                    ExitKind::Integrity => Cause::Integrity,
                    ExitKind::Failed => Cause::ComponentFailed,
                    ExitKind::Internal | ExitKind::Configuration => Cause::Host,
                };
                (cause, e.code().to_owned(), e.to_string())
            })
    }

    fn chunk(&self, subjects: &[Subject], component: &dyn Fn(&Digest) -> Loaded) -> ReplayResults {
        let span = tracing::info_span!(
            target: "provender::replay",
            "replay",
            runs = subjects.len(),
            identical = tracing::field::Empty,
            failed = tracing::field::Empty,
        )
        .entered();
        let mut verdict = ReplayResults::default();
        let pack = |s: &Subject| s.place.map(|p| p.pack);
        for together in subjects.chunk_by(|a, b| pack(a) == pack(b)) {
            verdict.extend(match (&self.manifests, together.first().and_then(pack)) {
                (Manifests::Store(store), Some(digest)) => {
                    packs::again(store, &digest, together, component)
                }
                _ => self.singles(together, component),
            });
        }
        span.record("identical", verdict.identical);
        span.record("failed", verdict.failed.len());
        verdict
    }

    /// Computes runs whose manifests have a file of their own.
    fn singles(
        &self,
        subjects: &[Subject],
        component: &dyn Fn(&Digest) -> Loaded,
    ) -> ReplayResults {
        let mut verdict = ReplayResults::default();
        // One call of a component computes all runs with the same parameters.
        let mut groups: BTreeMap<(Digest, String), Vec<(&Subject, ManifestRecord)>> =
            BTreeMap::new();
        for subject in subjects {
            match self.record(subject) {
                Ok(record) => {
                    let parameters = Json::Object(record.parameters.clone()).to_string();
                    groups
                        .entry((record.component, parameters))
                        .or_default()
                        .push((subject, record));
                }
                Err((cause, code, message)) => {
                    verdict
                        .failed
                        .push(failure(subject, cause, &code, &message));
                }
            }
        }
        for ((digest, _), group) in groups {
            let done = component(&digest).and_then(|c| again(&c, &group));
            match done {
                Ok(part) => verdict.extend(part),
                Err((cause, code, message)) => verdict.failed.extend(
                    group
                        .iter()
                        .map(|(s, _)| failure(s, cause, &code, &message)),
                ),
            }
        }
        verdict
    }

    fn record(&self, s: &Subject) -> Result<ManifestRecord, Trouble> {
        let damaged = |problem: String| {
            (
                Cause::Integrity,
                "manifest_damaged".to_owned(),
                format!(
                    "the manifest of {} differs from what was recorded: {problem}",
                    s.key
                ),
            )
        };
        let read;
        let manifest = match &self.manifests {
            Manifests::One(manifest) => *manifest,
            Manifests::Store(store) => {
                read = store.read(s.manifest_ref()).map_err(|e| match &e {
                    ManifestError::Io { cause, .. }
                        if cause.kind() != std::io::ErrorKind::NotFound =>
                    {
                        (Cause::Host, e.code().to_owned(), e.to_string())
                    }
                    ManifestError::Io { .. } => (
                        Cause::Integrity,
                        "manifest_missing".to_owned(),
                        e.to_string(),
                    ),
                    _ => (Cause::Integrity, e.code().to_owned(), e.to_string()),
                })?;
                &read
            }
        };
        let record = ManifestRecord::read(manifest).map_err(damaged)?;
        if record.key != s.key {
            return Err(damaged(format!("it is of {}", record.key)));
        }
        if record.provenance != s.provenance {
            return Err(damaged(format!(
                "its provenance is {}, the ledger says {}",
                record.provenance, s.provenance
            )));
        }
        Ok(record)
    }
}

/// Why a manifest could not be read.
pub(super) fn unreadable(e: ManifestError) -> Trouble {
    match &e {
        ManifestError::Io { cause, .. } if cause.kind() != std::io::ErrorKind::NotFound => {
            (Cause::Host, e.code().to_owned(), e.to_string())
        }
        ManifestError::Io { .. } => (
            Cause::Integrity,
            "manifest_missing".to_owned(),
            e.to_string(),
        ),
        _ => (Cause::Integrity, e.code().to_owned(), e.to_string()),
    }
}

pub(super) fn failure(s: &Subject, cause: Cause, code: &str, message: &str) -> Failure {
    Failure {
        run_id: s.key.run_id(),
        key: s.key.to_string(),
        cause,
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// The error for a manifest that does not match the component's declaration.
pub(super) fn unfit(component: &Component, what: &str, name: &str) -> Trouble {
    (
        Cause::Integrity,
        "manifest_unfit".to_owned(),
        format!(
            "the manifest's {what} `{name}` does not match the declaration of {}",
            component.description().model_version()
        ),
    )
}

/// The recorded parameters in declared order.
pub(super) fn parameters(
    component: &Component,
    recorded: &Map<String, Json>,
) -> Result<Vec<Scalar>, Trouble> {
    let declared = component.description().parameters.iter();
    declared
        .map(|p| {
            recorded
                .get(&p.name)
                .and_then(|j| Scalar::from_json(p.default.data_type(), j))
                .ok_or_else(|| unfit(component, "parameter", &p.name))
        })
        .collect()
}

/// Computes runs of one component and one set of parameters in reverse order. An answer that depends on earlier rows
/// comes out different then.
fn again(
    component: &Component,
    group: &[(&Subject, ManifestRecord)],
) -> Result<ReplayResults, Trouble> {
    let description = component.description();
    let Some((_, first)) = group.first() else {
        return Ok(ReplayResults::default());
    };
    let parameters = parameters(component, &first.parameters)?;
    let columns = description
        .inputs
        .iter()
        .map(|input| {
            let field = &input.field;
            let mut column = Column::new(field.data_type);
            for (_, record) in group.iter().rev() {
                let value = record
                    .inputs
                    .get(&field.name)
                    .and_then(|j| Value::from_json(field.data_type, j))
                    .ok_or_else(|| unfit(component, "input", &field.name))?;
                column.push(&value);
            }
            Ok(column)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let computed = component
        .compute(&parameters, &columns, group.len())
        .map_err(|e| (Cause::Host, e.code().to_owned(), e.to_string()))?;
    let mut failures = computed.failed.iter().rev().peekable();
    let mut verdict = ReplayResults::default();
    for ((subject, record), row) in group.iter().zip((0..group.len()).rev()) {
        if let Some(f) = failures.next_if(|f| f.row == row) {
            verdict.failed.push(failure(
                subject,
                Cause::ComponentFailed,
                f.code.code(),
                &f.message,
            ));
            continue;
        }
        verdict.replayed.push(subject.key.run_id());
        let outputs: Vec<(String, Json)> = description
            .outputs
            .iter()
            .zip(&computed.outputs)
            .map(|(o, column)| (o.field.name.clone(), column.get(row).to_json()))
            .collect();
        let different = compare(subject, record, &outputs);
        if different.is_empty() {
            verdict.identical += 1;
        }
        verdict.different.extend(different);
    }
    Ok(verdict)
}

/// The outputs that differ from the manifest or from the ledger's row.
pub(super) fn compare(
    subject: &Subject,
    record: &ManifestRecord,
    outputs: &[(String, Json)],
) -> Vec<Difference> {
    let row: Vec<Json> = match from_slice(subject.outputs.as_bytes()) {
        Ok(Json::Array(list)) => list,
        _ => Vec::new(),
    };
    // Compared as canonical text, which shows every bit of a number.
    let same = |a: &Json, b: &Json| match (to_text(a), to_text(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    let missing = Json::Null;
    let different = |name: &str, recorded: &Json, replayed: &Json| Difference {
        run_id: subject.key.run_id(),
        key: subject.key.to_string(),
        output: name.to_owned(),
        recorded: recorded.clone(),
        replayed: replayed.clone(),
    };
    let mut found: Vec<Difference> = outputs
        .iter()
        .enumerate()
        .filter_map(|(i, (name, replayed))| {
            let manifest = record.outputs.get(name);
            let row = row.get(i);
            if manifest.is_none_or(|m| !same(m, replayed)) {
                return Some(different(name, manifest.unwrap_or(&missing), replayed));
            }
            row.is_none_or(|r| !same(r, replayed))
                .then(|| different(name, row.unwrap_or(&missing), replayed))
        })
        .collect();
    let declared: Map<String, Json> = outputs.iter().cloned().collect();
    for (name, recorded) in &record.outputs {
        if !declared.contains_key(name) {
            found.push(different(name, recorded, &missing));
        }
    }
    if found.is_empty() && row.len() != outputs.len() {
        let row = Json::Array(row);
        found.push(different("outputs of the ledger's row", &row, &missing));
    }
    found
}
