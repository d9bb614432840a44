//! Which bytes a version is for ever: an entry of the ledger, which outlives the lock file.
//!
//! A version is frozen by `plugin freeze`, or at the latest when it first records a run. From then on
//! the ledger refuses other bytes under its name, also when the pin was taken out of the lock file
//! and put back.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use provender_ledger::entries::{self, Ceilings};
use provender_ledger::entry::{Kind, Stamp};
use provender_ledger::{LedgerError, Payload, Read, Write};
use provender_sandbox::{Pin, PinLimits, PinState};

use super::ComputeError;

/// The digest under which a version is frozen, as the ledger spells it; `None` while it is not.
///
/// # Errors
/// If the ledger cannot be read.
pub fn frozen_as(
    ledger: &dyn Read,
    model_version: &ModelVersion,
) -> Result<Option<String>, ComputeError> {
    Ok(all_frozen(ledger)?.remove(model_version))
}

/// Every frozen version, as `name:version`, with the digest that its first entry holds it to.
///
/// # Errors
/// If the ledger cannot be read.
pub fn all_frozen(ledger: &dyn Read) -> Result<BTreeMap<ModelVersion, String>, ComputeError> {
    pinned_as(ledger, Kind::Freeze).map(|all| {
        // Of several entries the oldest holds.
        all.into_iter().rev().collect()
    })
}

/// Every component that was ever pinned, frozen or draft: `name:version` and digest, oldest first.
///
/// # Errors
/// If the ledger cannot be read.
pub fn ever_pinned(ledger: &dyn Read) -> Result<Vec<(ModelVersion, String)>, ComputeError> {
    pinned_as(ledger, Kind::Pin)
}

/// What the entries of a kind say of pins, oldest first.
fn pinned_as(ledger: &dyn Read, kind: Kind) -> Result<Vec<(ModelVersion, String)>, ComputeError> {
    let entries = ledger.entries(Some(kind))?;
    let pairs = entries.iter().map(|entry| {
        let pin: entries::Pin = entry.read().map_err(LedgerError::from)?;
        Ok((pin.model_version, pin.component.to_string()))
    });
    pairs.collect()
}

/// Refuses a pin whose version the ledger has frozen with other bytes.
///
/// # Errors
/// [`ComputeError::Frozen`] then; or when the ledger cannot be read.
pub fn check(ledger: &dyn Read, pin: &Pin) -> Result<bool, ComputeError> {
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

/// Freezes the version of a pin; true when that is new.
///
/// # Errors
/// See [`check`]; or when the ledger refuses the entry.
pub fn freeze(ledger: &dyn Write, pin: &Pin, stamp: &Stamp) -> Result<bool, ComputeError> {
    if check(ledger, pin)? {
        return Ok(false);
    }
    ledger.append(stamp, &Payload::Freeze(says_of(pin)))?;
    Ok(true)
}

/// Before a batch records runs: its pin must be frozen, and the ledger must know these bytes.
///
/// # Errors
/// [`ComputeError::Draft`] for a draft; as [`freeze`] otherwise.
pub fn hold(ledger: &dyn Write, pin: &Pin, stamp: &Stamp) -> Result<(), ComputeError> {
    match pin.state {
        PinState::Draft => Err(ComputeError::Draft(pin.model_version())),
        PinState::Frozen => freeze(ledger, pin, stamp).map(|_| ()),
    }
}

/// What entries say of a pin.
#[must_use]
pub fn says_of(pin: &Pin) -> entries::Pin {
    // Every ceiling by name: a new one does not compile until it is recorded, too.
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
pub fn limits_of(recorded: &Ceilings) -> PinLimits {
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
