//! The rule that the pin of a frozen version stays, and that no lock file gives the version other bytes.

use provender_sandbox::{Lock, Pin};

use super::error::ContractError;
use super::frozen::{Frozen, LOCK, is_named};
use super::git::{FileChange, Repository, What};
use super::rule::{ContractFinding, Rule};

/// The line of a version's entry in a lock file, from 1.
#[must_use]
pub(crate) fn line_of_pin(text: &str, pin: &Pin) -> usize {
    let (name, version) = (
        format!("name = \"{}\"", pin.name),
        format!("version = \"{}\"", pin.version),
    );
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let at = lines
        .windows(2)
        .position(|pair| pair[0] == name && pair[1] == version);
    at.map_or(1, |i| i + 1)
}

/// Checks the frozen pin against the lock file's current content.
///
/// # Errors
/// When the lock file cannot be read.
pub(super) fn pin(
    repository: &Repository,
    frozen: &Frozen,
) -> Result<Option<ContractFinding>, ContractError> {
    let was = &frozen.pin;
    let finding = |line: usize, message: String| {
        Some(ContractFinding {
            rule: Rule::FrozenPin,
            path: frozen.lock.clone(),
            line,
            message,
            remedy: format!(
                "put the entry of {} back: git checkout {} -- {}; other bytes are a new version",
                was.model_version(),
                &repository.base()[..12.min(repository.base().len())],
                frozen.lock
            ),
        })
    };
    let model = was.model_version();
    let Some(now) = repository.now(&frozen.lock)? else {
        return Ok(finding(
            1,
            format!("the lock file is gone, and with it the frozen pin of {model}"),
        ));
    };
    let text = String::from_utf8_lossy(&now);
    let lock = match Lock::parse(&text) {
        Ok(lock) => lock,
        Err(e) => {
            return Ok(finding(
                1,
                format!("the frozen pin of {model} cannot be read: {e}"),
            ));
        }
    };
    let Some(is) = lock.find(&was.name, &was.version) else {
        return Ok(finding(1, format!("the frozen pin of {model} is removed")));
    };
    let line = line_of_pin(&text, was);
    let changed = if is.sha256 != was.sha256 || is.size != was.size {
        format!("sha256 was {}, is {}", was.sha256, is.sha256)
    } else if is.state != was.state {
        format!("state was {}, is {}", was.state.name(), is.state.name())
    } else if is.world != was.world {
        format!("world was {}, is {}", was.world, is.world)
    } else {
        // Path and limits may change: they change no number.
        return Ok(None);
    };
    Ok(finding(
        line,
        format!("the frozen pin of {model} is changed: {changed}"),
    ))
}

/// Checks new lock files: a version that is frozen in one lock file has the same bytes in all.
///
/// # Errors
/// When a lock file cannot be read.
pub(super) fn elsewhere(
    repository: &Repository,
    frozen: &[Frozen],
    changes: &[FileChange],
) -> Result<Vec<ContractFinding>, ContractError> {
    let mut findings = Vec::new();
    let new = changes
        .iter()
        .filter(|c| c.what == What::Added && is_named(&c.path, LOCK));
    for change in new {
        let Some(bytes) = repository.now(&change.path)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        // An unreadable lock file pins nothing; the commands that use it report the error.
        let Ok(lock) = Lock::parse(&text) else {
            continue;
        };
        for is in lock.components() {
            let same = |f: &&Frozen| f.pin.name == is.name && f.pin.version == is.version;
            // If two lock files of the base disagree, either is accepted: the change did not cause it.
            let mut known = frozen.iter().filter(same).peekable();
            let Some(first) = known.peek().copied() else {
                continue;
            };
            if known.any(|f| f.pin.sha256 == is.sha256) {
                continue;
            }
            findings.push(ContractFinding {
                rule: Rule::FrozenPin,
                path: change.path.clone(),
                line: line_of_pin(&text, is),
                message: format!(
                    "{} is frozen in {} with {}, and pinned here with {}",
                    is.model_version(),
                    first.lock,
                    first.pin.sha256,
                    is.sha256
                ),
                remedy: "pin the same bytes, or give the other bytes a new version".to_owned(),
            });
        }
    }
    Ok(findings)
}
