//! Combines the runs without an answer into one error.

use std::collections::BTreeMap;

use provender_domain::render::text::count;
use provender_host::compute::{RunOutcome, RunOutcomeKind, RunProblem};
use provender_host::deployment::Computed;

use super::error::{CliError, trouble_exit};
use super::exit::Exit;

/// The refused runs as one error: each with its reason if there are few, otherwise grouped by cause.
pub(super) fn trouble(computed: &Computed) -> Option<CliError> {
    let troubled: Vec<(&RunOutcome, &RunProblem)> = computed
        .logics
        .iter()
        .flat_map(|(_, runs)| runs)
        .filter_map(|r| Some((r, r.problem.as_ref()?)))
        .collect();
    let first = Exit::first_of_worst(troubled.iter().map(|(_, p)| *p), |p| {
        trouble_exit(p.trouble)
    })?;
    let exit = trouble_exit(first.trouble);
    let (drifted, others): (Vec<_>, Vec<_>) = troubled
        .iter()
        .copied()
        .partition(|(r, _)| r.outcome == RunOutcomeKind::Drift);
    let mut lines = match drifted.as_slice() {
        [(_, example), ..] if drifted.len() > FEW => {
            let mut lines = causes(drifted.iter().map(|(r, _)| *r));
            lines.push(format!("for example {}", example.message));
            lines
        }
        few => few.iter().map(|(_, p)| p.message.clone()).collect(),
    };
    lines.extend(others.iter().take(FEW).map(|(_, p)| p.message.clone()));
    if others.len() > FEW {
        lines.push(format!(
            "and {} more; --json lists them all",
            others.len() - FEW
        ));
    }
    let head = if drifted.is_empty() {
        format!("{} without an answer", count(troubled.len() as u64, "run"))
    } else {
        format!(
            "{} drifted: recorded under the same key with other inputs, so nothing was written",
            count(drifted.len() as u64, "run")
        )
    };
    let mut error = CliError::new(
        exit,
        &first.code,
        format!("{head}\n  {}", lines.join("\n  ")),
    );
    if !drifted.is_empty() {
        error = error.help(
            "if the revised inputs are right, `provender reissue` plans their replacement; if a file is wrong, \
             `provender ingest retract FILE --reason …` withdraws it; if the logic changed, it needs a new version",
        );
    }
    Some(error)
}

/// What changed in the inputs, the most frequent change first.
fn causes<'r>(drifted: impl Iterator<Item = &'r RunOutcome>) -> Vec<String> {
    let mut causes: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for change in drifted.flat_map(|r| &r.changes) {
        *causes.entry((&change.cause, &change.name)).or_default() += 1;
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let lines = causes.into_iter().take(20);
    lines
        .map(|((cause, input), n)| format!("{}: {input} changed by {cause}", count(n, "run")))
        .collect()
}

/// Up to this many troubles are listed one by one.
const FEW: usize = 10;
