//! The rule that the source folder of a frozen version is not touched.

use provender_domain::render::escape;

use super::error::ContractError;
use super::frozen::{Frozen, is_named};
use super::git::{FileChange, Repository, What};
use super::rule::{ContractFinding, Rule};

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
    changes: &[FileChange],
) -> Result<Vec<ContractFinding>, ContractError> {
    let mut folders: Vec<(String, &Frozen)> = Vec::new();
    for manifest in files.iter().filter(|f| is_named(f, MANIFEST)) {
        let Some((folder, _)) = manifest.rsplit_once('/') else {
            continue;
        };
        let text = repository.at_base(manifest)?;
        let table: Option<toml::Table> = String::from_utf8_lossy(&text).parse().ok();
        let text = |key: &str| table.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let (name, version) = (text("name"), text("version"));
        let of = frozen.iter().find(|f| {
            Some(&f.pin.name) == name.as_ref() && Some(&f.pin.version) == version.as_ref()
        });
        folders.extend(of.map(|f| (format!("{folder}/"), f)));
    }
    let mut touched: Vec<Touched> = Vec::new();
    for change in changes {
        let parts: Vec<&str> = change.path.split('/').collect();
        let above = &parts[..parts.len() - 1];
        let by_name = || {
            frozen.iter().find_map(|f| {
                let depth = above.iter().position(|part| f.is_folder(part))?;
                Some((above[..=depth].join("/"), f))
            })
        };
        let by_manifest = || {
            let hit = folders
                .iter()
                .find(|(folder, _)| change.path.starts_with(folder));
            hit.map(|(folder, f)| (folder.trim_end_matches('/').to_owned(), *f))
        };
        let Some((folder, f)) = by_name().or_else(by_manifest) else {
            continue;
        };
        // The built component has a rule of its own. A new manifest only names component and cases;
        // it does not change the bytes.
        let is_new_manifest = change.what == What::Added && is_named(&change.path, MANIFEST);
        if change.path == f.component() || is_new_manifest {
            continue;
        }
        match touched.iter_mut().find(|t| t.folder == folder) {
            Some(t) => t.changes.push(change),
            None => touched.push(Touched {
                folder,
                frozen: f,
                changes: vec![change],
            }),
        }
    }
    Ok(touched
        .iter()
        .filter_map(|t| t.finding(repository))
        .collect())
}

/// A folder of a frozen version and its changes. It gives one finding for all of them: a moved folder has many
/// files.
struct Touched<'c> {
    folder: String,
    frozen: &'c Frozen,
    changes: Vec<&'c FileChange>,
}

impl Touched<'_> {
    fn finding(&self, repository: &Repository) -> Option<ContractFinding> {
        let model = self.frozen.pin.model_version();
        let first = self.changes.first()?;
        let message = if self.changes.len() == 1 {
            format!(
                "{} in the folder of {model}, which is frozen",
                did(first.what)
            )
        } else if repository.root().join(&self.folder).is_dir() {
            format!(
                "{} files in {}, the folder of {model}, which is frozen: {}",
                self.changes.len(),
                self.folder,
                self.examples()
            )
        } else {
            format!(
                "{}, the folder of {model}, which is frozen, is gone with its {} files",
                self.folder,
                self.changes.len()
            )
        };
        Some(ContractFinding {
            rule: Rule::FrozenSource,
            path: first.path.clone(),
            line: 1,
            message,
            remedy: format!(
                "undo it and make the change in the folder of a new version of {}",
                self.frozen.pin.name
            ),
        })
    }

    /// The first changed files, by name.
    fn examples(&self) -> String {
        const SHOWN: usize = 3;
        let prefix = format!("{}/", self.folder);
        let mut shown: Vec<String> = self
            .changes
            .iter()
            .take(SHOWN)
            .map(|c| {
                let inside = c.path.strip_prefix(&prefix).unwrap_or(&c.path);
                format!("{} {}", escape::terminal(inside), did(c.what))
            })
            .collect();
        if self.changes.len() > SHOWN {
            shown.push(format!("and {} more", self.changes.len() - SHOWN));
        }
        shown.join(", ")
    }
}

fn did(what: What) -> &'static str {
    match what {
        What::Added => "added",
        What::Changed => "changed",
        What::Removed => "removed",
    }
}
