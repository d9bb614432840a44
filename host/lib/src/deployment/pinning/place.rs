//! The files for the bytes of pins. Bytes that replace others get a file of their own, so that the lock file matches
//! its files at every moment.

use cap_std::fs::Dir;

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_domain::files::bounded;
use provender_domain::files::durable;
use provender_ledger::Read;
use provender_sandbox::{Lock, Pin};

use crate::compute::freeze;

use super::PinError;

/// The folder of pinned components.
const FOLDER: &str = "components";
/// Suffix of a file's name while it is written.
pub(super) const TEMPORARY: &str = ".tmp";
/// Digits of the digest in a file name. Two drafts of one version do not share 48 bits by chance.
const DIGITS: usize = 12;

/// The file name for a pin's bytes: the version's own name. If other bytes already have that name, the first digits of
/// the digest are added.
pub(super) fn of(dir: &Dir, pin: &Pin) -> String {
    let plain = format!("{FOLDER}/{}.wasm", stem(pin));
    match dir.exists(&plain) && digest(dir, &plain) != Some(pin.sha256) {
        true => format!("{FOLDER}/{}-{}.wasm", stem(pin), short(&pin.sha256)),
        false => plain,
    }
}

/// Removes the files of earlier drafts of a pin's version. A file is removed if its name is one that [`of`] gives,
/// nobody pins it, and the ledger has its bytes as a pinned draft. Other files may belong to the user.
pub(super) fn sweep(dir: &Dir, lock: &Lock, pin: &Pin, ledger: &dyn Read) -> Result<(), PinError> {
    let model = pin.model_version();
    let mut drafts: Vec<String> = freeze::ever_pinned(ledger)?
        .into_iter()
        .filter(|(version, _)| *version == model)
        .map(|(_, digest)| digest)
        .collect();
    let frozen = freeze::frozen_as(ledger, &model)?;
    drafts.retain(|d| *d != pin.sha256.to_string() && Some(d) != frozen.as_ref());
    if drafts.is_empty() {
        return Ok(());
    }
    let Ok(entries) = dir.read_dir(FOLDER) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{FOLDER}/{name}");
        let is_pinned = lock.components().iter().any(|p| p.path == path);
        if is_pinned || !is_own_name(&name, pin) {
            continue;
        }
        if digest(dir, &path).is_some_and(|d| drafts.contains(&d.to_string())) {
            let removed = dir.remove_file(&path);
            failpoint::hit("pin.after-sweep");
            removed
                .and_then(|()| durable::sync(dir, FOLDER))
                .map_err(|cause| PinError::Draft {
                    path,
                    model: model.clone(),
                    cause,
                })?;
        }
    }
    Ok(())
}

/// Removes temporary files that killed processes left of the lock file and of components. The caller holds the lock on
/// pins.
pub(super) fn sweep_temporary(dir: &Dir, lock: &str) -> Result<(), PinError> {
    let mut left = vec![format!("{lock}{TEMPORARY}")];
    for entry in dir.read_dir(FOLDER).into_iter().flatten().flatten() {
        // This program gives no names that are not UTF-8.
        if let Ok(name) = entry.file_name().into_string()
            && name.ends_with(&format!(".wasm{TEMPORARY}"))
        {
            left.push(format!("{FOLDER}/{name}"));
        }
    }
    for path in left {
        match dir.remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(PinError::Leftover { path, cause });
            }
            _ => {}
        }
    }
    Ok(())
}

fn stem(pin: &Pin) -> String {
    format!("{}-{}", pin.name, pin.version)
}

/// The first hexadecimal digits of a digest.
fn short(digest: &Digest) -> String {
    digest.hex().chars().take(DIGITS).collect()
}

/// Whether [`of`] gives this file name to some bytes of the pin's version.
fn is_own_name(name: &str, pin: &Pin) -> bool {
    let rest = name
        .strip_suffix(".wasm")
        .and_then(|n| n.strip_prefix(&stem(pin)));
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest.strip_prefix('-').is_some_and(|hex| {
                hex.len() == DIGITS && hex.bytes().all(|b| b.is_ascii_hexdigit())
            })
    })
}

/// The digest of a file; `None` if it cannot be read.
fn digest(dir: &Dir, path: &str) -> Option<Digest> {
    let bytes = bounded::read_in(dir, path, bounded::COMPONENT_BYTES).ok()?;
    Some(Digest::of_bytes(&bytes))
}
