//! Computes a batch in chunks: look up, execute, apply guardrails, write manifests, record.
//!
//! A chunk is one transaction and one fsync barrier per folder. A kill between chunks leaves only complete runs. A
//! refused run never stops the others.

use provender_domain::ids::{BoundaryId, HerdId};
use serde_json::Value as Json;

use crate::project::settings::OnGuardrail;
use provender_domain::canonical::{Digest, to_text};
use provender_domain::column::Column;
use provender_domain::day::Day;
use provender_domain::failpoint;
use provender_domain::interrupt::Interrupt;
use provender_domain::key::{ConfigVersion, Place, RunKey};
use provender_domain::manifest::Computer;
use provender_domain::value::Value;
use provender_ledger::Write;
use provender_ledger::entries::Origin;
use provender_ledger::entry::Stamp;
use provender_ledger::types::{Guardrail, NewRun, Recorded, Run};
use provender_store::manifest::pack::{self, Scratch};
use provender_store::manifest::{ManifestDraft, Store};

use super::ComputeError;
use super::binding::Bound;
use super::facts::Facts;
use super::guard::{breached, changes};
use super::outcome::{Problem, RunOutcome, RunOutcomeKind, Summary, Trouble};
use super::question::{Question, ask};
use super::record::Recorder;
use super::sheets::{Answer, Sheets, sheets};

/// Runs in a chunk. Large enough that many share one fsync barrier; small enough that a chunk's columns and manifests
/// take a few megabytes.
pub(crate) const CHUNK: usize = 1_000;

/// The place and day of a run that is asked for or recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// The boundary.
    pub boundary_id: BoundaryId,
    /// The herd, or `-`.
    pub herd_config_id: HerdId,
    /// The day.
    pub day: Day,
}

/// How a batch is computed and recorded.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// What a breached guardrail does.
    pub(crate) on_guardrail: OnGuardrail,
    /// Run the component again for recorded runs, instead of trusting the recorded outputs.
    pub(crate) recheck: bool,
    /// The release in force, recorded with each run that is new.
    pub(crate) release: Option<Digest>,
    /// Why these runs are computed.
    pub(crate) origin: Origin,
    /// Who, when, why.
    pub(crate) stamp: Stamp,
    /// Program, engine and platform, recorded in the manifests.
    pub(crate) computer: Computer,
    /// Smallest number of runs in a chunk for which their manifests share a file.
    pub(crate) pack_from: usize,
    /// Checked between two batches for a request to stop.
    pub(crate) interrupt: Interrupt,
}

impl Policy {
    /// The guardrail status to record for a run.
    pub(super) fn guardrail(&self, is_breached: bool) -> Guardrail {
        match (is_breached, self.on_guardrail) {
            (false, _) => Guardrail::Ok,
            (true, OnGuardrail::Mark) => Guardrail::Marked,
            (true, OnGuardrail::Fail) => Guardrail::Refused,
        }
    }
}

/// Computes and records runs. `facts` may read through the same handle that records: facts end at a fixed entry, so a
/// recording chunk does not change them. [`Engine::stretches`] reads and records in parallel and needs a handle for
/// each.
pub(crate) struct Engine<'a, 'l> {
    /// The facts from which inputs are gathered.
    pub facts: &'a Facts<'l>,
    /// Where runs are recorded. If `None`, nothing is written, and the outcomes describe what would happen.
    pub ledger: Option<&'a dyn Write>,
    /// Where manifests are written.
    pub manifests: &'a Store,
    /// How runs are computed and recorded.
    pub policy: &'a Policy,
}

/// The digests and place of a manifest, once it is written.
struct Written {
    snapshot: Digest,
    sha256: Digest,
    place: Option<Place>,
}

/// A run that the sandbox has to compute.
struct Pending {
    question: Question,
    /// The recorded run that `--recheck` compares with.
    recorded: Option<Run>,
    /// The run that a reissue supersedes.
    replaces: Option<ConfigVersion>,
}

impl<'a> Engine<'a, '_> {
    /// The recorder for the runs of a logic.
    pub(super) fn recorder<'b>(&self, bound: &'b Bound) -> Recorder<'b>
    where
        'a: 'b,
    {
        Recorder {
            bound,
            manifests: self.manifests,
            policy: self.policy,
        }
    }

    /// Computes and records one chunk of targets, in their order.
    ///
    /// # Errors
    /// If ledger or manifest store fail as a whole, or the work was interrupted before anything of the chunk was done.
    /// Problems with single runs are in their outcomes.
    pub(crate) fn chunk(
        &mut self,
        bound: &Bound,
        targets: &[Target],
    ) -> Result<Vec<RunOutcome>, ComputeError> {
        self.policy.interrupt.check()?;
        let span = Summary::span(&bound.model_version, targets.len()).entered();
        let mut outcomes: Vec<Option<RunOutcome>> = Vec::with_capacity(targets.len());
        let mut pending: Vec<(usize, Pending)> = Vec::new();
        for (i, target) in targets.iter().enumerate() {
            let boundary = &target.boundary_id;
            let place = (boundary, &target.herd_config_id);
            let question = ask(self.facts, bound, place, target.day)?;
            // Without its boundary, a run would only record that something is missing, and would drift as soon as the
            // outline arrives.
            if self.facts.boundary(boundary, target.day).is_none() {
                outcomes.push(Some(self.no_boundary(&question)));
                continue;
            }
            match self.facts.ledger().newest_reissue(&question.key)? {
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
                    outcomes.push(Some(self.recorder(bound).unchanged(&run)));
                }
                Some(run) => outcomes.push(Some(self.drift(bound, &question, &run))),
            }
        }
        for (i, outcome) in self.execute(bound, pending)? {
            outcomes[i] = Some(outcome);
        }
        #[expect(clippy::expect_used, reason = "every pending run was executed")]
        let outcomes: Vec<RunOutcome> = outcomes
            .into_iter()
            .map(|outcome| outcome.expect("each run has an outcome"))
            .collect();
        Summary::of(&outcomes).note(&span);
        failpoint::hit("compute.after-chunk");
        Ok(outcomes)
    }

    /// Computes and records questions that supersede recorded runs.
    ///
    /// # Errors
    /// See [`Engine::chunk`].
    pub(crate) fn reissue(
        &mut self,
        bound: &Bound,
        questions: Vec<(Question, ConfigVersion)>,
    ) -> Result<Vec<RunOutcome>, ComputeError> {
        self.policy.interrupt.check()?;
        let span = Summary::span(&bound.model_version, questions.len()).entered();
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
        let outcomes: Vec<RunOutcome> = outcomes.into_iter().map(|(_, o)| o).collect();
        Summary::of(&outcomes).note(&span);
        Ok(outcomes)
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
        let computed = bound.compute(&columns, pending.len())?;
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
                Some(run) if run.run.outputs == text => {
                    done.push((i, self.recorder(bound).unchanged(run)))
                }
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
        let breached: Vec<Vec<u32>> = fresh
            .iter()
            .map(|(_, _, outputs, _)| breached(bound, |o| outputs.get(o)?.as_f64()))
            .collect();
        let answers: Vec<Answer<'_>> = fresh
            .iter()
            .zip(&breached)
            .map(|((_, p, outputs, _), breached)| Answer {
                question: &p.question,
                replaces: p.replaces.as_ref(),
                outputs,
                breached,
            })
            .collect();
        let sheets = sheets(self.facts, bound, self.policy, &answers)?;
        let named = self.write(&sheets)?;
        let mut places = Vec::with_capacity(fresh.len());
        let mut runs: Vec<NewRun> = Vec::with_capacity(fresh.len());
        for (((i, p, outputs, text), named), breached) in fresh.into_iter().zip(named).zip(breached)
        {
            runs.push(NewRun {
                key: p.question.key,
                provenance: p.question.provenance,
                snapshot: named.snapshot,
                manifest: named.sha256,
                place: named.place,
                guardrail: self.policy.guardrail(!breached.is_empty()),
                replaces: p.replaces,
                outputs: text,
            });
            places.push((i, outputs));
        }
        let recorder = self.recorder(bound);
        let batch = recorder.batch(runs);
        let recorded = match self.ledger.filter(|_| !batch.runs.is_empty()) {
            None => batch.runs.iter().map(|_| Recorded::New).collect(),
            Some(ledger) => ledger.record_runs(&batch)?,
        };
        let outcomes_by_place = places.into_iter().zip(&batch.runs).zip(recorded);
        Ok(outcomes_by_place
            .map(|(((i, outputs), run), recorded)| (i, recorder.outcome_of(run, outputs, recorded)))
            .collect())
    }

    /// Writes manifests, unless this is a dry run. The returned manifests are durable before any ledger row refers to
    /// them.
    fn write(&self, sheets: &[Sheets]) -> Result<Vec<Written>, ComputeError> {
        let runs: usize = sheets.iter().map(|s| s.rows.len()).sum();
        let packed = runs >= self.policy.pack_from.max(1) && self.ledger.is_some();
        let mut written = Vec::with_capacity(runs);
        let mut scratch = Scratch::default();
        let mut packs = Vec::new();
        if packed {
            let bytes = sheets
                .iter()
                .map(|s| pack::to_bytes(&s.template.header, &s.rows));
            let bytes: Vec<Vec<u8>> = bytes
                .collect::<Result<_, _>>()
                .map_err(ComputeError::Sheet)?;
            packs = self.manifests.write_packs(&bytes)?;
        }
        for (n, Sheets { template, rows }) in sheets.iter().enumerate() {
            let pack = packs.get(n).copied();
            for (row, i) in (0..).zip(0..rows.len()) {
                let sealed = template
                    .seal(rows, i, &mut scratch)
                    .map_err(ComputeError::Sheet)?;
                written.push(Written {
                    snapshot: sealed.snapshot,
                    sha256: sealed.sha256,
                    place: pack.map(|pack| Place { pack, row }),
                });
            }
        }
        if !packed && self.ledger.is_some() {
            let mut list = Vec::with_capacity(runs);
            for Sheets { template, rows } in sheets {
                for i in 0..rows.len() {
                    list.push(ManifestDraft {
                        key: rows.key(&template.header, i),
                        snapshot: written
                            .get(list.len())
                            .map_or_else(|| Digest::of_bytes(&[]), |w| w.snapshot),
                        bytes: template
                            .document(rows, i, &mut scratch)
                            .map_err(ComputeError::Sheet)?,
                    });
                }
            }
            for (written, sha256) in written.iter_mut().zip(self.manifests.write(&list)?) {
                written.sha256 = sha256;
            }
        }
        Ok(written)
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
        match self.manifests.read(run.run.manifest_ref()) {
            Ok(manifest) => {
                outcome.outcome = RunOutcomeKind::Drift;
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
                "{}: the same component on the same inputs gave a different output: recorded {}, now {text}. \
                 Nothing was written; the component is not deterministic, or the record is damaged",
                run.run.key, run.run.outputs
            ),
            detail: String::new(),
        })
    }

    #[expect(
        clippy::unused_self,
        reason = "a method like its siblings, which need the engine"
    )]
    fn failed(&self, question: &Question, problem: Problem) -> RunOutcome {
        RunOutcome {
            key: question.key.clone(),
            outcome: RunOutcomeKind::Failed,
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

fn drift_message(key: &RunKey, changes: &[super::outcome::InputChange]) -> String {
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
