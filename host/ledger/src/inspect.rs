//! Everything that stands in a ledger, row by row, for an audit and a replay.
//!
//! A row that cannot be read is reported and passed over; the scan goes on.

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

/// What a scan hands over: a row, or which row could not be read and why.
pub type Scanned<T> = Result<T, Unreadable>;

/// A row that is not of the form that this program writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The row, by its key's columns.
    pub id: String,
    /// Why.
    pub problem: String,
}

/// A document as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// The digest's 32 bytes.
    pub digest: [u8; 32],
    /// The entry that wrote it.
    pub entry: i64,
    /// Its kind.
    pub kind: String,
    /// Its text.
    pub body: String,
}

/// A configuration as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigRow {
    /// Its number, by which series refer to it.
    pub config_id: i64,
    /// The digest's 32 bytes.
    pub digest: [u8; 32],
    /// Its text.
    pub canonical: String,
}

/// A stream as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRow {
    /// Its number, by which observations refer to it.
    pub stream_id: i64,
    /// The place.
    pub boundary_id: BoundaryId,
    /// The column.
    pub column: String,
    /// The source.
    pub source: String,
}

/// A list of runs as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// The first hex digit of their ids.
    pub digit: i64,
    /// The entry that recorded them.
    pub entry: i64,
    /// Number of the row among those of digit and entry, from 0.
    pub part: i64,
    /// The list, as [`crate::located`] writes it.
    pub runs: Vec<u8>,
}

/// A pack of manifests as the table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackRow {
    /// Its number, by which runs refer to it.
    pub pack_id: i64,
    /// The digest's 32 bytes.
    pub digest: [u8; 32],
    /// The entry that recorded it.
    pub entry: i64,
}

/// What the runs of a series share of their key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesKey {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// `name:version`.
    pub model_version: ModelVersion,
    /// Its configuration and reissue.
    pub version: ConfigVersion,
}

impl SeriesKey {
    /// Whether both are of one place and logic.
    pub(crate) fn is_beside(&self, other: &SeriesKey) -> bool {
        self.boundary_id == other.boundary_id
            && self.herd_config_id == other.herd_config_id
            && self.model_version == other.model_version
    }
}

/// Number of a series and days since 1970-01-01: a run's place in its table, whatever stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunAt {
    /// Number of its series.
    pub series: i64,
    /// Its day.
    pub date: i32,
}

impl std::fmt::Display for RunAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "series_id {}, date {}", self.series, self.date)
    }
}

/// A run's place and the number of the pack that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedAt {
    /// The run.
    pub at: RunAt,
    /// The pack's number.
    pub pack: Option<i64>,
}

/// A run as the table has it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// Number of its series.
    pub series: i64,
    /// Its day.
    pub day: Day,
    /// The entry that recorded it.
    pub entry: i64,
    /// Digest of component, configuration and inputs.
    pub provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub snapshot: Digest,
    /// SHA-256 of the manifest.
    pub manifest: Digest,
    /// What the guardrails said.
    pub guardrail: Guardrail,
    /// Number of the series whose run it replaces.
    pub replaces: Option<i64>,
    /// Canonical JSON list of the outputs.
    pub outputs: String,
    /// Number of the pack that has its manifest.
    pub pack: Option<i64>,
    /// The manifest's row in the pack.
    pub place: Option<u32>,
}

/// Tables, indexes, guards and views: their statements by type and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// As they are.
    pub found: BTreeMap<String, String>,
    /// As this program makes them.
    pub expected: BTreeMap<String, String>,
}

/// A ledger as it stands at one moment: all of its rows, also those that no other question would show.
/// [`Read::readers`] gives it; it holds on to its moment until it is dropped, and no writer waits for it.
pub trait Inspect: Read {
    /// What the database finds wrong with itself: pages, indexes, types, constraints. Empty when all is well.
    ///
    /// # Errors
    /// When the database cannot be read at all.
    fn integrity(&self) -> Result<Vec<String>, LedgerError>;

    /// Its tables, guards and views as they are, and as this program makes them for a ledger of its schema.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn schema(&self) -> Result<Schema, LedgerError>;

    /// Whether it keeps lists of runs. One of an older schema, read as it is, has none.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn has_lists(&self) -> Result<bool, LedgerError>;

    /// Entries, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read any further. The same holds for every scan below.
    fn scan_entries(&self, each: &mut dyn FnMut(Scanned<Entry>)) -> Result<(), LedgerError>;

    /// Files, by number. Their withdrawal is not looked at.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_files(&self, each: &mut dyn FnMut(Scanned<File>)) -> Result<(), LedgerError>;

    /// Withdrawals: the file's number and the entry's.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_retractions(
        &self,
        each: &mut dyn FnMut(Scanned<(i64, i64)>),
    ) -> Result<(), LedgerError>;

    /// Revisions of boundaries, also those of files withdrawn since.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_boundaries(
        &self,
        each: &mut dyn FnMut(Scanned<Sourced<Boundary>>),
    ) -> Result<(), LedgerError>;

    /// Rows of herds, also those of files withdrawn since.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_herds(&self, each: &mut dyn FnMut(Scanned<Sourced<Herd>>)) -> Result<(), LedgerError>;

    /// Streams, by number.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_streams(&self, each: &mut dyn FnMut(Scanned<StreamRow>)) -> Result<(), LedgerError>;

    /// Observations with the number of their stream (their source is left empty).
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

    /// Series: their number and that of their configuration.
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

    /// What the runs of each series share of their key, by the series' number; or why that cannot be read.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn series_keys(&self) -> Result<HashMap<i64, Result<SeriesKey, String>>, LedgerError>;

    /// Of every run whose series has a number from `from` on and below `below`: where it is and which pack
    /// it names, by series and day.
    ///
    /// # Errors
    /// See [`Inspect::scan_entries`].
    fn scan_run_places(
        &self,
        from: i64,
        below: Option<i64>,
        each: &mut dyn FnMut(Scanned<PackedAt>),
    ) -> Result<(), LedgerError>;

    /// The runs from one place to another, both included, by series and day.
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
