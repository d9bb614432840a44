//! Reads every run with several threads, and groups the runs of one entry's packs.
//!
//! The table is ordered by series and day. Querying by pack would make the database sort the keys of all runs and
//! look each one up again. So the scan first passes once over the table to find its *segments*, consecutive rows
//! whose manifests are in the same pack, and then reads each pack by its segments. Bulk computation leaves one or
//! a few segments per pack; computing each day separately leaves one per run.

use crate::entry::EntryNumber;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::LedgerError;
use crate::inspect::{Inspect, PackedAt, RunAt, RunRow, Scanned, SeriesKey, Unreadable};
use crate::types::NewRun;
use provender_domain::canonical::{Digest, Recipe};
use provender_domain::column::index;
use provender_domain::key::{Place, RunKey};

/// Runs with their own manifest file that are returned at once.
const CHUNK: usize = 500;
/// Most runs that are read at once, unless they are in one pack. The packs of one entry have fewer.
const MAX_GROUP: usize = 65_536;

/// A run with the numbers of its series and entry.
#[derive(Clone, Debug, PartialEq)]
pub struct ScannedRun {
    /// Number of its series.
    pub series: i64,
    /// Number of its entry.
    pub entry: EntryNumber,
    /// The run.
    pub run: NewRun,
}

/// Consecutive runs, from the first to the last, by series and day. If every day was computed separately, there
/// is one segment per run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    /// Entry and number of their pack; [`NONE`] if they have none.
    pack: (i64, i64),
    first: RunAt,
    last: RunAt,
    rows: u32,
}

/// No pack. Orders before all packs.
const NONE: (i64, i64) = (i64::MIN, i64::MIN);

/// Shared by all readers.
struct Plan {
    segments: Vec<Segment>,
    /// End indexes in the list of the segments that are read at once.
    ends: Vec<usize>,
    next: AtomicUsize,
    series: HashMap<i64, Result<SeriesKey, String>>,
    packs: HashMap<i64, Pack>,
}

/// A pack and the entry that recorded it.
#[derive(Clone, Copy)]
struct Pack {
    digest: Digest,
    entry: EntryNumber,
}

/// A scan of all runs.
pub struct Scan {
    /// One reader per thread.
    pub readers: Vec<Reader>,
    /// Number of runs.
    pub runs: u64,
    /// Rows that no reader returns because their key cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// Runs that are read at once.
#[derive(Debug, Default)]
pub struct RunGroup {
    /// The runs in the packs of one entry, by pack and row, or some runs with their own manifest file.
    pub runs: Vec<ScannedRun>,
    /// Unreadable rows among them.
    pub unreadable: Vec<Unreadable>,
}

/// Reads runs that no other reader reads.
pub struct Reader {
    ledger: Box<dyn Inspect>,
    plan: Arc<Plan>,
}

impl Scan {
    /// Starts a scan with these readers, which must see the same moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn begin(readers: Vec<Box<dyn Inspect>>) -> Result<Scan, LedgerError> {
        let Some(first) = readers.first() else {
            return Err(LedgerError::Damaged("it has no reader".to_owned()));
        };
        let series = first.series_keys()?;
        let packs = packs(&**first)?;
        let parts = parts(&series, readers.len());
        let passed: Vec<Result<TablePass, LedgerError>> = std::thread::scope(|scope| {
            let packs = &packs;
            let passing: Vec<_> = std::iter::zip(readers, parts)
                .map(|(reader, part)| scope.spawn(move || pass(reader, packs, part)))
                .collect();
            passing
                .into_iter()
                .map(|thread| match thread.join() {
                    Ok(pass) => pass,
                    // A panic of a thread is a bug of this program, so it is propagated.
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        });
        let (mut ledgers, mut segments, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for pass in passed {
            let pass = pass?;
            ledgers.push(pass.ledger);
            segments.extend(pass.segments);
            unreadable.extend(pass.unreadable);
        }
        let runs = segments.iter().map(|s| u64::from(s.rows)).sum();
        // Runs without a pack come first. The stable sort keeps the table's order within a pack.
        segments.sort_unstable_by_key(|s| (s.pack, s.first));
        let plan = Arc::new(Plan {
            ends: ends(&segments),
            segments,
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

/// Packs by number. A malformed digest is reported when the packs are audited; here, runs that name such a pack
/// have none.
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

/// Splits the series into `count` ranges (from, below) of about the same size that together cover all numbers.
fn parts(
    series: &HashMap<i64, Result<SeriesKey, String>>,
    count: usize,
) -> Vec<(i64, Option<i64>)> {
    let mut numbers: Vec<i64> = series.keys().copied().collect();
    numbers.sort_unstable();
    let begin = |n: usize| match n {
        0 => Some(i64::MIN),
        // With more readers than series, the last ones get nothing.
        n => numbers.get(n * numbers.len().div_ceil(count)).copied(),
    };
    (0..count)
        .map(|n| match begin(n) {
            Some(from) => (from, begin(n + 1).filter(|_| n + 1 < count)),
            None => (i64::MAX, Some(i64::MAX)),
        })
        .collect()
}

struct TablePass {
    ledger: Box<dyn Inspect>,
    segments: Vec<Segment>,
    unreadable: Vec<Unreadable>,
}

/// Finds the segments in a part of the table.
fn pass(
    ledger: Box<dyn Inspect>,
    packs: &HashMap<i64, Pack>,
    (from, below): (i64, Option<i64>),
) -> Result<TablePass, LedgerError> {
    let (mut segments, mut unreadable): (Vec<Segment>, _) = (Vec::new(), Vec::new());
    let mut open: Option<Segment> = None;
    ledger.scan_run_places(from, below, &mut |scanned| {
        let PackedAt { at, pack } = match scanned {
            Ok(read) => read,
            Err(e) => {
                // End the segment here; otherwise reading it would return the bad row again.
                segments.extend(open.take());
                return unreadable.push(e);
            }
        };
        let pack = match pack {
            None => NONE,
            Some(pack) if open.as_ref().is_some_and(|s| s.pack.1 == pack) => {
                open.as_ref().map_or(NONE, |s| s.pack)
            }
            Some(pack) => (packs.get(&pack).map_or(i64::MAX, |p| p.entry.get()), pack),
        };
        match &mut open {
            Some(s) if s.pack == pack && (pack != NONE || index(s.rows) < CHUNK) => {
                s.last = at;
                s.rows += 1;
            }
            _ => {
                let begun = Segment {
                    pack,
                    first: at,
                    last: at,
                    rows: 1,
                };
                segments.extend(open.replace(begun));
            }
        }
    })?;
    segments.extend(open);
    Ok(TablePass {
        ledger,
        segments,
        unreadable,
    })
}

/// End indexes of the groups that are read at once: all segments of the packs of an entry, up to [`MAX_GROUP`] runs;
/// without a pack, up to [`CHUNK`] runs.
fn ends(segments: &[Segment]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut rows = 0;
    for (i, s) in segments.iter().enumerate() {
        rows += index(s.rows);
        let goes_on = segments.get(i + 1).is_some_and(|next| {
            let together = rows + index(next.rows);
            match s.pack == NONE {
                true => next.pack == NONE && together <= CHUNK,
                false => next.pack == s.pack || (next.pack.0 == s.pack.0 && together <= MAX_GROUP),
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
    /// The next runs that no reader has read; `None` when all are read.
    ///
    /// # Errors
    /// When the database cannot be read any further.
    pub fn read(&mut self) -> Result<Option<RunGroup>, LedgerError> {
        let plan = &*self.plan;
        let unit = plan.next.fetch_add(1, Ordering::Relaxed);
        let Some(end) = plan.ends.get(unit).copied() else {
            return Ok(None);
        };
        let begin = unit.checked_sub(1).map_or(0, |u| plan.ends[u]);
        let segments = &plan.segments[begin..end];
        let rows: usize = segments.iter().map(|s| index(s.rows)).sum();
        let mut found = RunGroup {
            runs: Vec::with_capacity(rows.min(MAX_GROUP)),
            unreadable: Vec::new(),
        };
        for segment in segments {
            plan.read(&*self.ledger, segment, &mut found)?;
        }
        let row = |s: &ScannedRun| s.run.place;
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
        segment: &Segment,
        found: &mut RunGroup,
    ) -> Result<(), LedgerError> {
        let mut read = 0;
        ledger.scan_runs(segment.first, segment.last, &mut |scanned| {
            read += 1;
            match scanned.and_then(|row| self.scanned_run(row)) {
                Ok(stored) => found.runs.push(stored),
                Err(unreadable) => found.unreadable.push(unreadable),
            }
        })?;
        match read == segment.rows {
            true => Ok(()),
            // A full table scan returned other rows than a lookup by key.
            false => Err(LedgerError::Damaged(
                "the runs are not in the order of their keys".to_owned(),
            )),
        }
    }

    fn shared(&self, series: i64) -> Result<&SeriesKey, String> {
        match self.series.get(&series) {
            Some(Ok(shared)) => Ok(shared),
            Some(Err(problem)) => Err(problem.clone()),
            None => Err(format!("its series {series} is missing")),
        }
    }

    fn scanned_run(&self, row: RunRow) -> Scanned<ScannedRun> {
        let at = RunAt {
            series: row.series,
            date: row.day.days(),
        };
        self.resolved(row).map_err(|problem| Unreadable {
            id: at.to_string(),
            problem,
        })
    }

    /// Resolves the numbers in a row to what they refer to.
    fn resolved(&self, row: RunRow) -> Result<ScannedRun, String> {
        let shared = self.shared(row.series)?;
        let place = match (row.pack, row.place) {
            (None, None) => None,
            (Some(pack), Some(row)) => {
                let pack = self.packs.get(&pack);
                let pack = pack.ok_or("the pack that it names is missing")?;
                Some(Place {
                    pack: pack.digest,
                    row,
                })
            }
            _ => return Err("it names a pack without a row, or a row without a pack".into()),
        };
        let replaces = row.replaces.map(|series| match self.shared(series) {
            // The leaf contains only the configuration of the replaced run; place and logic must be this run's
            // own.
            Ok(replaced) if replaced.is_beside(shared) => Ok(replaced.version.clone()),
            Ok(replaced) => Err(format!(
                "it replaces a run of {} / {} / {}, which has another place or logic",
                replaced.boundary_id, replaced.herd_config_id, replaced.model_version
            )),
            Err(problem) => Err(format!("the run that it replaces: {problem}")),
        });
        Ok(ScannedRun {
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
