//! The JSON form of an explanation.

use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::compute::outcome::{InputChange, RunOutcomeKind};
use provender_domain::canonical::{Digest, as_read};
use provender_domain::description::Role;
use provender_domain::forms::Config;
use provender_domain::key::{ConfigVersion, RunKey};
use provender_domain::manifest::{Breach, Environment, GuardrailStatus};
use provender_ledger::entry::Entry;
use provender_ledger::types::Guardrail;

use super::explanation::{Explanation, Input, Parameter, Source};
use super::units::Units;

/// Why a number is what it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExplainAnswer<'a> {
    /// The run.
    run: ExplainedRun<'a>,
    /// Whether it is the answer of its place, herd, day and logic.
    is_answer: bool,
    /// For a run that a canary recorded and that is not an answer: which canary, in words; otherwise null.
    shadow: Option<&'a str>,
    /// The component that computed it.
    component: ExplainedComponent<'a>,
    /// Parameters, guardrail bounds and feature definitions in force, as recorded in its manifest.
    #[schemars(with = "Config")]
    config: Json,
    /// Inputs, in declared order.
    inputs: Vec<ExplainedInput<'a>>,
    /// Parameters, in declared order.
    parameters: &'a [Parameter],
    /// The formulas with their numbers, intermediate outputs first; empty if the component is not pinned here.
    arithmetic: Vec<String>,
    /// What the component does not account for, in its own words; empty if the component is not pinned here.
    not_accounted_for: Vec<String>,
    /// Digest of the component that is pinned under the run's version instead of the one that ran; null if there is
    /// none.
    pinned_component: Option<Digest>,
    /// Inputs that cannot be compared with their value today.
    incomparable_inputs: Vec<Incomparable<'a>>,
    /// Inputs that have a different value today.
    superseded_inputs: &'a [InputChange],
    /// Columns with an observation after the run's day.
    newer_observations: Vec<Newer<'a>>,
    /// The ledger entry that recorded it; null if it is missing.
    recorded: Option<EntryAnswer<'a>>,
    /// The ledger entry that superseded it; null if there is none.
    superseded_by_entry: Option<EntryAnswer<'a>>,
    /// Time, program and machine of the computation.
    environment: &'a Environment,
    /// Other runs of the same place, herd and day.
    others: Vec<OtherRun<'a>>,
}

/// The run that is explained.
#[derive(Debug, Serialize, JsonSchema)]
struct ExplainedRun<'a> {
    /// Digest of the key.
    run_id: Digest,
    /// What became of it, as in `compute`.
    outcome: RunOutcomeKind,
    /// Its key.
    key: &'a RunKey,
    /// The outputs for downstream users, by name; every output if the component is not pinned here.
    outputs: Map<String, Json>,
    /// The intermediate outputs from which the others are computed, by name; empty if the component is not pinned here.
    terms: Map<String, Json>,
    /// The result of the guardrails.
    guardrails: ExplainedGuardrails,
    /// Why outputs are null, in the component's words.
    reasons: Vec<String>,
    /// Digest of component, configuration and inputs: everything that determines the number.
    provenance: Digest,
    /// Digest of the reproducible part of its manifest.
    snapshot_id: Digest,
    /// Path of its manifest.
    manifest: &'a str,
    /// The configuration version of the run that it supersedes; null if it supersedes none.
    replaces: Option<&'a ConfigVersion>,
    /// The configuration version of the run that supersedes it; null if there is none.
    superseded_by: Option<&'a ConfigVersion>,
}

/// The result of an explained run's guardrails.
#[derive(Debug, Serialize, JsonSchema)]
struct ExplainedGuardrails {
    /// Whether a guardrail is breached.
    status: GuardrailStatus,
    /// The breached guardrails, in the order of the configuration.
    #[schemars(with = "Vec<Breach>")]
    breached: Json,
    /// True if the breach stops the run from being an answer.
    refused: bool,
}

/// The component behind a number.
#[derive(Debug, Serialize, JsonSchema)]
struct ExplainedComponent<'a> {
    /// Name of the logic.
    name: &'a str,
    /// Version of the logic.
    version: &'a str,
    /// Digest of the component's bytes.
    sha256: Digest,
    /// World that it implements.
    world: &'a str,
    /// What it was built with: name and version of each tool.
    toolchain: &'a [(String, String)],
}

/// An input, with the origin of its value.
#[derive(Debug, Serialize, JsonSchema)]
struct ExplainedInput<'a> {
    /// Its name in the component.
    name: &'a str,
    /// The value that the component saw, of the type that it declares; null if nothing was known.
    value: &'a Json,
    /// Its unit; null if it has none, or the component is not pinned here.
    unit: Option<&'a str>,
    /// Its meaning, in the component's words; empty if the component is not pinned here.
    doc: &'a str,
    /// Its reference into the catalogue; empty if the component is not pinned here.
    feature: &'a str,
    /// Days from the newest observation to the run's day; null if no observation is dated.
    age_days: Option<i64>,
    /// The newest of `sources`; null if there is none.
    source: Option<&'a Source>,
    /// The observations behind the value, oldest first.
    sources: &'a [Source],
}

/// An input that cannot be compared with its value today.
#[derive(Debug, Serialize, JsonSchema)]
struct Incomparable<'a> {
    /// The input.
    name: &'a str,
    /// Why.
    why: &'a str,
}

/// An observation after the run's day.
#[derive(Debug, Serialize, JsonSchema)]
struct Newer<'a> {
    /// The column.
    feature: &'a str,
    /// The day of its newest observation.
    date: &'a str,
}

/// A ledger entry.
#[derive(Debug, Serialize, JsonSchema)]
struct EntryAnswer<'a> {
    /// Its number.
    entry: EntryNumber,
    /// When it was written (RFC 3339, UTC).
    at: &'a str,
    /// Who wrote it.
    actor: &'a str,
    /// Why; null if no reason was given.
    reason: Option<&'a str>,
    /// Its kind.
    kind: &'a str,
}

/// Another run of the same place, herd and day.
#[derive(Debug, Serialize, JsonSchema)]
struct OtherRun<'a> {
    /// Its id.
    run_id: Digest,
    /// Its key.
    key: &'a RunKey,
    /// How it relates to this run, in words.
    what: &'a str,
}

impl Explanation {
    /// The JSON form of the explanation.
    #[must_use]
    pub fn answer(&self, units: Units) -> ExplainAnswer<'_> {
        let r = &self.manifest.reproducible;
        let incomparable = self.incomparable.iter();
        let newer = self.newer.iter();
        let others = self.found.others.iter();
        ExplainAnswer {
            run: self.run(),
            is_answer: self.found.is_answer,
            shadow: self.found.shadow.as_deref(),
            component: ExplainedComponent {
                name: &r.component.name,
                version: &r.component.version,
                sha256: r.component.sha256,
                world: &r.component.world,
                toolchain: &self.manifest.environment.component_toolchain,
            },
            config: as_recorded(&r.config),
            inputs: self.inputs.iter().map(input).collect(),
            parameters: &self.parameters,
            arithmetic: self.arithmetic(units),
            not_accounted_for: self.not_accounted_for(),
            pinned_component: self.other_component,
            incomparable_inputs: incomparable
                .map(|(name, why)| Incomparable { name, why })
                .collect(),
            superseded_inputs: &self.superseded_inputs,
            newer_observations: newer
                .map(|(feature, date)| Newer { feature, date })
                .collect(),
            recorded: self.entry.as_ref().map(entry),
            superseded_by_entry: self.superseded_by.as_ref().map(entry),
            environment: &self.manifest.environment,
            others: others
                .map(|(r, what)| OtherRun {
                    run_id: r.run.key.run_id(),
                    key: &r.run.key,
                    what,
                })
                .collect(),
        }
    }

    /// The same as JSON.
    #[must_use]
    pub(crate) fn to_json(&self, units: Units) -> Json {
        json!(self.answer(units))
    }

    fn run(&self) -> ExplainedRun<'_> {
        let run = &self.found.run;
        let map = |role: Role| -> Map<String, Json> {
            let outputs = self.outputs(role).into_iter();
            outputs.map(|(name, value, _)| (name, value)).collect()
        };
        let guardrails = &self.manifest.reproducible.guardrails;
        ExplainedRun {
            run_id: run.run.key.run_id(),
            outcome: RunOutcomeKind::Recorded,
            key: &run.run.key,
            outputs: map(Role::Outcome),
            terms: map(Role::Term),
            guardrails: ExplainedGuardrails {
                status: guardrails.status,
                breached: as_recorded(&guardrails.breached),
                refused: run.run.guardrail == Guardrail::Refused,
            },
            reasons: self.reasons(),
            provenance: run.run.provenance,
            snapshot_id: run.run.snapshot,
            manifest: &self.manifest_path,
            replaces: run.run.replaces.as_ref(),
            superseded_by: run.superseded_by.as_ref(),
        }
    }
}

fn input(i: &Input) -> ExplainedInput<'_> {
    ExplainedInput {
        name: &i.name,
        value: &i.value,
        unit: i.unit.as_deref(),
        doc: &i.doc,
        feature: &i.feature,
        age_days: i.age_days,
        source: i.sources.last(),
        sources: &i.sources,
    }
}

/// A part of a manifest as spelled in its file: 365, not 365.0.
#[expect(
    clippy::expect_used,
    reason = "a value read from canonical JSON has a canonical form"
)]
fn as_recorded<T: Serialize>(part: &T) -> Json {
    as_read(part).expect("the part was read from canonical JSON")
}

fn entry(e: &Entry) -> EntryAnswer<'_> {
    EntryAnswer {
        entry: e.seq,
        at: &e.stamp.at,
        actor: &e.stamp.actor,
        reason: e.stamp.reason.as_deref(),
        kind: &e.kind,
    }
}
