//! Builds again and compares: here with what is stored, and in two folders with each other.

use std::path::Path;

use crate::artifacts::LogicDir;
use crate::compile::{BuildError, build, io, toolchain_here};
use crate::component::{Toolchain, toolchain_of};
use crate::package::Package;
use crate::tools::Tools;

/// How a stored component compares with its rebuild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same bytes.
    Same,
    /// Other bytes by the same tool chain: source or component was changed alone.
    Different,
    /// No component is stored.
    Missing,
    /// Another tool chain built what is stored, so that a difference would say nothing.
    NotChecked {
        /// What built the stored bytes.
        stored: Toolchain,
        /// What is here.
        here: Toolchain,
    },
}

/// Rebuilds a logic and compares it with the stored component in `artifacts`.
///
/// # Errors
/// When the rebuild fails or the stored file cannot be read.
pub fn check(
    tools: &Tools,
    workspace: &Path,
    logic: &LogicDir,
    artifacts: &Path,
    target_dir: &Path,
) -> Result<Comparison, BuildError> {
    let path = artifacts.join(logic.file());
    if !path.is_file() {
        return Ok(Comparison::Missing);
    }
    let stored_bytes = std::fs::read(&path).map_err(io(&path))?;
    let (stored, here) = (
        toolchain_of(&stored_bytes)?,
        toolchain_here(tools, workspace)?,
    );
    if stored != here {
        return Ok(Comparison::NotChecked { stored, here });
    }
    let built = build(
        tools,
        &Package::member(workspace, &logic.package),
        target_dir,
    )?;
    Ok(if built.bytes == stored_bytes {
        Comparison::Same
    } else {
        Comparison::Different
    })
}

/// A package built twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twice {
    /// Name of the package.
    pub package: String,
    /// The component of the first build.
    pub first: Vec<u8>,
    /// The component of the second build.
    pub second: Vec<u8>,
}

impl Twice {
    /// Whether both builds gave the same bytes.
    #[must_use]
    pub fn same(&self) -> bool {
        self.first == self.second
    }
}

/// Builds packages of one workspace in two copies of it, in folders of different names and lengths.
/// Both builds start from nothing.
///
/// # Errors
/// When a copy or a build fails.
pub fn verify(
    tools: &Tools,
    workspace: &Path,
    packages: &[Package],
) -> Result<Vec<Twice>, BuildError> {
    // `.` has no parent to look for the contract in.
    let workspace = workspace.canonicalize().map_err(io(workspace))?;
    let round = |folder: &str| -> Result<Vec<Vec<u8>>, BuildError> {
        let temp = tempfile::tempdir().map_err(io(&workspace))?;
        let root = temp.path().join(folder);
        let copy = root.join("logic-plugins");
        copy_tree(&workspace, &copy)?;
        // The SDK of the project's own workspace reads the contract from beside the workspace.
        let wit = workspace.parent().map(|p| p.join("wit"));
        if let Some(wit) = wit.filter(|w| w.is_dir() && workspace.join("sdk").is_dir()) {
            copy_tree(&wit, &root.join("wit"))?;
        }
        let target = temp.path().join("target");
        let build = |package: &Package| {
            let package = Package {
                workspace: copy.clone(),
                ..package.clone()
            };
            build(tools, &package, &target).map(|built| built.bytes)
        };
        packages.iter().map(build).collect()
    };
    let (first, second) = (round("one")?, round("another/deeper/folder")?);
    let pairs = packages.iter().zip(first.into_iter().zip(second));
    Ok(pairs
        .map(|(package, (first, second))| Twice {
            package: package.name.clone(),
            first,
            second,
        })
        .collect())
}

/// Folders that no build reads, and that may be large.
const NOT_COPIED: &[&str] = &["target", ".git", ".venv", "node_modules", "__pycache__"];

fn copy_tree(from: &Path, to: &Path) -> Result<(), BuildError> {
    std::fs::create_dir_all(to).map_err(io(to))?;
    for entry in std::fs::read_dir(from).map_err(io(from))? {
        let entry = entry.map_err(io(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(io(&source))?;
        if kind.is_dir() {
            let skipped = NOT_COPIED.iter().any(|n| entry.file_name() == *n);
            if !skipped {
                copy_tree(&source, &target)?;
            }
        } else if kind.is_file() {
            std::fs::copy(&source, &target).map_err(io(&source))?;
        }
    }
    Ok(())
}
