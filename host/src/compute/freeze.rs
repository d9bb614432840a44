//! Which bytes a version is for ever: an entry of the ledger, which outlives the lock file.
//!
//! A version is frozen by `plugin freeze`, or at the latest when it first records a run. From then on
//! the ledger refuses other bytes under its name, also when the pin was taken out of the lock file
//! and put back.

use serde_json::{Value as Json, json};

use crate::ledger::Ledger;
use crate::ledger::entry::{Kind, Stamp};
use crate::logic::{Pin, State};

use super::ComputeError;

/// The digest under which a version is frozen, as the ledger spells it; `None` while it is not.
///
/// # Errors
/// When the ledger cannot be read.
pub fn frozen_as(ledger: &dyn Ledger, model_version: &str) -> Result<Option<String>, ComputeError> {
    for entry in ledger.entries(Some(Kind::Freeze))? {
        let payload: Json = serde_json::from_str(&entry.payload).unwrap_or_default();
        if payload["model_version"] == model_version {
            return Ok(payload["component"].as_str().map(str::to_owned));
        }
    }
    Ok(None)
}

/// Refuses a pin whose version the ledger has frozen with other bytes.
///
/// # Errors
/// [`ComputeError::Frozen`] then; or when the ledger cannot be read.
pub fn check(ledger: &dyn Ledger, pin: &Pin) -> Result<bool, ComputeError> {
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
/// As [`check`]; or when the ledger refuses the entry.
pub fn freeze(ledger: &mut dyn Ledger, pin: &Pin, stamp: &Stamp) -> Result<bool, ComputeError> {
    if check(ledger, pin)? {
        return Ok(false);
    }
    ledger.append(Kind::Freeze, stamp, &pin_json(pin))?;
    Ok(true)
}

/// Before a batch records runs: its pin must be frozen, and the ledger must know these bytes.
///
/// # Errors
/// [`ComputeError::Draft`] for a draft; as [`freeze`] otherwise.
pub fn hold(ledger: &mut dyn Ledger, pin: &Pin, stamp: &Stamp) -> Result<(), ComputeError> {
    match pin.state {
        State::Draft => Err(ComputeError::Draft(pin.model_version())),
        State::Frozen => freeze(ledger, pin, stamp).map(|_| ()),
    }
}

/// What entries say of a pin.
#[must_use]
pub fn pin_json(pin: &Pin) -> Json {
    json!({
        "model_version": pin.model_version(),
        "component": pin.sha256.to_string(),
        "size": pin.size,
        "world": pin.world,
        "language": pin.language,
        "limits": pin.limits,
    })
}
