//! A version of the WIT is not edited in place; one that was frozen is kept, and its successor only adds.

use super::error::ContractError;
use super::git::{FileChange, Repository, What};
use super::rule::{ContractFinding, Rule};
use provender_sandbox::difference::breaking_changes;

/// What to do about a version that is gone or changed.
const PUT_BACK: &str = "put it back and add the new contract under a new package version; the host supports several versions side by side";

/// The `package …;` line of a WIT file, with its line.
fn package(text: &str) -> Option<(usize, String)> {
    text.lines().enumerate().find_map(|(i, line)| {
        let name = line.trim().strip_prefix("package ")?;
        Some((i + 1, name.split(';').next()?.trim().to_owned()))
    })
}

/// The WIT without comments and whitespace, which may change.
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
    changes: &[FileChange],
) -> Result<Vec<ContractFinding>, ContractError> {
    let mut findings = Vec::new();
    let wits = changes
        .iter()
        .filter(|c| c.path.ends_with(".wit") && c.what != What::Added);
    for change in wits {
        file(repository, &change.path, &mut |line, message, remedy| {
            findings.push(ContractFinding {
                rule: Rule::FrozenWit,
                path: change.path.clone(),
                line,
                message,
                remedy: remedy.to_owned(),
            });
        })?;
    }
    Ok(findings)
}

/// What is wrong with the change of one file: line, what, and what to do.
fn file(
    repository: &Repository,
    path: &str,
    find: &mut dyn FnMut(usize, String, &str),
) -> Result<(), ContractError> {
    let was = repository.at_base(path)?;
    let was = String::from_utf8_lossy(&was);
    let Some((_, version)) = package(&was) else {
        return Ok(());
    };
    let now = repository.now(path)?;
    let now = now.as_deref().map(String::from_utf8_lossy);
    let Some((now, line, new)) = now.and_then(|text| {
        let (line, new) = package(&text)?;
        Some((text, line, new))
    }) else {
        find(
            1,
            format!("{version} is removed: components built for it exist"),
            PUT_BACK,
        );
        return Ok(());
    };
    if new == version {
        if meaning(&now) != meaning(&was) {
            find(
                line,
                format!("{version} is edited in place: components built for it exist"),
                PUT_BACK,
            );
        }
        return Ok(());
    }
    let Some(number) = released(&version) else {
        return Ok(());
    };
    let copy = frozen_copy(path, number);
    let kept = repository.now(&copy)?;
    if kept.is_none_or(|kept| meaning(&String::from_utf8_lossy(&kept)) != meaning(&was)) {
        find(
            line,
            format!("{version} becomes {new} and is not kept as {copy}"),
            "keep the former text as that file: components built for it name that version, and the host compares them with it",
        );
    }
    if major(number) != released(&new).and_then(major) {
        return Ok(());
    }
    match breaking_changes(&was, &now) {
        Ok(items) if items.is_empty() => {}
        Ok(items) => find(
            line,
            format!(
                "{new} breaks components built for {version}: {}",
                items.join("; ")
            ),
            "add beside what there is, in an interface of its own; what breaks is a new major version",
        ),
        Err(cause) => find(
            line,
            format!("{new} cannot be compared with {version}: {cause}"),
            "correct the WIT",
        ),
    }
    Ok(())
}

/// The version of a package from 1.0.0 on. Earlier drafts promise no compatibility beyond their own version.
fn released(package: &str) -> Option<&str> {
    let (_, number) = package.split_once('@')?;
    (major(number)? > 0).then_some(number)
}

fn major(number: &str) -> Option<u64> {
    number.split('.').next()?.parse().ok()
}

/// `wit/frozen/logic-1.0.0.wit` for `wit/logic.wit`.
fn frozen_copy(path: &str, number: &str) -> String {
    let (folder, file) = path.rsplit_once('/').map_or(("", path), |(d, f)| (d, f));
    let stem = file.strip_suffix(".wit").unwrap_or(file);
    let folder = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    format!("{folder}frozen/{stem}-{number}.wit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frozen_copy_lies_beside_the_contract() {
        let copy = |path| frozen_copy(path, "1.0.0");
        assert_eq!(copy("wit/logic.wit"), "wit/frozen/logic-1.0.0.wit");
        assert_eq!(copy("logic.wit"), "frozen/logic-1.0.0.wit");
    }

    #[test]
    fn drafts_are_not_released() {
        assert_eq!(released("provender:logic@1.2.0"), Some("1.2.0"));
        assert_eq!(released("provender:logic@0.1.0"), None);
        assert_eq!(released("provender:logic"), None);
    }
}
