//! Combines the runs without an answer into one error.

use std::collections::BTreeMap;

use provender_domain::render::text::count;
use provender_host::compute::{RunOutcome, RunOutcomeKind};
use provender_host::deployment::Computed;

use super::error::{CliError, trouble_exit};
use super::exit::Exit;

/// The refused runs as one error: each with its reason if there are few, otherwise grouped by cause.
pub(super) fn trouble(computed: &Computed) -> Option<CliError> {
    let troubled: Vec<&RunOutcome> = computed
        .logics
        .iter()
        .flat_map(|(_, runs)| runs)
        .filter(|r| r.problem.is_some())
        .collect();
    let problems = troubled.iter().filter_map(|r| r.problem.as_ref());
    let first = Exit::first_of_worst(problems, |p| trouble_exit(p.trouble))?;
    let exit = trouble_exit(first.trouble);
    let drifted: Vec<&&RunOutcome> = troubled
        .iter()
        .filter(|r| r.outcome == RunOutcomeKind::Drift)
        .collect();
    let mut lines = Vec::new();
    if drifted.len() > FEW {
        let mut causes: BTreeMap<(String, String), usize> = BTreeMap::new();
        for change in drifted.iter().flat_map(|r| &r.changes) {
            *causes
                .entry((change.cause.clone(), change.name.clone()))
                .or_default() += 1;
        }
        let mut causes: Vec<_> = causes.into_iter().collect();
        causes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        for ((cause, input), n) in causes.into_iter().take(20) {
            lines.push(format!(
                "{}: {input} changed by {cause}",
                count(n as u64, "run")
            ));
        }
        lines.push(format!(
            "for example {}",
            drifted[0]
                .problem
                .as_ref()
                .map_or("", |p| p.message.as_str())
        ));
    } else {
        lines.extend(
            drifted
                .iter()
                .filter_map(|r| r.problem.as_ref())
                .map(|p| p.message.clone()),
        );
    }
    let others: Vec<&str> = troubled
        .iter()
        .filter(|r| r.outcome != RunOutcomeKind::Drift)
        .filter_map(|r| r.problem.as_ref())
        .map(|p| p.message.as_str())
        .collect();
    lines.extend(others.iter().take(FEW).map(|m| (*m).to_owned()));
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

/// Up to this many troubles are listed one by one.
const FEW: usize = 10;
