//! The author's path: a folder made, built, checked and tested, in Rust and in Python.
//!
//! The author's guide is run literally, with the blocks that the test of the documentation leaves out
//! because they need a tool chain. Where one is missing the test says what was not checked. Rust
//! builds share one folder and one target, because the standard library is built anew for another.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use provender_build::{Tools, ToolsError};

use crate::docs::{page, run_in};
use crate::kit::{Ran, Ranch};

const GUIDE: &str = "docs/write-a-logic.md";

/// Where builds of this checkout happen.
fn ground() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("author")
}

/// The tools of whoever runs the test: their homes, but for a target of our own.
fn variables() -> Vec<(&'static str, OsString)> {
    let home = std::env::home_dir().unwrap();
    let at = |name: &str, folder: &str| {
        std::env::var_os(name).unwrap_or_else(|| home.join(folder).into_os_string())
    };
    vec![
        ("CARGO_HOME", at("CARGO_HOME", ".cargo")),
        ("RUSTUP_HOME", at("RUSTUP_HOME", ".rustup")),
        ("CARGO_TARGET_DIR", ground().join("target").into_os_string()),
        ("HOME", home.into_os_string()),
    ]
}

fn empty(name: &str) -> PathBuf {
    let folder = ground().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn can_build_rust() -> bool {
    let cargo_home = variables().remove(0).1;
    match Tools::find(Path::new("rustc"), Path::new(&cargo_home)) {
        Ok(_) => true,
        Err(e @ (ToolsError::NoRustc(..) | ToolsError::NoStd { .. })) => {
            println!("not checked: {e}");
            false
        }
    }
}

/// The componentize-py of whoever runs the test.
fn componentize_py() -> Option<PathBuf> {
    let named = std::env::var_os("PROVENDER_COMPONENTIZE_PY").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        let on_path = std::env::split_paths(&path).map(|dir| dir.join("componentize-py"));
        on_path.into_iter().find(|tool| tool.is_file())
    });
    if found.is_none() {
        println!("not checked: componentize-py is not here; PROVENDER_COMPONENTIZE_PY names one");
    }
    found
}

fn with_tools(ranch: &Ranch, args: &[&str]) -> Ran {
    let mut command = ranch.command();
    command.args(args).envs(variables());
    if let Some(tool) = componentize_py() {
        command.env("PROVENDER_COMPONENTIZE_PY", tool);
    }
    ranch.finish(command.output().unwrap())
}

/// The steps of one of the guide's two halves.
fn guide(run: &[&str], python: bool) -> Vec<crate::docs::Step> {
    let mut steps = page(GUIDE, run);
    let is_python = |s: &crate::docs::Step| s.command.contains("--lang python");
    let half = steps.iter().position(is_python).unwrap();
    let second = steps.split_off(half);
    if python { second } else { steps }
}

#[test]
#[cfg(unix)]
fn the_guide_of_rust_holds_literally_and_a_new_example_builds_too() {
    if !can_build_rust() {
        return;
    }
    let steps = guide(&["needs a Rust toolchain"], false);
    assert!(steps.iter().any(|s| s.command == "provender plugin build"));
    let folder = empty("rust");
    let wrong = run_in(Path::new(GUIDE), &steps, &folder, &variables());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // At the same place, so that nothing but the logic is compiled again: a copy of v2 that nobody
    // changed, and the example.
    let ranch = Ranch::new();
    let at = folder.join("work/days-remaining-v3");
    let dir = at.to_str().unwrap();
    for (logic, start, outcome) in [
        ("days_remaining:v3", ["--from", "v2"], "24 passed"),
        ("rain_balance:v7", ["--lang", "rust"], "8 passed"),
    ] {
        fs::remove_dir_all(&at).unwrap();
        let [flag, value] = start;
        let made = ["plugin", "new", logic, flag, value, "--dir", dir];
        let _ = ranch.run(&made).exits(0);
        let built = with_tools(&ranch, &["plugin", "build", dir, "--json"]).exits(0);
        let data = built.json()["data"].clone();
        let file = data["component"].as_str().unwrap();
        let shown = ranch.data(&["plugin", "show", file], 0);
        assert_eq!(
            format!("{}:{}", data["name"], data["version"]).replace('"', ""),
            logic
        );
        assert_eq!(shown["description"]["version"], data["version"]);
        assert_eq!(shown["sha256"], data["sha256"]);
        assert_eq!(shown["imports"], serde_json::json!([]));
        let tools = shown["toolchain"].as_array().unwrap();
        for tool in ["rustc", "rust-std", "wit-component", "provender-logic"] {
            assert!(tools.iter().any(|t| t["tool"] == tool), "{tool}: {tools:?}");
        }
        // The very bits of v2 on its golden cases.
        let tested = ranch.run(&["plugin", "test", dir]).exits(0);
        assert!(tested.stdout.contains(outcome), "{}", tested.stdout);
        let _ = ranch.run(&["plugin", "check", file]).exits(0);
    }

    // What does not compile is told in the compiler's own words, and the old component stays.
    let source = at.join("src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(
        &source,
        text.replace("rain / p.need_mm", "rain / p.needed_mm"),
    )
    .unwrap();
    let before = fs::read(at.join("build/rain_balance-v7.wasm")).unwrap();
    let failed = with_tools(&ranch, &["plugin", "build", dir]).exits(17);
    for part in [
        "error: cargo could not build `rain-balance-v7`:",
        "no field `needed_mm`",
        "src/lib.rs:",
    ] {
        assert!(failed.stderr.contains(part), "{part}:\n{}", failed.stderr);
    }
    assert_eq!(
        fs::read(at.join("build/rain_balance-v7.wasm")).unwrap(),
        before
    );

    // A dependency that the lock file lacks.
    let manifest = at.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let added = "[dependencies]\nsemver = \"1\"";
    fs::write(&manifest, text.replacen("[dependencies]", added, 1)).unwrap();
    let failed = with_tools(&ranch, &["plugin", "build", dir]).exits(17);
    let help = "help: Cargo.lock does not fit Cargo.toml: run `cargo test` in the folder once";
    assert!(failed.stderr.contains(help), "{}", failed.stderr);
}

#[test]
#[cfg(unix)]
fn the_guide_of_python_holds_literally() {
    let Some(tool) = componentize_py() else {
        return;
    };
    let steps = guide(&["needs componentize-py"], true);
    assert!(steps.iter().any(|s| s.command == "provender plugin build"));
    let mut variables = variables();
    variables.push(("PROVENDER_COMPONENTIZE_PY", tool.into_os_string()));
    let wrong = run_in(Path::new(GUIDE), &steps, &empty("python"), &variables);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
