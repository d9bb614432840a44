//! Puts the built components and the sample ranch into the program, so that `init` needs no other
//! file; and what a new logic's folder is made of: the SDK, the author's layer for Python, the shipped
//! logics with their cases. Writes a table of (path, bytes) for each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What Cargo gives a build script.
fn set_by_cargo(name: &str) -> io::Result<PathBuf> {
    let value = env::var_os(name).map(PathBuf::from);
    value.ok_or_else(|| io::Error::other(format!("Cargo sets no {name}")))
}

fn main() -> io::Result<()> {
    let host = set_by_cargo("CARGO_MANIFEST_DIR")?;
    let artifacts = host.join("../../logic-plugins/artifacts");
    let sample = host.join("assets/sample-ranch");
    let mut code = String::new();
    table(&mut code, "pub", "ARTIFACTS", &artifacts, |p| {
        p.ends_with(".wasm") || p == "provender.lock"
    })?;
    // The generator and its expectations are for the project's tests, not for users.
    let is_users = |p: &str| {
        !p.starts_with("generator/")
            && p != "make.py"
            && p != "expected.json"
            && !p.contains("__pycache__")
    };
    table(&mut code, "pub", "SAMPLE", &sample, is_users)?;
    println!(
        "cargo::rustc-env=PROVENDER_TARGET={}",
        set_by_cargo("TARGET")?.display()
    );
    let out = set_by_cargo("OUT_DIR")?;
    fs::write(out.join("embedded.rs"), code)?;
    fs::write(
        out.join("author.rs"),
        author(&host.join("../../logic-plugins"))?,
    )
}

/// What `plugin new` writes or copies.
fn author(plugins: &Path) -> io::Result<String> {
    let mut code = String::new();
    let is_source = |p: &str| !p.contains("__pycache__");
    let of_sdk = |p: &str| is_source(p) && !p.starts_with("tests/");
    table(&mut code, "pub(super)", "SDK", &plugins.join("sdk"), of_sdk)?;
    table(
        &mut code,
        "pub(super)",
        "CASES",
        &plugins.join("cases"),
        is_source,
    )?;
    let python = plugins.join("python/provender_logic");
    table(&mut code, "pub(super)", "PYTHON", &python, is_source)?;
    let is_python = |p: &str| p.ends_with(".py");
    logics(&mut code, "LOGICS", plugins, "src", is_source)?;
    let examples = plugins.join("examples/python");
    logics(&mut code, "PYTHON_LOGICS", &examples, "", is_python)?;
    // Not its folder: it holds the workspace's target. A new member changes the manifest.
    println!(
        "cargo::rerun-if-changed={}",
        plugins.join("Cargo.toml").display()
    );
    Ok(code)
}

/// The logics of a folder, one folder each, whose name ends in a version: name and files of `inside`.
fn logics(
    code: &mut String,
    name: &str,
    folder: &Path,
    inside: &str,
    keep: impl Fn(&str) -> bool,
) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let version = name.rsplit_once("-v").map(|(_, digits)| digits);
        if version.is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit())) {
            found.push(name);
        }
    }
    found.sort();
    let mut list = String::new();
    for (i, logic) in found.iter().enumerate() {
        let part = format!("{name}_{i}");
        table(
            code,
            "pub(super)",
            &part,
            &folder.join(logic).join(inside),
            &keep,
        )?;
        let _ = write!(list, "({logic:?}, {part}), ");
    }
    let _ = writeln!(
        code,
        "/// Folder and files.\npub(super) const {name}: &[(&str, Files)] = &[{list}];"
    );
    Ok(())
}

fn table(
    code: &mut String,
    reach: &str,
    name: &str,
    folder: &Path,
    keep: impl Fn(&str) -> bool,
) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    walk(folder, String::new(), &mut files)?;
    files.retain(|f| keep(f));
    files.sort();
    let _ = writeln!(
        code,
        "/// Path and bytes.\n{reach} const {name}: &[(&str, &[u8])] = &["
    );
    for file in files {
        let path = folder.join(&file).canonicalize()?;
        let _ = writeln!(
            code,
            "    ({file:?}, include_bytes!({:?})),",
            path.display().to_string()
        );
    }
    code.push_str("];\n");
    Ok(())
}

fn walk(folder: &Path, prefix: String, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}
