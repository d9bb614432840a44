//! Power loss: the order in which things reach the disk, read from the system calls.

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
    // The folder of manifests and that of a boundary, for each.
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
    // One pack of each of two logics, in folders that are new to the first.
    let (names, folders) = calls.are_in_order("/manifests/packs/");
    assert_eq!((names, folders), (2, 4));
}

/// A ledger, its folder, and what `ingest` has told of it.
#[test]
#[cfg(target_os = "linux")]
fn what_a_first_ingest_reports_is_on_the_disk() {
    let ranch = Ranch::sample();
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
    let told = calls.told();
    let log = |p: &str| p.ends_with("ledger.db-wal");
    assert!(calls.synced(calls.last_write(told, &log), told, &log));
    let root = ranch.dir().canonicalize().unwrap().display().to_string();
    let mut above = root.clone();
    for name in ["out", "a", "b"] {
        let folder = format!("{above}/{name}");
        let made = |c: &&Call| c.what == What::Made(folder.clone());
        let made = calls.0.iter().find(made).unwrap().ended;
        assert!(
            calls.synced(made, told, &|p| p == above),
            "{above} with {folder}"
        );
        above = folder;
    }
    // The ledger's own name, and that of its log.
    assert!(calls.synced(0, told, &|p| p == above), "{above}");
}

/// Files that no run names: reports, pins, releases.
#[test]
#[cfg(target_os = "linux")]
fn what_other_verbs_report_as_written_is_on_the_disk() {
    let computed = ingested();
    let _ = computed.run(&COMPUTE).exits(0);
    // In which no run names the version that gets other bytes.
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
        let told = calls.told();
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
            let named = calls.synced(call.ended, told, &|p| p == folder);
            assert!(named, "{args:?}: {folder} with {to}");
            calls.folders_are_known(to, told);
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

/// Each connection reads the whole schema anew, and the last one that closes takes the log away.
#[test]
#[cfg(target_os = "linux")]
fn one_run_takes_one_connection_and_leaves_no_log() {
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
