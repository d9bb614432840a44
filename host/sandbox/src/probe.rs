//! Calls for checks and measurements: single ones, or in batches of the caller's choice.

use std::ops::Range;

use provender_domain::column::Column;
use provender_domain::value::Scalar;

use super::component::Component;
use super::error::LogicError;
use super::execute::{self, Computed};
use super::failure::FailureCode;

/// The result of a single call in a fresh instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Fuel of start-up and call together.
    pub fuel: u64,
    /// The outputs in declared order, or the failure's code and cause.
    pub result: Result<Vec<Column>, (FailureCode, String)>,
}

impl Component {
    /// Like [`Component::compute`], with the given batches of one call each, which must cover the rows.
    ///
    /// # Errors
    /// See [`Component::compute`].
    pub fn compute_in_batches(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
        batches: &[Range<usize>],
    ) -> Result<Computed, LogicError> {
        let plan = batches.iter().map(|call| vec![call.clone()]).collect();
        self.callee()
            .compute_in_batches(parameters, inputs, rows, &plan)
    }

    /// Like [`Component::compute_in_batches`], with all calls in one batch.
    ///
    /// # Errors
    /// See [`Component::compute`].
    pub fn compute_in_one_batch(
        &self,
        parameters: &[Scalar],
        inputs: &[Column],
        rows: usize,
        calls: &[Range<usize>],
    ) -> Result<Computed, LogicError> {
        let plan = vec![calls.to_vec()];
        self.callee()
            .compute_in_batches(parameters, inputs, rows, &plan)
    }

    /// Number of rows that one call in production would take.
    #[must_use]
    pub fn batch(&self, inputs: &[Column], rows: usize) -> usize {
        execute::call_rows(inputs, rows, self.limits().batch_rows).min(rows)
    }

    /// Makes one call over a range of rows, which may be empty, without bisecting a failure.
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
