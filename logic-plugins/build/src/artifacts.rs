//! The folder of built components and its lock file, `provender.lock`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::compile::{BuildError, io};

/// The world that components are built for.
pub const WORLD: &str = "provender:logic/logic-plugin@1.0.0";

/// The folder of one logic version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicDir {
    /// Name of the cargo package, which is that of the folder: `days-remaining-v1`.
    pub package: String,
    /// Name of the logic: `days_remaining`.
    pub name: String,
    /// Its version: `v1`.
    pub version: String,
}

impl LogicDir {
    /// The logic of a package `NAME-VERSION`; `None` for packages that are none.
    #[must_use]
    pub fn from_package(package: &str) -> Option<LogicDir> {
        let (name, version) = package.rsplit_once('-')?;
        let digits = version.strip_prefix('v')?;
        let is_logic =
            !name.is_empty() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        is_logic.then(|| LogicDir {
            package: package.to_owned(),
            name: name.replace('-', "_"),
            version: version.to_owned(),
        })
    }

    /// Name of the built file: `days_remaining-v1.wasm`.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}-{}.wasm", self.name, self.version)
    }
}

/// The logics of a workspace, in the order of its manifest.
///
/// # Errors
/// When the manifest cannot be read, or lists no members.
pub fn logic_dirs(workspace: &Path) -> Result<Vec<LogicDir>, BuildError> {
    let path = workspace.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(io(&path))?;
    let bad = |problem: String| BuildError::Manifest {
        path: path.clone(),
        problem,
    };
    let manifest: toml::Table = text.parse().map_err(|e| bad(format!("{e}")))?;
    let members = manifest
        .get("workspace")
        .and_then(|w| w.get("members"))
        .and_then(toml::Value::as_array);
    let members = members.ok_or_else(|| bad("it is no workspace with `members`".into()))?;
    Ok(members
        .iter()
        .filter_map(|m| m.as_str().and_then(LogicDir::from_package))
        .collect())
}

/// A component as the lock file pins it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedComponent {
    /// Name of the logic.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `sha256:<hex>` of the bytes.
    pub sha256: String,
    /// Length in bytes.
    pub size: usize,
    /// File, relative to the lock file.
    pub path: String,
}

impl PinnedComponent {
    /// Pins the bytes of a logic.
    #[must_use]
    pub fn of(logic: &LogicDir, bytes: &[u8]) -> PinnedComponent {
        let mut sha256 = "sha256:".to_owned();
        for byte in Sha256::digest(bytes) {
            // Writing to a String cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        PinnedComponent {
            name: logic.name.clone(),
            version: logic.version.clone(),
            sha256,
            size: bytes.len(),
            path: logic.file(),
        }
    }
}

/// `v10` comes after `v9`.
fn order(version: &str) -> (u64, &str) {
    (
        version.trim_start_matches('v').parse().unwrap_or(u64::MAX),
        version,
    )
}

/// The text of the lock file, sorted by name and version.
#[must_use]
pub fn lock_text(components: &[PinnedComponent]) -> String {
    let mut sorted: Vec<_> = components.iter().collect();
    sorted.sort_by_key(|c| (c.name.as_str(), order(&c.version)));
    let mut text = "# The pinned components. Written by the builder; a frozen version never changes.\nversion = 1\n".to_owned();
    for c in sorted {
        // Writing to a String cannot fail. Names and paths are of `LogicDir`: nothing to escape.
        let _ = write!(
            text,
            "\n[[component]]\nname = \"{}\"\nversion = \"{}\"\nstate = \"frozen\"\nsha256 = \"{}\"\nsize = {}\nworld = \"{WORLD}\"\nlanguage = \"rust\"\npath = \"{}\"\n",
            c.name, c.version, c.sha256, c.size, c.path
        );
    }
    text
}

/// Writes components and pins the whole folder: `built`, and what lies there of the `known` logics.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_artifacts(
    folder: &Path,
    known: &[LogicDir],
    built: &[(LogicDir, Vec<u8>)],
) -> Result<Vec<PinnedComponent>, BuildError> {
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    for (logic, bytes) in built {
        let path: PathBuf = folder.join(logic.file());
        std::fs::write(&path, bytes).map_err(io(&path))?;
    }
    let mut pins = Vec::new();
    for logic in known {
        let path = folder.join(logic.file());
        if path.is_file() {
            pins.push(PinnedComponent::of(
                logic,
                &std::fs::read(&path).map_err(io(&path))?,
            ));
        }
    }
    let lock = folder.join("provender.lock");
    std::fs::write(&lock, lock_text(&pins)).map_err(io(&lock))?;
    Ok(pins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_logic_when_it_ends_in_a_version() {
        let logic = LogicDir::from_package("days-remaining-v12").unwrap();
        assert_eq!(
            (logic.name.as_str(), logic.version.as_str()),
            ("days_remaining", "v12")
        );
        assert_eq!(logic.file(), "days_remaining-v12.wasm");
        for other in ["sdk", "build", "days-remaining", "x-v", "-v1", "x-v1a"] {
            assert_eq!(LogicDir::from_package(other), None, "{other}");
        }
    }

    #[test]
    fn the_lock_is_toml_with_version_ten_after_nine() {
        let pin =
            |package: &str| PinnedComponent::of(&LogicDir::from_package(package).unwrap(), b"abc");
        let text = lock_text(&[pin("b-v10"), pin("b-v9"), pin("a-v1")]);
        let table: toml::Table = text.parse().unwrap();
        let all = table["component"].as_array().unwrap();
        let paths: Vec<_> = all.iter().map(|c| c["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["a-v1.wasm", "b-v9.wasm", "b-v10.wasm"]);
        assert_eq!(
            all[0]["sha256"].as_str().unwrap(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
