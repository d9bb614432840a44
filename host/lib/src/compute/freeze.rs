//! Freezes the bytes of a version for ever, by an entry of the ledger that outlives the lock file.
//!
//! A version is frozen by `plugin freeze`, or at the latest when it first records a run. From then on the ledger
//! refuses other bytes under its name, even if the pin was removed from the lock file and added again.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use provender_ledger::entries::{self, Ceilings};
use provender_ledger::entry::{Kind, Stamp};
use provender_ledger::{LedgerError, Payload, Read, Write};
use provender_sandbox::{Pin, PinLimits, PinState};

use super::ComputeError;

/// The digest under which a version is frozen, as spelled in the ledger; `None` if it is not frozen.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn frozen_as(
    ledger: &dyn Read,
    model_version: &ModelVersion,
) -> Result<Option<String>, ComputeError> {
    Ok(all_frozen(ledger)?.remove(model_version))
}

/// Every frozen version, as `name:version`, with the digest of its oldest freeze entry.
///
/// # Errors
/// If the ledger cannot be read.
pub fn all_frozen(ledger: &dyn Read) -> Result<BTreeMap<ModelVersion, String>, ComputeError> {
    pinned_as(ledger, Kind::Freeze).map(|all| {
        // The oldest of several entries counts.
        all.into_iter().rev().collect()
    })
}

/// Every component that was ever pinned, frozen or as a draft: `name:version` and digest, oldest first.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn ever_pinned(ledger: &dyn Read) -> Result<Vec<(ModelVersion, String)>, ComputeError> {
    pinned_as(ledger, Kind::Pin)
}

/// The pins in all entries of a kind, oldest first.
fn pinned_as(ledger: &dyn Read, kind: Kind) -> Result<Vec<(ModelVersion, String)>, ComputeError> {
    let entries = ledger.entries(Some(kind))?;
    let pairs = entries.iter().map(|entry| {
        let pin: entries::Pin = entry.read().map_err(LedgerError::from)?;
        Ok((pin.model_version, pin.component.to_string()))
    });
    pairs.collect()
}

/// Refuses a pin whose version is frozen with other bytes. Returns whether the version is frozen.
///
/// # Errors
/// [`ComputeError::Frozen`] for other bytes. Also if the ledger cannot be read.
pub(crate) fn check(ledger: &dyn Read, pin: &Pin) -> Result<bool, ComputeError> {
    match frozen_as(ledger, &pin.model_version())? {
        None => Ok(false),
        Some(recorded) if recorded == pin.sha256.to_string() => Ok(true),
        Some(recorded) => Err(ComputeError::Frozen {
            model_version: pin.model_version(),
            recorded,
            found: pin.sha256.to_string(),
        }),
    }
}

/// Freezes the version of a pin. Returns true if it was not frozen before.
///
/// # Errors
/// See [`check`]. Also if the ledger cannot be written.
pub(crate) fn freeze(ledger: &dyn Write, pin: &Pin, stamp: &Stamp) -> Result<bool, ComputeError> {
    if check(ledger, pin)? {
        return Ok(false);
    }
    ledger.append(stamp, &Payload::Freeze(says_of(pin)))?;
    Ok(true)
}

/// Called before a batch records runs: refuses a draft, and freezes the version in the ledger if it is not frozen yet.
///
/// # Errors
/// [`ComputeError::Draft`] for a draft. For other pins, see [`freeze`].
pub(crate) fn hold(ledger: &dyn Write, pin: &Pin, stamp: &Stamp) -> Result<(), ComputeError> {
    match pin.state {
        PinState::Draft => Err(ComputeError::Draft(pin.model_version())),
        PinState::Frozen => freeze(ledger, pin, stamp).map(|_| ()),
    }
}

/// The form in which entries record a pin.
#[must_use]
pub(crate) fn says_of(pin: &Pin) -> entries::Pin {
    // Destructured by name: a new ceiling does not compile until it is recorded, too.
    let PinLimits {
        memory_bytes,
        table_elements,
        fuel_base,
        fuel_per_row,
        component_bytes,
        returned_bytes,
    } = pin.limits;
    entries::Pin {
        model_version: pin.model_version(),
        component: pin.sha256,
        size: pin.size,
        world: pin.world.clone(),
        language: pin.language.clone(),
        limits: Ceilings {
            memory_bytes,
            table_elements,
            fuel_base,
            fuel_per_row,
            component_bytes,
            returned_bytes,
        },
    }
}

/// The ceilings that an entry recorded with a pin.
#[must_use]
pub(crate) fn limits_of(recorded: &Ceilings) -> PinLimits {
    let Ceilings {
        memory_bytes,
        table_elements,
        fuel_base,
        fuel_per_row,
        component_bytes,
        returned_bytes,
    } = *recorded;
    PinLimits {
        memory_bytes,
        table_elements,
        fuel_base,
        fuel_per_row,
        component_bytes,
        returned_bytes,
    }
}
