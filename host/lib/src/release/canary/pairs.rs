//! Pairs the recorded runs of candidate and active release by boundary, herd and day, on the same inputs.
//!
//! Only recorded runs are compared; nothing is computed for it. Two runs have the same inputs if every column
//! that both read has the same value in both manifests. If the data was revised between them, the pair is
//! counted but left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::compute::Bound;
use crate::compute::ComputeError;
use crate::compute::engine::Target;
use crate::compute::guard::recorded_outputs;
use provender_domain::canonical::to_text;
use provender_domain::catalogue::Window;
use provender_domain::day::Day;
use provender_domain::value::Value;
use provender_ledger::types::{Guardrail, Run, RunFilter};
use provender_ledger::{LedgerError, Read};
use provender_store::manifest::Store;

use super::super::ReleaseError;
use super::share::takes_part;
use super::state::Canary;

/// One run of each side, on the same inputs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    /// Boundary, herd and day.
    pub place: Target,
    /// Outputs under the active release, in declared order.
    pub active: Vec<Value>,
    /// Outputs under the candidate, in declared order.
    pub candidate: Vec<Value>,
    /// Whether the active release's run breached a guardrail.
    pub active_breached: bool,
    /// Whether the candidate's run breached a guardrail.
    pub candidate_breached: bool,
}

/// The recorded runs of one logic on both sides.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    /// Pairs on the same inputs, ordered by boundary, herd and day.
    pub pairs: Vec<Pair>,
    /// Runs that only the candidate has.
    pub candidate_only: Vec<Target>,
    /// Runs that only the active release has.
    pub active_only: Vec<Target>,
    /// Runs of both sides with different inputs, and the names of those inputs.
    pub other_inputs: Vec<(Target, Vec<String>)>,
}

impl Pairs {
    /// Reads what was recorded from `from` to `to` in the boundaries that take part.
    ///
    /// # Errors
    /// If the ledger or a manifest cannot be read.
    pub(super) fn read(
        ledger: &dyn Read,
        manifests: &Store,
        canary: &Canary,
        (active, candidate): (&Bound, &Bound),
        (from, to): (Day, Day),
    ) -> Result<Pairs, ReleaseError> {
        let days = (from, to);
        let mut theirs = recorded(ledger, canary, candidate, days)?;
        let common = common_inputs(active, candidate);
        let mut found = Pairs::default();
        for (place, run) in recorded(ledger, canary, active, days)? {
            let Some(other) = theirs.remove(&place) else {
                found.active_only.push(place);
                continue;
            };
            let differ = differences(manifests, &common, &run, &other)?;
            if !differ.is_empty() {
                found.other_inputs.push((place, differ));
                continue;
            }
            found.pairs.push(Pair {
                place,
                active: outputs(active, &run)?,
                candidate: outputs(candidate, &other)?,
                active_breached: run.run.guardrail != Guardrail::Ok,
                candidate_breached: other.run.guardrail != Guardrail::Ok,
            });
        }
        found.candidate_only = theirs.into_keys().collect();
        Ok(found)
    }

    /// The part that belongs to one day.
    #[must_use]
    pub(super) fn of_day(&self, day: Day) -> Pairs {
        let of = |places: &[Target]| {
            let places = places.iter().filter(|p| p.day == day);
            places.cloned().collect()
        };
        Pairs {
            pairs: self
                .pairs
                .iter()
                .filter(|p| p.place.day == day)
                .cloned()
                .collect(),
            candidate_only: of(&self.candidate_only),
            active_only: of(&self.active_only),
            other_inputs: self
                .other_inputs
                .iter()
                .filter(|(p, _)| p.day == day)
                .cloned()
                .collect(),
        }
    }

    /// Every day on which either side recorded something.
    #[must_use]
    pub(super) fn days(&self) -> BTreeSet<Day> {
        let pairs = self.pairs.iter().map(|p| p.place.day);
        let others = self.other_inputs.iter().map(|(p, _)| p.day);
        let single = self.candidate_only.iter().chain(&self.active_only);
        pairs.chain(others).chain(single.map(|p| p.day)).collect()
    }

    /// The number of rows of the active release in the boundaries that take part.
    #[must_use]
    pub(super) fn expected(&self) -> usize {
        self.pairs.len() + self.other_inputs.len() + self.active_only.len()
    }
}

/// The newest run of each boundary, herd and day under one version and configuration, recorded before the
/// canary ended.
fn recorded(
    ledger: &dyn Read,
    canary: &Canary,
    bound: &Bound,
    (from, to): (Day, Day),
) -> Result<BTreeMap<Target, Run>, LedgerError> {
    let filter = RunFilter {
        from: Some(from),
        to: Some(to),
        logic: Some(bound.model_version.to_string()),
        configs: Some(vec![(bound.model_version.clone(), bound.config.digest)]),
        ..RunFilter::default()
    };
    let until = canary.until();
    let mut newest: BTreeMap<Target, Run> = BTreeMap::new();
    for run in ledger.runs(&filter)? {
        let key = &run.run.key;
        if run.entry >= until || !takes_part(&key.boundary_id, canary.share) {
            continue;
        }
        let place = Target {
            boundary_id: key.boundary_id.clone(),
            herd_config_id: key.herd_config_id.clone(),
            day: key.calculation_date,
        };
        let older = newest
            .get(&place)
            .is_some_and(|n| n.run.key.config_version.reissue >= key.config_version.reissue);
        if !older {
            newest.insert(place, run);
        }
    }
    Ok(newest)
}

/// Inputs that read the same column over the same days on both sides, with their names on each side.
fn common_inputs(active: &Bound, candidate: &Bound) -> Vec<(String, String)> {
    let same_season = active.season_start == candidate.season_start;
    let mut common = Vec::new();
    for (input, bound) in active.description().inputs.iter().zip(&active.inputs) {
        if bound.reference.window == Window::Season && !same_season {
            continue;
        }
        let other = candidate
            .inputs
            .iter()
            .position(|b| {
                b.reference == bound.reference && b.feature.version == bound.feature.version
            })
            .and_then(|i| candidate.description().inputs.get(i));
        if let Some(other) = other {
            common.push((input.field.name.clone(), other.field.name.clone()));
        }
    }
    common
}

/// The common inputs whose values differ, by the candidate's names.
fn differences(
    manifests: &Store,
    common: &[(String, String)],
    active: &Run,
    candidate: &Run,
) -> Result<Vec<String>, ReleaseError> {
    let inputs = |run: &Run| {
        manifests
            .read(run.run.manifest_ref())
            .map(|m| m.reproducible.inputs)
            .map_err(ComputeError::from)
    };
    let (ours, theirs) = (inputs(active)?, inputs(candidate)?);
    let text = |value: Option<&serde_json::Value>| value.and_then(|v| to_text(v).ok());
    Ok(common
        .iter()
        .filter(|(a, c)| text(ours.get(a)) != text(theirs.get(c)))
        .map(|(_, c)| c.clone())
        .collect())
}

fn outputs(bound: &Bound, run: &Run) -> Result<Vec<Value>, ReleaseError> {
    recorded_outputs(bound, run).ok_or_else(|| {
        ReleaseError::damaged(
            run.run.key.to_string(),
            "its outputs do not fit its component",
        )
    })
}
