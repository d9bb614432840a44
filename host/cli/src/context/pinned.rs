//! What can be computed with: the pinned components, their bytes, and each bound to its settings.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::ErrorKind;

use cap_std::fs::Dir;

use crate::error::{CliError, RESTORE};
use crate::exit::Exit;
use provender_domain::canonical::Digest;
use provender_domain::files::bounded;
use provender_host::compute::{Bound, binding};
use provender_host::release::reading;
use provender_host::release::standing::Known;
use provender_host::replay::select;
use provender_ledger::Ledger;
use provender_sandbox::{Component, Lock, LogicError, Pin, PinLimits, Sandbox, Shelf};

use super::{Context, LOCK};

impl Context {
    /// What can be computed with: the pins of the release in force, then those of the lock file, then
    /// those of the other releases in the store. Before the first promotion the lock file's alone.
    pub(crate) fn pins(&self) -> Result<Lock, CliError> {
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
    /// releases' store, and the files beside the pinned ones. What was recorded can be found without a
    /// lock file, and beside one that cannot be read, which is told.
    pub(crate) fn shelf(&self) -> Result<Shelf, CliError> {
        if let Err(e) = self.lock()
            && e.exit != Exit::NotFound
        {
            let cause = e.message;
            self.ui
                .note(&format!("what {LOCK} pins is not looked at: {cause}"));
        }
        self.shelf_untold()
    }

    /// As [`Context::shelf`], for who tells of the lock file in another way.
    pub(crate) fn shelf_untold(&self) -> Result<Shelf, CliError> {
        let dir = &self.project.dir;
        let again = |d: &Dir| {
            d.try_clone()
                .map_err(|e| CliError::new(Exit::Io, "component_unreadable", e.to_string()))
        };
        let mut shelf = Shelf::default();
        let mut folders = BTreeSet::from(["components".to_owned()]);
        for pin in self.lock().iter().flat_map(Lock::components) {
            shelf.pinned(again(dir)?, &pin.path, pin.sha256);
            if let Some((folder, _)) = pin.path.rsplit_once('/') {
                folders.insert(folder.to_owned());
            }
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
    pub(crate) fn lock(&self) -> Result<Lock, CliError> {
        match bounded::text_in(&self.project.dir, LOCK, bounded::CONFIG_BYTES) {
            Ok(text) => Ok(Lock::parse(&text)?),
            Err(e) if e.kind() == ErrorKind::NotFound => Err(CliError::new(
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
                Err(LogicError::Lock { cause }.into())
            }
            Err(e) => Err(CliError::new(
                Exit::Io,
                "lock_unreadable",
                format!("{LOCK}: {e}"),
            )),
        }
    }

    /// The bytes of a pinned component, which are those that the lock file names.
    pub(crate) fn pinned_bytes(&self, pin: &Pin) -> Result<Vec<u8>, CliError> {
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
    pub(crate) fn load(&self, sandbox: &Sandbox, pin: &Pin) -> Result<Component, CliError> {
        let bytes = self.pinned_bytes(pin)?;
        let component = sandbox.load_within(&named(pin), &bytes, &pin.limits)?;
        pin.check_component(&component)?;
        Ok(component)
    }

    /// The ceilings of components by their digests: those recorded when a version was frozen, or what its pin
    /// says now, whichever is higher. They change no number.
    pub(crate) fn ceilings(
        &self,
        ledger: &dyn Ledger,
    ) -> Result<HashMap<Digest, PinLimits>, CliError> {
        let mut ceilings = select::ceilings(ledger)?;
        // A lock file that cannot be read pins nothing.
        for pin in self.lock().iter().flat_map(Lock::components) {
            if let Some(recorded) = ceilings.get_mut(&pin.sha256) {
                *recorded = recorded.or_more(&pin.limits);
            }
        }
        Ok(ceilings)
    }

    pub(crate) fn bind(
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
    pub(crate) fn bind_here(
        &self,
        component: Component,
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
}

/// A pinned component for people: which version it is, and where it lies.
fn named(pin: &Pin) -> String {
    format!("{} in {}", pin.model_version(), pin.path)
}

pub(crate) fn pin<'l>(lock: &'l Lock, model_version: &str) -> Result<&'l Pin, CliError> {
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
