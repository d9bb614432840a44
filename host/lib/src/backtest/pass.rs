//! One thread's pass over answers, in chunks: it computes each side where necessary and counts what differs.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::compute::Bound;
use crate::compute::activation::Activations;
use crate::compute::guard::recorded_outputs;
use crate::compute::past::{History, Past};
use provender_domain::catalogue::Feature;
use provender_domain::day::Day;
use provender_domain::value::Value;
use provender_ledger::types::{Guardrail, RunFilter};
use provender_ledger::{LedgerError, Read};
use provender_store::manifest::Store;

use super::affected::Inputs;
use super::error::BacktestError;
use super::found::PassResult;
use super::monitors::Watch;
use super::side::{Given, Side};
use super::snapshot::{Snapshot, Snapshots};
use super::spans::Span;

/// Rows of a chunk: eight of the sandbox's batches, in some ten megabytes.
const CHUNK: usize = 16_384;

/// What all threads share.
pub(super) struct PassContext<'a> {
    /// Manifests of the runs.
    pub manifests: &'a Store,
    /// The columns that features are made of.
    pub catalogue: &'a [Feature],
    /// What the past has in common for all places.
    pub history: Arc<History>,
    /// Which versions answer.
    pub activations: Activations,
    /// Which runs are looked at.
    pub filter: &'a RunFilter,
    /// What is tried.
    pub candidate: &'a Bound,
    /// What it is compared with.
    pub against: &'a Bound,
    /// Digest of its bytes, as batches name it.
    pub against_bytes: String,
    /// The days that the monitors look at.
    pub window: RangeInclusive<Day>,
    /// The monitors of the side before.
    pub watch_before: Watch,
    /// Those of the candidate.
    pub watch_after: Watch,
}

/// A row between reading and comparing.
struct Pending {
    snapshot: Snapshot,
    /// Recorded outputs of the side before; `None` when it has to be computed.
    recorded: Option<Vec<Value>>,
    /// What the side before reads, where it has to be computed.
    before: Option<Vec<Value>>,
    /// What the candidate reads.
    after: Vec<Value>,
}

/// One pass over the answers of some spans.
pub(super) struct Pass<'s, 'a, 'l> {
    scene: &'s PassContext<'a>,
    snapshots: Snapshots<'a, 'l>,
    candidate: Side<'a>,
    against: Side<'a>,
    chunk: Vec<Pending>,
    found: PassResult<'a>,
}

impl<'s, 'a, 'l> Pass<'s, 'a, 'l> {
    /// Uses its own reader. `alone` if no other thread works on other spans at the same time.
    #[must_use]
    pub(super) fn new(
        scene: &'s PassContext<'a>,
        ledger: &'l dyn Read,
        alone: bool,
    ) -> Pass<'s, 'a, 'l> {
        let past = Past::new(ledger, Arc::clone(&scene.history));
        Pass {
            scene,
            snapshots: Snapshots::new(ledger, scene.manifests, scene.catalogue, past),
            candidate: Side::new(scene.candidate, alone),
            against: Side::new(scene.against, alone),
            chunk: Vec::new(),
            found: PassResult::new(scene.against, scene.candidate),
        }
    }

    /// What is found in the answers of a span.
    ///
    /// # Errors
    /// When what is recorded cannot be read, or the sandbox cannot run at all.
    pub(super) fn through(&mut self, span: &Span) -> Result<PassResult<'a>, BacktestError> {
        let scene = self.scene;
        let _span = tracing::info_span!(
            target: "provender::backtest",
            "answers",
            places = span.places.len(),
            runs = span.runs,
        )
        .entered();
        for place in &span.places {
            let mut here = scene.filter.clone();
            here.boundary_id = Some(place.boundary_id.clone());
            here.herd_config_id = Some(place.herd_config_id.clone());
            for run in self.snapshots.answers(&scene.activations, &here)? {
                let snapshot = self.snapshots.of(run)?;
                self.take(snapshot)?;
            }
        }
        self.flush()?;
        self.found.provenance = std::mem::take(&mut self.snapshots.provenance);
        self.found.beyond = self.candidate.beyond.clone();
        let next = PassResult::new(scene.against, scene.candidate);
        Ok(std::mem::replace(&mut self.found, next))
    }

    fn take(&mut self, snapshot: Snapshot) -> Result<(), BacktestError> {
        let bound = self.scene.against;
        let run = &snapshot.run;
        let key = &run.run.key;
        let found = &mut self.found;
        found.saw(key.calculation_date);
        if self.scene.window.contains(&key.calculation_date) {
            let known = snapshot.moment().known;
            found.known.saw(key.calculation_date, known);
        }
        let is_it = key.model_version == bound.model_version
            && snapshot.group.component == self.scene.against_bytes;
        let mut recorded = None;
        let mut before = None;
        if is_it {
            found.baseline.recorded += 1;
            let other = key.config_version.config != bound.config.digest;
            found.baseline.other_configs += u64::from(other);
            recorded = Some(recorded_outputs(bound, run).ok_or_else(|| {
                LedgerError::Damaged(format!("the outputs of {key} do not fit its component"))
            })?);
        } else {
            found.baseline.computed += 1;
            before = Some(self.against.add(&snapshot, &mut self.snapshots.past)?);
        }
        let after = self.candidate.add(&snapshot, &mut self.snapshots.past)?;
        self.chunk.push(Pending {
            snapshot,
            recorded,
            before,
            after,
        });
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BacktestError> {
        let rows = std::mem::take(&mut self.chunk);
        let after = self.candidate.compute()?;
        let mut computed = self.against.compute()?.into_iter();
        for (mut row, after) in rows.into_iter().zip(after) {
            let before = match row.recorded.take() {
                Some(outputs) => Some(outputs),
                None => match computed.next() {
                    Some(Ok(outputs)) => Some(outputs),
                    Some(Err(_)) | None => {
                        self.found.baseline.failed += 1;
                        None
                    }
                },
            };
            self.settle(&row, before, after);
        }
        Ok(())
    }

    fn settle(&mut self, row: &Pending, before: Option<Vec<Value>>, after: Given) {
        let (scene, run) = (self.scene, &row.snapshot.run);
        let watched = scene.window.contains(&run.run.key.calculation_date);
        if let Some(outputs) = &before {
            self.found.tally.guard_before(outputs);
            if watched {
                let bound = scene.against;
                // A recorded answer's guardrails were judged when it was recorded.
                let failed = match row.before {
                    None => run.run.guardrail != Guardrail::Ok,
                    Some(_) => breached(bound, outputs),
                };
                let rows = &mut self.found.watched_before;
                scene.watch_before.add(rows, run, failed, |name| {
                    output(bound, outputs, name).or_else(|| match &row.before {
                        Some(inputs) => input(bound, inputs, name),
                        None => recorded_input(&row.snapshot, name),
                    })
                });
            }
        }
        let after = match after {
            Ok(outputs) => outputs,
            Err(failure) => {
                self.found.tally.fail(&run.run.key, failure);
                return;
            }
        };
        self.found.tally.guard_after(&after);
        if watched {
            let bound = scene.candidate;
            let (rows, failed) = (&mut self.found.watched_after, breached(bound, &after));
            scene.watch_after.add(rows, run, failed, |name| {
                output(bound, &after, name).or_else(|| input(bound, &row.after, name))
            });
        }
        if let Some(before) = before {
            let inputs = Inputs {
                snapshot: &row.snapshot,
                before: row.before.as_deref(),
                after: &row.after,
            };
            self.found.tally.compare(&inputs, &before, &after);
        }
    }
}

fn breached(bound: &Bound, outputs: &[Value]) -> bool {
    bound.rails.iter().any(|rail| {
        let value = outputs.get(rail.output).and_then(Value::as_f64);
        value.is_some_and(|x| rail.is_breached(x))
    })
}

fn output<'v>(bound: &Bound, outputs: &'v [Value], name: &str) -> Option<&'v Value> {
    let mut declared = bound.description().outputs.iter();
    outputs.get(declared.position(|o| o.field.name == name)?)
}

fn input<'v>(bound: &Bound, inputs: &'v [Value], name: &str) -> Option<&'v Value> {
    let mut declared = bound.description().inputs.iter();
    inputs.get(declared.position(|i| i.field.name == name)?)
}

fn recorded_input<'v>(snapshot: &'v Snapshot, name: &str) -> Option<&'v Value> {
    let mut recipe = snapshot.group.recipe.inputs.iter();
    snapshot.inputs.get(recipe.position(|i| i.name == name)?)
}
