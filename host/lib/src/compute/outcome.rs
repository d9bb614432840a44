//! What is said of each run.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use tracing::Span;
use tracing::field::Empty;

use provender_domain::canonical::Digest;
use provender_domain::description::{Description, Role};
use provender_domain::key::{ConfigVersion, RunKey};
use provender_domain::manifest::{Breach, GuardrailStatus};
use provender_domain::value::Value;

/// The contract's four outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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
    /// A stable name.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// A backtrace and the like.
    pub detail: String,
}

/// An input that differs from what was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Name of the input; `component` when the bytes differ.
    pub name: String,
    /// Unit of the input.
    pub unit: Option<String>,
    /// Value recorded.
    pub old: Json,
    /// Value now.
    pub new: Json,
    /// `file row N` of the recorded value.
    pub old_source: String,
    /// `file row N` of the value now.
    pub new_source: String,
    /// Path of the file behind the value now, or of the recorded one where there is none now; causes are grouped by it.
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
    /// The contract's JSON.
    #[must_use]
    pub fn to_json(&self, description: &Description) -> Json {
        let by_role = |role: Role| -> Map<String, Json> {
            description
                .outputs
                .iter()
                .zip(&self.outputs)
                .filter(|(o, _)| o.role == role)
                .map(|(o, v)| (o.field.name.clone(), v.to_json()))
                .collect()
        };
        let mut object = json!({
            "run_id": self.key.run_id().to_string(),
            "outcome": self.outcome,
            "key": self.key,
            "outputs": by_role(Role::Outcome),
            "terms": by_role(Role::Term),
            "guardrails": {"status": GuardrailStatus::of(&self.breaches), "breached": self.breaches, "refused": self.refused},
            "reasons": self.reasons(description),
            "provenance": self.provenance.to_string(),
            "snapshot_id": self.snapshot_id.map(|d| d.to_string()),
            "manifest": self.manifest,
        });
        if let Some(replaces) = &self.replaces {
            object["replaces"] = json!(replaces.to_string());
        }
        if let Some(p) = &self.problem {
            object["error"] = json!({"code": p.code, "message": p.message, "detail": p.detail});
        }
        if !self.changes.is_empty() {
            let changes: Vec<Json> = self
                .changes
                .iter()
                .map(|c| {
                    json!({"name": c.name, "unit": c.unit, "old": c.old, "new": c.new, "old_source": c.old_source, "new_source": c.new_source})
                })
                .collect();
            object["changes"] = json!(changes);
        }
        object
    }

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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
