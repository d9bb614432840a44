//! Queries of the ledger.

use crate::entry::EntryNumber;
use provender_domain::ids::BoundaryId;
use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::LedgerError;
use crate::entry::{Entry, Kind};
use crate::inspect::Inspect;
use crate::store::{Coverage, Extent, Read, RunPlace, Series};
use crate::types::{
    Activation, Config, Document, File, Guardrail, LatestRun, LedgerId, NewRun, Observed, Run,
    RunFilter, Sourced,
};
use provender_domain::canonical::{Digest, Recipe};
use provender_domain::day::Day;
use provender_domain::key::RunKey;
use provender_domain::place::{Boundary, Herd};

use super::SqliteLedger;
use super::locator;
use super::open::translate;
use super::rows::{
    activations_of, boundary, boundary_row, day, digest, entry_row, herd, herd_row, observed_row,
    optional_day, run_row,
};

/// The first schema with an id.
const WITH_ID: i64 = 4;

/// A fact is in force if its entry is known and its file was not retracted by then.
const IN_FORCE: &str = "LEFT JOIN retraction x ON x.file_id = f.file_id AND x.entry <= ?1 WHERE f.entry <= ?1 AND x.file_id IS NULL";

pub(super) const RUN_COLUMNS: &str =
    "SELECT s.boundary_id, s.herd_config_id, r.date, s.model_version, c.digest, s.reissue,
    r.provenance, r.snapshot, r.manifest, r.guardrail, r.outputs, r.entry,
    pc.digest, ps.reissue, k.digest, r.place, nc.digest, ns.reissue
  FROM series s
  JOIN config c ON c.config_id = s.config_id
  JOIN run r ON r.series_id = s.series_id
  LEFT JOIN pack k ON k.pack_id = r.pack
  LEFT JOIN series ps ON ps.series_id = r.replaces
  LEFT JOIN config pc ON pc.config_id = ps.config_id
  LEFT JOIN run n ON n.replaces = r.series_id AND n.date = r.date
  LEFT JOIN series ns ON ns.series_id = n.series_id
  LEFT JOIN config nc ON nc.config_id = ns.config_id";

pub(super) fn head(db: &Connection) -> Result<Option<(EntryNumber, [u8; 32])>, LedgerError> {
    db.prepare_cached("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1")
        .and_then(|mut s| s.query_row([], |r| Ok((r.get(0)?, r.get(1)?))).optional())
        .map_err(translate)
}

/// The kinds as an SQL list. Their names are constants of this program.
fn list_of(kinds: &[Kind]) -> String {
    let names: Vec<String> = kinds.iter().map(|k| format!("'{}'", k.name())).collect();
    names.join(", ")
}

/// Number of the newest entry of these kinds; 0 if there is none.
pub(super) fn last_of(db: &Connection, kinds: &[Kind]) -> Result<EntryNumber, LedgerError> {
    let sql = format!(
        "SELECT coalesce(max(seq), 0) FROM entry WHERE kind IN ({})",
        list_of(kinds)
    );
    db.query_row(&sql, [], |r| r.get(0)).map_err(translate)
}

/// The SQL condition of a filter on series `s` and runs `r`, without its configurations. Uses plain equality
/// where possible, so that the index of series is used.
pub(super) fn where_of(filter: &RunFilter) -> String {
    let is = |column: &str, n: u8, given: bool| match given {
        true => format!("s.{column} = ?{n}"),
        false => format!("?{n} IS NULL"),
    };
    format!(
        "{} AND {}
           AND (?3 IS NULL OR s.model_version = ?3 OR substr(s.model_version, 1, length(?3) + 1) = ?3 || ':')
           AND r.date >= ?4 AND r.date <= ?5",
        is("boundary_id", 1, filter.boundary_id.is_some()),
        is("herd_config_id", 2, filter.herd_config_id.is_some()),
    )
}

/// Parameters for [`where_of`].
pub(super) fn parameters_of(
    filter: &RunFilter,
) -> (Option<&str>, Option<&str>, Option<&str>, i32, i32) {
    (
        filter.boundary_id.as_deref(),
        filter.herd_config_id.as_deref(),
        filter.logic.as_deref(),
        filter.from.unwrap_or(Day::MIN).days(),
        filter.to.unwrap_or(Day::MAX).days(),
    )
}

pub(super) fn run(db: &Connection, key: &RunKey) -> Result<Option<Run>, LedgerError> {
    let sql = format!(
        "{RUN_COLUMNS} WHERE s.boundary_id = ? AND s.herd_config_id = ? AND s.model_version = ? AND c.digest = ? AND s.reissue = ? AND r.date = ?"
    );
    db.prepare_cached(&sql)
        .and_then(|mut s| {
            let k = params![
                key.boundary_id.as_str(),
                key.herd_config_id.as_str(),
                key.model_version.as_str(),
                key.config_version.config.bytes(),
                key.config_version.reissue,
                key.calculation_date.days()
            ];
            s.query_row(k, run_row).optional()
        })
        .map_err(translate)
}

fn collect<T>(
    db: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, LedgerError> {
    let span = tracing::debug_span!(
        target: "provender::ledger",
        "read",
        table = table_of(sql),
        rows = tracing::field::Empty,
    )
    .entered();
    let mut statement = db.prepare_cached(sql).map_err(translate)?;
    let rows = statement.query_map(parameters, row).map_err(translate)?;
    let rows: Vec<T> = rows.collect::<Result<_, _>>().map_err(translate)?;
    span.record("rows", rows.len());
    Ok(rows)
}

/// The table that a query reads first.
fn table_of(sql: &str) -> &str {
    let after = sql.split_once("FROM ").map_or("", |(_, after)| after);
    after
        .split_once(char::is_whitespace)
        .map_or(after, |(table, _)| table)
}

impl Read for SqliteLedger {
    fn id(&self) -> Result<Option<LedgerId>, LedgerError> {
        if self.schema < WITH_ID {
            return Ok(None);
        }
        let id = self
            .db
            .query_row(
                "SELECT id, copy FROM main.identity WHERE one = 1",
                [],
                |r| Ok((r.get::<_, [u8; 16]>(0)?, r.get::<_, [u8; 16]>(1)?)),
            )
            .optional()
            .map_err(translate)?;
        match id {
            Some((id, copy)) if id == copy => Ok(Some(LedgerId::new(id))),
            _ => Err(LedgerError::Damaged(
                "its id is missing or changed".to_owned(),
            )),
        }
    }

    fn head(&self) -> Result<EntryNumber, LedgerError> {
        Ok(head(&self.db)?.map_or(EntryNumber::NONE, |(seq, _)| seq))
    }

    fn known_at(&self, instant: &str) -> Result<EntryNumber, LedgerError> {
        self.db
            .query_row(
                "SELECT coalesce(max(seq), 0) FROM entry WHERE at <= ?",
                [instant],
                |r| r.get(0),
            )
            .map_err(translate)
    }

    fn entries(&self, kind: Option<Kind>) -> Result<Vec<Entry>, LedgerError> {
        let sql = "SELECT seq, at, kind, actor, reason, payload, prev, hash FROM entry WHERE ?1 IS NULL OR kind = ?1 ORDER BY seq";
        collect(&self.db, sql, [kind.map(Kind::name)], entry_row)
    }

    fn entry(&self, seq: EntryNumber) -> Result<Option<Entry>, LedgerError> {
        self.db
            .prepare_cached(
                "SELECT seq, at, kind, actor, reason, payload, prev, hash FROM entry WHERE seq = ?",
            )
            .and_then(|mut s| s.query_row([seq], entry_row).optional())
            .map_err(translate)
    }

    fn entries_of_kinds(&self, kinds: &[Kind]) -> Result<Vec<Entry>, LedgerError> {
        let sql = format!(
            "SELECT seq, at, kind, actor, reason, payload, prev, hash FROM entry WHERE kind IN ({}) ORDER BY seq",
            list_of(kinds)
        );
        collect(&self.db, &sql, [], entry_row)
    }

    fn document(&self, digest: Digest) -> Result<Option<Document>, LedgerError> {
        self.db
            .prepare_cached("SELECT kind, body FROM report WHERE digest = ?")
            .and_then(|mut s| {
                s.query_row([digest.bytes()], |r| Ok((r.get(0)?, r.get(1)?)))
                    .optional()
            })
            .map_err(translate)?
            .map(|(kind, body): (String, String)| {
                let damaged =
                    |e| LedgerError::Damaged(format!("the document {}: {e}", digest.short()));
                Ok(Document {
                    kind: kind.parse().map_err(damaged)?,
                    digest,
                    body,
                })
            })
            .transpose()
    }

    fn files(&self) -> Result<Vec<File>, LedgerError> {
        let sql = "SELECT f.file_id, f.entry, f.source, f.kind, f.format, f.path, f.sha256, f.rows, x.entry
                   FROM file f LEFT JOIN retraction x USING (file_id) ORDER BY f.file_id";
        collect(&self.db, sql, [], |r| {
            Ok(File {
                file_id: r.get(0)?,
                entry: r.get(1)?,
                source: r.get(2)?,
                kind: r.get(3)?,
                format: r.get(4)?,
                path: r.get(5)?,
                sha256: digest(r, 6, Recipe::Raw)?,
                rows: r.get(7)?,
                retracted: r.get(8)?,
            })
        })
    }

    fn boundaries(
        &self,
        id: Option<&BoundaryId>,
        known: EntryNumber,
    ) -> Result<Vec<(Day, Sourced<Boundary>)>, LedgerError> {
        let only = match id {
            Some(_) => "f.boundary_id = ?2",
            None => "?2 IS NULL",
        };
        let sql = format!(
            "SELECT f.boundary_id, f.effective_date, f.entry, f.name, f.geometry, f.area_ha, f.declared_area_ha, f.file_id, f.row
             FROM boundary f {IN_FORCE} AND {only}
             ORDER BY f.boundary_id, f.effective_date, f.entry"
        );
        collect(
            &self.db,
            &sql,
            params![known, id.map(BoundaryId::as_str)],
            boundary_row,
        )
    }

    fn herds(
        &self,
        boundary: Option<&BoundaryId>,
        known: EntryNumber,
    ) -> Result<Vec<Sourced<Herd>>, LedgerError> {
        let only = match boundary {
            Some(_) => {
                "f.herd_config_id IN (SELECT herd_config_id FROM herd WHERE boundary_id = ?2)"
            }
            None => "?2 IS NULL",
        };
        let sql = format!(
            "SELECT f.herd_config_id, f.boundary_id, f.effective_date, f.entry, f.end_date, f.name, f.animal_count,
               f.daily_intake_kg_per_head, f.average_weight_kg, f.utilization_target_pct, f.animal_type, f.class, f.file_id, f.row
             FROM herd f {IN_FORCE} AND {only}
             ORDER BY f.herd_config_id, f.boundary_id, f.effective_date, f.entry"
        );
        collect(
            &self.db,
            &sql,
            params![known, boundary.map(BoundaryId::as_str)],
            herd_row,
        )
    }

    fn observations(
        &self,
        boundary_id: &BoundaryId,
        column: &str,
        known: EntryNumber,
    ) -> Result<Vec<Sourced<Observed>>, LedgerError> {
        let sql = format!(
            "SELECT t.source, f.date, f.value, f.entry, f.file_id, f.row
             FROM stream t JOIN observation f ON f.stream_id = t.stream_id {IN_FORCE}
               AND t.boundary_id = ?2 AND t.column_name = ?3
             ORDER BY f.date, t.source, f.entry"
        );
        collect(
            &self.db,
            &sql,
            params![known, boundary_id.as_str(), column],
            observed_row,
        )
    }

    fn all_observations(
        &self,
        boundary_id: &BoundaryId,
        column: &str,
    ) -> Result<Vec<Sourced<Observed>>, LedgerError> {
        let sql = "SELECT t.source, f.date, f.value, f.entry, f.file_id, f.row
                   FROM stream t JOIN observation f ON f.stream_id = t.stream_id
                   WHERE t.boundary_id = ?1 AND t.column_name = ?2
                   ORDER BY f.date, t.source, f.entry";
        collect(&self.db, sql, [boundary_id.as_str(), column], observed_row)
    }

    fn coverage(&self, known: EntryNumber) -> Result<Vec<Coverage>, LedgerError> {
        let sql = format!(
            "SELECT t.boundary_id, t.column_name, t.source, count(DISTINCT f.date), min(f.date), max(f.date)
             FROM stream t JOIN observation f ON f.stream_id = t.stream_id {IN_FORCE} AND f.value IS NOT NULL
             GROUP BY t.stream_id ORDER BY t.column_name, t.boundary_id, t.source"
        );
        collect(&self.db, &sql, params![known], |r| {
            Ok(Coverage {
                boundary_id: boundary(r, 0)?,
                column: r.get(1)?,
                source: r.get(2)?,
                days: r.get::<_, i64>(3)?.unsigned_abs(),
                first: optional_day(r, 4)?,
                newest: optional_day(r, 5)?,
            })
        })
    }

    fn config(&self, digest: Digest) -> Result<Option<Config>, LedgerError> {
        self.db
            .query_row(
                "SELECT canonical FROM config WHERE digest = ?",
                [digest.bytes()],
                |r| r.get(0),
            )
            .optional()
            .map(|text| text.map(|canonical| Config { digest, canonical }))
            .map_err(translate)
    }

    fn newest_reissue(&self, key: &RunKey) -> Result<Option<Run>, LedgerError> {
        let sql = format!(
            "{RUN_COLUMNS} WHERE s.boundary_id = ? AND s.herd_config_id = ? AND s.model_version = ? AND c.digest = ? AND r.date = ?
             ORDER BY s.reissue DESC LIMIT 1"
        );
        self.db
            .prepare_cached(&sql)
            .and_then(|mut s| {
                let k = params![
                    key.boundary_id.as_str(),
                    key.herd_config_id.as_str(),
                    key.model_version.as_str(),
                    key.config_version.config.bytes(),
                    key.calculation_date.days()
                ];
                s.query_row(k, run_row).optional()
            })
            .map_err(translate)
    }

    fn latest_runs(
        &self,
        series: Series<'_>,
        from: Day,
        to: Day,
    ) -> Result<Vec<LatestRun>, LedgerError> {
        let sql = "SELECT r.date, r.provenance, r.guardrail, r.outputs
                   FROM series s JOIN config c USING (config_id) JOIN run r USING (series_id)
                   WHERE s.boundary_id = ? AND s.herd_config_id = ? AND s.model_version = ? AND c.digest = ?
                     AND r.date BETWEEN ? AND ?
                   ORDER BY r.date, s.reissue DESC";
        let parameters = params![
            series.boundary_id.as_str(),
            series.herd_config_id.as_str(),
            series.model_version.as_str(),
            series.config.bytes(),
            from.days(),
            to.days()
        ];
        let mut latest_runs = collect(&self.db, sql, parameters, |r| {
            let guardrail = r.get(2)?;
            Ok(LatestRun {
                day: day(r, 0)?,
                provenance: digest(r, 1, Recipe::JcsV1)?,
                guardrail: Guardrail::from_number(guardrail)
                    .ok_or(rusqlite::Error::IntegralValueOutOfRange(2, guardrail))?,
                outputs: r.get(3)?,
            })
        })?;
        // The newest entry of each day comes first.
        latest_runs.dedup_by_key(|s| s.day);
        Ok(latest_runs)
    }

    fn run(&self, key: &RunKey) -> Result<Option<Run>, LedgerError> {
        run(&self.db, key)
    }

    fn keys_with_id(&self, digits: &str) -> Result<Vec<RunKey>, LedgerError> {
        locator::keys_with_id(&self.db, digits)
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, LedgerError> {
        let sql = format!(
            "{RUN_COLUMNS} WHERE {}
             ORDER BY s.boundary_id, s.herd_config_id, s.model_version, r.date, c.digest, s.reissue",
            where_of(filter)
        );
        let mut runs = collect(&self.db, &sql, parameters_of(filter), run_row)?;
        if let Some(configs) = &filter.configs {
            runs.retain(|r| {
                configs.iter().any(|(m, c)| {
                    *m == r.run.key.model_version && *c == r.run.key.config_version.config
                })
            });
        }
        Ok(runs)
    }

    fn extent(&self, filter: &RunFilter) -> Result<Vec<Extent>, LedgerError> {
        let sql = format!(
            "SELECT s.boundary_id, s.herd_config_id, count(*), min(r.date), max(r.date)
             FROM series s JOIN run r ON r.series_id = s.series_id WHERE {}
             GROUP BY s.boundary_id, s.herd_config_id ORDER BY s.boundary_id, s.herd_config_id",
            where_of(filter)
        );
        collect(&self.db, &sql, parameters_of(filter), |r| {
            Ok(Extent {
                boundary_id: boundary(r, 0)?,
                herd_config_id: herd(r, 1)?,
                runs: r.get::<_, i64>(2)?.unsigned_abs(),
                first: day(r, 3)?,
                last: day(r, 4)?,
            })
        })
    }

    fn activations(&self) -> Result<Vec<Activation>, LedgerError> {
        let mut activations = Vec::new();
        for entry in self.entries_of_kinds(&[Kind::Activation, Kind::Promotion, Kind::Rollback])? {
            activations.extend(activations_of(&entry)?);
        }
        Ok(activations)
    }

    fn runs_of_entry(
        &self,
        entry: EntryNumber,
        each: &mut dyn FnMut(NewRun),
    ) -> Result<(), LedgerError> {
        locator::runs_of_entry(&self.db, entry, each)
    }

    fn runs_at_positions(
        &self,
        entry: EntryNumber,
        count: u64,
        positions: &[u64],
    ) -> Result<Vec<Run>, LedgerError> {
        locator::runs_at_positions(&self.db, entry, count, positions)
    }

    fn places(&self, filter: &RunFilter) -> Result<Vec<RunPlace>, LedgerError> {
        locator::places(&self.db, filter)
    }

    fn run_at(&self, place: RunPlace) -> Result<Option<Run>, LedgerError> {
        locator::run_at(&self.db, place.series, place.date.days())
    }

    fn newest_by_source(
        &self,
        known: EntryNumber,
        day: Day,
    ) -> Result<BTreeMap<String, Option<Day>>, LedgerError> {
        // Exclude NO_DATE: properties without a date do not become stale.
        let sql = "SELECT t.source, max(o.date) FROM stream t JOIN observation o USING (stream_id)
                   LEFT JOIN retraction x ON x.file_id = o.file_id AND x.entry <= ?1
                   WHERE o.entry <= ?1 AND x.file_id IS NULL AND o.value IS NOT NULL AND o.date > -719162 AND o.date <= ?2
                   GROUP BY t.source";
        let days = collect(&self.db, sql, params![known, day.days()], |r| {
            Ok((r.get(0)?, Day::from_days(r.get(1)?)))
        })?;
        Ok(days.into_iter().collect())
    }

    fn readers(&self, count: usize) -> Result<Vec<Box<dyn Inspect>>, LedgerError> {
        self.beside(count)
    }
}
