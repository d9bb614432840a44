//! Read-only folders, folders on another disk, and file systems without links.

use std::process::Command;

use crate::crash_kit::{DeploymentContent, copy_of, database, ingested, sound, tidy};
use crate::disks::{COMPUTE, NAMESPACE, below, error, may_mount};
use crate::kit::{Ran, Ranch};

/// Mounts the deployment's folder read-only and runs the program there.
const READ_ONLY: &str =
    "mount --bind . . && cd \"$PWD\" && mount -o remount,bind,ro . && exec \"$0\" \"$@\"";

fn read_only(ranch: &Ranch, args: &[&str]) -> Ran {
    below(ranch, &NAMESPACE, READ_ONLY, args)
}

/// The verbs that read, and those that judge or try without recording.
pub(crate) const READING: [&[&str]; 18] = [
    &["list", "--all-versions"],
    &["status", "--as-of", "2025-06-30"],
    &[
        "explain",
        "--boundary",
        "creek",
        "--herd",
        "h-cows",
        "--as-of",
        "2025-06-30",
    ],
    &["features"],
    &["config"],
    &["verify"],
    &["audit"],
    &["plugin", "list"],
    &["plugin", "show", "days_remaining:v1"],
    &["release", "list"],
    &["release", "status"],
    &["release", "history"],
    &["incident", "list"],
    &["monitor", "acks"],
    &["backtest", "days_remaining:v2"],
    &["compute", "--all", "--as-of", "2025-06-30", "--dry-run"],
    &[
        "monitor",
        "--all",
        "--end",
        "2025-06-30",
        "--ledger",
        "out/ledger.db",
    ],
    &["replay", "--all", "--ledger", "out/ledger.db"],
];

#[test]
#[cfg(target_os = "linux")]
fn reading_verbs_give_the_same_answers_where_nothing_can_be_written() {
    if !may_mount() {
        return;
    }
    let ranch = Ranch::ran();
    // Compiled code is optional, and cached where possible. SQLite keeps the two files of a WAL beside the
    // ledger while somebody reads.
    let held = |ranch: &Ranch| {
        let mut files = ranch.files("out");
        files.retain(|(path, _)| {
            let name = path.to_string_lossy();
            !path.starts_with(ranch.path("out/cache"))
                && !["-wal", "-shm"].iter().any(|end| name.ends_with(end))
        });
        files
    };
    let before = held(&ranch);
    for args in READING {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let reference = ranch.run(&args);
        let ran = read_only(&ranch, &args);
        assert_eq!(ran.code, reference.code, "{args:?}: {}", ran.stdout);
        assert!(ran.code <= 2, "{args:?}: {}", ran.stdout);
        assert_eq!(ran.json()["data"], reference.json()["data"], "{args:?}");
    }
    let elsewhere = ranch.path("../copy").display().to_string();
    let _ = read_only(&ranch, &["backup", &elsewhere]).exits(0);
    let changed: Vec<_> = held(&ranch)
        .into_iter()
        .filter(|file| !before.contains(file))
        .map(|(path, _)| path)
        .collect();
    assert!(changed.is_empty(), "reading changes nothing: {changed:?}");
}

/// Before anything is computed, there is no folder of manifests, and reading verbs need none.
#[test]
#[cfg(target_os = "linux")]
fn reading_verbs_create_nothing_before_the_first_run() {
    if !may_mount() {
        return;
    }
    let ranch = ingested();
    let files = |inside: &str| {
        let mut files = ranch.files(inside);
        files.retain(|(path, _)| !path.starts_with(ranch.path("out/cache")));
        files
    };
    let before = files("out");
    for args in [
        &["status", "--as-of", "2025-06-30"][..],
        &["list"],
        &["audit"],
        &["replay", "--all", "--ledger", "out/ledger.db"],
        &["compute", "--all", "--as-of", "2025-06-30", "--dry-run"],
        &["backtest", "days_remaining:v2"],
    ] {
        let args = [args, &["--json"]].concat();
        let (here, there) = (ranch.run(&args), read_only(&ranch, &args));
        assert_eq!(there.code, here.code, "{args:?}: {}", there.stdout);
        assert_eq!(there.json()["data"], here.json()["data"], "{args:?}");
        assert_ne!(here.code, 74, "{args:?}: {}", here.stdout);
    }
    let elsewhere = ranch.path("../copy").display().to_string();
    let _ = read_only(&ranch, &["backup", &elsewhere]).exits(0);
    assert!(!ranch.path("out/manifests").exists());
    assert!(files("out") == before, "reading changes nothing");
}

/// Before anything is recorded, there is no ledger, and reading verbs create none.
#[test]
#[cfg(target_os = "linux")]
fn reading_verbs_create_no_ledger_before_anything_is_recorded() {
    if !may_mount() {
        return;
    }
    let ranch = Ranch::fresh();
    let before = ranch.files("");
    for args in [
        &["list"][..],
        &["features"],
        &["status", "--as-of", "2025-06-30"],
        &["plugin", "list"],
        &["release", "list"],
        &["release", "history"],
        &["incident", "list"],
        &["monitor", "acks"],
        &["verify"],
        &["manifest", "export", "--all"],
        &["explain", "--boundary", "creek", "--as-of", "2025-06-30"],
        &["backtest", "days_remaining:v2"],
        &["compute", "--all", "--as-of", "2025-06-30", "--dry-run"],
    ] {
        let args = [args, &["--json"]].concat();
        let (there, here) = (read_only(&ranch, &args), ranch.run(&args));
        assert_eq!(there.code, here.code, "{args:?}: {}", there.stdout);
        assert_eq!(there.json()["data"], here.json()["data"], "{args:?}");
        assert!(![69, 74].contains(&here.code), "{args:?}: {}", here.stdout);
        assert!(!ranch.path("out/ledger.db").exists(), "{args:?}");
    }
    let elsewhere = ranch.path("../copy").display().to_string();
    let _ = read_only(&ranch, &["backup", &elsewhere]).exits(0);
    let mut after = ranch.files("");
    after.retain(|(path, _)| !path.starts_with(ranch.path("out/cache")));
    assert!(after == before, "reading changes nothing");
}

/// A file system without folder syncs, on the path to one that has them.
#[test]
#[cfg(target_os = "linux")]
fn parent_folders_that_cannot_be_synced_stop_nothing() {
    if !may_mount() {
        return;
    }
    let ranch = Ranch::empty();
    let script = r#"
        mount -t tmpfs none /proc/tty && mkdir /proc/tty/a || exit 99
        "$0" "$@" --project /proc/tty/a/ranch && "$0" run --as-of 2025-06-30 --project /proc/tty/a/ranch || exit 98
        "$0" backup /proc/tty/b/copy --project /proc/tty/a/ranch || exit 97
        cd /proc/tty/a/ranch && "$0" audit
    "#;
    std::fs::create_dir_all(ranch.dir()).unwrap();
    let _ = below(&ranch, &NAMESPACE, script, &["init", "--sample"]).exits(0);
}

#[test]
#[cfg(target_os = "linux")]
fn writing_verbs_name_a_remedy_where_nothing_can_be_written() {
    if !may_mount() {
        return;
    }
    let ranch = Ranch::ran();
    let before = ranch.files("");
    for args in [
        &COMPUTE[..],
        &["run", "--as-of", "2025-06-30", "--json"],
        &["ingest", "--json"],
        &["monitor", "--all", "--end", "2025-06-30", "--json"],
        &["replay", "--all", "--json"],
    ] {
        let ran = read_only(&ranch, args).exits(69);
        let (code, message) = error(&ran);
        assert_eq!(code, "ledger_unavailable", "{args:?}: {message}");
        assert!(message.contains("out/ledger.db"), "{args:?}: {message}");
        let help = ran.json()["error"]["help"].clone();
        let help = help.as_str().unwrap();
        assert!(
            help.contains("provender backup") && help.contains("--ledger"),
            "{args:?}: {help}"
        );
    }
    assert!(ranch.files("") == before, "nothing is written");
}

/// A writer keeps a WAL beside the ledger. Its content is visible to everybody, also without write
/// permission.
#[test]
#[cfg(target_os = "linux")]
fn a_reader_without_write_permission_sees_what_a_writer_elsewhere_recorded() {
    if !may_mount() {
        return;
    }
    let ranch = ingested();
    let writer = database(&ranch);
    // This connection stays open, so that the WAL is not checkpointed when `compute` ends.
    let _: i64 = writer
        .query_row("SELECT count(*) FROM run", [], |r| r.get(0))
        .unwrap();
    let _ = ranch.run(&COMPUTE).exits(0);
    let log = std::fs::metadata(ranch.path("out/ledger.db-wal")).unwrap();
    assert!(
        log.len() > 0,
        "the WAL is empty, so the test would show nothing"
    );
    let ran = read_only(&ranch, &["list", "--json"]).exits(0);
    assert_eq!(ran.json()["data"]["answers"].as_array().unwrap().len(), 9);

    // The same files without a writer: the content of the WAL must not be ignored silently.
    let killed = copy_of(&ranch);
    std::fs::remove_file(killed.path("out/ledger.db-shm")).unwrap();
    let ran = read_only(&killed, &["list", "--json"]).exits(69);
    let (code, message) = error(&ran);
    assert_eq!(code, "ledger_log_left", "{message}");
    insta::assert_snapshot!(message, @"a killed process left the log RANCH/out/ledger.db-wal of the ledger sqlite:RANCH/out/ledger.db, and it cannot be checkpointed because its folder is not writable");
    insta::assert_snapshot!(ran.json()["error"]["help"].as_str().unwrap(), @"run any verb where the folder is writable, or copy the ledger together with its log to a writable folder and name the copy with --ledger");
    // The same if the ledger is a link to a file elsewhere, with the WAL beside that file.
    let linked = copy_of(&killed);
    std::fs::create_dir(linked.path("elsewhere")).unwrap();
    for file in ["ledger.db", "ledger.db-wal"] {
        let from = linked.path("out").join(file);
        std::fs::rename(from, linked.path("elsewhere").join(file)).unwrap();
    }
    let link = linked.path("out/ledger.db");
    std::os::unix::fs::symlink("../elsewhere/ledger.db", link).unwrap();
    let ran = read_only(&linked, &["list", "--json"]).exits(69);
    let (code, message) = error(&ran);
    assert_eq!(code, "ledger_log_left", "{message}");
    // The remedy that the message names.
    let away = killed.path("../away");
    std::fs::create_dir_all(&away).unwrap();
    for file in ["ledger.db", "ledger.db-wal"] {
        std::fs::copy(killed.path("out").join(file), away.join(file)).unwrap();
    }
    let away = away.join("ledger.db").display().to_string();
    let ran = read_only(&killed, &["list", "--json", "--ledger", &away]).exits(0);
    assert_eq!(ran.json()["data"]["answers"].as_array().unwrap().len(), 9);
}

#[test]
#[cfg(target_os = "linux")]
fn backups_are_readable_anywhere_and_folders_may_be_on_another_disk() {
    if !may_mount() {
        return;
    }
    let ranch = ingested();
    let _ = ranch.run(&COMPUTE).exits(0);
    let _ = ranch.run(&["backup", "copy"]).exits(0);
    let list = ["list", "--ledger", "copy/ledger.db", "--json"];
    let ran = read_only(&ranch, &list).exits(0);
    assert_eq!(ran.json()["data"]["answers"].as_array().unwrap().len(), 9);

    let ranch = ingested();
    let elsewhere = r#"
        mkdir -p out/manifests && mount -t tmpfs none out/manifests
        "$0" "$@" && "$0" explain --boundary creek --herd h-cows --as-of 2025-06-30 --quiet
    "#;
    let _ = below(&ranch, &NAMESPACE, elsewhere, &COMPUTE).exits(0);
}

/// Makes every link fail, as on a file system without links.
const NO_LINKS: [&str; 8] = [
    "strace",
    "-f",
    "-qqq",
    "-o",
    "/dev/null",
    "-e",
    "trace=linkat",
    "-e",
];

fn without_links(ranch: &Ranch, errno: &str, args: &[&str]) -> Ran {
    let inject = format!("inject=linkat:error={errno}");
    let wrapper: Vec<&str> = NO_LINKS.into_iter().chain([inject.as_str()]).collect();
    below(ranch, &wrapper, "exec \"$0\" \"$@\"", args)
}

fn may_trace() -> bool {
    let tried = Command::new(NO_LINKS[0])
        .args(&NO_LINKS[1..])
        .args(["inject=linkat:error=EPERM", "true"])
        .output();
    let may = tried.is_ok_and(|o| o.status.success());
    if !may {
        println!("not checked: strace is not installed, or may not trace here");
    }
    may
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_system_without_links_gives_the_same_results() {
    if !may_trace() {
        return;
    }
    let prepared = ingested();
    let undisturbed = copy_of(&prepared);
    let _ = undisturbed.run(&COMPUTE).exits(0);
    let reference = DeploymentContent::of(&undisturbed);
    for errno in ["EPERM", "EOPNOTSUPP", "ENOSYS"] {
        let ranch = copy_of(&prepared);
        let _ = without_links(&ranch, errno, &COMPUTE).exits(0);
        DeploymentContent::of(&ranch).must_equal(&reference, errno);
        sound(&ranch, errno);
        // The second time every name exists, and its file is adopted.
        let ran = without_links(&ranch, errno, &COMPUTE).exits(0);
        assert_eq!(ran.json()["data"]["summary"]["unchanged"], 9);
        tidy(&ranch, errno);
    }
    // Manifests without a row, as a kill leaves them, are adopted.
    let ranch = copy_of(&undisturbed);
    let ledger = prepared.path("out/ledger.db");
    std::fs::copy(ledger, ranch.path("out/ledger.db")).unwrap();
    let _ = without_links(&ranch, "EPERM", &COMPUTE).exits(0);
    DeploymentContent::of(&ranch).must_equal(&reference, "adopted");
}

#[test]
#[cfg(all(target_os = "linux", debug_assertions))]
fn a_kill_on_a_file_system_without_links_leaves_whole_runs_or_nothing() {
    if !may_trace() {
        return;
    }
    let prepared = ingested();
    let undisturbed = copy_of(&prepared);
    let _ = undisturbed.run(&COMPUTE).exits(0);
    let reference = DeploymentContent::of(&undisturbed);
    let script = "PROVENDER_FAIL_AT=$POINT exec \"$0\" \"$@\"";
    for point in ["file.half#3", "file.before-name#5", "file.after-name#7"] {
        let ranch = copy_of(&prepared);
        let wrapper: Vec<&str> = NO_LINKS
            .into_iter()
            .chain(["inject=linkat:error=EPERM"])
            .collect();
        let script = script.replace("$POINT", point);
        let ran = below(&ranch, &wrapper, &script, &COMPUTE);
        assert_ne!(ran.code, 0, "{point} was not passed");
        sound(&ranch, point);
        let _ = without_links(&ranch, "EPERM", &COMPUTE).exits(0);
        DeploymentContent::of(&ranch).must_equal(&reference, point);
        tidy(&ranch, point);
    }
}
