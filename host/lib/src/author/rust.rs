//! The files of a Rust folder: a package that is its own workspace and contains the SDK, or a member of
//! the project's own workspace.

use toml_edit::{DocumentMut, Item};

use super::embedded;
use super::error::AuthorError;
use super::name::LogicName;
use super::scaffold::fill;
use super::source::{Origin, Source, TextFile};
use super::workspace::locked_with;

const MANIFEST: &str = include_str!("templates/rust/Cargo.toml");
const MEMBER: &str = include_str!("templates/rust/member.toml");
/// A lock file made by cargo for such a folder, without the folder's own package.
const LOCK: &str = include_str!("templates/rust/Cargo.lock");
const IGNORE: &str = "/target/\n/build/\n";

/// The files of a folder that is its own workspace, without README and cases. `source` has been
/// renamed already.
pub(super) fn own_workspace(
    logic: &LogicName,
    source: &Source,
    files: Vec<TextFile>,
) -> Result<Vec<TextFile>, AuthorError> {
    let package = logic.package();
    if matches!(source.origin, Origin::Folder(_)) {
        // The whole folder is copied, with the SDK and the lock file that it was built with.
        let old = source.logic.package();
        return files
            .into_iter()
            .map(|(path, bytes)| match path.as_str() {
                "Cargo.toml" => Ok((path.clone(), renamed_manifest(&path, &bytes, &package)?)),
                "Cargo.lock" => {
                    let text = String::from_utf8_lossy(&bytes);
                    let text = locked_with(&text, &package, Some(&old));
                    Ok((path, text.into_bytes()))
                }
                _ => Ok((path, bytes)),
            })
            .collect();
    }
    let profile = embedded::WORKSPACE
        .find("[profile.release]")
        .map_or("", |at| &embedded::WORKSPACE[at..]);
    let manifest = fill(
        MANIFEST,
        &[
            ("package", &package),
            ("edition", &inherited("edition")),
            ("rust-version", &inherited("rust-version")),
            ("profile", profile.trim_end()),
        ],
    );
    let mut all = vec![
        ("Cargo.toml".to_owned(), manifest.into_bytes()),
        (
            "Cargo.lock".to_owned(),
            locked_with(LOCK, &package, None).into_bytes(),
        ),
        (".gitignore".to_owned(), IGNORE.as_bytes().to_vec()),
    ];
    all.extend(files);
    all.extend(sdk());
    Ok(all)
}

/// The files of a new member of the project's own workspace, without README and cases.
pub(super) fn member(
    logic: &LogicName,
    source: &Source,
    files: Vec<TextFile>,
) -> Result<Vec<TextFile>, AuthorError> {
    let package = logic.package();
    let mut all = Vec::new();
    if !matches!(source.origin, Origin::Folder(_)) {
        let manifest = fill(MEMBER, &[("package", &package)]);
        all.push(("Cargo.toml".to_owned(), manifest.into_bytes()));
    }
    for (path, bytes) in files {
        let bytes = match path.as_str() {
            "Cargo.toml" => renamed_manifest(&path, &bytes, &package)?,
            _ => bytes,
        };
        all.push((path, bytes));
    }
    Ok(all)
}

fn renamed_manifest(path: &str, bytes: &[u8], package: &str) -> Result<Vec<u8>, AuthorError> {
    let carry = |cause: String| AuthorError::Carry {
        file: path.to_owned(),
        cause,
    };
    let mut manifest: DocumentMut = String::from_utf8_lossy(bytes)
        .parse()
        .map_err(|e: toml_edit::TomlError| carry(e.to_string().trim_end().to_owned()))?;
    let name = manifest
        .get_mut("package")
        .and_then(Item::as_table_like_mut)
        .and_then(|p| p.get_mut("name"));
    let name = name.ok_or_else(|| carry("it has no package with a `name`".to_owned()))?;
    *name = toml_edit::value(package);
    Ok(manifest.to_string().into_bytes())
}

/// The value that the workspace of the shipped logics gives a package key.
#[expect(
    clippy::expect_used,
    reason = "the workspace's manifest is part of the program"
)]
fn inherited(key: &str) -> String {
    let workspace: toml::Table = embedded::WORKSPACE
        .parse()
        .expect("the manifest of the shipped workspace is TOML");
    let package = workspace.get("workspace").and_then(|w| w.get("package"));
    let value = package
        .and_then(|p| p.get(key))
        .and_then(toml::Value::as_str);
    value
        .expect("the shipped workspace has the key for all packages")
        .to_owned()
}

/// The SDK as an independent folder: it inherits nothing and contains the contract.
fn sdk() -> Vec<TextFile> {
    let mut files: Vec<TextFile> = embedded::SDK
        .iter()
        .map(|(path, bytes)| {
            let text = || String::from_utf8_lossy(bytes);
            let bytes = match *path {
                "Cargo.toml" => alone(&text()).into_bytes(),
                "src/bindings.rs" => text().replace("\"../../wit\"", "\"wit\"").into_bytes(),
                _ => bytes.to_vec(),
            };
            (format!("sdk/{path}"), bytes)
        })
        .collect();
    files.push((
        "sdk/wit/logic.wit".to_owned(),
        embedded::WIT.as_bytes().to_vec(),
    ));
    files
}

/// A manifest with its inherited keys written out, and without the lints, which belong to the
/// project.
fn alone(manifest: &str) -> String {
    let manifest = manifest.replace("[lints]\nworkspace = true\n", "");
    let line = |line: &str| match line.strip_suffix(".workspace = true") {
        Some(key) => format!("{key} = \"{}\"\n", inherited(key)),
        None => format!("{line}\n"),
    };
    let text: String = manifest.lines().map(line).collect();
    text.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_builds_outside_its_workspace() {
        let files = sdk();
        let text = |wanted: &str| {
            let found = files.iter().find(|(path, _)| path == wanted);
            String::from_utf8(found.unwrap().1.clone()).unwrap()
        };
        let manifest: toml::Table = text("sdk/Cargo.toml").parse().unwrap();
        assert_eq!(manifest["package"]["edition"].as_str(), Some("2024"));
        assert!(!text("sdk/Cargo.toml").contains("workspace"));
        assert!(text("sdk/src/bindings.rs").contains("path: \"wit\""));
        assert_eq!(text("sdk/wit/logic.wit"), embedded::WIT);
    }

    /// Fails when a dependency of the SDK was updated in only one of the two lock files.
    #[test]
    fn the_lock_file_of_a_folder_agrees_with_the_shipped_logics() {
        let packages = |text: &str| -> Vec<String> {
            text.split("\n[[package]]\n")
                .skip(1)
                .map(|block| block.lines().take(4).collect::<Vec<_>>().join("\n"))
                .collect()
        };
        let ours = packages(include_str!("../../../../logic-plugins/Cargo.lock"));
        let theirs = packages(LOCK);
        assert!(theirs.len() > 20);
        // A path package lists its dependencies in the fourth line.
        for package in theirs.iter().filter(|p| p.contains("checksum")) {
            assert!(ours.contains(package), "{package}");
        }
    }

    #[test]
    fn the_profile_is_that_of_the_shipped_logics() {
        let at = embedded::WORKSPACE.find("[profile.release]").unwrap();
        let profile: toml::Table = embedded::WORKSPACE[at..].parse().unwrap();
        assert_eq!(profile.keys().collect::<Vec<_>>(), ["profile"]);
        assert_eq!(profile["profile"].as_table().unwrap().len(), 1);
    }
}
