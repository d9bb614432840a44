//! The traits through which the other rooms see the ledger.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::BTreeMap;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::key::RunKey;
use provender_domain::place::{Boundary, Herd};

use super::LedgerError;
use super::entries::{BaselineFrozen, FileNotes, Payload, ReportKind};
use super::entry::{Entry, Kind, Stamp};
use super::inspect::Inspect;
use super::types::{
    Activation, Batch, Config, Document, File, NewFacts, NewRun, Observed, Recorded, Run,
    RunFilter, Sourced, Standing,
};

/// What is recorded: facts, runs and entries. Reads take `known`, the number of the last entry that
/// counts, so that the past can be asked what it knew.
///
/// One thread at a time uses a handle; [`Read::readers`] gives more of them.
pub trait Read: Send {
    /// The newest entry's number; 0 for an empty ledger.
    ///
    /// # Errors
    /// When the database cannot be read. The same holds for every read below.
    fn head(&self) -> Result<i64, LedgerError>;

    /// The number of the last entry recorded at or before an instant (RFC 3339, UTC).
    ///
    /// # Errors
    /// See [`Read::head`].
    fn known_at(&self, instant: &str) -> Result<i64, LedgerError>;

    /// Entries of a kind (or all), oldest first.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn entries(&self, kind: Option<Kind>) -> Result<Vec<Entry>, LedgerError>;

    /// One entry.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn entry(&self, seq: i64) -> Result<Option<Entry>, LedgerError>;

    /// Entries of several kinds as they stood at one moment, oldest first.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn entries_of(&self, kinds: &[Kind]) -> Result<Vec<Entry>, LedgerError>;

    /// The document under a digest.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn document(&self, digest: Digest) -> Result<Option<Document>, LedgerError>;

    /// Every file taken in, oldest first, with its withdrawal.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn files(&self) -> Result<Vec<File>, LedgerError>;

    /// Revisions of boundaries (of one, or all), by id, day and entry.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn boundaries(
        &self,
        id: Option<&BoundaryId>,
        known: i64,
    ) -> Result<Vec<(Day, Sourced<Boundary>)>, LedgerError>;

    /// Rows of all herds, or of those that are ever in one boundary, by id, boundary, day and entry. A
    /// herd's rows in other boundaries are there too: they end its periods in this one.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn herds(
        &self,
        boundary: Option<&BoundaryId>,
        known: i64,
    ) -> Result<Vec<Sourced<Herd>>, LedgerError>;

    /// Observations of one column of one boundary by every source, by date and entry; revisions
    /// are all there, later entries after earlier ones.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn observations(
        &self,
        boundary_id: &BoundaryId,
        column: &str,
        known: i64,
    ) -> Result<Vec<Sourced<Observed>>, LedgerError>;

    /// Everything ever said of one column of one boundary, also by files withdrawn since, ordered
    /// by date, source and entry: for who asks what was known at many moments.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn said(
        &self,
        boundary_id: &BoundaryId,
        column: &str,
    ) -> Result<Vec<Sourced<Observed>>, LedgerError>;

    /// For every (boundary, column, source): number of days with a value and the newest of them.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn coverage(&self, known: i64) -> Result<Vec<Coverage>, LedgerError>;

    /// The configuration behind a digest.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn config(&self, digest: Digest) -> Result<Option<Config>, LedgerError>;

    /// The newest reissue (or the first recording) under a key, whatever reissue the key names.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn newest_of(&self, key: &RunKey) -> Result<Option<Run>, LedgerError>;

    /// For each day from one to another the newest reissue (or the first recording) of a series; by day.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn standings(
        &self,
        series: Series<'_>,
        from: Day,
        to: Day,
    ) -> Result<Vec<Standing>, LedgerError>;

    /// The run of exactly this key.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn run(&self, key: &RunKey) -> Result<Option<Run>, LedgerError>;

    /// The keys of the runs whose ids begin with these digits: six or more, lower-case hexadecimal.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn with_id(&self, digits: &str) -> Result<Vec<RunKey>, LedgerError>;

    /// Runs by filter, ordered by boundary, herd, logic, date, configuration, reissue.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, LedgerError>;

    /// For every boundary and herd with runs that the filter selects: how many, and their first and
    /// last day; by both. The filter's configurations are not looked at.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn extent(&self, filter: &RunFilter) -> Result<Vec<Extent>, LedgerError>;

    /// Activations, oldest first: single ones, and those of each logic of a promoted release.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn activations(&self) -> Result<Vec<Activation>, LedgerError>;

    /// Hands over the runs that an entry recorded, by series and day.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn runs_of(&self, entry: i64, each: &mut dyn FnMut(NewRun)) -> Result<(), LedgerError>;

    /// Of the runs that an entry recorded, by series and day, those at these positions, which are below
    /// `count`, the number of runs that the entry says.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when there are not as many as it says; see [`Read::head`].
    fn nth_of(&self, entry: i64, count: u64, positions: &[u64]) -> Result<Vec<Run>, LedgerError>;

    /// Entry, series and day of every run that a filter leaves, in this order. The filter's
    /// configurations are not looked at.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn places(&self, filter: &RunFilter) -> Result<Vec<RunPlace>, LedgerError>;

    /// The run at a place that [`Read::places`] gave.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn run_at(&self, place: RunPlace) -> Result<Option<Run>, LedgerError>;

    /// For each source of dated observations, the newest day with a value at or before `day`.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn newest_by_source(
        &self,
        known: i64,
        day: Day,
    ) -> Result<BTreeMap<String, Option<Day>>, LedgerError>;

    /// Several readers for threads that read side by side. All of them see one moment, and hold on to it
    /// until they are dropped. None where a store has no more than the one connection.
    ///
    /// # Errors
    /// See [`Read::head`].
    fn readers(&self, count: usize) -> Result<Vec<Box<dyn Inspect>>, LedgerError>;

    /// One reader, which holds on to the present moment until it is dropped.
    ///
    /// # Errors
    /// See [`Read::head`]; when the store has no more than the one connection.
    fn moment(&self) -> Result<Box<dyn Inspect>, LedgerError> {
        let reader = self.readers(1)?.pop();
        reader.ok_or_else(|| LedgerError::Damaged("its file has no name".to_owned()))
    }
}

/// Appends to what is recorded; nothing is ever changed or deleted. Each method is one transaction: all
/// of it is recorded, durably, or nothing.
///
/// Text with the character U+0000 is refused with [`LedgerError::Nul`]: not every database can keep it.
pub trait Write: Read {
    /// Appends an entry of its own, without rows.
    ///
    /// # Errors
    /// When the payload has no canonical form or the database refuses. The same holds for every
    /// write below.
    fn append(&self, stamp: &Stamp, payload: &Payload) -> Result<Entry, LedgerError>;

    /// Appends several entries, all or none.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn append_all(&self, stamp: &Stamp, entries: &[Payload]) -> Result<Vec<Entry>, LedgerError>;

    /// Appends several entries, all or none, and only while `last` is the number of the newest entry
    /// of the `watched` kinds (0 when there is no such entry): a caller that decided by what stood
    /// there learns that another process was faster.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] then; see [`Write::append`].
    fn append_expecting(
        &self,
        stamp: &Stamp,
        entries: &[Payload],
        watched: &[Kind],
        last: i64,
    ) -> Result<Vec<Entry>, LedgerError>;

    /// Records a file with what of it is new or revised; one entry, one transaction; and only while no
    /// file was taken in or withdrawn after the entry `known`, to which it was compared.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] then; see [`Write::append`].
    fn record_file(
        &self,
        stamp: &Stamp,
        file: &File,
        facts: &NewFacts,
        about: &FileNotes,
        known: i64,
    ) -> Result<i64, LedgerError>;

    /// Withdraws files.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn retract(&self, stamp: &Stamp, files: &[File]) -> Result<i64, LedgerError>;

    /// Records a batch of runs under one entry, atomically. Runs whose key another process has
    /// recorded meanwhile come back as [`Recorded::Already`] and are left out of the batch.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn record_runs(&self, batch: &Batch) -> Result<Vec<Recorded>, LedgerError>;

    /// Records a report once: `None` when its digest is recorded already.
    ///
    /// # Errors
    /// See [`Write::append`].
    fn record_report(
        &self,
        stamp: &Stamp,
        kind: ReportKind,
        digest: Digest,
        body: &str,
    ) -> Result<Option<i64>, LedgerError>;

    /// Appends an entry together with a document, in one transaction. A document whose digest is
    /// there already is not written twice; the entry is.
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

/// Where a run is in its ledger. The numbers mean something to the store that gave them, and to no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPlace {
    /// The entry that recorded it.
    pub entry: i64,
    /// The number of its series.
    pub series: i64,
    /// Its day.
    pub date: Day,
}

/// The runs that share everything of their key but the day and the reissue.
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

/// How many runs of a boundary and herd are recorded, and over which days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// Recorded runs, superseded ones included.
    pub runs: u64,
    /// First day of any of them.
    pub first: Day,
    /// Last day of any of them.
    pub last: Day,
}

/// How much of a column is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// The place.
    pub boundary_id: BoundaryId,
    /// The column.
    pub column: String,
    /// The source.
    pub source: String,
    /// Days with a value.
    pub days: u64,
    /// First of them; `None` for a property without a date.
    pub first: Option<Day>,
    /// Newest of them.
    pub newest: Option<Day>,
}
