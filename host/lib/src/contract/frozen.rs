//! What was frozen at the base: the pins of its lock files.

use std::collections::BTreeSet;

use provender_sandbox::{Lock, Pin, PinState};

use super::error::ContractError;
use super::git::Repository;

/// The file name of every lock file.
pub(super) const LOCK: &str = "provender.lock";

/// A frozen version of the base, with the lock file that pins it.
pub(super) struct Frozen {
    /// The lock file's path in the repository.
    pub(super) lock: String,
    /// Its entry there.
    pub(super) pin: Pin,
}

impl Frozen {
    /// The component's path in the repository.
    pub(super) fn component(&self) -> String {
        beside(&self.lock, &self.pin.path)
    }

    /// Whether a folder's name is the version's: `days-remaining-v2`, or with underscores.
    pub(super) fn is_folder(&self, name: &str) -> bool {
        name.replace('-', "_") == format!("{}_{}", self.pin.name, self.pin.version)
    }
}

/// A path relative to the folder of a file.
fn beside(file: &str, path: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}

/// Every frozen version of the base, by lock file.
///
/// # Errors
/// When git fails, or a lock file that the change touches was unusable at the base.
pub(super) fn at_base(
    repository: &Repository,
    files: &[String],
    changed: &BTreeSet<&str>,
) -> Result<Vec<Frozen>, ContractError> {
    let mut frozen = Vec::new();
    for lock in files.iter().filter(|f| is_named(f, LOCK)) {
        let text = repository.at_base(lock)?;
        let text = String::from_utf8_lossy(&text);
        match Lock::parse(&text) {
            Ok(base) => frozen.extend(
                base.components()
                    .iter()
                    .filter(|pin| pin.state == PinState::Frozen)
                    .map(|pin| Frozen {
                        lock: lock.clone(),
                        pin: pin.clone(),
                    }),
            ),
            // This change did not cause the problem: the lock file was unusable before and is not touched.
            Err(_) if !changed.contains(lock.as_str()) => {}
            Err(e) => {
                return Err(ContractError::AtBase {
                    path: lock.clone(),
                    cause: e.to_string(),
                });
            }
        }
    }
    Ok(frozen)
}

/// Whether a path's last part is a name.
pub(super) fn is_named(path: &str, name: &str) -> bool {
    path.rsplit('/').next() == Some(name)
}
