//! The lists by which runs are found, against the runs: each run in one list of its entry, and nothing else.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use provender_ledger::inspect::ListRow;
use provender_ledger::located::{Located, PART, decode, encode};
use provender_ledger::{Inspect, LedgerError};

use super::finding::{Check, ObjectKind, Report};

/// How many runs there are, and the sum of their hashes: the same for the same runs in any order. The keys
/// of the hash are made anew for every audit, so that nobody can look for runs of the same sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    runs: u64,
    hashes: u64,
}

/// The sums of the runs of each entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    keys: RandomState,
    entries: HashMap<i64, Sum>,
}

impl Sums {
    /// No runs, with the same keys: sums of several threads are put together.
    pub(super) fn empty(&self) -> Sums {
        Sums {
            keys: self.keys.clone(),
            entries: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, entry: i64, run: Located) {
        let hash = self.keys.hash_one((run.series, run.date, run.id));
        let sum = self.entries.entry(entry).or_default();
        sum.runs += 1;
        sum.hashes = sum.hashes.wrapping_add(hash);
    }

    pub(super) fn join(&mut self, other: Sums) {
        for (entry, more) in other.entries {
            let sum = self.entries.entry(entry).or_default();
            sum.runs += more.runs;
            sum.hashes = sum.hashes.wrapping_add(more.hashes);
        }
    }
}

/// The list before, which the next one goes on from.
#[derive(Clone, Copy, Debug)]
struct Before {
    digit: i64,
    entry: i64,
    part: i64,
    full: bool,
    last: Option<Located>,
}

/// Checks the lists. `runs` are the sums of the runs that are there, `unsound` the entries of which it is
/// told already that their runs are not as recorded.
///
/// # Errors
/// When the database cannot be read any further.
pub(super) fn check(
    snapshot: &dyn Inspect,
    runs: &Sums,
    unsound: &HashSet<i64>,
    report: &mut Report,
) -> Result<(), LedgerError> {
    if !snapshot.has_lists()? {
        return Ok(());
    }
    let mut listed = runs.empty();
    let mut told: HashSet<i64> = unsound.clone();
    let mut before: Option<Before> = None;
    snapshot.scan_lists(&mut |scanned| {
        let row = match scanned {
            Ok(row) => row,
            Err(e) => return report.bad(Check::Runs, ObjectKind::List, e.id, e.problem),
        };
        let list = read(&row, before);
        before = Some(Before {
            digit: row.digit,
            entry: row.entry,
            part: row.part,
            full: list.as_ref().map_or(true, |l| l.len() == PART),
            last: list.as_ref().ok().and_then(|l| l.last().copied()),
        });
        match list {
            Ok(list) => list.iter().for_each(|run| listed.add(row.entry, *run)),
            Err(problem) => {
                told.insert(row.entry);
                let (digit, entry, part) = (row.digit, row.entry, row.part);
                let id = format!("digit {digit}, entry {entry}, part {part}");
                report.bad(Check::Runs, ObjectKind::List, id, problem);
            }
        }
    })?;
    let entries: BTreeSet<i64> = listed
        .entries
        .keys()
        .chain(runs.entries.keys())
        .copied()
        .collect();
    for entry in entries.difference(&told.into_iter().collect()) {
        if listed.entries.get(entry) != runs.entries.get(entry) {
            let problem = "the lists that index its runs do not match its runs";
            report.bad(
                Check::Runs,
                ObjectKind::List,
                format!("entry {entry}"),
                problem,
            );
        }
    }
    Ok(())
}

/// The runs of a row; `Err` says why this program would not have written it there.
fn read(row: &ListRow, before: Option<Before>) -> Result<Vec<Located>, &'static str> {
    let mut list = Vec::new();
    decode(&row.runs, &mut |run| list.push(run)).ok_or("it is not a list of runs")?;
    if list.is_empty() || list.len() > PART || encode(&list).as_ref() != Some(&row.runs) {
        return Err("it is not in canonical form");
    }
    if list.iter().any(|run| i64::from(run.digit()) != row.digit) {
        return Err("it lists runs whose ids begin with another digit");
    }
    let follows = match before {
        Some(b) if (b.digit, b.entry) == (row.digit, row.entry) => {
            b.part.checked_add(1) == Some(row.part) && b.full && b.last < list.first().copied()
        }
        _ => row.part == 0,
    };
    match follows {
        true => Ok(list),
        false => Err("it does not continue the previous list"),
    }
}
