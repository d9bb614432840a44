//! The answers that a back-test compares, and the error if there are none.

use crate::compute::activation::Activations;
use crate::compute::answers::answers_by;
use provender_domain::day::Day;
use provender_ledger::types::RunFilter;
use provender_ledger::{LedgerError, Read};

use super::error::BacktestError;

/// There is no answer of what was asked for.
pub(super) fn nothing(filter: &RunFilter) -> BacktestError {
    let mut place = Vec::new();
    place.extend(filter.boundary_id.as_ref().map(|b| format!("in {b}")));
    place.extend(filter.herd_config_id.as_ref().map(|h| format!("of {h}")));
    place.extend(filter.from.map(|d| format!("from {d}")));
    place.extend(filter.to.map(|d| format!("up to {d}")));
    if place.is_empty() {
        place.push("in this ledger".to_owned());
    }
    BacktestError::Nothing {
        logic: filter.logic.clone().unwrap_or_default(),
        place: place.join(" "),
    }
}

/// The last day with an answer: the last with a run, unless none of that day's runs answers.
pub(super) fn last_answer(
    ledger: &dyn Read,
    activations: &Activations,
    filter: &RunFilter,
    first: Day,
    last: Day,
) -> Result<Option<Day>, LedgerError> {
    let mut narrow = filter.clone();
    for day in first.through(last).rev() {
        narrow.from = Some(day);
        narrow.to = Some(day);
        if !answers_by(ledger, activations, &narrow)?.is_empty() {
            return Ok(Some(day));
        }
    }
    Ok(None)
}
