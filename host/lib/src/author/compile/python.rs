//! Builds a Python folder with componentize-py; all of WASI is stubbed out.
//!
//! The build runs on a copy that contains only the source. Everything on the module path is listed in the
//! component's bytes, and site-packages of the building machine would be included unnoticed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::author::embedded;
use crate::author::error::AuthorError;

use super::Machine;

/// The name of the program.
const TOOL: &str = "componentize-py";
/// The versions whose bindings `provender_logic` is written for.
const KNOWN: &str = "0.25.x";
const KNOWN_PREFIX: &str = "0.25.";
/// The Python that componentize-py 0.25 puts into a component; the tool does not report it.
const PYTHON: &str = "3.14";
const WORLD: &str = "logic-plugin";
/// What is not source: cases, the contract, output of tools.
const NOT_COPIED: &[&str] = &[
    "build",
    "cases",
    "wit",
    "target",
    "node_modules",
    "__pycache__",
];

pub(super) fn build(machine: &Machine, folder: &Path) -> Result<(Vec<u8>, String), AuthorError> {
    let tool = find(machine, folder)?;
    let version = version(&tool)?;
    let wit = contract(folder)?;
    let temp = tempfile::tempdir().map_err(io(folder))?;
    let (source, output) = (temp.path().join("source"), temp.path().join("logic.wasm"));
    copy_source(folder, &source)?;
    // Without an explicit module path it would use that of the machine's Python.
    let outside = temp.path().join("venv");
    let empty = outside.join("lib/python3/site-packages");
    fs::create_dir_all(&empty).map_err(io(&empty))?;
    let done = Command::new(&tool)
        .current_dir(&source)
        .env("VIRTUAL_ENV", &outside)
        .env_remove("PYTHONPATH")
        .args(["--wit-path".as_ref(), wit.as_os_str()])
        .args(["--world", WORLD, "componentize", "app", "--stub-wasi"])
        .args(["--python-path", ".", "--output"])
        .arg(&output)
        .output()
        .map_err(io(&tool))?;
    if !done.status.success() {
        let text = [done.stdout, done.stderr].concat();
        return Err(AuthorError::Componentize {
            folder: folder.display().to_string(),
            output: String::from_utf8_lossy(&text).trim().to_owned(),
        });
    }
    let bytes = fs::read(&output).map_err(io(&output))?;
    let bytes = provender_build::with_producers(
        &bytes,
        &[("Python", PYTHON)],
        &[(TOOL, &version)],
        &[("provender_logic", &layer_version(folder)?)],
    )
    .map_err(provender_build::BuildError::from)?;
    provender_build::refuse_imports(&bytes).map_err(provender_build::BuildError::from)?;
    Ok((bytes, format!("Python {PYTHON}, {TOOL} {version}")))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> AuthorError {
    let path = path.to_owned();
    move |cause| AuthorError::Io { path, cause }
}

/// Looks in this order: the environment variable, the folder's `.venv`, `PATH`.
fn find(machine: &Machine, folder: &Path) -> Result<PathBuf, AuthorError> {
    let name = format!("{TOOL}{}", std::env::consts::EXE_SUFFIX);
    let candidates: Vec<PathBuf> = match &machine.componentize_py {
        Some(tool) => vec![tool.clone()],
        None => [folder.join(".venv/bin"), folder.join(".venv/Scripts")]
            .iter()
            .chain(&machine.path)
            .map(|dir| dir.join(&name))
            .collect(),
    };
    let found = candidates.iter().find(|tool| tool.is_file());
    match found {
        // It runs in another folder, so the path has to be absolute.
        Some(tool) => std::path::absolute(tool).map_err(io(tool)),
        None if machine.componentize_py.is_some() => {
            Err(AuthorError::NoComponentize { looked: candidates })
        }
        None => Err(AuthorError::NoComponentize {
            looked: vec![folder.join(".venv/bin").join(name), "the path".into()],
        }),
    }
}

/// `0.25.1`.
fn version(tool: &Path) -> Result<String, AuthorError> {
    let other = |found: String| AuthorError::OtherComponentize {
        tool: tool.to_owned(),
        found,
        known: KNOWN,
    };
    let done = Command::new(tool)
        .arg("--version")
        .output()
        .map_err(|e| other(format!("cannot be run: {e}")))?;
    let text = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    let version = text.rsplit(' ').next().unwrap_or_default().to_owned();
    if done.status.success() && version.starts_with(KNOWN_PREFIX) {
        return Ok(version);
    }
    Err(other(if text.is_empty() {
        "does not say its version".to_owned()
    } else {
        format!("says it is `{text}`")
    }))
}

/// The folder's contract; if it has none, the program's own is written.
fn contract(folder: &Path) -> Result<PathBuf, AuthorError> {
    let wit = folder.join("wit");
    let file = wit.join("logic.wit");
    if !file.is_file() {
        fs::create_dir_all(&wit).map_err(io(&wit))?;
        fs::write(&file, embedded::WIT).map_err(io(&file))?;
    }
    std::path::absolute(&wit).map_err(io(&wit))
}

/// `__version__` of the folder's own copy of the author's layer.
fn layer_version(folder: &Path) -> Result<String, AuthorError> {
    let file = folder.join("provender_logic/__init__.py");
    let text = fs::read_to_string(&file).map_err(io(&file))?;
    let line = text.lines().find_map(|l| l.strip_prefix("__version__ = "));
    Ok(line.map_or("unknown", |v| v.trim_matches('"')).to_owned())
}

fn copy_source(from: &Path, to: &Path) -> Result<(), AuthorError> {
    fs::create_dir_all(to).map_err(io(to))?;
    for entry in fs::read_dir(from).map_err(io(from))? {
        let entry = entry.map_err(io(from))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (source, target) = (entry.path(), to.join(&name));
        let kind = entry.file_type().map_err(io(&source))?;
        let hidden = name.starts_with('.');
        if kind.is_dir() && !hidden && !NOT_COPIED.contains(&name.as_str()) {
            copy_source(&source, &target)?;
        } else if kind.is_file() && is_source(&name) {
            fs::copy(&source, &target).map_err(io(&source))?;
        }
    }
    Ok(())
}

/// Modules, and data that a package reads while it is imported; without tests and documentation.
fn is_source(name: &str) -> bool {
    let is_test = name.starts_with("test_") && name.ends_with(".py");
    let others = [".md", ".wasm", ".whl", ".pyc"];
    !name.starts_with('.') && !is_test && !others.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_holds_the_source_alone() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for file in [
            "app.py",
            "pkg/data.json",
            "test_logic.py",
            "README.md",
            ".venv/lib.py",
            "build/x.py",
            "__pycache__/app.pyc",
            "cases/basics.toml",
        ] {
            let path = from.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        copy_source(from.path(), to.path()).unwrap();
        let mut names: Vec<_> = fs::read_dir(to.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["app.py", "pkg"]);
        assert!(to.path().join("pkg/data.json").is_file());
    }

    #[test]
    #[cfg(unix)]
    fn a_tool_of_another_version_is_named() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join(".venv/bin");
        fs::create_dir_all(&bin).unwrap();
        let machine = Machine {
            rustc: "rustc".into(),
            cargo_home: "x".into(),
            target_dir: None,
            path: Vec::new(),
            componentize_py: None,
        };
        assert_eq!(
            find(&machine, folder.path()).unwrap_err().code(),
            "tool_missing"
        );
        let tool = bin.join(TOOL);
        fs::write(&tool, "#!/bin/sh\necho componentize-py 0.17.2\n").unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        let error = version(&find(&machine, folder.path()).unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{} says it is `componentize-py 0.17.2`; this program supports 0.25.x",
                tool.display()
            )
        );
        assert!(error.help().unwrap().contains("componentize-py==0.25.1"));
    }
}
