//! Where golden cases lie: in a deployment, and in a folder that a person names.

use std::path::{Component, Path, PathBuf};

/// The cases of a repository that is laid out like Provender's own.
pub(crate) const SOURCE: &str = "logic-plugins/cases";

/// The cases of a deployment.
pub(crate) const OWN: &str = "cases";

/// The folder that a folder lies in, spelled without `..` where that is possible.
#[must_use]
pub fn outside(folder: &Path) -> PathBuf {
    match folder.components().next_back() {
        Some(Component::Normal(_)) => folder.parent().unwrap_or(Path::new("")).to_path_buf(),
        _ => folder.join(".."),
    }
}

/// Where the golden cases of a deployment are looked for: the source's where a checkout is the deployment, else its
/// own, else those beside it.
#[must_use]
pub fn of_deployment(root: &Path) -> Vec<PathBuf> {
    vec![root.join(SOURCE), root.join(OWN), outside(root).join(OWN)]
}

/// The first folder that holds cases of a logic: one named after the logic, or files of cases themselves.
#[must_use]
pub fn cases_of(candidates: &[PathBuf], name: &str) -> Option<PathBuf> {
    candidates.iter().find_map(|folder| {
        let own = folder.join(name);
        if own.is_dir() {
            return Some(own);
        }
        holds_files(folder).then(|| folder.clone())
    })
}

fn holds_files(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|e| {
            let path = e.path();
            let kind = path.extension().and_then(|k| k.to_str());
            matches!(kind, Some("toml" | "csv")) && path.is_file()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_named_after_the_logic_precedes_files_and_the_first_with_cases_counts() {
        let temp = tempfile::tempdir().unwrap();
        let at = |path: &str| temp.path().join(path);
        for folder in ["empty", "files", "named/days"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("files/a.toml"), "").unwrap();
        fs::write(at("empty/notes.txt"), "").unwrap();
        let of = |folders: &[&str]| {
            let folders: Vec<_> = folders.iter().map(|f| at(f)).collect();
            cases_of(&folders, "days")
        };
        assert_eq!(of(&["empty", "gone"]), None);
        assert_eq!(of(&["empty", "files", "named"]), Some(at("files")));
        assert_eq!(of(&["named", "files"]), Some(at("named/days")));
    }

    #[test]
    fn the_folder_outside_is_spelled_without_dots_where_it_can_be() {
        for (folder, expected) in [("a/b", "a"), ("a", ""), (".", "./.."), ("..", "../..")] {
            assert_eq!(outside(Path::new(folder)), Path::new(expected), "{folder}");
        }
    }
}
