//! Collects an explanation. Everything about the number comes from the manifest, whose digests are checked. What has
//! changed since comes from the facts as known today.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use crate::compute::Facts;
use crate::compute::facts::Cell;
use crate::compute::outcome::InputChange;
use crate::project::logic::season_day;
use provender_domain::canonical::{Digest, to_text};
use provender_domain::catalogue::{Aggregate, Feature, FeatureRef, Window};
use provender_domain::day::Day;
use provender_domain::description::Description;
use provender_domain::ids::{BoundaryId, HerdId};
use provender_domain::manifest::{Observed, SetBy};
use provender_domain::words;
use provender_ledger::Read;
use provender_ledger::entry::Entry;
use provender_store::manifest::{Manifest, Store};

use super::ExplainError;
use super::find::FoundRun;

/// The row of a file behind an input.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedSource")]
pub(crate) struct Source {
    /// Path of the file.
    pub file: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// 1-based row.
    pub row: u64,
    /// Day of the observation; null if it has none.
    pub date: Option<String>,
    /// Value of the observation; null if it is not a number.
    pub value: Option<f64>,
}

/// An input, with the origin of its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Name in the component.
    pub(crate) name: String,
    /// The value that the component saw.
    pub(crate) value: Json,
    /// Unit.
    pub(crate) unit: Option<String>,
    /// Its meaning, in the component's words.
    pub(crate) doc: String,
    /// Reference into the catalogue.
    pub(crate) feature: String,
    /// Days from the newest observation to the calculation date.
    pub(crate) age_days: Option<i64>,
    /// The observations behind the value, oldest first.
    pub(crate) sources: Vec<Source>,
}

/// A parameter in force.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedParameter")]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value in force, of the type that the component declares.
    pub value: Json,
    /// Its unit; null if it has none, or the component is not pinned here.
    pub unit: Option<String>,
    /// Its meaning, in the component's words; empty if the component is not pinned here.
    pub doc: String,
    /// Where it was set.
    pub set_by: ParameterOrigin,
}

words! {
    /// Where the value of a run's parameter was set.
    pub enum ParameterOrigin: "origin" {
        /// The component's default.
        Component = "component default",
        /// `logic.toml`.
        LogicToml = "logic.toml",
        /// `--param` of a command.
        CommandLine = "--param",
        /// The manifest does not say.
        NotRecorded = "not recorded",
    }
}

impl From<Option<&SetBy>> for ParameterOrigin {
    fn from(set_by: Option<&SetBy>) -> ParameterOrigin {
        match set_by {
            Some(SetBy::Component) => ParameterOrigin::Component,
            Some(SetBy::LogicToml) => ParameterOrigin::LogicToml,
            Some(SetBy::CommandLine) => ParameterOrigin::CommandLine,
            None => ParameterOrigin::NotRecorded,
        }
    }
}

/// The component that is pinned here under a run's version.
#[derive(Clone, Copy, Debug)]
pub struct Pinned<'a> {
    /// What it declares.
    pub description: &'a Description,
    /// Digest of its bytes.
    pub sha256: Digest,
}

/// Everything known about a run.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The run and the others of its place and day.
    pub found: FoundRun,
    /// Its manifest.
    pub manifest: Manifest,
    /// Path of the manifest.
    pub manifest_path: String,
    /// The component's declaration, if exactly the bytes that ran are pinned here.
    pub description: Option<Description>,
    /// Digest of the bytes that are pinned under the run's version if they differ from those that ran. Formulas and
    /// units are not taken from them.
    pub other_component: Option<Digest>,
    /// The entry that recorded it.
    pub entry: Option<Entry>,
    /// The entry that superseded it.
    pub superseded_by: Option<Entry>,
    /// Inputs in declared order.
    pub inputs: Vec<Input>,
    /// Parameters in declared order.
    pub parameters: Vec<Parameter>,
    /// Inputs that have a different value today.
    pub superseded_inputs: Vec<InputChange>,
    /// Inputs that cannot be compared with their value today, with the reason.
    pub incomparable: Vec<(String, String)>,
    /// Columns with an observation after the calculation date: column and day.
    pub newer: Vec<(String, String)>,
}

/// Explains a run.
///
/// # Errors
/// If ledger or manifest cannot be read, or disagree.
pub fn explain(
    ledger: &dyn Read,
    facts: &Facts<'_>,
    catalogue: &[Feature],
    manifests: &Store,
    pinned: Option<Pinned<'_>>,
    found: FoundRun,
) -> Result<Explanation, ExplainError> {
    let run = &found.run;
    let key = &run.run.key;
    let manifest = manifests.read(run.run.manifest_ref())?;
    let ran = manifest.reproducible.component.sha256;
    let same = pinned.filter(|p| ran == p.sha256);
    let other_component = pinned.filter(|_| same.is_none()).map(|p| p.sha256);
    let description = same.map(|p| p.description);
    check(&found, &manifest, description)?;
    let inputs = inputs(&manifest, description).map_err(|problem| ExplainError::Damaged {
        run: found.run.run.key.to_string(),
        problem,
    })?;
    let set_by = &manifest.environment.parameters_set_by;
    let declared =
        |name: &str| description.and_then(|d| d.parameters.iter().position(|p| p.name == name));
    let values = &manifest.reproducible.parameters;
    let mut values: Vec<(&String, &Json)> = values.iter().collect();
    // In declared order if it is known, otherwise by name.
    values.sort_by_key(|(name, _)| declared(name));
    let parameters = values
        .into_iter()
        .map(|(name, value)| {
            (
                declared(name).and_then(|i| description?.parameters.get(i)),
                name,
                value,
            )
        })
        .map(|(declared, name, value)| Parameter {
            unit: declared.and_then(|p| p.unit.clone()),
            doc: declared.map(|p| p.doc.clone()).unwrap_or_default(),
            set_by: set_by.get(name).into(),
            name: name.clone(),
            value: value.clone(),
        })
        .collect();
    let superseding = match &run.superseded_by {
        None => None,
        Some(version) => {
            let mut by = key.clone();
            by.config_version = version.clone();
            ledger
                .run(&by)?
                .map(|r| r.entry)
                .map(|seq| ledger.entry(seq))
                .transpose()?
                .flatten()
        }
    };
    let today = today(facts, catalogue, &manifest, &found, &inputs)?;
    Ok(Explanation {
        manifest_path: manifests.path_of(run.run.manifest_ref()),
        description: description.cloned(),
        entry: ledger.entry(run.entry)?,
        superseded_by: superseding,
        inputs,
        parameters,
        superseded_inputs: today.changes,
        incomparable: today.incomparable,
        newer: today.newer.into_iter().collect(),
        other_component,
        manifest,
        found,
    })
}

/// Checks that the ledger's row and the manifest describe the same run.
fn check(
    found: &FoundRun,
    manifest: &Manifest,
    description: Option<&Description>,
) -> Result<(), ExplainError> {
    let run = &found.run.run;
    let damaged = |problem: &str| ExplainError::Damaged {
        run: run.key.to_string(),
        problem: problem.to_owned(),
    };
    let recorded = &manifest.reproducible;
    if recorded.run_id != run.key.run_id() {
        return Err(damaged("its manifest is another run's"));
    }
    if recorded.provenance != run.provenance {
        return Err(damaged(
            "its row and its manifest have different provenance",
        ));
    }
    if let Some(d) = description {
        let outputs = &recorded.outputs;
        let mut list = Vec::new();
        for output in &d.outputs {
            let name = &output.field.name;
            let value = outputs.get(name).cloned();
            list.push(
                value.ok_or_else(|| damaged(&format!("its manifest lacks the output `{name}`")))?,
            );
        }
        if to_text(&Json::Array(list)).ok().as_deref() != Some(run.outputs.as_str()) {
            return Err(damaged("its row and its manifest have different outputs"));
        }
    }
    Ok(())
}

/// An input's observations, from the manifest. `Err` describes what the manifest lacks.
fn sources(manifest: &Manifest, from: &[Observed]) -> Result<Vec<Source>, &'static str> {
    let source = |o: &Observed| {
        let missing = "its manifest lacks the file of one of its observations";
        let file = manifest.sources.file(o).ok_or(missing)?;
        Ok(Source {
            file: file.path.clone(),
            sha256: file.sha256.to_string(),
            row: u64::from(o.row),
            date: o.date.map(|d| d.to_string()),
            value: o.value,
        })
    };
    from.iter().map(source).collect()
}

fn inputs(manifest: &Manifest, description: Option<&Description>) -> Result<Vec<Input>, String> {
    let values = &manifest.reproducible.inputs;
    let names: Vec<String> = match description {
        Some(d) => d.inputs.iter().map(|i| i.field.name.clone()).collect(),
        None => values.keys().cloned().collect(),
    };
    let input = |name: String| {
        let declared = description.and_then(|d| d.inputs.iter().find(|i| i.field.name == name));
        let behind = manifest.sources.inputs.get(&name);
        // A missing observation is recorded as null. An input that is absent altogether means that the manifest is
        // damaged.
        let value = values.get(&name).cloned();
        Ok(Input {
            value: value.ok_or_else(|| format!("its manifest lacks the input `{name}`"))?,
            unit: declared.and_then(|d| d.field.unit.clone()),
            doc: declared.map(|d| d.field.doc.clone()).unwrap_or_default(),
            feature: declared.map(|d| d.feature.clone()).unwrap_or_default(),
            age_days: behind.and_then(|b| b.age_days),
            sources: sources(manifest, behind.map_or(&[], |b| &b.from))?,
            name,
        })
    };
    names.into_iter().map(input).collect()
}

/// What has changed since the run.
#[derive(Default)]
struct Today {
    changes: Vec<InputChange>,
    incomparable: Vec<(String, String)>,
    /// Maps a column to the day of its newest observation.
    newer: BTreeMap<String, String>,
}

/// The day of the newest observation of a dated column, whatever aggregate an input uses.
fn newest(
    facts: &Facts<'_>,
    feature: &Feature,
    place: (&BoundaryId, &HerdId),
) -> Result<Option<Day>, ExplainError> {
    if !feature.is_dated() {
        return Ok(None);
    }
    let reference = FeatureRef {
        name: feature.name.clone(),
        aggregate: Aggregate::Latest,
        window: Window::All,
    };
    let last = facts.cell(&reference, feature.origin, place, Day::MAX, (1, 1))?;
    Ok(last.from.last().and_then(|c| c.date))
}

/// The inputs that would be different today, and observations after the calculation date.
fn today(
    facts: &Facts<'_>,
    catalogue: &[Feature],
    manifest: &Manifest,
    found: &FoundRun,
    inputs: &[Input],
) -> Result<Today, ExplainError> {
    let key = &found.run.run.key;
    let place = (&key.boundary_id, &key.herd_config_id);
    let mut today = Today::default();
    for input in inputs {
        // The definition of the input is in the run's own configuration, whatever is pinned today.
        let definition = manifest.reproducible.config.features.get(&input.name);
        let mut cannot = |why: String| today.incomparable.push((input.name.clone(), why));
        let Some((definition, reference)) = definition.and_then(|d| {
            let reference = FeatureRef::recorded(&d.feature, &d.aggregate, &d.window)?;
            Some((d, reference))
        }) else {
            cannot("its manifest does not say which feature it was".to_owned());
            continue;
        };
        let Some(feature) = catalogue.iter().find(|f| f.name == reference.name) else {
            cannot(format!(
                "the catalogue no longer has the feature `{}`",
                reference.name
            ));
            continue;
        };
        let start = definition.season_start.as_deref().unwrap_or("01-01");
        let Some(season) = season_day(start) else {
            cannot(format!(
                "its manifest says that a season begins on {start}, which is no day"
            ));
            continue;
        };
        let cell = facts.cell(
            &reference,
            feature.origin,
            place,
            key.calculation_date,
            season,
        )?;
        if cell.value.to_json() != input.value {
            let (new_source, cause) = where_from(facts, &cell);
            today.changes.push(InputChange {
                name: input.name.clone(),
                unit: input.unit.clone(),
                old: input.value.clone(),
                new: cell.value.to_json(),
                old_source: input.sources.last().map_or_else(
                    || "nothing known".to_owned(),
                    |s| format!("{} row {}", s.file, s.row),
                ),
                new_source,
                cause,
            });
        }
        let newest = newest(facts, feature, place)?;
        if let Some(day) = newest.filter(|d| *d > key.calculation_date) {
            today.newer.insert(feature.name.clone(), day.to_string());
        }
    }
    Ok(today)
}

fn where_from(facts: &Facts<'_>, cell: &Cell) -> (String, String) {
    let Some(last) = cell.from.last() else {
        return ("nothing known".to_owned(), "a withdrawal".to_owned());
    };
    let file = facts.file(last.file_id).map_or("?", |f| f.path.as_str());
    (format!("{file} row {}", last.row), file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use provender_domain::description::{Field, Input as DeclaredInput};
    use provender_domain::value::DataType;

    /// Manifests written by version 0.1.0, one a line.
    const KEPT: &str = include_str!("../../../../tests/fixtures/manifests-0.1.0.jsonl");

    fn description(names: &[&String]) -> Description {
        let input = |name: &&String| DeclaredInput {
            field: Field {
                name: (*name).clone(),
                data_type: DataType::Float64,
                unit: None,
                nullable: true,
                doc: String::new(),
            },
            feature: (*name).clone(),
        };
        Description {
            name: "days".to_owned(),
            version: "v1".to_owned(),
            summary: String::new(),
            inputs: names.iter().map(input).collect(),
            parameters: Vec::new(),
            outputs: Vec::new(),
            guardrails: Vec::new(),
            monitors: Vec::new(),
            annotations: Vec::new(),
        }
    }

    #[test]
    fn a_declared_input_missing_from_the_manifest_is_an_error() {
        let kept = KEPT.lines().next().unwrap();
        let manifest = Manifest::parse(kept.as_bytes()).unwrap();
        let names: Vec<&String> = manifest.reproducible.inputs.keys().collect();
        let known = inputs(&manifest, Some(&description(&names))).unwrap();
        assert_eq!(known.len(), names.len());
        let rain = "rain_mm".to_owned();
        let lacks = inputs(&manifest, Some(&description(&[names[0], &rain])));
        assert_eq!(lacks.unwrap_err(), "its manifest lacks the input `rain_mm`");
    }
}
