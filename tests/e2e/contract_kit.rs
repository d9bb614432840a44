//! A small git repository with everything that the release contract checks, for its tests.

use std::path::Path;
use std::process::Command;

use crate::kit::{Ran, Ranch};

pub(crate) const LOCK: &str = "logic-plugins/artifacts/provender.lock";
pub(crate) const COMPONENT: &str = "logic-plugins/artifacts/days_remaining-v2.wasm";
pub(crate) const SOURCE: &str = "logic-plugins/days-remaining-v2/src/lib.rs";
/// Judged by the contract, without an approval.
pub(crate) const BASE: [&str; 2] = ["--base", "base"];
/// Judged by the contract, approved by both owners.
pub(crate) const BOTH: [&str; 6] = [
    "--base",
    "base",
    "--approved-by",
    "ds",
    "--approved-by",
    "mlops",
];

/// Copies files of the project to the same paths in a test's folder.
pub(crate) fn copy(ranch: &Ranch, paths: &[&str]) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for path in paths {
        let to = ranch.path(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from.join(path), to).unwrap();
    }
}

/// One frozen component with its source, the WIT and the owners, on `main` and `base`.
pub(crate) fn small() -> Ranch {
    small_in("frozen")
}

/// Like [`small`], with the component in the given state.
pub(crate) fn small_in(state: &str) -> Ranch {
    let ranch = Ranch::empty();
    copy(
        &ranch,
        &[
            "wit/logic.wit",
            ".github/CODEOWNERS",
            COMPONENT,
            SOURCE,
            LOCK,
        ],
    );
    let text = ranch.read(LOCK);
    let mut blocks = text.split("[[component]]\n");
    let head = blocks.next().unwrap();
    let pin = blocks
        .find(|b| b.contains("days_remaining-v2.wasm"))
        .unwrap();
    let pin = pin
        .trim_end()
        .replace("\"frozen\"", &format!("\"{state}\""));
    ranch.write(LOCK, &format!("{head}[[component]]\n{pin}\n"));
    ranch.write("host/src/main.rs", "fn main() {}\n");
    git(&ranch, &["init", "-q", "-b", "main"]);
    commit(&ranch, "base");
    git(&ranch, &["branch", "base"]);
    ranch
}

/// Runs git, which must succeed.
pub(crate) fn git(ranch: &Ranch, args: &[&str]) {
    let said = Command::new("git")
        .current_dir(ranch.dir())
        .args([
            "-c",
            "user.name=Tester",
            "-c",
            "user.email=tester@example.org",
        ])
        .args(args)
        .output()
        .unwrap();
    assert!(said.status.success(), "git {args:?}: {said:?}");
}

/// Commits every change.
pub(crate) fn commit(ranch: &Ranch, message: &str) {
    git(ranch, &["add", "-A"]);
    git(ranch, &["commit", "-q", "-m", message]);
}

/// `verify` of the repository's lock file.
pub(crate) fn verify(ranch: &Ranch, more: &[&str]) -> Ran {
    // One cache for all tests, because they are not about compiling.
    let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/verify-cache");
    let lock = ["verify", "--lock", LOCK, "--cache", cache];
    let args: Vec<_> = lock.iter().chain(more).copied().collect();
    ranch.run(&args)
}

/// Everything that a run printed, with digests and commits as `HEX`, so that whole texts can be compared.
pub(crate) fn printed(ran: &Ran) -> String {
    let text = format!("exit {}\n{}-- stderr\n{}", ran.code, ran.stdout, ran.stderr);
    let mut out = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() >= 12 { "HEX" } else { &digits });
        digits.clear();
        out.push(c);
    }
    out
}

/// The same component in other bytes: with one more custom section.
pub(crate) fn pad(ranch: &Ranch) {
    let mut bytes = std::fs::read(ranch.path(COMPONENT)).unwrap();
    bytes.extend([0, 2, 1, b'x']);
    std::fs::write(ranch.path(COMPONENT), bytes).unwrap();
}

/// Makes the pin name the current bytes, as somebody who edits both by hand would.
pub(crate) fn repin(ranch: &Ranch) {
    let shown = ranch.data(&["plugin", "show", COMPONENT], 0);
    let text = ranch.read(LOCK);
    let line = |key: &str| {
        let start = format!("{key} = ");
        text.lines()
            .find(|l| l.starts_with(&start))
            .unwrap()
            .to_owned()
    };
    let sha256 = shown["sha256"].as_str().unwrap();
    let size = std::fs::metadata(ranch.path(COMPONENT)).unwrap().len();
    ranch.edit(LOCK, &line("sha256"), &format!("sha256 = \"{sha256}\""));
    ranch.edit(LOCK, &line("size"), &format!("size = {size}"));
}
