//! What became of each run.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use tracing::Span;
use tracing::field::Empty;

use provender_domain::canonical::Digest;
use provender_domain::description::{Description, Role};
use provender_domain::key::{ConfigVersion, RunKey};
use provender_domain::manifest::Breach;
use provender_domain::value::Value;

/// The four outcomes in `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "RunOutcome")]
pub enum RunOutcomeKind {
    /// New in the ledger.
    Recorded,
    /// Recorded before, with the same provenance.
    Unchanged,
    /// Refused: recorded before with different provenance.
    Drift,
    /// Not computed, or never an answer.
    Failed,
}

/// The kind of refusal or failure, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Exit 10.
    Drift,
    /// Exit 11.
    Integrity,
    /// Exit 13.
    Nondeterminism,
    /// Exit 15.
    Component,
    /// Exit 16.
    Guardrail,
    /// Exit 65.
    Input,
}

/// Why a run has no answer.
#[derive(Clone, Debug)]
pub struct Problem {
    /// For the exit code.
    pub trouble: Trouble,
    /// The code: stable, for scripts.
    pub code: String,
    /// What happened, as a sentence.
    pub message: String,
    /// A backtrace, for example; empty if there is none.
    pub detail: String,
}

/// An input that differs from what was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "InputChange")]
pub struct InputChange {
    /// Name of the input; `component` if the bytes differ.
    pub name: String,
    /// Unit of the input.
    pub unit: Option<String>,
    /// Value recorded: a number, a text, true or false, the dated values of a window, or null.
    pub old: Json,
    /// Value now.
    pub new: Json,
    /// `file row N` of the recorded value.
    pub old_source: String,
    /// `file row N` of the value now.
    pub new_source: String,
    /// Path of the file behind the value now, or behind the recorded value if there is none now. Causes are grouped by
    /// it.
    #[serde(skip)]
    pub cause: String,
}

/// What became of one run.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// The key that it has in the ledger, or would have.
    pub key: RunKey,
    /// Its outcome.
    pub outcome: RunOutcomeKind,
    /// Outputs in declared order; empty if there are none.
    pub outputs: Vec<Value>,
    /// The breached guardrails.
    pub breaches: Vec<Breach>,
    /// True if the breach stops the run from being an answer.
    pub refused: bool,
    /// Digest of everything that determines the number.
    pub provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub snapshot_id: Option<Digest>,
    /// Path of the manifest.
    pub manifest: Option<String>,
    /// The run that this run supersedes.
    pub replaces: Option<ConfigVersion>,
    /// Why it has no answer.
    pub problem: Option<Problem>,
    /// What changed, for a drift.
    pub changes: Vec<InputChange>,
}

impl RunOutcome {
    /// The texts of the reason columns that are not null.
    #[must_use]
    pub fn reasons(&self, description: &Description) -> Vec<String> {
        description
            .outputs
            .iter()
            .zip(&self.outputs)
            .filter(|(o, _)| o.role == Role::Reason)
            .filter_map(|(_, v)| {
                if let Value::Text(t) = v {
                    Some(t.clone())
                } else {
                    None
                }
            })
            .collect()
    }
}

/// Number of runs by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RunCounts")]
pub struct Summary {
    /// New in the ledger.
    pub recorded: u64,
    /// Recorded before.
    pub unchanged: u64,
    /// Refused because the provenance differs.
    pub drift: u64,
    /// Not computed, or never an answer.
    pub failed: u64,
}

impl Summary {
    /// Counts a run.
    pub(crate) fn count(&mut self, outcome: RunOutcomeKind) {
        match outcome {
            RunOutcomeKind::Recorded => self.recorded += 1,
            RunOutcomeKind::Unchanged => self.unchanged += 1,
            RunOutcomeKind::Drift => self.drift += 1,
            RunOutcomeKind::Failed => self.failed += 1,
        }
    }

    /// Adds the counts of another summary.
    pub(crate) fn add(&mut self, other: Summary) {
        self.recorded += other.recorded;
        self.unchanged += other.unchanged;
        self.drift += other.drift;
        self.failed += other.failed;
    }

    /// Counts outcomes.
    #[must_use]
    pub(crate) fn of(outcomes: &[RunOutcome]) -> Summary {
        let mut summary = Summary::default();
        for outcome in outcomes {
            summary.count(outcome.outcome);
        }
        summary
    }

    /// The span for computing runs of a logic. [`Summary::note`] records the counts in it.
    pub(super) fn span(logic: &str, runs: usize) -> Span {
        tracing::info_span!(
            target: "provender::compute",
            "compute",
            logic,
            runs,
            recorded = Empty,
            unchanged = Empty,
            drift = Empty,
            failed = Empty,
        )
    }

    /// Records the counts in a span.
    pub(super) fn note(&self, span: &Span) {
        span.record("recorded", self.recorded);
        span.record("unchanged", self.unchanged);
        span.record("drift", self.drift);
        span.record("failed", self.failed);
    }

    /// All runs.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.recorded + self.unchanged + self.drift + self.failed
    }
}
