//! Decides which recorded run is the answer for a boundary, herd, day and logic.
//!
//! The answer is the newest run, not superseded, whose version and configuration were activated; if there are several,
//! the one activated last. Runs with a one-off parameter, runs of versions never activated, and runs that a guardrail
//! refused are never answers.

use provender_domain::day::Day;
use provender_ledger::EntryNumber;
use provender_ledger::types::{Guardrail, Run, RunFilter};
use provender_ledger::{LedgerError, Read};

use super::activation::{Activations, logic_name};

/// Ranks a run among those of its place, day and logic. `None` if it cannot be an answer.
#[must_use]
pub fn rank(run: &Run, activations: &Activations) -> Option<(EntryNumber, u32)> {
    if run.superseded_by.is_some() || run.run.guardrail == Guardrail::Refused {
        return None;
    }
    let key = &run.run.key;
    let rank = activations.rank(run)?;
    Some((rank, key.config_version.reissue))
}

/// The answers that a filter selects, sorted by boundary, herd, logic and day.
///
/// # Errors
/// If the ledger cannot be read.
pub fn answers(ledger: &dyn Read, filter: &RunFilter) -> Result<Vec<Run>, LedgerError> {
    answers_by(ledger, &Activations::load(ledger)?, filter)
}

/// Like [`answers`], with activations already read, for callers that ask place by place.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn answers_by(
    ledger: &dyn Read,
    activations: &Activations,
    filter: &RunFilter,
) -> Result<Vec<Run>, LedgerError> {
    // Filter by name first: a filter by version must not hide that another version answers.
    let version = filter.logic.as_ref().filter(|l| l.contains(':')).cloned();
    let mut wide = filter.clone();
    wide.logic = filter.logic.as_ref().map(|l| logic_name(l).to_owned());
    let runs = ledger.runs(&wide)?.into_iter();
    let mut ranked: Vec<((EntryNumber, u32), Run)> = runs
        .filter_map(|run| Some((rank(&run, activations)?, run)))
        .collect();
    // The best of a place and day comes first; among equals, the one that the ledger returned first.
    ranked.sort_by(|(rank, a), (other, b)| question(a).cmp(&question(b)).then(other.cmp(rank)));
    ranked.dedup_by(|(_, later), (_, first)| question(later) == question(first));
    let answers = ranked.into_iter().map(|(_, run)| run);
    Ok(answers
        .filter(|r| {
            version
                .as_ref()
                .is_none_or(|v| r.run.key.model_version == v.as_str())
        })
        .collect())
}

/// The question that a run answers: boundary, herd, logic and day.
fn question(run: &Run) -> (&str, &str, &str, Day) {
    let key = &run.run.key;
    (
        &key.boundary_id,
        &key.herd_config_id,
        key.model_version.name(),
        key.calculation_date,
    )
}
