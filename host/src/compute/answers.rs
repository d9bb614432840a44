//! Which recorded run is the answer for a boundary, herd, day and logic.
//!
//! The newest not superseded run of a version and configuration that was active: of several, the
//! one activated last. Runs with a one-off parameter, of versions never activated, and runs that a
//! guardrail refused are never answers.

use std::collections::BTreeMap;

use crate::domain::day::Day;
use crate::ledger::types::{Guardrail, Run, RunFilter};
use crate::ledger::{Ledger, LedgerError};

use super::activation::{Activations, logic_name};

/// Whether a run can answer at all, and how it ranks among those of its place, day and logic.
#[must_use]
pub fn rank(run: &Run, activations: &Activations) -> Option<(i64, u32)> {
    if run.superseded_by.is_some() || run.run.guardrail == Guardrail::Refused {
        return None;
    }
    let key = &run.run.key;
    let rank = activations.rank(run)?;
    Some((rank, key.config_version.reissue))
}

/// The answers that a filter selects, by boundary, herd, logic and day.
///
/// # Errors
/// When the ledger cannot be read.
pub fn answers(ledger: &dyn Ledger, filter: &RunFilter) -> Result<Vec<Run>, LedgerError> {
    let activations = Activations::load(ledger)?;
    // A filter by version must not hide that another version answers.
    let version = filter.logic.as_ref().filter(|l| l.contains(':')).cloned();
    let mut wide = filter.clone();
    wide.logic = filter.logic.as_ref().map(|l| logic_name(l).to_owned());
    let mut best: BTreeMap<(String, String, String, Day), ((i64, u32), Run)> = BTreeMap::new();
    for run in ledger.runs(&wide)? {
        let Some(rank) = rank(&run, &activations) else {
            continue;
        };
        let k = &run.run.key;
        let place = (
            k.boundary_id.clone(),
            k.herd_config_id.clone(),
            logic_name(&k.model_version).to_owned(),
            k.calculation_date,
        );
        match best.get(&place) {
            Some((other, _)) if *other >= rank => {}
            _ => {
                best.insert(place, (rank, run));
            }
        }
    }
    let answers = best.into_values().map(|(_, run)| run);
    Ok(answers
        .filter(|r| {
            version
                .as_ref()
                .is_none_or(|v| *v == r.run.key.model_version)
        })
        .collect())
}
