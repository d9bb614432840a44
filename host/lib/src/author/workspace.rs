//! Adds a member to the project's own workspace of logics, `logic-plugins/`: to its manifest and to its
//! lock file, so that the next `--locked` build succeeds.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

use super::error::AuthorError;

/// A workspace that has the SDK as a member.
pub(super) struct Workspace {
    folder: PathBuf,
    manifest: DocumentMut,
}

impl Workspace {
    /// The workspace in `folder`; `None` if there is none, or if it lacks the SDK.
    pub(super) fn at(folder: &Path) -> Option<Workspace> {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
        let manifest: DocumentMut = text.parse().ok()?;
        let members = manifest.get("workspace")?.get("members")?.as_array()?;
        let has_sdk = members.iter().any(|m| m.as_str() == Some("sdk"));
        let sdk = std::fs::read_to_string(folder.join("sdk/Cargo.toml")).ok()?;
        (has_sdk && sdk.contains("name = \"provender-logic\"")).then(|| Workspace {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// The files that change when `package` becomes a member: path and new text.
    ///
    /// # Errors
    /// If it is already a member, or the lock file cannot be read.
    pub(super) fn with_member(
        mut self,
        package: &str,
    ) -> Result<Vec<(PathBuf, String)>, AuthorError> {
        let path = self.folder.join("Cargo.toml");
        let members = self
            .manifest
            .get_mut("workspace")
            .and_then(|w| w.get_mut("members"))
            .and_then(Item::as_array_mut);
        if let Some(members) = members {
            if members.iter().any(|m| m.as_str() == Some(package)) {
                return Err(AuthorError::Member {
                    workspace: path,
                    package: package.to_owned(),
                });
            }
            members.push(package);
        }
        let lock = self.folder.join("Cargo.lock");
        let text = std::fs::read_to_string(&lock).map_err(|cause| AuthorError::Io {
            path: lock.clone(),
            cause,
        })?;
        Ok(vec![
            (path, self.manifest.to_string()),
            (lock, locked_with(&text, package, None)),
        ])
    }
}

const HEAD: &str = "\n[[package]]\n";

/// A lock file with a logic's package in it: a new entry, or that of `old` renamed. Cargo sorts packages by name
/// and, with `--locked`, refuses a file that differs from what it would write.
pub(super) fn locked_with(text: &str, package: &str, old: Option<&str>) -> String {
    let head = text.split_once(HEAD).map_or(text, |(head, _)| head);
    let blocks = text.split(HEAD).skip(1);
    let mut blocks: Vec<String> = blocks.map(|b| b.trim_end().to_owned()).collect();
    let name_line = |name: &str| format!("name = \"{name}\"");
    let own = old
        .and_then(|old| {
            let line = name_line(old);
            blocks.iter().position(|b| b.lines().next() == Some(&line))
        })
        .map(|at| {
            let block = blocks.remove(at);
            let rest = block.split_once('\n').map_or("", |(_, rest)| rest);
            format!("{}\n{rest}", name_line(package))
        });
    blocks.push(own.unwrap_or_else(|| {
        format!(
            "{}\nversion = \"0.1.0\"\ndependencies = [\n \"provender-logic\",\n]",
            name_line(package)
        )
    }));
    blocks.sort_by(|a, b| key(a).cmp(&key(b)));
    let blocks: Vec<_> = blocks.iter().map(|b| format!("{HEAD}{b}\n")).collect();
    head.trim_end().to_owned() + "\n" + &blocks.concat()
}

/// Name and version of an entry.
fn key(block: &str) -> (&str, &str) {
    let mut lines = block.lines();
    let mut value = || {
        let line = lines.next().unwrap_or_default();
        line.split('"').nth(1).unwrap_or_default()
    };
    (value(), value())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = include_str!("../../../../logic-plugins/Cargo.lock");

    #[test]
    fn a_lock_file_that_gains_nothing_new_is_the_same_text() {
        let renamed = locked_with(LOCK, "zebra-v1", Some("days-remaining-v2"));
        assert_ne!(renamed, LOCK);
        assert_eq!(
            locked_with(&renamed, "days-remaining-v2", Some("zebra-v1")),
            LOCK
        );
    }

    #[test]
    fn a_new_package_is_placed_where_cargo_would_put_it() {
        let text = locked_with(LOCK, "days-remaining-v3", None);
        let names: Vec<_> = text
            .lines()
            .filter_map(|l| l.strip_prefix("name = "))
            .collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
        assert!(text.contains("\n[[package]]\nname = \"days-remaining-v3\"\nversion = \"0.1.0\"\ndependencies = [\n \"provender-logic\",\n]\n"), "{text}");
    }

    #[test]
    fn a_folder_without_the_sdk_is_not_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Workspace::at(folder.path()).is_none());
        std::fs::write(
            folder.path().join("Cargo.toml"),
            "[workspace]\nmembers = [\"sdk\"]\n",
        )
        .unwrap();
        assert!(Workspace::at(folder.path()).is_none());
    }
}
