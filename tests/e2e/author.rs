//! The author's path in Rust and in Python: from a new folder to a backtested, frozen version that is active.
//!
//! The author's guide is run literally, with the blocks that the test of the documentation skips because they
//! need a tool chain. If a tool chain is missing, the test prints what was not checked. Rust builds share one
//! folder and one target, because another target would compile the standard library again.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use provender_build::{Tools, ToolsError};
use provender_domain::canonical::Digest;

use crate::docs::{page, run_in};
use crate::kit::{Ran, Ranch};

const GUIDE: &str = "docs/write-a-logic.md";

/// Where the builds of this checkout run.
fn build_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("author")
}

/// The home folders of the tools of the user who runs the test, with a target folder of our own.
fn variables() -> Vec<(&'static str, OsString)> {
    let home = std::env::home_dir().unwrap();
    let at = |name: &str, folder: &str| {
        std::env::var_os(name).unwrap_or_else(|| home.join(folder).into_os_string())
    };
    vec![
        ("CARGO_HOME", at("CARGO_HOME", ".cargo")),
        ("RUSTUP_HOME", at("RUSTUP_HOME", ".rustup")),
        (
            "CARGO_TARGET_DIR",
            build_folder().join("target").into_os_string(),
        ),
        (
            "XDG_CACHE_HOME",
            build_folder().join("cache").into_os_string(),
        ),
        ("HOME", home.into_os_string()),
    ]
}

fn empty(name: &str) -> PathBuf {
    let folder = build_folder().join(name);
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

/// The componentize-py of the user who runs the test.
fn componentize_py() -> Option<PathBuf> {
    let named = std::env::var_os("PROVENDER_COMPONENTIZE_PY").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        let on_path = std::env::split_paths(&path).map(|dir| dir.join("componentize-py"));
        on_path.into_iter().find(|tool| tool.is_file())
    });
    if found.is_none() {
        println!(
            "not checked: componentize-py is not installed; set PROVENDER_COMPONENTIZE_PY to its path"
        );
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

/// The steps of one half of the guide.
fn guide(run: &[&str], python: bool) -> Vec<crate::docs::Step> {
    let mut steps = page(GUIDE, run);
    let is_python = |s: &crate::docs::Step| s.command.contains("--lang python");
    let half = steps.iter().position(is_python).unwrap();
    let second = steps.split_off(half);
    if python { second } else { steps }
}

/// Asserts that the file that the guide built computed the active answer in the guide's ranch.
fn answers_from(folder: &Path, ranch: &str, built: &str) {
    let work = folder.join("work");
    let explain = "explain --boundary creek --herd h-steers --as-of 2025-06-30 --json --project";
    let output = Command::new(env!("CARGO_BIN_EXE_provender"))
        .args(explain.split(' '))
        .arg(work.join(ranch))
        .output()
        .unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let component = &said["data"]["component"];
    assert_eq!(component["name"], "days_remaining", "{said}");
    assert_eq!(component["version"], "v3");
    let digest = Digest::of_bytes(&fs::read(work.join(built)).unwrap());
    assert_eq!(component["sha256"], digest.to_string());
}

#[test]
#[cfg(unix)]
fn the_rust_guide_works_literally_and_a_new_example_builds() {
    if !can_build_rust() {
        return;
    }
    let steps = guide(&["needs a Rust toolchain"], false);
    assert!(steps.iter().any(|s| s.command == "provender plugin build"));
    let folder = empty("rust");
    let wrong = run_in(Path::new(GUIDE), &steps, &folder, &variables());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let built = "days-remaining-v3/build/days_remaining-v3.wasm";
    answers_from(&folder, "ranch", built);

    // Builds an unchanged copy of v2, and the example, in the same place, so that only the logic is compiled
    // again.
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
        // Same bits as v2 on its golden cases.
        let tested = ranch.run(&["plugin", "test", dir]).exits(0);
        assert!(tested.stdout.contains(outcome), "{}", tested.stdout);
        let _ = ranch.run(&["plugin", "check", file]).exits(0);
    }

    // Two clean builds in other folders give the same bytes as the build above. This takes a minute, because
    // each compiles the standard library.
    let twice = with_tools(&ranch, &["plugin", "build", dir, "--verify", "--json"]).exits(0);
    let data = twice.json()["data"].clone();
    assert_eq!(data["same"], true);
    let file = at.join("build/rain_balance-v7.wasm");
    let digest = Digest::of_bytes(&fs::read(&file).unwrap()).to_string();
    assert_eq!(data["first"]["sha256"], digest);
    assert_eq!(data["second"]["sha256"], digest);

    // The component declares another version than its folder's manifest.
    let said = fs::read_to_string(at.join("provender-plugin.toml")).unwrap();
    let other = said.replace("version = \"v7\"", "version = \"v8\"");
    fs::write(at.join("provender-plugin.toml"), other).unwrap();
    let refused = with_tools(&ranch, &["plugin", "build", dir]).exits(17);
    let message = "declares rain_balance:v7, but its provender-plugin.toml says rain_balance:v8";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
    fs::write(at.join("provender-plugin.toml"), said).unwrap();

    // A compile error is shown in the compiler's own words, and the old component is kept.
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

    // The lock file lacks a dependency.
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
fn the_python_guide_works_literally() {
    let Some(tool) = componentize_py() else {
        return;
    };
    let steps = guide(&["needs componentize-py"], true);
    assert!(steps.iter().any(|s| s.command == "provender plugin build"));
    let mut variables = variables();
    variables.push(("PROVENDER_COMPONENTIZE_PY", tool.into_os_string()));
    let folder = empty("python");
    let wrong = run_in(Path::new(GUIDE), &steps, &folder, &variables);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let built = "days-remaining-v3-python/build/days_remaining-v3.wasm";
    answers_from(&folder, "ranch-python", built);
}

/// The example with a row function and an entry point that fail in six ways, selected by a parameter.
const FAILURES: &[(&str, &str, &str)] = &[
    (
        "logic.py",
        "    # An impossible value is",
        r#"    if p.need_mm == 901.0:
        return {"balance_mm": 1.0 / (i.observed_days - 30)}
    if p.need_mm == 902.0:
        return Outputs(balance_mm="twelve", balance_date=i.calculation_date, share_of_need=None, reason=None)
    if p.need_mm == 903.0:
        return {"balance_mm": 12.0}
    if p.need_mm == 904.0:
        return Outputs(balance_mm=float("inf"), balance_date=i.calculation_date, share_of_need=None, reason=None)
    # An impossible value is"#,
    ),
    (
        "app.py",
        "Logic = export(LOGIC)",
        r#"
class Logic(export(LOGIC)):
    def compute(self, rows, parameters, inputs):
        done = super().compute(rows, parameters, inputs)
        need = parameters[0].value
        if need == 905.0:
            done.pop()
        if need == 906.0:
            done[0].values.value.clear()
        return done"#,
    ),
];

#[test]
#[cfg(unix)]
fn errors_in_python_are_reported_in_words() {
    if componentize_py().is_none() {
        return;
    }
    let ranch = Ranch::new();
    let new = "plugin new rain_balance:v1 --lang python --dir rain";
    let _ = ranch.run(&new.split(' ').collect::<Vec<_>>()).exits(0);
    for (file, from, to) in FAILURES {
        ranch.edit(&format!("rain/{file}"), from, to);
    }
    let _ = with_tools(&ranch, &["plugin", "build", "rain"]).exits(0);
    // The example's own cases still pass.
    let tested = ranch.run(&["plugin", "test", "rain"]).exits(0);
    assert!(tested.stdout.contains("8 passed"), "{}", tested.stdout);
    let mut cases = String::from(
        "columns = [\"calculation_date\", \"rain_mm\", \"observed_days\"]\n[base]\ncalculation_date = 2025-06-30\nrain_mm = 52.0\nobserved_days = 30\n",
    );
    for (need, name) in [
        (901, "an exception"),
        (902, "a text where a number is declared"),
        (903, "a dict that lacks outputs"),
        (904, "a number that is not finite"),
        (905, "a column too few"),
        (906, "a row too few in a column"),
    ] {
        cases += &format!(
            "[[case]]\nname = \"{name}\"\nparameters = {{ need_mm = {need}.0 }}\nexpect = {{ balance_mm = 0.0 }}\n"
        );
    }
    ranch.write("wrong/rain_balance/cases.toml", &cases);
    let tested = ranch
        .run(&["plugin", "test", "rain", "--cases", "wrong"])
        .exits(15);
    let text = tested.stdout + &tested.stderr;
    // Builds differ each time, and the first line has the digest.
    let (head, rest) = text.split_once('\n').unwrap();
    assert!(head.starts_with("rain_balance:v1  sha256:"), "{head}");
    insta::assert_snapshot!(rest);

    let twice = with_tools(&ranch, &["plugin", "build", "rain", "--verify"]).exits(17);
    for part in [
        "rain_balance:v1 built twice: different bytes",
        "error: two builds of rain_balance:v1 differ",
        "run `provender plugin build`, then check and pin the file that it writes",
    ] {
        let said = format!("{}{}", twice.stdout, twice.stderr);
        assert!(said.contains(part), "{said}");
    }
}
