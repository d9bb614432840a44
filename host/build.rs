//! Puts the built components and the sample ranch into the program, so that `init` needs no other
//! file: writes a table of (path, bytes) for each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let host = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let artifacts = host.join("../logic-plugins/artifacts");
    let sample = host.join("../tests/sample-ranch");
    let mut code = String::new();
    table(&mut code, "ARTIFACTS", &artifacts, |p| {
        p.ends_with(".wasm") || p == "provender.lock"
    })?;
    // The generator and its expectations are for the project's tests, not for users.
    let is_users = |p: &str| {
        !p.starts_with("generator/")
            && p != "make.py"
            && p != "expected.json"
            && !p.contains("__pycache__")
    };
    table(&mut code, "SAMPLE", &sample, is_users)?;
    println!(
        "cargo::rustc-env=PROVENDER_TARGET={}",
        env::var("TARGET").unwrap_or_default()
    );
    fs::write(
        PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("embedded.rs"),
        code,
    )
}

fn table(
    code: &mut String,
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
        "/// Path and bytes.\npub(super) const {name}: &[(&str, &[u8])] = &["
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
