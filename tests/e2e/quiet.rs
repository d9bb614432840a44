//! General behaviour: closed pipes, help, versions, completions, silence.

use std::io::Read as _;
use std::process::Stdio;

use crate::kit::Ranch;
use crate::{lost, mounts};

/// Every verb, as the reference lists them. Another test compares the reference with the definitions.
pub(crate) fn verbs() -> Vec<&'static str> {
    let page = include_str!("../../docs/reference/cli.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("## `"));
    let verbs: Vec<_> = headings.filter_map(|h| h.strip_suffix('`')).collect();
    assert!(verbs.len() > 60, "{verbs:?}");
    verbs
}

/// Verbs that neither `lost::LEDGER_READERS` nor `mounts::READING` tries, and why.
const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "records or writes",
        &[
            "init",
            "ingest",
            "ingest retract",
            "run",
            "reissue",
            "release cut",
            "release import",
            "release approve",
            "release canary",
            "release canary stop",
            "release evidence",
            "release gate",
            "release promote",
            "release rollback",
            "release freeze",
            "release unfreeze",
            "release prune",
            "incident open",
            "incident link",
            "incident note",
            "incident regression",
            "incident close",
            "monitor baseline create",
            "monitor ack",
            "plugin add",
            "plugin freeze",
        ],
    ),
    (
        "writes files that the command names",
        &[
            "release export",
            "incident export",
            "manifest export",
            "audit checkpoint",
            "audit prove",
            "audit key",
            "man",
        ],
    ),
    (
        "holds other verbs",
        &[
            "release",
            "incident",
            "manifest",
            "monitor baseline",
            "plugin",
        ],
    ),
    (
        "looks at one thing that has to be named and made first",
        &[
            "release show",
            "incident show",
            "manifest show",
            "diff",
            "monitor baseline list",
            "monitor baseline show",
            "monitor report",
            "monitor triage",
        ],
    ),
    (
        "needs no ledger",
        &[
            "plugin new",
            "plugin build",
            "plugin check",
            "plugin test",
            "plugin diff",
            "doctor",
            "completions",
            "schema",
        ],
    ),
];

#[test]
fn every_verb_is_tested_with_a_lost_ledger_or_a_read_only_disk_or_is_exempt() {
    let tried: Vec<String> = lost::LEDGER_READERS
        .iter()
        .chain(&mounts::READING)
        .map(|args| {
            let words = args.iter().take_while(|a| !a.starts_with('-'));
            words.copied().collect::<Vec<_>>().join(" ")
        })
        .collect();
    for verb in verbs() {
        let is_tried = tried
            .iter()
            .any(|t| t == verb || t.starts_with(&format!("{verb} ")));
        let is_left_out = LEFT_OUT.iter().any(|(_, verbs)| verbs.contains(&verb));
        assert!(is_tried || is_left_out, "`{verb}` is in no list of verbs");
    }
    let known = verbs();
    for verb in LEFT_OUT.iter().flat_map(|(_, verbs)| *verbs) {
        assert!(known.contains(verb), "`{verb}` is no verb any more");
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_not_an_error() {
    let ranch = Ranch::ran();
    let _ = ranch
        .run(&[
            "compute",
            "--all",
            "--from",
            "2025-05-20",
            "--to",
            "2025-07-20",
        ])
        .exits(0);
    let args = ["list", "--all-versions", "--csv"];
    let mut child = ranch
        .command()
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(stderr, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn help_version_and_completions_work_without_a_project() {
    let ranch = Ranch::empty();
    let help = ranch.run(&["--help"]).exits(0).stdout;
    for verb in verbs().into_iter().filter(|verb| !verb.contains(' ')) {
        assert!(help.contains(verb), "{verb}");
        let own = ranch.run(&[verb, "--help"]).exits(0).stdout;
        // A verb that only groups others leaves the examples to them.
        assert!(
            own.contains("Example: provender") || own.contains("<COMMAND>"),
            "{verb} has no example:\n{own}"
        );
    }
    let version = ranch.run(&["--version"]).exits(0).stdout;
    assert!(
        version.contains("wasmtime") && version.contains("deterministic-v1"),
        "{version}"
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            ranch
                .run(&["completions", shell])
                .exits(0)
                .stdout
                .contains("provender")
        );
    }
}

#[test]
fn quiet_prints_nothing_but_errors() {
    let ranch = Ranch::sample();
    let ran = ranch
        .run(&["run", "--as-of", "2025-06-30", "--quiet"])
        .exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn a_backup_can_be_read_by_itself() {
    let ranch = Ranch::ran();
    let copy = ranch.data(&["backup", "copies/one"], 0);
    assert_eq!(copy["manifests"], 9);
    let _ = ranch.run(&["backup", "copies/one"]).exits(74);
    let args = ["list", "--ledger", "copies/one/ledger.db"];
    assert_eq!(ranch.data(&args, 0)["answers"].as_array().unwrap().len(), 9);
    let why = [
        "explain",
        "--ledger",
        "copies/one/ledger.db",
        "--boundary",
        "north",
        "--as-of",
        "2025-06-30",
    ];
    assert!(
        ranch
            .run(&why)
            .exits(0)
            .stdout
            .contains("copies/one/manifests")
    );
    assert!(
        ranch
            .run(&[
                "compute",
                "--all",
                "--as-of",
                "2025-06-30",
                "--ledger",
                "copies/one/ledger.db"
            ])
            .exits(64)
            .stderr
            .contains("this one writes")
    );
}

#[test]
fn features_config_and_plugins_show_what_is_in_use() {
    let ranch = Ranch::ran();
    let features = ranch.data(&["features"], 0);
    let forage = features["features"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["name"] == "forage_kg_per_ha")
        .unwrap()
        .clone();
    assert_eq!(forage["unit"], "kg/ha");
    assert_eq!(
        forage["read_by"],
        serde_json::json!(["days_remaining:v1", "days_remaining:v2"])
    );
    let config = ranch.data(&["config"], 0);
    let v2 = config["logics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["logic"] == "days_remaining:v2")
        .unwrap()
        .clone();
    let residual = v2["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "residual_kg_per_ha")
        .unwrap()
        .clone();
    assert_eq!(
        (&residual["value"], &residual["set_by"]),
        (&serde_json::json!(250), &serde_json::json!("logic.toml"))
    );
    let shown = ranch.data(&["plugin", "show", "days_remaining:v2"], 0);
    assert_eq!(shown["imports"], serde_json::json!([]));
    assert!(
        shown["toolchain"]
            .as_array()
            .unwrap()
            .iter()
            .any(|t| t["tool"] == "rustc"),
        "{}",
        shown["toolchain"]
    );
    assert_eq!(
        ranch.data(&["verify"], 0)["components"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

/// Compiling a component with an interpreter takes seconds. The program says so to a person, and only to a
/// person.
#[test]
#[cfg(unix)]
fn a_long_compilation_is_reported_only_on_a_terminal() {
    let file = "../../logic-plugins/examples/javascript/days-remaining-v2/days_remaining-v2.wasm";
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let file = file.to_str().unwrap();
    let ranch = Ranch::empty();
    let piped = ranch.run(&["plugin", "show", file]).exits(0);
    assert_eq!(piped.stderr, "");
    let script = std::process::Command::new("script")
        .arg("--version")
        .output();
    let has_script =
        |said: std::process::Output| String::from_utf8_lossy(&said.stdout).contains("util-linux");
    if !script.is_ok_and(has_script) {
        println!("not checked: `script` of util-linux, which makes a terminal, is not here");
        return;
    }
    let program = env!("CARGO_BIN_EXE_provender");
    // Each run compiles as if for the first time, unless `cache` was used before.
    let on_terminal = |options: &str, cache: &str| {
        let shell = format!("{program} plugin show {options} '{file}'");
        let output = std::process::Command::new("script")
            .args(["-qec", &shell, "/dev/null"])
            .env("XDG_CACHE_HOME", ranch.path(cache))
            .env("TERM", "xterm")
            .current_dir(ranch.dir())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).contains("(once; cached afterwards)")
    };
    assert!(on_terminal("", "one"));
    assert!(!on_terminal("", "one"), "the second time it is cached");
    assert!(!on_terminal("--quiet", "two"));
    assert!(!on_terminal("--json", "three"));
}

/// If output could not be written, the command ends with 74: a caller would take empty output for success.
#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_to_stdout_is_74() {
    let ranch = Ranch::ran();
    for args in [
        &["audit"][..],
        &["audit", "--json"],
        &["list"],
        &["list", "--csv"],
        &["replay", "--all"],
        &["--help"],
        &["completions", "bash"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let mut command = ranch.command();
        let output = command.args(args).stdout(full.unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(74), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("could not be written"), "{args:?}: {said}");
    }
}
