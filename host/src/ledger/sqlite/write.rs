//! Appends. Each is one immediate transaction: a reader that becomes a writer in a deferred one
//! would fail at once with "busy" however long the timeout.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde_json::{Value as Json, json};

use crate::domain::canonical::Digest;
use crate::domain::day::Day;
use crate::domain::key::ConfigVersion;
use crate::domain::merkle;
use crate::failpoint;
use crate::ledger::LedgerError;
use crate::ledger::entry::{Entry, Kind, Stamp};
use crate::ledger::types::{Batch, Config, Document, File, NewFacts, NewRun, Recorded};

use super::SqliteLedger;
use super::open::translate;
use super::read;

/// `None` as a date in the observation table.
pub(super) const NO_DATE: i32 = -719_162;

impl SqliteLedger {
    fn begin(&mut self) -> Result<Transaction<'_>, LedgerError> {
        self.db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(translate)
    }

    pub(super) fn append_entry(
        &mut self,
        kind: Kind,
        stamp: &Stamp,
        payload: &Json,
    ) -> Result<Entry, LedgerError> {
        let tx = self.begin()?;
        let entry = append(&tx, kind, stamp, payload)?;
        commit(tx)?;
        Ok(entry)
    }

    pub(super) fn append_entries(
        &mut self,
        stamp: &Stamp,
        entries: &[(Kind, Json)],
        expected: Option<(&[Kind], i64)>,
    ) -> Result<Vec<Entry>, LedgerError> {
        let tx = self.begin()?;
        if let Some((watched, expected)) = expected {
            // Under the write lock: nobody can come between looking and appending.
            let found = read::last_of(&tx, watched)?;
            if found != expected {
                return Err(LedgerError::Moved { expected, found });
            }
        }
        let written = entries
            .iter()
            .map(|(kind, payload)| append(&tx, *kind, stamp, payload))
            .collect::<Result<Vec<_>, _>>()?;
        commit(tx)?;
        Ok(written)
    }

    pub(super) fn write_file(
        &mut self,
        stamp: &Stamp,
        file: &File,
        facts: &NewFacts,
        payload: &Json,
        known: i64,
    ) -> Result<i64, LedgerError> {
        let tx = self.begin()?;
        // Under the write lock: what another process took in meanwhile would be taken in twice.
        let found = read::last_of(&tx, &[Kind::Ingest, Kind::Retract])?;
        if found > known {
            return Err(LedgerError::Moved {
                expected: known,
                found,
            });
        }
        let entry = append(&tx, Kind::Ingest, stamp, payload)?.seq;
        tx.execute(
            "INSERT INTO file (entry, source, kind, format, path, sha256, rows) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![entry, file.source, file.kind, file.format, file.path, file.sha256.bytes(), file.rows],
        )
        .map_err(translate)?;
        let file_id = tx.last_insert_rowid();
        insert_places(&tx, entry, file_id, facts)?;
        insert_observations(&tx, entry, file_id, &file.source, facts)?;
        commit(tx)?;
        Ok(entry)
    }

    pub(super) fn write_retraction(
        &mut self,
        stamp: &Stamp,
        files: &[File],
    ) -> Result<i64, LedgerError> {
        let tx = self.begin()?;
        let named: Vec<Json> = files
            .iter()
            .map(|f| json!({"file": f.file_id, "path": f.path, "sha256": f.sha256.to_string(), "source": f.source, "ingested_by": f.entry}))
            .collect();
        let entry = append(&tx, Kind::Retract, stamp, &json!({ "files": named }))?.seq;
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

    pub(super) fn write_runs(&mut self, batch: &Batch) -> Result<Vec<Recorded>, LedgerError> {
        let tx = self.begin()?;
        // Under the write lock: what another process recorded since the plan was made is seen here.
        let mut outcomes = Vec::with_capacity(batch.runs.len());
        let mut fresh: Vec<&NewRun> = Vec::with_capacity(batch.runs.len());
        for run in &batch.runs {
            match read::run(&tx, &run.key)? {
                Some(existing) => outcomes.push(Recorded::Already(Box::new(existing))),
                None => {
                    outcomes.push(Recorded::New);
                    fresh.push(run);
                }
            }
        }
        if fresh.is_empty() {
            return Ok(outcomes);
        }
        let leaves: Vec<[u8; 32]> = fresh.iter().map(|r| r.leaf()).collect();
        let root = Digest::from_parts(crate::domain::canonical::Recipe::Raw, merkle::root(&leaves));
        let mut payload = batch.about.clone();
        if let Json::Object(members) = &mut payload {
            members.insert("count".to_owned(), json!(fresh.len()));
            members.insert("root".to_owned(), json!(root.to_string()));
        }
        let kind = if batch.reissue {
            Kind::Reissue
        } else {
            Kind::Runs
        };
        let entry = append(&tx, kind, &batch.stamp, &payload)?.seq;
        let mut interned = Interned::default();
        for config in &batch.configs {
            interned.config(&tx, config)?;
        }
        {
            let mut insert = tx
                .prepare_cached(
                    "INSERT INTO run (series_id, date, entry, provenance, snapshot, manifest, guardrail, replaces, outputs)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .map_err(translate)?;
            for run in fresh {
                let series = interned.series(&tx, run, &run.key.config_version)?;
                let replaces = run
                    .replaces
                    .as_ref()
                    .map(|c| interned.series(&tx, run, c))
                    .transpose()?;
                insert
                    .execute(params![
                        series,
                        run.key.calculation_date.days(),
                        entry,
                        run.provenance.bytes(),
                        run.snapshot.bytes(),
                        run.manifest.bytes(),
                        run.guardrail.number(),
                        replaces,
                        run.outputs,
                    ])
                    .map_err(translate)?;
            }
        }
        commit(tx)?;
        Ok(outcomes)
    }

    pub(super) fn write_report(
        &mut self,
        stamp: &Stamp,
        kind: &str,
        digest: Digest,
        body: &str,
    ) -> Result<Option<i64>, LedgerError> {
        // What is known needs no turn to write.
        if known_report(&self.db, digest)? {
            return Ok(None);
        }
        let tx = self.begin()?;
        if known_report(&tx, digest)? {
            return Ok(None);
        }
        let payload = json!({"kind": kind, "report": digest.to_string()});
        let entry = append(&tx, Kind::Report, stamp, &payload)?.seq;
        tx.execute(
            "INSERT INTO report (digest, entry, kind, body) VALUES (?, ?, ?, ?)",
            params![digest.bytes(), entry, kind, body],
        )
        .map_err(translate)?;
        commit(tx)?;
        Ok(Some(entry))
    }

    pub(super) fn write_document(
        &mut self,
        kind: Kind,
        stamp: &Stamp,
        payload: &Json,
        document: &Document,
    ) -> Result<Entry, LedgerError> {
        let tx = self.begin()?;
        let entry = append(&tx, kind, stamp, payload)?;
        let digest = document.digest.bytes();
        let known = known_report(&tx, document.digest)?;
        if !known {
            tx.execute(
                "INSERT INTO report (digest, entry, kind, body) VALUES (?, ?, ?, ?)",
                params![digest, entry.seq, document.kind, document.body],
            )
            .map_err(translate)?;
        }
        commit(tx)?;
        Ok(entry)
    }
}

fn known_report(db: &rusqlite::Connection, digest: Digest) -> Result<bool, LedgerError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM report WHERE digest = ?)";
    db.query_row(sql, [digest.bytes()], |r| r.get(0))
        .map_err(translate)
}

fn commit(tx: Transaction<'_>) -> Result<(), LedgerError> {
    failpoint::hit("ledger.before-commit");
    tx.commit().map_err(translate)?;
    failpoint::hit("ledger.after-commit");
    Ok(())
}

fn append(
    tx: &Transaction<'_>,
    kind: Kind,
    stamp: &Stamp,
    payload: &Json,
) -> Result<Entry, LedgerError> {
    let head = read::head(tx)?;
    let entry = Entry::following(head, kind, stamp, payload)
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
    Ok(entry)
}

fn insert_places(
    tx: &Transaction<'_>,
    entry: i64,
    file_id: i64,
    facts: &NewFacts,
) -> Result<(), LedgerError> {
    for (row, effective, b) in &facts.boundaries {
        tx.prepare_cached(
            "INSERT INTO boundary (boundary_id, effective_date, entry, name, geometry, area_ha, declared_area_ha, file_id, row)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .and_then(|mut s| {
            s.execute(params![
                b.boundary_id,
                effective.days(),
                entry,
                b.name,
                b.geometry,
                b.area_ha,
                b.declared_area_ha,
                file_id,
                row
            ])
        })
        .map_err(translate)?;
    }
    for (row, h) in &facts.herds {
        tx.prepare_cached(
            "INSERT INTO herd (herd_config_id, boundary_id, effective_date, entry, end_date, name, animal_count,
               daily_intake_kg_per_head, average_weight_kg, utilization_target_pct, animal_type, class, file_id, row)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .and_then(|mut s| {
            s.execute(params![
                h.herd_config_id,
                h.boundary_id,
                h.effective_date.days(),
                entry,
                h.end_date.map(Day::days),
                h.name,
                h.animal_count,
                h.daily_intake_kg_per_head,
                h.average_weight_kg,
                h.utilization_target_pct,
                h.animal_type,
                h.class,
                file_id,
                row
            ])
        })
        .map_err(translate)?;
    }
    Ok(())
}

fn insert_observations(
    tx: &Transaction<'_>,
    entry: i64,
    file_id: i64,
    source: &str,
    facts: &NewFacts,
) -> Result<(), LedgerError> {
    let mut streams = Vec::with_capacity(facts.streams.len());
    for (boundary_id, column) in &facts.streams {
        let known: Option<i64> = tx
            .query_row(
                "SELECT stream_id FROM stream WHERE boundary_id = ? AND column_name = ? AND source = ?",
                [boundary_id.as_str(), column.as_str(), source],
                |r| r.get(0),
            )
            .optional()
            .map_err(translate)?;
        let id = if let Some(id) = known {
            id
        } else {
            tx.execute(
                "INSERT INTO stream (boundary_id, column_name, source) VALUES (?, ?, ?)",
                [boundary_id.as_str(), column.as_str(), source],
            )
            .map_err(translate)?;
            tx.last_insert_rowid()
        };
        streams.push(id);
    }
    let mut insert = tx
        .prepare_cached("INSERT INTO observation (stream_id, date, entry, value, file_id, row) VALUES (?, ?, ?, ?, ?, ?)")
        .map_err(translate)?;
    for o in &facts.observations {
        let stream = streams
            .get(o.stream)
            .copied()
            .ok_or_else(|| LedgerError::Damaged("an observation without a stream".to_owned()))?;
        insert
            .execute(params![
                stream,
                o.date.map_or(NO_DATE, Day::days),
                entry,
                o.value,
                file_id,
                o.row
            ])
            .map_err(translate)?;
    }
    Ok(())
}

/// Ids of configurations and series, made on first use.
#[derive(Default)]
struct Interned {
    configs: HashMap<Digest, i64>,
}

impl Interned {
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
            run.key.boundary_id,
            run.key.herd_config_id,
            run.key.model_version,
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
