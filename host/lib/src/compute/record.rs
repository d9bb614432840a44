//! Records computed runs in the ledger, and turns recorded runs into outcomes. Nothing here reads facts, so a separate
//! thread can record while the next runs are gathered.

use provender_domain::key::RunKey;
use provender_domain::manifest::Breach;
use provender_domain::value::Value;
use provender_ledger::entries::RunsContext;
use provender_ledger::types::{Batch, Guardrail, NewRun, Recorded, Run};
use provender_store::manifest::Store;

use super::binding::Bound;
use super::engine::Policy;
use super::guard::{breaches, recorded_outputs};
use super::outcome::{Problem, RunOutcome, RunOutcomeKind, Trouble};

/// Records runs of one logic and reports their outcomes.
#[derive(Clone, Copy)]
pub(super) struct Recorder<'a> {
    /// The logic.
    pub(super) bound: &'a Bound,
    /// Where the manifests are.
    pub(super) manifests: &'a Store,
    /// How runs are recorded.
    pub(super) policy: &'a Policy,
}

impl Recorder<'_> {
    /// The batch that the ledger records for these runs.
    pub(super) fn batch(&self, runs: Vec<NewRun>) -> Batch {
        Batch {
            stamp: self.policy.stamp.clone(),
            context: RunsContext {
                model_version: self.bound.model_version.clone(),
                component: self.bound.component.digest(),
                world: self.bound.component.world().to_owned(),
                config_version: self.bound.config.digest,
                origin: self.policy.origin,
                release: self.policy.release,
            },
            runs,
            configs: vec![self.bound.config.clone()],
        }
    }

    /// The outcome of a run after the ledger was asked to record it.
    pub(super) fn outcome_of(
        &self,
        run: &NewRun,
        outputs: Vec<Value>,
        recorded: Recorded,
    ) -> RunOutcome {
        let breaches = breaches(self.bound, &outputs);
        let refused = run.guardrail == Guardrail::Refused;
        let outcome = RunOutcome {
            manifest: Some(self.manifests.path_of(run.manifest_ref())),
            key: run.key.clone(),
            outcome: if refused {
                RunOutcomeKind::Failed
            } else {
                RunOutcomeKind::Recorded
            },
            outputs,
            problem: refused.then(|| guardrail_problem(&run.key, &breaches)),
            breaches,
            refused,
            provenance: run.provenance,
            snapshot_id: Some(run.snapshot),
            replaces: run.replaces.clone(),
            changes: Vec::new(),
        };
        // If another process was first, the same answer is unchanged, and a different one is a problem.
        match recorded {
            Recorded::New => outcome,
            Recorded::Already(run) => self.lost_race(&outcome, &run),
        }
    }

    fn lost_race(&self, mine: &RunOutcome, run: &Run) -> RunOutcome {
        let theirs = self.unchanged(run);
        if run.run.provenance == mine.provenance && Some(run.run.snapshot) == mine.snapshot_id {
            return theirs;
        }
        let mut refused = mine.clone();
        let (outcome, trouble, code, what) = if run.run.provenance == mine.provenance {
            (
                RunOutcomeKind::Failed,
                Trouble::Nondeterminism,
                "nondeterminism",
                "different outputs",
            )
        } else {
            (
                RunOutcomeKind::Drift,
                Trouble::Drift,
                "drift",
                "different provenance",
            )
        };
        refused.outcome = outcome;
        refused.manifest = None;
        refused.problem = Some(Problem {
            trouble,
            code: code.to_owned(),
            message: format!(
                "{}: another process recorded this run in the meantime with {what}",
                mine.key
            ),
            detail: String::new(),
        });
        refused
    }

    /// The outcome of a recorded run whose provenance is unchanged.
    pub(super) fn unchanged(&self, run: &Run) -> RunOutcome {
        let refused = run.run.guardrail == Guardrail::Refused;
        let (outputs, problem) = match recorded_outputs(self.bound, run) {
            Some(outputs) => (outputs, None),
            None => (
                Vec::new(),
                Some(Problem {
                    trouble: Trouble::Integrity,
                    code: "recorded_outputs".to_owned(),
                    message: format!(
                        "{}: the recorded outputs do not match the outputs that the component declares",
                        run.run.key
                    ),
                    detail: String::new(),
                }),
            ),
        };
        let breaches = if run.run.guardrail == Guardrail::Ok {
            Vec::new()
        } else {
            breaches(self.bound, &outputs)
        };
        let problem =
            problem.or_else(|| refused.then(|| guardrail_problem(&run.run.key, &breaches)));
        RunOutcome {
            outcome: if problem.is_some() {
                RunOutcomeKind::Failed
            } else {
                RunOutcomeKind::Unchanged
            },
            outputs,
            breaches,
            refused,
            provenance: run.run.provenance,
            snapshot_id: Some(run.run.snapshot),
            manifest: Some(self.manifests.path_of(run.run.manifest_ref())),
            replaces: run.run.replaces.clone(),
            problem,
            changes: Vec::new(),
            key: run.run.key.clone(),
        }
    }
}

fn guardrail_problem(key: &RunKey, breaches: &[Breach]) -> Problem {
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
