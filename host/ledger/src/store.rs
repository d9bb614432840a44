//! The traits through which other code reads and writes the ledger.

use crate::entry::EntryNumber;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::BTreeMap;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::key::RunKey;
use provender_domain::place::{Boundary, Herd};

use super::LedgerError;
use super::entries::{BaselineFrozen, IngestNotes, Payload, ReportKind};
use super::entry::{Entry, Kind, Stamp};
use super::inspect::Inspect;
use super::types::{
    Activation, Batch, Config, Document, File, LatestRun, LedgerId, NewFacts, NewRun, Observed,
    Recorded, Run, RunFilter, Sourced,
};

/// Reads recorded facts, runs and entries. `known` is the number of the last entry that counts, so queries can
/// return what was known in the past.
///
/// A handle is for one thread at a time; [`Read::readers`] makes more handles.
pub trait Read: Send {
    /// Which ledger this is: made with it, the same in every copy of it, and never changed. `None` if its schema is
    /// from before ids and it is only read.
    ///
    /// # Errors
    /// When the database cannot be read, or the id is damaged. The entries can still be read then.
    fn id(&self) -> Result<Option<LedgerId>, LedgerError>;

    /// Number of the newest entry; 0 if the ledger is empty.
    ///
    /// # Errors
    /// When the database cannot be read. The same holds for every read below.
    fn head(&self) -> Result<EntryNumber, LedgerError>;

    /// Number of the last entry recorded at or before an instant (RFC 3339, UTC).
    ///
    /// # Errors
    /// See [`Read::head`].
    fn known_at(&self, instant: &str) -> Result<EntryNumber, LedgerError>;

    /// Entries of a kind, or all entries, oldest first.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn entries(&self, kind: Option<Kind>) -> Result<Vec<Entry>, LedgerError>;

    /// The entry with this number.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn entry(&self, seq: EntryNumber) -> Result<Option<Entry>, LedgerError>;

    /// Entries of several kinds, read at one moment, oldest first.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn entries_of_kinds(&self, kinds: &[Kind]) -> Result<Vec<Entry>, LedgerError>;

    /// The document with this digest.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn document(&self, digest: Digest) -> Result<Option<Document>, LedgerError>;

    /// All ingested files, oldest first, with their retractions.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn files(&self) -> Result<Vec<File>, LedgerError>;

    /// Revisions of one boundary or all, by id, day and entry.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn boundaries(
        &self,
        id: Option<&BoundaryId>,
        known: EntryNumber,
    ) -> Result<Vec<(Day, Sourced<Boundary>)>, LedgerError>;

    /// Rows of all herds, or of the herds that were ever in one boundary, by id, boundary, day and entry. This
    /// includes a herd's rows in other boundaries, because they end its periods in this one.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn herds(
        &self,
        boundary: Option<&BoundaryId>,
        known: EntryNumber,
    ) -> Result<Vec<Sourced<Herd>>, LedgerError>;

    /// Observations of one column of one boundary from all sources, by date and entry. All revisions are
    /// included, later entries after earlier ones.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn observations(
        &self,
        boundary_id: &BoundaryId,
        column: &str,
        known: EntryNumber,
    ) -> Result<Vec<Sourced<Observed>>, LedgerError>;

    /// All observations ever recorded for one column of one boundary, including those of retracted files, by
    /// date, source and entry. For callers that need to know what was known at many moments.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn all_observations(
        &self,
        boundary_id: &BoundaryId,
        column: &str,
    ) -> Result<Vec<Sourced<Observed>>, LedgerError>;

    /// For every (boundary, column, source): the number of days with a value, and the newest day.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn coverage(&self, known: EntryNumber) -> Result<Vec<Coverage>, LedgerError>;

    /// The configuration with this digest.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn config(&self, digest: Digest) -> Result<Option<Config>, LedgerError>;

    /// The newest reissue, or the first recording, under a key. The reissue in `key` is ignored.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn newest_reissue(&self, key: &RunKey) -> Result<Option<Run>, LedgerError>;

    /// The newest reissue, or the first recording, of a series for each day of a period, ordered by day.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn latest_runs(
        &self,
        series: Series<'_>,
        from: Day,
        to: Day,
    ) -> Result<Vec<LatestRun>, LedgerError>;

    /// The run with exactly this key.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn run(&self, key: &RunKey) -> Result<Option<Run>, LedgerError>;

    /// Keys of the runs whose ids start with these digits, at least six, in lower-case hexadecimal.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn keys_with_id(&self, digits: &str) -> Result<Vec<RunKey>, LedgerError>;

    /// Runs that match a filter, ordered by boundary, herd, logic, date, configuration and reissue.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, LedgerError>;

    /// For every boundary and herd with matching runs: the number of runs and their first and last day, ordered
    /// by boundary and herd. The filter's configurations are ignored.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn extent(&self, filter: &RunFilter) -> Result<Vec<Extent>, LedgerError>;

    /// Activations, oldest first: single ones, and those of each logic of a promoted release.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn activations(&self) -> Result<Vec<Activation>, LedgerError>;

    /// Passes the runs of an entry to `each`, ordered by series and day.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn runs_of_entry(
        &self,
        entry: EntryNumber,
        each: &mut dyn FnMut(NewRun),
    ) -> Result<(), LedgerError>;

    /// The runs at these positions among the runs of an entry, ordered by series and day. `count` is the number
    /// of runs that the entry states; the positions must be below it.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when the number of runs is not `count`; see [`Read::head`].
    fn runs_at_positions(
        &self,
        entry: EntryNumber,
        count: u64,
        positions: &[u64],
    ) -> Result<Vec<Run>, LedgerError>;

    /// Entry, series and day of every run that matches a filter, in this order. The filter's configurations are
    /// ignored.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn places(&self, filter: &RunFilter) -> Result<Vec<RunPlace>, LedgerError>;

    /// The run at a position from [`Read::places`].
    ///
    /// # Errors
    /// See [`Read::head`].
    fn run_at(&self, place: RunPlace) -> Result<Option<Run>, LedgerError>;

    /// For each source of dated observations, the newest day with a value up to `day`.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn newest_by_source(
        &self,
        known: EntryNumber,
        day: Day,
    ) -> Result<BTreeMap<String, Option<Day>>, LedgerError>;

    /// Readers for several threads. All see the same moment and keep it until they are dropped. Empty if the
    /// store has only one connection.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn readers(&self, count: usize) -> Result<Vec<Box<dyn Inspect>>, LedgerError>;

    /// A reader that keeps the present moment until it is dropped.
    ///
    /// # Errors
    /// See [`Read::head`]; also when the store has only one connection.
    fn moment(&self) -> Result<Box<dyn Inspect>, LedgerError> {
        let reader = self.readers(1)?.pop();
        reader.ok_or_else(|| LedgerError::Damaged("its file has no name".to_owned()))
    }
}

/// Appends records; nothing is ever changed or deleted. Each method is one transaction, which is recorded durably
/// as a whole or not at all.
///
/// Text with the character U+0000 is refused with [`LedgerError::Nul`]: not every database can store it.
pub trait Write: Read {
    /// Appends a single entry without rows.
    ///
    /// # Errors
    /// When the payload has no canonical form, or the database refuses the write. The same holds for every write
    /// below.
    fn append(&self, stamp: &Stamp, payload: &Payload) -> Result<Entry, LedgerError>;

    /// Appends several entries, all or none.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn append_all(&self, stamp: &Stamp, entries: &[Payload]) -> Result<Vec<Entry>, LedgerError>;

    /// Appends several entries, all or none, and only if `last` is still the number of the newest entry of the
    /// `watched` kinds (0 if there is none). So a caller learns that another process was faster.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] if it is not; see [`Write::append`].
    fn append_expecting(
        &self,
        stamp: &Stamp,
        entries: &[Payload],
        watched: &[Kind],
        last: EntryNumber,
    ) -> Result<Vec<Entry>, LedgerError>;

    /// Records a file with its new and revised rows under one entry, and only if no file was ingested or
    /// retracted after the entry `known`, with which the file was compared.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] if one was; see [`Write::append`].
    fn record_file(
        &self,
        stamp: &Stamp,
        file: &File,
        facts: &NewFacts,
        about: &IngestNotes,
        known: EntryNumber,
    ) -> Result<EntryNumber, LedgerError>;

    /// Retracts files.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn retract(&self, stamp: &Stamp, files: &[File]) -> Result<EntryNumber, LedgerError>;

    /// Records a batch of runs under one entry, atomically. Runs whose key another process has recorded in the
    /// meantime are returned as [`Recorded::Already`] and left out of the batch.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn record_runs(&self, batch: &Batch) -> Result<Vec<Recorded>, LedgerError>;

    /// Records a report once; returns `None` if its digest is already recorded.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn record_report(
        &self,
        stamp: &Stamp,
        kind: ReportKind,
        digest: Digest,
        body: &str,
    ) -> Result<Option<EntryNumber>, LedgerError>;

    /// Appends an entry together with a document, in one transaction. A document whose digest is already recorded
    /// is not written again, but the entry is.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn record_baseline(
        &self,
        stamp: &Stamp,
        payload: BaselineFrozen,
        document: &Document,
    ) -> Result<Entry, LedgerError>;
}

/// Position of a run. The numbers are valid only for the store that returned them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPlace {
    /// The entry that recorded it.
    pub entry: EntryNumber,
    /// The number of its series.
    pub series: i64,
    /// Its day.
    pub date: Day,
}

/// Identifies the runs whose keys differ only in day and reissue.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The place.
    pub boundary_id: &'a BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: &'a HerdId,
    /// `name:version`.
    pub model_version: &'a ModelVersion,
    /// The configuration.
    pub config: Digest,
}

/// How many runs of a boundary and herd are recorded, and for which days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// Number of recorded runs, superseded ones included.
    pub runs: u64,
    /// First day with a run.
    pub first: Day,
    /// Last day with a run.
    pub last: Day,
}

/// How many values of a column are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The column.
    pub column: String,
    /// The source.
    pub source: String,
    /// Number of days with a value.
    pub days: u64,
    /// First day; `None` for a property without a date.
    pub first: Option<Day>,
    /// Newest day; `None` for a property without a date.
    pub newest: Option<Day>,
}
