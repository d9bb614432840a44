//! Where the bytes of a pin lie: bytes that replace others have a file of their own, so that the lock file
//! agrees with its files at every instant.

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
/// What a file's name ends with while it is written.
pub(super) const TEMPORARY: &str = ".tmp";
/// Digits of the digest in a name. Two drafts of one version that share 48 bits are not met by chance.
const DIGITS: usize = 12;

/// The file for a pin's bytes: the version's own name, or where other bytes lie there already the name with
/// the beginning of the digest.
pub(super) fn of(dir: &Dir, pin: &Pin) -> String {
    let plain = format!("{FOLDER}/{}.wasm", stem(pin));
    match dir.exists(&plain) && digest(dir, &plain) != Some(pin.sha256) {
        true => format!("{FOLDER}/{}-{}.wasm", stem(pin), short(&pin.sha256)),
        false => plain,
    }
}

/// Removes the files of earlier drafts of a pin's version: named as [`of`] names them, pinned by nobody, and
/// with bytes that the ledger has seen pinned as a draft. Anything else that lies there is somebody's own.
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

/// Removes what killed processes left of the lock file and of components. The caller holds the lock on pins.
pub(super) fn sweep_temporary(dir: &Dir, lock: &str) -> Result<(), PinError> {
    let mut left = vec![format!("{lock}{TEMPORARY}")];
    for entry in dir.read_dir(FOLDER).into_iter().flatten().flatten() {
        // A name that is not UTF-8 is none that was given here.
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

/// Whether a file's name is one that [`of`] gives to some bytes of the pin's version.
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

/// The digest of a file; `None` where it cannot be read.
fn digest(dir: &Dir, path: &str) -> Option<Digest> {
    let bytes = bounded::read_in(dir, path, bounded::COMPONENT_BYTES).ok()?;
    Some(Digest::of_bytes(&bytes))
}
