//! What is said of each run.

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

/// The contract's four outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "RunOutcome")]
pub enum Outcome {
    /// New in the ledger.
    Recorded,
    /// Recorded before, with the same provenance.
    Unchanged,
    /// Recorded before with other provenance: refused.
    Drift,
    /// Not computed, or never an answer.
    Failed,
}

/// Which refusal or failure, for the exit code.
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
    /// A backtrace and the like.
    pub detail: String,
}

/// An input that differs from what was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "InputChange")]
pub struct Change {
    /// Name of the input; `component` when the bytes differ.
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
    /// Path of the file behind the value now, or of the recorded one where there is none now; causes are grouped by it.
    #[serde(skip)]
    pub cause: String,
}

/// What is said of one run.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// The key it has in the ledger, or would have.
    pub key: RunKey,
    /// What became of it.
    pub outcome: Outcome,
    /// Outputs in declared order; empty when there are none.
    pub outputs: Vec<Value>,
    /// The breached guardrails.
    pub breaches: Vec<Breach>,
    /// True when the breach makes it no answer.
    pub refused: bool,
    /// Digest of what makes the number.
    pub provenance: Digest,
    /// Digest of the manifest's reproducible part.
    pub snapshot_id: Option<Digest>,
    /// Path of the manifest.
    pub manifest: Option<String>,
    /// What this run supersedes.
    pub replaces: Option<ConfigVersion>,
    /// Why it has no answer.
    pub problem: Option<Problem>,
    /// Of a drift: what changed.
    pub changes: Vec<Change>,
}

impl RunOutcome {
    /// The texts of the reason columns that are there.
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

/// How many runs ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RunCounts")]
pub struct Summary {
    /// New in the ledger.
    pub recorded: u64,
    /// Recorded before.
    pub unchanged: u64,
    /// Refused for other provenance.
    pub drift: u64,
    /// Not computed, or never an answer.
    pub failed: u64,
}

impl Summary {
    /// Counts a run.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Recorded => self.recorded += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Drift => self.drift += 1,
            Outcome::Failed => self.failed += 1,
        }
    }

    /// Counts what another summary counted.
    pub fn add(&mut self, other: Summary) {
        self.recorded += other.recorded;
        self.unchanged += other.unchanged;
        self.drift += other.drift;
        self.failed += other.failed;
    }

    /// What became of runs.
    #[must_use]
    pub fn of(outcomes: &[RunOutcome]) -> Summary {
        let mut summary = Summary::default();
        for outcome in outcomes {
            summary.count(outcome.outcome);
        }
        summary
    }

    /// The span of computing runs of a logic, in which [`Summary::note`] notes what became of them.
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

    /// Notes the counts in a span.
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
