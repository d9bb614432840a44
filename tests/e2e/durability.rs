//! Power loss: the order in which data reaches the disk, read from the system calls.

use crate::calls_kit::{Call, Calls, What, traced};
use crate::crash_kit::ingested;
use crate::kit::Ranch;

const COMPUTE: [&str; 4] = ["compute", "--all", "--as-of", "2025-06-30"];

#[test]
#[cfg(target_os = "linux")]
fn what_compute_reports_as_recorded_is_on_the_disk() {
    let ranch = ingested();
    let Some(calls) = Calls::of(&ranch, &COMPUTE) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    let (names, folders) = calls.are_in_order("/manifests/");
    assert_eq!(names, 9);
    // For each run, the folder of manifests and that of its boundary.
    assert_eq!(folders, 18);
}

#[test]
#[cfg(target_os = "linux")]
fn what_compute_reports_as_recorded_in_packs_is_on_the_disk() {
    let ranch = ingested();
    let setting = "path = \"out/manifests\"\npack_from = 1";
    ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
    let Some(calls) = Calls::of(&ranch, &COMPUTE) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    // One pack for each of two logics; the folders are new to the first.
    let (names, folders) = calls.are_in_order("/manifests/packs/");
    assert_eq!((names, folders), (2, 4));
}

/// Checks the ledger, its folders, and what `ingest` reported about it.
#[test]
#[cfg(target_os = "linux")]
fn what_a_first_ingest_reports_is_on_the_disk() {
    let ranch = Ranch::fresh();
    ranch.edit(
        "provender.toml",
        "sqlite:out/ledger.db",
        "sqlite:out/a/b/ledger.db",
    );
    let args = ["ingest", "--boundaries", "inputs/pastures.geojson"];
    let Some(calls) = Calls::of(&ranch, &args) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    let reported = calls.reported_at();
    let log = |p: &str| p.ends_with("ledger.db-wal");
    assert!(calls.synced(calls.last_write(reported, &log), reported, &log));
    let root = ranch.dir().canonicalize().unwrap().display().to_string();
    let mut above = root.clone();
    for name in ["out", "a", "b"] {
        let folder = format!("{above}/{name}");
        let made = |c: &&Call| c.what == What::Made(folder.clone());
        let made = calls.0.iter().find(made).unwrap().ended;
        assert!(
            calls.synced(made, reported, &|p| p == above),
            "{above} with {folder}"
        );
        above = folder;
    }
    // This sync covers the names of the ledger and its WAL.
    assert!(calls.synced(0, reported, &|p| p == above), "{above}");
}

/// A folder that a killed process created may not be on the disk yet, and nothing shows that. So the next
/// process syncs it too.
#[test]
#[cfg(target_os = "linux")]
fn folders_created_by_a_killed_process_are_synced_too() {
    let ranch = ingested();
    let root = ranch.dir().canonicalize().unwrap().display().to_string();
    let make = |folder: &str| std::fs::create_dir_all(ranch.path(folder)).unwrap();
    make("out/manifests/creek");
    make("out/reports");
    make("components");
    let folders = ["", "/out", "/out/manifests", "/out/manifests/creek"];
    let monitor = [
        "monitor",
        "--all",
        "--end",
        "2025-06-30",
        "--fail-on",
        "never",
    ];
    for (args, folders) in [(&COMPUTE[..], &folders[..]), (&monitor, &folders[..2])] {
        let Some(calls) = Calls::of(&ranch, args) else {
            println!("not checked: the order of writes needs strace, and leave to use it");
            return;
        };
        // The WAL write that names the runs; an entry for the configuration precedes it.
        let logged = calls.last_write(calls.reported_at(), &|p| p.ends_with("ledger.db-wal"));
        for folder in folders {
            let folder = format!("{root}{folder}");
            assert!(
                calls.synced(0, logged, &|p| p == folder),
                "{args:?}: {folder}"
            );
        }
    }
    let ranch = Ranch::sample();
    ranch.edit(
        "provender.toml",
        "sqlite:out/ledger.db",
        "sqlite:out/a/b/ledger.db",
    );
    let root = ranch.dir().canonicalize().unwrap().display().to_string();
    std::fs::create_dir_all(ranch.path("out/a/b")).unwrap();
    let args = ["ingest", "--boundaries", "inputs/pastures.geojson"];
    let calls = Calls::of(&ranch, &args).unwrap();
    for folder in ["", "/out", "/out/a", "/out/a/b"] {
        let folder = format!("{root}{folder}");
        assert!(
            calls.synced(0, calls.reported_at(), &|p| p == folder),
            "{folder}"
        );
    }
}

/// A process killed between its commit and the end of the sync leaves a WAL that may not be on the disk.
/// Before another process reports the content as recorded, it has to sync it.
#[test]
#[cfg(target_os = "linux")]
fn what_others_left_in_the_wal_is_on_the_disk_before_it_is_reported() {
    let left = crate::crash_kit::with_wal_of_killed(&COMPUTE);
    for place in ["out", "elsewhere"] {
        let killed = crate::crash_kit::copy_of(&left);
        if place != "out" {
            // The WAL is beside the file, not beside the link to it.
            std::fs::create_dir(killed.path(place)).unwrap();
            for file in ["ledger.db", "ledger.db-wal"] {
                let (from, to) = (format!("out/{file}"), format!("{place}/{file}"));
                std::fs::rename(killed.path(&from), killed.path(&to)).unwrap();
            }
            let link = killed.path("out/ledger.db");
            std::os::unix::fs::symlink("../elsewhere/ledger.db", link).unwrap();
        }
        log_is_synced(&killed, place);
    }
}

#[cfg(target_os = "linux")]
fn log_is_synced(killed: &Ranch, place: &str) {
    let log = format!("{place}/ledger.db-wal");
    assert!(std::fs::metadata(killed.path(&log)).unwrap().len() > 0);
    // This reader keeps the WAL from being checkpointed, which would sync it too.
    let looks = crate::crash_kit::database(killed);
    let _: i64 = looks
        .query_row("SELECT count(*) FROM run", [], |r| r.get(0))
        .unwrap();
    let Some(calls) = Calls::of(killed, &COMPUTE) else {
        println!("not checked: the order of writes needs strace, and leave to use it");
        return;
    };
    let reported = calls.reported_at();
    let root = killed.dir().canonicalize().unwrap().display().to_string();
    for file in [log.as_str(), place] {
        let file = format!("{root}/{file}");
        assert!(calls.synced(0, reported, &|p| p == file), "{file}");
    }
}

/// Checks files that no run names: reports, pins, releases.
#[test]
#[cfg(target_os = "linux")]
fn what_other_verbs_report_as_written_is_on_the_disk() {
    let computed = ingested();
    let _ = computed.run(&COMPUTE).exits(0);
    // In this deployment no run names the version that gets other bytes.
    let pinning = ingested();
    let _ = crate::kit::variant_of(&pinning, "v2", "other");
    crate::kit::unpin(&pinning, "v2");
    std::fs::remove_file(pinning.path("components/days_remaining-v2.wasm")).unwrap();
    let add = ["plugin", "add", "other.wasm"];
    let freeze = ["plugin", "freeze", "days_remaining:v2"];
    let monitor = [
        "monitor",
        "--all",
        "--end",
        "2025-06-30",
        "--fail-on",
        "never",
    ];
    let cut = [
        "release",
        "cut",
        "--reason",
        "x",
        "--active",
        "days_remaining:v1",
    ];
    for (args, written) in [
        (&monitor[..], &["/reports/"; 3][..]),
        (&add, &["/components/", "/provender.lock"]),
        (&freeze, &["/provender.lock"]),
        // Three components and the document.
        (&cut, &["/releases/"; 4]),
    ] {
        let ranch = if args == monitor { &computed } else { &pinning };
        let Some(calls) = Calls::of(ranch, args) else {
            println!("not checked: the order of writes needs strace, and leave to use it");
            return;
        };
        let reported = calls.reported_at();
        let mut names = Vec::new();
        for call in &calls.0 {
            let What::Named(from, to) = &call.what else {
                continue;
            };
            if to.contains("/cache/") {
                continue;
            }
            names.push(to);
            let whole = calls.last_write(call.began, &|p| p == from);
            assert!(
                calls.synced(whole, call.began, &|p| p == from),
                "{args:?}: {from}"
            );
            let folder = to.rsplit_once('/').unwrap().0;
            let named = calls.synced(call.ended, reported, &|p| p == folder);
            assert!(named, "{args:?}: {folder} with {to}");
            calls.folders_are_known(to, reported);
        }
        let expected = written
            .iter()
            .zip(&names)
            .all(|(part, name)| name.contains(part));
        assert!(
            expected && names.len() == written.len(),
            "{args:?}: {names:?}"
        );
    }
}

/// Each connection reads the whole schema, and closing the last one deletes the WAL.
#[test]
#[cfg(target_os = "linux")]
fn one_run_uses_one_connection_and_leaves_no_wal() {
    let ranch = ingested();
    let args = [
        "compute",
        "--boundary",
        "creek",
        "--herd",
        "h-cows",
        "--as-of",
        "2025-06-30",
    ];
    let Some(trace) = traced(&ranch, &args, "openat,write") else {
        println!("not checked: how often the ledger is opened needs strace, and leave to use it");
        return;
    };
    assert!(trace.contains("1 recorded"), "{trace}");
    let opened = |name: &str| {
        let name = format!("/{name}\"");
        let of = |l: &&str| l.contains(" openat(") && l.contains(&name);
        trace.lines().filter(of).count()
    };
    assert_eq!(opened("ledger.db"), 1, "{trace}");
    assert_eq!(opened("ledger.db-wal"), 1, "{trace}");
    for left in ["out/ledger.db-wal", "out/ledger.db-shm"] {
        assert!(!ranch.path(left).exists(), "{left}");
    }
}
