//! The report on each file given to `ingest`, and why a file can be refused.

use provender_domain::ids::HerdId;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;
use tracing::Span;

use provender_ledger::LedgerError;

use super::parsed::{Kind, ReadError};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileOutcome {
    /// It had new or revised rows, which are recorded.
    Taken,
    /// All of its rows were already recorded.
    Unchanged,
    /// It was ingested before, and a later file has revised it since.
    Superseded,
    /// It was withdrawn by `ingest retract`.
    Withdrawn,
    /// It revises more rows than is allowed without `--accept`.
    Held,
    /// It could not be used.
    Refused,
}

impl FileOutcome {
    /// The word shown to people.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            FileOutcome::Taken => "taken",
            FileOutcome::Unchanged => "unchanged",
            FileOutcome::Superseded => "superseded",
            FileOutcome::Withdrawn => "withdrawn",
            FileOutcome::Held => "held",
            FileOutcome::Refused => "refused",
        }
    }
}

/// The result of ingesting one file.
#[derive(Debug)]
pub struct FileReport {
    /// Path as it was given.
    pub path: String,
    /// Id of the source.
    pub source: String,
    /// `forage`, …; empty for a file that was not recognised.
    pub kind: String,
    /// `rap`, …; empty for a file that was not recognised.
    pub format: String,
    /// Digest of the bytes, with its recipe.
    pub sha256: String,
    /// What became of it.
    pub outcome: FileOutcome,
    /// Data rows.
    pub rows: u32,
    /// Rows with something new.
    pub new: u32,
    /// Rows whose values are already recorded.
    pub unchanged: u32,
    /// Rows whose values differ from the recorded ones.
    pub revised: u32,
    /// Rows left out by `--skip-bad-rows`.
    pub skipped: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
    /// The ledger entry that recorded it.
    pub entry: Option<EntryNumber>,
    /// Why it was not recorded.
    pub error: Option<IngestError>,
}

impl FileReport {
    /// The report on a refused file of which only the path is known.
    #[must_use]
    pub(crate) fn refused(source: &str, kind: Kind, path: &str, error: IngestError) -> FileReport {
        FileReport {
            path: path.to_owned(),
            source: source.to_owned(),
            kind: kind.name().to_owned(),
            format: String::new(),
            sha256: String::new(),
            outcome: FileOutcome::Refused,
            rows: 0,
            new: 0,
            unchanged: 0,
            revised: 0,
            skipped: Vec::new(),
            warnings: Vec::new(),
            entry: None,
            error: Some(error),
        }
    }

    /// Records the counts in a tracing span.
    pub(super) fn note(&self, span: &Span) {
        span.record("rows", self.rows);
        span.record("new", self.new);
        span.record("unchanged", self.unchanged);
        span.record("revised", self.revised);
        span.record("outcome", self.outcome.word());
        if let Some(entry) = self.entry {
            span.record("entry", entry.get());
        }
    }

    /// The report as JSON.
    #[must_use]
    pub fn answer(&self) -> FileAnswer<'_> {
        FileAnswer {
            path: &self.path,
            source: &self.source,
            kind: &self.kind,
            format: &self.format,
            sha256: &self.sha256,
            outcome: self.outcome,
            rows: self.rows,
            new: self.new,
            unchanged: self.unchanged,
            revised: self.revised,
            skipped: self.skipped.len(),
            skipped_rows: &self.skipped,
            warnings: &self.warnings,
            entry: self.entry,
            error: self.error.as_ref().map(|e| FileError {
                code: e.code(),
                message: e.to_string(),
            }),
        }
    }
}

/// The result of ingesting one file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileAnswer<'a> {
    /// Its path as it was given; relative to the deployment's folder if it is inside.
    path: &'a str,
    /// Id of the source; empty if it could not be determined.
    source: &'a str,
    /// `boundaries`, `herds`, `forage`, `weather`, `soil` or `series`; empty for a file that was not recognised.
    kind: &'a str,
    /// Its format, such as `rap`; empty for a file that was not recognised.
    format: &'a str,
    /// Digest of its bytes; empty for a file that could not be read.
    sha256: &'a str,
    /// What became of it.
    outcome: FileOutcome,
    /// Data rows.
    rows: u32,
    /// Rows with something new.
    new: u32,
    /// Rows whose values are already recorded.
    unchanged: u32,
    /// Rows whose values differ from the recorded ones.
    revised: u32,
    /// How many rows `--skip-bad-rows` left out.
    skipped: usize,
    /// Those rows, each with what is wrong.
    skipped_rows: &'a [String],
    /// Warnings that do not prevent the file from being recorded.
    warnings: &'a [String],
    /// The ledger entry that recorded it; null if nothing was recorded.
    entry: Option<EntryNumber>,
    /// Why it was not recorded; null if it was.
    error: Option<FileError>,
}

/// Why a file was not recorded.
#[derive(Debug, Serialize, JsonSchema)]
struct FileError {
    /// A stable code.
    code: &'static str,
    /// What is wrong, with the value in it.
    message: String,
}

/// Why a file was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// It cannot be read from disk.
    #[error("{file}: {cause}")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        cause: std::io::Error,
    },
    /// It is larger than `limits.input_mib`.
    #[error(
        "{file}: {cause}; split it, or raise limits.input_mib in provender.toml. Nothing was recorded"
    )]
    TooLarge {
        /// Which file.
        file: String,
        /// The error with the limit.
        cause: std::io::Error,
    },
    /// A reader refused it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It revises too many rows.
    #[error(
        "{file}: {revised} of {rows} rows differ from what source {source_id} gave before (the limit is {limit:.0} %); \
         the median ratio of new to old is {ratio}{hint}. Nothing was recorded; if the change is intended, run again with --accept"
    )]
    Held {
        /// Which file.
        file: String,
        /// Id of the source.
        source_id: String,
        /// Rows revised.
        revised: u32,
        /// Rows in all.
        rows: u32,
        /// The limit, percent.
        limit: f64,
        /// Median of new divided by old, as text.
        ratio: String,
        /// The unit mistake that the ratio suggests, or empty.
        hint: String,
    },
    /// A file that was ingested before, and of which rows have been revised since.
    #[error(
        "{file} was ingested before (entry {entry}) and {revised} of its rows have been revised since; \
         ingesting it again would restore the old values. If that is intended, run again with --accept"
    )]
    Older {
        /// Which file.
        file: String,
        /// The entry that recorded it.
        entry: EntryNumber,
        /// Rows that would get their old values back.
        revised: u32,
    },
    /// A withdrawn file.
    #[error(
        "{file} was withdrawn (entry {entry}: {reason}); to use it anyway, run again with --accept"
    )]
    Withdrawn {
        /// Which file.
        file: String,
        /// The entry that withdrew it.
        entry: EntryNumber,
        /// The reason for the withdrawal.
        reason: String,
    },
    /// Two periods of a herd overlap.
    #[error(
        "{file}: herd {herd}: the period {first} overlaps the period {second}; end the earlier one before the later one starts"
    )]
    Overlap {
        /// Which file.
        file: String,
        /// The herd.
        herd: HerdId,
        /// Boundary and days of the first period.
        first: String,
        /// Boundary and days of the second period.
        second: String,
    },
    /// A retraction of a file that was never ingested.
    #[error(
        "{file} was never ingested: give `provender ingest retract` the path under which it was ingested, or sha256:<digest>{known}"
    )]
    NeverTaken {
        /// What was named.
        file: String,
        /// The most similar known files.
        known: String,
    },
    /// A pattern of `sources.toml` that matches nothing.
    #[error("source {source_id}: no file matches {pattern}")]
    NoFile {
        /// Id of the source.
        source_id: String,
        /// The pattern.
        pattern: String,
    },
    /// An error of the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl IngestError {
    /// The error for a file that could not be read from disk.
    #[must_use]
    pub(crate) fn unread(file: String, cause: std::io::Error) -> IngestError {
        match cause.kind() {
            std::io::ErrorKind::FileTooLarge => IngestError::TooLarge { file, cause },
            _ => IngestError::Io { file, cause },
        }
    }

    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            IngestError::TooLarge { .. } => "file_too_large",
            IngestError::Io { .. } => "file_unreadable",
            IngestError::Read(_) => "bad_input",
            IngestError::Held { .. } => "held",
            IngestError::Older { .. } => "older_file",
            IngestError::Withdrawn { .. } => "withdrawn",
            IngestError::Overlap { .. } => "overlapping_periods",
            IngestError::NeverTaken { .. } => "never_taken",
            IngestError::NoFile { .. } => "no_file",
            IngestError::Ledger(e) => e.code(),
        }
    }
}
