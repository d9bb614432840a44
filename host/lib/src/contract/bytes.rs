//! The rule that a frozen version keeps its bytes, and with them its declaration.

use provender_domain::canonical::Digest;
use provender_sandbox::{Lock, Pin, Sandbox};

use super::declared::differences;
use super::error::ContractError;
use super::frozen::Frozen;
use super::git::Repository;
use super::rule::{ContractFinding, Rule};

fn new_version(pin: &Pin) -> String {
    format!(
        "put {} back as it was at the base and ship the change as a new version of {}",
        pin.model_version(),
        pin.name
    )
}

/// Checks the component's bytes and their declaration.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn bytes(
    repository: &Repository,
    sandbox: &Sandbox,
    frozen: &Frozen,
) -> Result<Vec<ContractFinding>, ContractError> {
    let path = frozen.component();
    let model = frozen.pin.model_version();
    let finding = |rule, message| ContractFinding {
        rule,
        path: path.clone(),
        line: 1,
        message,
        remedy: new_version(&frozen.pin),
    };
    let Some(now) = repository.now(&path)? else {
        // A pin may move to another path; `verify` then reads the bytes from there.
        return Ok(match pinned_here(repository, frozen)? {
            true => vec![finding(
                Rule::FrozenBytes,
                format!("the component of {model}, which is frozen, is gone"),
            )],
            false => Vec::new(),
        });
    };
    let digest = Digest::of_bytes(&now);
    if digest == frozen.pin.sha256 {
        return Ok(Vec::new());
    }
    let mut findings = vec![finding(
        Rule::FrozenBytes,
        format!(
            "the bytes of {model}, which is frozen, were {}, are {digest}",
            frozen.pin.sha256
        ),
    )];
    let load = |bytes: &[u8]| {
        sandbox
            .load_with_limits(&path, bytes, &frozen.pin.limits)
            .ok()
    };
    let (was, is) = (load(&repository.at_base(&path)?), load(&now));
    // Bytes that do not load declare nothing. That they differ has been reported already.
    if let (Some(was), Some(is)) = (was, is) {
        let differing = differences(was.description(), is.description());
        if !differing.is_empty() {
            findings.push(finding(
                Rule::FrozenDeclaration,
                format!(
                    "{model} is frozen, but its declaration changed, which neither version nor configuration hash would show: {}",
                    differing.join("; ")
                ),
            ));
        }
    }
    Ok(findings)
}

/// Whether the lock file still names the component's path of the base.
fn pinned_here(repository: &Repository, frozen: &Frozen) -> Result<bool, ContractError> {
    let Some(now) = repository.now(&frozen.lock)? else {
        return Ok(false);
    };
    let lock = Lock::parse(&String::from_utf8_lossy(&now));
    Ok(lock.is_ok_and(|lock| {
        lock.find(&frozen.pin.name, &frozen.pin.version)
            .is_some_and(|is| is.path == frozen.pin.path)
    }))
}
