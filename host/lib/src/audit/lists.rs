//! Checks the lists that index runs: each run is in exactly one list of its entry, and nothing else is.

use provender_ledger::EntryNumber;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use provender_ledger::inspect::ListRow;
use provender_ledger::located::{Located, PART, decode, encode};
use provender_ledger::{Inspect, LedgerError};

use super::finding::{AuditReport, Check, ObjectKind};

/// The number of runs, and the sum of their hashes, which does not depend on their order. The hash keys are
/// random for each audit, so nobody can construct other runs with the same sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    runs: u64,
    hashes: u64,
}

/// The sums of the runs, by entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    keys: RandomState,
    entries: HashMap<EntryNumber, Sum>,
}

impl Sums {
    /// Sums of no runs with the same hash keys, so that the sums of several threads can be added.
    pub(super) fn empty(&self) -> Sums {
        Sums {
            keys: self.keys.clone(),
            entries: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, entry: EntryNumber, run: Located) {
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

/// The previous list, which the next one may continue.
#[derive(Clone, Copy, Debug)]
struct Before {
    digit: i64,
    entry: EntryNumber,
    part: i64,
    full: bool,
    last: Option<Located>,
}

/// Checks the lists. `runs` are the sums of the stored runs. `unsound` are entries whose runs are already
/// reported as different, so their lists are not reported again.
///
/// # Errors
/// If the database cannot be read further.
pub(super) fn check(
    snapshot: &dyn Inspect,
    runs: &Sums,
    unsound: &HashSet<EntryNumber>,
    report: &mut AuditReport,
) -> Result<(), LedgerError> {
    if !snapshot.has_lists()? {
        return Ok(());
    }
    let mut listed = runs.empty();
    let mut already_reported: HashSet<EntryNumber> = unsound.clone();
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
                already_reported.insert(row.entry);
                let (digit, entry, part) = (row.digit, row.entry, row.part);
                let id = format!("digit {digit}, entry {entry}, part {part}");
                report.bad(Check::Runs, ObjectKind::List, id, problem);
            }
        }
    })?;
    let entries: BTreeSet<EntryNumber> = listed
        .entries
        .keys()
        .chain(runs.entries.keys())
        .copied()
        .collect();
    for entry in entries.difference(&already_reported.into_iter().collect()) {
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

/// Decodes the runs of a row. The error says why this program would not have written that row.
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
