//! Withdraws a file with a new ledger entry; from then on the file's values do not count.

use provender_ledger::EntryNumber;
use provender_ledger::Write;
use provender_ledger::entry::Stamp;
use provender_ledger::types::File;

use super::report::IngestError;

/// Withdraws a file, however often it was ingested. Name it by the path it was ingested under, by its file name,
/// or by `sha256:<digest>`. Returns the withdrawn files and the entry.
///
/// # Errors
/// If no such file is in force, or the ledger fails.
pub fn retract(
    ledger: &dyn Write,
    name: &str,
    stamp: &Stamp,
) -> Result<(Vec<File>, EntryNumber), IngestError> {
    let files: Vec<File> = ledger
        .files()?
        .into_iter()
        .filter(|f| f.retracted.is_none())
        .collect();
    let is_named = |f: &&File| f.path == name || f.sha256.to_string() == name;
    let mut named: Vec<File> = files.iter().filter(is_named).cloned().collect();
    if named.is_empty() {
        // The path may be relative to another folder. Its last parts are enough if they match only one file.
        let tail = |f: &&File| {
            std::path::Path::new(name).ends_with(&f.path)
                || std::path::Path::new(&f.path).ends_with(name)
        };
        let candidates: Vec<File> = files.iter().filter(tail).cloned().collect();
        if candidates.iter().all(|f| f.path == candidates[0].path) {
            named = candidates;
        }
    }
    if named.is_empty() {
        let mut paths: Vec<&str> = files.iter().map(|f| f.path.as_str()).collect();
        paths.sort_by_key(|p| strsim::levenshtein(p, name));
        paths.dedup();
        let known = match paths.as_slice() {
            [] => "; nothing has been ingested yet".to_owned(),
            some => format!("; the nearest are {}", some[..some.len().min(3)].join(", ")),
        };
        return Err(IngestError::NeverTaken {
            file: name.to_owned(),
            known,
        });
    }
    let entry = ledger.retract(stamp, &named)?;
    Ok((named, entry))
}
