//! Scans every row of the tables.

use crate::entry::EntryNumber;
use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, Row, Rows};

use crate::LedgerError;
use crate::entry::Entry;
use crate::inspect::{
    ConfigRow, Inspect, ListRow, PackRow, PackedAt, ReportRow, RunAt, RunRow, Scanned, Schema,
    SeriesKey, StreamRow, Unreadable,
};
use crate::types::{File, Guardrail, Observed, Sourced};
use provender_domain::canonical::Recipe;
use provender_domain::place::{Boundary, Herd};

use super::SqliteLedger;
use super::migrate::{STEPS, numbered};
use super::open::translate;
use super::rows;

/// The first schema with lists of runs.
const WITH_LISTS: i64 = 3;
/// Key columns of a run.
const RUN: [&str; 2] = ["series_id", "date"];
const RUNS: &str = "SELECT series_id, date, entry, provenance, snapshot, manifest, guardrail, replaces, outputs, pack, place
  FROM run WHERE (series_id, date) >= (?1, ?2) AND (series_id, date) <= (?3, ?4)";

fn is_unreached(problem: &str) -> bool {
    problem.starts_with("Page ") && problem.ends_with(": never used")
}

impl Inspect for SqliteLedger {
    fn integrity(&self) -> Result<Vec<String>, LedgerError> {
        let mut statement = self
            .db
            .prepare("PRAGMA integrity_check(20)")
            .map_err(translate)?;
        let found = statement.query_map([], |r| r.get::<_, String>(0));
        let mut lines = Vec::new();
        for problem in found.map_err(translate)? {
            match problem {
                // A heading and its details arrive as one text.
                Ok(problem) => lines.extend(
                    problem
                        .lines()
                        .filter(|line| *line != "ok" && !line.starts_with("***"))
                        .map(str::to_owned),
                ),
                // SQLite stops here; keep the problems that it reported before.
                Err(_) if !lines.is_empty() => break,
                Err(e) => return Err(translate(e)),
            }
        }
        // Pages below an unreadable page are unreachable as well; they are not separate problems.
        if lines.iter().any(|line| !is_unreached(line)) {
            lines.retain(|line| !is_unreached(line));
        }
        Ok(lines)
    }

    fn schema(&self) -> Result<Schema, LedgerError> {
        Ok(Schema {
            found: schema_of(&self.db)?,
            expected: expected_schema(version(&self.db)?)?,
        })
    }

    fn has_lists(&self) -> Result<bool, LedgerError> {
        Ok(version(&self.db)? >= WITH_LISTS)
    }

    fn scan_entries(&self, each: &mut dyn FnMut(Scanned<Entry>)) -> Result<(), LedgerError> {
        let sql =
            "SELECT seq, at, kind, actor, reason, payload, prev, hash FROM entry ORDER BY seq";
        self.scan(sql, &["seq"], rows::entry_row, each)
    }

    fn scan_files(&self, each: &mut dyn FnMut(Scanned<File>)) -> Result<(), LedgerError> {
        let sql = "SELECT file_id, entry, source, kind, format, path, sha256, rows FROM file ORDER BY file_id";
        let row = |r: &Row<'_>| {
            Ok(File {
                file_id: r.get(0)?,
                entry: r.get(1)?,
                source: r.get(2)?,
                kind: r.get(3)?,
                format: r.get(4)?,
                path: r.get(5)?,
                sha256: rows::digest(r, 6, Recipe::Raw)?,
                rows: r.get(7)?,
                retracted: None,
            })
        };
        self.scan(sql, &["file_id"], row, each)
    }

    fn scan_retractions(
        &self,
        each: &mut dyn FnMut(Scanned<(i64, EntryNumber)>),
    ) -> Result<(), LedgerError> {
        let sql = "SELECT file_id, entry FROM retraction ORDER BY file_id";
        self.scan(sql, &["file_id"], |r| Ok((r.get(0)?, r.get(1)?)), each)
    }

    fn scan_boundaries(
        &self,
        each: &mut dyn FnMut(Scanned<Sourced<Boundary>>),
    ) -> Result<(), LedgerError> {
        let sql = "SELECT boundary_id, effective_date, entry, name, geometry, area_ha, declared_area_ha, file_id, row FROM boundary";
        let key = ["boundary_id", "effective_date", "entry"];
        self.scan(sql, &key, |r| Ok(rows::boundary_row(r)?.1), each)
    }

    fn scan_herds(&self, each: &mut dyn FnMut(Scanned<Sourced<Herd>>)) -> Result<(), LedgerError> {
        let sql = "SELECT herd_config_id, boundary_id, effective_date, entry, end_date, name, animal_count,
                     daily_intake_kg_per_head, average_weight_kg, utilization_target_pct, animal_type, class, file_id, row
                   FROM herd";
        let key = ["herd_config_id", "boundary_id", "effective_date", "entry"];
        self.scan(sql, &key, rows::herd_row, each)
    }

    fn scan_streams(&self, each: &mut dyn FnMut(Scanned<StreamRow>)) -> Result<(), LedgerError> {
        let sql =
            "SELECT stream_id, boundary_id, column_name, source FROM stream ORDER BY stream_id";
        let row = |r: &Row<'_>| {
            Ok(StreamRow {
                stream_id: r.get(0)?,
                boundary_id: rows::boundary(r, 1)?,
                column: r.get(2)?,
                source: r.get(3)?,
            })
        };
        self.scan(sql, &["stream_id"], row, each)
    }

    fn scan_observations(
        &self,
        each: &mut dyn FnMut(Scanned<(i64, Sourced<Observed>)>),
    ) -> Result<(), LedgerError> {
        let sql = "SELECT '', date, value, entry, file_id, row, stream_id FROM observation";
        let row = |r: &Row<'_>| Ok((r.get(6)?, rows::observed_row(r)?));
        self.scan(sql, &["stream_id", "date", "entry"], row, each)
    }

    fn scan_configs(&self, each: &mut dyn FnMut(Scanned<ConfigRow>)) -> Result<(), LedgerError> {
        let sql = "SELECT config_id, digest, canonical FROM config ORDER BY config_id";
        let row = |r: &Row<'_>| {
            Ok(ConfigRow {
                config_id: r.get(0)?,
                digest: r.get(1)?,
                canonical: r.get(2)?,
            })
        };
        self.scan(sql, &["config_id"], row, each)
    }

    fn scan_series(&self, each: &mut dyn FnMut(Scanned<(i64, i64)>)) -> Result<(), LedgerError> {
        let sql = "SELECT series_id, config_id FROM series ORDER BY series_id";
        self.scan(sql, &["series_id"], |r| Ok((r.get(0)?, r.get(1)?)), each)
    }

    fn scan_packs(&self, each: &mut dyn FnMut(Scanned<PackRow>)) -> Result<(), LedgerError> {
        let sql = "SELECT pack_id, digest, entry FROM pack ORDER BY pack_id";
        let row = |r: &Row<'_>| {
            Ok(PackRow {
                pack_id: r.get(0)?,
                digest: r.get(1)?,
                entry: r.get(2)?,
            })
        };
        self.scan(sql, &["pack_id"], row, each)
    }

    fn scan_lists(&self, each: &mut dyn FnMut(Scanned<ListRow>)) -> Result<(), LedgerError> {
        let sql = "SELECT digit, entry, part, runs FROM locator ORDER BY digit, entry, part";
        let row = |r: &Row<'_>| {
            Ok(ListRow {
                digit: r.get(0)?,
                entry: r.get(1)?,
                part: r.get(2)?,
                runs: r.get(3)?,
            })
        };
        self.scan(sql, &["digit", "entry", "part"], row, each)
    }

    fn scan_reports(&self, each: &mut dyn FnMut(Scanned<ReportRow>)) -> Result<(), LedgerError> {
        let sql = "SELECT digest, entry, kind, body FROM report";
        let row = |r: &Row<'_>| {
            Ok(ReportRow {
                digest: r.get(0)?,
                entry: r.get(1)?,
                kind: r.get(2)?,
                body: r.get(3)?,
            })
        };
        self.scan(sql, &["digest"], row, each)
    }

    fn series_keys(&self) -> Result<HashMap<i64, Result<SeriesKey, String>>, LedgerError> {
        let sql =
            "SELECT s.series_id, s.boundary_id, s.herd_config_id, s.model_version, c.digest, s.reissue
      FROM series s LEFT JOIN config c ON c.config_id = s.config_id";
        let shared = |r: &Row<'_>| -> Result<SeriesKey, String> {
            let read = || -> rusqlite::Result<_> {
                Ok((
                    rows::boundary(r, 1)?,
                    rows::herd(r, 2)?,
                    rows::model(r, 3)?,
                    rows::version(r, 4, 5)?,
                ))
            };
            let (boundary_id, herd_config_id, model_version, version) =
                read().map_err(|e| format!("its series is malformed: {e}"))?;
            Ok(SeriesKey {
                boundary_id,
                herd_config_id,
                model_version,
                version: version.ok_or("its configuration is missing")?,
            })
        };
        let mut statement = self.db.prepare(sql).map_err(translate)?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, shared(r))));
        let rows = rows.map_err(translate)?.collect::<Result<_, _>>();
        rows.map_err(translate)
    }

    fn scan_run_places(
        &self,
        from: i64,
        below: Option<i64>,
        each: &mut dyn FnMut(Scanned<PackedAt>),
    ) -> Result<(), LedgerError> {
        let to = below.map_or_else(String::new, |below| format!(" AND series_id < {below}"));
        let sql = format!(
            "SELECT series_id, date, pack FROM run WHERE series_id >= {from}{to} ORDER BY series_id, date"
        );
        let row = |r: &Row<'_>| {
            Ok(PackedAt {
                at: RunAt {
                    series: r.get(0)?,
                    date: r.get(1)?,
                },
                pack: r.get(2)?,
            })
        };
        self.scan(&sql, &RUN, row, each)
    }

    fn scan_runs(
        &self,
        first: RunAt,
        last: RunAt,
        each: &mut dyn FnMut(Scanned<RunRow>),
    ) -> Result<(), LedgerError> {
        // Prepared once, because it runs for each segment of a scan.
        let mut statement = self.db.prepare_cached(RUNS).map_err(translate)?;
        let range = [
            first.series,
            first.date.into(),
            last.series,
            last.date.into(),
        ];
        let rows = statement.query(range).map_err(translate)?;
        hand_over(rows, &RUN, run_row, each)
    }
}

impl SqliteLedger {
    fn scan<T>(
        &self,
        sql: &str,
        key: &[&str],
        row: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        each: &mut dyn FnMut(Scanned<T>),
    ) -> Result<(), LedgerError> {
        let mut statement = self.db.prepare(sql).map_err(translate)?;
        let rows = statement.query([]).map_err(translate)?;
        hand_over(rows, key, row, each)
    }
}

fn hand_over<T>(
    mut rows: Rows<'_>,
    key: &[&str],
    row: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    each: &mut dyn FnMut(Scanned<T>),
) -> Result<(), LedgerError> {
    while let Some(r) = rows.next().map_err(translate)? {
        each(row(r).map_err(|e| Unreadable {
            id: named(r, key),
            problem: format!("the row is malformed: {e}"),
        }));
    }
    Ok(())
}

/// Reads a row of [`RUNS`].
fn run_row(r: &Row<'_>) -> rusqlite::Result<RunRow> {
    let guardrail: i64 = r.get(6)?;
    Ok(RunRow {
        series: r.get(0)?,
        day: rows::day(r, 1)?,
        entry: r.get(2)?,
        provenance: rows::digest(r, 3, Recipe::JcsV1)?,
        snapshot: rows::digest(r, 4, Recipe::JcsV1)?,
        manifest: rows::digest(r, 5, Recipe::Raw)?,
        guardrail: Guardrail::from_number(guardrail)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(6, guardrail))?,
        replaces: r.get(7)?,
        outputs: r.get(8)?,
        pack: r.get(9)?,
        place: r.get(10)?,
    })
}

/// A row's key for messages, whatever its columns contain.
fn named(r: &Row<'_>, key: &[&str]) -> String {
    let cell = |name: &&str| {
        use rusqlite::types::ValueRef;
        let shown = match r.get_ref(*name) {
            Ok(ValueRef::Integer(i)) => i.to_string(),
            Ok(ValueRef::Real(x)) => x.to_string(),
            Ok(ValueRef::Text(t)) => String::from_utf8_lossy(t).into_owned(),
            Ok(ValueRef::Blob(b)) => provender_domain::canonical::hex(b),
            Ok(ValueRef::Null) | Err(_) => "null".to_owned(),
        };
        format!("{name} {shown}")
    };
    key.iter().map(cell).collect::<Vec<_>>().join(", ")
}

/// Number of the schema. An older ledger may be read without migration.
fn version(db: &Connection) -> Result<i64, LedgerError> {
    db.pragma_query_value(None, "user_version", |r| r.get(0))
        .map_err(translate)
}

/// The schema with this number, as this program creates it.
fn expected_schema(version: i64) -> Result<BTreeMap<String, String>, LedgerError> {
    let db = Connection::open_in_memory().map_err(translate)?;
    db.execute_batch(include_str!("schema.sql"))
        .map_err(translate)?;
    for (_, step) in numbered(STEPS).filter(|(schema, _)| *schema <= version) {
        db.execute_batch(step).map_err(translate)?;
    }
    schema_of(&db)
}

fn schema_of(db: &Connection) -> Result<BTreeMap<String, String>, LedgerError> {
    // Exclude SQLite's own statistics from ANALYZE; they are not records.
    // Compare types too, because a name that was turned into a blob would read as the same text. Views and
    // triggers have no page of their own.
    let sql = "SELECT type || ' ' || name,
                 coalesce(tbl_name || ': ' || sql, tbl_name) || ' ' || typeof(type) || typeof(name) || typeof(tbl_name)
                   || typeof(sql) || CASE WHEN type IN ('view', 'trigger') THEN rootpage ELSE rootpage > 1 END
               FROM main.sqlite_schema WHERE NOT (name IN ('sqlite_stat1', 'sqlite_stat4') AND type = 'table')";
    let mut statement = db.prepare(sql).map_err(translate)?;
    let rows = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .map_err(translate)?;
    rows.collect::<Result<_, _>>().map_err(translate)
}
