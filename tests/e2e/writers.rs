//! Many processes at once: every key exactly once, no error about a lock, and readers never wait.

use crate::crash_kit::{DeploymentContent, copy_of, database, ingested, sound, tidy};
use crate::kit::Ranch;
use crate::measured::measured;

/// Makes waits for a lock longer than any test. A process that must not wait but does is then detected on the
/// busiest machine, and one that may wait never gives up.
pub(crate) fn patient(ranch: &Ranch) {
    ranch.edit(
        "provender.toml",
        "[ledger]",
        "[ledger]\nbusy_seconds = 7200",
    );
}

#[test]
fn eight_processes_over_overlapping_ranges_record_every_key_once() {
    let prepared = ingested();
    // Something to read from the start.
    let first = [
        "--boundary",
        "home",
        "--herd",
        "h-bulls",
        "--as-of",
        "2025-05-31",
    ];
    let _ = prepared
        .run(&[["compute"].as_slice(), &first].concat())
        .exits(0);
    let before = DeploymentContent::of(&prepared).runs.len();
    let readers: [&[&str]; 4] = [
        &["list"],
        &[
            ["explain"].as_slice(),
            &first[..],
            &["--logic", "days_remaining:v2"],
        ]
        .concat(),
        &JUDGE,
        &["audit"],
    ];
    patient(&prepared);
    let alone = copy_of(&prepared);
    let _ = alone
        .run(&[
            "compute",
            "--all",
            "--from",
            "2025-06-01",
            "--to",
            "2025-06-30",
        ])
        .exits(0);
    let reference = DeploymentContent::of(&alone);
    let (mut recorded, mut reads) = (0, 0);
    std::thread::scope(|scope| {
        // Holds back all writers, so that each reader runs beside all of them. Inside the scope, so that the
        // writers continue if a reader fails.
        let first = database(&prepared);
        first.execute_batch("BEGIN IMMEDIATE").unwrap();
        let writers: Vec<_> = (0..8)
            .map(|n| {
                let ranch = &prepared;
                scope.spawn(move || {
                    // 1 to 15 June, 3 to 17, … 15 to 30: several writers compute every day.
                    let (from, to) = (1 + 2 * n, if n == 7 { 30 } else { 15 + 2 * n });
                    let days = [format!("2025-06-{from:02}"), format!("2025-06-{to:02}")];
                    let args = [
                        "compute", "--all", "--from", &days[0], "--to", &days[1], "--json",
                    ];
                    let ran = ranch.run(&args).exits(0);
                    assert!(!ran.stderr.contains("lock"), "{}", ran.stderr);
                    ran.json()["data"]["summary"]["recorded"].as_u64().unwrap()
                })
            })
            .collect();
        while writers.iter().any(|w| !w.is_finished()) {
            // In rotation, so that each reader meets every phase of the writers.
            let ran = prepared.run(readers[reads % readers.len()]).exits(0);
            assert!(!ran.stderr.contains("lock"), "{}", ran.stderr);
            reads += 1;
            if reads == readers.len() {
                assert!(writers.iter().all(|w| !w.is_finished()));
                first.execute_batch("ROLLBACK").unwrap();
            }
        }
        for writer in writers {
            recorded += writer.join().unwrap();
        }
    });
    println!("{reads} reads meanwhile");
    assert_eq!(recorded as usize + before, reference.runs.len());
    DeploymentContent::of(&prepared).must_equal(&reference, "eight writers");
    sound(&prepared, "eight writers");
    tidy(&prepared, "eight writers");
}

#[test]
fn eight_processes_create_one_ledger() {
    let ranch = Ranch::sample();
    patient(&ranch);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let ran = ranch.run(&["ingest"]).exits(0);
                assert!(!ran.stderr.contains("lock"), "{}", ran.stderr);
            });
        }
    });
    sound(&ranch, "eight ingests");
    let alone = ingested();
    DeploymentContent::of(&ranch).must_equal(&DeploymentContent::of(&alone), "eight ingests");
}

#[test]
#[cfg(debug_assertions)]
fn no_writer_waits_for_an_audit() {
    let ranch = Ranch::ran();
    // The audit is held until the writers have ended. A writer that waits for it would give up.
    ranch.edit("provender.toml", "[ledger]", "[ledger]\nbusy_seconds = 1");
    let mut audit =
        crate::backup::HeldCommand::at(&ranch, "audit.before-runs", &["audit", "--json"]);
    let day = ["compute", "--all", "--as-of", "2025-06-29"];
    assert_eq!(ranch.data(&day, 0)["summary"]["recorded"], 9);
    let _ = ranch
        .run(&[
            "ingest",
            "retract",
            "inputs/soil_moisture.csv",
            "--reason",
            "x",
        ])
        .exits(0);
    assert!(audit.waits(), "the audit did not last");
    let data = audit.go_on(&ranch).exits(0).json()["data"].clone();
    // The audit shows the moment at which it started.
    assert_eq!(data["checked"]["runs"], 9, "{data}");
    assert_eq!(ranch.data(&["audit"], 0)["checked"]["runs"], 18);
}

#[test]
fn readers_do_not_wait_for_a_writer() {
    let ranch = Ranch::ran();
    let monitor = [
        "monitor",
        "--all",
        "--end",
        "2025-06-30",
        "--fail-on",
        "never",
    ];
    let _ = ranch.run(&monitor).exits(0);
    let place = [
        "--boundary",
        "creek",
        "--herd",
        "h-cows",
        "--as-of",
        "2025-06-30",
    ];
    let list = ranch.data(&[["list"].as_slice(), &place].concat(), 0);
    let id = list["answers"][0]["run"]["run_id"].as_str().unwrap();
    let explain = [["explain"].as_slice(), &place].concat();
    patient(&ranch);
    let writer = database(&ranch);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Written but not yet committed.
    writer
        .execute_batch(
            "INSERT INTO stream (boundary_id, column_name, source) VALUES ('x', 'y', 'z')",
        )
        .unwrap();
    for args in [
        &["list"][..],
        &explain,
        &["explain", id],
        &["explain", id, "--bundle", "run.tar"],
        &["status", "--as-of", "2025-06-30"],
        &monitor,
        &JUDGE,
        &["monitor", "report"],
        &["features"],
        &["audit"],
        &["audit", "checkpoint"],
        &["audit", "prove", id],
        &["replay", "--all", "--ledger", "out/ledger.db"],
        &["manifest", "show", id],
        &["release", "history"],
        &["backup", "copy"],
        &["compute", "--all", "--as-of", "2025-06-30"],
        &["compute", "--all", "--as-of", "2025-06-29", "--dry-run"],
    ] {
        // A reader that waits is killed.
        let (ran, _) = measured(&ranch, args);
        let _ = ran.exits(0);
    }
    // A writer does wait, because this is a lock.
    ranch.edit("provender.toml", "busy_seconds = 7200", "busy_seconds = 1");
    let compute = ["compute", "--all", "--as-of", "2025-06-29"];
    let _ = ranch.run(&compute).exits(75);
    writer.execute_batch("ROLLBACK").unwrap();
    let _ = ranch.run(&compute).exits(0);
}

/// A report that is not recorded.
const JUDGE: [&str; 8] = [
    "monitor",
    "--all",
    "--end",
    "2025-06-30",
    "--fail-on",
    "never",
    "--ledger",
    "out/ledger.db",
];
