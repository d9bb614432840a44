//! Reports whether a day is complete: whether every due run of every active logic has an answer.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_ledger::Read;
use provender_ledger::types::RunFilter;

use crate::compute::engine::Engine;
use crate::compute::outcome::{Problem, RunOutcome, RunOutcomeKind};
use crate::compute::select::{Selection, targets};
use crate::compute::{Bound, Facts, answers};

use super::{Deployment, DeploymentError, Runtime};

/// Why a due run has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lack {
    /// It was not computed yet, its run is not an answer, or its boundary is missing.
    Missing,
    /// It was computed before from different inputs.
    Refused,
    /// It cannot be computed.
    Failed,
}

impl Lack {
    /// The word used in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Lack::Missing => "missing",
            Lack::Refused => "refused",
            Lack::Failed => "failed",
        }
    }
}

/// A due run without an answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Unanswered {
    /// The boundary.
    pub boundary_id: BoundaryId,
    /// Its herd, or `-`.
    pub herd_config_id: HerdId,
    /// `name:version`.
    pub logic: String,
    /// Why it has no answer, as a word.
    #[serde(rename = "state")]
    pub lack: Lack,
    /// Why it has no answer, as a sentence.
    pub cause: String,
}

/// The age of a source's newest observation.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SourceAge {
    /// Its id.
    pub id: String,
    /// Its newest day at or before the day; null if it has no data by then.
    pub newest: Option<Day>,
    /// The largest age allowed, in days; null if sources.toml does not set one.
    pub max_age_days: Option<u32>,
    /// Whether the newest observation is older than allowed.
    pub stale: bool,
}

/// An active logic.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ActiveLogic {
    /// `name:version`.
    #[serde(rename = "logic")]
    pub model_version: ModelVersion,
    /// Digest of its configuration.
    #[serde(rename = "config_version")]
    pub config: Digest,
    /// Digest of its component.
    pub component: Digest,
}

/// The state of a day.
#[derive(Clone, Debug)]
pub struct DayStatus {
    /// The day.
    pub as_of: Day,
    /// Number of due runs.
    pub expected: usize,
    /// Number of due runs with an answer.
    pub recorded: usize,
    /// Due runs without an answer.
    pub unanswered: Vec<Unanswered>,
    /// The sources of dated observations.
    pub sources: Vec<SourceAge>,
    /// The active logics.
    pub active: Vec<ActiveLogic>,
}

impl DayStatus {
    /// Whether anything is due, and every due run has an answer.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.expected > 0 && self.unanswered.is_empty()
    }

    /// Number of due runs without an answer for this reason.
    #[must_use]
    pub fn count(&self, lack: Lack) -> usize {
        self.unanswered.iter().filter(|m| m.lack == lack).count()
    }

    fn add(&mut self, outcome: RunOutcome, logic: &str, lacks: (Lack, String)) {
        self.unanswered.push(Unanswered {
            boundary_id: outcome.key.boundary_id,
            herd_config_id: outcome.key.herd_config_id,
            logic: logic.to_owned(),
            lack: lacks.0,
            cause: lacks.1,
        });
    }
}

impl Deployment {
    /// Reports whether a day is complete.
    ///
    /// # Errors
    /// If ledger, components or manifests cannot be read.
    pub fn day_status(&self, as_of: Day) -> Result<DayStatus, DeploymentError> {
        let runtime = self.runtime()?;
        let reader = self.reader()?;
        let facts = self.facts(&*reader, None)?;
        self.status_of(&runtime, &*reader, &facts, as_of)
    }

    /// Checks every due run of the active logics. A run that is not recorded is computed in the sandbox without
    /// recording, to distinguish "not computed yet" from "cannot be computed".
    pub(super) fn status_of(
        &self,
        runtime: &Runtime,
        ledger: &dyn Read,
        facts: &Facts<'_>,
        as_of: Day,
    ) -> Result<DayStatus, DeploymentError> {
        let _phase = tracing::info_span!(target: "provender::phase", "status").entered();
        let mut status = DayStatus {
            as_of,
            expected: 0,
            recorded: 0,
            unanswered: Vec::new(),
            sources: self.source_ages(ledger, facts, as_of)?,
            active: Vec::new(),
        };
        let policy = self.policy(runtime)?;
        for bound in self.bind_all(runtime, &[], &BTreeMap::new())? {
            let answered = answered(ledger, &bound, as_of)?;
            let mut engine = Engine {
                facts,
                ledger: None,
                manifests: &runtime.manifests,
                policy: &policy,
            };
            look(&mut status, &mut engine, &bound, &answered)?;
        }
        Ok(status)
    }

    /// Each source of dated observations, with its newest day at or before the date.
    fn source_ages(
        &self,
        ledger: &dyn Read,
        facts: &Facts<'_>,
        as_of: Day,
    ) -> Result<Vec<SourceAge>, DeploymentError> {
        let newest = ledger.newest_by_source(facts.known(), as_of)?;
        let configured = &self.project.sources.sources;
        let mut ids: Vec<(String, Option<u32>)> = configured
            .iter()
            .filter(|s| s.max_age_days.is_some() || newest.contains_key(&s.id))
            .map(|s| (s.id.clone(), s.max_age_days))
            .collect();
        ids.extend(
            newest
                .keys()
                .filter(|id| configured.iter().all(|s| s.id != **id))
                .map(|id| (id.clone(), None)),
        );
        Ok(ids
            .into_iter()
            .map(|(id, max_age_days)| {
                let newest = newest.get(&id).copied().flatten();
                SourceAge {
                    stale: is_stale(newest, max_age_days, as_of),
                    id,
                    newest,
                    max_age_days,
                }
            })
            .collect())
    }
}

/// Whether the newest observation is older than allowed. No observation at all counts as stale.
fn is_stale(newest: Option<Day>, max_age_days: Option<u32>, as_of: Day) -> bool {
    max_age_days
        .is_some_and(|max| newest.is_none_or(|day| i64::from(as_of.since(day)) > i64::from(max)))
}

/// Pairs of boundary and herd for which a logic has an answer.
fn answered(
    ledger: &dyn Read,
    bound: &Bound,
    as_of: Day,
) -> Result<BTreeSet<(BoundaryId, HerdId)>, DeploymentError> {
    let filter = RunFilter {
        from: Some(as_of),
        to: Some(as_of),
        logic: Some(bound.model_version.to_string()),
        ..RunFilter::default()
    };
    Ok(answers::answers(ledger, &filter)?
        .into_iter()
        .filter(|r| r.run.key.config_version.config == bound.config.digest)
        .map(|r| (r.run.key.boundary_id, r.run.key.herd_config_id))
        .collect())
}

/// Why a run has no answer, as a sentence.
fn message(problem: Option<&Problem>) -> String {
    problem.map_or_else(|| "no cause was recorded".to_owned(), |p| p.message.clone())
}

/// Checks the due runs of one logic.
fn look(
    status: &mut DayStatus,
    engine: &mut Engine<'_, '_>,
    bound: &Bound,
    answered: &BTreeSet<(BoundaryId, HerdId)>,
) -> Result<(), DeploymentError> {
    let as_of = status.as_of;
    let logic = &bound.model_version;
    status.active.push(ActiveLogic {
        model_version: logic.clone(),
        config: bound.config.digest,
        component: bound.component.digest(),
    });
    let selection = Selection {
        boundary: None,
        herd: None,
        from: as_of,
        to: as_of,
    };
    let targets = targets(engine.facts, bound.reads_herd, &selection)?;
    for outcome in engine.chunk(bound, &targets)? {
        status.expected += 1;
        let boundary = &outcome.key.boundary_id;
        if engine.facts.boundary(boundary, as_of).is_none() {
            let cause =
                format!("boundary {boundary} has not been ingested, or is not in force yet");
            status.add(outcome, logic, (Lack::Missing, cause));
            continue;
        }
        let pair = (boundary.clone(), outcome.key.herd_config_id.clone());
        let lacks = match (outcome.outcome, outcome.problem.as_ref()) {
            (RunOutcomeKind::Unchanged, _) if answered.contains(&pair) => {
                status.recorded += 1;
                continue;
            }
            (RunOutcomeKind::Unchanged, _) => (
                Lack::Missing,
                "recorded, but not as an answer: `provender compute` activates it".to_owned(),
            ),
            (RunOutcomeKind::Recorded, _) => (
                Lack::Missing,
                format!("not computed yet: provender compute --all --as-of {as_of}"),
            ),
            (RunOutcomeKind::Drift, problem) => (Lack::Refused, message(problem)),
            (RunOutcomeKind::Failed, problem) => (Lack::Failed, message(problem)),
        };
        status.add(outcome, logic, lacks);
    }
    Ok(())
}
