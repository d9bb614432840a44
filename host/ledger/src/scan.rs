//! Every run, read by several threads side by side, those of one entry's packs together.
//!
//! The table has its rows by series and day. Asked by pack, a database would sort the keys of all runs and look
//! each of them up again. So the table is passed over once for its *stretches*, rows one after the other whose
//! manifests are in one pack; a pack's stretches are then read as they stand. Where places were computed
//! in bulk a pack is a stretch or a few, where every day was computed by itself each run is one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::LedgerError;
use crate::inspect::{Inspect, PackedAt, RunAt, RunRow, Scanned, SeriesKey, Unreadable};
use crate::types::NewRun;
use provender_domain::canonical::{Digest, Recipe};
use provender_domain::column::index;
use provender_domain::key::{Place, RunKey};

/// Runs with a manifest of their own that are handed over at once.
const CHUNK: usize = 500;
/// Most runs that are read at once, unless they are of one pack: more than an entry's packs have.
const MOST: usize = 65_536;

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
    first: RunAt,
    last: RunAt,
    rows: u32,
}

/// No pack: before all others.
const NONE: (i64, i64) = (i64::MIN, i64::MIN);

/// What every reader knows.
struct Plan {
    stretches: Vec<Stretch>,
    /// Stretches that are read at once: their places in the list, end by end.
    ends: Vec<usize>,
    next: AtomicUsize,
    series: HashMap<i64, Result<SeriesKey, String>>,
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
    ledger: Box<dyn Inspect>,
    plan: Arc<Plan>,
}

impl Scan {
    /// A scan by these readers, which see one moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn begin(readers: Vec<Box<dyn Inspect>>) -> Result<Scan, LedgerError> {
        let Some(first) = readers.first() else {
            return Err(LedgerError::Damaged("nobody reads it".to_owned()));
        };
        let series = first.series_keys()?;
        let packs = packs(&**first)?;
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

/// The packs by their numbers. What is no digest is reported by whoever looks at the packs; a run that names
/// it has none.
fn packs(ledger: &dyn Inspect) -> Result<HashMap<i64, Pack>, LedgerError> {
    let mut packs = HashMap::new();
    ledger.scan_packs(&mut |scanned| {
        if let Ok(row) = scanned {
            let pack = Pack {
                digest: Digest::from_parts(Recipe::Raw, row.digest),
                entry: row.entry,
            };
            packs.insert(row.pack_id, pack);
        }
    })?;
    Ok(packs)
}

/// From which number of a series on, and below which: about as many series for each of so many readers,
/// and no number outside of all parts.
fn parts(
    series: &HashMap<i64, Result<SeriesKey, String>>,
    count: usize,
) -> Vec<(i64, Option<i64>)> {
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
    ledger: Box<dyn Inspect>,
    stretches: Vec<Stretch>,
    unreadable: Vec<Unreadable>,
}

/// The stretches of a part of the table.
fn pass(
    ledger: Box<dyn Inspect>,
    packs: &HashMap<i64, Pack>,
    (from, below): (i64, Option<i64>),
) -> Result<Pass, LedgerError> {
    let (mut stretches, mut unreadable): (Vec<Stretch>, _) = (Vec::new(), Vec::new());
    let mut open: Option<Stretch> = None;
    ledger.scan_run_places(from, below, &mut |scanned| {
        let PackedAt { at, pack } = match scanned {
            Ok(read) => read,
            Err(e) => {
                // A stretch that went on behind it would come to it again.
                stretches.extend(open.take());
                return unreadable.push(e);
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
            Some(s) if s.pack == pack && (pack != NONE || index(s.rows) < CHUNK) => {
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
    })?;
    stretches.extend(open);
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
        rows += index(s.rows);
        let goes_on = stretches.get(i + 1).is_some_and(|next| {
            let together = rows + index(next.rows);
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
        let begin = unit.checked_sub(1).map_or(0, |u| plan.ends[u]);
        let stretches = &plan.stretches[begin..end];
        let rows: usize = stretches.iter().map(|s| index(s.rows)).sum();
        let mut found = Runs {
            runs: Vec::with_capacity(rows.min(MOST)),
            unreadable: Vec::new(),
        };
        for stretch in stretches {
            plan.read(&*self.ledger, stretch, &mut found)?;
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
        ledger: &dyn Inspect,
        stretch: &Stretch,
        found: &mut Runs,
    ) -> Result<(), LedgerError> {
        let mut read = 0;
        ledger.scan_runs(stretch.first, stretch.last, &mut |scanned| {
            read += 1;
            match scanned.and_then(|row| self.stored(row)) {
                Ok(stored) => found.runs.push(stored),
                Err(unreadable) => found.unreadable.push(unreadable),
            }
        })?;
        match read == stretch.rows {
            true => Ok(()),
            // What goes through the table from its beginning comes to other rows than what looks for keys.
            false => Err(LedgerError::Damaged(
                "the runs are not in the order of their keys".to_owned(),
            )),
        }
    }

    fn shared(&self, series: i64) -> Result<&SeriesKey, String> {
        match self.series.get(&series) {
            Some(Ok(shared)) => Ok(shared),
            Some(Err(problem)) => Err(problem.clone()),
            None => Err(format!("its series {series} is not there")),
        }
    }

    fn stored(&self, row: RunRow) -> Scanned<Stored> {
        let at = RunAt {
            series: row.series,
            date: row.day.days(),
        };
        self.resolved(row).map_err(|problem| Unreadable {
            id: at.to_string(),
            problem,
        })
    }

    /// The run with what its numbers refer to.
    fn resolved(&self, row: RunRow) -> Result<Stored, String> {
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
