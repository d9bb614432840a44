//! Boundaries and herds as known at one entry of the ledger.

use provender_domain::ids::{BoundaryId, HerdId};
use provender_ledger::EntryNumber;
use std::collections::BTreeMap;

use crate::ingest::compare::current_herds;
use provender_domain::catalogue::{BoundaryColumn, HerdColumn, RunColumn};
use provender_domain::day::Day;
use provender_domain::periods::{self, Period};
use provender_domain::place::{Boundary, Herd};
use provender_domain::value::{Value, plain_zero};
use provender_ledger::types::Sourced;
use provender_ledger::{LedgerError, Read};

/// A herd's row with the period for which it is valid.
#[derive(Clone, Debug)]
pub(crate) struct HerdPeriod {
    /// The row.
    pub(crate) herd: Sourced<Herd>,
    /// The days for which it is valid.
    pub(crate) period: Period,
}

/// Boundaries with their revisions, herds with their periods.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    boundaries: BTreeMap<BoundaryId, Vec<(Day, Sourced<Boundary>)>>,
    herds: BTreeMap<HerdId, Vec<HerdPeriod>>,
}

impl Places {
    /// Reads places as known at entry `known`: all, or one boundary with the herds that are ever in it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn load(
        ledger: &dyn Read,
        known: EntryNumber,
        boundary: Option<&BoundaryId>,
    ) -> Result<Places, LedgerError> {
        let mut boundaries: BTreeMap<BoundaryId, Vec<(Day, Sourced<Boundary>)>> = BTreeMap::new();
        for (day, revision) in ledger.boundaries(boundary, known)? {
            boundaries
                .entry(revision.value.boundary_id.clone())
                .or_default()
                .push((day, revision));
        }
        let mut rows: BTreeMap<HerdId, Vec<Sourced<Herd>>> = BTreeMap::new();
        for row in current_herds(ledger.herds(boundary, known)?) {
            rows.entry(row.value.herd_config_id.clone())
                .or_default()
                .push(row);
        }
        let mut herds = BTreeMap::new();
        for (id, rows) in rows {
            let plain: Vec<&Herd> = rows.iter().map(|r| &r.value).collect();
            let periods = periods::of_herd(&plain)
                .map_err(|_| LedgerError::Damaged(format!("herd {id} has overlapping periods")))?;
            let periods = periods.into_iter().map(|(i, period)| HerdPeriod {
                herd: rows[i].clone(),
                period,
            });
            herds.insert(id, periods.collect());
        }
        Ok(Places { boundaries, herds })
    }

    /// Drops the outlines, which are large and which no feature reads.
    pub(crate) fn forget_outlines(&mut self) {
        for (_, revision) in self.boundaries.values_mut().flatten() {
            revision.value.geometry = String::new();
        }
    }

    /// Ids of all boundaries.
    pub(crate) fn boundary_ids(&self) -> impl Iterator<Item = &BoundaryId> {
        self.boundaries.keys()
    }

    /// The outline in force on a day: the latest that is effective by then. If several are effective from the same day,
    /// the one ingested last.
    #[must_use]
    pub(crate) fn boundary(&self, id: &BoundaryId, day: Day) -> Option<&Sourced<Boundary>> {
        let revisions = self.boundaries.get(id)?;
        revisions
            .iter()
            .filter(|(from, _)| *from <= day)
            .max_by_key(|(from, s)| (*from, s.entry))
            .map(|(_, s)| s)
    }

    /// The first day on which a boundary has an outline.
    #[must_use]
    pub(crate) fn known_from(&self, id: &BoundaryId) -> Option<Day> {
        self.boundaries.get(id)?.iter().map(|(from, _)| *from).min()
    }

    /// Every period of a herd.
    #[must_use]
    pub(crate) fn herd_periods(&self, herd_config_id: &HerdId) -> &[HerdPeriod] {
        self.herds
            .get(herd_config_id)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Ids of all herds.
    pub(crate) fn herd_ids(&self) -> impl Iterator<Item = &HerdId> {
        self.herds.keys()
    }

    /// The row of a herd that is valid in a boundary on a day.
    #[must_use]
    pub(crate) fn herd(
        &self,
        herd_config_id: &HerdId,
        boundary_id: &BoundaryId,
        day: Day,
    ) -> Option<&HerdPeriod> {
        self.herd_periods(herd_config_id)
            .iter()
            .find(|h| h.herd.value.boundary_id == *boundary_id && h.period.covers(day))
    }

    /// The (boundary, herd) pairs that are due on a day, sorted: every herd whose period covers the day, or every
    /// boundary for a logic that reads no herd.
    #[must_use]
    pub(crate) fn due(&self, day: Day, reads_herd: bool) -> Vec<(BoundaryId, HerdId)> {
        if !reads_herd {
            let holds = |id: &&BoundaryId| self.boundary(id, day).is_some();
            return self
                .boundaries
                .keys()
                .filter(holds)
                .map(|id| (id.clone(), HerdId::none()))
                .collect();
        }
        let mut due: Vec<(BoundaryId, HerdId)> = self
            .herds
            .iter()
            .flat_map(|(id, periods)| {
                periods
                    .iter()
                    .filter(|h| h.period.covers(day))
                    .map(|h| (h.herd.value.boundary_id.clone(), id.clone()))
            })
            .collect();
        due.sort();
        due
    }
}

/// A feature of the run itself: the day, or the id of the place.
pub(super) fn run_value(column: RunColumn, boundary_id: &BoundaryId, day: Day) -> Value {
    match column {
        RunColumn::CalculationDate => Value::Date(day),
        RunColumn::BoundaryId => Value::Text(boundary_id.to_string()),
    }
}

/// A feature of a boundary.
pub(super) fn boundary_value(boundary: &Boundary, column: BoundaryColumn) -> Value {
    match column {
        BoundaryColumn::AreaHa => Value::Float64(plain_zero(boundary.area_ha)),
        BoundaryColumn::DeclaredAreaHa => boundary
            .declared_area_ha
            .map_or(Value::Null, |x| Value::Float64(plain_zero(x))),
    }
}

/// A feature of a herd.
pub(super) fn herd_value(herd: &Herd, column: HerdColumn) -> Value {
    let number = |x: Option<f64>| x.map_or(Value::Null, |x| Value::Float64(plain_zero(x)));
    let text = |x: &Option<String>| x.clone().map_or(Value::Null, Value::Text);
    match column {
        HerdColumn::HerdConfigId => Value::Text(herd.herd_config_id.to_string()),
        HerdColumn::AnimalCount => number(herd.animal_count),
        HerdColumn::DailyIntakeKgPerHead => number(herd.daily_intake_kg_per_head),
        HerdColumn::AverageWeightKg => number(herd.average_weight_kg),
        HerdColumn::UtilizationTargetPct => number(herd.utilization_target_pct),
        HerdColumn::AnimalType => text(&herd.animal_type),
        HerdColumn::AnimalClass => text(&herd.class),
        HerdColumn::HerdEffectiveDate => Value::Date(herd.effective_date),
    }
}
