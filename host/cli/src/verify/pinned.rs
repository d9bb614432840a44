//! Checks the pinned components of a lock file, in a deployment or on its own.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::plugin::test::refusal;
use provender_domain::files::bounded;
use provender_host::compute::{binding, freeze};
use provender_host::contract::line_of_pin;
use provender_host::deployment::{DeploymentError, LOCK};
use provender_host::golden::folder::{cases_of, of_deployment};
use provender_host::golden::{CaseSet, Tested, run};
use provender_host::project::settings::CompileLimits;
use provender_sandbox::{Component, Limits, Lock, Pin, Sandbox};

/// A lock file with its folder, in a deployment or on its own.
pub(super) struct Pinned {
    /// The lock file's name in messages.
    pub(super) file: String,
    pub(super) folder: PathBuf,
    pub(super) text: String,
    pub(super) lock: Lock,
    pub(super) sandbox: Sandbox,
    pub(super) deployment: Option<Context>,
    /// The error for a missing lock file; nothing is pinned then.
    pub(super) missing: Option<CliError>,
}

/// The result of checking one component.
pub(super) struct Checked {
    pub(super) model: ModelVersion,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) sha256: String,
    /// Line of its entry in the lock file.
    pub(super) line: usize,
    pub(super) troubles: Vec<CliError>,
    pub(super) golden: Option<(Tested, String)>,
}

impl Pinned {
    pub(super) fn open(
        global: &Global,
        lock: Option<&Path>,
        cache: Option<&Path>,
    ) -> Result<Pinned, CliError> {
        let Some(file) = lock else {
            let context = Context::open(global)?;
            let (lock, text, missing) = match context.lock_if_any()? {
                Some(lock) => {
                    let dir = &context.project.dir;
                    let text = bounded::text_in(dir, LOCK, bounded::CONFIG_BYTES);
                    let text =
                        text.map_err(|e| unreadable(Path::new(LOCK), &e, "lock_unreadable"))?;
                    (lock, text, None)
                }
                None => {
                    let missing = DeploymentError::LockMissing(context.project.root.clone());
                    (Lock::default(), String::new(), Some(missing.into()))
                }
            };
            return Ok(Pinned {
                lock,
                missing,
                file: LOCK.to_owned(),
                folder: context.project.root.clone(),
                text,
                sandbox: context.sandbox()?,
                deployment: Some(context),
            });
        };
        let refused = |e: &std::io::Error| {
            unreadable(file, e, "lock_unreadable")
                .help("--lock must name a provender.lock, which `provender plugin add` writes; --base REV shows whether there was one before")
        };
        let read = bounded::read_named(file, bounded::CONFIG_BYTES).and_then(bounded::text);
        let (text, missing) = match read {
            Ok(text) => (text, None),
            // A deleted lock file may be a breach of the release contract, which reports it better.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                (String::new(), Some(refused(&e)))
            }
            Err(e) => return Err(refused(&e)),
        };
        Ok(Pinned {
            file: file.display().to_string(),
            folder: file.parent().unwrap_or(Path::new("")).to_path_buf(),
            lock: match missing {
                None => Lock::parse(&text)?,
                Some(_) => Lock::default(),
            },
            text,
            missing,
            sandbox: Sandbox::with_observer(
                Limits::default(),
                cache.map(cache_folder).transpose()?,
                Some(global.ui().compiling(CompileLimits::default())),
            )?,
            deployment: None,
        })
    }

    /// The path of the lock file.
    pub(super) fn lock_file(&self) -> PathBuf {
        let name = Path::new(&self.file).file_name();
        self.folder.join(name.unwrap_or_default())
    }

    fn load(&self, pin: &Pin) -> Result<Component, CliError> {
        if let Some(context) = &self.deployment {
            return Ok(context.load(&self.sandbox, pin)?);
        }
        let path = self.folder.join(&pin.path);
        let file = path.display().to_string();
        // No path in the lock file, and no link, may lead out of its folder.
        let folder = match self.folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => &self.folder,
        };
        let bytes = Dir::open_ambient_dir(folder, ambient_authority())
            .and_then(|dir| bounded::read_in(&dir, &pin.path, bounded::COMPONENT_BYTES))
            .map_err(|e| unreadable(&path, &e, "component_unreadable"))?;
        pin.check_bytes(&file, &bytes)?;
        let component = self.sandbox.load_with_limits(&file, &bytes, &pin.limits)?;
        pin.check_component(&component)?;
        Ok(component)
    }

    /// Checks active logic against the deployment's catalogue; other versions need not fit it.
    fn check_binding(&self, pin: &Pin, component: &Component) -> Result<(), CliError> {
        let Some(context) = &self.deployment else {
            return Ok(());
        };
        let model = pin.model_version();
        let project = &context.project;
        if project.settings.logic.active.contains(&model) {
            let overrides = project.logic()?.of(&pin.name, &pin.version);
            let catalogue = project.sources.catalogue();
            binding::bind(component.clone(), &catalogue, &overrides, &BTreeMap::new())?;
        }
        Ok(())
    }

    /// Checks all pinned components in parallel. The results are in the lock file's order.
    pub(super) fn check_all(&self, cases: Option<&Path>) -> Result<Vec<Checked>, CliError> {
        let pins = self.lock.components();
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some((i, pin)) = take(pins, &next) {
                done.push((i, self.check(pin, cases)));
            }
            done
        };
        let mut checked: Vec<(usize, Checked)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.min(pins.len()))
                .map(|_| scope.spawn(work))
                .collect();
            workers
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(|_| CliError::new(Exit::Internal, "panic", "a check of a component panicked"))?
        .into_iter()
        .flatten()
        .collect();
        checked.sort_by_key(|(i, _)| *i);
        Ok(checked.into_iter().map(|(_, c)| c).collect())
    }

    pub(super) fn check(&self, pin: &Pin, cases: Option<&Path>) -> Checked {
        let model = pin.model_version();
        let mut checked = Checked {
            name: pin.name.clone(),
            version: pin.version.clone(),
            sha256: pin.sha256.to_string(),
            line: line_of_pin(&self.text, pin),
            troubles: Vec::new(),
            golden: None,
            model,
        };
        let component = match self.load(pin) {
            Ok(component) => component,
            Err(e) => {
                checked.troubles.push(e);
                return checked;
            }
        };
        checked
            .troubles
            .extend(self.check_binding(pin, &component).err());
        let found = match cases {
            Some(folder) => cases_of(&[folder.to_path_buf()], &pin.name),
            None => cases_of(&of_deployment(&self.folder), &pin.name),
        };
        let Some(folder) = found else {
            if let Some(folder) = cases {
                let message = format!("{} has no golden cases of {}", folder.display(), pin.name);
                checked.troubles.push(
                    CliError::new(Exit::NotFound, "golden_missing", message)
                        .help("write some: docs/reference/golden-cases.md describes the format"),
                );
            }
            return checked;
        };
        match golden(&component, &folder) {
            Ok(tested) => {
                checked.troubles.extend(refusal(&checked.model, &tested));
                checked.golden = Some((tested, folder.display().to_string()));
            }
            Err(e) => checked.troubles.push(e),
        }
        checked
    }

    /// Compares the pins with what the ledger has frozen: if somebody edits the lock file and the bytes
    /// together, only the ledger can tell. Returns the number of frozen versions in the ledger, or
    /// `None` without a ledger.
    pub(super) fn ask_ledger(&self, checked: &mut [Checked]) -> Result<Option<usize>, CliError> {
        let Some(context) = &self.deployment else {
            return Ok(None);
        };
        let Some(ledger) = context.ledger_if_any()? else {
            return Ok(None);
        };
        let frozen = freeze::all_frozen(&*ledger)?;
        for c in checked {
            let held = frozen.get(&c.model).filter(|digest| **digest != c.sha256);
            c.troubles.extend(held.map(|digest| self.thawed(c, digest)));
        }
        Ok(Some(frozen.len()))
    }

    /// The error for a pin whose bytes differ from those that the ledger has frozen.
    fn thawed(&self, c: &Checked, digest: &str) -> CliError {
        let pin = self.lock.find(&c.name, &c.version);
        let path = pin.map_or("its component", |p| p.path.as_str());
        let message = format!(
            "{}:{}: {} is pinned as {}, and the ledger has it frozen as {digest}: what a version computes never changes",
            self.file, c.line, c.model, c.sha256
        );
        CliError::new(Exit::Integrity, "frozen", message).help(format!(
            "restore the entry of {} in {} and {path}, or ship the other bytes as a new version of {}",
            c.model, self.file, c.name
        ))
    }

    /// The folder as a path that can be opened. If it is gone, the nearest existing parent.
    pub(super) fn folder_or_here(&self) -> PathBuf {
        let there = self.folder.ancestors().find(|f| f.is_dir());
        match there {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        }
    }
}

/// The next pin that no thread has taken.
fn take<'p>(pins: &'p [Pin], next: &AtomicUsize) -> Option<(usize, &'p Pin)> {
    let i = next.fetch_add(1, Ordering::Relaxed);
    pins.get(i).map(|pin| (i, pin))
}

fn cache_folder(path: &Path) -> Result<Dir, CliError> {
    std::fs::create_dir_all(path)
        .and_then(|()| Dir::open_ambient_dir(path, ambient_authority()))
        .map_err(|e| {
            CliError::new(
                Exit::Io,
                "cache_unusable",
                format!("--cache {}: {e}", path.display()),
            )
        })
}

fn unreadable(path: &Path, e: &std::io::Error, code: &str) -> CliError {
    let exit = match e.kind() {
        std::io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::Io,
    };
    CliError::new(exit, code, format!("{}: {e}", path.display()))
}

fn golden(component: &Component, folder: &Path) -> Result<Tested, CliError> {
    let set = CaseSet::read(folder, &folder.display().to_string())?;
    Ok(run::run(component, set.select(component.description())?)?)
}
