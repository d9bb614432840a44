//! Appends to the ledger. Each append is an immediate transaction: a deferred one that turns from reading to
//! writing would fail with "busy" at once, whatever the timeout.

use crate::entry::EntryNumber;
use std::collections::{BTreeSet, HashMap, HashSet};

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use tracing::Span;
use tracing::field::Empty;

use crate::LedgerError;
use crate::entries::{
    BaselineFrozen, DocumentRow, IngestNotes, Origin, Payload, ReportKept, ReportKind, Retract,
    RetractedFile, RunsRecorded,
};
use crate::entry::{Entry, Kind, Stamp};
use crate::nul;
use crate::store::Write;
use crate::types::{Batch, Config, Document, File, NewFacts, NewRun, Recorded};
use provender_domain::canonical::{Digest, Recipe};
use provender_domain::failpoint;
use provender_domain::key::{ConfigVersion, RunIds, RunKey};
use provender_domain::merkle;

use super::SqliteLedger;
use super::locator;
use super::open::translate;
use super::read;
use crate::located::Located;

impl SqliteLedger {
    /// Not checked by the compiler, because a handle is used through a shared reference. SQLite refuses a nested
    /// transaction.
    pub(super) fn begin(&self) -> Result<Transaction<'_>, LedgerError> {
        Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate).map_err(translate)
    }

    fn append_entries(
        &self,
        stamp: &Stamp,
        entries: &[Payload],
        expected: Option<(&[Kind], EntryNumber)>,
    ) -> Result<Vec<Entry>, LedgerError> {
        let _span = write_span(0).entered();
        let tx = self.begin()?;
        if let Some((watched, expected)) = expected {
            // Checked under the write lock, so nothing can be appended between check and append.
            let found = read::last_of(&tx, watched)?;
            if found != expected {
                return Err(LedgerError::Moved { expected, found });
            }
        }
        let written = entries
            .iter()
            .map(|payload| append(&tx, stamp, payload))
            .collect::<Result<Vec<_>, _>>()?;
        commit(tx)?;
        Ok(written)
    }
}

impl Write for SqliteLedger {
    fn append(&self, stamp: &Stamp, payload: &Payload) -> Result<Entry, LedgerError> {
        let _span = write_span(0).entered();
        let tx = self.begin()?;
        let entry = append(&tx, stamp, payload)?;
        commit(tx)?;
        Ok(entry)
    }

    fn append_all(&self, stamp: &Stamp, entries: &[Payload]) -> Result<Vec<Entry>, LedgerError> {
        self.append_entries(stamp, entries, None)
    }

    fn append_expecting(
        &self,
        stamp: &Stamp,
        entries: &[Payload],
        watched: &[Kind],
        last: EntryNumber,
    ) -> Result<Vec<Entry>, LedgerError> {
        self.append_entries(stamp, entries, Some((watched, last)))
    }

    fn record_file(
        &self,
        stamp: &Stamp,
        file: &File,
        facts: &NewFacts,
        about: &IngestNotes,
        known: EntryNumber,
    ) -> Result<EntryNumber, LedgerError> {
        nul::in_file(file, facts)?;
        let _span = write_span(file.rows as usize).entered();
        self.write_file(stamp, file, facts, about, known)
    }

    fn retract(&self, stamp: &Stamp, files: &[File]) -> Result<EntryNumber, LedgerError> {
        let _span = write_span(files.len()).entered();
        let tx = self.begin()?;
        let named = files
            .iter()
            .map(|f| RetractedFile {
                file: f.file_id,
                path: f.path.clone(),
                sha256: f.sha256,
                source: f.source.clone(),
                ingested_by: f.entry,
            })
            .collect();
        let entry = append(&tx, stamp, &Payload::Retract(Retract { files: named }))?.seq;
        for f in files {
            tx.execute(
                "INSERT INTO retraction (file_id, entry) VALUES (?, ?)",
                params![f.file_id, entry],
            )
            .map_err(translate)?;
        }
        commit(tx)?;
        Ok(entry)
    }

    fn record_runs(&self, batch: &Batch) -> Result<Vec<Recorded>, LedgerError> {
        nul::in_batch(batch)?;
        let span = tracing::info_span!(
            target: "provender::ledger",
            "record_runs",
            kind = Empty,
            batch = Empty,
            runs = batch.runs.len(),
            new = Empty,
        )
        .entered();
        let tx = self.begin()?;
        // Read under the write lock, so runs recorded by another process since planning are seen.
        let (outcomes, fresh) = sort_out(&tx, &batch.runs)?;
        span.record("new", fresh.len());
        if fresh.is_empty() {
            return Ok(outcomes);
        }
        let leaves = fresh.iter().map(|r| r.leaf()).collect();
        let packs: BTreeSet<Digest> = fresh
            .iter()
            .filter_map(|r| r.place.map(|p| p.pack))
            .collect();
        let recorded = RunsRecorded {
            context: batch.context.clone(),
            count: fresh.len() as u64,
            root: root_of(leaves),
            packs: packs.iter().copied().collect(),
        };
        let payload = match batch.context.origin {
            Origin::Reissue => Payload::Reissue(recorded),
            Origin::Answers | Origin::Version | Origin::OneOff | Origin::Canary => {
                Payload::Runs(recorded)
            }
        };
        let entry = append(&tx, &batch.stamp, &payload)?.seq;
        let mut interned = Interned::default();
        for pack in packs {
            interned.pack(&tx, pack, entry)?;
        }
        // Insert only what a run refers to: audits report rows without references as foreign.
        let used: HashSet<Digest> = fresh.iter().map(|r| r.key.config_version.config).collect();
        for config in batch.configs.iter().filter(|c| used.contains(&c.digest)) {
            interned.config(&tx, config)?;
        }
        insert_runs(&tx, entry, fresh, &mut interned)?;
        commit(tx)?;
        Ok(outcomes)
    }

    fn record_report(
        &self,
        stamp: &Stamp,
        kind: ReportKind,
        digest: Digest,
        body: &str,
    ) -> Result<Option<EntryNumber>, LedgerError> {
        nul::in_document(body)?;
        // A known report needs no write lock.
        if known_report(&self.db, digest)? {
            return Ok(None);
        }
        let _span = write_span(1).entered();
        let tx = self.begin()?;
        if known_report(&tx, digest)? {
            return Ok(None);
        }
        let payload = Payload::Report(ReportKept {
            kind,
            report: digest,
            document: Some(document_row(kind, digest, body)),
        });
        let entry = append(&tx, stamp, &payload)?.seq;
        tx.execute(
            "INSERT INTO report (digest, entry, kind, body) VALUES (?, ?, ?, ?)",
            params![digest.bytes(), entry, kind.name(), body],
        )
        .map_err(translate)?;
        commit(tx)?;
        Ok(Some(entry))
    }

    fn record_baseline(
        &self,
        stamp: &Stamp,
        payload: BaselineFrozen,
        document: &Document,
    ) -> Result<Entry, LedgerError> {
        nul::in_document(&document.body)?;
        let _span = write_span(1).entered();
        let tx = self.begin()?;
        let row = document_row(document.kind, document.digest, &document.body);
        let payload = Payload::Baseline(BaselineFrozen {
            document: Some(row),
            ..payload
        });
        let entry = append(&tx, stamp, &payload)?;
        let digest = document.digest.bytes();
        let known = known_report(&tx, document.digest)?;
        if !known {
            tx.execute(
                "INSERT INTO report (digest, entry, kind, body) VALUES (?, ?, ?, ?)",
                params![digest, entry.seq, document.kind.name(), document.body],
            )
            .map_err(translate)?;
        }
        commit(tx)?;
        Ok(entry)
    }
}

/// Whether two keys differ only in the day.
fn same_series(a: &RunKey, b: &RunKey) -> bool {
    a.boundary_id == b.boundary_id
        && a.herd_config_id == b.herd_config_id
        && a.config_version == b.config_version
        && a.model_version == b.model_version
}

/// The outcome for each run, and the runs that are not recorded yet.
fn sort_out<'r>(
    tx: &Transaction<'_>,
    runs: &'r [NewRun],
) -> Result<(Vec<Recorded>, Vec<&'r NewRun>), LedgerError> {
    let mut outcomes = Vec::with_capacity(runs.len());
    let mut fresh = Vec::with_capacity(runs.len());
    for series in runs.chunk_by(|a, b| same_series(&a.key, &b.key)) {
        let recorded = days_of(tx, series)?;
        for run in series {
            let existing = match recorded.contains(&run.key.calculation_date.days()) {
                true => read::run(tx, &run.key)?,
                false => None,
            };
            match existing {
                Some(existing) => outcomes.push(Recorded::Already(Box::new(existing))),
                None => {
                    outcomes.push(Recorded::New);
                    fresh.push(run);
                }
            }
        }
    }
    Ok((outcomes, fresh))
}

/// Inserts the runs of an entry, and the lists for finding them by id.
fn insert_runs(
    tx: &Transaction<'_>,
    entry: EntryNumber,
    runs: Vec<&NewRun>,
    interned: &mut Interned,
) -> Result<(), LedgerError> {
    let mut insert = tx
        .prepare_cached(
            "INSERT INTO run (series_id, date, entry, provenance, snapshot, manifest, guardrail, replaces, outputs, pack, place)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .map_err(translate)?;
    let mut before: Option<(&RunKey, i64, RunIds)> = None;
    let mut located = Vec::with_capacity(runs.len());
    for run in runs {
        let (key, series, mut ids) = match before.take() {
            Some(same) if same_series(same.0, &run.key) => same,
            _ => {
                let series = interned.series(tx, run, &run.key.config_version)?;
                (&run.key, series, RunIds::of(&run.key))
            }
        };
        let date = run.key.calculation_date;
        located.push(Located::new(series, date, &ids.on(date)));
        before = Some((key, series, ids));
        let replaces = run
            .replaces
            .as_ref()
            .map(|c| interned.series(tx, run, c))
            .transpose()?;
        insert
            .execute(params![
                series,
                date.days(),
                entry,
                run.provenance.bytes(),
                run.snapshot.bytes(),
                run.manifest.bytes(),
                run.guardrail.number(),
                replaces,
                run.outputs,
                run.place.map(|p| interned.packs[&p.pack]),
                run.place.map(|p| p.row),
            ])
            .map_err(translate)?;
    }
    locator::write(tx, entry, located)
}

/// Days of these runs, all of one series, on which something is recorded.
fn days_of(tx: &Transaction<'_>, runs: &[NewRun]) -> Result<HashSet<i32>, LedgerError> {
    let days = runs.iter().map(|r| r.key.calculation_date.days());
    let (Some(first), Some(last)) = (days.clone().min(), days.max()) else {
        return Ok(HashSet::new());
    };
    let Some(key) = runs.first().map(|r| &r.key) else {
        return Ok(HashSet::new());
    };
    let sql = "SELECT r.date FROM series s JOIN config c USING (config_id) JOIN run r USING (series_id)
               WHERE s.boundary_id = ? AND s.herd_config_id = ? AND s.model_version = ? AND c.digest = ? AND s.reissue = ?
                 AND r.date BETWEEN ? AND ?";
    let parameters = params![
        key.boundary_id.as_str(),
        key.herd_config_id.as_str(),
        key.model_version.as_str(),
        key.config_version.config.bytes(),
        key.config_version.reissue,
        first,
        last
    ];
    let mut statement = tx.prepare_cached(sql).map_err(translate)?;
    let days = statement
        .query_map(parameters, |r| r.get(0))
        .map_err(translate)?;
    days.collect::<Result<_, _>>().map_err(translate)
}

/// The root over rows, as payloads state it.
pub(super) fn root_of(leaves: Vec<merkle::Hash>) -> Digest {
    Digest::from_parts(Recipe::Raw, merkle::set_root(leaves))
}

/// Binds a document's row to its entry, even if its digest is not the digest of its text.
fn document_row(kind: ReportKind, digest: Digest, body: &str) -> DocumentRow {
    DocumentRow {
        kind,
        digest,
        sha256: Digest::of_bytes(body.as_bytes()),
    }
}

fn known_report(db: &rusqlite::Connection, digest: Digest) -> Result<bool, LedgerError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM report WHERE digest = ?)";
    db.query_row(sql, [digest.bytes()], |r| r.get(0))
        .map_err(translate)
}

/// The tracing span of a write, from waiting for the lock to the commit. Appended entries record their kind and
/// number in it.
fn write_span(rows: usize) -> Span {
    tracing::info_span!(
        target: "provender::ledger",
        "append",
        kind = Empty,
        entry = Empty,
        rows,
    )
}

pub(super) fn commit(tx: Transaction<'_>) -> Result<(), LedgerError> {
    failpoint::hit("ledger.before-commit");
    tx.commit().map_err(translate)?;
    failpoint::hit("ledger.after-commit");
    Ok(())
}

pub(super) fn append(
    tx: &Transaction<'_>,
    stamp: &Stamp,
    payload: &Payload,
) -> Result<Entry, LedgerError> {
    nul::in_stamp(stamp)?;
    let head = read::head(tx)?;
    let entry = payload
        .to_json()
        .and_then(|json| Entry::following(head, payload.kind(), stamp, &json))
        .map_err(|e| LedgerError::Immutable(e.to_string()))?;
    tx.prepare_cached("INSERT INTO entry (seq, at, kind, actor, reason, payload, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .and_then(|mut s| {
            s.execute(params![
                entry.seq,
                entry.stamp.at,
                entry.kind,
                entry.stamp.actor,
                entry.stamp.reason,
                entry.payload,
                entry.prev,
                entry.hash
            ])
        })
        .map_err(translate)?;
    let span = Span::current();
    span.record("kind", payload.kind().name());
    // The span has only one of the two fields: batches of runs have `batch`.
    span.record("entry", entry.seq.get());
    span.record("batch", entry.seq.get());
    Ok(entry)
}

/// Row ids of packs, configurations and series, created on first use.
#[derive(Default)]
struct Interned {
    configs: HashMap<Digest, i64>,
    packs: HashMap<Digest, i64>,
}

impl Interned {
    fn pack(
        &mut self,
        tx: &Transaction<'_>,
        digest: Digest,
        entry: EntryNumber,
    ) -> Result<(), LedgerError> {
        tx.execute(
            "INSERT INTO pack (digest, entry) VALUES (?, ?)",
            params![digest.bytes(), entry],
        )
        .map_err(translate)?;
        self.packs.insert(digest, tx.last_insert_rowid());
        Ok(())
    }

    fn config(&mut self, tx: &Transaction<'_>, config: &Config) -> Result<i64, LedgerError> {
        if let Some(id) = self.known_config(tx, config.digest)? {
            return Ok(id);
        }
        tx.execute(
            "INSERT INTO config (digest, canonical) VALUES (?, ?)",
            params![config.digest.bytes(), config.canonical],
        )
        .map_err(translate)?;
        let id = tx.last_insert_rowid();
        self.configs.insert(config.digest, id);
        Ok(id)
    }

    fn known_config(
        &mut self,
        tx: &Transaction<'_>,
        digest: Digest,
    ) -> Result<Option<i64>, LedgerError> {
        if let Some(id) = self.configs.get(&digest) {
            return Ok(Some(*id));
        }
        let id: Option<i64> = tx
            .query_row(
                "SELECT config_id FROM config WHERE digest = ?",
                [digest.bytes()],
                |r| r.get(0),
            )
            .optional()
            .map_err(translate)?;
        if let Some(id) = id {
            self.configs.insert(digest, id);
        }
        Ok(id)
    }

    fn series(
        &mut self,
        tx: &Transaction<'_>,
        run: &NewRun,
        version: &ConfigVersion,
    ) -> Result<i64, LedgerError> {
        let config = self.known_config(tx, version.config)?.ok_or_else(|| {
            LedgerError::Damaged(format!("configuration {} is not recorded", version.config))
        })?;
        let key = params![
            run.key.boundary_id.as_str(),
            run.key.herd_config_id.as_str(),
            run.key.model_version.as_str(),
            config,
            version.reissue
        ];
        let known: Option<i64> = tx
            .prepare_cached(
                "SELECT series_id FROM series
                 WHERE boundary_id = ? AND herd_config_id = ? AND model_version = ? AND config_id = ? AND reissue = ?",
            )
            .and_then(|mut s| s.query_row(key, |r| r.get(0)).optional())
            .map_err(translate)?;
        if let Some(id) = known {
            return Ok(id);
        }
        tx.prepare_cached(
            "INSERT INTO series (boundary_id, herd_config_id, model_version, config_id, reissue) VALUES (?, ?, ?, ?, ?)",
        )
        .and_then(|mut s| s.execute(key))
        .map_err(translate)?;
        Ok(tx.last_insert_rowid())
    }
}
