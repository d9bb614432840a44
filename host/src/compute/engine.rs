//! The chunks of a batch: look up, execute, guard, write manifests, record.
//!
//! A chunk is one transaction and one fsync barrier per folder; a kill between chunks leaves whole
//! runs and nothing else. A refused run never stops the others.

use serde_json::{Map, Value as Json, json};

use crate::domain::canonical::{Digest, to_text};
use crate::domain::column::Column;
use crate::domain::day::Day;
use crate::domain::key::{ConfigVersion, RunKey};
use crate::domain::value::Value;
use crate::ledger::Ledger;
use crate::ledger::entry::Stamp;
use crate::ledger::types::{Batch, Guardrail, NewRun, Recorded, Run};
use crate::manifest::{Manifest, Store};
use crate::project::settings::OnGuardrail;

use super::ComputeError;
use super::binding::Bound;
use super::facts::Facts;
use super::guard::{breaches, changes, recorded_outputs};
use super::outcome::{Outcome, Problem, RunOutcome, Trouble, breach_json};
use super::question::{Question, ask, inputs_json, sources_json};

/// Runs in a chunk: large enough that one fsync barrier is shared by many, small enough that a
/// chunk's columns and manifests stay in a few megabytes.
pub const CHUNK: usize = 1_000;

/// (boundary, herd, day) of a run that is asked for.
pub type Target = (String, String, Day);

/// How a batch is computed and recorded.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What a breached guardrail does.
    pub on_guardrail: OnGuardrail,
    /// Run the component again for recorded runs, instead of trusting the record.
    pub recheck: bool,
    /// Say what would happen, write nothing.
    pub dry_run: bool,
    /// The release in force, under which the entry says these runs were recorded first.
    pub release: Option<Digest>,
    /// What the entry says recorded these runs: `answers`, `one-off`, `version`, `reissue`.
    pub origin: String,
    /// Who, when, why.
    pub stamp: Stamp,
    /// Program, engine, platform, moment: for the manifests.
    pub environment: Json,
}

/// What the engine works with. `facts` reads through a connection of its own, so that a recording
/// chunk does not disturb what is known.
pub struct Engine<'a, 'l> {
    /// What is known.
    pub facts: &'a Facts<'l>,
    /// Where runs are recorded.
    pub ledger: &'a mut dyn Ledger,
    /// Where manifests are written.
    pub manifests: &'a Store,
    /// How.
    pub policy: &'a Policy,
}

/// A run that the sandbox has to compute.
struct Pending {
    question: Question,
    /// The recorded run that `--recheck` compares with.
    recorded: Option<Run>,
    /// The run that a reissue supersedes.
    replaces: Option<ConfigVersion>,
}

impl Engine<'_, '_> {
    /// Computes and records one chunk of targets, in their order.
    ///
    /// # Errors
    /// When ledger or manifest store fail as a whole; what single runs suffer is in their outcome.
    pub fn chunk(
        &mut self,
        bound: &Bound,
        targets: &[Target],
    ) -> Result<Vec<RunOutcome>, ComputeError> {
        let mut outcomes: Vec<Option<RunOutcome>> = Vec::with_capacity(targets.len());
        let mut pending: Vec<(usize, Pending)> = Vec::new();
        for (i, (boundary, herd, day)) in targets.iter().enumerate() {
            let question = ask(self.facts, bound, (boundary, herd), *day)?;
            // Without its boundary a run would only record that something is missing, and drift when
            // the outline arrives.
            if self.facts.boundary(boundary, *day).is_none() {
                outcomes.push(Some(self.no_boundary(&question)));
                continue;
            }
            match self.ledger.newest_of(&question.key)? {
                None => {
                    outcomes.push(None);
                    pending.push((
                        i,
                        Pending {
                            question,
                            recorded: None,
                            replaces: None,
                        },
                    ));
                }
                Some(run) if run.run.provenance == question.provenance && self.policy.recheck => {
                    outcomes.push(None);
                    pending.push((
                        i,
                        Pending {
                            question,
                            recorded: Some(run),
                            replaces: None,
                        },
                    ));
                }
                Some(run) if run.run.provenance == question.provenance => {
                    outcomes.push(Some(self.unchanged(bound, &run)));
                }
                Some(run) => outcomes.push(Some(self.drift(bound, &question, &run))),
            }
        }
        for (i, outcome) in self.execute(bound, pending)? {
            outcomes[i] = Some(outcome);
        }
        Ok(outcomes.into_iter().flatten().collect())
    }

    /// Computes and records questions that supersede recorded runs.
    ///
    /// # Errors
    /// As [`Engine::chunk`].
    pub fn reissue(
        &mut self,
        bound: &Bound,
        questions: Vec<(Question, ConfigVersion)>,
    ) -> Result<Vec<RunOutcome>, ComputeError> {
        let pending = questions
            .into_iter()
            .enumerate()
            .map(|(i, (mut question, replaces))| {
                question.key.config_version = ConfigVersion {
                    reissue: replaces.reissue + 1,
                    ..replaces.clone()
                };
                (
                    i,
                    Pending {
                        question,
                        recorded: None,
                        replaces: Some(replaces),
                    },
                )
            })
            .collect();
        let mut outcomes = self.execute(bound, pending)?;
        outcomes.sort_by_key(|(i, _)| *i);
        Ok(outcomes.into_iter().map(|(_, o)| o).collect())
    }

    fn execute(
        &mut self,
        bound: &Bound,
        pending: Vec<(usize, Pending)>,
    ) -> Result<Vec<(usize, RunOutcome)>, ComputeError> {
        if pending.is_empty() {
            return Ok(Vec::new());
        }
        let columns: Vec<Column> = bound
            .description()
            .inputs
            .iter()
            .enumerate()
            .map(|(c, input)| {
                let mut column = Column::new(input.field.data_type);
                for (_, p) in &pending {
                    column.push(&p.question.cells[c].value);
                }
                column
            })
            .collect();
        let computed =
            bound
                .component
                .compute(&bound.parameter_values(), &columns, pending.len())?;
        let mut failures = computed.failed.into_iter().peekable();
        let mut done = Vec::with_capacity(pending.len());
        let mut fresh: Vec<(usize, Pending, Vec<Value>, String)> = Vec::new();
        for (row, (i, p)) in pending.into_iter().enumerate() {
            if let Some(failure) = failures.next_if(|f| f.row == row) {
                let problem = Problem {
                    trouble: Trouble::Component,
                    code: failure.code.code().to_owned(),
                    message: format!("{}: {}", p.question.key, failure.message),
                    detail: failure.detail,
                };
                done.push((i, self.failed(&p.question, problem)));
                continue;
            }
            let outputs: Vec<Value> = computed.outputs.iter().map(|c| c.get(row)).collect();
            let text = to_text(&Json::Array(outputs.iter().map(Value::to_json).collect()))?;
            match &p.recorded {
                Some(run) if run.run.outputs == text => done.push((i, self.unchanged(bound, run))),
                Some(run) => done.push((i, self.nondeterministic(&p.question, run, &text))),
                None => fresh.push((i, p, outputs, text)),
            }
        }
        done.extend(self.record(bound, fresh)?);
        Ok(done)
    }

    fn record(
        &mut self,
        bound: &Bound,
        fresh: Vec<(usize, Pending, Vec<Value>, String)>,
    ) -> Result<Vec<(usize, RunOutcome)>, ComputeError> {
        let mut manifests: Vec<(RunKey, Manifest)> = Vec::with_capacity(fresh.len());
        let mut outcomes: Vec<(usize, RunOutcome)> = Vec::with_capacity(fresh.len());
        let mut runs: Vec<NewRun> = Vec::with_capacity(fresh.len());
        for (i, p, outputs, text) in fresh {
            let breaches = breaches(bound, &outputs);
            let refused = !breaches.is_empty() && self.policy.on_guardrail == OnGuardrail::Fail;
            let manifest = self.manifest(bound, &p, &outputs, &breaches);
            let snapshot = manifest.snapshot_id()?;
            let key = p.question.key.clone();
            let guardrail = match (breaches.is_empty(), refused) {
                (true, _) => Guardrail::Ok,
                (false, false) => Guardrail::Marked,
                (false, true) => Guardrail::Refused,
            };
            runs.push(NewRun {
                key: key.clone(),
                provenance: p.question.provenance,
                snapshot,
                manifest: snapshot,
                guardrail,
                replaces: p.replaces.clone(),
                outputs: text,
            });
            let problem = refused.then(|| guardrail_problem(&key, &breaches));
            outcomes.push((
                i,
                RunOutcome {
                    manifest: Some(self.manifests.path_of(&key, &snapshot)),
                    key: key.clone(),
                    outcome: if refused {
                        Outcome::Failed
                    } else {
                        Outcome::Recorded
                    },
                    outputs,
                    breaches,
                    refused,
                    provenance: p.question.provenance,
                    snapshot_id: Some(snapshot),
                    replaces: p.replaces,
                    problem,
                    changes: Vec::new(),
                },
            ));
            manifests.push((key, manifest));
        }
        if self.policy.dry_run || runs.is_empty() {
            return Ok(outcomes);
        }
        // The manifests are durable before any row names them.
        for (run, written) in runs.iter_mut().zip(self.manifests.write(&manifests)?) {
            run.manifest = written.sha256;
        }
        let mut about = json!({
            "model_version": bound.model_version,
            "component": bound.component.digest().to_string(),
            "world": bound.component.world(),
            "config_version": bound.config.digest.to_string(),
            "origin": self.policy.origin,
        });
        if let Some(release) = &self.policy.release {
            about["release"] = json!(release.to_string());
        }
        let batch = Batch {
            stamp: self.policy.stamp.clone(),
            reissue: self.policy.origin == "reissue",
            runs,
            configs: vec![bound.config.clone()],
            about,
        };
        let recorded = self.ledger.record_runs(&batch)?;
        for ((_, outcome), recorded) in outcomes.iter_mut().zip(recorded) {
            // Another process was first: the same answer is nothing new, another one is trouble.
            if let Recorded::Already(run) = recorded {
                *outcome = self.lost_race(bound, outcome, &run);
            }
        }
        Ok(outcomes)
    }

    fn lost_race(&self, bound: &Bound, mine: &RunOutcome, run: &Run) -> RunOutcome {
        let theirs = self.unchanged(bound, run);
        if run.run.provenance == mine.provenance && Some(run.run.snapshot) == mine.snapshot_id {
            return theirs;
        }
        let mut refused = mine.clone();
        let (outcome, trouble, code, what) = if run.run.provenance == mine.provenance {
            (
                Outcome::Failed,
                Trouble::Nondeterminism,
                "nondeterminism",
                "another output",
            )
        } else {
            (Outcome::Drift, Trouble::Drift, "drift", "other provenance")
        };
        refused.outcome = outcome;
        refused.manifest = None;
        refused.problem = Some(Problem {
            trouble,
            code: code.to_owned(),
            message: format!(
                "{}: another process recorded this run meanwhile with {what}",
                mine.key
            ),
            detail: String::new(),
        });
        refused
    }

    fn manifest(
        &self,
        bound: &Bound,
        p: &Pending,
        outputs: &[Value],
        breaches: &[super::outcome::Breach],
    ) -> Manifest {
        let description = bound.description();
        let outputs: Map<String, Json> = description
            .outputs
            .iter()
            .zip(outputs)
            .map(|(o, v)| (o.field.name.clone(), v.to_json()))
            .collect();
        let parameters: Map<String, Json> = description
            .parameters
            .iter()
            .zip(&bound.parameters)
            .map(|(d, (v, _))| (d.name.clone(), v.to_json()))
            .collect();
        let set_by: Map<String, Json> = description
            .parameters
            .iter()
            .zip(&bound.parameters)
            .map(|(d, (_, by))| (d.name.clone(), json!(by.text())))
            .collect();
        let key = &p.question.key;
        let config: Json = serde_json::from_str(&bound.config.canonical).unwrap_or_default();
        let reproducible = json!({
            "$type": "provender.snapshot.v1",
            "run_id": key.run_id().to_string(),
            "key": key,
            "component": {
                "name": description.name,
                "version": description.version,
                "sha256": bound.component.digest().to_string(),
                "world": bound.component.world(),
            },
            "config": config,
            "parameters": parameters,
            "inputs": inputs_json(bound, &p.question.cells),
            "outputs": outputs,
            "guardrails": {
                "status": if breaches.is_empty() { "ok" } else { "failed" },
                "breached": breaches.iter().map(breach_json).collect::<Vec<_>>(),
            },
            "provenance": p.question.provenance.to_string(),
        });
        let mut environment = self.policy.environment.clone();
        if let Json::Object(members) = &mut environment {
            members.insert("recorded_at".to_owned(), json!(self.policy.stamp.at));
            members.insert("actor".to_owned(), json!(self.policy.stamp.actor));
            members.insert("parameters_set_by".to_owned(), Json::Object(set_by));
            members.insert("component_size".to_owned(), json!(bound.component.size()));
            members.insert(
                "component_toolchain".to_owned(),
                json!(bound.component.toolchain()),
            );
            if let Some(replaces) = &p.replaces {
                members.insert("replaces".to_owned(), json!(replaces.to_string()));
                members.insert("reason".to_owned(), json!(self.policy.stamp.reason));
            }
        }
        Manifest {
            reproducible,
            sources: sources_json(self.facts, bound, &p.question.cells),
            environment,
        }
    }

    fn unchanged(&self, bound: &Bound, run: &Run) -> RunOutcome {
        let refused = run.run.guardrail == Guardrail::Refused;
        let (outputs, problem) = match recorded_outputs(bound, run) {
            Some(outputs) => (outputs, None),
            None => (
                Vec::new(),
                Some(Problem {
                    trouble: Trouble::Integrity,
                    code: "recorded_outputs".to_owned(),
                    message: format!(
                        "{}: what is recorded does not fit what the component declares",
                        run.run.key
                    ),
                    detail: String::new(),
                }),
            ),
        };
        let breaches = if run.run.guardrail == Guardrail::Ok {
            Vec::new()
        } else {
            breaches(bound, &outputs)
        };
        let problem =
            problem.or_else(|| refused.then(|| guardrail_problem(&run.run.key, &breaches)));
        RunOutcome {
            outcome: if problem.is_some() {
                Outcome::Failed
            } else {
                Outcome::Unchanged
            },
            outputs,
            breaches,
            refused,
            provenance: run.run.provenance,
            snapshot_id: Some(run.run.snapshot),
            manifest: Some(self.manifests.path_of(&run.run.key, &run.run.snapshot)),
            replaces: run.run.replaces.clone(),
            problem,
            changes: Vec::new(),
            key: run.run.key.clone(),
        }
    }

    fn drift(&self, bound: &Bound, question: &Question, run: &Run) -> RunOutcome {
        let mut outcome = self.failed(
            question,
            Problem {
                trouble: Trouble::Drift,
                code: "drift".to_owned(),
                message: String::new(),
                detail: String::new(),
            },
        );
        outcome.key = run.run.key.clone();
        match self
            .manifests
            .read(&run.run.key, &run.run.snapshot, &run.run.manifest)
        {
            Ok(manifest) => {
                outcome.outcome = Outcome::Drift;
                outcome.changes = changes(self.facts, bound, question, &manifest);
                if let Some(p) = &mut outcome.problem {
                    p.message = drift_message(&run.run.key, &outcome.changes);
                }
            }
            Err(e) => {
                outcome.problem = Some(Problem {
                    trouble: Trouble::Integrity,
                    code: e.code().to_owned(),
                    message: format!("{}: {e}", run.run.key),
                    detail: String::new(),
                });
            }
        }
        outcome
    }

    fn no_boundary(&self, question: &Question) -> RunOutcome {
        let key = &question.key;
        self.failed(
            question,
            Problem {
                trouble: Trouble::Input,
                code: "boundary_unknown".to_owned(),
                message: format!(
                    "{key}: the herd is in a boundary that no ingested file describes on that day; ingest its outline with --boundaries"
                ),
                detail: String::new(),
            },
        )
    }

    fn nondeterministic(&self, question: &Question, run: &Run, text: &str) -> RunOutcome {
        self.failed(question, Problem {
            trouble: Trouble::Nondeterminism,
            code: "nondeterminism".to_owned(),
            message: format!(
                "{}: the same component on the same inputs gave another output: recorded {}, now {text}. \
                 Nothing was written; the component is not deterministic, or the record is damaged",
                run.run.key, run.run.outputs
            ),
            detail: String::new(),
        })
    }

    #[expect(
        clippy::unused_self,
        reason = "beside its siblings, which need the engine"
    )]
    fn failed(&self, question: &Question, problem: Problem) -> RunOutcome {
        RunOutcome {
            key: question.key.clone(),
            outcome: Outcome::Failed,
            outputs: Vec::new(),
            breaches: Vec::new(),
            refused: false,
            provenance: question.provenance,
            snapshot_id: None,
            manifest: None,
            replaces: None,
            problem: Some(problem),
            changes: Vec::new(),
        }
    }
}

fn guardrail_problem(key: &RunKey, breaches: &[super::outcome::Breach]) -> Problem {
    let what: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    Problem {
        trouble: Trouble::Guardrail,
        code: "guardrail".to_owned(),
        message: format!(
            "{key}: {}; recorded, but never an answer (on_guardrail = \"fail\")",
            what.join(", ")
        ),
        detail: String::new(),
    }
}

fn drift_message(key: &RunKey, changes: &[super::outcome::Change]) -> String {
    let what: Vec<String> = changes
        .iter()
        .map(|c| {
            let unit = c
                .unit
                .as_deref()
                .map(|u| format!(" {u}"))
                .unwrap_or_default();
            let show = |j: &Json| match j {
                Json::Array(a) => format!("a series of {}", a.len()),
                Json::Null => "nothing".to_owned(),
                Json::String(s) => s.clone(),
                other => format!("{other}{unit}"),
            };
            format!(
                "{} was {} ({}) and is now {} ({})",
                c.name,
                show(&c.old),
                c.old_source,
                show(&c.new),
                c.new_source
            )
        })
        .collect();
    format!("{key}: {}", what.join("; "))
}
