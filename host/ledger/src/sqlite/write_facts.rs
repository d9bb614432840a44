//! Records a file: its row, and its new and revised rows, bound by the root in its entry.

use crate::entry::EntryNumber;
use std::collections::HashSet;

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::LedgerError;
use crate::entries::{Identity, Ingest, IngestNotes, IngestedFile, Payload};
use crate::entry::{Kind, Stamp};
use crate::leaf;
use crate::types::{File, NewFacts};
use provender_domain::day::Day;

use super::SqliteLedger;
use super::open::translate;
use super::read;
use super::write::{append, commit, root_of};

/// Stands for `None` as a date in the observation table.
pub(super) const NO_DATE: i32 = -719_162;

impl SqliteLedger {
    pub(super) fn write_file(
        &self,
        stamp: &Stamp,
        file: &File,
        facts: &NewFacts,
        about: &IngestNotes,
        known: EntryNumber,
    ) -> Result<EntryNumber, LedgerError> {
        let leaves = leaf::leaves(&file.source, facts);
        let tx = self.begin()?;
        // Checked under the write lock: a file ingested by another process in the meantime would be ingested
        // twice.
        let found = read::last_of(&tx, &[Kind::Ingest, Kind::Retract])?;
        if found > known {
            return Err(LedgerError::Moved {
                expected: known,
                found,
            });
        }
        let file_id: i64 = tx
            .query_row("SELECT coalesce(max(file_id), 0) + 1 FROM file", [], |r| {
                r.get(0)
            })
            .map_err(translate)?;
        // The entry binds every column of the file's row, and a root over its rows.
        let payload = Payload::Ingest(Ingest {
            file: IngestedFile {
                source: file.source.clone(),
                kind: file.kind.clone(),
                format: file.format.clone(),
                path: file.path.clone(),
                sha256: file.sha256,
                rows: file.rows,
                identity: Some(Identity {
                    file: file_id,
                    count: leaves.len() as u64,
                    root: root_of(leaves),
                }),
            },
            notes: about.clone(),
        });
        let entry = append(&tx, stamp, &payload)?.seq;
        tx.execute(
            "INSERT INTO file (file_id, entry, source, kind, format, path, sha256, rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![file_id, entry, file.source, file.kind, file.format, file.path, file.sha256.bytes(), file.rows],
        )
        .map_err(translate)?;
        insert_places(&tx, entry, file_id, facts)?;
        insert_observations(&tx, entry, file_id, &file.source, facts)?;
        commit(tx)?;
        Ok(entry)
    }
}

fn insert_places(
    tx: &Transaction<'_>,
    entry: EntryNumber,
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
                b.boundary_id.as_str(),
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
                h.herd_config_id.as_str(),
                h.boundary_id.as_str(),
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
    entry: EntryNumber,
    file_id: i64,
    source: &str,
    facts: &NewFacts,
) -> Result<(), LedgerError> {
    let mut streams = Vec::with_capacity(facts.streams.len());
    let used: HashSet<usize> = facts.observations.iter().map(|o| o.stream).collect();
    for (i, of) in facts.streams.iter().enumerate() {
        // Create streams only with an observation: no entry would account for an empty stream.
        if !used.contains(&i) {
            streams.push(None);
            continue;
        }
        let known: Option<i64> = tx
            .query_row(
                "SELECT stream_id FROM stream WHERE boundary_id = ? AND column_name = ? AND source = ?",
                [of.boundary_id.as_str(), of.column.as_str(), source],
                |r| r.get(0),
            )
            .optional()
            .map_err(translate)?;
        let id = if let Some(id) = known {
            id
        } else {
            tx.execute(
                "INSERT INTO stream (boundary_id, column_name, source) VALUES (?, ?, ?)",
                [of.boundary_id.as_str(), of.column.as_str(), source],
            )
            .map_err(translate)?;
            tx.last_insert_rowid()
        };
        streams.push(Some(id));
    }
    let mut insert = tx
        .prepare_cached("INSERT INTO observation (stream_id, date, entry, value, file_id, row) VALUES (?, ?, ?, ?, ?, ?)")
        .map_err(translate)?;
    for o in &facts.observations {
        let stream =
            streams.get(o.stream).copied().flatten().ok_or_else(|| {
                LedgerError::Damaged("an observation without a stream".to_owned())
            })?;
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
