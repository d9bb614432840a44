//! Ingests a file: reads it, compares it, then holds it or records it as a whole.

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_ledger::EntryNumber;
use provender_ledger::entries::IngestNotes;
use provender_ledger::entry::Stamp;
use provender_ledger::retry::retry_always;
use provender_ledger::types::File;
use provender_ledger::{LedgerError, Write};
use tracing::field::Empty;

use super::compare::{Comparison, compare};
use super::parsed::ReadOptions;
use super::readers;
use super::report::{FileOutcome, FileReport, IngestError};

/// A file to ingest.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// The path that is recorded with the file.
    pub path: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Id of the source.
    pub source: String,
    /// How to read it.
    pub options: ReadOptions,
    /// The share of rows that may be revised without `--accept`.
    pub max_revised_share: f64,
    /// Whether a person named this file, instead of `sources.toml` listing it. A superseded or withdrawn file is
    /// refused if it was named, and skipped if it was only listed.
    pub named: bool,
}

/// Options that apply to all files.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Record a file although it would be held, or was superseded or withdrawn.
    pub accept: bool,
    /// Report what would happen and record nothing.
    pub dry_run: bool,
    /// The day from which boundaries redrawn without a date apply.
    pub today: Day,
}

/// A file with fewer revised rows than this is never held: one corrected figure is not a change of unit.
const HOLD_FROM_ROWS: u32 = 2;

/// Reads, compares and records one file. Errors are in the report.
pub(crate) fn take(
    ledger: &dyn Write,
    offer: &Offer,
    policy: &Policy,
    stamp: &Stamp,
) -> FileReport {
    let span = tracing::info_span!(
        target: "provender::ingest",
        "take",
        file = offer.path,
        source = offer.source,
        bytes = offer.bytes.len(),
        rows = Empty,
        new = Empty,
        unchanged = Empty,
        revised = Empty,
        outcome = Empty,
        entry = Empty,
    )
    .entered();
    let sha256 = Digest::of_bytes(&offer.bytes);
    let empty = || FileReport {
        path: offer.path.clone(),
        source: offer.source.clone(),
        kind: offer
            .options
            .kind
            .map(|k| k.name().to_owned())
            .unwrap_or_default(),
        format: String::new(),
        sha256: sha256.to_string(),
        outcome: FileOutcome::Refused,
        rows: 0,
        new: 0,
        unchanged: 0,
        revised: 0,
        skipped: Vec::new(),
        warnings: Vec::new(),
        entry: None,
        error: None,
    };
    let mut report = empty();
    // If another process ingests a file in the meantime, perhaps this one, compare again.
    let filled = retry_always(|| {
        report = empty();
        match fill(ledger, offer, policy, stamp, sha256, &mut report) {
            Err(IngestError::Ledger(LedgerError::Moved { .. })) => Ok(None),
            other => other.map(Some),
        }
    });
    if let Err(error) = filled {
        report.outcome = match error {
            IngestError::Held { .. } => FileOutcome::Held,
            IngestError::Older { .. } => FileOutcome::Superseded,
            IngestError::Withdrawn { .. } => FileOutcome::Withdrawn,
            _ => FileOutcome::Refused,
        };
        // A superseded or withdrawn file that is only listed must not fail today's run.
        if offer.named
            || !matches!(
                report.outcome,
                FileOutcome::Superseded | FileOutcome::Withdrawn
            )
        {
            report.error = Some(error);
        } else {
            report.warnings.push(error.to_string());
        }
    }
    report.note(&span);
    report
}

/// The records of these exact bytes for this source, newest last.
fn earlier(ledger: &dyn Write, offer: &Offer, sha256: Digest) -> Result<Vec<File>, IngestError> {
    let mut files = ledger.files()?;
    files.retain(|f| f.sha256 == sha256 && f.source == offer.source);
    Ok(files)
}

/// Whether the file can be skipped: it is listed, and these bytes were ingested from this path before.
///
/// # Errors
/// If the file was withdrawn.
fn known(
    ledger: &dyn Write,
    offer: &Offer,
    policy: &Policy,
    sha256: Digest,
    report: &mut FileReport,
) -> Result<bool, IngestError> {
    if policy.accept {
        return Ok(false);
    }
    let before = earlier(ledger, offer, sha256)?;
    let mut as_before = |file: &File| {
        report.kind.clone_from(&file.kind);
        report.format.clone_from(&file.format);
        report.rows = file.rows;
    };
    if let Some((file, entry)) = before.last().and_then(|f| Some((f, f.retracted?))) {
        as_before(file);
        let reason = ledger
            .entry(entry)?
            .and_then(|e| e.stamp.reason)
            .unwrap_or_else(|| "no reason given".to_owned());
        return Err(IngestError::Withdrawn {
            file: offer.path.clone(),
            entry,
            reason,
        });
    }
    let same_path = before.iter().find(|f| f.path == offer.path);
    let Some(file) = same_path.filter(|_| !offer.named) else {
        return Ok(false);
    };
    as_before(file);
    report.unchanged = file.rows;
    report.outcome = FileOutcome::Unchanged;
    Ok(true)
}

/// Checks that a file's revisions may be recorded without `--accept`.
///
/// # Errors
/// If the file was superseded, or revises more than the source allows.
fn acceptable(
    ledger: &dyn Write,
    offer: &Offer,
    sha256: Digest,
    c: &Comparison,
    rows: u32,
) -> Result<(), IngestError> {
    if c.revised > 0
        && let Some(file) = earlier(ledger, offer, sha256)?.last()
    {
        return Err(IngestError::Older {
            file: offer.path.clone(),
            entry: file.entry,
            revised: c.revised,
        });
    }
    let share = f64::from(c.revised) / f64::from(rows.max(1));
    let held_back = c.revised >= HOLD_FROM_ROWS && share > offer.max_revised_share;
    match !c.ratios.is_empty() && held_back {
        true => Err(held(offer, c, rows)),
        false => Ok(()),
    }
}

fn fill(
    ledger: &dyn Write,
    offer: &Offer,
    policy: &Policy,
    stamp: &Stamp,
    sha256: Digest,
    report: &mut FileReport,
) -> Result<(), IngestError> {
    // Read before the comparison, so that a concurrent writer is noticed.
    let head = ledger.head()?;
    if known(ledger, offer, policy, sha256, report)? {
        return Ok(());
    }
    let reading = readers::read(&offer.bytes, &offer.options)?;
    report.kind = reading.format.kind().name().to_owned();
    report.format = reading.format.name().to_owned();
    report.rows = reading.rows;
    report.skipped = reading.skipped.iter().map(ToString::to_string).collect();
    report.warnings.extend(reading.warnings.iter().cloned());
    let mut c = compare(
        ledger,
        &reading.content,
        &offer.source,
        &offer.path,
        policy.today,
    )?;
    (report.new, report.unchanged, report.revised) = (c.new, c.unchanged, c.revised);
    report.warnings.append(&mut c.warnings);
    if !policy.accept {
        acceptable(ledger, offer, sha256, &c, reading.rows)?;
    }
    if c.new + c.revised == 0 {
        report.outcome = FileOutcome::Unchanged;
        return Ok(());
    }
    report.outcome = FileOutcome::Taken;
    if policy.dry_run {
        return Ok(());
    }
    let file = File {
        file_id: 0,
        entry: EntryNumber::NONE,
        source: offer.source.clone(),
        kind: report.kind.clone(),
        format: report.format.clone(),
        path: offer.path.clone(),
        sha256,
        rows: reading.rows,
        retracted: None,
    };
    // The ledger adds the ids that link the file's row and its facts.
    let notes = IngestNotes {
        boundary: offer.options.boundary.clone(),
        new: c.new,
        unchanged: c.unchanged,
        revised: c.revised,
        skipped: report.skipped.clone(),
        accepted: policy.accept,
    };
    report.entry = Some(ledger.record_file(stamp, &file, &c.facts, &notes, head)?);
    Ok(())
}

fn held(offer: &Offer, c: &Comparison, rows: u32) -> IngestError {
    let ratio = c.median_ratio();
    IngestError::Held {
        file: offer.path.clone(),
        source_id: offer.source.clone(),
        revised: c.revised,
        rows,
        limit: offer.max_revised_share * 100.0,
        ratio: ratio.map_or_else(|| "not defined".to_owned(), |r| format!("{r:.4}")),
        hint: ratio
            .and_then(looks_like)
            .map(|h| format!(", which looks like {h}"))
            .unwrap_or_default(),
    }
}

/// The unit mistake that a ratio of new to old suggests.
#[must_use]
pub(crate) fn looks_like(ratio: f64) -> Option<&'static str> {
    const KNOWN: [(f64, &str); 8] = [
        (0.892_179, "lb/acre taken for kg/ha"),
        (1.120_851, "kg/ha taken for lb/acre"),
        (25.4, "millimetres taken for inches"),
        (0.039_370, "inches taken for millimetres"),
        (10.0, "a factor of ten"),
        (0.1, "a factor of ten"),
        (1000.0, "a factor of a thousand"),
        (0.001, "a factor of a thousand"),
    ];
    KNOWN
        .iter()
        .find(|(r, _)| (ratio / r - 1.0).abs() < 0.002)
        .map(|(_, name)| *name)
}
