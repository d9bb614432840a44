//! Computes a candidate release in shadow: over a canary's days, or over the day of a daily run.

use provender_ledger::EntryNumber;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_ledger::entries::Origin;
use provender_ledger::{Read, Write};
use provender_sandbox::Sandbox;
use provender_store::manifest::Store;

use crate::compute::Facts;
use crate::compute::engine::{CHUNK, Engine, Policy};
use crate::compute::outcome::Summary;
use crate::compute::select::{Selection, targets};
use crate::monitor::aside::Aside;
use crate::monitor::report::Status;
use crate::release::canary::rows::{FIGURE_HEADS, figure_rows};
use crate::release::canary::{
    Canary, CanaryContext, Observed, Sides, observed as observe, running, takes_part,
};
use crate::release::state::Known;
use crate::release::{Document, ReleaseError, ReleaseState};

use super::{Deployment, DeploymentError, Phase, Progress};

/// How many problems of a shadow computation are reported individually.
const FEW: usize = 5;

/// The result of computing in shadow.
#[derive(Default, Serialize, JsonSchema)]
pub struct Shadow {
    /// Number of runs by outcome.
    pub summary: Summary,
    /// The first few reasons why runs have no number.
    pub problems: Vec<String>,
}

impl Shadow {
    /// Number of runs without a number.
    #[must_use]
    pub fn troubled(&self) -> u64 {
        self.summary.drift + self.summary.failed
    }
}

/// The sandbox and the manifests that a canary uses.
#[derive(Clone, Copy)]
pub struct Bench<'b> {
    /// The sandbox.
    pub sandbox: &'b Sandbox,
    /// The manifests.
    pub manifests: &'b Store,
}

/// The candidate to compute in shadow.
#[derive(Clone, Copy)]
pub struct Candidate<'c> {
    /// The canary.
    pub canary: &'c Canary,
    /// The release's logics, side by side with the active ones.
    pub release: &'c Known,
    /// The release's logics beside those that are active.
    pub sides: &'c Sides,
}

/// The result of a canary in a daily run.
pub struct CanaryDay {
    /// `None` if the canary could not be read.
    pub canary: Option<Canary>,
    /// The result for the day, and for the canary so far.
    pub result: Result<(Shadow, Option<Observed>), DeploymentError>,
}

impl Deployment {
    /// Computes the day of a daily run in shadow, if a canary is running. Problems are reported and never fail the day:
    /// the answers are not the candidate's.
    pub(super) fn canary_day(
        &self,
        bench: Bench<'_>,
        writer: &dyn Write,
        facts: &Facts<'_>,
        day: Day,
        progress: &mut dyn Progress,
    ) -> Option<CanaryDay> {
        let found = self
            .standing()
            .map(|standing| (standing, running(standing)));
        let (standing, canary) = match found {
            Ok((standing, Some(canary))) if day >= canary.from => (standing, canary),
            Ok(_) => return None,
            Err(e) => {
                return Some(CanaryDay {
                    canary: None,
                    result: Err(e),
                });
            }
        };
        let _phase = tracing::info_span!(target: "provender::phase", "canary").entered();
        let mut compute = || -> Result<(Shadow, Option<Observed>), DeploymentError> {
            let (candidate, active) = both(standing, &canary)?;
            let sides = Sides::bind(bench.sandbox, &self.store()?, active, &candidate.document)?;
            let candidate = Candidate {
                canary: &canary,
                release: candidate,
                sides: &sides,
            };
            let shadow = self.shadow(bench, writer, facts, candidate, &(day..=day), progress)?;
            let observed = self.observed(bench, writer, &canary.release, Some(day))?;
            Ok((shadow, observed))
        };
        let result = compute();
        Some(CanaryDay {
            canary: Some(canary),
            result,
        })
    }

    /// Computes the candidate over some days, in the boundaries that take part. None of these runs is an answer.
    ///
    /// # Errors
    /// If ledger or manifests fail as a whole.
    pub fn shadow(
        &self,
        bench: Bench<'_>,
        writer: &dyn Write,
        facts: &Facts<'_>,
        candidate: Candidate<'_>,
        days: &RangeInclusive<Day>,
        progress: &mut dyn Progress,
    ) -> Result<Shadow, DeploymentError> {
        let policy = Policy {
            on_guardrail: candidate.release.document.settings.on_guardrail,
            release: Some(candidate.release.digest),
            recheck: false,
            origin: Origin::Canary,
            stamp: self.stamp(None),
            computer: self.computer(bench.sandbox),
            pack_from: self.project.settings.manifests.pack_from(),
            interrupt: self.interrupt.clone(),
        };
        let selection = Selection {
            boundary: None,
            herd: None,
            from: *days.start(),
            to: *days.end(),
        };
        let mut work = Vec::new();
        for bound in candidate.sides.shadows() {
            let mut due = targets(facts, bound.reads_herd, &selection)?;
            due.retain(|target| takes_part(&target.boundary_id, candidate.canary.share));
            work.push((bound, due));
        }
        let total: usize = work.iter().map(|(_, due)| due.len()).sum();
        progress.begin(Phase::Shadow, total as u64);
        let mut shadow = Shadow::default();
        for (bound, due) in work {
            for chunk in due.chunks(CHUNK) {
                let mut engine = Engine {
                    facts,
                    ledger: Some(writer),
                    manifests: bench.manifests,
                    policy: &policy,
                };
                for outcome in engine.chunk(bound, chunk)? {
                    shadow.summary.count(outcome.outcome);
                    if let Some(problem) = outcome.problem.filter(|_| shadow.problems.len() < FEW) {
                        shadow.problems.push(problem.message);
                    }
                }
                progress.advance(chunk.len() as u64);
                provender_domain::failpoint::hit("canary.after-chunk");
            }
        }
        progress.end();
        Ok(shadow)
    }

    /// The comparison for the newest canary of a release.
    ///
    /// # Errors
    /// If its runs cannot be read or compared.
    pub fn observed(
        &self,
        bench: Bench<'_>,
        ledger: &dyn Read,
        release: &Digest,
        to: Option<Day>,
    ) -> Result<Option<Observed>, DeploymentError> {
        let standing = ReleaseState::read(ledger, EntryNumber::LATEST)?;
        let scene = CanaryContext {
            ledger,
            manifests: bench.manifests,
            sandbox: bench.sandbox,
            store: &self.store()?,
            standing: &standing,
            policy: &self.project.settings.canary,
        };
        Ok(observe(scene, release, to)?)
    }
}

/// The candidate, and the document of the release that it is compared with.
///
/// # Errors
/// If the canary's entry names an unknown release.
pub fn both<'s>(
    standing: &'s ReleaseState,
    canary: &Canary,
) -> Result<(&'s Known, &'s Document), DeploymentError> {
    let candidate = standing.known(&canary.release);
    let against = canary.against(standing).map(|k| &k.document);
    candidate.zip(against).ok_or_else(|| {
        let damaged = ReleaseError::Damaged {
            what: format!("entry {} (canary)", canary.entry),
            problem: "it names a release that is not known".to_owned(),
        };
        damaged.into()
    })
}

impl CanaryDay {
    /// The heading of the canary's section.
    #[must_use]
    pub fn title(&self) -> String {
        let canary = self.canary.as_ref();
        canary.map_or_else(
            || "Canary".to_owned(),
            |c| format!("Canary of R{}", c.number),
        )
    }

    /// The canary's section for the page and the Markdown of the day's report.
    pub(super) fn aside(&self) -> Aside {
        let mut lines = Vec::new();
        let (status, rows) = match &self.result {
            Err(e) => {
                lines.push(format!("it was not computed in shadow: {e}"));
                (Status::Unknown, Vec::new())
            }
            Ok((shadow, None)) => {
                lines.extend(shadow.problems.iter().cloned());
                (Status::Unknown, Vec::new())
            }
            Ok((shadow, Some(observed))) => {
                lines.push(observed.summary());
                lines.extend(shadow.problems.iter().cloned());
                lines.extend(observed.notes.iter().cloned());
                (observed.status, figure_rows(observed))
            }
        };
        Aside {
            title: self.title(),
            status,
            lines,
            heads: FIGURE_HEADS.map(str::to_owned).to_vec(),
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
        }
    }
}
