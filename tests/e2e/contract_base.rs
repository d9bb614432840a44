//! The base that the release contract is judged against: missing, shallow, unrelated, or without a lock
//! file.

use std::process::Command;

use crate::contract_kit::{BASE, BOTH, LOCK, SOURCE, commit, git, small, told, verify};
use crate::kit::Ranch;

#[test]
fn what_came_to_the_base_since_is_not_this_changes_doing() {
    let ranch = small();
    git(&ranch, &["checkout", "-q", "base"]);
    std::fs::remove_file(ranch.path(SOURCE)).unwrap();
    commit(&ranch, "theirs");
    git(&ranch, &["checkout", "-q", "main"]);
    let _ = verify(&ranch, &BASE).exits(0);
}

#[test]
fn a_lock_file_that_the_base_lacks_is_said() {
    let ranch = small();
    git(&ranch, &["checkout", "-q", "--orphan", "first"]);
    git(&ranch, &["rm", "-q", "--cached", LOCK]);
    git(&ranch, &["commit", "-q", "-m", "without a lock file"]);
    git(&ranch, &["branch", "-f", "base"]);
    commit(&ranch, "pinned");
    insta::assert_snapshot!("lock_not_in_base", told(&verify(&ranch, &BOTH).exits(0)));
}

#[test]
fn a_lock_file_that_cannot_be_read_at_the_base_is_no_pass() {
    let ranch = small();
    let good = ranch.read(LOCK);
    ranch.write(LOCK, "version = 99\n");
    commit(&ranch, "broken");
    git(&ranch, &["branch", "-f", "base"]);
    ranch.write(LOCK, &good);
    insta::assert_snapshot!(
        "lock_broken_in_base",
        told(&verify(&ranch, &BASE).exits(65))
    );
}

#[test]
fn a_base_that_is_unknown_or_an_option_is_no_pass() {
    let ranch = small();
    let unknown = verify(&ranch, &["--base", "nowhere"]).exits(66);
    insta::assert_snapshot!("base_unknown", told(&unknown));
    let option = verify(&ranch, &["--base=--all"]).exits(66);
    insta::assert_snapshot!("base_option", told(&option));
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
    insta::assert_snapshot!("base_shallow", told(&refused));
}

#[test]
fn a_branch_without_a_common_commit_is_no_pass() {
    let ranch = small();
    git(&ranch, &["checkout", "-q", "--orphan", "alone"]);
    commit(&ranch, "alone");
    let refused = verify(&ranch, &["--base", "main"]).exits(66);
    insta::assert_snapshot!("base_unrelated", told(&refused));
}

#[test]
fn outside_a_repository_there_is_no_base() {
    let ranch = small();
    std::fs::remove_dir_all(ranch.path(".git")).unwrap();
    insta::assert_snapshot!("no_repository", told(&verify(&ranch, &BASE).exits(66)));
}

#[test]
fn a_deleted_lock_file_is_the_contracts_to_refuse() {
    let ranch = small();
    std::fs::remove_file(ranch.path(LOCK)).unwrap();
    insta::assert_snapshot!("lock_deleted", told(&verify(&ranch, &BOTH).exits(17)));
    // Without a base nothing says that it was ever there.
    insta::assert_snapshot!("lock_missing", told(&verify(&ranch, &[]).exits(66)));
    // With its whole folder.
    std::fs::remove_dir_all(ranch.path("logic-plugins/artifacts")).unwrap();
    let refused = verify(&ranch, &BOTH).exits(17);
    assert!(
        refused.stderr.contains("the lock file is gone"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_lock_file_that_never_was_is_not_found_with_a_base_too() {
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
fn a_base_that_counts_back_past_a_shallow_clone_says_how_to_deepen_it() {
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
    insta::assert_snapshot!("base_relative", told(&refused));
}
