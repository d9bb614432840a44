//! Checks files and the rows that they added against the roots in their entries.

use provender_ledger::EntryNumber;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use provender_domain::forms::{self, Stream};
use provender_domain::merkle::{self, Hash};
use provender_ledger::inspect::Scanned;
use provender_ledger::types::{File, Sourced};
use provender_ledger::{Inspect, LedgerError};

use super::claims::Claims;
use super::finding::{AuditReport, Check, ObjectKind};

/// The columns of a file's row, as messages name them.
const COLUMNS: [&str; 7] = [
    "number", "source", "kind", "format", "path", "SHA-256", "rows",
];

/// Checks files and withdrawals. Returns the number of the file that each entry ingested.
///
/// # Errors
/// If the database cannot be read further.
pub(super) fn files(
    snapshot: &dyn Inspect,
    claims: &Claims,
    report: &mut AuditReport,
) -> Result<HashMap<EntryNumber, i64>, LedgerError> {
    let of_entry = of_entries(snapshot, claims, report)?;
    retractions(snapshot, claims, report)?;
    Ok(of_entry)
}

/// Checks the boundaries, herds and observations of these files.
///
/// # Errors
/// If the database cannot be read further.
pub(super) fn rows(
    snapshot: &dyn Inspect,
    claims: &Claims,
    of_entry: HashMap<EntryNumber, i64>,
    report: &mut AuditReport,
) -> Result<(), LedgerError> {
    let mut rows = FactLeaves {
        of_entry,
        leaves: BTreeMap::new(),
        report,
    };
    places(snapshot, &mut rows)?;
    observations(snapshot, &mut rows)?;
    let FactLeaves { mut leaves, .. } = rows;
    for (entry, claim) in &claims.files {
        let found = leaves.remove(entry).unwrap_or_default();
        if let Err(problem) = claim.rows.check(found) {
            let path = &claim.row[4];
            report.bad(
                Check::Facts,
                ObjectKind::Facts,
                format!("entry {entry} ({path})"),
                problem,
            );
        }
    }
    for (entry, found) in leaves {
        report.bad(
            Check::Facts,
            ObjectKind::Facts,
            format!("entry {entry}"),
            format!("{} rows name it, but it ingested no file", found.len()),
        );
    }
    Ok(())
}

/// The number of the file that each entry ingested.
fn of_entries(
    snapshot: &dyn Inspect,
    claims: &Claims,
    report: &mut AuditReport,
) -> Result<HashMap<EntryNumber, i64>, LedgerError> {
    let mut of_entry = HashMap::new();
    snapshot.scan_files(&mut |scanned| {
        report.looked(Check::Files, 1);
        let file = match scanned {
            Ok(file) => file,
            Err(e) => return report.bad(Check::Files, ObjectKind::File, e.id, e.problem),
        };
        let id = format!("file {} ({})", file.file_id, file.path);
        let Some(claim) = claims.files.get(&file.entry) else {
            let problem = format!("it names entry {}, which ingested no file", file.entry);
            return report.bad(Check::Files, ObjectKind::File, id, problem);
        };
        for ((column, found), claimed) in COLUMNS.iter().zip(cells(&file)).zip(&claim.row) {
            if found != *claimed {
                let entry = file.entry;
                let problem =
                    format!("its {column} is {found}, but entry {entry} recorded {claimed}");
                report.bad(Check::Files, ObjectKind::File, id.as_str(), problem);
            }
        }
        if of_entry.insert(file.entry, file.file_id).is_some() {
            let problem = format!("entry {} already has another file", file.entry);
            report.bad(Check::Files, ObjectKind::File, id, problem);
        }
    })?;
    for (entry, claim) in &claims.files {
        if !of_entry.contains_key(entry) {
            let problem = format!("entry {entry} ingested it, but its row is missing");
            report.bad(
                Check::Files,
                ObjectKind::File,
                claim.row[4].as_str(),
                problem,
            );
        }
    }
    Ok(of_entry)
}

fn cells(file: &File) -> [String; 7] {
    [
        file.file_id.to_string(),
        file.source.clone(),
        file.kind.clone(),
        file.format.clone(),
        file.path.clone(),
        file.sha256.to_string(),
        file.rows.to_string(),
    ]
}

fn retractions(
    snapshot: &dyn Inspect,
    claims: &Claims,
    report: &mut AuditReport,
) -> Result<(), LedgerError> {
    let mut found: BTreeMap<EntryNumber, BTreeSet<i64>> = BTreeMap::new();
    snapshot.scan_retractions(&mut |scanned| match scanned {
        Ok((file, entry)) => {
            report.looked(Check::Files, 1);
            found.entry(entry).or_default().insert(file);
        }
        Err(e) => report.bad(Check::Files, ObjectKind::Retraction, e.id, e.problem),
    })?;
    let nothing = BTreeSet::new();
    let entries: BTreeSet<EntryNumber> = found
        .keys()
        .chain(claims.retractions.keys())
        .copied()
        .collect();
    for entry in entries {
        let rows = found.get(&entry).unwrap_or(&nothing);
        let claimed = claims.retractions.get(&entry).unwrap_or(&nothing);
        if rows != claimed {
            let list = |set: &BTreeSet<i64>| match set.is_empty() {
                true => "none".to_owned(),
                false => set
                    .iter()
                    .map(i64::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            };
            let problem = format!(
                "the rows withdraw the files {}, but the entry withdraws {}",
                list(rows),
                list(claimed)
            );
            report.bad(
                Check::Files,
                ObjectKind::Retraction,
                format!("entry {entry}"),
                problem,
            );
        }
    }
    Ok(())
}

/// Leaves of the rows, by the entry that they name.
struct FactLeaves<'a> {
    of_entry: HashMap<EntryNumber, i64>,
    leaves: BTreeMap<EntryNumber, Vec<Hash>>,
    report: &'a mut AuditReport,
}

impl FactLeaves<'_> {
    fn add<T>(&mut self, kind: ObjectKind, row: &Sourced<T>, id: &dyn Fn() -> String, text: &[u8]) {
        self.report.looked(Check::Facts, 1);
        if self.of_entry.get(&row.entry) != Some(&row.file_id) {
            let problem = format!(
                "it names file {}, which entry {} did not ingest",
                row.file_id, row.entry
            );
            self.report.bad(Check::Facts, kind, id(), problem);
        }
        self.leaves
            .entry(row.entry)
            .or_default()
            .push(merkle::leaf(text));
    }

    fn readable<T>(&mut self, kind: ObjectKind, scanned: Scanned<T>) -> Option<T> {
        match scanned {
            Ok(row) => Some(row),
            Err(e) => {
                self.report.looked(Check::Facts, 1);
                self.report.bad(Check::Facts, kind, e.id, e.problem);
                None
            }
        }
    }
}

fn places(snapshot: &dyn Inspect, rows: &mut FactLeaves<'_>) -> Result<(), LedgerError> {
    snapshot.scan_boundaries(&mut |scanned| {
        if let Some(row) = rows.readable(ObjectKind::Boundary, scanned)
            && let Some(effective) = row.value.effective_date
        {
            let text = forms::boundary(row.row, effective, &row.value);
            let id = || format!("{} from {effective}", row.value.boundary_id);
            rows.add(ObjectKind::Boundary, &row, &id, &text);
        }
    })?;
    snapshot.scan_herds(&mut |scanned| {
        if let Some(row) = rows.readable(ObjectKind::Herd, scanned) {
            let text = forms::herd(row.row, &row.value);
            let h = &row.value;
            let id = || {
                format!(
                    "{} in {} from {}",
                    h.herd_config_id, h.boundary_id, h.effective_date
                )
            };
            rows.add(ObjectKind::Herd, &row, &id, &text);
        }
    })
}

fn observations(snapshot: &dyn Inspect, rows: &mut FactLeaves<'_>) -> Result<(), LedgerError> {
    let mut streams: HashMap<i64, (String, Stream)> = HashMap::new();
    snapshot.scan_streams(&mut |scanned| {
        if let Some(s) = rows.readable(ObjectKind::Stream, scanned) {
            let name = format!("{} of {} by {}", s.column, s.boundary_id, s.source);
            let stream = Stream::new(&s.boundary_id, &s.column, &s.source);
            streams.insert(s.stream_id, (name, stream));
        }
    })?;
    let mut used: HashSet<i64> = HashSet::new();
    snapshot.scan_observations(&mut |scanned| {
        let Some((stream_id, row)) = rows.readable(ObjectKind::Observation, scanned) else {
            return;
        };
        used.insert(stream_id);
        let Some((name, stream)) = streams.get(&stream_id) else {
            let id = format!("row {} of file {}", row.row, row.file_id);
            let problem = format!("its stream {stream_id} is missing");
            return rows
                .report
                .bad(Check::Facts, ObjectKind::Observation, id, problem);
        };
        let date = row.value.date;
        let id = || {
            let day = date.map_or_else(|| "no date".to_owned(), |d| d.to_string());
            format!("{name}, {day}, entry {}", row.entry)
        };
        let text = stream.observation(date, row.value.value, row.row);
        rows.add(ObjectKind::Observation, &row, &id, &text);
    })?;
    for (stream_id, (name, _)) in &streams {
        if !used.contains(stream_id) {
            rows.report.bad(
                Check::Facts,
                ObjectKind::Stream,
                name.as_str(),
                "no observation refers to it, so no entry recorded it",
            );
        }
    }
    Ok(())
}
