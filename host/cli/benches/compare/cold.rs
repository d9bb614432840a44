//! A cold run: a whole process each time, with a warm compile cache. It is compared with a program that opens
//! SQLite, inserts one row and writes one file, all synced.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use super::Scale;
use super::deploy::{Deployment, ended};
use super::measure::in_turns;
use super::synthetic::day;
use super::table::{Figure, Row, Target};

/// The argument that makes this program the tiny one.
pub(crate) const TINY: &str = "--tiny-program";

/// The rows of the table about cold starts.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let what = "one cold `compute` of one run, whole process, compiled cache warm";
    let target = Target::AtMost(2.0);
    let (measured, beside) = match measured(scale) {
        Ok(both) => both,
        Err(reason) => return vec![Row::not_run("cold", what, target, reason)],
    };
    let row = Row {
        id: "cold".to_owned(),
        what: what.to_owned(),
        unit: "ms",
        size: 1,
        measured: Ok(measured),
        beside: Some(beside),
        target,
    };
    let itself = Row {
        id: "cold-itself".to_owned(),
        what: "the same, by the clock".to_owned(),
        beside: None,
        target: Target::Value(25.0),
        ..row.clone()
    };
    vec![row, itself]
}

fn measured(scale: &Scale) -> Result<(Figure, Figure), String> {
    let plan = scale.plan(false);
    let deployment = Deployment::make(&scale.folder("cold")?, plan.small(scale.cold_rounds + 2))?;
    deployment.run(&["ingest"])?;
    let tiny = scale.folder("tiny")?;
    std::fs::create_dir_all(&tiny).map_err(|e| format!("{}: {e}", tiny.display()))?;
    let mut next = 0;
    let mut cold = || {
        // Another day each time, because a recorded run would not be computed again.
        let as_of = day(next).to_string();
        next += 1;
        let run = [
            "compute",
            "--boundary",
            "p00000",
            "--herd",
            "h00000",
            "--as-of",
            &as_of,
        ];
        deployment.run(&run)
    };
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut floor = || {
        let mut command = Command::new(&this);
        ended(command.arg(TINY).arg(&tiny), None)
    };
    let [cold, floor] = in_turns(scale.cold_rounds, [&mut cold, &mut floor])?;
    Ok((
        Figure::of_times("compute", &cold, 1e-3),
        Figure::of_times("the tiny program", &floor, 1e-3),
    ))
}

/// What the tiny program does.
///
/// # Errors
/// When SQLite or the file system refuses.
pub(crate) fn tiny(folder: &Path) -> Result<(), String> {
    let sql = |e: rusqlite::Error| e.to_string();
    let io = |e: std::io::Error| e.to_string();
    let db = Connection::open(folder.join("tiny.db")).map_err(sql)?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(sql)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(sql)?;
    let table = "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, outputs TEXT NOT NULL)";
    db.execute(table, []).map_err(sql)?;
    db.execute("INSERT INTO run (outputs) VALUES ('[1.5,null]')", [])
        .map_err(sql)?;
    let name = folder.join(format!("{}.json", db.last_insert_rowid()));
    let mut file = std::fs::File::create(name).map_err(io)?;
    file.write_all(&[b'x'; 4_096]).map_err(io)?;
    file.sync_all().map_err(io)?;
    std::fs::File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(io)
}
