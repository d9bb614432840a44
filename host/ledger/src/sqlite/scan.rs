//! Every run, read by several threads side by side, those of one entry's packs together.
//!
//! The table has its rows by series and day. Asked by pack, SQLite would sort the keys of all runs and look
//! each of them up again. So the table is passed over once for its *stretches*, rows one after the other whose
//! manifests are in one pack; a pack's stretches are then read as they stand. Where places were computed
//! in bulk a pack is a stretch or a few, where every day was computed by itself each run is one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::{Row, Statement};

use crate::LedgerError;
use crate::types::{Guardrail, NewRun};
use provender_domain::canonical::{Digest, Recipe};
use provender_domain::key::{ConfigVersion, Place, RunKey};

use super::SqliteLedger;
use super::inspect::{Unreadable, named};
use super::open::translate;
use super::rows::{day, digest, version};

/// Runs with a manifest of their own that are handed over at once.
const CHUNK: u64 = 500;
/// Most runs that are read at once, unless they are of one pack: more than an entry's packs have.
const MOST: u64 = 65_536;
/// Columns of a run's key.
const KEY: [&str; 2] = ["series_id", "date"];

const RUNS: &str = "SELECT series_id, date, entry, provenance, snapshot, manifest, guardrail, replaces, outputs, pack, place
  FROM run WHERE (series_id, date) >= (?1, ?2) AND (series_id, date) <= (?3, ?4)";

/// A run with the number of its series and its entry's.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Number of its series.
    pub series: i64,
    /// Number of its entry.
    pub entry: i64,
    /// The run.
    pub run: NewRun,
}

/// Runs one after the other, from the first to the last, by series and day. There may be as many as runs:
/// whoever computes every day by itself has one a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    /// The entry of their pack and its number; [`NONE`] where they have none.
    pack: (i64, i64),
    first: (i64, i32),
    last: (i64, i32),
    rows: u32,
}

/// No pack: before all others.
const NONE: (i64, i64) = (i64::MIN, i64::MIN);

/// What the runs of a series share of their key.
struct Shared {
    boundary_id: String,
    herd_config_id: String,
    model_version: String,
    version: ConfigVersion,
}

impl Shared {
    /// Whether both are of one place and logic.
    fn is_beside(&self, other: &Shared) -> bool {
        self.boundary_id == other.boundary_id
            && self.herd_config_id == other.herd_config_id
            && self.model_version == other.model_version
    }
}

/// What every reader knows.
struct Plan {
    stretches: Vec<Stretch>,
    /// Stretches that are read at once: their places in the list, end by end.
    ends: Vec<usize>,
    next: AtomicUsize,
    series: HashMap<i64, Result<Shared, String>>,
    packs: HashMap<i64, Pack>,
}

/// A pack and the entry that recorded it.
#[derive(Clone, Copy)]
struct Pack {
    digest: Digest,
    entry: i64,
}

/// A scan: who reads, and what is known before.
pub struct Scan {
    /// One for each thread.
    pub readers: Vec<Reader>,
    /// How many runs there are.
    pub runs: u64,
    /// Rows that no reader will come to, since their key cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// Runs that are read at once.
#[derive(Debug, Default)]
pub struct Runs {
    /// Those in the packs of one entry, by pack and row, or some that have a manifest of their own.
    pub runs: Vec<Stored>,
    /// Rows among them that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// Reads runs that no other reader reads.
pub struct Reader {
    ledger: SqliteLedger,
    plan: Arc<Plan>,
}

fn told(e: &dyn std::fmt::Display) -> String {
    format!("the row is not of the form that is recorded: {e}")
}

impl Scan {
    /// A scan by these readers, which see one moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn begin(readers: Vec<SqliteLedger>) -> Result<Scan, LedgerError> {
        let Some(first) = readers.first() else {
            return Err(LedgerError::Damaged("nobody reads it".to_owned()));
        };
        let series = series(first)?;
        let packs = packs(first)?;
        let parts = parts(&series, readers.len());
        let passed: Vec<Result<Pass, LedgerError>> = std::thread::scope(|scope| {
            let packs = &packs;
            let passing: Vec<_> = std::iter::zip(readers, parts)
                .map(|(reader, part)| scope.spawn(move || pass(reader, packs, part)))
                .collect();
            passing
                .into_iter()
                .map(|thread| match thread.join() {
                    Ok(pass) => pass,
                    // A panic of a thread is a defect of this program and goes on as one.
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        });
        let (mut ledgers, mut stretches, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for pass in passed {
            let pass = pass?;
            ledgers.push(pass.ledger);
            stretches.extend(pass.stretches);
            unreadable.extend(pass.unreadable);
        }
        let runs = stretches.iter().map(|s| u64::from(s.rows)).sum();
        // Those without a pack come first; within one pack the order of the table is kept.
        stretches.sort_unstable_by_key(|s| (s.pack, s.first));
        let plan = Arc::new(Plan {
            ends: ends(&stretches),
            stretches,
            next: AtomicUsize::new(0),
            series,
            packs,
        });
        let reader = |ledger| Reader {
            ledger,
            plan: Arc::clone(&plan),
        };
        Ok(Scan {
            readers: ledgers.into_iter().map(reader).collect(),
            runs,
            unreadable,
        })
    }
}

fn series(ledger: &SqliteLedger) -> Result<HashMap<i64, Result<Shared, String>>, LedgerError> {
    let sql =
        "SELECT s.series_id, s.boundary_id, s.herd_config_id, s.model_version, c.digest, s.reissue
      FROM series s LEFT JOIN config c ON c.config_id = s.config_id";
    let shared = |r: &Row<'_>| -> Result<Shared, String> {
        let read =
            || -> rusqlite::Result<_> { Ok((r.get(1)?, r.get(2)?, r.get(3)?, version(r, 4, 5)?)) };
        let (boundary_id, herd_config_id, model_version, version) =
            read().map_err(|e| format!("its series is not of the form that is recorded: {e}"))?;
        Ok(Shared {
            boundary_id,
            herd_config_id,
            model_version,
            version: version.ok_or("its configuration is not there")?,
        })
    };
    let mut statement = ledger.db.prepare(sql).map_err(translate)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, shared(r))));
    let rows = rows.map_err(translate)?.collect::<Result<_, _>>();
    rows.map_err(translate)
}

fn packs(ledger: &SqliteLedger) -> Result<HashMap<i64, Pack>, LedgerError> {
    let mut statement = ledger
        .db
        .prepare("SELECT pack_id, digest, entry FROM pack")
        .map_err(translate)?;
    // What is no digest is told by who looks at the packs; a run that names it has none.
    let pack = |r: &Row<'_>| -> rusqlite::Result<Pack> {
        Ok(Pack {
            digest: digest(r, 1, Recipe::Raw)?,
            entry: r.get(2)?,
        })
    };
    let rows = statement.query_map([], |r| Ok((r.get(0)?, pack(r).ok())));
    let rows: Vec<(i64, Option<Pack>)> = rows
        .map_err(translate)?
        .collect::<Result<_, _>>()
        .map_err(translate)?;
    let known = rows.into_iter().filter_map(|(id, pack)| Some((id, pack?)));
    Ok(known.collect())
}

/// From which number of a series on, and below which: about as many series for each of so many readers,
/// and no number outside of all parts.
fn parts(series: &HashMap<i64, Result<Shared, String>>, count: usize) -> Vec<(i64, Option<i64>)> {
    let mut numbers: Vec<i64> = series.keys().copied().collect();
    numbers.sort_unstable();
    let begin = |n: usize| match n {
        0 => Some(i64::MIN),
        // More readers than series: the last ones have nothing.
        n => numbers.get(n * numbers.len().div_ceil(count)).copied(),
    };
    (0..count)
        .map(|n| match begin(n) {
            Some(from) => (from, begin(n + 1).filter(|_| n + 1 < count)),
            None => (i64::MAX, Some(i64::MAX)),
        })
        .collect()
}

struct Pass {
    ledger: SqliteLedger,
    stretches: Vec<Stretch>,
    unreadable: Vec<Unreadable>,
}

/// The stretches of a part of the table.
fn pass(
    ledger: SqliteLedger,
    packs: &HashMap<i64, Pack>,
    (from, below): (i64, Option<i64>),
) -> Result<Pass, LedgerError> {
    let sql = match below {
        Some(below) => format!(
            "SELECT series_id, date, pack FROM run WHERE series_id >= {from} AND series_id < {below} ORDER BY series_id, date"
        ),
        None => format!(
            "SELECT series_id, date, pack FROM run WHERE series_id >= {from} ORDER BY series_id, date"
        ),
    };
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut unreadable = Vec::new();
    {
        let mut statement = ledger.db.prepare(&sql).map_err(translate)?;
        let mut rows = statement.query([]).map_err(translate)?;
        let mut open: Option<Stretch> = None;
        while let Some(r) = rows.next().map_err(translate)? {
            let read = || -> rusqlite::Result<((i64, i32), Option<i64>)> {
                Ok(((r.get(0)?, r.get(1)?), r.get(2)?))
            };
            let (at, pack) = match read() {
                Ok(read) => read,
                Err(e) => {
                    // A stretch that went on behind it would come to it again.
                    stretches.extend(open.take());
                    unreadable.push(Unreadable {
                        id: named(r, &KEY),
                        problem: told(&e),
                    });
                    continue;
                }
            };
            let pack = match pack {
                None => NONE,
                Some(pack) if open.as_ref().is_some_and(|s| s.pack.1 == pack) => {
                    open.as_ref().map_or(NONE, |s| s.pack)
                }
                Some(pack) => (packs.get(&pack).map_or(i64::MAX, |p| p.entry), pack),
            };
            match &mut open {
                Some(s) if s.pack == pack && (pack != NONE || u64::from(s.rows) < CHUNK) => {
                    s.last = at;
                    s.rows += 1;
                }
                _ => {
                    let begun = Stretch {
                        pack,
                        first: at,
                        last: at,
                        rows: 1,
                    };
                    stretches.extend(open.replace(begun));
                }
            }
        }
        stretches.extend(open);
    }
    Ok(Pass {
        ledger,
        stretches,
        unreadable,
    })
}

/// Where what is read at once ends: all stretches of the packs of an entry, up to [`MOST`] runs; those without
/// one up to [`CHUNK`].
fn ends(stretches: &[Stretch]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut rows = 0;
    for (i, s) in stretches.iter().enumerate() {
        rows += u64::from(s.rows);
        let goes_on = stretches.get(i + 1).is_some_and(|next| {
            let together = rows + u64::from(next.rows);
            match s.pack == NONE {
                true => next.pack == NONE && together <= CHUNK,
                false => next.pack == s.pack || (next.pack.0 == s.pack.0 && together <= MOST),
            }
        });
        if !goes_on {
            ends.push(i + 1);
            rows = 0;
        }
    }
    ends
}

impl Reader {
    /// The next runs that nobody has read; `None` when all are read.
    ///
    /// # Errors
    /// When the database cannot be read any further.
    pub fn read(&mut self) -> Result<Option<Runs>, LedgerError> {
        let plan = &*self.plan;
        let unit = plan.next.fetch_add(1, Ordering::Relaxed);
        let Some(end) = plan.ends.get(unit).copied() else {
            return Ok(None);
        };
        let begin = unit.checked_sub(1).and_then(|u| plan.ends.get(u).copied());
        let stretches = plan.stretches.get(begin.unwrap_or_default()..end);
        let stretches = stretches.unwrap_or_default();
        let rows: u64 = stretches.iter().map(|s| u64::from(s.rows)).sum();
        let mut found = Runs {
            runs: Vec::with_capacity(usize::try_from(rows.min(MOST)).unwrap_or_default()),
            unreadable: Vec::new(),
        };
        let mut statement = self.ledger.db.prepare_cached(RUNS).map_err(translate)?;
        for stretch in stretches {
            plan.read(&mut statement, stretch, &mut found)?;
        }
        let row = |s: &Stored| s.run.place;
        if !found.runs.is_sorted_by_key(row) {
            found.runs.sort_by_key(row);
        }
        Ok(Some(found))
    }
}

impl Plan {
    fn read(
        &self,
        statement: &mut Statement<'_>,
        stretch: &Stretch,
        found: &mut Runs,
    ) -> Result<(), LedgerError> {
        let (first, last) = (stretch.first, stretch.last);
        let mut rows = statement
            .query([first.0, first.1.into(), last.0, last.1.into()])
            .map_err(translate)?;
        let mut read = 0;
        while let Some(r) = rows.next().map_err(translate)? {
            read += 1;
            match self.stored(r) {
                Ok(stored) => found.runs.push(stored),
                Err(problem) => found.unreadable.push(Unreadable {
                    id: named(r, &KEY),
                    problem,
                }),
            }
        }
        match read == stretch.rows {
            true => Ok(()),
            // What goes through the table from its beginning comes to other rows than what looks for keys.
            false => Err(LedgerError::Damaged(
                "the runs are not in the order of their keys".to_owned(),
            )),
        }
    }

    fn shared(&self, series: i64) -> Result<&Shared, String> {
        match self.series.get(&series) {
            Some(Ok(shared)) => Ok(shared),
            Some(Err(problem)) => Err(problem.clone()),
            None => Err(format!("its series {series} is not there")),
        }
    }

    fn stored(&self, r: &Row<'_>) -> Result<Stored, String> {
        let row = row(r).map_err(|e| told(&e))?;
        let shared = self.shared(row.series)?;
        let place = match (row.pack, row.place) {
            (None, None) => None,
            (Some(pack), Some(row)) => {
                let pack = self.packs.get(&pack);
                let pack = pack.ok_or("the pack that it names is not there")?;
                Some(Place {
                    pack: pack.digest,
                    row,
                })
            }
            _ => return Err("it names a pack without a row in it, or a row without a pack".into()),
        };
        let replaces = row.replaces.map(|series| match self.shared(series) {
            // The leaf says its configuration alone; the rest is the run's own.
            Ok(replaced) if replaced.is_beside(shared) => Ok(replaced.version.clone()),
            Ok(replaced) => Err(format!(
                "it replaces a run of {} / {} / {}, which is another place or logic",
                replaced.boundary_id, replaced.herd_config_id, replaced.model_version
            )),
            Err(problem) => Err(format!("of the run that it replaces: {problem}")),
        });
        Ok(Stored {
            series: row.series,
            entry: row.entry,
            run: NewRun {
                key: RunKey {
                    boundary_id: shared.boundary_id.clone(),
                    herd_config_id: shared.herd_config_id.clone(),
                    calculation_date: row.day,
                    model_version: shared.model_version.clone(),
                    config_version: shared.version.clone(),
                },
                provenance: row.provenance,
                snapshot: row.snapshot,
                manifest: row.manifest,
                place,
                guardrail: row.guardrail,
                replaces: replaces.transpose()?,
                outputs: row.outputs,
            },
        })
    }
}

/// A row of [`RUNS`].
struct RunRow {
    series: i64,
    day: provender_domain::day::Day,
    entry: i64,
    provenance: Digest,
    snapshot: Digest,
    manifest: Digest,
    guardrail: Guardrail,
    replaces: Option<i64>,
    outputs: String,
    pack: Option<i64>,
    place: Option<u32>,
}

fn row(r: &Row<'_>) -> rusqlite::Result<RunRow> {
    let guardrail: i64 = r.get(6)?;
    Ok(RunRow {
        series: r.get(0)?,
        day: day(r, 1)?,
        entry: r.get(2)?,
        provenance: digest(r, 3, Recipe::JcsV1)?,
        snapshot: digest(r, 4, Recipe::JcsV1)?,
        manifest: digest(r, 5, Recipe::Raw)?,
        guardrail: Guardrail::from_number(guardrail)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(6, guardrail))?,
        replaces: r.get(7)?,
        outputs: r.get(8)?,
        pack: r.get(9)?,
        place: r.get(10)?,
    })
}
