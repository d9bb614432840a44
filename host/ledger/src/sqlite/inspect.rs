//! Everything that stands in the tables, row by row, for who checks it against the entries.
//!
//! A row that cannot be read is told and passed over; the scan goes on. All scans of one snapshot see
//! the ledger at one moment, while others go on writing.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use crate::LedgerError;
use crate::entry::Entry;
use crate::types::{File, Observed, Sourced};
use provender_domain::canonical::Recipe;
use provender_domain::place::{Boundary, Herd};

use super::SqliteLedger;
use super::migrate::STEPS;
use super::open::translate;
use super::{read, rows};

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
    pub boundary_id: String,
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
    /// The list, as [`super::located`] writes it.
    pub runs: Vec<u8>,
}

/// The ledger as it stands at one moment.
pub struct Snapshot<'l> {
    db: &'l Connection,
    /// Whether it began here, and ends here.
    begun: bool,
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if !self.begun {
            return;
        }
        // Nothing was written: what cannot be ended ends with the connection.
        let _ = self.db.execute_batch("ROLLBACK");
    }
}

fn is_unreached(problem: &str) -> bool {
    problem.starts_with("Page ") && problem.ends_with(": never used")
}

impl SqliteLedger {
    /// Holds on to the present moment: every scan, and every other read through this ledger, sees the
    /// same rows until the snapshot is dropped. No writer waits for it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, LedgerError> {
        self.db.execute_batch("BEGIN").map_err(translate)?;
        let snapshot = Snapshot {
            db: &self.db,
            begun: true,
        };
        // The first read fixes the moment.
        read::head(&self.db)?;
        Ok(snapshot)
    }

    /// The moment that this reader holds on to: it is one of [`SqliteLedger::beside`].
    #[must_use]
    pub fn held(&self) -> Snapshot<'_> {
        Snapshot {
            db: &self.db,
            begun: false,
        }
    }
}

impl Snapshot<'_> {
    /// What SQLite finds wrong with its file: pages, indexes, types, constraints. Empty when all is well.
    ///
    /// # Errors
    /// When the database cannot be read at all.
    pub fn integrity(&self) -> Result<Vec<String>, LedgerError> {
        let mut statement = self
            .db
            .prepare("PRAGMA integrity_check(20)")
            .map_err(translate)?;
        let found = statement.query_map([], |r| r.get::<_, String>(0));
        let mut lines = Vec::new();
        for problem in found.map_err(translate)? {
            match problem {
                // A heading and what is below it come as one.
                Ok(problem) => lines.extend(
                    problem
                        .lines()
                        .filter(|line| *line != "ok" && !line.starts_with("***"))
                        .map(str::to_owned),
                ),
                // It says no more then; what it has said stands.
                Err(_) if !lines.is_empty() => break,
                Err(e) => return Err(translate(e)),
            }
        }
        // What hangs on a page that cannot be read is not reached.
        if lines.iter().any(|line| !is_unreached(line)) {
            lines.retain(|line| !is_unreached(line));
        }
        Ok(lines)
    }

    /// The number of its schema: an older ledger is read as it is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn version(&self) -> Result<i64, LedgerError> {
        self.db
            .pragma_query_value(None, "user_version", |r| r.get(0))
            .map_err(translate)
    }

    /// Tables, indexes, triggers and views: their statements by type and name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn schema(&self) -> Result<BTreeMap<String, String>, LedgerError> {
        schema_of(self.db)
    }

    /// How many runs there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_of_runs(&self) -> Result<u64, LedgerError> {
        self.db
            .query_row("SELECT count(*) FROM run", [], |r| r.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(translate)
    }

    /// Entries, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read any further. The same holds for every scan below.
    pub fn entries(&self, each: &mut dyn FnMut(Scanned<Entry>)) -> Result<(), LedgerError> {
        let sql =
            "SELECT seq, at, kind, actor, reason, payload, prev, hash FROM entry ORDER BY seq";
        self.scan(sql, &["seq"], rows::entry_row, each)
    }

    /// Files, by number. Their withdrawal is not looked at.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn files(&self, each: &mut dyn FnMut(Scanned<File>)) -> Result<(), LedgerError> {
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

    /// Withdrawals: the file's number and the entry's.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn retractions(
        &self,
        each: &mut dyn FnMut(Scanned<(i64, i64)>),
    ) -> Result<(), LedgerError> {
        let sql = "SELECT file_id, entry FROM retraction ORDER BY file_id";
        self.scan(sql, &["file_id"], |r| Ok((r.get(0)?, r.get(1)?)), each)
    }

    /// Revisions of boundaries, also those of files withdrawn since.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn boundaries(
        &self,
        each: &mut dyn FnMut(Scanned<Sourced<Boundary>>),
    ) -> Result<(), LedgerError> {
        let sql = "SELECT boundary_id, effective_date, entry, name, geometry, area_ha, declared_area_ha, file_id, row FROM boundary";
        let key = ["boundary_id", "effective_date", "entry"];
        self.scan(sql, &key, |r| Ok(rows::boundary_row(r)?.1), each)
    }

    /// Rows of herds, also those of files withdrawn since.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn herds(&self, each: &mut dyn FnMut(Scanned<Sourced<Herd>>)) -> Result<(), LedgerError> {
        let sql = "SELECT herd_config_id, boundary_id, effective_date, entry, end_date, name, animal_count,
                     daily_intake_kg_per_head, average_weight_kg, utilization_target_pct, animal_type, class, file_id, row
                   FROM herd";
        let key = ["herd_config_id", "boundary_id", "effective_date", "entry"];
        self.scan(sql, &key, rows::herd_row, each)
    }

    /// Streams, by number.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn streams(&self, each: &mut dyn FnMut(Scanned<StreamRow>)) -> Result<(), LedgerError> {
        let sql =
            "SELECT stream_id, boundary_id, column_name, source FROM stream ORDER BY stream_id";
        let row = |r: &Row<'_>| {
            Ok(StreamRow {
                stream_id: r.get(0)?,
                boundary_id: r.get(1)?,
                column: r.get(2)?,
                source: r.get(3)?,
            })
        };
        self.scan(sql, &["stream_id"], row, each)
    }

    /// Observations with the number of their stream (their source is left empty).
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn observations(
        &self,
        each: &mut dyn FnMut(Scanned<(i64, Sourced<Observed>)>),
    ) -> Result<(), LedgerError> {
        let sql = "SELECT '', date, value, entry, file_id, row, stream_id FROM observation";
        let row = |r: &Row<'_>| Ok((r.get(6)?, rows::observed_row(r)?));
        self.scan(sql, &["stream_id", "date", "entry"], row, each)
    }

    /// Configurations.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn configs(&self, each: &mut dyn FnMut(Scanned<ConfigRow>)) -> Result<(), LedgerError> {
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

    /// Series: their number and that of their configuration.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn series(&self, each: &mut dyn FnMut(Scanned<(i64, i64)>)) -> Result<(), LedgerError> {
        let sql = "SELECT series_id, config_id FROM series ORDER BY series_id";
        self.scan(sql, &["series_id"], |r| Ok((r.get(0)?, r.get(1)?)), each)
    }

    /// Packs of manifests: the digest's 32 bytes, and the number of the entry that recorded it.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn packs(&self, each: &mut dyn FnMut(Scanned<([u8; 32], i64)>)) -> Result<(), LedgerError> {
        let sql = "SELECT digest, entry, pack_id FROM pack ORDER BY pack_id";
        self.scan(sql, &["pack_id"], |r| Ok((r.get(0)?, r.get(1)?)), each)
    }

    /// Lists of runs, by digit, entry and part.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn lists(&self, each: &mut dyn FnMut(Scanned<ListRow>)) -> Result<(), LedgerError> {
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

    /// Documents.
    ///
    /// # Errors
    /// See [`Snapshot::entries`].
    pub fn reports(&self, each: &mut dyn FnMut(Scanned<ReportRow>)) -> Result<(), LedgerError> {
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

    fn scan<T>(
        &self,
        sql: &str,
        key: &[&str],
        row: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        each: &mut dyn FnMut(Scanned<T>),
    ) -> Result<(), LedgerError> {
        let mut statement = self.db.prepare(sql).map_err(translate)?;
        let mut rows = statement.query([]).map_err(translate)?;
        while let Some(r) = rows.next().map_err(translate)? {
            each(row(r).map_err(|e| Unreadable {
                id: named(r, key),
                problem: format!("the row is not of the form that is recorded: {e}"),
            }));
        }
        Ok(())
    }
}

/// A row's key for people, whatever its columns hold.
pub(super) fn named(r: &Row<'_>, key: &[&str]) -> String {
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

/// The schema of this number that this program makes.
///
/// # Errors
/// When the database in memory cannot be made.
pub fn expected_schema(version: i64) -> Result<BTreeMap<String, String>, LedgerError> {
    let db = Connection::open_in_memory().map_err(translate)?;
    db.execute_batch(include_str!("schema.sql"))
        .map_err(translate)?;
    let steps = usize::try_from(version - 1).unwrap_or_default();
    for step in STEPS.iter().take(steps) {
        db.execute_batch(step).map_err(translate)?;
    }
    schema_of(&db)
}

fn schema_of(db: &Connection) -> Result<BTreeMap<String, String>, LedgerError> {
    // SQLite's own statistics, which ANALYZE writes, are nobody's record.
    // A name that became a blob would read as the same text, hence the types; what is no table has no
    // page of its own.
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
