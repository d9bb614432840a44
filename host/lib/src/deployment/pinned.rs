//! The components that can be computed with: pinned, loaded and bound to their settings.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::ErrorKind;

use cap_std::fs::Dir;

use crate::compute::{Bound, binding};
use crate::release::reading;
use crate::release::state::Known;
use crate::replay::select;
use provender_domain::canonical::Digest;
use provender_domain::files::bounded;
use provender_ledger::Read;
use provender_sandbox::{
    Component, ComponentSearchPath, Lock, LogicError, Pin, PinLimits, Sandbox,
};

use super::{Deployment, DeploymentError, LOCK, Warning};

impl Deployment {
    /// The pins to compute with: those of the release in force, then those of the lock file, then those of other
    /// releases in the store. Before the first promotion, only those of the lock file.
    ///
    /// # Errors
    /// If there is neither a release nor a lock file, or they cannot be read.
    pub fn pins(&self) -> Result<Lock, DeploymentError> {
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
        let others = match self.lock_if_any() {
            Ok(lock) => lock.map_or_else(Vec::new, |l| l.components().to_vec()),
            Err(e) => {
                self.observer.warn(&Warning::LockNotRead(&e));
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

    /// Every place of the deployment where a component's bytes can be: the pinned files, the release store, and the
    /// files next to the pinned ones. It can also be used without a lock file. If the lock file cannot be read, this
    /// warns.
    ///
    /// # Errors
    /// If a folder cannot be opened.
    pub fn search_path(&self) -> Result<ComponentSearchPath, DeploymentError> {
        if let Err(e) = self.lock_if_any() {
            self.observer.warn(&Warning::LockNotSearched(&e));
        }
        self.search_path_unwarned()
    }

    /// Like [`Deployment::search_path`], without the warning, for callers that report the lock file themselves.
    ///
    /// # Errors
    /// If a folder cannot be opened.
    pub fn search_path_unwarned(&self) -> Result<ComponentSearchPath, DeploymentError> {
        let dir = &self.project.dir;
        let again = |d: &Dir| d.try_clone().map_err(DeploymentError::Handle);
        let mut search_path = ComponentSearchPath::default();
        let mut folders = BTreeSet::from(["components".to_owned()]);
        for pin in self.lock().iter().flat_map(Lock::components) {
            search_path.add_pinned(again(dir)?, &pin.path, pin.sha256);
            if let Some((folder, _)) = pin.path.rsplit_once('/') {
                folders.insert(folder.to_owned());
            }
        }
        if self.store_if_any()?.is_some() {
            let (store, path) = self.store_folder()?;
            if let Ok(store) = store.open_dir("components") {
                search_path.add_store(store, &format!("{path}/components"));
            }
        }
        for folder in folders {
            if let Ok(opened) = dir.open_dir(&folder) {
                search_path.add_folder(opened, &folder);
            }
        }
        Ok(search_path)
    }

    /// The pins of the deployment's lock file.
    ///
    /// # Errors
    /// If there is no lock file, or it cannot be read.
    pub fn lock(&self) -> Result<Lock, DeploymentError> {
        self.lock_if_any()?
            .ok_or_else(|| DeploymentError::LockMissing(self.project.root.clone()))
    }

    /// Like [`Deployment::lock`], but `None` if there is no lock file, so nothing is pinned.
    ///
    /// # Errors
    /// If the lock file cannot be read.
    pub fn lock_if_any(&self) -> Result<Option<Lock>, DeploymentError> {
        match bounded::text_in(&self.project.dir, LOCK, bounded::CONFIG_BYTES) {
            Ok(text) => Ok(Some(Lock::parse(&text)?)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) if matches!(e.kind(), ErrorKind::FileTooLarge | ErrorKind::InvalidData) => {
                let cause = e.to_string();
                Err(LogicError::Lock { cause }.into())
            }
            Err(e) => Err(DeploymentError::LockUnreadable(e)),
        }
    }

    /// The bytes of a pinned component, verified against its pin.
    ///
    /// # Errors
    /// If they are missing or differ from the pin.
    pub fn pinned_bytes(&self, pin: &Pin) -> Result<Vec<u8>, DeploymentError> {
        // The release store beside a copied ledger is outside the deployment's folder.
        let store = match (&self.other_ledger, self.store_if_any()?) {
            (Some(_), Some(_)) => Some(self.store_folder()?),
            _ => None,
        };
        let stored = store.as_ref().and_then(|(dir, path)| {
            let file = pin.path.strip_prefix(path.as_str())?.strip_prefix('/')?;
            Some((dir, file))
        });
        let (dir, file) = stored.unwrap_or((&self.project.dir, &pin.path));
        // A longer file is not the pinned one, so reading stops at the pinned size.
        let bytes = bounded::read_in(dir, file, pin.size).map_err(|cause| {
            let (path, model) = (pin.path.clone(), pin.model_version());
            match cause.kind() {
                ErrorKind::FileTooLarge => DeploymentError::ComponentLonger {
                    path,
                    model,
                    size: pin.size,
                },
                _ => DeploymentError::ComponentUnreadable { path, model, cause },
            }
        })?;
        pin.check_bytes(&pin.path, &bytes)?;
        Ok(bytes)
    }

    /// Loads a pinned component: verifies its bytes against the pin, then reads its declaration.
    ///
    /// # Errors
    /// If its bytes differ from the pin, or it cannot be used.
    pub fn load(&self, sandbox: &Sandbox, pin: &Pin) -> Result<Component, DeploymentError> {
        let bytes = self.pinned_bytes(pin)?;
        let component = sandbox.load_with_limits(&named(pin), &bytes, &pin.limits)?;
        pin.check_component(&component)?;
        Ok(component)
    }

    /// The ceilings of components by digest: the higher of those recorded when a version was frozen and those of its
    /// pin now. They do not affect numbers.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn ceilings(
        &self,
        ledger: &dyn Read,
    ) -> Result<HashMap<Digest, PinLimits>, DeploymentError> {
        let mut ceilings = select::ceilings(ledger)?;
        // A lock file that cannot be read has no pins.
        for pin in self.lock().iter().flat_map(Lock::components) {
            if let Some(recorded) = ceilings.get_mut(&pin.sha256) {
                *recorded = recorded.max_of_each(&pin.limits);
            }
        }
        Ok(ceilings)
    }

    /// Loads a pinned version and binds it to the settings in force.
    ///
    /// # Errors
    /// If it is not pinned, cannot be used, or does not match the settings in force.
    pub fn bind(
        &self,
        sandbox: &Sandbox,
        lock: &Lock,
        model_version: &ModelVersion,
        one_off: &BTreeMap<String, String>,
    ) -> Result<Bound, DeploymentError> {
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

    /// Binds a component to the deployment's own files, whatever release is in force.
    ///
    /// # Errors
    /// If it does not match the deployment's files.
    pub fn bind_here(
        &self,
        component: Component,
        pin: &Pin,
        one_off: &BTreeMap<String, String>,
    ) -> Result<Bound, DeploymentError> {
        Ok(binding::bind(
            component,
            &self.project.sources.catalogue(),
            &self.project.logic()?.of(&pin.name, &pin.version),
            one_off,
        )?)
    }
}

/// A pinned component for error messages: its version and its file.
fn named(pin: &Pin) -> String {
    format!("{} in {}", pin.model_version(), pin.path)
}

/// The pin of a version, given as `name:version`.
///
/// # Errors
/// If it is not pinned, or not written as `name:version`.
pub fn pin<'l>(lock: &'l Lock, model_version: &ModelVersion) -> Result<&'l Pin, DeploymentError> {
    let known = || {
        lock.components()
            .iter()
            .map(Pin::model_version)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (name, version) = match model_version.parts() {
        Some(split) => split,
        None => {
            return Err(DeploymentError::NotALogic {
                given: model_version.to_owned(),
                pinned: known(),
            });
        }
    };
    lock.find(name, version)
        .ok_or_else(|| DeploymentError::NotPinned {
            model: model_version.to_owned(),
            pinned: known(),
        })
}
