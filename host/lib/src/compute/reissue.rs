//! The only safe way to record a legitimate revision of inputs: plan, review, apply.
//!
//! A plan lists exactly the recorded runs whose inputs have changed. Its digest covers that list, so what you apply is
//! what you reviewed.

use schemars::JsonSchema;
use serde::Serialize;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_domain::forms::Form;
use provender_domain::key::ConfigVersion;
use provender_ledger::types::Run;

use super::ComputeError;
use super::binding::Bound;
use super::engine::{CHUNK, Engine, Target};
use super::guard::{changes, other_component};
use super::outcome::{InputChange, RunOutcome};
use super::question::{Question, ask};

/// A recorded run that would be superseded.
#[derive(Debug)]
pub struct Planned {
    /// The question with today's inputs.
    pub question: Question,
    /// The configuration version that it would replace.
    pub replaces: ConfigVersion,
    /// Id of the run it would replace.
    pub run_id: Digest,
    /// What changed.
    pub changes: Vec<InputChange>,
}

/// A run that drifted for a reason other than its inputs.
#[derive(Debug)]
pub struct Refused {
    /// The run.
    pub run: Run,
    /// Why it cannot be reissued.
    pub why: String,
}

/// A plan for one logic.
#[derive(Debug, Default)]
pub struct Plan {
    /// Runs to supersede.
    pub runs: Vec<Planned>,
    /// Runs that need a different remedy.
    pub refused: Vec<Refused>,
    /// Number of recorded runs whose inputs have not changed.
    pub unchanged: u64,
}

/// Changes that share a cause.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReissueCause")]
pub struct Cause {
    /// The file behind the change.
    pub file: String,
    /// The inputs that changed.
    pub inputs: Vec<String>,
    /// Number of runs affected.
    pub runs: u64,
    /// The largest relative change of a number, 0.08 for 8 %; null if no number changed.
    #[serde(rename = "largest_relative_change")]
    pub largest_change: Option<f64>,
}

/// Finds the drifted runs among targets.
///
/// # Errors
/// If ledger or manifests cannot be read.
pub(crate) fn plan(
    engine: &mut Engine<'_, '_>,
    bound: &Bound,
    targets: &[Target],
) -> Result<Plan, ComputeError> {
    let mut plan = Plan::default();
    for target in targets {
        let place = (&target.boundary_id, &target.herd_config_id);
        engine.policy.interrupt.check()?;
        let question = ask(engine.facts, bound, place, target.day)?;
        let Some(run) = engine.facts.ledger().newest_reissue(&question.key)? else {
            continue;
        };
        if run.run.provenance == question.provenance {
            plan.unchanged += 1;
            continue;
        }
        let manifest = engine.manifests.read(run.run.manifest_ref())?;
        // An input may be called `component`, so the names of the changes cannot decide this.
        if other_component(bound, &manifest) {
            let why = "the component's bytes differ from those recorded under this version; a changed logic needs a new version".to_owned();
            plan.refused.push(Refused { run, why });
            continue;
        }
        plan.runs.push(Planned {
            replaces: run.run.key.config_version.clone(),
            run_id: run.run.key.run_id(),
            changes: changes(engine.facts, bound, &question, &manifest),
            question,
        });
    }
    Ok(plan)
}

/// The digest of plans: it covers which runs are replaced, and with which provenance.
///
/// # Errors
/// Does not happen for digests and texts.
pub(crate) fn digest(plans: &[&Plan]) -> Result<Digest, ComputeError> {
    let runs: Vec<Json> = plans
        .iter()
        .flat_map(|p| &p.runs)
        .map(|p| json!([p.run_id.to_string(), p.question.provenance.to_string()]))
        .collect();
    Ok(Form::ReissuePlan.digest(&json!({"runs": runs}))?)
}

/// Groups the plan's changes by the file behind them, most runs first.
#[must_use]
pub fn causes(plan: &Plan) -> Vec<Cause> {
    let mut by_file: BTreeMap<&str, Cause> = BTreeMap::new();
    for planned in &plan.runs {
        let mut files: Vec<&str> = planned.changes.iter().map(|c| c.cause.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            let cause = by_file.entry(file).or_insert_with(|| Cause {
                file: file.to_owned(),
                inputs: Vec::new(),
                runs: 0,
                largest_change: None,
            });
            cause.runs += 1;
            for change in planned.changes.iter().filter(|c| c.cause == file) {
                if !cause.inputs.contains(&change.name) {
                    cause.inputs.push(change.name.clone());
                }
                if let (Some(old), Some(new)) = (
                    change.old.as_f64().filter(|x| *x != 0.0),
                    change.new.as_f64(),
                ) {
                    let relative = ((new - old) / old).abs();
                    cause.largest_change = Some(
                        cause
                            .largest_change
                            .map_or(relative, |x: f64| x.max(relative)),
                    );
                }
            }
        }
    }
    let mut causes: Vec<Cause> = by_file.into_values().collect();
    causes.sort_by_key(|c| std::cmp::Reverse(c.runs));
    causes
}

/// Records the runs of a plan in chunks; `outcomes` receives the outcome of each.
///
/// # Errors
/// See [`Engine::chunk`]. Whatever was recorded before the error stays recorded, and is in `outcomes`.
pub(crate) fn apply(
    engine: &mut Engine<'_, '_>,
    bound: &Bound,
    plan: Plan,
    outcomes: &mut Vec<RunOutcome>,
) -> Result<(), ComputeError> {
    let mut runs = plan
        .runs
        .into_iter()
        .map(|p| (p.question, p.replaces))
        .peekable();
    while runs.peek().is_some() {
        let chunk: Vec<_> = runs.by_ref().take(CHUNK).collect();
        outcomes.extend(engine.reissue(bound, chunk)?);
        failpoint::hit("compute.after-chunk");
    }
    Ok(())
}
