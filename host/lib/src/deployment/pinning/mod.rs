//! Pins the bytes of a version: first as a draft that can be replaced, then frozen for ever.
//!
//! Every change is made under a lock, and the lock file of pins is written last. Until it names a new file, the old pin
//! matches the old file, whenever the process is killed.

mod place;

use provender_domain::ids::ModelVersion;
use std::io;

use cap_std::fs::Dir;

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_domain::files::durable::{self, Keep};
use provender_ledger::admin::{AdvisoryLock, LockError};
use provender_ledger::{LedgerError, Payload};
use provender_sandbox::{Component, Lock, LogicError, Pin, PinLimits, PinState};

use crate::compute::{ComputeError, freeze};

use super::{Deployment, DeploymentError, LOCK, pin};

/// Why a version was not pinned or frozen.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The lock that separates concurrent changes cannot be taken.
    #[error(transparent)]
    NotLocked(#[from] LockError),
    /// A file cannot be written.
    #[error("{path} cannot be written: {cause}")]
    Unwritable {
        /// The file.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// The file of an earlier draft cannot be removed.
    #[error("{path}, an earlier draft of {model}, cannot be removed: {cause}")]
    Draft {
        /// The file.
        path: String,
        /// `name:version`.
        model: ModelVersion,
        /// Why.
        cause: io::Error,
    },
    /// A file left by a killed process cannot be removed.
    #[error("{path}, left by a killed process, cannot be removed: {cause}")]
    Leftover {
        /// The file.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// The version is frozen with other bytes.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The deployment cannot be used.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
}

/// The result of pinning.
#[derive(Clone, Debug, PartialEq)]
pub enum PinOutcome {
    /// The version has a new pin.
    Pinned {
        /// The pin.
        pin: Pin,
        /// The digest that it replaces; `None` if the version was not pinned.
        replaced: Option<Digest>,
    },
    /// It was already pinned with these bytes.
    Unchanged(Pin),
    /// It was already pinned with these bytes; its file was missing or different and has been restored.
    Restored(Pin),
}

/// The result of freezing.
#[derive(Clone, Debug, PartialEq)]
pub enum FreezeOutcome {
    /// The version is now frozen.
    Frozen(Pin),
    /// It was already frozen.
    Unchanged(Pin),
}

impl Deployment {
    /// Pins a checked component as a draft. A version that was frozen before, and whose pin was then removed, comes
    /// back as frozen.
    ///
    /// # Errors
    /// If the version is frozen with other bytes, or a file cannot be written.
    pub fn pin_draft(
        &self,
        component: &Component,
        bytes: &[u8],
        limits: &PinLimits,
    ) -> Result<PinOutcome, PinError> {
        let ledger = self.writer()?;
        let _locked = self.lock_pins()?;
        let lock = self.lock_if_any()?.unwrap_or_default();
        let dir = &self.project.dir;
        let mut new = Pin::for_component(component, "", PinState::Draft, limits.clone());
        new.path = place::of(dir, &new);
        let before = lock.find(&new.name, &new.version);
        if let Some(old) = before {
            if old.sha256 == new.sha256
                && (old.state == PinState::Frozen || old.limits == new.limits)
            {
                // The pin says so, but the file may be missing, or belong to other bytes since a process was killed.
                let is_there = self.pinned_bytes(old).is_ok();
                if !is_there {
                    replace(dir, &old.path, bytes)?;
                }
                place::sweep(dir, &lock, old, &*ledger)?;
                return Ok(match is_there {
                    true => PinOutcome::Unchanged(old.clone()),
                    false => PinOutcome::Restored(old.clone()),
                });
            }
            if old.state == PinState::Frozen {
                let frozen = ComputeError::Frozen {
                    model_version: new.model_version(),
                    recorded: old.sha256.to_string(),
                    found: new.sha256.to_string(),
                };
                return Err(frozen.into());
            }
            if old.sha256 == new.sha256 {
                // The same bytes with different limits.
                new.path.clone_from(&old.path);
            }
        }
        if freeze::check(&*ledger, &new)? {
            new.state = PinState::Frozen;
        }
        // The lock file is written last: until it names the new file, the old pin matches the old file.
        ledger.append(&self.stamp(None), &Payload::Pin(freeze::says_of(&new)))?;
        replace(dir, &new.path, bytes)?;
        failpoint::hit("pin.before-lock");
        let now = lock.with_pin(new.clone())?;
        write_lock(dir, &now)?;
        failpoint::hit("pin.after-lock");
        place::sweep(dir, &now, &new, &*ledger)?;
        Ok(PinOutcome::Pinned {
            replaced: before.map(|p| p.sha256),
            pin: new,
        })
    }

    /// Freezes a draft, given as `name:version`, for ever.
    ///
    /// # Errors
    /// If it is not pinned, its bytes differ from the pin, or a file cannot be written.
    pub fn freeze_pin(
        &self,
        model_version: &ModelVersion,
        reason: Option<&str>,
    ) -> Result<FreezeOutcome, PinError> {
        let ledger = self.writer()?;
        let _locked = self.lock_pins()?;
        let lock = self.lock()?;
        let old = pin(&lock, model_version)?;
        // Freezes the bytes in the file, so check that they match the pin.
        self.load(&self.sandbox()?, old)?;
        let new = Pin {
            state: PinState::Frozen,
            ..old.clone()
        };
        let recorded = freeze::freeze(&*ledger, &new, &self.stamp(reason))?;
        if old.state == PinState::Frozen && !recorded {
            return Ok(FreezeOutcome::Unchanged(new));
        }
        write_lock(&self.project.dir, &lock.with_pin(new.clone())?)?;
        Ok(FreezeOutcome::Frozen(new))
    }

    /// Marks drafts as frozen in the lock file, after a release has frozen them in the ledger.
    ///
    /// # Errors
    /// If the lock file cannot be read or written.
    pub fn mark_frozen(&self, pins: &[&Pin]) -> Result<(), PinError> {
        // Read again under the lock: another process may have pinned something in the meantime.
        let _locked = self.lock_pins()?;
        let lock = self.lock_if_any()?.unwrap_or_default();
        let mut frozen = lock.clone();
        for pin in pins.iter().filter(|p| p.state == PinState::Draft) {
            frozen = frozen.with_pin(Pin {
                state: PinState::Frozen,
                ..(*pin).clone()
            })?;
        }
        if frozen == lock {
            return Ok(());
        }
        write_lock(&self.project.dir, &frozen)
    }

    /// Waits until no other process changes the pins, and keeps others out while the lock is held: each process
    /// rewrites the whole lock file from what it has read. Also removes temporary files of killed processes.
    fn lock_pins(&self) -> Result<AdvisoryLock, PinError> {
        let lock = self.project.ledger().admin().lock("pins")?;
        place::sweep_temporary(&self.project.dir, LOCK)?;
        Ok(lock)
    }
}

/// The text of a lock file. Equal pins give equal text.
///
/// # Errors
/// If the pins cannot be serialized.
pub(super) fn lock_text(lock: &Lock) -> Result<String, LogicError> {
    Ok(format!(
        "# The pinned components: which bytes are which logic version.\n{}",
        lock.render()?
    ))
}

fn write_lock(dir: &Dir, lock: &Lock) -> Result<(), PinError> {
    replace(dir, LOCK, lock_text(lock)?.as_bytes())
}

/// Writes a file under a temporary name, then renames it, so that nobody sees half of it. The caller holds the lock on
/// pins, so an existing temporary file comes from a killed process.
fn replace(dir: &Dir, path: &str, bytes: &[u8]) -> Result<(), PinError> {
    let unwritable = |cause| PinError::Unwritable {
        path: path.to_owned(),
        cause,
    };
    let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
    durable::make_folder(dir, folder).map_err(unwritable)?;
    let temporary = format!("{path}{}", place::TEMPORARY);
    durable::replace_by(dir, &temporary, path, bytes, Keep::Durably).map_err(unwritable)
}
