//! Finds runs by id, and the runs of an entry.
//!
//! An id is a digest of the run's key, not a column. Digesting millions of keys for one lookup would be too slow,
//! and runs are not sorted by entry. The table `locator` answers both queries. Each row lists up to [`PART`] runs
//! of one entry whose ids start with the same hex digit, encoded by `located`: about five bytes per run, written
//! to sixteen places per batch. An index of digests would take twenty bytes per run, each in a different place.
//!
//! The id of a run found here is always recomputed from its key, so a manipulated list cannot return a wrong run.

use crate::entry::EntryNumber;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::LedgerError;
use crate::store::RunPlace;
use crate::types::{NewRun, Run, RunFilter};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::key::{RunIds, RunKey};

use super::open::translate;
use super::read::{RUN_COLUMNS, parameters_of, where_of};
use super::rows::{boundary, day, herd, model, new_run, run_row, version};
use crate::located::{Located, PART, decode, encode};

/// Writes the lists for the runs of an entry.
pub(super) fn write(
    tx: &Transaction<'_>,
    entry: EntryNumber,
    mut runs: Vec<Located>,
) -> Result<(), LedgerError> {
    runs.sort_unstable_by_key(|r| (r.digit(), *r));
    let mut insert = tx
        .prepare_cached("INSERT INTO locator (digit, entry, part, runs) VALUES (?, ?, ?, ?)")
        .map_err(translate)?;
    for of_digit in runs.chunk_by(|a, b| a.digit() == b.digit()) {
        for (part, runs) in (0_i64..).zip(of_digit.chunks(PART)) {
            let (Some(first), Some(text)) = (runs.first(), encode(runs)) else {
                return Err(LedgerError::Damaged(format!(
                    "entry {entry} has runs of series with negative numbers"
                )));
            };
            insert
                .execute(params![first.digit(), entry, part, text])
                .map_err(translate)?;
        }
    }
    Ok(())
}

/// Writes the lists for all runs, when migrating from a schema without them.
pub(super) fn fill(tx: &Transaction<'_>) -> Result<(), LedgerError> {
    let is_there = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'locator')";
    let is_there: bool = tx
        .query_row(is_there, [], |r| r.get(0))
        .map_err(translate)?;
    let has_rows = "SELECT EXISTS (SELECT 1 FROM locator)";
    if !is_there
        || tx
            .query_row(has_rows, [], |r| r.get(0))
            .map_err(translate)?
    {
        return Ok(());
    }
    let mut runs: Vec<(EntryNumber, Located)> = Vec::new();
    each_id(tx, &mut |_, series, date, id, entry| {
        runs.push((entry, Located::new(series, date, id)));
    })?;
    runs.sort_unstable();
    for of_entry in runs.chunk_by(|a, b| a.0 == b.0) {
        if let Some((entry, _)) = of_entry.first() {
            write(tx, *entry, of_entry.iter().map(|(_, run)| *run).collect())?;
        }
    }
    Ok(())
}

/// Passes every run to `each`: the key of its series, series number, day, id and entry.
fn each_id(
    db: &Connection,
    each: &mut dyn FnMut(&RunKey, i64, Day, &Digest, EntryNumber),
) -> Result<(), LedgerError> {
    let sql =
        "SELECT s.boundary_id, s.herd_config_id, s.model_version, c.digest, s.reissue, s.series_id
               FROM series s JOIN config c USING (config_id) ORDER BY s.series_id";
    let mut statement = db.prepare(sql).map_err(translate)?;
    let series = statement.query_map([], |r| Ok((series_key(r)?, r.get::<_, i64>(5)?)));
    let series: Vec<(RunKey, i64)> = series.and_then(Iterator::collect).map_err(translate)?;
    let mut statement = db
        .prepare("SELECT date, entry FROM run WHERE series_id = ? ORDER BY date")
        .map_err(translate)?;
    for (key, number) in series {
        let mut ids = RunIds::of(&key);
        let mut rows = statement.query([number]).map_err(translate)?;
        while let Some(r) = rows.next().map_err(translate)? {
            let date = day(r, 0).map_err(translate)?;
            let entry = r.get(1).map_err(translate)?;
            each(&key, number, date, &ids.on(date), entry);
        }
    }
    Ok(())
}

/// Reads a series' key from the first five columns, with an arbitrary day.
fn series_key(r: &rusqlite::Row<'_>) -> rusqlite::Result<RunKey> {
    let missing = || {
        let null = rusqlite::types::Type::Null;
        rusqlite::Error::InvalidColumnType(3, "config".to_owned(), null)
    };
    Ok(RunKey {
        boundary_id: boundary(r, 0)?,
        herd_config_id: herd(r, 1)?,
        calculation_date: Day::MIN,
        model_version: model(r, 2)?,
        config_version: version(r, 3, 4)?.ok_or_else(missing)?,
    })
}

/// Keys of the runs whose ids start with these hex digits.
pub(super) fn keys_with_id(db: &Connection, digits: &str) -> Result<Vec<RunKey>, LedgerError> {
    let mut keys = Vec::new();
    for found in listed(db, digits)? {
        let key = key_of(db, found)?.filter(|key| key.run_id().begins(digits));
        keys.extend(key);
    }
    // No list if an older schema is only read, or if rows were removed.
    if keys.is_empty() {
        each_id(db, &mut |key, _, date, id, _| {
            if id.begins(digits) {
                keys.push(RunKey {
                    calculation_date: date,
                    ..key.clone()
                });
            }
        })?;
    }
    Ok(keys)
}

/// Whether the three bytes occur anywhere. Checking all positions without an early exit lets the compiler
/// vectorise it.
fn holds(text: &[u8], [a, b, c]: [u8; 3]) -> bool {
    let after = |by: usize| &text[by.min(text.len())..];
    let places = text.iter().zip(after(1)).zip(after(2));
    places.fold(false, |any, ((x, y), z)| {
        any | ((*x == a) & (*y == b) & (*z == c))
    })
}

/// The listed runs with the first six of these hex digits.
pub(super) fn listed(db: &Connection, digits: &str) -> Result<Vec<Located>, LedgerError> {
    let first = digits
        .get(..6)
        .and_then(|d| u32::from_str_radix(d, 16).ok());
    let Some([_, id @ ..]) = first.map(u32::to_be_bytes) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut statement = db
        .prepare("SELECT runs FROM locator WHERE digit = ?")
        .map_err(translate)?;
    let mut rows = statement.query([id[0] >> 4]).map_err(translate)?;
    while let Some(r) = rows.next().map_err(translate)? {
        let text = r.get_ref(0).map_err(translate)?;
        // A malformed list is skipped here; the audit reports it.
        let _ = text.as_blob().ok().and_then(|text| {
            // Few lists contain the run, so searching for its bytes is cheaper than decoding every list.
            holds(text, id).then_some(())?;
            decode(text, &mut |run| {
                if run.id == id {
                    found.push(run);
                }
            })
        });
    }
    Ok(found)
}

fn key_of(db: &Connection, run: Located) -> Result<Option<RunKey>, LedgerError> {
    let sql = "SELECT s.boundary_id, s.herd_config_id, s.model_version, c.digest, s.reissue, r.date
               FROM run r JOIN series s USING (series_id) JOIN config c USING (config_id)
               WHERE r.series_id = ? AND r.date = ?";
    let row = |r: &rusqlite::Row<'_>| {
        Ok(RunKey {
            calculation_date: day(r, 5)?,
            ..series_key(r)?
        })
    };
    db.prepare_cached(sql)
        .and_then(|mut s| s.query_row(params![run.series, run.date], row).optional())
        .map_err(translate)
}

/// Series and day of every run of an entry, in this order.
fn places_of(db: &Connection, entry: EntryNumber) -> Result<Vec<(i64, i32)>, LedgerError> {
    let sql = "SELECT runs FROM locator
               WHERE digit IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) AND entry = ?";
    let mut places: Vec<(i64, i32)> = Vec::new();
    {
        let mut statement = db.prepare_cached(sql).map_err(translate)?;
        let mut rows = statement.query([entry]).map_err(translate)?;
        while let Some(r) = rows.next().map_err(translate)? {
            let text = r.get_ref(0).map_err(translate)?;
            let read = text
                .as_blob()
                .ok()
                .and_then(|t| decode(t, &mut |run| places.push((run.series, run.date))));
            if read.is_none() {
                return Err(LedgerError::Damaged(format!(
                    "a list of the runs of entry {entry} is malformed"
                )));
            }
        }
    }
    if places.is_empty() {
        // An older schema that is only read has no list.
        let mut statement = db
            .prepare_cached("SELECT series_id, date FROM run WHERE entry = ?")
            .map_err(translate)?;
        let rows = statement.query_map([entry], |r| Ok((r.get(0)?, r.get(1)?)));
        places = rows.and_then(Iterator::collect).map_err(translate)?;
    }
    places.sort_unstable();
    Ok(places)
}

/// Passes the runs of an entry to `each`, ordered by series and day.
pub(super) fn runs_of_entry(
    db: &Connection,
    entry: EntryNumber,
    each: &mut dyn FnMut(NewRun),
) -> Result<(), LedgerError> {
    let sql =
        "SELECT s.boundary_id, s.herd_config_id, r.date, s.model_version, c.digest, s.reissue,
                 r.provenance, r.snapshot, r.manifest, r.guardrail, r.outputs, r.entry,
                 pc.digest, ps.reissue, k.digest, r.place
               FROM series s
               JOIN config c ON c.config_id = s.config_id
               JOIN run r ON r.series_id = s.series_id
               LEFT JOIN pack k ON k.pack_id = r.pack
               LEFT JOIN series ps ON ps.series_id = r.replaces
               LEFT JOIN config pc ON pc.config_id = ps.config_id
               WHERE s.series_id = ? AND r.date BETWEEN ? AND ? AND r.entry = ? ORDER BY r.date";
    let mut statement = db.prepare_cached(sql).map_err(translate)?;
    for group in places_of(db, entry)?.chunk_by(|a, b| a.0 == b.0) {
        let (Some((series, first)), Some((_, last))) = (group.first(), group.last()) else {
            continue;
        };
        let mut rows = statement
            .query(params![series, first, last, entry])
            .map_err(translate)?;
        while let Some(r) = rows.next().map_err(translate)? {
            each(new_run(r).map_err(translate)?.0);
        }
    }
    Ok(())
}

/// The runs at these positions among the runs of an entry, ordered by series and day. The positions must be below
/// `count`, the number of runs that the entry states.
pub(super) fn runs_at_positions(
    db: &Connection,
    entry: EntryNumber,
    count: u64,
    positions: &[u64],
) -> Result<Vec<Run>, LedgerError> {
    let places = places_of(db, entry)?;
    let found = places.len();
    if found as u64 != count {
        return Err(LedgerError::Damaged(format!(
            "entry {entry} recorded {count} runs, but {found} were found; run `provender audit` for details"
        )));
    }
    let mut runs = Vec::with_capacity(positions.len());
    for position in positions {
        let place = usize::try_from(*position).ok().and_then(|p| places.get(p));
        let run = match place {
            Some((series, date)) => run_at(db, *series, *date)?,
            None => None,
        };
        runs.push(run.ok_or_else(|| {
            LedgerError::Damaged(format!(
                "entry {entry} lists a run at position {position} that does not exist; run `provender audit` for details"
            ))
        })?);
    }
    Ok(runs)
}

/// The run of a series on a day, by series number and days since 1970-01-01.
pub(super) fn run_at(db: &Connection, series: i64, date: i32) -> Result<Option<Run>, LedgerError> {
    let sql = format!("{RUN_COLUMNS} WHERE s.series_id = ? AND r.date = ?");
    db.prepare_cached(&sql)
        .and_then(|mut s| s.query_row(params![series, date], run_row).optional())
        .map_err(translate)
}

/// Entry, series and day of every run that matches a filter, in this order. The filter's configurations are
/// ignored.
pub(super) fn places(db: &Connection, filter: &RunFilter) -> Result<Vec<RunPlace>, LedgerError> {
    let sql = format!(
        "SELECT r.entry, r.series_id, r.date FROM series s JOIN run r ON r.series_id = s.series_id WHERE {}",
        where_of(filter)
    );
    let mut statement = db.prepare_cached(&sql).map_err(translate)?;
    let rows = statement.query_map(parameters_of(filter), |r| {
        Ok(RunPlace {
            entry: r.get(0)?,
            series: r.get(1)?,
            date: day(r, 2)?,
        })
    });
    let mut places: Vec<RunPlace> = rows.and_then(Iterator::collect).map_err(translate)?;
    places.sort_unstable();
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::{Origin, RunsContext};
    use crate::entry::Stamp;
    use crate::sqlite::SqliteLedger;
    use crate::store::{Read as _, Write as _};
    use crate::types::{Batch, Config, Guardrail};
    use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
    use provender_domain::key::ConfigVersion;
    use serde_json::json;

    fn day(n: i32) -> Day {
        Day::from_days(n).unwrap()
    }

    fn run(boundary: &str, date: i32) -> NewRun {
        let config = Digest::of_json(&json!({})).unwrap();
        NewRun {
            key: RunKey {
                boundary_id: BoundaryId::unchecked(boundary),
                herd_config_id: HerdId::unchecked("h"),
                calculation_date: day(date),
                model_version: ModelVersion::unchecked("days_remaining:v1"),
                config_version: ConfigVersion::first(config),
            },
            provenance: Digest::of_json(&json!(date)).unwrap(),
            snapshot: Digest::of_json(&json!([date])).unwrap(),
            manifest: Digest::of_bytes(b"m"),
            place: None,
            guardrail: Guardrail::Ok,
            replaces: None,
            outputs: "[1]".to_owned(),
        }
    }

    /// Two batches that share their series with alternating days, so that the days of the second lie between
    /// those of the first. More runs than one row lists.
    fn filled(path: &std::path::Path) -> SqliteLedger {
        let ledger = SqliteLedger::open(path).unwrap();
        for odd in 0..2 {
            let runs = ["north", "south"]
                .into_iter()
                .flat_map(|place| (0..2_500).map(move |n| run(place, 2 * n + odd - 1_000)));
            let batch = Batch {
                stamp: Stamp {
                    at: "2025-07-01T00:00:00Z".to_owned(),
                    actor: "tester".to_owned(),
                    reason: None,
                },
                context: RunsContext {
                    model_version: ModelVersion::unchecked("days_remaining:v1"),
                    component: Digest::of_bytes(b"c"),
                    world: "w".to_owned(),
                    config_version: Digest::of_canonical(b"{}"),
                    origin: Origin::Answers,
                    release: None,
                },
                runs: runs.collect(),
                configs: vec![Config {
                    digest: Digest::of_canonical(b"{}"),
                    canonical: "{}".to_owned(),
                }],
            };
            ledger.record_runs(&batch).unwrap();
        }
        ledger
    }

    #[test]
    fn bytes_are_found_at_every_position() {
        let text: Vec<u8> = (0..200_u8).collect();
        for i in 0..198 {
            assert!(holds(&text, [i, i + 1, i + 2]));
            assert!(!holds(&text, [i, i + 1, i + 3]));
        }
        assert!(!holds(&text[..2], [0, 1, 2]) && !holds(&[], [0, 0, 0]));
        assert!(holds(&text[197..], [197, 198, 199]) && !holds(&text, [199, 0, 1]));
    }

    #[test]
    fn a_run_is_found_by_its_id_with_the_list_and_without() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let ledger = filled(&path);
        let wanted = run("south", 77).key;
        let id = wanted.run_id().hex();
        for digits in [&id[..], &id[..12]] {
            assert_eq!(
                ledger.keys_with_id(digits).unwrap(),
                std::slice::from_ref(&wanted)
            );
        }
        // Another run with the same six digits differs in the later ones.
        let near = ledger.keys_with_id(&id[..6]).unwrap();
        assert!(near.contains(&wanted));
        assert!(near.iter().all(|key| key.run_id().begins(&id[..6])));
        assert_eq!(listed(&ledger.db, &id).unwrap().len(), near.len());
        let other = if id.ends_with('0') { '1' } else { '0' };
        let none = format!("{}{other}", &id[..63]);
        assert!(ledger.keys_with_id(&none).unwrap().is_empty());
        drop(ledger);

        let shell = Connection::open(&path).unwrap();
        shell
            .execute_batch("DROP TRIGGER locator_no_delete; DELETE FROM locator")
            .unwrap();
        let ledger = SqliteLedger::open(&path).unwrap();
        assert!(listed(&ledger.db, &id).unwrap().is_empty());
        assert_eq!(ledger.keys_with_id(&id[..12]).unwrap(), [wanted]);
    }

    #[test]
    fn the_runs_of_an_entry_are_exactly_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = filled(&dir.path().join("ledger.db"));
        let places = ledger.places(&RunFilter::default()).unwrap();
        for entry in [1, 2] {
            let mut runs = Vec::new();
            ledger
                .runs_of_entry(EntryNumber::new(entry), &mut |run| runs.push(run))
                .unwrap();
            let odd = i32::try_from(entry - 1).unwrap();
            let expected: Vec<NewRun> = ["north", "south"]
                .into_iter()
                .flat_map(|place| (0..2_500).map(move |n| run(place, 2 * n + odd - 1_000)))
                .collect();
            assert!(runs == expected, "entry {entry}");
            let of_entry = places.iter().filter(|p| p.entry.get() == entry);
            let found = places_of(&ledger.db, EntryNumber::new(entry)).unwrap();
            assert!(of_entry.map(|p| (p.series, p.date.days())).eq(found));
            let nth = ledger
                .runs_at_positions(EntryNumber::new(entry), 5_000, &[0, 2_500, 4_999])
                .unwrap();
            let keys: Vec<&NewRun> = nth.iter().map(|r| &r.run).collect();
            assert_eq!(keys, [&expected[0], &expected[2_500], &expected[4_999]]);
        }
        assert!(
            ledger
                .runs_at_positions(EntryNumber::new(1), 4_999, &[0])
                .is_err()
        );
    }

    #[test]
    fn a_run_that_is_listed_and_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        drop(filled(&path));
        let shell = Connection::open(&path).unwrap();
        shell
            .execute_batch(
                "DROP TRIGGER run_no_delete;
                 DELETE FROM run WHERE (series_id, date) =
                   (SELECT series_id, date FROM run WHERE entry = 1 ORDER BY series_id, date LIMIT 1)",
            )
            .unwrap();
        let ledger = SqliteLedger::open(&path).unwrap();
        let taken = ledger.runs_at_positions(EntryNumber::new(1), 5_000, &[0]);
        assert!(
            matches!(&taken, Err(LedgerError::Damaged(cause)) if cause.contains("position 0")),
            "{taken:?}"
        );
    }
}
