//! What every verb needs: the project, the stores, the sandbox, who is asking and when.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value as Json, json};

use crate::bounded;
use crate::compute::{Bound, Facts, binding};
use crate::domain::day::Day;
use crate::ledger::entry::Stamp;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Ledger as _, LedgerError};
use crate::logic::{Lock, Pin, Sandbox, Shelf};
use crate::manifest::Store;
use crate::project::Project;
use crate::project::logic::LogicOverrides;
use crate::project::settings::OnGuardrail;
use crate::release::reading::{self, Ignored};
use crate::release::standing::Known;
use crate::release::{ReleaseStore, Standing};

use super::Global;
use super::error::{CliError, RESTORE};
use super::exit::Exit;
use super::ui::Ui;

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

    /// A connection that may write.
    pub(super) fn writer(&self) -> Result<SqliteLedger, CliError> {
        if let Some(file) = &self.ledger_file {
            return Err(CliError::usage(format!(
                "--ledger {} is for verbs that read; this one writes",
                file.display()
            )));
        }
        self.project.make_ledger_folder()?;
        let patience =
            std::time::Duration::from_secs(u64::from(self.project.settings.ledger.busy_seconds));
        let path = self.project.ledger_path();
        // A ledger that is lost must not be begun anew unnoticed: every key would be recorded again.
        let ledger = if self.has_manifests() {
            SqliteLedger::open_existing(&path, patience)?
        } else {
            SqliteLedger::open_patiently(&path, patience)?
        };
        self.look_at_clock(&ledger)?;
        Ok(ledger)
    }

    /// Whether manifests of runs are there.
    fn has_manifests(&self) -> bool {
        let path = &self.project.settings.manifests.path;
        self.project.dir.read_dir(path).is_ok_and(|mut entries| {
            entries.any(|e| e.is_ok_and(|e| !e.file_name().to_string_lossy().starts_with('.')))
        })
    }

    /// Says once that the clock is behind the newest entry. Entries are ordered by their numbers, so
    /// that nothing else comes of it.
    fn look_at_clock(&self, ledger: &SqliteLedger) -> Result<(), CliError> {
        let newest = ledger.entry(ledger.head()?)?.map(|e| e.stamp.at);
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
        if let Some(file) = &self.ledger_file {
            return Ok(SqliteLedger::open_read_only(file)?);
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

    /// The ledger to look into and nothing else, where there is one: looking makes no ledger and writes
    /// nothing.
    pub(super) fn ledger_if_any(&self) -> Result<Option<SqliteLedger>, CliError> {
        let own = self.project.ledger_path();
        let file = match &self.ledger_file {
            Some(file) => file,
            None if own.exists() => &own,
            None => return Ok(None),
        };
        Ok(Some(SqliteLedger::open_read_only(file)?))
    }

    /// The manifest store: beside a ledger named by `--ledger` where there is one.
    pub(super) fn manifests(&self) -> Result<Store, CliError> {
        if let Some(beside) = self.beside_ledger("manifests") {
            return Ok(Store::new(
                open_folder(&beside)?,
                &beside.display().to_string(),
            ));
        }
        let path = &self.project.settings.manifests.path;
        Ok(Store::new(self.project.folder(path)?, path))
    }

    pub(super) fn facts<'l>(
        &self,
        ledger: &'l SqliteLedger,
        known_at: Option<&str>,
    ) -> Result<Facts<'l>, CliError> {
        let known = match known_at {
            None => ledger.head()?,
            Some(text) => ledger.known_at(&instant(text)?)?,
        };
        Ok(Facts::load(
            ledger,
            known,
            self.project.sources.precedence(),
        )?)
    }

    pub(super) fn sandbox(&self) -> Result<Sandbox, CliError> {
        let cache = self.project.folder(&self.project.settings.cache.path).ok();
        let limits = self.project.settings.limits.resolve();
        let watch = self.ui.compiling(self.project.settings.limits.compile());
        Ok(Sandbox::watched(limits, cache, Some(watch))?)
    }

    /// How releases stand, as the ledger said when this was first asked. Looking makes no ledger.
    pub(super) fn standing(&self) -> Result<&Standing, CliError> {
        if let Some(standing) = self.standing.get() {
            return Ok(standing);
        }
        let standing = if self.ledger_file.is_some() || self.project.ledger_path().exists() {
            Standing::read(&self.reader()?, i64::MAX)?
        } else {
            Standing::default()
        };
        Ok(self.standing.get_or_init(|| standing))
    }

    /// The release in force; before the first promotion there is none, and the deployment's files hold.
    pub(super) fn release(&self) -> Result<Option<&Known>, CliError> {
        Ok(self.standing()?.active_release())
    }

    /// What the deployment's files say otherwise than the release in force.
    pub(super) fn ignored(&self) -> Result<Vec<Ignored>, CliError> {
        let Some(release) = self.release()? else {
            return Ok(Vec::new());
        };
        let lock = self.lock().ok();
        Ok(reading::ignored(
            &release.document,
            &self.project,
            lock.as_ref(),
        ))
    }

    /// Tells on stderr what is overruled, and gives it for `ignored` in the data.
    pub(super) fn tell_ignored(&self) -> Result<Json, CliError> {
        let ignored = self.ignored()?;
        if let Some(release) = self.release()?.filter(|_| !ignored.is_empty()) {
            let mut lines: Vec<String> = ignored
                .iter()
                .map(|i| {
                    format!(
                        "{}: {} is {}; in force is {}",
                        i.file, i.key, i.here, i.in_force
                    )
                })
                .collect();
            lines.push("`provender release cut` makes a new release of it".to_owned());
            self.ui.note(&format!(
                "{} is active, and what is set here otherwise is not obeyed\n  {}",
                release.document.name(),
                lines.join("\n  ")
            ));
        }
        Ok(ignored.iter().map(Ignored::to_json).collect())
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

    /// What can be computed with: the pins of the release in force, then those of the lock file, then
    /// those of the other releases in the store. Before the first promotion the lock file's alone.
    pub(super) fn pins(&self) -> Result<Lock, CliError> {
        let Some(active) = self.release()? else {
            return self.lock();
        };
        let store = self.store()?;
        let of = |known: &Known| -> Vec<Pin> {
            let components = known.document.components.iter();
            components
                .map(|c| c.pin(store.path_of(&c.sha256)))
                .collect()
        };
        let mut pins = of(active);
        let others = match self.lock() {
            Ok(lock) => lock.components().to_vec(),
            Err(e) if e.code == "lock_missing" => Vec::new(),
            Err(e) => {
                self.ui.note(&format!(
                    "{LOCK} is not read, a release is active: {}",
                    e.message
                ));
                Vec::new()
            }
        };
        let stored = self.standing()?.releases.iter().rev().flat_map(of);
        for pin in others
            .into_iter()
            .chain(stored.filter(|p| store.has(&p.sha256)))
        {
            if !pins
                .iter()
                .any(|p| p.model_version() == pin.model_version())
            {
                pins.push(pin);
            }
        }
        Ok(Lock::new(pins)?)
    }

    /// Every place of the deployment where a component's bytes may lie: what the lock pins, the
    /// releases' store, and the files beside the pinned ones.
    pub(super) fn shelf(&self) -> Result<Shelf, CliError> {
        let dir = &self.project.dir;
        let again = |d: &Dir| {
            d.try_clone()
                .map_err(|e| CliError::new(Exit::Io, "component_unreadable", e.to_string()))
        };
        let mut shelf = Shelf::default();
        let mut folders = std::collections::BTreeSet::from(["components".to_owned()]);
        match self.lock() {
            Ok(lock) => {
                for pin in lock.components() {
                    shelf.pinned(again(dir)?, &pin.path, pin.sha256);
                    if let Some((folder, _)) = pin.path.rsplit_once('/') {
                        folders.insert(folder.to_owned());
                    }
                }
            }
            // What was recorded can be found without a lock file.
            Err(e) if e.exit == Exit::NotFound => {}
            Err(e) => return Err(e),
        }
        if self.store_if_any()?.is_some() {
            let (store, path) = self.store_folder()?;
            if let Ok(store) = store.open_dir("components") {
                shelf.store(store, &format!("{path}/components"));
            }
        }
        for folder in folders {
            if let Ok(opened) = dir.open_dir(&folder) {
                shelf.folder(opened, &folder);
            }
        }
        Ok(shelf)
    }

    /// The pinned set that the deployment's lock file names.
    pub(super) fn lock(&self) -> Result<Lock, CliError> {
        match bounded::text_in(&self.project.dir, LOCK, bounded::CONFIG_BYTES) {
            Ok(text) => Ok(Lock::parse(&text)?),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(CliError::new(
                Exit::NotFound,
                "lock_missing",
                format!(
                    "{} has no {LOCK}: nothing is pinned",
                    self.project.root.display()
                ),
            )
            .help("`provender init` pins the components shipped with the program")),
            Err(e) if matches!(e.kind(), ErrorKind::FileTooLarge | ErrorKind::InvalidData) => {
                let cause = e.to_string();
                Err(crate::logic::LogicError::Lock { cause }.into())
            }
            Err(e) => Err(CliError::new(
                Exit::Io,
                "lock_unreadable",
                format!("{LOCK}: {e}"),
            )),
        }
    }

    /// The bytes of a pinned component, which are those that the lock file names.
    pub(super) fn pinned_bytes(&self, pin: &Pin) -> Result<Vec<u8>, CliError> {
        // A release store beside a copied ledger lies outside the deployment's folder.
        let store = match (&self.ledger_file, self.store_if_any()?) {
            (Some(_), Some(_)) => Some(self.store_folder()?),
            _ => None,
        };
        let stored = store.as_ref().and_then(|(dir, path)| {
            let file = pin.path.strip_prefix(path.as_str())?.strip_prefix('/')?;
            Some((dir, file))
        });
        let (dir, file) = stored.unwrap_or((&self.project.dir, &pin.path));
        // More than is pinned is another file, however large: it is read no further.
        let bytes = bounded::read_in(dir, file, pin.size).map_err(|e| {
            let (exit, code) = match e.kind() {
                ErrorKind::FileTooLarge => (Exit::Integrity, "component_digest"),
                ErrorKind::NotFound => (Exit::NotFound, "component_unreadable"),
                _ => (Exit::Io, "component_unreadable"),
            };
            let model = pin.model_version();
            if exit == Exit::Integrity {
                let message = format!(
                    "{} is not the pinned {model}: the lock file says {} bytes, the file has more",
                    pin.path, pin.size
                );
                return CliError::new(exit, code, message).help(RESTORE);
            }
            CliError::new(exit, code, format!("{}, pinned as {model}: {e}", pin.path))
        })?;
        pin.check_bytes(&pin.path, &bytes)?;
        Ok(bytes)
    }

    /// Loads a pinned component: its bytes against the lock, then what it declares.
    pub(super) fn load(
        &self,
        sandbox: &Sandbox,
        pin: &Pin,
    ) -> Result<crate::logic::Component, CliError> {
        let bytes = self.pinned_bytes(pin)?;
        let component = sandbox.load_within(&pin.path, &bytes, &pin.limits)?;
        pin.check_component(&component)?;
        Ok(component)
    }

    pub(super) fn bind(
        &self,
        sandbox: &Sandbox,
        lock: &Lock,
        model_version: &str,
        one_off: &BTreeMap<String, String>,
    ) -> Result<Bound, CliError> {
        let pin = pin(lock, model_version)?;
        let component = self.load(sandbox, pin)?;
        let document = self.release()?.map(|r| &r.document);
        let released = document.filter(|d| {
            d.component(model_version)
                .is_some_and(|c| c.sha256 == pin.sha256)
        });
        let Some(document) = released else {
            return self.bind_here(component, pin, one_off);
        };
        let catalogue = document.catalogue();
        let overrides = document.overrides(model_version);
        let bound = binding::bind(component, &catalogue, &overrides, one_off)?;
        reading::check(document, &bound)?;
        Ok(bound)
    }

    /// Binds a component as the deployment's own files say, whatever release is in force.
    pub(super) fn bind_here(
        &self,
        component: crate::logic::Component,
        pin: &Pin,
        one_off: &BTreeMap<String, String>,
    ) -> Result<Bound, CliError> {
        Ok(binding::bind(
            component,
            &self.project.sources.catalogue(),
            &self.project.logic()?.of(&pin.name, &pin.version),
            one_off,
        )?)
    }

    /// DS's settings in force of a version: the release's, where it is of the release.
    pub(super) fn overrides(&self, name: &str, version: &str) -> Result<LogicOverrides, CliError> {
        let model_version = format!("{name}:{version}");
        Ok(match self.release()? {
            Some(r) if r.document.component(&model_version).is_some() => {
                r.document.overrides(&model_version)
            }
            _ => self.project.logic()?.of(name, version),
        })
    }

    /// What a breached guardrail does.
    pub(super) fn on_guardrail(&self) -> Result<OnGuardrail, CliError> {
        Ok(match self.release()? {
            Some(r) => r.document.settings.on_guardrail,
            None => self.project.settings.logic.on_guardrail,
        })
    }

    /// What answers: the release's active versions, or before the first promotion what
    /// `provender.toml` names.
    pub(super) fn active(&self) -> Result<&[String], CliError> {
        Ok(match self.release()? {
            Some(r) => &r.document.active,
            None => &self.project.settings.logic.active,
        })
    }

    /// The active logics, or those asked for.
    pub(super) fn logics(&self, asked: &[String]) -> Result<Vec<String>, CliError> {
        if !asked.is_empty() {
            return Ok(asked.to_vec());
        }
        let active = self.active()?;
        if active.is_empty() {
            return Err(CliError::new(
                Exit::Config,
                "no_active_logic",
                "provender.toml names no active logic",
            )
            .help("set [logic] active = [\"days_remaining:v1\"], or name one with --logic"));
        }
        Ok(active.to_vec())
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

pub(super) fn pin<'l>(lock: &'l Lock, model_version: &str) -> Result<&'l Pin, CliError> {
    let known = || {
        lock.components()
            .iter()
            .map(Pin::model_version)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (name, version) = model_version.split_once(':').ok_or_else(|| {
        CliError::usage(format!(
            "`{model_version}` is no logic: write name:version; pinned are {}",
            known()
        ))
    })?;
    lock.find(name, version).ok_or_else(|| {
        CliError::new(
            Exit::NotFound,
            "not_pinned",
            format!(
                "{model_version} is not pinned in {LOCK}; pinned are {}",
                known()
            ),
        )
    })
}

/// Now as RFC 3339 with a fixed number of digits, so that instants sort as text.
/// `PROVENDER_NOW` stands in for the clock in tests and examples.
pub(super) fn now() -> Result<String, CliError> {
    match std::env::var("PROVENDER_NOW") {
        Ok(text) if !text.is_empty() => instant(&text),
        _ => Ok(format!("{:.6}", jiff::Timestamp::now())),
    }
}

/// An instant or a day (its end) as the ledger writes it.
pub(super) fn instant(text: &str) -> Result<String, CliError> {
    if text.parse::<Day>().is_ok() {
        return Ok(format!("{text}T23:59:59.999999Z"));
    }
    let timestamp: jiff::Timestamp = text.parse().map_err(|_| {
        CliError::usage(format!("`{text}` is no instant: write YYYY-MM-DD or an RFC 3339 time such as 2025-07-01T06:00:00Z"))
    })?;
    Ok(format!("{timestamp:.6}"))
}

fn actor(global: &Global) -> String {
    let names = ["PROVENDER_ACTOR", "USER", "LOGNAME", "USERNAME"];
    let from_environment = || {
        names
            .iter()
            .find_map(|n| std::env::var(n).ok().filter(|v| !v.trim().is_empty()))
    };
    global
        .actor
        .clone()
        .or_else(from_environment)
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The commit of the repository that the deployment's folder lies in, where it does.
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

/// A folder that the command line leads to.
fn open_folder(path: &Path) -> Result<Dir, CliError> {
    Dir::open_ambient_dir(path, ambient_authority())
        .map_err(|e| CliError::new(Exit::Io, "folder_io", format!("{}: {e}", path.display())))
}
