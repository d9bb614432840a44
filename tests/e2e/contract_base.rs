//! The base that the release contract is judged against: missing, shallow, unrelated, or without a lock
//! file.

use std::process::Command;

use crate::contract_kit::{BASE, BOTH, LOCK, SOURCE, commit, git, printed, small, verify};
use crate::kit::Ranch;

#[test]
fn later_commits_of_the_base_are_not_attributed_to_the_change() {
    let ranch = small();
    git(&ranch, &["checkout", "-q", "base"]);
    std::fs::remove_file(ranch.path(SOURCE)).unwrap();
    commit(&ranch, "theirs");
    git(&ranch, &["checkout", "-q", "main"]);
    let _ = verify(&ranch, &BASE).exits(0);
}

#[test]
fn a_lock_file_that_the_base_lacks_is_reported() {
    let ranch = small();
    git(&ranch, &["checkout", "-q", "--orphan", "first"]);
    git(&ranch, &["rm", "-q", "--cached", LOCK]);
    git(&ranch, &["commit", "-q", "-m", "without a lock file"]);
    git(&ranch, &["branch", "-f", "base"]);
    commit(&ranch, "pinned");
    insta::assert_snapshot!("lock_not_in_base", printed(&verify(&ranch, &BOTH).exits(0)));
}

#[test]
fn an_unreadable_lock_file_at_the_base_does_not_pass() {
    let ranch = small();
    let good = ranch.read(LOCK);
    ranch.write(LOCK, "version = 99\n");
    commit(&ranch, "broken");
    git(&ranch, &["branch", "-f", "base"]);
    ranch.write(LOCK, &good);
    insta::assert_snapshot!(
        "lock_broken_in_base",
        printed(&verify(&ranch, &BASE).exits(65))
    );
}

#[test]
fn a_base_that_is_unknown_or_an_option_does_not_pass() {
    let ranch = small();
    let unknown = verify(&ranch, &["--base", "nowhere"]).exits(66);
    insta::assert_snapshot!("base_unknown", printed(&unknown));
    let option = verify(&ranch, &["--base=--all"]).exits(66);
    insta::assert_snapshot!("base_option", printed(&option));
}

#[test]
fn a_shallow_clone_says_how_to_fetch_the_base() {
    let ranch = small();
    ranch.write("more", "more");
    commit(&ranch, "more");
    let shallow = Ranch::empty();
    let from = format!("file://{}", ranch.dir().display());
    let cloned = Command::new("git")
        .args(["clone", "-q", "--depth", "1", &from])
        .arg(shallow.dir())
        .status()
        .unwrap();
    assert!(cloned.success());
    let refused = verify(&shallow, &["--base", "origin/base"]).exits(66);
    insta::assert_snapshot!("base_shallow", printed(&refused));
}

#[test]
fn a_branch_without_a_common_commit_does_not_pass() {
    let ranch = small();
    git(&ranch, &["checkout", "-q", "--orphan", "alone"]);
    commit(&ranch, "alone");
    let refused = verify(&ranch, &["--base", "main"]).exits(66);
    insta::assert_snapshot!("base_unrelated", printed(&refused));
}

#[test]
fn outside_a_repository_there_is_no_base() {
    let ranch = small();
    std::fs::remove_dir_all(ranch.path(".git")).unwrap();
    insta::assert_snapshot!("no_repository", printed(&verify(&ranch, &BASE).exits(66)));
}

#[test]
fn the_contract_refuses_a_deleted_lock_file() {
    let ranch = small();
    std::fs::remove_file(ranch.path(LOCK)).unwrap();
    insta::assert_snapshot!("lock_deleted", printed(&verify(&ranch, &BOTH).exits(17)));
    // Without a base, nothing shows that the file ever existed.
    insta::assert_snapshot!("lock_missing", printed(&verify(&ranch, &[]).exits(66)));
    // Now the whole folder is missing.
    std::fs::remove_dir_all(ranch.path("logic-plugins/artifacts")).unwrap();
    let refused = verify(&ranch, &BOTH).exits(17);
    assert!(
        refused.stderr.contains("the lock file is gone"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_lock_file_that_never_existed_is_not_found_even_with_a_base() {
    let ranch = small();
    let args = [
        "verify",
        "--lock",
        "nowhere/provender.lock",
        "--base",
        "base",
    ];
    let _ = ranch.run(&args).exits(66);
}

#[test]
fn a_base_older_than_a_shallow_clone_says_how_to_deepen_it() {
    let ranch = small();
    ranch.write("more", "more");
    commit(&ranch, "more");
    let shallow = Ranch::empty();
    let from = format!("file://{}", ranch.dir().display());
    let cloned = Command::new("git")
        .args(["clone", "-q", "--depth", "1", &from])
        .arg(shallow.dir())
        .status()
        .unwrap();
    assert!(cloned.success());
    let refused = verify(&shallow, &["--base", "HEAD~1"]).exits(66);
    insta::assert_snapshot!("base_relative", printed(&refused));
}

/// Writes a program into the repository's `.git` that creates `name` in the test's folder and prints
/// `output`.
fn trap(ranch: &Ranch, name: &str, output: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let program = ranch.path(&format!(".git/{name}.sh"));
    let mark = ranch.path(&format!(".git/ran-{}", name.replace('/', "-")));
    let script = format!("#!/bin/sh\ntouch '{}'\n{output}\n", mark.display());
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program.display().to_string()
}

/// The names of the traps that ran.
fn sprung(ranch: &Ranch) -> Vec<String> {
    let mut found: Vec<_> = std::fs::read_dir(ranch.path(".git"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("ran-"))
        .collect();
    found.sort();
    found
}

#[test]
fn no_program_named_by_a_checkout_is_run() {
    let ranch = small();
    let config = [
        ("core.fsmonitor", trap(&ranch, "fsmonitor", "")),
        ("core.pager", trap(&ranch, "pager", "cat")),
        ("pager.log", trap(&ranch, "pager-log", "cat")),
        ("core.alternateRefsCommand", trap(&ranch, "refs", "")),
        ("core.sshCommand", trap(&ranch, "ssh", "exit 1")),
        ("diff.external", trap(&ranch, "external-diff", "")),
        ("diff.evil.command", trap(&ranch, "diff-driver", "")),
        ("diff.evil.textconv", trap(&ranch, "textconv", "cat \"$1\"")),
        ("filter.evil.clean", trap(&ranch, "clean", "cat")),
        ("filter.evil.smudge", trap(&ranch, "smudge", "cat")),
        ("filter.evil.process", trap(&ranch, "process", "exit 1")),
        ("filter.evil.required", "true".to_owned()),
        ("gpg.program", trap(&ranch, "gpg", "exit 1")),
        ("log.showSignature", "true".to_owned()),
        ("alias.rev-parse", format!("!{}", trap(&ranch, "alias", ""))),
        ("credential.helper", trap(&ranch, "credential", "")),
        (
            "remote.origin.url",
            "ssh://example.invalid/repository".to_owned(),
        ),
        ("remote.origin.promisor", "true".to_owned()),
        (
            "remote.origin.uploadpack",
            trap(&ranch, "uploadpack", "exit 1"),
        ),
        ("extensions.partialClone", "origin".to_owned()),
        ("core.repositoryFormatVersion", "1".to_owned()),
    ];
    ranch.write(".gitattributes", "* filter=evil diff=evil\n");
    commit(&ranch, "attributes");
    for hook in [
        "post-index-change",
        "reference-transaction",
        "fsmonitor-watchman",
    ] {
        let program = trap(&ranch, &format!("hooks/{hook}"), "");
        std::fs::rename(program, ranch.path(&format!(".git/hooks/{hook}"))).unwrap();
    }
    for (name, value) in &config {
        git(&ranch, &["config", name, value]);
    }
    ranch.write(".git/info/attributes", "* filter=evil diff=evil\n");
    // git runs filters only for files whose times changed.
    ranch.edit(SOURCE, "Frozen once released.", "Frozen, or so.");
    let refused = verify(&ranch, &BASE).exits(17);
    assert_eq!(sprung(&ranch), [""; 0], "{}", refused.stderr);
    // The traps work: git runs them if it is called without precautions.
    git_unchecked(&ranch, &["status"]);
    assert!(sprung(&ranch).contains(&"ran-fsmonitor".to_owned()));
    assert!(
        sprung(&ranch).contains(&"ran-process".to_owned()),
        "{:?}",
        sprung(&ranch)
    );
}

#[test]
fn a_filter_of_the_checkout_cannot_hide_a_change() {
    let ranch = small();
    let before = ranch.path(".git/before");
    std::fs::copy(ranch.path(SOURCE), &before).unwrap();
    let clean = trap(&ranch, "clean", &format!("cat '{}'", before.display()));
    git(&ranch, &["config", "filter.evil.clean", &clean]);
    ranch.write(".git/info/attributes", &format!("{SOURCE} filter=evil\n"));
    ranch.edit(SOURCE, "Frozen once released.", "Frozen, or so.");
    let changed = git_unchecked(&ranch, &["diff", "--name-only", "base"]);
    assert_eq!(changed, "", "the filter hides the change from git itself");
    let refused = verify(&ranch, &BASE).exits(17);
    assert!(refused.stderr.contains(SOURCE), "{}", refused.stderr);
}

#[test]
fn a_replaced_base_is_judged_as_it_was_committed() {
    let ranch = small();
    ranch.edit(SOURCE, "Frozen once released.", "Frozen, or so.");
    commit(&ranch, "other source");
    let _ = verify(&ranch, &BASE).exits(17);
    git(&ranch, &["replace", "base", "main"]);
    let refused = verify(&ranch, &BASE).exits(17);
    assert!(refused.stderr.contains(SOURCE), "{}", refused.stderr);
}

/// Standard output of git with the configuration of the checkout, whatever its exit code.
fn git_unchecked(ranch: &Ranch, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(ranch.dir())
        .args(args)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_linked_work_tree_and_a_split_index_are_judged_like_any_other() {
    let ranch = small();
    git(&ranch, &["worktree", "add", "-q", "linked", "base"]);
    let args = [
        "verify",
        "--lock",
        &format!("linked/{LOCK}"),
        "--base",
        "base",
    ];
    let _ = ranch.run(&args).exits(0);
    std::fs::remove_dir_all(ranch.path("linked")).unwrap();

    git(&ranch, &["update-index", "--split-index"]);
    let _ = verify(&ranch, &BASE).exits(0);
    ranch.edit(SOURCE, "Frozen once released.", "Frozen, or so.");
    let _ = verify(&ranch, &BASE).exits(17);
}
