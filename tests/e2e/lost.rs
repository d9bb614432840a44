//! Ledgers that are missing, truncated, foreign or of another schema; other things in place of a file or
//! folder.

use std::process::Command;

use rusqlite::Connection;

use crate::crash_kit::{copy_of, ingested, sound, with_wal_of_killed};
use crate::disks::{COMPUTE, error};
#[cfg(unix)]
use crate::disks::{allow, below, nobody, opened};
use crate::kit::Ranch;

/// A deployment with recorded runs, and the exit code, error code and message of `compute` after its ledger
/// was damaged.
fn compute_after_damage(what: impl Fn(&Ranch)) -> (i32, String, String) {
    let ranch = Ranch::ran();
    for file in ["out/ledger.db-wal", "out/ledger.db-shm"] {
        assert!(
            !ranch.path(file).exists(),
            "the last connection checkpoints the WAL and removes it"
        );
    }
    what(&ranch);
    let before = ranch.files("out/manifests");
    let ran = ranch.run(&COMPUTE);
    let (code, message) = error(&ran);
    assert_eq!(ranch.files("out/manifests"), before, "{message}");
    (ran.code, code, message)
}

#[test]
fn missing_empty_truncated_foreign_and_newer_ledgers_are_distinguished() {
    let path = |ranch: &Ranch| ranch.path("out/ledger.db");
    let (exit, code, message) = compute_after_damage(|r| std::fs::remove_file(path(r)).unwrap());
    assert_eq!((exit, code.as_str()), (69, "ledger_missing"), "{message}");
    insta::assert_snapshot!(message, @"the ledger sqlite:RANCH/out/ledger.db is missing or empty, but manifests of recorded runs exist");
    let (exit, code, message) = compute_after_damage(|r| std::fs::write(path(r), "").unwrap());
    assert_eq!((exit, code.as_str()), (69, "ledger_missing"), "{message}");
    let whole = {
        let ranch = Ranch::ran();
        std::fs::metadata(path(&ranch)).unwrap().len()
    };
    // Also less than a page: SQLite reads the missing part of a page as zeros.
    for cut in [
        1,
        100,
        4_095,
        4_096,
        whole - 200_000,
        whole - 4_096,
        whole - 100,
    ] {
        let (exit, code, message) = compute_after_damage(|r| {
            let file = std::fs::File::options().write(true).open(path(r)).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length - cut).unwrap();
        });
        let found = (exit, code.as_str());
        assert_eq!(found, (69, "ledger_unavailable"), "{cut}: {message}");
        assert!(
            message.contains("RANCH/out/ledger.db is truncated, damaged or not a ledger"),
            "{cut}: {message}"
        );
    }
    for number in [0, -1] {
        let (exit, code, message) = compute_after_damage(|r| {
            let other = Connection::open(path(r)).unwrap();
            other.pragma_update(None, "user_version", number).unwrap();
        });
        let found = (exit, code.as_str());
        assert_eq!(found, (69, "ledger_unavailable"), "{number}: {message}");
        assert!(
            message.contains(&format!("the number {number},")),
            "{message}"
        );
    }
    let (exit, code, message) =
        compute_after_damage(|r| std::fs::write(path(r), "hello ".repeat(2_000)).unwrap());
    let found = (exit, code.as_str());
    assert_eq!(found, (69, "ledger_unavailable"), "{message}");
    let (exit, code, message) = compute_after_damage(|r| {
        std::fs::remove_file(path(r)).unwrap();
        let other = Connection::open(path(r)).unwrap();
        other
            .execute_batch("CREATE TABLE recipes (name TEXT)")
            .unwrap();
    });
    assert_eq!((exit, code.as_str()), (69, "not_a_ledger"), "{message}");
    let (exit, code, message) = compute_after_damage(|r| {
        let newer = Connection::open(path(r)).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
    });
    assert_eq!(
        (exit, code.as_str()),
        (69, "ledger_newer_schema"),
        "{message}"
    );
    assert!(
        message.contains("schema 99") && message.contains("newer provender"),
        "{message}"
    );
}

/// If a killed process has left a WAL, a page that is in the WAL may be missing in the file. Every other page
/// must be there.
#[test]
fn a_truncated_ledger_is_refused_unless_its_wal_completes_it() {
    let killed = with_wal_of_killed(&COMPUTE);
    let mut refused = 0;
    for cut in [0, 1, 4_096, 4_196, 12_000, 30_000, 100_000] {
        let ranch = copy_of(&killed);
        let path = ranch.path("out/ledger.db");
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length - cut).unwrap();
        let first = ranch.run(&["list", "--json"]);
        if first.code == 0 {
            // Nothing was lost.
            let _ = ranch.run(&COMPUTE).exits(0);
            sound(&ranch, &format!("{cut} bytes cut"));
            continue;
        }
        refused += 1;
        let backup = ["backup", "copy", "--json"];
        for args in [
            &["list", "--json"][..],
            &COMPUTE,
            &backup,
            &["list", "--json"],
        ] {
            let (code, message) = error(&ranch.run(args).exits(69));
            assert_eq!(code, "ledger_unavailable", "{cut}: {args:?}: {message}");
            assert!(
                message.contains("is truncated"),
                "{cut}: {args:?}: {message}"
            );
        }
    }
    assert!((2..7).contains(&refused), "{refused}");
}

/// Verbs that ask which release is active, or what is frozen in the ledger. If nothing is recorded yet, they
/// would use only the files.
pub(crate) const LEDGER_READERS: [&[&str]; 10] = [
    &["list"],
    &["status", "--as-of", "2025-06-30"],
    &["explain", "--boundary", "north", "--as-of", "2025-06-30"],
    &["compute", "--all", "--as-of", "2025-06-30", "--dry-run"],
    &["features"],
    &["verify"],
    &["plugin", "list"],
    &["release", "status"],
    &["audit"],
    &["backup", "copy"],
];

#[test]
fn commands_that_only_read_report_a_lost_ledger() {
    let ranch = Ranch::ran();
    let ledger = ranch.path("out/ledger.db");
    let bytes = std::fs::read(&ledger).unwrap();
    for lost in ["gone", "empty", "cut"] {
        std::fs::remove_file(&ledger).unwrap();
        let expected = match lost {
            "gone" => "ledger_missing",
            "empty" => {
                std::fs::write(&ledger, "").unwrap();
                "ledger_missing"
            }
            _ => {
                std::fs::write(&ledger, &bytes[..bytes.len() - 7]).unwrap();
                "ledger_unavailable"
            }
        };
        for args in LEDGER_READERS {
            let args = [args, &["--json"]].concat();
            let (code, message) = error(&ranch.run(&args).exits(69));
            assert_eq!(code, expected, "{lost}: {args:?}: {message}");
        }
        if lost == "gone" {
            assert!(!ledger.exists(), "reading creates no ledger");
            std::fs::write(&ledger, "").unwrap();
        }
        assert!(!ranch.path("copy").exists());
    }
    std::fs::write(&ledger, &bytes).unwrap();
    for args in LEDGER_READERS {
        let _ = ranch.run(args).exits(0);
    }
}

/// If a ledger or a manifest cannot be searched for, that does not mean that there is none.
#[test]
#[cfg(unix)]
fn a_folder_without_read_permission_is_not_treated_as_empty() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(wrapper) = nobody() else { return };
    let ranch = Ranch::ran();
    let allow = |path: &str, mode| {
        let path = ranch.path(path);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    allow("..", 0o755);
    let run = |args: &[&str]| below(&ranch, wrapper, "exec \"$0\" \"$@\"", args);
    allow("out", 0o000);
    for args in &LEDGER_READERS[..9] {
        let (code, message) = error(&run(&[args, &["--json"][..]].concat()).exits(69));
        assert_eq!(code, "ledger_unavailable", "{args:?}: {message}");
        assert!(message.contains("ermission denied"), "{args:?}: {message}");
    }
    allow("out", 0o777);
    // WAL files of another user's SQLite would prevent opening the ledger.
    for beside in ["out/ledger.db-wal", "out/ledger.db-shm"] {
        assert!(!ranch.path(beside).exists());
    }
    for file in ["out", "out/ledger.db"] {
        allow(file, 0o777);
    }
    allow("out/manifests", 0o000);
    let (code, message) = error(&run(&["audit", "--json"]).exits(74));
    assert_eq!(code, "manifest_io", "{message}");
    std::fs::remove_file(ranch.path("out/ledger.db")).unwrap();
    let (code, message) = error(&run(&COMPUTE).exits(74));
    assert_eq!(code, "manifest_io", "{message}");
    assert!(
        !ranch.path("out/ledger.db").exists(),
        "no ledger is created"
    );
}

#[test]
#[cfg(unix)]
fn a_manifest_folder_that_is_a_file_or_leads_outside_is_named() {
    let prepared = ingested();
    for (what, expected_end) in [
        ("file", "out/manifests is not a folder"),
        (
            "nowhere",
            "out/manifests is a link that does not lead to a folder inside the deployment folder",
        ),
        (
            "/tmp",
            "out/manifests is a link that does not lead to a folder inside the deployment folder",
        ),
    ] {
        let ranch = copy_of(&prepared);
        let place = ranch.path("out/manifests");
        match what {
            "file" => std::fs::write(place, "").unwrap(),
            link => std::os::unix::fs::symlink(link, place).unwrap(),
        }
        let copied = ["backup", "copy", "--json"];
        for (args, expected) in [
            (&COMPUTE[..], "manifest_io"),
            (&["audit", "--json"], "manifest_io"),
            (&copied, "backup"),
        ] {
            let (code, message) = error(&ranch.run(args).exits(74));
            assert_eq!(code, expected, "{what}: {args:?}: {message}");
            assert!(
                message.ends_with(expected_end),
                "{what}: {args:?}: {message}"
            );
        }
        assert!(!ranch.path("copy").exists());
    }
    // A link to a folder inside the deployment is allowed.
    let ranch = copy_of(&prepared);
    std::fs::create_dir(ranch.path("kept")).unwrap();
    std::os::unix::fs::symlink("../kept", ranch.path("out/manifests")).unwrap();
    let _ = ranch.run(&COMPUTE).exits(0);
    let _ = ranch.run(&["audit"]).exits(0);
}

/// A separate disk has a `lost+found` folder that nobody else may read.
#[test]
#[cfg(unix)]
fn a_disks_lost_and_found_folder_is_not_a_manifest() {
    let Some(wrapper) = nobody() else { return };
    let ranch = Ranch::sample();
    std::fs::create_dir_all(ranch.path("out/manifests/lost+found")).unwrap();
    let _ = ranch.run(&["run", "--as-of", "2025-06-30"]).exits(0);
    opened(&ranch);
    allow(&ranch.path("out/manifests/lost+found"), 0o000);
    let run = |args: &[&str]| below(&ranch, wrapper, "exec \"$0\" \"$@\"", args);
    let _ = run(&["audit"]).exits(0);
    let _ = run(&["backup", "out/copy"]).exits(0);
}

/// A user may pass through a folder without being able to list it.
#[test]
#[cfg(unix)]
fn parent_folders_need_not_be_listable() {
    let Some(wrapper) = nobody() else { return };
    let ranch = ingested();
    let setting = "path = \"out/m/manifests\"";
    ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
    std::fs::create_dir_all(ranch.path("out/m/manifests")).unwrap();
    opened(&ranch);
    allow(&ranch.path("out/m/manifests"), 0o777);
    allow(&ranch.path("out/m"), 0o711);
    let run = |args: &[&str]| below(&ranch, wrapper, "exec \"$0\" \"$@\"", args);
    let _ = run(&COMPUTE).exits(0);
    let _ = run(&["audit"]).exits(0);
}

/// Opening a pipe would wait for a writer that may never come.
#[test]
#[cfg(target_os = "linux")]
fn a_pipe_in_place_of_a_configuration_is_refused() {
    let prepared = ingested();
    for file in [
        "provender.toml",
        "logic.toml",
        "sources.toml",
        "provender.lock",
    ] {
        let ranch = copy_of(&prepared);
        let path = ranch.path(file);
        std::fs::remove_file(&path).unwrap();
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let ran = ranch.run(&COMPUTE);
        let (code, message) = error(&ran);
        let (refused, verb) = match file {
            "provender.lock" => ("lock_invalid", "cannot be used"),
            _ => ("config_invalid", "is not usable"),
        };
        let expected = format!("{file} {verb}: it is a pipe or a device, not a file");
        assert_eq!(
            (ran.code, code.as_str(), message),
            (78, refused, expected),
            "{file}"
        );
    }
}
