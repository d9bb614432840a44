//! Checks one change against every rule.

use std::collections::BTreeSet;

use provender_sandbox::Sandbox;

use super::error::ContractError;
use super::git::Repository;
use super::{ContractFinding, approvals, bytes, frozen, pins, sources, wit};

/// What was judged, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractVerdict {
    /// The newest commit shared with the base.
    pub commit: String,
    /// The number of frozen pins at the base. If it is 0, the rules about frozen versions checked nothing.
    pub frozen: usize,
    /// Broken rules, by path.
    pub findings: Vec<ContractFinding>,
}

/// Checks the change. `approved` lists the owners whose approval was given on the command line.
///
/// # Errors
/// When the base or the working tree cannot be read.
pub(crate) fn judge(
    repository: &Repository,
    sandbox: &Sandbox,
    approved: &[String],
) -> Result<ContractVerdict, ContractError> {
    let changes = repository.changes()?;
    let files = repository.files_at_base()?;
    let changed: BTreeSet<&str> = changes.iter().map(|c| c.path.as_str()).collect();
    let frozen = frozen::at_base(repository, &files, &changed)?;
    let mut findings = Vec::new();
    for f in &frozen {
        if changed.contains(f.lock.as_str()) {
            findings.extend(pins::pin(repository, f)?);
        }
        if changed.contains(f.component().as_str()) {
            findings.extend(bytes::bytes(repository, sandbox, f)?);
        }
    }
    findings.extend(pins::elsewhere(repository, &frozen, &changes)?);
    findings.extend(sources::sources(repository, &files, &frozen, &changes)?);
    findings.extend(wit::wit(repository, &changes)?);
    findings.extend(approvals::approvals(
        repository, &files, &changes, approved,
    )?);
    findings.sort_by(|a, b| (&a.path, a.rule).cmp(&(&b.path, b.rule)));
    Ok(ContractVerdict {
        commit: repository.base().to_owned(),
        frozen: frozen.len(),
        findings,
    })
}
