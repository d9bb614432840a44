//! Compares a question with what is recorded under its key.

use serde_json::Value as Json;

use provender_domain::canonical::from_slice;
use provender_domain::day::Day;
use provender_domain::manifest::Breach;
use provender_ledger::types::Run;
use provender_store::manifest::Manifest;

use super::binding::{Bound, Rail};
use super::facts::{Cell, Facts};
use super::outcome::InputChange;
use super::question::{Question, inputs_json};
use provender_domain::value::Value;

/// The guardrails that a run breaches, as indices into the configuration's list. `number` returns an output's number by
/// its index; nulls are not checked.
#[must_use]
pub(crate) fn breached(bound: &Bound, number: impl Fn(usize) -> Option<f64>) -> Vec<u32> {
    breaking(bound, number).map(|(n, _, _)| n).collect()
}

/// The breached guardrails, with their indices and the numbers that breach them.
fn breaking(
    bound: &Bound,
    number: impl Fn(usize) -> Option<f64>,
) -> impl Iterator<Item = (u32, &Rail, f64)> {
    (0..).zip(&bound.rails).filter_map(move |(n, rail)| {
        let x = number(rail.output).filter(|x| rail.is_breached(*x))?;
        Some((n, rail, x))
    })
}

/// The breached guardrails in the form that manifests record.
#[must_use]
pub(crate) fn breaches(bound: &Bound, outputs: &[Value]) -> Vec<Breach> {
    let declared = &bound.description().outputs;
    breaking(bound, |o| outputs.get(o)?.as_f64())
        .map(|(_, rail, value)| Breach {
            output: declared[rail.output].field.name.clone(),
            value,
            minimum: rail.minimum,
            maximum: rail.maximum,
            severity: rail.severity,
        })
        .collect()
}

/// The outputs of a ledger row, read by the component's declaration; `None` if they do not match it.
#[must_use]
pub(crate) fn recorded_outputs(bound: &Bound, run: &Run) -> Option<Vec<Value>> {
    let Json::Array(list) = from_slice(run.run.outputs.as_bytes()).ok()? else {
        return None;
    };
    let declared = &bound.description().outputs;
    if list.len() != declared.len() {
        return None;
    }
    declared
        .iter()
        .zip(&list)
        .map(|(o, j)| Value::from_json(o.field.data_type, j))
        .collect()
}

/// Whether the bytes that computed a recorded run differ from the pinned ones.
#[must_use]
pub(crate) fn other_component(bound: &Bound, recorded: &Manifest) -> bool {
    recorded.reproducible.component.sha256 != bound.component.digest()
}

/// Lists what differs between a recorded run and the same question now.
#[must_use]
pub(crate) fn changes(
    facts: &Facts<'_>,
    bound: &Bound,
    question: &Question,
    recorded: &Manifest,
) -> Vec<InputChange> {
    let mut changes = Vec::new();
    let component = recorded.reproducible.component.sha256;
    if other_component(bound, recorded) {
        changes.push(InputChange {
            name: "component".to_owned(),
            unit: None,
            old: Json::String(component.to_string()),
            new: Json::String(bound.component.digest().to_string()),
            old_source: "the recorded run".to_owned(),
            new_source: "provender.lock".to_owned(),
            cause: "the component's bytes".to_owned(),
        });
    }
    let old = &recorded.reproducible.inputs;
    let new = inputs_json(bound, &question.cells);
    for (input, cell) in bound.description().inputs.iter().zip(&question.cells) {
        let name = &input.field.name;
        let (before, after) = (
            old.get(name).cloned().unwrap_or_default(),
            new.get(name).cloned().unwrap_or_default(),
        );
        if before != after {
            let old_source = recorded_source(recorded, name);
            let new_source = current_source(facts, cell);
            let cause = newest_file(facts, cell).unwrap_or_else(|| old_source.clone());
            changes.push(InputChange {
                name: name.clone(),
                unit: input.field.unit.clone(),
                old: before,
                new: after,
                old_source,
                new_source,
                cause,
            });
        }
    }
    changes
}

fn newest_file(facts: &Facts<'_>, cell: &Cell) -> Option<String> {
    let newest = cell
        .from
        .iter()
        .max_by_key(|c| facts.file(c.file_id).map(|f| f.entry))?;
    facts.file(newest.file_id).map(|f| f.path.clone())
}

fn current_source(facts: &Facts<'_>, cell: &Cell) -> String {
    let Some(last) = cell.from.last() else {
        return "nothing known".to_owned();
    };
    let file = facts.file(last.file_id).map_or("?", |f| f.path.as_str());
    describe(file, last.row, last.date, cell.from.len())
}

fn recorded_source(manifest: &Manifest, input: &str) -> String {
    let from = manifest.sources.inputs.get(input).map(|i| &i.from);
    let Some((from, last)) = from.and_then(|f| Some((f, f.last()?))) else {
        return "nothing known".to_owned();
    };
    let file = manifest.sources.file(last);
    describe(
        file.map_or("?", |f| f.path.as_str()),
        last.row,
        last.date,
        from.len(),
    )
}

fn describe(file: &str, row: u32, date: Option<Day>, observations: usize) -> String {
    let date = date.map(|d| format!(" of {d}")).unwrap_or_default();
    match observations {
        0 | 1 => format!("{file} row {row}{date}"),
        n => format!("{n} observations up to {file} row {row}{date}"),
    }
}
