//! Recorded answers with the inputs they were computed from.
//!
//! The inputs are gathered again from the observations as they were known when the answer's batch
//! was recorded, and proved by the digest that the ledger holds (see [`crate::compute::recipe`]).
//! The digest may differ: the run was computed with `--known-at`, a file was ingested meanwhile, or the
//! precedence of sources or the catalogue has changed. Then the inputs are read from the run's manifest. Either
//! way they are the recorded ones.

use provender_ledger::EntryNumber;
use std::collections::HashMap;
use std::rc::Rc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use crate::compute::activation::Activations;
use crate::compute::answers::answers_by;
use crate::compute::past::{Moment, Past};
use crate::compute::recipe::Recipe;
use provender_domain::canonical::Digest;
use provender_domain::catalogue::Feature;
use provender_domain::value::Value;
use provender_ledger::entries::RunsRecorded;
use provender_ledger::types::{Run, RunFilter};
use provender_ledger::{LedgerError, Read};
use provender_store::manifest::Store;

use super::error::BacktestError;

/// Number of rows whose inputs were proved by digest, and of those read from manifests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "BacktestProvenance")]
pub struct Provenance {
    /// Gathered from the observations as known then, and proved by the recorded digest.
    pub proved: u64,
    /// Taken from the manifest.
    pub from_manifests: u64,
}

impl Provenance {
    /// Counts other rows too.
    pub(crate) fn join(&mut self, others: Provenance) {
        self.proved += others.proved;
        self.from_manifests += others.from_manifests;
    }
}

/// The runs of one recorded component and configuration.
#[derive(Debug)]
pub(super) struct Group {
    /// Its number, from 0.
    pub number: usize,
    /// Digest of the component as the batch's entry says it.
    pub component: String,
    /// The inputs.
    pub recipe: Recipe,
}

/// A recorded answer with its inputs.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The run.
    pub run: Run,
    /// What its inputs are called and mean.
    pub group: Rc<Group>,
    /// Their values, in the order of the recipe.
    pub inputs: Vec<Value>,
    /// The last entry that counted when it was computed.
    pub known: EntryNumber,
}

impl Snapshot {
    /// Place, day and moment of the run.
    #[must_use]
    pub(super) fn moment(&self) -> Moment<'_> {
        moment(&self.run, self.known)
    }
}

fn moment(run: &Run, known: EntryNumber) -> Moment<'_> {
    Moment {
        boundary_id: &run.run.key.boundary_id,
        herd_config_id: &run.run.key.herd_config_id,
        day: run.run.key.calculation_date,
        known,
    }
}

/// (configuration, component, world) of a group; a configuration names its model version.
type GroupKey = (Digest, String, String);

/// Reads answers with their inputs, one boundary and herd after the other.
pub(super) struct Snapshots<'a, 'l> {
    ledger: &'l dyn Read,
    manifests: &'a Store,
    catalogue: &'a [Feature],
    /// What was known when.
    pub past: Past<'l>,
    groups: HashMap<GroupKey, Rc<Group>>,
    /// (entry of a batch, configuration) → the group of its runs.
    batches: HashMap<(EntryNumber, Digest), Rc<Group>>,
    /// How the inputs were obtained.
    pub provenance: Provenance,
    buffer: Vec<u8>,
}

impl<'a, 'l> Snapshots<'a, 'l> {
    /// Over a ledger and its manifests.
    #[must_use]
    pub(super) fn new(
        ledger: &'l dyn Read,
        manifests: &'a Store,
        catalogue: &'a [Feature],
        past: Past<'l>,
    ) -> Snapshots<'a, 'l> {
        Snapshots {
            ledger,
            manifests,
            catalogue,
            past,
            groups: HashMap::new(),
            batches: HashMap::new(),
            provenance: Provenance::default(),
            buffer: Vec::new(),
        }
    }

    /// The answers that a filter selects, in the order in which they were recorded. So what is known only grows
    /// from one to the next.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(super) fn answers(
        &self,
        activations: &Activations,
        filter: &RunFilter,
    ) -> Result<Vec<Run>, LedgerError> {
        let mut runs = answers_by(self.ledger, activations, filter)?;
        // The ledger matches names by a pattern; only an exact match counts.
        runs.retain(|r| Some(r.run.key.model_version.name()) == filter.logic.as_deref());
        runs.sort_by_key(|r| r.entry);
        Ok(runs)
    }

    /// One answer with its inputs.
    ///
    /// # Errors
    /// When ledger or manifest cannot be read, or are not what was recorded.
    pub(super) fn of(&mut self, run: Run) -> Result<Snapshot, BacktestError> {
        let group = self.group(&run)?;
        let known = run.entry.previous();
        if let Some(inputs) = self.proved(&run, &group, known)? {
            self.provenance.proved += 1;
            return Ok(Snapshot {
                run,
                group,
                inputs,
                known,
            });
        }
        self.provenance.from_manifests += 1;
        let manifest = self.manifests.read(run.run.manifest_ref())?;
        let recorded = manifest.reproducible.inputs;
        let value = |name: &str, data_type| {
            let json = recorded.get(name).unwrap_or(&Json::Null);
            match data_type {
                Some(data_type) => Value::from_json(data_type, json).unwrap_or(Value::Null),
                None => untyped(json),
            }
        };
        let inputs = group
            .recipe
            .inputs
            .iter()
            .map(|i| value(&i.name, i.source.map(|s| s.1)))
            .collect();
        Ok(Snapshot {
            known: EntryNumber::new(manifest.sources.known),
            run,
            group,
            inputs,
        })
    }

    /// The inputs as known at an entry, when they are the recorded ones.
    fn proved(
        &mut self,
        run: &Run,
        group: &Group,
        known: EntryNumber,
    ) -> Result<Option<Vec<Value>>, BacktestError> {
        let mut values = Vec::with_capacity(group.recipe.inputs.len());
        for input in &group.recipe.inputs {
            let Some((origin, _)) = input.source else {
                return Ok(None);
            };
            let d = &input.definition;
            let season = d.season_start.unwrap_or((1, 1));
            values.push(
                self.past
                    .value(&d.reference, origin, moment(run, known), season)?,
            );
        }
        let digest = group.recipe.provenance(&values, &mut self.buffer);
        Ok((digest == run.run.provenance).then_some(values))
    }

    fn group(&mut self, run: &Run) -> Result<Rc<Group>, BacktestError> {
        let key = &run.run.key;
        let config = key.config_version.config;
        if let Some(group) = self.batches.get(&(run.entry, config)) {
            return Ok(Rc::clone(group));
        }
        let lost = || LedgerError::Damaged(format!("entry {} of {key} is missing", run.entry));
        let entry = self.ledger.entry(run.entry)?.ok_or_else(lost)?;
        let of = entry
            .read::<RunsRecorded>()
            .map_err(LedgerError::from)?
            .context;
        let (component, world) = (of.component.to_string(), of.world);
        let group_key = (config, component, world);
        if let Some(group) = self.groups.get(&group_key) {
            self.batches.insert((run.entry, config), Rc::clone(group));
            return Ok(Rc::clone(group));
        }
        let (_, component, world) = &group_key;
        let damaged = |what: &str| {
            LedgerError::Damaged(format!("the configuration {config} of {key} {what}"))
        };
        let text = self
            .ledger
            .config(config)?
            .ok_or_else(|| damaged("is missing"))?
            .canonical;
        let recipe = Recipe::read(&text, &config, component, world, self.catalogue)
            .ok_or_else(|| damaged("is not of a form that this program writes"))?;
        let group = Rc::new(Group {
            number: self.groups.len(),
            component: component.clone(),
            recipe,
        });
        self.batches.insert((run.entry, config), Rc::clone(&group));
        self.groups.insert(group_key, Rc::clone(&group));
        Ok(group)
    }
}

/// A value of a column that the catalogue no longer has: shown, never read by a component.
fn untyped(json: &Json) -> Value {
    match json {
        Json::Bool(b) => Value::Boolean(*b),
        Json::Number(n) => n.as_f64().map_or(Value::Null, Value::Float64),
        Json::String(s) => Value::Text(s.clone()),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
    }
}
