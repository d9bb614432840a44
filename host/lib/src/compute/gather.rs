//! Gathers the inputs of many runs as columns.

use provender_domain::ids::{BoundaryId, HerdId};
use std::collections::HashMap;
use std::rc::Rc;

use provender_domain::catalogue::Origin;
use provender_domain::column::Column;
use provender_domain::day::Day;
use provender_ledger::LedgerError;
use provender_store::manifest::pack::{Rows, SourceObservation, Sources};

use super::aggregate::Point;
use super::binding::Bound;
use super::facts::{Facts, View};
use super::sheets;

/// Rows being gathered. Holds the observations of only one place at a time.
pub(super) struct Gatherer<'a, 'l> {
    facts: &'a Facts<'l>,
    bound: &'a Bound,
    boundary_id: BoundaryId,
    points: HashMap<String, Rc<[Point]>>,
    /// The rows of runs to be recorded. Their files have the ledger's numbers until [`Gatherer::numbered`].
    rows: Rows,
    /// The inputs of runs that are already recorded.
    known: Vec<Column>,
    files: Vec<i64>,
}

impl<'a, 'l> Gatherer<'a, 'l> {
    pub(super) fn new(facts: &'a Facts<'l>, bound: &'a Bound) -> Gatherer<'a, 'l> {
        let (inputs, outputs) = sheets::columns(bound);
        Gatherer {
            facts,
            bound,
            boundary_id: BoundaryId::default(),
            points: HashMap::new(),
            rows: Rows::new(&inputs, &outputs),
            known: inputs.iter().map(|c| Column::new(c.data_type)).collect(),
            files: Vec::new(),
        }
    }

    /// Gathers the inputs of a recorded run, values only.
    pub(super) fn known(
        &mut self,
        place: (&BoundaryId, &HerdId),
        day: Day,
    ) -> Result<(), LedgerError> {
        self.at(place.0)?;
        for (column, input) in self.known.iter_mut().zip(&self.bound.inputs) {
            let season = self.bound.season_start;
            let points = self.points.get(&input.reference.name);
            let points = points.map_or(&[][..], |p| p);
            let view = self.facts.view(
                (&input.reference, input.feature.origin),
                place,
                day,
                season,
                points,
            );
            column.push(&view.value);
        }
        Ok(())
    }

    /// Gathers the inputs of a run to be recorded, with the observations behind them.
    pub(super) fn fresh(
        &mut self,
        place: (&BoundaryId, &HerdId),
        day: Day,
    ) -> Result<(), LedgerError> {
        self.at(place.0)?;
        self.rows.push_key((place.0, place.1, day), 0, None);
        let columns = self.rows.inputs.iter_mut().zip(&mut self.rows.sources);
        for ((column, sources), input) in columns.zip(&self.bound.inputs) {
            let season = self.bound.season_start;
            let points = self.points.get(&input.reference.name);
            let points = points.map_or(&[][..], |p| p);
            let view = self.facts.view(
                (&input.reference, input.feature.origin),
                place,
                day,
                season,
                points,
            );
            column.push(&view.value);
            push(sources, &view, &mut self.files);
        }
        Ok(())
    }

    /// Returns the rows to record, the numbers of the files that they refer to in ascending order, and the inputs of
    /// the recorded runs.
    pub(super) fn numbered(mut self) -> (Rows, Vec<i64>, Vec<Column>) {
        self.files.sort_unstable();
        self.files.dedup();
        let files: Vec<u32> = self.files.iter().map(|f| number(*f)).collect();
        for sources in &mut self.rows.sources {
            for file in &mut sources.file {
                *file = position(&files, *file);
            }
        }
        (self.rows, self.files, self.known)
    }

    /// Loads the observations of a place, unless they are already loaded.
    fn at(&mut self, boundary_id: &BoundaryId) -> Result<(), LedgerError> {
        if self.boundary_id == *boundary_id && !self.points.is_empty() {
            return Ok(());
        }
        self.boundary_id.clone_from(boundary_id);
        self.points.clear();
        for input in &self.bound.inputs {
            let name = &input.reference.name;
            let is_observed = matches!(input.feature.origin, Origin::Static | Origin::Observation);
            if is_observed && !self.points.contains_key(name) {
                let points = self.facts.points(boundary_id, name)?;
                self.points.insert(name.clone(), points);
            }
        }
        Ok(())
    }
}

#[expect(
    clippy::expect_used,
    reason = "the files are those of the same observations"
)]
fn position(files: &[u32], file: u32) -> u32 {
    let at = files.binary_search(&file);
    number(at.expect("the file is among those of the observations"))
}

#[expect(
    clippy::expect_used,
    reason = "file numbers count from 1, and nobody ingests 2^32 files"
)]
fn number<N: TryInto<u32>>(n: N) -> u32 {
    n.try_into().ok().expect("fewer than 2^32 files")
}

fn push(sources: &mut Sources, view: &View<'_>, files: &mut Vec<i64>) {
    let row = view.row.map(|(file, _)| file);
    for file in row.into_iter().chain(view.points.iter().map(|p| p.file_id)) {
        // Consecutive observations mostly come from one file.
        if files.last() != Some(&file) {
            files.push(file);
        }
    }
    if files.len() > 4_096 {
        files.sort_unstable();
        files.dedup();
    }
    let row = view.row.map(|(file, row)| SourceObservation {
        file: number(file),
        row,
        date: None,
        value: None,
    });
    let points = view.points.iter().map(|p| SourceObservation {
        file: number(p.file_id),
        row: p.row,
        date: p.date,
        value: Some(p.value),
    });
    sources.push(view.age_days, row.into_iter().chain(points));
}
