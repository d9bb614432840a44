//! A version of the WIT is not edited in place.

use super::error::ContractError;
use super::git::{Change, Repository, What};
use super::rule::{Finding, Rule};

/// The `package …;` line of a WIT file, with its line.
fn package(text: &str) -> Option<(usize, String)> {
    text.lines().enumerate().find_map(|(i, line)| {
        let name = line.trim().strip_prefix("package ")?;
        Some((i + 1, name.split(';').next()?.trim().to_owned()))
    })
}

/// The WIT without comments and spaces, which bind nobody.
fn meaning(text: &str) -> String {
    let code = text
        .lines()
        .map(|l| l.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The WIT files that the change touches.
///
/// # Errors
/// When git fails or a file cannot be read.
pub(super) fn wit(
    repository: &Repository,
    changes: &[Change],
) -> Result<Vec<Finding>, ContractError> {
    let mut findings = Vec::new();
    let wits = changes
        .iter()
        .filter(|c| c.path.ends_with(".wit") && c.what != What::Added);
    for change in wits {
        let was = repository.at_base(&change.path)?;
        let was = String::from_utf8_lossy(&was);
        let Some((_, version)) = package(&was) else {
            continue;
        };
        let now = repository.now(&change.path)?;
        let (line, message) = match now.as_deref().map(String::from_utf8_lossy) {
            None => (
                1,
                format!("{version} is removed: components built for it exist"),
            ),
            Some(now) => match package(&now) {
                Some((line, same)) if same == version && meaning(&now) != meaning(&was) => (
                    line,
                    format!("{version} is edited in place: components built for it exist"),
                ),
                _ => continue,
            },
        };
        findings.push(Finding {
            rule: Rule::FrozenWit,
            path: change.path.clone(),
            line,
            message,
            remedy: "put it back and add the new contract under a new package version; the host speaks several side by side".to_owned(),
        });
    }
    Ok(findings)
}
