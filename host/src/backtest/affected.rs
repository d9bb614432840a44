//! The boundaries with the largest changes, each by its most changed row.
//!
//! Rows come one boundary after the other, so that one row a boundary and a short list are all that
//! is kept.

use crate::compute::Bound;
use crate::domain::value::Value;

use super::report::{AffectedRow, InputReport};
use super::snapshot::Snapshot;

/// So many boundaries are listed.
const LISTED: usize = 10;

/// Inputs of a row on both sides, for who asks later.
pub struct Inputs<'r> {
    /// The recorded inputs, which the side before read unless it was computed.
    pub snapshot: &'r Snapshot,
    /// What the side before read, where it was computed.
    pub before: Option<&'r [Value]>,
    /// What the candidate read.
    pub after: &'r [Value],
}

/// The most changed row of a boundary so far.
struct Peak {
    size: f64,
    row: AffectedRow,
}

/// The most changed rows so far.
pub struct Peaks<'a> {
    before: &'a Bound,
    after: &'a Bound,
    current: Option<Peak>,
    peaks: Vec<Peak>,
}

impl<'a> Peaks<'a> {
    /// None yet.
    #[must_use]
    pub fn new(before: &'a Bound, after: &'a Bound) -> Peaks<'a> {
        Peaks {
            before,
            after,
            current: None,
            peaks: Vec::new(),
        }
    }

    /// Takes in a row whose number changed by `change`.
    pub fn add(&mut self, inputs: &Inputs<'_>, old: &Value, new: &Value, change: f64) {
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
            // Of equal changes the first day counts, then the first herd, in whatever order rows come.
            let later = (key.calculation_date, &key.herd_config_id)
                >= (peak.row.calculation_date, &peak.row.herd_config_id);
            if size < peak.size || (size.to_bits() == peak.size.to_bits() && later) {
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

    /// Puts the boundary that has gone by among the most affected, largest first, then by id.
    fn close_boundary(&mut self) {
        self.peaks.extend(self.current.take());
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
                let each = declared.map(|(i, v)| entry(&i.field.name, &i.field.unit, v, "before"));
                each.collect()
            }
            None => {
                let recipe = inputs.snapshot.group.recipe.inputs.iter();
                let recorded = recipe.zip(&inputs.snapshot.inputs);
                let each = recorded.map(|(i, v)| entry(&i.name, &i.unit, v, "before"));
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
                Some(known) => known.read_by = "both",
                None => all.push(entry(&input.field.name, &input.field.unit, value, "after")),
            }
        }
        all
    }

    /// The rows, largest change first, of equal ones by boundary.
    #[must_use]
    pub fn rows(&mut self) -> Vec<AffectedRow> {
        self.close_boundary();
        let peaks = std::mem::take(&mut self.peaks);
        peaks.into_iter().map(|p| p.row).collect()
    }
}
