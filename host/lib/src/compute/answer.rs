//! The JSON form of what became of a run.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use provender_domain::canonical::Digest;
use provender_domain::description::{Description, Role};
use provender_domain::key::{ConfigVersion, RunKey};
use provender_domain::manifest::{Breach, GuardrailStatus};

use super::outcome::{InputChange, Problem, RunOutcome, RunOutcomeKind};

/// What became of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunAnswer<'a> {
    /// Digest of the key.
    run_id: Digest,
    /// What became of it.
    outcome: RunOutcomeKind,
    /// The key that it has in the ledger, or would have.
    key: &'a RunKey,
    /// The outputs for downstream users, by name: null if there is no answer, empty if nothing was computed.
    outputs: Map<String, Json>,
    /// The intermediate outputs from which the others are computed, by name.
    terms: Map<String, Json>,
    /// The result of the guardrails.
    guardrails: RunGuardrails<'a>,
    /// Why outputs are null, in the component's words.
    reasons: Vec<String>,
    /// Digest of component, configuration and inputs: everything that determines the number.
    provenance: Digest,
    /// Digest of the reproducible part of its manifest; null if it has none.
    snapshot_id: Option<Digest>,
    /// Path of its manifest in the manifest store; null if it has none.
    manifest: Option<&'a str>,
    /// The configuration version of the run that it supersedes; absent if it supersedes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<&'a ConfigVersion>,
    /// Why it has no answer; absent if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RunError<'a>>,
    /// What differs from the recorded run; absent unless the outcome is drift.
    #[serde(skip_serializing_if = "<[InputChange]>::is_empty")]
    changes: &'a [InputChange],
}

/// The result of a run's guardrails.
#[derive(Debug, Serialize, JsonSchema)]
struct RunGuardrails<'a> {
    /// Whether a guardrail is breached.
    status: GuardrailStatus,
    /// The breached guardrails.
    breached: &'a [Breach],
    /// True if the breach stops the run from being an answer.
    refused: bool,
}

/// Why a run has no answer.
#[derive(Debug, Serialize, JsonSchema)]
struct RunError<'a> {
    /// Stable code.
    code: &'a str,
    /// What is wrong, with the value in it.
    message: &'a str,
    /// The backtrace of a failed component, for example; empty if there is none.
    detail: &'a str,
}

impl RunOutcome {
    /// The JSON form of this outcome.
    #[must_use]
    pub fn answer<'a>(&'a self, description: &Description) -> RunAnswer<'a> {
        let by_role = |role: Role| {
            let outputs = description.outputs.iter().zip(&self.outputs);
            let of_role = outputs.filter(|(o, _)| o.role == role);
            of_role
                .map(|(o, v)| (o.field.name.clone(), v.to_json()))
                .collect()
        };
        RunAnswer {
            run_id: self.key.run_id(),
            outcome: self.outcome,
            key: &self.key,
            outputs: by_role(Role::Outcome),
            terms: by_role(Role::Term),
            guardrails: RunGuardrails {
                status: GuardrailStatus::of(&self.breaches),
                breached: &self.breaches,
                refused: self.refused,
            },
            reasons: self.reasons(description),
            provenance: self.provenance,
            snapshot_id: self.snapshot_id,
            manifest: self.manifest.as_deref(),
            replaces: self.replaces.as_ref(),
            error: self.problem.as_ref().map(|p: &Problem| RunError {
                code: &p.code,
                message: &p.message,
                detail: &p.detail,
            }),
            changes: &self.changes,
        }
    }
}
