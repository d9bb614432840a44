//! An open deployment. Every operation on one goes through [`Deployment`].
//!
//! The caller provides the actor and the time: nothing here reads the environment or the clock, and nothing prints.
//! Warnings and progress go to the caller's [`Observer`].
//!
//! * `day` — the daily run
//! * `status` — whether a day is complete
//! * `compute`, `reissue` — computes and records runs, or replaces them
//! * `finished` — what was finished before an interruption
//! * `ingest` — the files that `sources.toml` names
//! * `named` — the files that a person names
//! * `report` — evaluates a window and publishes its report
//! * `backup` — a consistent copy of ledger, manifests and releases
//! * `canary` — computes a candidate in shadow
//! * `explain` — explains a run
//! * `baseline` — gathers the references that monitors compare with
//! * `incident` — writes and checks the golden cases of an incident
//! * `create` — creates a deployment folder
//! * `verify` — the pinned set against its bytes, its golden cases, the ledger and the release contract
//! * `cut` — a release of what is pinned and set, unless something must be fixed first
//! * `pinning` — pins a version's bytes as a draft, then freezes them
//! * `in_force` — the release in force, or the deployment's files
//! * `pinned` — the components that can be computed with, loaded and bound
//! * `stores` — connections to the ledger, the manifests, the releases
//! * `error` — errors of opening and using a deployment
//! * `observe` — warnings and progress

mod backup;
mod baseline;
mod canary;
mod compute;
mod create;
mod cut;
mod day;
mod error;
mod explain;
mod finished;
mod in_force;
mod incident;
mod ingest;
mod named;
mod observe;
mod pinned;
mod pinning;
mod reissue;
mod report;
mod status;
mod stores;
#[cfg(test)]
mod tests;
mod verify;

use provender_domain::ids::{BoundaryId, HerdId};
use provender_ledger::EntryNumber;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use provender_domain::day::Day;
use provender_domain::interrupt::Interrupt;
use provender_domain::manifest::{Computer, Engine, Platform, Program};
use provender_ledger::entry::Stamp;
use provender_ledger::{Address, Read};
use provender_sandbox::Sandbox;

use crate::compute::Facts;
use crate::project::Project;
use crate::release::ReleaseState;

pub use backup::{BackedUp, BackupError};
pub use canary::{
    Bench as CanaryBench, CanaryDay, Candidate as CanaryCandidate, Shadow, both as both_sides,
};
pub use compute::{Computed, Request, Runtime};
pub use create::{Contents, CreateError, Created, create};
pub use cut::{CutError, CutRequest, Unclean};
pub use day::DayRun;
pub use error::DeploymentError;
pub use finished::Finished;
pub use incident::{RegressionRequest, WrittenCases};
pub use named::NamedFiles;
pub use observe::{Observer, Phase, Progress, Warning};
pub use pinned::pin;
pub use pinning::{FreezeOutcome, PinError, PinOutcome};
pub use reissue::{Reissue, ReissueRequest};
pub use report::Published;
pub use status::{ActiveLogic, DayStatus, Lack, SourceAge, Unanswered};
pub use verify::{
    PinTrouble, PinnedSet, Verification, VerifiedComponent, VerifiedPin, VerifyError, VerifyRequest,
};

use stores::Handle;

/// Name of the lock file.
pub const LOCK: &str = "provender.lock";

/// Where a deployment is.
#[derive(Clone, Debug)]
pub enum Location {
    /// This folder.
    At(PathBuf),
    /// This folder, or the nearest folder above it that is a deployment.
    Above(PathBuf),
}

/// How a deployment is opened.
#[derive(Clone)]
pub struct Options {
    /// Where it is.
    pub location: Location,
    /// A different ledger to read, such as a backup. Nothing can be recorded then.
    pub ledger: Option<Address>,
    /// The current time in UTC, as RFC 3339 with six digits of a second: instants are compared as text.
    pub now: String,
    /// Who acts, recorded in the ledger.
    pub actor: String,
    /// Receives warnings and progress.
    pub observer: Arc<dyn Observer>,
    /// Checked between two batches for a request to stop.
    pub interrupt: Interrupt,
}

impl Options {
    /// Options for the deployment in this folder, without an observer.
    #[must_use]
    pub fn new(folder: &Path, now: &str, actor: &str) -> Options {
        Options {
            location: Location::At(folder.to_path_buf()),
            ledger: None,
            now: now.to_owned(),
            actor: actor.to_owned(),
            observer: Arc::new(()),
            interrupt: Interrupt::default(),
        }
    }
}

/// An open deployment.
pub struct Deployment {
    /// Its folder, and the files that people write.
    pub project: Project,
    /// The time recorded with every entry written through this.
    pub now: String,
    /// The day of `now`.
    pub today: Day,
    /// Who records.
    pub actor: String,
    observer: Arc<dyn Observer>,
    interrupt: Interrupt,
    span: tracing::Span,
    other_ledger: Option<Address>,
    standing: OnceLock<ReleaseState>,
    /// The handle used to read `standing`, kept for the next reader: opening one takes longer than a query.
    cached: Mutex<Option<Handle>>,
    clock_reported: OnceLock<()>,
}

impl Deployment {
    /// Opens a deployment with its files. An unusable `logic.toml` is an error while it is in force; while a release is
    /// in force, it is one of the ignored settings.
    ///
    /// # Errors
    /// If there is no deployment, or if its files or the ledger cannot be used.
    pub fn open(options: &Options) -> Result<Deployment, DeploymentError> {
        let deployment = Deployment::open_record(options)?;
        if let Some(problem) = &deployment.project.sources_problem {
            return Err(problem.clone().into());
        }
        if let Err(problem) = deployment.project.logic()
            && deployment.release()?.is_none()
        {
            return Err(problem.into());
        }
        Ok(deployment)
    }

    /// Opens a deployment for operations that need only its ledger and stores. A rollback to an earlier release is then
    /// possible whatever the state of `logic.toml` and `sources.toml`.
    ///
    /// # Errors
    /// If there is no deployment, or its `provender.toml` cannot be used.
    pub fn open_record(options: &Options) -> Result<Deployment, DeploymentError> {
        let root = match &options.location {
            Location::At(folder) => folder.clone(),
            Location::Above(start) => Project::find(start)?,
        };
        let day = options.now.get(..10).and_then(|day| day.parse().ok());
        let project = Project::open(&root)?;
        // The caller's span, entered for everything done with the deployment.
        let span = tracing::Span::current();
        span.record("environment", project.settings.environment.as_str());
        Ok(Deployment {
            project,
            span,
            now: options.now.clone(),
            today: day.ok_or(DeploymentError::Clock)?,
            actor: options.actor.clone(),
            observer: Arc::clone(&options.observer),
            interrupt: options.interrupt.clone(),
            other_ledger: options.ledger.clone(),
            standing: OnceLock::new(),
            cached: Mutex::new(None),
            clock_reported: OnceLock::new(),
        })
    }

    /// Actor, time and reason, for an entry of the ledger.
    #[must_use]
    pub fn stamp(&self, reason: Option<&str>) -> Stamp {
        Stamp {
            at: self.now.clone(),
            actor: self.actor.clone(),
            reason: reason.map(str::to_owned),
        }
    }

    /// The facts known now, or at an earlier instant.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn facts<'l>(
        &self,
        ledger: &'l dyn Read,
        known_at: Option<&str>,
    ) -> Result<Facts<'l>, DeploymentError> {
        let known = known(ledger, known_at)?;
        Ok(Facts::load(
            ledger,
            known,
            self.project.sources.precedence(),
        )?)
    }

    /// Like [`Deployment::facts`], but reads only one place if one is asked for. For an unknown boundary or herd, reads
    /// all places, so that the error can suggest a name.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn facts_of<'l>(
        &self,
        ledger: &'l dyn Read,
        known_at: Option<&str>,
        boundary: Option<&BoundaryId>,
        herd: Option<&HerdId>,
    ) -> Result<Facts<'l>, DeploymentError> {
        if boundary.is_some() {
            let known = known(ledger, known_at)?;
            let precedence = self.project.sources.precedence();
            let facts = Facts::load_of(ledger, known, precedence, boundary)?;
            let herd = herd.filter(|h| !h.is_none());
            if facts.boundary_ids().next().is_some()
                && herd.is_none_or(|h| !facts.herd_periods(h).is_empty())
            {
                return Ok(facts);
            }
        }
        self.facts(ledger, known_at)
    }

    /// A sandbox with the deployment's limits and its cache of compiled code.
    ///
    /// # Errors
    /// If the engine cannot be created.
    pub fn sandbox(&self) -> Result<Sandbox, DeploymentError> {
        let limits = &self.project.settings.limits;
        let watch = self.observer.compiling(limits.compile());
        Ok(Sandbox::with_observer(
            limits.resolve(),
            self.project.cache(),
            watch,
        )?)
    }

    /// Program, engine and platform, as recorded in manifests.
    #[must_use]
    pub(crate) fn computer(&self, sandbox: &Sandbox) -> Computer {
        let engine = sandbox.engine();
        Computer {
            engine: Engine {
                profile: engine.profile.to_owned(),
                target: engine.target,
                wasmtime: engine.wasmtime,
            },
            environment: self.project.settings.environment.clone(),
            git_commit: git_commit(&self.project.root),
            platform: Platform {
                arch: std::env::consts::ARCH.to_owned(),
                os: std::env::consts::OS.to_owned(),
            },
            program: Program {
                name: "provender".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
        }
    }
}

/// The last entry known now, or at an earlier instant.
fn known(ledger: &dyn Read, at: Option<&str>) -> Result<EntryNumber, DeploymentError> {
    Ok(match at {
        None => ledger.head()?,
        Some(instant) => ledger.known_at(instant)?,
    })
}

/// The commit of the Git repository that contains the deployment's folder, if there is one.
fn git_commit(root: &Path) -> Option<String> {
    let root = root.canonicalize().ok()?;
    let git = root
        .ancestors()
        .map(|d| d.join(".git"))
        .find(|g| g.join("HEAD").is_file())?;
    let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned());
    };
    if let Ok(commit) = std::fs::read_to_string(git.join(reference)) {
        return Some(commit.trim().to_owned());
    }
    let packed = std::fs::read_to_string(git.join("packed-refs")).ok()?;
    packed.lines().find_map(|l| {
        l.strip_suffix(reference)
            .map(|commit| commit.trim().to_owned())
    })
}
