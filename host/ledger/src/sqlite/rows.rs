//! Converts rows to values. Each function reads the columns of one query in order.

use crate::entry::EntryNumber;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::LedgerError;
use crate::entries::{Payload, ReleaseLogic};
use crate::entry::{Entry, Stamp};
use crate::types::{Activation, Guardrail, NewRun, Observed, Run, Sourced};
use provender_domain::canonical::{Digest, Recipe};
use provender_domain::day::Day;
use provender_domain::key::{ConfigVersion, Place, RunKey};
use provender_domain::place::{Boundary, Herd};

use super::write_facts::NO_DATE;

pub(super) fn day(r: &Row<'_>, i: usize) -> rusqlite::Result<Day> {
    let days: i32 = r.get(i)?;
    Day::from_days(days).ok_or(rusqlite::Error::IntegralValueOutOfRange(i, i64::from(days)))
}

/// A number outside the calendar is an error, not a missing day.
pub(super) fn optional_day(r: &Row<'_>, i: usize) -> rusqlite::Result<Option<Day>> {
    match r.get(i)? {
        None | Some(NO_DATE) => Ok(None),
        Some(days) => Day::from_days(days)
            .map(Some)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(i, i64::from(days))),
    }
}

pub(super) fn boundary(r: &Row<'_>, i: usize) -> rusqlite::Result<BoundaryId> {
    r.get::<_, String>(i).map(BoundaryId::unchecked)
}

pub(super) fn herd(r: &Row<'_>, i: usize) -> rusqlite::Result<HerdId> {
    r.get::<_, String>(i).map(HerdId::unchecked)
}

pub(super) fn model(r: &Row<'_>, i: usize) -> rusqlite::Result<ModelVersion> {
    r.get::<_, String>(i).map(ModelVersion::unchecked)
}

pub(super) fn digest(r: &Row<'_>, i: usize, recipe: Recipe) -> rusqlite::Result<Digest> {
    Ok(Digest::from_parts(recipe, r.get(i)?))
}

pub(super) fn version(r: &Row<'_>, d: usize, n: usize) -> rusqlite::Result<Option<ConfigVersion>> {
    let config: Option<[u8; 32]> = r.get(d)?;
    let reissue: Option<u32> = r.get(n)?;
    Ok(config.zip(reissue).map(|(c, reissue)| ConfigVersion {
        config: Digest::from_parts(Recipe::JcsV1, c),
        reissue,
    }))
}

/// The pack and the row in it, from this column and the next.
fn place(r: &Row<'_>, i: usize) -> rusqlite::Result<Option<Place>> {
    let pack: Option<[u8; 32]> = r.get(i)?;
    let row: Option<u32> = r.get(i + 1)?;
    if pack.is_some() != row.is_some() {
        let missing = rusqlite::Error::InvalidColumnType(i, "place".to_owned(), Type::Null);
        return Err(missing);
    }
    Ok(pack.zip(row).map(|(pack, row)| Place {
        pack: Digest::from_parts(Recipe::Raw, pack),
        row,
    }))
}

/// Reads a run and its entry from the first sixteen columns of [`super::read::RUN_COLUMNS`].
pub(super) fn new_run(r: &Row<'_>) -> rusqlite::Result<(NewRun, EntryNumber)> {
    let missing = |i| rusqlite::Error::InvalidColumnType(i, "run".to_owned(), Type::Null);
    let guardrail: i64 = r.get(9)?;
    let run = NewRun {
        key: RunKey {
            boundary_id: boundary(r, 0)?,
            herd_config_id: herd(r, 1)?,
            calculation_date: day(r, 2)?,
            model_version: model(r, 3)?,
            config_version: version(r, 4, 5)?.ok_or_else(|| missing(4))?,
        },
        provenance: digest(r, 6, Recipe::JcsV1)?,
        snapshot: digest(r, 7, Recipe::JcsV1)?,
        manifest: digest(r, 8, Recipe::Raw)?,
        place: place(r, 14)?,
        guardrail: Guardrail::from_number(guardrail).ok_or_else(|| missing(9))?,
        replaces: version(r, 12, 13)?,
        outputs: r.get(10)?,
    };
    Ok((run, r.get(11)?))
}

pub(super) fn run_row(r: &Row<'_>) -> rusqlite::Result<Run> {
    let (run, entry) = new_run(r)?;
    Ok(Run {
        run,
        entry,
        superseded_by: version(r, 16, 17)?,
    })
}

pub(super) fn entry_row(r: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        seq: r.get(0)?,
        kind: r.get(2)?,
        stamp: Stamp {
            at: r.get(1)?,
            actor: r.get(3)?,
            reason: r.get(4)?,
        },
        payload: r.get(5)?,
        prev: r.get(6)?,
        hash: r.get(7)?,
    })
}

pub(super) fn observed_row(r: &Row<'_>) -> rusqlite::Result<Sourced<Observed>> {
    let value = Observed {
        source: r.get(0)?,
        date: optional_day(r, 1)?,
        value: r.get(2)?,
    };
    Ok(Sourced {
        entry: r.get(3)?,
        file_id: r.get(4)?,
        row: r.get(5)?,
        value,
    })
}

pub(super) fn boundary_row(r: &Row<'_>) -> rusqlite::Result<(Day, Sourced<Boundary>)> {
    let effective = day(r, 1)?;
    let value = Boundary {
        boundary_id: boundary(r, 0)?,
        name: r.get(3)?,
        geometry: r.get(4)?,
        area_ha: r.get(5)?,
        declared_area_ha: r.get(6)?,
        effective_date: Some(effective),
    };
    let sourced = Sourced {
        entry: r.get(2)?,
        file_id: r.get(7)?,
        row: r.get(8)?,
        value,
    };
    Ok((effective, sourced))
}

pub(super) fn herd_row(r: &Row<'_>) -> rusqlite::Result<Sourced<Herd>> {
    let value = Herd {
        herd_config_id: herd(r, 0)?,
        boundary_id: boundary(r, 1)?,
        name: r.get(5)?,
        effective_date: day(r, 2)?,
        end_date: r.get::<_, Option<i32>>(4)?.map(|_| day(r, 4)).transpose()?,
        animal_count: r.get(6)?,
        daily_intake_kg_per_head: r.get(7)?,
        average_weight_kg: r.get(8)?,
        utilization_target_pct: r.get(9)?,
        animal_type: r.get(10)?,
        class: r.get(11)?,
    };
    Ok(Sourced {
        entry: r.get(3)?,
        file_id: r.get(12)?,
        row: r.get(13)?,
        value,
    })
}

/// What an entry activates: one version and configuration, or each logic of a release; empty for other kinds.
pub(super) fn activations_of(entry: &Entry) -> Result<Vec<Activation>, LedgerError> {
    let change = match entry.parse()? {
        Payload::Activation(one) => {
            return Ok(vec![Activation {
                entry: entry.seq,
                model_version: one.model_version,
                config: one.config_version,
                from: one.from,
            }]);
        }
        Payload::Promotion(promotion) => promotion.change,
        Payload::Rollback(rollback) => rollback,
        _ => return Ok(Vec::new()),
    };
    let one = |logic: ReleaseLogic| Activation {
        entry: entry.seq,
        model_version: logic.model_version,
        config: logic.config_version,
        from: change.from,
    };
    Ok(change.logics.into_iter().map(one).collect())
}
