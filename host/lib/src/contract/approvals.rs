//! The rule that every owner approves a change of paths with several owners.

use std::collections::BTreeSet;

use super::error::ContractError;
use super::git::{FileChange, Repository};
use super::owners::{FILES, Owners, name};
use super::rule::{ContractFinding, Rule};

/// The owners whose approval is missing.
///
/// # Errors
/// When git fails or a file cannot be read.
pub(super) fn approvals(
    repository: &Repository,
    files: &[String],
    changes: &[FileChange],
    approved: &[String],
) -> Result<Option<ContractFinding>, ContractError> {
    // The file of the base if there is one, because a change must not give itself other owners.
    let mut found = None;
    for file in FILES {
        let bytes = if files.iter().any(|f| f == file) {
            Some(repository.at_base(file)?)
        } else {
            repository.now(file)?
        };
        if let Some(bytes) = bytes {
            found = Some((file, Owners::parse(&String::from_utf8_lossy(&bytes))));
            break;
        }
    }
    let Some((file, owners)) = found.filter(|(_, owners)| !owners.is_empty()) else {
        return Ok(None);
    };
    let mut of: Vec<(String, &str)> = Vec::new();
    for change in changes {
        for owner in owners.of(&change.path) {
            of.push((owner, &change.path));
        }
    }
    let needed: BTreeSet<&str> = of.iter().map(|(owner, _)| owner.as_str()).collect();
    // Paths with one owner get the usual review. Paths with several need a recorded approval of each.
    if needed.len() < 2 {
        return Ok(None);
    }
    let mut given: BTreeSet<String> = approved.iter().map(|a| name(a.trim())).collect();
    for trailer in repository.approvals()? {
        given.extend(trailer.split_whitespace().next().map(name));
    }
    let missing: Vec<&str> = needed.into_iter().filter(|n| !given.contains(*n)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let example = |owner: &str| {
        let path = of.iter().find(|(o, _)| o == owner).map_or("", |(_, p)| p);
        let count = of.iter().filter(|(o, _)| o == owner).count();
        match count {
            1 => format!("{owner} owns {path}"),
            n => format!("{owner} owns {path} and {} more", n - 1),
        }
    };
    let all: BTreeSet<&str> = of.iter().map(|(o, _)| o.as_str()).collect();
    let first = of.iter().find(|(o, _)| o == missing[0]);
    Ok(Some(ContractFinding {
        rule: Rule::Owners,
        path: first.map_or(file, |(_, p)| p).to_owned(),
        line: 1,
        message: format!(
            "the change needs the approval of {}; the approval of {} is missing: {}",
            all.iter().copied().collect::<Vec<_>>().join(" and "),
            missing.join(" and "),
            all.iter()
                .map(|o| example(o))
                .collect::<Vec<_>>()
                .join("; ")
        ),
        remedy: format!(
            "split the change by owner, or record the approval: {} in a commit message, or --approved-by {}",
            missing
                .iter()
                .map(|m| format!("`Approved-by: {m} NAME`"))
                .collect::<Vec<_>>()
                .join(" and "),
            missing.join(" --approved-by ")
        ),
    }))
}
