//! One side of a back-test: a bound component, the columns that it is given, and what it makes of
//! them.

use std::collections::{BTreeMap, BTreeSet};

use crate::compute::Bound;
use crate::compute::past::Past;
use crate::compute::recipe::Definition;
use provender_domain::catalogue::Origin;
use provender_domain::column::Column;
use provender_domain::value::Value;
use provender_sandbox::Computed;

use super::error::BacktestError;
use super::snapshot::{Group, Snapshot};

/// Where an input's value comes from, for the rows of one group.
#[derive(Clone, Debug)]
enum Take {
    /// The recorded inputs, at this place.
    Recorded(usize),
    /// The observations as known then.
    Known(Definition, Origin),
}

/// Why a row was not given to the component, or did not come back from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// What a component gave for a row.
pub(super) type Given = Result<Vec<Value>, Failure>;

/// A bound component with the columns of the rows added so far.
pub(super) struct Side<'a> {
    /// The component.
    pub bound: &'a Bound,
    /// By the number of a group.
    plans: BTreeMap<usize, Vec<Take>>,
    columns: Vec<Column>,
    /// For each row that was added: its place in the columns, or why it has none.
    rows: Vec<Result<usize, Failure>>,
    /// Names of inputs that some recorded run did not read.
    pub beyond: BTreeSet<String>,
    /// Whether no other rows are computed meanwhile.
    alone: bool,
}

impl<'a> Side<'a> {
    /// Without rows. `alone` if no other rows are computed at the same time, so that these get all cores.
    #[must_use]
    pub(super) fn new(bound: &'a Bound, alone: bool) -> Side<'a> {
        Side {
            bound,
            plans: BTreeMap::new(),
            columns: columns(bound),
            rows: Vec::new(),
            beyond: BTreeSet::new(),
            alone,
        }
    }

    /// Adds a row and returns its values in declared order. A value is the recorded one if the run read the same
    /// column, otherwise the one known at that time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(super) fn add(
        &mut self,
        snapshot: &Snapshot,
        past: &mut Past<'_>,
    ) -> Result<Vec<Value>, BacktestError> {
        let group = &snapshot.group;
        if !self.plans.contains_key(&group.number) {
            let plan = self.plan(group);
            self.plans.insert(group.number, plan);
        }
        let plan = &self.plans[&group.number];
        let mut values = Vec::with_capacity(plan.len());
        for take in plan {
            values.push(match take {
                Take::Recorded(i) => snapshot.inputs[*i].clone(),
                Take::Known(d, origin) => {
                    let season = d.season_start.unwrap_or((1, 1));
                    past.value(&d.reference, *origin, snapshot.moment(), season)?
                }
            });
        }
        let declared = &self.bound.description().inputs;
        let missing = declared
            .iter()
            .zip(&values)
            .find(|(i, v)| !i.field.nullable && v.is_null());
        if let Some((input, _)) = missing {
            self.rows.push(Err(Failure {
                code: "input_missing".to_owned(),
                message: format!(
                    "the input `{}` was not known when the run was recorded, and the component does not declare it nullable",
                    input.field.name
                ),
            }));
            return Ok(values);
        }
        let place = self.columns.first().map_or(self.rows.len(), Column::rows);
        for (column, value) in self.columns.iter_mut().zip(&values) {
            column.push(value);
        }
        self.rows.push(Ok(place));
        Ok(values)
    }

    /// Computes the rows added since the last call and removes them.
    ///
    /// # Errors
    /// When the sandbox cannot run at all.
    pub(super) fn compute(&mut self) -> Result<Vec<Given>, BacktestError> {
        let rows = std::mem::take(&mut self.rows);
        let inputs = std::mem::replace(&mut self.columns, columns(self.bound));
        let count = rows.iter().filter(|r| r.is_ok()).count();
        let computed = if count == 0 {
            Computed {
                outputs: Vec::new(),
                failed: Vec::new(),
            }
        } else {
            let parameters = self.bound.parameter_values();
            let component = &self.bound.component;
            match self.alone {
                true => component.compute(&parameters, &inputs, count)?,
                false => component.compute_single_threaded(&parameters, &inputs, count)?,
            }
        };
        let failed: BTreeMap<usize, &_> = computed.failed.iter().map(|f| (f.row, f)).collect();
        let given = rows.into_iter().map(|row| {
            let place = row?;
            match failed.get(&place) {
                None => Ok(computed.outputs.iter().map(|c| c.get(place)).collect()),
                Some(f) => Err(Failure {
                    code: f.code.code().to_owned(),
                    message: cause(&f.message),
                }),
            }
        });
        Ok(given.collect())
    }

    fn plan(&mut self, group: &Group) -> Vec<Take> {
        let declared = &self.bound.description().inputs;
        let mut plan = Vec::with_capacity(declared.len());
        for (n, (input, bound)) in declared.iter().zip(&self.bound.inputs).enumerate() {
            let Some(wanted) = Definition::of(self.bound, n) else {
                continue;
            };
            let recorded = group.recipe.inputs.iter().position(|i| {
                i.definition == wanted && i.source.is_some_and(|(_, t)| t == input.field.data_type)
            });
            plan.push(match recorded {
                Some(i) => Take::Recorded(i),
                None => {
                    self.beyond.insert(input.field.name.clone());
                    Take::Known(wanted, bound.feature.origin)
                }
            });
        }
        plan
    }
}

fn columns(bound: &Bound) -> Vec<Column> {
    let declared = &bound.description().inputs;
    declared
        .iter()
        .map(|i| Column::new(i.field.data_type))
        .collect()
}

/// A failure's message without the sandbox's row number, which counts within our chunk.
fn cause(message: &str) -> String {
    message
        .split_once("): ")
        .map_or(message, |(_, cause)| cause)
        .to_owned()
}
