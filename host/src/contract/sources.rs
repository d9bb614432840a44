//! The folder of a frozen version is not touched.

use super::error::ContractError;
use super::frozen::{Frozen, is_named};
use super::git::{Change, Repository, What};
use super::rule::{Finding, Rule};

/// The file that says which version a folder makes.
const MANIFEST: &str = "provender-plugin.toml";

/// The folders of frozen versions: by their name, or by the `provender-plugin.toml` in them.
///
/// # Errors
/// When git fails.
pub(super) fn sources(
    repository: &Repository,
    files: &[String],
    frozen: &[Frozen],
    changes: &[Change],
) -> Result<Vec<Finding>, ContractError> {
    let mut folders: Vec<(String, &Frozen)> = Vec::new();
    for manifest in files.iter().filter(|f| is_named(f, MANIFEST)) {
        let Some((folder, _)) = manifest.rsplit_once('/') else {
            continue;
        };
        let text = repository.at_base(manifest)?;
        let said: Option<toml::Table> = String::from_utf8_lossy(&text).parse().ok();
        let text = |key: &str| said.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let (name, version) = (text("name"), text("version"));
        let of = frozen.iter().find(|f| {
            Some(&f.pin.name) == name.as_ref() && Some(&f.pin.version) == version.as_ref()
        });
        folders.extend(of.map(|f| (format!("{folder}/"), f)));
    }
    let mut findings = Vec::new();
    for change in changes {
        let parts: Vec<&str> = change.path.split('/').collect();
        let above = &parts[..parts.len() - 1];
        let named = frozen
            .iter()
            .find(|f| above.iter().any(|part| f.is_folder(part)));
        let by_manifest = || {
            let hit = folders
                .iter()
                .find(|(folder, _)| change.path.starts_with(folder));
            hit.map(|(_, f)| *f)
        };
        let Some(f) = named.or_else(by_manifest) else {
            continue;
        };
        // The built component has a rule of its own. A manifest where there was none says where
        // component and cases lie; it is no source of the bytes.
        let is_new_manifest = change.what == What::Added && is_named(&change.path, MANIFEST);
        if change.path == f.component() || is_new_manifest {
            continue;
        }
        let what = match change.what {
            What::Added => "added",
            What::Changed => "changed",
            What::Removed => "removed",
        };
        findings.push(Finding {
            rule: Rule::FrozenSource,
            path: change.path.clone(),
            line: 1,
            message: format!(
                "{what} in the folder of {}, which is frozen",
                f.pin.model_version()
            ),
            remedy: format!(
                "undo it and make the change in the folder of a new version of {}",
                f.pin.name
            ),
        });
    }
    Ok(findings)
}
