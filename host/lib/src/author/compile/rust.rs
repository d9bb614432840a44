//! Builds a Rust folder with cargo, and encodes the core module to a component in process.

use std::path::Path;

use provender_build::{Package, Tools};

use crate::author::error::AuthorError;

use super::Machine;

pub(super) fn build(machine: &Machine, folder: &Path) -> Result<(Vec<u8>, String), AuthorError> {
    let tools = Tools::find(&machine.rustc, &machine.cargo_home)?;
    let package = Package::at(&tools, folder)?;
    let target = match &machine.target_dir {
        Some(target) => target.clone(),
        // Not the folder of `cargo test`: its flags differ, and each build would invalidate the other.
        None => package.workspace.join("target/components"),
    };
    let built = provender_build::build(&tools, &package, &target)?;
    Ok((built.bytes, built.toolchain.to_string()))
}

/// Both components, and what built them.
#[expect(clippy::expect_used, reason = "one package in, one build out")]
pub(super) fn verify(
    machine: &Machine,
    folder: &Path,
) -> Result<(Vec<u8>, Vec<u8>, String), AuthorError> {
    let tools = Tools::find(&machine.rustc, &machine.cargo_home)?;
    let package = Package::at(&tools, folder)?;
    let workspace = package.workspace.clone();
    let twice = provender_build::verify(&tools, &workspace, std::slice::from_ref(&package))?;
    let toolchain = provender_build::toolchain_here(&tools, &workspace)?;
    let twice = twice.into_iter().next();
    let twice = twice.expect("one package was given, so one was built");
    Ok((twice.first, twice.second, toolchain.to_string()))
}
