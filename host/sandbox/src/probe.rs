//! Calls that checks and measurements make: one by itself, or in batches of the caller's choice.

use std::ops::Range;

use provender_domain::column::Column;
use provender_domain::value::Scalar;

use super::component::Component;
use super::error::LogicError;
use super::execute::{self, Computed};
use super::failure::FailureCode;

/// What became of a single call, in an instance of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Fuel that start-up and call used together.
    pub fuel: u64,
    /// The outputs in declared order, or the code and the cause of the failure.
    pub result: Result<Vec<Column>, (FailureCode, String)>,
}

impl Component {
    /// As [`Component::compute`], in batches of the caller's choice, one call each. They must cover the
    /// rows.
    ///
    /// # Errors
    /// As [`Component::compute`].
    pub fn compute_in(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
        batches: &[Range<usize>],
    ) -> Result<Computed, LogicError> {
        let plan = batches.iter().map(|call| vec![call.clone()]).collect();
        self.callee().compute_in(parameters, inputs, rows, &plan)
    }

    /// As [`Component::compute_in`], all calls in one batch.
    ///
    /// # Errors
    /// As [`Component::compute`].
    pub fn compute_together(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
        calls: &[Range<usize>],
    ) -> Result<Computed, LogicError> {
        let plan = vec![calls.to_vec()];
        self.callee().compute_in(parameters, inputs, rows, &plan)
    }

    /// How many of these rows one call of production's holds.
    #[must_use]
    pub fn batch(&self, inputs: &[Column], rows: usize) -> usize {
        execute::call_rows(inputs, rows, self.limits().batch_rows).min(rows)
    }

    /// One call over a range of rows (which may be empty), not taken apart where it fails.
    ///
    /// # Errors
    /// When no thread could be started.
    pub fn probe(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: Range<usize>,
    ) -> Result<Probe, LogicError> {
        let callee = self.callee();
        let (fuel, result) =
            execute::on_guest_stack(self.limits(), || callee.call_once(parameters, inputs, rows))?;
        Ok(Probe {
            fuel,
            result: result.map_err(|f| (f.code, f.cause)),
        })
    }
}
