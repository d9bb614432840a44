//! What every verb needs: the project, the stores, the sandbox, who is asking and when.
//!
//! * `pinned`: what can be computed with, loaded and bound
//! * `in_force`: the release in force, or the deployment's files
//! * `asking`: the clock, the actor, the commit

mod asking;
mod in_force;
mod pinned;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value as Json, json};

use provender_domain::day::Day;
use provender_domain::key::NO_HERD;
use provender_host::compute::Facts;
use provender_host::project::Project;
use provender_host::release::{ReleaseStore, Standing};
use provender_ledger::entry::Stamp;
use provender_ledger::sqlite::SqliteLedger;
use provender_ledger::{Ledger, LedgerError};
use provender_sandbox::Sandbox;
use provender_store::manifest::Store;

use super::Global;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;

pub(super) use asking::instant;
pub(super) use pinned::pin;

use asking::{actor, git_commit, now};

/// Name of the lock file.
pub(super) const LOCK: &str = "provender.lock";

pub(super) struct Context {
    pub(super) ui: Ui,
    pub(super) project: Project,
    pub(super) now: String,
    pub(super) today: Day,
    pub(super) actor: String,
    ledger_file: Option<PathBuf>,
    standing: OnceLock<Standing>,
    /// The connection through which `standing` was read, until somebody needs one: SQLite reads the whole
    /// schema anew in each.
    at_hand: Mutex<Option<SqliteLedger>>,
    clock_told: OnceLock<()>,
}

impl Context {
    /// The deployment with its files. A `logic.toml` that cannot be used is fatal while it is in force,
    /// and told among what is not obeyed while a release is.
    pub(super) fn open(global: &Global) -> Result<Context, CliError> {
        let context = Context::open_apart(global)?;
        if let Some(problem) = &context.project.sources_problem {
            return Err(problem.clone().into());
        }
        if let Err(problem) = context.project.logic()
            && context.release()?.is_none()
        {
            return Err(problem.into());
        }
        Ok(context)
    }

    /// The deployment for verbs that need its ledger and its release store alone, so that going back is
    /// possible whatever state the other files are in.
    pub(super) fn open_apart(global: &Global) -> Result<Context, CliError> {
        let here = std::env::current_dir().map_err(|e| {
            CliError::new(
                Exit::Io,
                "current_folder",
                format!("the current folder cannot be read: {e}"),
            )
        })?;
        let root = match &global.project {
            Some(dir) => dir.clone(),
            None => Project::find(&here)?,
        };
        let now = now()?;
        let today = now
            .get(..10)
            .unwrap_or_default()
            .parse()
            .map_err(|_| CliError::new(Exit::Internal, "clock", "the clock gives no date"))?;
        Ok(Context {
            ui: global.ui(),
            project: Project::open(&root)?,
            now,
            today,
            actor: actor(global),
            ledger_file: global.ledger.clone(),
            standing: OnceLock::new(),
            at_hand: Mutex::new(None),
            clock_told: OnceLock::new(),
        })
    }

    /// The deployment, or nothing where there is none here and none was asked for.
    pub(super) fn open_if_any(global: &Global) -> Result<Option<Context>, CliError> {
        match Context::open(global) {
            Ok(context) => Ok(Some(context)),
            Err(e) if e.exit == Exit::NotFound && global.project.is_none() => Ok(None),
            Err(e) => Err(e),
        }
    }

    pub(super) fn stamp(&self, reason: Option<&str>) -> Stamp {
        Stamp {
            at: self.now.clone(),
            actor: self.actor.clone(),
            reason: reason.map(str::to_owned),
        }
    }

    fn at_hand(&self) -> MutexGuard<'_, Option<SqliteLedger>> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that may write.
    pub(super) fn writer(&self) -> Result<SqliteLedger, CliError> {
        if let Some(file) = &self.ledger_file {
            return Err(CliError::usage(format!(
                "--ledger {} is for verbs that read; this one writes",
                file.display()
            )));
        }
        if let Some(ledger) = self.at_hand().take().filter(SqliteLedger::is_writable) {
            return Ok(ledger);
        }
        let patience =
            std::time::Duration::from_secs(u64::from(self.project.settings.ledger.busy_seconds));
        let path = self.project.ledger_path();
        // A ledger that is lost must not be begun anew unnoticed: every key would be recorded again.
        let bytes = self.ledger_bytes()?;
        self.project.make_ledger_folder()?;
        let was_there = match (bytes, self.manifests_of_project()?.holds_any()) {
            (0, manifests) => manifests?,
            // Another process may be making it at this moment, where there are no manifests yet.
            (_, manifests) => manifests.unwrap_or(true),
        };
        let ledger = if was_there {
            SqliteLedger::open_existing(&path, patience)?
        } else {
            SqliteLedger::open_patiently(&path, patience)?
        };
        self.look_at_clock(&ledger)?;
        Ok(ledger)
    }

    /// Whether there is a ledger to look into. One that is lost, or that nobody can look for, is not taken for
    /// none: what was recorded there, the release in force for one, would be passed over in silence.
    pub(super) fn has_ledger(&self) -> Result<bool, CliError> {
        if self.ledger_file.is_some() {
            return Ok(true);
        }
        if self.ledger_bytes()? > 0 {
            return Ok(true);
        }
        if !self.manifests_of_project()?.holds_any()? {
            return Ok(false);
        }
        // Another process may have made both meanwhile, the ledger before its manifests.
        match self.ledger_bytes()? {
            0 => Err(LedgerError::gone(&self.project.ledger_path()).into()),
            _ => Ok(true),
        }
    }

    /// Length of the deployment's ledger; 0 where there is none.
    fn ledger_bytes(&self) -> Result<u64, CliError> {
        let path = self.project.ledger_path();
        match path.metadata() {
            Ok(found) => Ok(found.len()),
            // A file on the way to it is told when its folder is made.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(0),
            Err(e) => Err(LedgerError::unavailable(&path, &e).into()),
        }
    }

    /// Says once that the clock is behind the newest entry. Entries are ordered by their numbers, so
    /// that nothing else comes of it.
    fn look_at_clock(&self, ledger: &SqliteLedger) -> Result<(), CliError> {
        let newest = match ledger.head().and_then(|head| ledger.entry(head)) {
            Ok(newest) => newest.map(|e| e.stamp.at),
            // What is damaged is for the verb to tell: `audit` looks at the rest all the same.
            Err(LedgerError::Damaged(_)) => None,
            Err(e) => return Err(e.into()),
        };
        if let Some(newest) = newest.filter(|at| *at > self.now)
            && self.clock_told.set(()).is_ok()
        {
            self.ui.note(&format!(
                "the clock says {}, which is before the ledger's newest entry ({newest}): what is recorded now stands after it all the same; --known-at goes by what the clocks said",
                self.now
            ));
        }
        Ok(())
    }

    /// A connection to read through: the ledger, or the file that `--ledger` names. A ledger that this
    /// process may not write, or that lies on a full disk, is read all the same.
    pub(super) fn reader(&self) -> Result<SqliteLedger, CliError> {
        if let Some(ledger) = self.at_hand().take() {
            return Ok(ledger);
        }
        if let Some(file) = &self.ledger_file {
            return Ok(SqliteLedger::open_read_only(file)?);
        }
        // Looking makes no ledger.
        if !self.has_ledger()? {
            return Ok(SqliteLedger::none()?);
        }
        let refused = match self.writer() {
            Err(e) if ["ledger_unavailable", "ledger_io"].contains(&e.code.as_str()) => e,
            opened => return opened,
        };
        match SqliteLedger::open_read_only(&self.project.ledger_path()) {
            Ok(ledger) => Ok(ledger),
            Err(e @ LedgerError::LogLeft { .. }) => Err(e.into()),
            Err(_) => Err(refused),
        }
    }

    /// The ledger to judge, which must be there: one begun for the purpose would hold, and say nothing.
    pub(super) fn recorded(&self) -> Result<SqliteLedger, CliError> {
        if !self.has_ledger()? {
            let message = format!(
                "the ledger sqlite:{} is missing or empty: nothing is recorded there",
                self.project.ledger_path().display()
            );
            return Err(CliError::new(Exit::Unavailable, "ledger_missing", message).help(
                "`provender run` records the first numbers; where there have been some, put the ledger back from a backup, or name one with --ledger",
            ));
        }
        // An audit changes nothing: not the schema of an older ledger either.
        let own = || self.project.ledger_path();
        let file = self.ledger_file.clone().unwrap_or_else(own);
        Ok(SqliteLedger::open_read_only(&file)?)
    }

    /// The ledger to look into and nothing else, where there is one: looking makes no ledger and writes
    /// nothing.
    pub(super) fn ledger_if_any(&self) -> Result<Option<SqliteLedger>, CliError> {
        if !self.has_ledger()? {
            return Ok(None);
        }
        let own = || self.project.ledger_path();
        let file = self.ledger_file.clone().unwrap_or_else(own);
        Ok(Some(SqliteLedger::open_read_only(&file)?))
    }

    /// The manifest store: beside a ledger named by `--ledger` where there is one.
    pub(super) fn manifests(&self) -> Result<Store, CliError> {
        if let Some(beside) = self.beside_ledger("manifests") {
            return Ok(Store::new(
                open_folder(&beside)?,
                &beside.display().to_string(),
            ));
        }
        self.manifests_of_project()
    }

    /// The deployment's own store of manifests, whatever `--ledger` names.
    fn manifests_of_project(&self) -> Result<Store, CliError> {
        let path = &self.project.settings.manifests.path;
        let above = self
            .project
            .dir
            .try_clone()
            .map_err(|e| CliError::new(Exit::Io, "folder_io", e.to_string()))?;
        Ok(Store::below(above, path))
    }

    pub(super) fn facts<'l>(
        &self,
        ledger: &'l dyn Ledger,
        known_at: Option<&str>,
    ) -> Result<Facts<'l>, CliError> {
        let known = self.known(ledger, known_at)?;
        Ok(Facts::load(
            ledger,
            known,
            self.project.sources.precedence(),
        )?)
    }

    /// As [`Context::facts`], of one place where one is asked for. A boundary or herd that is not known has
    /// the facts of all places, so that the error can name the nearest.
    pub(super) fn facts_of<'l>(
        &self,
        ledger: &'l dyn Ledger,
        known_at: Option<&str>,
        boundary: Option<&str>,
        herd: Option<&str>,
    ) -> Result<Facts<'l>, CliError> {
        if boundary.is_some() {
            let known = self.known(ledger, known_at)?;
            let precedence = self.project.sources.precedence();
            let facts = Facts::load_of(ledger, known, precedence, boundary)?;
            let herd = herd.filter(|h| *h != NO_HERD);
            if facts.boundary_ids().next().is_some()
                && herd.is_none_or(|h| !facts.herd_periods(h).is_empty())
            {
                return Ok(facts);
            }
        }
        self.facts(ledger, known_at)
    }

    /// The entry up to which things are known, now or at an instant.
    fn known(&self, ledger: &dyn Ledger, at: Option<&str>) -> Result<i64, CliError> {
        Ok(match at {
            None => ledger.head()?,
            Some(text) => ledger.known_at(&instant(text)?)?,
        })
    }

    pub(super) fn sandbox(&self) -> Result<Sandbox, CliError> {
        let cache = self.project.cache();
        let limits = self.project.settings.limits.resolve();
        let watch = self.ui.compiling(self.project.settings.limits.compile());
        Ok(Sandbox::watched(limits, cache, Some(watch))?)
    }

    /// The release store: beside a ledger named by `--ledger` where there is one.
    pub(super) fn store(&self) -> Result<ReleaseStore, CliError> {
        let (dir, path) = self.store_folder()?;
        Ok(ReleaseStore::new(dir, &path))
    }

    /// The release store to look into, where there is one: looking makes no folder.
    pub(super) fn store_if_any(&self) -> Result<Option<ReleaseStore>, CliError> {
        let path = &self.project.settings.releases.path;
        if self.beside_ledger("releases").is_none() && !self.project.dir.is_dir(path) {
            return Ok(None);
        }
        self.store().map(Some)
    }

    fn store_folder(&self) -> Result<(Dir, String), CliError> {
        if let Some(beside) = self.beside_ledger("releases") {
            return Ok((open_folder(&beside)?, beside.display().to_string()));
        }
        let path = self.project.settings.releases.path.trim_end_matches('/');
        Ok((self.project.folder(path)?, path.to_owned()))
    }

    /// A folder of this name beside a ledger that `--ledger` names.
    fn beside_ledger(&self, name: &str) -> Option<PathBuf> {
        let folder = self.ledger_file.as_ref()?.parent()?.join(name);
        folder.is_dir().then_some(folder)
    }

    /// What manifests say of program, engine and place.
    pub(super) fn environment(&self, sandbox: &Sandbox) -> Json {
        let engine = sandbox.engine();
        json!({
            "environment": self.project.settings.environment,
            "program": {"name": "provender", "version": env!("CARGO_PKG_VERSION")},
            "engine": {"wasmtime": engine.wasmtime, "profile": engine.profile, "target": engine.target},
            "platform": {"os": std::env::consts::OS, "arch": std::env::consts::ARCH},
            "git_commit": git_commit(&self.project.root),
        })
    }
}

/// A folder that the command line leads to.
fn open_folder(path: &Path) -> Result<Dir, CliError> {
    Dir::open_ambient_dir(path, ambient_authority())
        .map_err(|e| CliError::new(Exit::Io, "folder_io", format!("{}: {e}", path.display())))
}
