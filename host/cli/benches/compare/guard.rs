//! What the guard triggers cost: the same rows inserted with and without them, in a ledger of the newest
//! schema, by one prepared statement, in transactions that are synced.

use std::path::Path;
use std::time::Duration;

use provender_ledger::{Address, Opening, open};
use rusqlite::{Connection, params};

use super::Scale;
use super::measure::{in_turns, time};
use super::synthetic::{FIRST_DAY, Random};
use super::table::{Figure, Row, Target};

/// Rows of a transaction.
const CHUNK: usize = 10_000;
/// Days of a series.
const DAYS: usize = 1_000;
/// What a run of `days_remaining:v2` gives.
const OUTPUTS: &str = r#"[41.2,"2025-06-01","standing",612.4,0.5,306.2,123456.7,2999.1,12,null]"#;

/// The rows of the table about the guard.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let what = "the guard triggers: runs inserted into the ledger";
    let target = Target::AtMost(1.5);
    vec![match measured(scale) {
        Ok((with, without)) => Row {
            id: "guard".to_owned(),
            what: what.to_owned(),
            unit: "µs a row",
            size: scale.rows,
            measured: Ok(with),
            beside: Some(without),
            target,
        },
        Err(reason) => Row::not_run("guard", what, target, reason),
    }]
}

fn measured(scale: &Scale) -> Result<(Figure, Figure), String> {
    let folder = scale.folder("guard")?;
    let mut guarded = || inserted(&folder.join("with.db"), scale.rows, true);
    let mut bare = || inserted(&folder.join("without.db"), scale.rows, false);
    let [with, without] = in_turns(scale.rounds, [&mut guarded, &mut bare])?;
    let per = 1e-6 * scale.rows as f64;
    Ok((
        Figure::of_times("with the triggers", &with, per),
        Figure::of_times("without them", &without, per),
    ))
}

fn inserted(path: &Path, rows: usize, guarded: bool) -> Result<f64, String> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // Missing the first time.
        let _ = std::fs::remove_file(name);
    }
    let ledger = open(&Address::from_path(path), Opening::Create, Duration::ZERO);
    drop(ledger.map_err(|e| e.to_string())?);
    let text = |e: rusqlite::Error| e.to_string();
    let mut db = Connection::open(path).map_err(text)?;
    db.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;
         INSERT INTO entry VALUES (1, '2025-01-01T00:00:00Z', 'runs', 'bench', NULL, '{}', zeroblob(32), randomblob(32));
         INSERT INTO config VALUES (1, zeroblob(32), '{}');",
    )
    .map_err(text)?;
    for series in 1..=rows.div_ceil(DAYS) {
        let place = format!("p{series:05}");
        let sql = "INSERT INTO series VALUES (?, ?, 'h', 'days_remaining:v2', 1, 0)";
        db.execute(sql, params![series as i64, place])
            .map_err(text)?;
    }
    if !guarded {
        db.execute_batch("DROP TRIGGER run_guard").map_err(text)?;
    }
    let mut random = Random::new(11);
    let digests: Vec<[u8; 32]> = (0..3 * 1_024)
        .map(|_| std::array::from_fn(|_| random.bits() as u8))
        .collect();
    let (done, seconds) = time(|| {
        (0..rows).step_by(CHUNK).try_for_each(|from| {
            let tx = db.transaction()?;
            {
                let mut insert = tx.prepare_cached(
                    "INSERT INTO run (series_id, date, entry, provenance, snapshot, manifest, guardrail, replaces, outputs)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )?;
                for row in from..rows.min(from + CHUNK) {
                    let digest = |n: usize| &digests[(3 * row + n) % digests.len()];
                    insert.execute(params![
                        (row / DAYS + 1) as i64,
                        FIRST_DAY + (row % DAYS) as i32,
                        1,
                        digest(0),
                        digest(1),
                        digest(2),
                        0,
                        None::<i64>,
                        OUTPUTS,
                    ])?;
                }
            }
            tx.commit()
        })
    });
    done.map_err(text)?;
    Ok(seconds)
}
