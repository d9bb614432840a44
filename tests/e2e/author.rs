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

#[test]
fn a_python_folder_from_the_shipped_twin_passes_its_own_tests() {
    let ranch = Ranch::new();
    let made = ranch.run(&[
        "plugin",
        "new",
        "days_remaining:v3",
        "--from",
        "v2",
        "--lang",
        "python",
    ]);
    let made = made.exits(0);
    insta::assert_snapshot!(made.stdout, @"");
    let tested = std::process::Command::new("python3")
        .args(["-m", "unittest"])
        .current_dir(ranch.path("days-remaining-v3"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success() && said.contains("OK"), "{said}");
}

#[test]
fn a_new_folder_says_what_is_in_it_and_what_comes_next() {
    let ranch = Ranch::new();
    let made = ranch.run(&["plugin", "new", "grazing_days:v1", "--lang", "rust"]);
    insta::assert_snapshot!(made.exits(0).stdout, @"");
    insta::assert_snapshot!(ranch.read("grazing-days-v1/provender-plugin.toml"), @"");
    let source = ranch.read("grazing-days-v1/src/lib.rs");
    assert!(source.contains("name: \"grazing_days\","), "{source}");
    // Nothing of the templates is left.
    for (path, bytes) in ranch.files("grazing-days-v1") {
        let text = String::from_utf8_lossy(&bytes);
        let own = !path.components().any(|c| c.as_os_str() == "sdk");
        assert!(!(own && text.contains("{{")), "{}", path.display());
        assert!(
            !(own && text.contains("rain_balance")),
            "{}",
            path.display()
        );
    }
    let again = ranch.run(&["plugin", "new", "grazing_days:v2", "--from", "v1", "--json"]);
    let data = again.exits(0).json()["data"].clone();
    assert_eq!(data["from"], "grazing_days:v1");
    assert_eq!(data["language"], "rust");
    let lock = ranch.read("grazing-days-v2/Cargo.lock");
    assert!(lock.contains("name = \"grazing-days-v2\"") && !lock.contains("grazing-days-v1"));
}

#[test]
fn a_member_of_the_workspace_joins_it_and_its_shared_cases() {
    let ranch = Ranch::new();
    ranch.write(
        "plugins/Cargo.toml",
        "# ours\n[workspace]\nmembers = [\"sdk\", \"rain-v1\"]\n",
    );
    ranch.write("plugins/Cargo.lock", "# made\nversion = 4\n\n[[package]]\nname = \"provender-logic\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"rain-v1\"\nversion = \"0.1.0\"\ndependencies = [\n \"provender-logic\",\n]\n");
    ranch.write(
        "plugins/sdk/Cargo.toml",
        "[package]\nname = \"provender-logic\"\n",
    );
    ranch.write(
        "plugins/rain-v1/Cargo.toml",
        "[package]\nname = \"rain-v1\" # own\n",
    );
    ranch.write(
        "plugins/rain-v1/src/lib.rs",
        "//! rain:v1\nname: \"rain\", version: \"v1\", golden(\"../cases/rain\")\n",
    );
    ranch.write(
        "plugins/cases/rain/all.toml",
        "# all\n[[case]]\nname = \"one\"\nversions = [\"v1\"]\n",
    );
    let made = ranch.run(&[
        "plugin",
        "new",
        "rain:v2",
        "--from",
        "v1",
        "--dir",
        "plugins/rain-v2",
    ]);
    insta::assert_snapshot!(made.exits(0).stdout, @"");
    insta::assert_snapshot!(ranch.read("plugins/Cargo.toml"), @"");
    insta::assert_snapshot!(ranch.read("plugins/Cargo.lock"), @"");
    insta::assert_snapshot!(ranch.read("plugins/cases/rain/all.toml"), @"");
    insta::assert_snapshot!(ranch.read("plugins/rain-v2/Cargo.toml"), @"");
    insta::assert_snapshot!(ranch.read("plugins/rain-v2/src/lib.rs"), @"");
}

#[test]
fn what_cannot_be_made_is_refused_and_nothing_is_written() {
    let ranch = Ranch::new();
    ranch.write("days-remaining-v3/notes.txt", "mine");
    let refused = |args: &[&str], code: i32| {
        let mut all = vec!["plugin", "new"];
        all.extend(args);
        ranch.run(&all).exits(code).stderr
    };
    insta::assert_snapshot!(refused(&["days_remaining:v3", "--from", "v2"], 17), @"");
    insta::assert_snapshot!(refused(&["days_remaining:v2", "--lang", "rust"], 17), @"");
    insta::assert_snapshot!(refused(&["Days:v1", "--lang", "rust"], 64), @"");
    insta::assert_snapshot!(refused(&["days_remaining:v4", "--from", "2"], 64), @"");
    insta::assert_snapshot!(refused(&["days_remaining:v4", "--from", "v3"], 66), @"");
    insta::assert_snapshot!(refused(&["frost_days:v2", "--from", "v1", "--lang", "python"], 64), @"");
    assert_eq!(ranch.read("days-remaining-v3/notes.txt"), "mine");
    let left: Vec<_> = fs::read_dir(ranch.dir())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .filter(|n| n.to_string_lossy().contains("-v"))
        .collect();
    assert_eq!(left, ["days-remaining-v3"]);
}

#[test]
fn what_cannot_be_built_is_refused_with_the_next_step() {
    let ranch = Ranch::empty();
    let refused = |args: &[&str], code: i32| {
        let mut all = vec!["plugin", "build"];
        all.extend(args);
        let mut command = ranch.command();
        // No tool of this machine.
        command.args(all).env("PATH", "").env("RUSTC", "no-rustc");
        ranch.finish(command.output().unwrap()).exits(code).stderr
    };
    insta::assert_snapshot!(refused(&["nowhere"], 66), @"");
    ranch.write(
        "broken/provender-plugin.toml",
        "name = \"rain\"\nversion = 1\n",
    );
    insta::assert_snapshot!(refused(&["broken"], 78), @"");
    let _ = ranch
        .run(&["plugin", "new", "rain:v1", "--lang", "rust"])
        .exits(0);
    insta::assert_snapshot!(refused(&["rain-v1"], 66), @"");
    let _ = ranch
        .run(&["plugin", "new", "snow:v1", "--lang", "python"])
        .exits(0);
    insta::assert_snapshot!(refused(&["snow-v1"], 66), @"");
}
