//! One connection for a reader and a writer that take turns.
//!
//! SQLite reads the whole schema anew in each connection, which a short command pays for and a long one
//! does not notice. Who records in a thread of its own while others read takes a connection for each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::key::RunKey;
use provender_domain::place::{Boundary, Herd};

use super::LedgerError;
use super::entry::{Entry, Kind, Stamp};
use super::store::{Coverage, Extent, Ledger, Series};
use super::types::{
    Activation, Batch, Config, Document, File, NewFacts, Observed, Recorded, Run, RunFilter,
    Sourced, Standing,
};

/// A handle of a ledger that has others.
pub struct Shared<L>(Arc<Mutex<L>>);

impl<L> Clone for Shared<L> {
    fn clone(&self) -> Shared<L> {
        Shared(Arc::clone(&self.0))
    }
}

impl<L> Shared<L> {
    /// The first handle.
    pub fn new(ledger: L) -> Shared<L> {
        Shared(Arc::new(Mutex::new(ledger)))
    }

    /// A turn. Whoever panicked in one left no transaction open: it is rolled back when it is dropped.
    fn turn(&self) -> MutexGuard<'_, L> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Ledger> Ledger for Shared<L> {
    fn head(&self) -> Result<i64, LedgerError> {
        self.turn().head()
    }

    fn known_at(&self, instant: &str) -> Result<i64, LedgerError> {
        self.turn().known_at(instant)
    }

    fn entries(&self, kind: Option<Kind>) -> Result<Vec<Entry>, LedgerError> {
        self.turn().entries(kind)
    }

    fn entry(&self, seq: i64) -> Result<Option<Entry>, LedgerError> {
        self.turn().entry(seq)
    }

    fn entries_of(&self, kinds: &[Kind]) -> Result<Vec<Entry>, LedgerError> {
        self.turn().entries_of(kinds)
    }

    fn append(&mut self, kind: Kind, stamp: &Stamp, payload: &Json) -> Result<Entry, LedgerError> {
        self.turn().append(kind, stamp, payload)
    }

    fn append_all(
        &mut self,
        stamp: &Stamp,
        entries: &[(Kind, Json)],
    ) -> Result<Vec<Entry>, LedgerError> {
        self.turn().append_all(stamp, entries)
    }

    fn append_expecting(
        &mut self,
        stamp: &Stamp,
        entries: &[(Kind, Json)],
        watched: &[Kind],
        last: i64,
    ) -> Result<Vec<Entry>, LedgerError> {
        self.turn().append_expecting(stamp, entries, watched, last)
    }

    fn report(&self, digest: Digest) -> Result<Option<(String, String)>, LedgerError> {
        self.turn().report(digest)
    }

    fn record_file(
        &mut self,
        stamp: &Stamp,
        file: &File,
        facts: &NewFacts,
        payload: &Json,
        known: i64,
    ) -> Result<i64, LedgerError> {
        self.turn().record_file(stamp, file, facts, payload, known)
    }

    fn retract(&mut self, stamp: &Stamp, files: &[File]) -> Result<i64, LedgerError> {
        self.turn().retract(stamp, files)
    }

    fn record_runs(&mut self, batch: &Batch) -> Result<Vec<Recorded>, LedgerError> {
        self.turn().record_runs(batch)
    }

    fn record_report(
        &mut self,
        stamp: &Stamp,
        kind: &str,
        digest: Digest,
        body: &str,
    ) -> Result<Option<i64>, LedgerError> {
        self.turn().record_report(stamp, kind, digest, body)
    }

    fn record_document(
        &mut self,
        kind: Kind,
        stamp: &Stamp,
        payload: &Json,
        document: &Document,
    ) -> Result<Entry, LedgerError> {
        self.turn().record_document(kind, stamp, payload, document)
    }

    fn document(&self, digest: Digest) -> Result<Option<Document>, LedgerError> {
        self.turn().document(digest)
    }

    fn files(&self) -> Result<Vec<File>, LedgerError> {
        self.turn().files()
    }

    fn boundaries(
        &self,
        id: Option<&str>,
        known: i64,
    ) -> Result<Vec<(Day, Sourced<Boundary>)>, LedgerError> {
        self.turn().boundaries(id, known)
    }

    fn herds(&self, boundary: Option<&str>, known: i64) -> Result<Vec<Sourced<Herd>>, LedgerError> {
        self.turn().herds(boundary, known)
    }

    fn observations(
        &self,
        boundary_id: &str,
        column: &str,
        known: i64,
    ) -> Result<Vec<Sourced<Observed>>, LedgerError> {
        self.turn().observations(boundary_id, column, known)
    }

    fn said(&self, boundary_id: &str, column: &str) -> Result<Vec<Sourced<Observed>>, LedgerError> {
        self.turn().said(boundary_id, column)
    }

    fn coverage(&self, known: i64) -> Result<Vec<Coverage>, LedgerError> {
        self.turn().coverage(known)
    }

    fn config(&self, digest: Digest) -> Result<Option<Config>, LedgerError> {
        self.turn().config(digest)
    }

    fn newest_of(&self, key: &RunKey) -> Result<Option<Run>, LedgerError> {
        self.turn().newest_of(key)
    }

    fn standings(
        &self,
        series: Series<'_>,
        from: Day,
        to: Day,
    ) -> Result<Vec<Standing>, LedgerError> {
        self.turn().standings(series, from, to)
    }

    fn run(&self, key: &RunKey) -> Result<Option<Run>, LedgerError> {
        self.turn().run(key)
    }

    fn with_id(&self, digits: &str) -> Result<Vec<RunKey>, LedgerError> {
        self.turn().with_id(digits)
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, LedgerError> {
        self.turn().runs(filter)
    }

    fn extent(&self, filter: &RunFilter) -> Result<Vec<Extent>, LedgerError> {
        self.turn().extent(filter)
    }

    fn activations(&self) -> Result<Vec<Activation>, LedgerError> {
        self.turn().activations()
    }

    fn readers(&self, count: usize) -> Result<Vec<Box<dyn Ledger + Send>>, LedgerError> {
        self.turn().readers(count)
    }
}
