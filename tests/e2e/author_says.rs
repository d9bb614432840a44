//! The whole output of `plugin new` and `plugin build`: what they created, and every refusal.
//!
//! No tool chain is needed. To test a missing one, the path lacks it. componentize-py is a script that
//! returns an existing component, so that the rest of the program runs as usual.

use std::fs;
use std::path::Path;

use crate::kit::Ranch;

/// What a person sees: the command, its output and its exit code. Times are replaced.
fn says(ranch: &Ranch, path: &Path, args: &[&str]) -> String {
    let mut command = ranch.command();
    // Nothing of the user who runs the test may be found, only what is in `path`.
    let home = path.parent().unwrap();
    command
        .args(args)
        .env("PATH", path)
        .env("CARGO_HOME", home.join("cargo"));
    let ran = ranch.finish(command.output().unwrap());
    let text = format!(
        "$ provender {}\n{}{}exit {}\n",
        args.join(" "),
        ran.stdout,
        ran.stderr,
        ran.code
    );
    let lines = text.lines().map(|line| match line.strip_prefix("time ") {
        Some(_) => "time       [seconds]".to_owned(),
        None => line.replace(&home.display().to_string(), "HOME"),
    });
    lines.map(|line| line + "\n").collect()
}

/// A folder with programs, to be used as the path; its parent is the user's home.
struct Tools(tempfile::TempDir);

impl Tools {
    fn none() -> Tools {
        let tools = Tools(tempfile::tempdir().unwrap());
        fs::create_dir(tools.path()).unwrap();
        tools
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("bin")
    }

    #[cfg(unix)]
    fn with(self, name: &str, script: &str) -> Tools {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// A componentize-py that returns this component.
    #[cfg(unix)]
    fn componentize(self, component: &Path) -> Tools {
        let script = format!(
            r#"[ "$1" = --version ] && {{ echo "componentize-py 0.25.1"; exit; }}
while [ "$1" != --output ]; do shift; done
/bin/cp "{}" "$2""#,
            component.display()
        );
        self.with("componentize-py", &script)
    }
}

fn all(parts: &[String]) -> String {
    parts.join("\n")
}

#[test]
fn new_reports_what_it_created() {
    let (ranch, tools) = (Ranch::empty(), Tools::none());
    let new = |args: &[&str]| says(&ranch, &tools.path(), &[&["plugin", "new"], args].concat());
    insta::assert_snapshot!(all(&[
        new(&["rain_balance:v1", "--lang", "rust"]),
        new(&["frost_days:v2", "--from", "v1", "--dir", "next/frost"]),
        new(&["days_remaining:v3", "--lang", "python", "--from", "v2"]),
        // From the folder beside it, in that folder's language.
        new(&["days_remaining:v4", "--from", "v3"]),
    ]));
}

#[test]
fn new_refuses_a_name_that_is_invalid_for_a_component() {
    let (ranch, tools) = (Ranch::empty(), Tools::none());
    let new = |args: &[&str]| says(&ranch, &tools.path(), &[&["plugin", "new"], args].concat());
    insta::assert_snapshot!(all(&[
        new(&["days_remaining", "--lang", "rust"]),
        new(&["Days-Remaining:v3", "--lang", "rust"]),
        new(&["days_remaining:3", "--lang", "rust"]),
        new(&["days_remaining:v3", "--from", "two"]),
        new(&["days_remaining:v3", "--lang", "perl"]),
        new(&["days_remaining:v3"]),
    ]));
    let left = fs::read_dir(ranch.dir()).unwrap().count();
    assert_eq!(left, 0, "something was written");
}

#[test]
fn new_refuses_an_unusable_starting_point_and_overwrites_nothing() {
    let (ranch, tools) = (Ranch::new(), Tools::none());
    let new = |args: &[&str]| says(&ranch, &tools.path(), &[&["plugin", "new"], args].concat());
    ranch.write("taken/notes.txt", "mine");
    ranch.write("file", "mine");
    ranch.write(
        "frost-days-v3/provender-plugin.toml",
        "name = \"frost_days\"\nversion = \"v2\"\nlanguage = \"rust\"\ncomponent = \"build/x.wasm\"\ncases = \"cases\"\n",
    );
    insta::assert_snapshot!(all(&[
        new(&["rain_balance:v1", "--lang", "rust", "--dir", "taken"]),
        new(&["rain_balance:v1", "--lang", "rust", "--dir", "file"]),
        // The deployment's lock file pins it.
        new(&["days_remaining:v2", "--lang", "rust"]),
        new(&["days_remaining:v10", "--from", "v9"]),
        new(&["rain_balance:v2", "--from", "snow_days:v1"]),
        new(&["frost_days:v2", "--lang", "python", "--from", "v1"]),
        // The manifest in the folder of v3 names v2.
        new(&["frost_days:v4", "--from", "v3"]),
    ]));
    assert_eq!(ranch.files("taken").len(), 1);
    assert_eq!(ranch.read("file"), "mine");
}

#[test]
fn build_refuses_a_folder_that_is_not_a_logic() {
    let (ranch, tools) = (Ranch::empty(), Tools::none());
    let build = |dir: &str| says(&ranch, &tools.path(), &["plugin", "build", dir]);
    ranch.write("empty/notes.txt", "");
    let manifest = |folder: &str, text: &str| {
        ranch.write(&format!("{folder}/provender-plugin.toml"), text);
    };
    let sound = "name = \"rain\"\nversion = \"v1\"\nlanguage = \"rust\"\ncomponent = \"build/rain-v1.wasm\"\ncases = \"cases\"\n";
    manifest("language", &sound.replace("rust", "perl"));
    manifest("missing", &sound.replace("cases = \"cases\"\n", ""));
    manifest("absolute", &sound.replace("build/", "/build/"));
    insta::assert_snapshot!(all(&[
        build("nowhere"),
        build("empty"),
        build("language"),
        build("missing"),
        build("absolute"),
        says(
            &ranch,
            &tools.path(),
            &["plugin", "build", "empty", "--verify", "-o", "x.wasm"]
        ),
    ]));
}

#[test]
#[cfg(unix)]
fn build_names_a_missing_tool_and_the_command_that_installs_it() {
    let ranch = Ranch::empty();
    for lang in ["rust", "python"] {
        let new = ["plugin", "new", "rain_balance:v1", "--lang", lang, "--dir"];
        let _ = ranch.run(&[&new[..], &[lang]].concat()).exits(0);
    }
    let build = |tools: Tools, lang: &str| says(&ranch, &tools.path(), &["plugin", "build", lang]);
    // A Rust installation without the target, and one without the standard library's sources.
    let bare = r#"case "$1" in
--print) echo /nowhere/toolchain;;
-vV) printf 'rustc 1.95.0 (59807616e 2026-04-14)\ncommit-hash: 59807616e\n';;
esac"#;
    insta::assert_snapshot!(all(&[
        build(Tools::none(), "rust"),
        build(
            Tools::none().with("rustc", "echo 'no toolchain is set' >&2; exit 1"),
            "rust"
        ),
        build(Tools::none().with("rustc", bare), "rust"),
        build(Tools::none(), "python"),
        build(
            Tools::none().with("componentize-py", "echo componentize-py 0.13.2"),
            "python"
        ),
        build(Tools::none().with("componentize-py", "exit 1"), "python"),
    ]));
    assert!(!ranch.path("rust/build").exists());
    assert!(!ranch.path("python/build").exists());
}

#[test]
#[cfg(unix)]
fn build_compares_the_components_declaration_with_its_folders_manifest() {
    let ranch = Ranch::new();
    let new = ["plugin", "new", "days_remaining:v3", "--lang", "python"];
    let _ = ranch
        .run(&[&new[..], &["--from", "v2", "--dir", "next"]].concat())
        .exits(0);
    let v2 = ranch.path("components/days_remaining-v2.wasm");
    let build = |tools: Tools| says(&ranch, &tools.path(), &["plugin", "build", "next"]);
    // The component declares v2; the folder's manifest says v3.
    let refused = build(Tools::none().componentize(&v2));
    assert!(!ranch.path("next/build").exists(), "it was written");
    ranch.edit("next/provender-plugin.toml", "\"v3\"", "\"v2\"");
    let built = build(Tools::none().componentize(&v2));
    assert!(ranch.path("next/build/days_remaining-v3.wasm").is_file());
    insta::assert_snapshot!(all(&[refused, built]));
}

#[test]
fn test_of_a_folder_asks_for_a_build_and_names_what_changed_since() {
    let ranch = Ranch::new();
    let new = ["plugin", "new", "days_remaining:v3", "--dir", "next"];
    let _ = ranch
        .run(&[&new[..], &["--lang", "python", "--from", "v2"]].concat())
        .exits(0);
    let test = |args: &[&str]| {
        let tools = Tools::none();
        says(&ranch, &tools.path(), &[&["plugin", "test"], args].concat())
    };
    let unbuilt = test(&["next"]);
    ranch.edit("next/provender-plugin.toml", "\"v3\"", "\"v2\"");
    let v2 = ranch.path("components/days_remaining-v2.wasm");
    fs::create_dir(ranch.path("next/build")).unwrap();
    let built = ranch.path("next/build/days_remaining-v3.wasm");
    fs::copy(&v2, &built).unwrap();
    let fresh = test(&["next"]);
    assert!(!fresh.contains("was changed"), "{fresh}");
    let set = |path: &Path, hours: u64| {
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600 * hours);
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    };
    set(&built, 1);
    // The files of the copy are newer than the component too; this one is the newest.
    ranch.edit("next/days_remaining.py", "residual", "residual");
    insta::assert_snapshot!(all(&[unbuilt, test(&["next"])]));
    // For a component other than the folder's, the sources are unknown.
    let named = ["next", "--component", "components/days_remaining-v2.wasm"];
    assert!(!test(&named).contains("was changed"));
    let data = ranch.data(&["plugin", "test", "next"], 0);
    assert_eq!(data["changed_since_built"], "days_remaining.py");
    // Without a name, the component of the current folder is tested.
    let mut inside = ranch.command();
    inside
        .args(["plugin", "test"])
        .current_dir(ranch.path("next"));
    let ran = ranch.finish(inside.output().unwrap()).exits(0);
    assert!(ran.stdout.contains("24 passed"), "{}", ran.stdout);
}

#[test]
#[cfg(unix)]
fn build_shows_the_output_of_the_tool_and_keeps_the_last_component() {
    let ranch = Ranch::empty();
    let new = ["plugin", "new", "rain_balance:v1", "--lang", "python"];
    let _ = ranch.run(&[&new[..], &["--dir", "rain"]].concat()).exits(0);
    ranch.write("rain/build/rain_balance-v1.wasm", "the last one");
    let fails = r#"[ "$1" = --version ] && { echo "componentize-py 0.25.1"; exit; }
echo 'Traceback (most recent call last):
  File "/0/logic.py", line 3, in <module>
ModuleNotFoundError: No module named '"'numpy'" >&2
exit 1"#;
    let module = ranch.path("module.wasm");
    fs::write(&module, wat::parse_str("(module)").unwrap()).unwrap();
    let outside = ranch.path("outside.wasm");
    let imports = r#"(component (import "clock" (func)))"#;
    fs::write(&outside, wat::parse_str(imports).unwrap()).unwrap();
    let build = |tools: Tools| says(&ranch, &tools.path(), &["plugin", "build", "rain"]);
    insta::assert_snapshot!(all(&[
        build(Tools::none().with("componentize-py", fails)),
        build(Tools::none().componentize(&outside)),
    ]));
    assert_eq!(
        ranch.read("rain/build/rain_balance-v1.wasm"),
        "the last one"
    );
    // This component does not fit the contract. It is written anyway, so that `plugin check` can list every
    // problem.
    insta::assert_snapshot!(
        "build_of_what_the_host_refuses",
        all(&[build(Tools::none().componentize(&module))])
    );
}

/// The shipped versions have folders like those that `plugin new` creates.
#[test]
fn every_shipped_folder_names_its_own_logic() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../logic-plugins");
    let ranch = Ranch::empty();
    for (folder, logic) in [
        ("days-remaining-v1", "days_remaining:v1"),
        ("days-remaining-v2", "days_remaining:v2"),
        ("frost-days-v1", "frost_days:v1"),
    ] {
        let dir = plugins.join(folder);
        let dir = dir.to_str().unwrap();
        let tested = ranch.data(&["plugin", "test", dir], 0);
        let declared = format!("{}:{}", tested["name"], tested["version"]).replace('"', "");
        assert_eq!(declared, logic);
        // A new member of the workspace gets exactly this text.
        let text = fs::read_to_string(plugins.join(folder).join("provender-plugin.toml")).unwrap();
        let said = provender_host::author::PluginManifest::parse(&text).unwrap();
        assert_eq!(said.logic.to_string(), logic);
        assert_eq!(text, said.render());
    }
}

/// The manifest only says where the component and the cases are, and does not affect the component's bytes. A
/// frozen version may get one, and keeps the one that it has.
#[test]
fn a_frozen_folder_may_get_a_manifest_and_then_keeps_it() {
    let ranch = Ranch::empty();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../logic-plugins");
    let manifest = "days-remaining-v2/provender-plugin.toml";
    let artifacts = [
        "artifacts/provender.lock",
        "artifacts/days_remaining-v1.wasm",
        "artifacts/days_remaining-v2.wasm",
        "artifacts/frost_days-v1.wasm",
        "days-remaining-v2/src/lib.rs",
    ];
    for file in artifacts {
        let to = ranch.path(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(file), to).unwrap();
    }
    let git = |line: &str| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=Tester", "-c", "user.email=t@example.org"]);
        let done = command.args(line.split(' ')).current_dir(ranch.dir());
        assert!(done.output().unwrap().status.success(), "git {line}");
    };
    let commit = || {
        git("add -A");
        git("commit -q -m step");
    };
    git("init -q");
    commit();
    let lock = ["--lock", "artifacts/provender.lock", "--base", "HEAD"];
    let verify = || {
        let json = ranch.run(&[&["verify"], &lock[..], &["--json"]].concat());
        let found: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        found["data"]["contract"].to_string()
    };
    ranch.write(manifest, &fs::read_to_string(from.join(manifest)).unwrap());
    assert_eq!(verify(), "[]");
    commit();
    ranch.edit(manifest, "../cases", "../other");
    let broken = verify();
    assert!(
        broken.contains("\"frozen_source\"") && broken.contains(manifest),
        "{broken}"
    );
}
