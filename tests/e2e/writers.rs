//! Many processes at once: every key exactly once, nobody hears of a lock, nobody who reads waits.

use std::time::{Duration, Instant};

use crate::crash_kit::{Held, copy_of, database, ingested, sound, tidy};
use crate::kit::Ranch;

#[test]
fn eight_processes_over_overlapping_ranges_record_every_key_once() {
    let prepared = ingested();
    let alone = copy_of(&prepared);
    let started = Instant::now();
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
    let one = started.elapsed();
    let reference = Held::by(&alone);
    let started = Instant::now();
    let (mut recorded, mut reads) = (0, 0);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|n| {
                let ranch = &prepared;
                scope.spawn(move || {
                    // 1 to 15 June, 3 to 17, … 15 to 30: every day is asked for by several.
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
            let _ = prepared.run(&["list"]).exits(0);
            reads += 1;
        }
        for writer in writers {
            recorded += writer.join().unwrap();
        }
    });
    let all = started.elapsed();
    println!("alone {one:.1?}, eight {all:.1?}, {reads} reads meanwhile");
    assert_eq!(recorded as usize, reference.runs.len());
    Held::by(&prepared).must_be(&reference, "eight writers");
    sound(&prepared, "eight writers");
    tidy(&prepared, "eight writers");
    // Eight times the components are loaded and half the keys are looked up in vain; nobody waits for
    // a lock's time-out of a minute.
    assert!(
        all < one * 16 + Duration::from_secs(20),
        "{all:?} where one takes {one:?}"
    );
    assert!(reads > 0);
}

#[test]
fn eight_processes_make_one_ledger() {
    let ranch = Ranch::sample();
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
    Held::by(&ranch).must_be(&Held::by(&alone), "eight ingests");
}

#[test]
fn who_reads_does_not_wait_for_who_writes() {
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
    let writer = database(&ranch);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    for args in [
        &["list"][..],
        &[
            "explain",
            "--boundary",
            "creek",
            "--herd",
            "h-cows",
            "--as-of",
            "2025-06-30",
        ],
        &["status", "--as-of", "2025-06-30"],
        &monitor,
        &["features"],
        &["audit"],
        &["release", "history"],
        &["compute", "--all", "--as-of", "2025-06-30"],
    ] {
        let _ = ranch.run(args).exits(0);
    }
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
    writer.execute_batch("ROLLBACK").unwrap();
}
