//! Computes due runs and records them.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use provender_domain::day::Day;
use provender_ledger::Write;
use provender_ledger::entries::Origin;
use provender_sandbox::{Lock, Sandbox};
use provender_store::manifest::Store;

use crate::compute::activation::activate;
use crate::compute::bulk::Stretch;
use crate::compute::engine::{CHUNK, Engine, Policy};
use crate::compute::freeze::hold;
use crate::compute::outcome::{RunOutcome, Summary, Trouble};
use crate::compute::select::{Selection, by_day, stretches};
use crate::compute::{Bound, ComputeError, Facts};

use super::stores::Handle;
use super::{Deployment, DeploymentError, Finished, Phase, Progress, pin};

/// If there are more runs than this, they are counted instead of listed.
const LIST_MAX: usize = 1_000;

/// Everything that computing needs, opened once: the sandbox, the pinned components, the manifests.
pub struct Runtime {
    /// Where components run.
    pub sandbox: Sandbox,
    /// The pinned components.
    pub lock: Lock,
    /// Where manifests are written.
    pub manifests: Store,
}

/// Which runs to compute, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Places and days.
    pub selection: Selection,
    /// Versions as `name:version`; if empty, the active ones.
    pub logics: Vec<ModelVersion>,
    /// Parameters for these runs only. The runs are then never answers.
    pub one_off: BTreeMap<String, String>,
    /// Compute with what was known at this instant.
    pub known_at: Option<String>,
    /// Compute without recording anything.
    pub dry_run: bool,
    /// Run the component again for recorded runs, instead of trusting the recorded outputs.
    pub recheck: bool,
    /// List every run, however many there are.
    pub list_all: bool,
}

/// The result of computing several logics.
pub struct Computed {
    /// Each logic with its listed runs, which include every run with a problem.
    pub logics: Vec<(Bound, Vec<RunOutcome>)>,
    /// Number of runs by outcome.
    pub summary: Summary,
    /// Whether runs without a problem were left out of the lists.
    pub abridged: bool,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl Computed {
    /// Why runs have no answer, one reason for each run.
    pub fn troubles(&self) -> impl Iterator<Item = Trouble> {
        let runs = self.logics.iter().flat_map(|(_, runs)| runs);
        runs.filter_map(|r| r.problem.as_ref()).map(|p| p.trouble)
    }

    /// Number of runs without an answer.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.summary.drift + self.summary.failed
    }
}

/// The runs to compute, by logic.
pub(super) struct Batch {
    logics: Vec<(Bound, Vec<Stretch>)>,
    /// The first day.
    from: Day,
    /// Whether every run is listed.
    list: bool,
    /// Number of runs.
    total: usize,
}

impl Batch {
    /// Selects the runs that each bound logic computes. `named` is true if the user named the logics.
    pub(super) fn of(
        facts: &Facts<'_>,
        bounds: Vec<Bound>,
        selection: &Selection,
        named: bool,
        list_all: bool,
    ) -> Result<Batch, DeploymentError> {
        let mut logics = Vec::new();
        for bound in bounds {
            // Naming a herd asks for the logics that read herds.
            let other_herd = selection.herd.as_ref().is_some_and(|h| !h.is_none());
            if !named && other_herd && !bound.reads_herd {
                continue;
            }
            let stretches = stretches(facts, bound.reads_herd, selection)?;
            logics.push((bound, stretches));
        }
        let days = |stretches: &[Stretch]| stretches.iter().map(Stretch::days).sum::<usize>();
        let total = logics.iter().map(|(_, s)| days(s)).sum();
        Ok(Batch {
            logics,
            from: selection.from,
            list: list_all || total <= LIST_MAX,
            total,
        })
    }
}

impl Deployment {
    /// Opens everything that computing needs.
    ///
    /// # Errors
    /// If the sandbox cannot be created, or nothing is pinned.
    pub fn runtime(&self) -> Result<Runtime, DeploymentError> {
        Ok(Runtime {
            sandbox: self.sandbox()?,
            lock: self.pins()?,
            manifests: self.manifests()?,
        })
    }

    /// The policy for computing and recording in this deployment.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn policy(&self, runtime: &Runtime) -> Result<Policy, DeploymentError> {
        Ok(Policy {
            on_guardrail: self.on_guardrail()?,
            release: self.release()?.map(|r| r.digest),
            recheck: false,
            origin: Origin::Answers,
            stamp: self.stamp(None),
            computer: self.computer(&runtime.sandbox),
            pack_from: self.project.settings.manifests.pack_from(),
            interrupt: self.interrupt.clone(),
        })
    }

    /// Loads and binds the named logics, or the active ones.
    ///
    /// # Errors
    /// If one is not pinned, cannot be used, or does not match the release or settings in force.
    pub(crate) fn bind_all(
        &self,
        runtime: &Runtime,
        named: &[ModelVersion],
        one_off: &BTreeMap<String, String>,
    ) -> Result<Vec<Bound>, DeploymentError> {
        let logics = self.logics(named)?;
        logics
            .iter()
            .map(|logic| self.bind(&runtime.sandbox, &runtime.lock, logic, one_off))
            .collect()
    }

    /// Computes runs and records them. Problems with single runs are in the result; the other runs are recorded.
    ///
    /// # Errors
    /// If ledger, components or manifests fail as a whole, or the work was interrupted. After an interruption, the
    /// error contains what was computed and recorded by then.
    pub fn compute(
        &self,
        request: &Request,
        progress: &mut dyn Progress,
    ) -> Result<Computed, DeploymentError> {
        let runtime = self.runtime()?;
        // A dry run only reads, so it also works where nothing can be written.
        let ledger = match request.dry_run {
            true => Handle::Reader(self.reader()?),
            false => Handle::Writer(self.writer()?),
        };
        let selection = &request.selection;
        let facts = self.facts_of(
            ledger.reader(),
            request.known_at.as_deref(),
            selection.boundary.as_ref(),
            selection.herd.as_ref(),
        )?;
        let bounds = self.bind_all(&runtime, &request.logics, &request.one_off)?;
        let named = !request.logics.is_empty();
        let mut policy = self.policy(&runtime)?;
        policy.recheck = request.recheck;
        if named {
            policy.origin = Origin::Version;
        }
        let batch = Batch::of(&facts, bounds, selection, named, request.list_all)?;
        self.record(&runtime, ledger.writer(), &facts, batch, &policy, progress)
    }

    /// Computes and records. Without a ledger to write, describes what would be recorded. An active logic that the user
    /// did not name is activated.
    pub(super) fn record(
        &self,
        runtime: &Runtime,
        ledger: Option<&dyn Write>,
        facts: &Facts<'_>,
        batch: Batch,
        policy: &Policy,
        progress: &mut dyn Progress,
    ) -> Result<Computed, DeploymentError> {
        let _phase = tracing::info_span!(target: "provender::phase", "compute").entered();
        progress.begin(Phase::Compute, batch.total as u64);
        let mut computed = Computed {
            logics: Vec::new(),
            summary: Summary::default(),
            abridged: !batch.list,
            dry_run: ledger.is_none(),
        };
        for (bound, stretches) in batch.logics {
            if let Err(stopped) = self.interrupt.check() {
                return Err(interrupted(stopped.into(), computed));
            }
            if let Some(ledger) = ledger.filter(|_| !stretches.is_empty()) {
                let pin = pin(&runtime.lock, &bound.model_version)?;
                hold(ledger, pin, &policy.stamp)?;
                // Under a release, its promotion decides what answers.
                let is_active =
                    self.release()?.is_none() && self.active()?.contains(&bound.model_version);
                if is_active && !bound.one_off {
                    activate(ledger, &bound, batch.from, &policy.stamp)?;
                }
            }
            let mut policy = policy.clone();
            if bound.one_off {
                policy.origin = Origin::OneOff;
            }
            let mut engine = Engine {
                facts,
                ledger,
                manifests: &runtime.manifests,
                policy: &policy,
            };
            let mut listed = Vec::new();
            let found = RunSink {
                listed: &mut listed,
                summary: &mut computed.summary,
                progress,
            };
            let ended = match batch.list {
                true => each(&mut engine, &bound, &stretches, found),
                false => {
                    // A separate thread records, through its own handle.
                    let mut apart = ledger.map(|_| self.writer()).transpose()?;
                    let apart = apart.as_mut().map(|apart| &mut **apart as &mut dyn Write);
                    troubled(&mut engine, &bound, &stretches, apart, found)
                }
            };
            computed.logics.push((bound, listed));
            if let Err(e) = ended {
                return Err(interrupted(e, computed));
            }
        }
        progress.end();
        Ok(computed)
    }
}

/// The error after some runs were computed. If the work was interrupted, it contains them.
pub(super) fn interrupted(e: ComputeError, computed: Computed) -> DeploymentError {
    DeploymentError::from(e).after(|| Finished {
        computed: Some(computed),
        ..Finished::default()
    })
}

/// Where outcomes are collected.
struct RunSink<'f> {
    listed: &'f mut Vec<RunOutcome>,
    summary: &'f mut Summary,
    progress: &'f mut dyn Progress,
}

/// Computes and lists every run, sorted by day for people.
fn each(
    engine: &mut Engine<'_, '_>,
    bound: &Bound,
    stretches: &[Stretch],
    found: RunSink<'_>,
) -> Result<(), ComputeError> {
    for chunk in by_day(stretches).chunks(CHUNK) {
        for outcome in engine.chunk(bound, chunk)? {
            found.summary.count(outcome.outcome);
            found.listed.push(outcome);
        }
        found.progress.advance(chunk.len() as u64);
    }
    Ok(())
}

/// Computes by place, as the ledger stores runs, and lists only runs with a problem.
fn troubled(
    engine: &mut Engine<'_, '_>,
    bound: &Bound,
    stretches: &[Stretch],
    apart: Option<&mut dyn Write>,
    found: RunSink<'_>,
) -> Result<(), ComputeError> {
    let RunSink {
        listed,
        summary,
        progress,
    } = found;
    let ended = engine.stretches(bound, stretches, apart, &mut |done| {
        summary.add(done.summary);
        progress.advance(done.summary.total());
        listed.extend(done.troubled);
    });
    listed.sort_by(|a, b| {
        let (a, b) = (&a.key, &b.key);
        let places =
            || (&a.boundary_id, &a.herd_config_id).cmp(&(&b.boundary_id, &b.herd_config_id));
        a.calculation_date
            .cmp(&b.calculation_date)
            .then_with(places)
    });
    ended
}
