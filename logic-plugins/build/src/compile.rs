//! Cargo to a core module, with the remaps that keep this machine out of the bytes.
//!
//! A panic's message names a file. Without the remaps the folders of the builder's machine would
//! stand in the component, and no other machine could build the same bytes.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::component::{ComponentError, Toolchain, WIT_COMPONENT, encode};
use crate::package::Package;
use crate::tools::{StdSource, TARGET, Tools};

/// A built component.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component.
    pub bytes: Vec<u8>,
    /// What built it.
    pub toolchain: Toolchain,
}

/// A build that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file or folder.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// A manifest that is not as a logic's must be.
    #[error("{path}: {problem}")]
    Manifest {
        /// The manifest or lock file.
        path: PathBuf,
        /// What it lacks.
        problem: String,
    },
    /// Cargo refused.
    #[error("cargo could not build `{package}`:\n{output}")]
    Cargo {
        /// The package.
        package: String,
        /// What cargo said.
        output: String,
    },
    /// A folder of this machine stands in the bytes.
    #[error(
        "the component holds the path `{0}` of this machine, so no other machine can build the same bytes"
    )]
    Path(String),
    /// The module does not become a component.
    #[error(transparent)]
    Component(#[from] ComponentError),
}

pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> BuildError {
    let path = path.to_owned();
    move |error| BuildError::Io { path, error }
}

/// Builds a package, compiling into `target_dir`.
///
/// # Errors
/// When cargo refuses, the module does not become a component without imports, or a path of this
/// machine would stand in it.
pub fn build(tools: &Tools, package: &Package, target_dir: &Path) -> Result<Built, BuildError> {
    let workspace = package.workspace.canonicalize();
    let workspace = workspace.map_err(io(&package.workspace))?;
    let toolchain = toolchain_here(tools, &workspace)?;
    run(
        tools,
        &workspace,
        &package.name,
        &[],
        &["fetch", "--locked"],
    )?;
    let remaps = remaps(tools, &workspace)?;
    let target_text = target_dir.display().to_string();
    let mut args = vec![
        "build",
        "--locked",
        "--release",
        "--lib",
        "--target",
        TARGET,
        "--package",
        &package.name,
    ];
    args.extend(["--target-dir", target_text.as_str()]);
    let mut variables = vec![("CARGO_ENCODED_RUSTFLAGS", flags(&remaps))];
    if tools.std_source == StdSource::Source {
        args.push("-Zbuild-std=std,panic_abort");
        variables.push(("RUSTC_BOOTSTRAP", "1".to_owned()));
    }
    run(tools, &workspace, &package.name, &variables, &args)?;
    let module = target_dir
        .join(TARGET)
        .join("release")
        .join(&package.module);
    let module = std::fs::read(&module).map_err(io(&module))?;
    let bytes = encode(&module, &toolchain)?;
    for (folder, _) in &remaps {
        // A folder that is called like a name that it gets, such as /src, is no leak.
        let is_name = remaps.iter().any(|(_, name)| name.starts_with(folder));
        if !is_name && bytes.windows(folder.len()).any(|w| w == folder.as_bytes()) {
            return Err(BuildError::Path(folder.clone()));
        }
    }
    Ok(Built { bytes, toolchain })
}

/// What a build here would be built with.
///
/// # Errors
/// When the workspace's lock file cannot be read or lacks the SDK.
pub fn toolchain_here(tools: &Tools, workspace: &Path) -> Result<Toolchain, BuildError> {
    Ok(Toolchain {
        rustc: tools.rustc_version.clone(),
        rust_std: tools.std_source.name().to_owned(),
        wit_component: WIT_COMPONENT.to_owned(),
        sdk: locked_version(workspace, "provender-logic")?,
    })
}

fn locked_version(workspace: &Path, package: &str) -> Result<String, BuildError> {
    let path = workspace.join("Cargo.lock");
    let text = std::fs::read_to_string(&path).map_err(io(&path))?;
    let bad = |problem: String| BuildError::Manifest {
        path: path.clone(),
        problem,
    };
    let lock: toml::Table = text.parse().map_err(|e| bad(format!("{e}")))?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let found = packages
        .into_iter()
        .flatten()
        .find(|p| p.get("name").and_then(toml::Value::as_str) == Some(package));
    let version = found
        .and_then(|p| p.get("version"))
        .and_then(toml::Value::as_str);
    version.map(str::to_owned).ok_or_else(|| {
        bad(format!(
            "`{package}` is not in it; a logic is written with that crate"
        ))
    })
}

/// Folders of this machine and the names they get. Rustc takes the last that fits, so the more
/// exact ones come later.
fn remaps(tools: &Tools, workspace: &Path) -> Result<Vec<(String, String)>, BuildError> {
    let sources = tools.cargo_home.join("registry/src");
    let mut pairs = vec![(tools.cargo_home.clone(), "/cargo".to_owned())];
    // The folder of a registry is named after its address, which a mirror changes.
    if let Ok(entries) = std::fs::read_dir(&sources) {
        let mut folders = Vec::new();
        for entry in entries {
            folders.push(entry.map_err(io(&sources))?.path());
        }
        folders.sort();
        pairs.extend(
            folders
                .into_iter()
                .map(|f| (f, "/cargo/registry".to_owned())),
        );
    }
    pairs.push((tools.sysroot.clone(), "/rust".to_owned()));
    pairs.push((
        tools.sysroot.join("lib/rustlib/src/rust"),
        format!("/rustc/{}", tools.rustc_commit),
    ));
    for (folder, name) in beside(workspace)? {
        pairs.push((folder, format!("/beside/{name}")));
    }
    pairs.push((workspace.to_owned(), "/src".to_owned()));
    Ok(pairs
        .into_iter()
        .map(|(from, to)| (from.display().to_string(), to))
        .collect())
}

/// The crates that the workspace's manifest takes from beside the workspace, with their folders: an SDK that
/// several workspaces share. Those inside it have the workspace's own name.
fn beside(workspace: &Path) -> Result<Vec<(PathBuf, String)>, BuildError> {
    let path = workspace.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(io(&path))?;
    let manifest: toml::Table =
        text.parse()
            .map_err(|e: toml::de::Error| BuildError::Manifest {
                path: path.clone(),
                problem: e.to_string().trim_end().to_owned(),
            })?;
    let shared = manifest
        .get("workspace")
        .and_then(|w| w.get("dependencies"));
    let tables = [manifest.get("dependencies"), shared];
    let mut found = Vec::new();
    for (name, value) in tables
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_table)
        .flatten()
    {
        let Some(given) = value.get("path").and_then(toml::Value::as_str) else {
            continue;
        };
        let folder = workspace.join(given);
        let folder = folder.canonicalize().map_err(io(&folder))?;
        if !folder.starts_with(workspace) {
            found.push((folder, name.clone()));
        }
    }
    Ok(found)
}

/// Vectors of 128 bits: their arithmetic is IEEE's lane by lane, so that no bit of a number changes, and
/// every engine of this host has them. Relaxed SIMD, which may differ from machine to machine, stays off.
const SIMD: &str = "-Ctarget-feature=+simd128";

fn flags(remaps: &[(String, String)]) -> String {
    let remap = |(from, to): &(String, String)| format!("--remap-path-prefix={from}={to}");
    let flags: Vec<_> = remaps.iter().map(remap).chain([SIMD.to_owned()]).collect();
    flags.join("\x1f")
}

/// Variables that would change the bytes, or lead cargo to another tool.
const UNWANTED: &[&str] = &[
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_INCREMENTAL",
    "CARGO_TARGET_DIR",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL",
    "CARGO_PROFILE_RELEASE_LTO",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS",
    "CARGO_PROFILE_RELEASE_DEBUG",
    "CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS",
    "CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS",
    "CARGO_PROFILE_RELEASE_PANIC",
    "CARGO_PROFILE_RELEASE_STRIP",
];

/// What cargo says on its standard output.
pub(crate) fn ask(
    tools: &Tools,
    folder: &Path,
    package: &str,
    args: &[&str],
) -> Result<String, BuildError> {
    run(tools, folder, package, &[], args)
}

fn run(
    tools: &Tools,
    workspace: &Path,
    package: &str,
    variables: &[(&str, String)],
    args: &[&str],
) -> Result<String, BuildError> {
    let mut command = Command::new(&tools.cargo);
    command.current_dir(workspace).args(args);
    for name in UNWANTED {
        command.env_remove(name);
    }
    command
        .env("RUSTC", &tools.rustc)
        .env("CARGO_HOME", &tools.cargo_home);
    command.envs(variables.iter().map(|(k, v)| (k, v)));
    let out = command.output().map_err(io(&tools.cargo))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    Err(BuildError::Cargo {
        package: package.to_owned(),
        output: String::from_utf8_lossy(&out.stderr).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_beside_the_workspace_has_a_name_of_its_own() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        for folder in ["sdk", "logic/inner"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        let manifest = "[workspace.dependencies]\nsdk = { path = \"../sdk\" }\ninner = { path = \"inner\" }\nother = \"1\"\n";
        std::fs::write(root.join("logic/Cargo.toml"), manifest).unwrap();
        let found = beside(&root.join("logic")).unwrap();
        assert_eq!(found, [(root.join("sdk"), "sdk".to_owned())]);
    }
}
