//! Every row of a ledger, for audits and replays.
//!
//! An unreadable row is reported and skipped; the scan continues.

use crate::entry::EntryNumber;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::{BTreeMap, HashMap};

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::key::ConfigVersion;
use provender_domain::place::{Boundary, Herd};

use crate::LedgerError;
use crate::entry::Entry;
use crate::store::Read;
use crate::types::{File, Guardrail, Observed, Sourced};

/// A scanned row, or which row could not be read and why.
pub type Scanned<T> = Result<T, Unreadable>;

/// A row that is not in the form that this program writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The row, identified by its key columns.
    pub id: String,
    /// What is wrong.
    pub problem: String,
}

/// A document, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// The digest's 32 bytes.
    pub digest: [u8; 32],
    /// The entry that recorded it.
    pub entry: EntryNumber,
    /// Its kind.
    pub kind: String,
    /// Its text.
    pub body: String,
}

/// A configuration, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigRow {
    /// Number by which series refer to it.
    pub config_id: i64,
    /// The digest's 32 bytes.
    pub digest: [u8; 32],
    /// Its text.
    pub canonical: String,
}

/// A stream, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRow {
    /// Number by which observations refer to it.
    pub stream_id: i64,
    /// The place.
    pub boundary_id: BoundaryId,
    /// The column.
    pub column: String,
    /// The source.
    pub source: String,
}

/// A list of runs, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// First hex digit of the runs' ids.
    pub digit: i64,
    /// The entry that recorded them.
    pub entry: EntryNumber,
    /// Index of the row among those with the same digit and entry, from 0.
    pub part: i64,
    /// The list in the encoding of [`crate::located`].
    pub runs: Vec<u8>,
}

/// A pack of manifests, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackRow {
    /// Number by which runs refer to it.
    pub pack_id: i64,
    /// The digest's 32 bytes.
    pub digest: [u8; 32],
    /// The entry that recorded it.
    pub entry: EntryNumber,
}

/// The part of the key that the runs of a series share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesKey {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Configuration and reissue.
    pub version: ConfigVersion,
}

impl SeriesKey {
    /// Whether both have the same place and logic.
    pub(crate) fn is_beside(&self, other: &SeriesKey) -> bool {
        self.boundary_id == other.boundary_id
            && self.herd_config_id == other.herd_config_id
            && self.model_version == other.model_version
    }
}

/// Position of a run in its table: number of its series, and days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunAt {
    /// Number of its series.
    pub series: i64,
    /// Days since 1970-01-01.
    pub date: i32,
}

impl std::fmt::Display for RunAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "series_id {}, date {}", self.series, self.date)
    }
}

/// A run's position and the pack that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedAt {
    /// The run.
    pub at: RunAt,
    /// Number of the pack.
    pub pack: Option<i64>,
}

/// A run, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// Number of its series.
    pub series: i64,
    /// Calculation date.
    pub day: Day,
    /// The entry that recorded it.
    pub entry: EntryNumber,
    /// Digest of component, configuration and inputs.
    pub provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub snapshot: Digest,
    /// SHA-256 of the manifest.
    pub manifest: Digest,
    /// Result of the guardrails.
    pub guardrail: Guardrail,
    /// Number of the series whose run it replaces.
    pub replaces: Option<i64>,
    /// Canonical JSON list of the outputs.
    pub outputs: String,
    /// Number of the pack that holds its manifest.
    pub pack: Option<i64>,
    /// Row of the manifest in the pack.
    pub place: Option<u32>,
}

/// Statements of tables, indexes, guards and views, by type and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The statements in the database.
    pub found: BTreeMap<String, String>,
    /// The statements that this program would create.
    pub expected: BTreeMap<String, String>,
}

/// All rows of a ledger at one moment, including those that no other query returns. Made by [`Read::readers`]. It
/// keeps its snapshot until it is dropped, and blocks no writer.
pub trait Inspect: Read {
    /// Problems that the database finds in its own pages, indexes, types and constraints. Empty if there are
    /// none.
    ///
    /// # Errors
    /// When the database cannot be read at all.
    fn integrity(&self) -> Result<Vec<String>, LedgerError>;

    /// The database's tables, guards and views, and those this program would create for the ledger's schema.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn schema(&self) -> Result<Schema, LedgerError>;

    /// Whether the ledger has lists of runs. An older schema that was not migrated has none.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn has_lists(&self) -> Result<bool, LedgerError>;

    /// Entries, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read any further. The same holds for every scan below.
    fn scan_entries(&self, each: &mut dyn FnMut(Scanned<Entry>)) -> Result<(), LedgerError>;

    /// Files, by number, without their retractions.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_files(&self, each: &mut dyn FnMut(Scanned<File>)) -> Result<(), LedgerError>;

    /// Retractions: the number of the file and of the entry.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_retractions(
        &self,
        each: &mut dyn FnMut(Scanned<(i64, EntryNumber)>),
    ) -> Result<(), LedgerError>;

    /// Revisions of boundaries, including those of retracted files.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_boundaries(
        &self,
        each: &mut dyn FnMut(Scanned<Sourced<Boundary>>),
    ) -> Result<(), LedgerError>;

    /// Rows of herds, including those of retracted files.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_herds(&self, each: &mut dyn FnMut(Scanned<Sourced<Herd>>)) -> Result<(), LedgerError>;

    /// Streams, by number.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_streams(&self, each: &mut dyn FnMut(Scanned<StreamRow>)) -> Result<(), LedgerError>;

    /// Observations with the number of their stream; their source is left empty.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_observations(
        &self,
        each: &mut dyn FnMut(Scanned<(i64, Sourced<Observed>)>),
    ) -> Result<(), LedgerError>;

    /// Configurations.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_configs(&self, each: &mut dyn FnMut(Scanned<ConfigRow>)) -> Result<(), LedgerError>;

    /// Series: their number and the number of their configuration.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_series(&self, each: &mut dyn FnMut(Scanned<(i64, i64)>)) -> Result<(), LedgerError>;

    /// Packs of manifests, by number.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_packs(&self, each: &mut dyn FnMut(Scanned<PackRow>)) -> Result<(), LedgerError>;

    /// Lists of runs, by digit, entry and part.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_lists(&self, each: &mut dyn FnMut(Scanned<ListRow>)) -> Result<(), LedgerError>;

    /// Documents.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_reports(&self, each: &mut dyn FnMut(Scanned<ReportRow>)) -> Result<(), LedgerError>;

    /// The shared part of each series' key, by the number of the series; or why it cannot be read.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn series_keys(&self) -> Result<HashMap<i64, Result<SeriesKey, String>>, LedgerError>;

    /// Position and pack of every run whose series has a number from `from` to below `below`, ordered by series
    /// and day.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_run_places(
        &self,
        from: i64,
        below: Option<i64>,
        each: &mut dyn FnMut(Scanned<PackedAt>),
    ) -> Result<(), LedgerError>;

    /// The runs between two positions, both included, ordered by series and day.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_runs(
        &self,
        first: RunAt,
        last: RunAt,
        each: &mut dyn FnMut(Scanned<RunRow>),
    ) -> Result<(), LedgerError>;
}
