//! The boundaries with the largest changes, each by its most changed row.
//!
//! Rows are sorted by boundary, so only the current boundary's row and a short list are kept. Threads keep a
//! list each; the lists are merged at the end.

use std::cmp::Ordering;

use crate::compute::Bound;
use provender_domain::day::Day;
use provender_domain::value::Value;

use super::report::{AffectedRow, InputReport, ReadBy};
use super::snapshot::Snapshot;

/// Number of boundaries listed.
const LISTED: usize = 10;

/// Inputs of a row on both sides.
pub(super) struct Inputs<'r> {
    /// The recorded inputs, which the side before read unless it was computed.
    pub snapshot: &'r Snapshot,
    /// What the side before read, if it was computed.
    pub before: Option<&'r [Value]>,
    /// What the candidate read.
    pub after: &'r [Value],
}

/// The most changed row of a boundary so far.
struct Peak {
    size: f64,
    row: AffectedRow,
}

impl Peak {
    /// Size of the change, day and herd.
    fn rank(&self) -> (f64, Day, &str) {
        let row = &self.row;
        (self.size, row.calculation_date, &row.herd_config_id)
    }

    /// Whether a row of the same boundary is the more changed one. Of equal changes the first day counts,
    /// then the first herd, in whatever order rows come.
    fn is_beaten(&self, (size, day, herd): (f64, Day, &str)) -> bool {
        let (own, own_day, own_herd) = self.rank();
        match size.total_cmp(&own) {
            Ordering::Equal => (day, herd) < (own_day, own_herd),
            by_size => by_size == Ordering::Greater,
        }
    }
}

/// The most changed rows so far.
pub(super) struct Peaks<'a> {
    before: &'a Bound,
    after: &'a Bound,
    current: Option<Peak>,
    peaks: Vec<Peak>,
}

impl<'a> Peaks<'a> {
    /// No rows yet.
    #[must_use]
    pub(super) fn new(before: &'a Bound, after: &'a Bound) -> Peaks<'a> {
        Peaks {
            before,
            after,
            current: None,
            peaks: Vec::new(),
        }
    }

    /// Takes in a row whose number changed by `change`.
    pub(super) fn add(&mut self, inputs: &Inputs<'_>, old: &Value, new: &Value, change: f64) {
        let key = &inputs.snapshot.run.run.key;
        let other_place = self
            .current
            .as_ref()
            .is_some_and(|p| p.row.boundary_id != key.boundary_id);
        if other_place {
            self.close_boundary();
        }
        let size = change.abs();
        if let Some(peak) = &self.current {
            let its = (size, key.calculation_date, key.herd_config_id.as_str());
            if !peak.is_beaten(its) {
                return;
            }
        }
        let relative = old
            .as_f64()
            .filter(|x| *x != 0.0)
            .map(|x| (change / x).abs().min(f64::MAX));
        self.current = Some(Peak {
            size,
            row: AffectedRow {
                boundary_id: key.boundary_id.clone(),
                herd_config_id: key.herd_config_id.clone(),
                calculation_date: key.calculation_date,
                run_id: key.run_id(),
                before: old.to_json(),
                after: new.to_json(),
                change,
                relative,
                inputs: self.inputs(inputs),
            },
        });
    }

    /// Merges the list of another part. A boundary may be in both lists; the larger change counts. A row that a
    /// part dropped was beaten by ten boundaries there, so it cannot be in the merged list either.
    pub(super) fn join(&mut self, mut others: Peaks<'_>) {
        self.close_boundary();
        others.close_boundary();
        for peak in others.peaks {
            let same = |p: &&mut Peak| p.row.boundary_id == peak.row.boundary_id;
            match self.peaks.iter_mut().find(same) {
                Some(known) if known.is_beaten(peak.rank()) => *known = peak,
                Some(_) => {}
                None => self.peaks.push(peak),
            }
        }
        self.cut();
    }

    /// Adds the finished boundary to the list.
    fn close_boundary(&mut self) {
        self.peaks.extend(self.current.take());
        self.cut();
    }

    /// Largest first, then by id.
    fn cut(&mut self) {
        self.peaks.sort_by(|a, b| {
            let by_size = b.size.total_cmp(&a.size);
            by_size.then_with(|| a.row.boundary_id.cmp(&b.row.boundary_id))
        });
        self.peaks.truncate(LISTED);
    }

    fn inputs(&self, inputs: &Inputs<'_>) -> Vec<InputReport> {
        let entry = |name: &str, unit: &Option<String>, value: &Value, read_by| InputReport {
            name: name.to_owned(),
            value: value.to_json(),
            unit: unit.clone(),
            read_by,
        };
        let mut all: Vec<InputReport> = match inputs.before {
            Some(values) => {
                let declared = self.before.description().inputs.iter().zip(values);
                let each =
                    declared.map(|(i, v)| entry(&i.field.name, &i.field.unit, v, ReadBy::Before));
                each.collect()
            }
            None => {
                let recipe = inputs.snapshot.group.recipe.inputs.iter();
                let recorded = recipe.zip(&inputs.snapshot.inputs);
                let each = recorded.map(|(i, v)| entry(&i.name, &i.unit, v, ReadBy::Before));
                each.collect()
            }
        };
        let declared = self.after.description().inputs.iter();
        for (input, value) in declared.zip(inputs.after) {
            let json = value.to_json();
            let known = all.iter_mut().find(|i| {
                i.name == input.field.name && i.value == json && i.unit == input.field.unit
            });
            match known {
                Some(known) => known.read_by = ReadBy::Both,
                None => all.push(entry(
                    &input.field.name,
                    &input.field.unit,
                    value,
                    ReadBy::After,
                )),
            }
        }
        all
    }

    /// The rows, largest change first, of equal ones by boundary.
    #[must_use]
    pub(super) fn rows(&mut self) -> Vec<AffectedRow> {
        self.close_boundary();
        let peaks = std::mem::take(&mut self.peaks);
        peaks.into_iter().map(|p| p.row).collect()
    }
}
