//! Deployments that older programs wrote: the first writer migrates the ledger, once, after making a whole
//! copy, whenever it is killed. Everything recorded can still be audited, explained and replayed.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;

use crate::crash_kit::{DeploymentContent, copy_of, sound, tidy};
use crate::kit::Ranch;

/// The number of runs and entries in each of them.
const RUNS: usize = 7;
const ENTRIES: i64 = 12;
const NEWEST: i64 = 4;
const OLDER: [(i64, &[u8]); 3] = [
    (1, include_bytes!("../fixtures/deployment-schema-1.tar")),
    (2, include_bytes!("../fixtures/deployment-schema-2.tar")),
    (3, include_bytes!("../fixtures/deployment-schema-3.tar")),
];
const WRITERS: [&[&str]; 3] = [
    &["compute", "--boundary", "mesa", "--as-of", "2025-06-29"],
    &["ingest"],
    &[
        "monitor",
        "--all",
        "--end",
        "2025-06-29",
        "--fail-on",
        "never",
    ],
];

/// The sample with the ledger and the manifests that a program of that time recorded.
fn deployment(bytes: &[u8]) -> Ranch {
    let ranch = Ranch::sample();
    ranch.edit(
        "provender.toml",
        "active = [\"days_remaining:v2\", \"frost_days:v1\"]",
        "active = [\"days_remaining:v1\"]",
    );
    tar::Archive::new(bytes).unpack(ranch.dir()).unwrap();
    ranch
}

/// The result of a query, without changing the database.
fn query_copy(file: &Path, sql: &str) -> i64 {
    // SQLite creates a file to read a database with a WAL, so query a copy.
    let temp = tempfile::tempdir().unwrap();
    for end in ["", "-wal"] {
        let from = format!("{}{end}", file.display());
        if Path::new(&from).exists() {
            let to = temp.path().join(format!("x.db{end}"));
            std::fs::copy(from, to).unwrap();
        }
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let db = Connection::open_with_flags(temp.path().join("x.db"), flags).unwrap();
    let check: String = db
        .query_row("PRAGMA integrity_check", [], |r| r.get(0))
        .unwrap();
    assert_eq!(check, "ok", "{}", file.display());
    db.query_row(sql, [], |r| r.get(0)).unwrap()
}

fn schema_of(file: &Path) -> i64 {
    query_copy(file, "PRAGMA user_version")
}

/// Asserts that the ledger was migrated, with a copy of the old one, and that no other file is left.
fn assert_migrated(ranch: &Ranch, schema: i64, when: &str) {
    assert_eq!(schema_of(&ranch.path("out/ledger.db")), NEWEST, "{when}");
    let copy = ranch.path(&format!("out/ledger.db.schema-{schema}"));
    assert_eq!(schema_of(&copy), schema, "{when}");
    let entries = query_copy(&copy, "SELECT count(*) FROM entry");
    assert_eq!(
        entries, ENTRIES,
        "{when}: the copy is of the ledger as it was"
    );
    let beside: Vec<String> = std::fs::read_dir(ranch.path("out"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("ledger.db."))
        .collect();
    assert_eq!(beside, [format!("ledger.db.schema-{schema}")], "{when}");
    tidy(ranch, when);
    sound(ranch, when);
}

/// Every recorded run, as `list` prints it.
fn runs(ranch: &Ranch, more: &[&str]) -> Vec<Json> {
    let args = [&["list", "--all-versions"], more].concat();
    ranch.data(&args, 0)["answers"].as_array().unwrap().clone()
}

#[test]
fn the_first_writer_migrates_the_ledger_and_all_of_it_stays_valid() {
    for (schema, bytes) in OLDER {
        for writer in WRITERS {
            let when = format!("schema {schema}, {writer:?}");
            let ranch = deployment(bytes);
            let recorded = ranch.files("out/manifests");
            let _ = ranch.run(writer).exits(0);
            assert_migrated(&ranch, schema, &when);
            let copy = format!("out/ledger.db.schema-{schema}");
            let of_copy = ["--ledger", copy.as_str()];
            let old = runs(&ranch, &of_copy);
            let new = runs(&ranch, &[]);
            assert!(old.iter().all(|run| new.contains(run)), "{when}: {new:?}");
            for answer in &old {
                let id = answer["run"]["run_id"].as_str().unwrap();
                let explain = ["explain", id];
                let explained = ranch.data(&explain, 0);
                let before = ranch.data(&[explain.as_slice(), &of_copy].concat(), 0);
                // Everything except what became known later: `ingest` has added facts.
                for part in [
                    "run",
                    "arithmetic",
                    "inputs",
                    "config",
                    "environment",
                    "recorded",
                ] {
                    assert!(!explained[part].is_null(), "{when}: {part}: {explained}");
                    assert_eq!(explained[part], before[part], "{when}: {part}");
                }
            }
            let more = ranch.files("out/manifests");
            assert!(recorded.iter().all(|file| more.contains(file)), "{when}");
            let replayed = ranch.data(&["replay", "--all"], 0);
            let added = usize::from(writer[0] == "compute");
            assert_eq!(replayed["identical"], RUNS + added, "{when}: {replayed}");
            let _ = ranch.run(&["audit"]).exits(0);
            // The copy can be audited too, with the manifests of its time.
            let audit = ["audit", "--ledger", &copy];
            let audited = ranch.data(&audit, 0);
            assert_eq!(audited["checked"]["runs"], RUNS, "{when}: {audited}");
            assert_eq!(schema_of(&ranch.path(&copy)), schema, "{when}");
        }
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_kill_at_any_step_of_a_migration_leaves_the_old_ledger_and_the_next_cleans_up() {
    for (schema, bytes) in OLDER {
        let prepared = deployment(bytes);
        let undisturbed = copy_of(&prepared);
        let _ = undisturbed.run(WRITERS[0]).exits(0);
        let reference = DeploymentContent::of(&undisturbed);
        for (point, partial, copied) in [
            ("copy.half#1", true, false),
            ("copy.before-name", true, false),
            ("copy.after-name", false, true),
            ("ledger.before-commit#1", false, true),
            ("ledger.after-commit#1", false, true),
        ] {
            let when = format!("schema {schema}, killed at {point}");
            let ranch = copy_of(&prepared);
            ranch.killed_at(point, WRITERS[0]);
            let led = point.starts_with("ledger.after");
            let now = schema_of(&ranch.path("out/ledger.db"));
            assert_eq!(now, if led { NEWEST } else { schema }, "{when}");
            let copy = format!("out/ledger.db.schema-{schema}");
            let left = ranch.path(&format!("{copy}.tmp")).exists();
            assert_eq!(left, partial, "{when}");
            assert_eq!(ranch.path(&copy).exists(), copied, "{when}");
            if copied {
                assert_eq!(schema_of(&ranch.path(&copy)), schema, "{when}");
            }
            let _ = ranch.run(WRITERS[0]).exits(0);
            assert_migrated(&ranch, schema, &when);
            DeploymentContent::of(&ranch).must_equal(&reference, &when);
        }
    }
}

#[test]
fn six_processes_that_open_an_old_ledger_together_migrate_it_once() {
    for (schema, bytes) in OLDER {
        let when = format!("schema {schema}");
        let ranch = deployment(bytes);
        crate::writers::patient(&ranch);
        let mesa = ["compute", "--boundary", "mesa", "--as-of", "2025-06-28"];
        let home = ["compute", "--boundary", "home", "--as-of", "2025-06-28"];
        let verbs: [&[&str]; 6] = [WRITERS[0], WRITERS[1], WRITERS[2], &mesa, &home, WRITERS[0]];
        std::thread::scope(|scope| {
            for verb in verbs {
                let ranch = &ranch;
                scope.spawn(move || {
                    let ran = ranch.run(verb).exits(0);
                    assert!(!ran.stderr.contains("lock"), "{verb:?}: {}", ran.stderr);
                });
            }
        });
        assert_migrated(&ranch, schema, &when);
        let replayed = ranch.data(&["replay", "--all"], 0);
        assert_eq!(replayed["identical"], RUNS + 3, "{when}: {replayed}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_without_room_for_the_copy_is_74_and_leaves_the_ledger_unchanged() {
    if !crate::disks::may_mount() {
        return;
    }
    for (schema, bytes) in OLDER {
        let ranch = deployment(bytes);
        std::fs::remove_dir_all(ranch.path("out/cache")).unwrap();
        // Room for the ledger's WAL, but not for a second ledger.
        let script = r#"
            cp -r out kept && mount -t tmpfs -o size=256k none out && cp -r kept/* out/ || exit 99
            "$0" "$@"; full=$?
            find out -name '*.tmp*' | grep . >&2 && exit 98
            find out -name '*.schema-*' | grep . >&2 && exit 97
            mount -o remount,size=64m out
            "$0" compute --boundary mesa --as-of 2025-06-29 --quiet || exit 96
            "$0" audit --quiet || exit 95
            exit $full
        "#;
        let args = [WRITERS[0], &["--json"]].concat();
        let ran = crate::disks::below(&ranch, &crate::disks::NAMESPACE, script, &args);
        assert_eq!(
            ran.code, 74,
            "schema {schema}: {}{}",
            ran.stdout, ran.stderr
        );
        let (code, message) = crate::disks::error(&ran);
        assert_eq!(code, "ledger_io", "schema {schema}: {message}");
    }
}

/// An audit changes nothing in a ledger, not even its schema.
#[test]
fn an_audit_does_not_migrate_an_older_ledger() {
    for (schema, bytes) in OLDER {
        let ranch = deployment(bytes);
        let ledger = ranch.path("out/ledger.db");
        let before = std::fs::read(&ledger).unwrap();
        for args in [&["audit"][..], &["audit", "checkpoint"]] {
            let _ = ranch.run(args).exits(0);
        }
        assert!(std::fs::read(&ledger).unwrap() == before, "schema {schema}");
        assert!(
            !ranch
                .path(&format!("out/ledger.db.schema-{schema}"))
                .exists()
        );
        let _ = ranch.run(&["list"]).exits(0);
        assert_eq!(schema_of(&ledger), NEWEST);
    }
}
