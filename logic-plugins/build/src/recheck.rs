//! Builds again and compares: here with what is stored, and in two folders with each other.

use std::path::Path;

use crate::artifacts::LogicDir;
use crate::compile::{BuildError, build, io, toolchain};
use crate::component::{Toolchain, toolchain_of};
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
    let (stored, here) = (toolchain_of(&stored_bytes)?, toolchain(tools, workspace)?);
    if stored != here {
        return Ok(Comparison::NotChecked { stored, here });
    }
    let built = build(tools, workspace, &logic.package, target_dir)?;
    Ok(if built.bytes == stored_bytes {
        Comparison::Same
    } else {
        Comparison::Different
    })
}

/// Builds each logic in two copies of the workspace, in folders of different names and lengths,
/// and says for each whether the bytes agree. Both builds start from nothing.
///
/// # Errors
/// When a copy or a build fails.
pub fn verify(
    tools: &Tools,
    workspace: &Path,
    logics: &[LogicDir],
) -> Result<Vec<(LogicDir, bool)>, BuildError> {
    let mut rounds = Vec::new();
    for name in ["one", "another/deeper/folder"] {
        let temp = tempfile::tempdir().map_err(io(workspace))?;
        let root = temp.path().join(name);
        let copy = root.join("logic-plugins");
        copy_tree(workspace, &copy)?;
        // The SDK reads the contract from beside the workspace.
        if let Some(wit) = workspace
            .parent()
            .map(|p| p.join("wit"))
            .filter(|w| w.is_dir())
        {
            copy_tree(&wit, &root.join("wit"))?;
        }
        let target = temp.path().join("target");
        let mut round = Vec::new();
        for logic in logics {
            round.push(build(tools, &copy, &logic.package, &target)?.bytes);
        }
        rounds.push(round);
    }
    let same = |i: usize| rounds.windows(2).all(|w| w[0][i] == w[1][i]);
    Ok(logics
        .iter()
        .cloned()
        .enumerate()
        .map(|(i, l)| (l, same(i)))
        .collect())
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), BuildError> {
    std::fs::create_dir_all(to).map_err(io(to))?;
    for entry in std::fs::read_dir(from).map_err(io(from))? {
        let entry = entry.map_err(io(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(io(&source))?;
        if kind.is_dir() && entry.file_name() != "target" {
            copy_tree(&source, &target)?;
        } else if kind.is_file() {
            std::fs::copy(&source, &target).map_err(io(&source))?;
        }
    }
    Ok(())
}
