//! Replaces recorded runs whose inputs were revised: first makes a plan, then applies the plan with a given digest.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use provender_domain::canonical::Digest;

use crate::compute::engine::Engine;
use crate::compute::freeze::hold;
use crate::compute::outcome::Summary;
use crate::compute::reissue::{Plan, apply, digest, plan};
use crate::compute::select::{Selection, targets};
use crate::compute::{Bound, ComputeError};

use super::compute::interrupted;
use super::{Computed, Deployment, DeploymentError, Phase, Progress, pin};
use provender_ledger::entries::Origin;

/// Which runs to replace.
#[derive(Clone, Debug)]
pub struct ReissueRequest<'r> {
    /// Places and days.
    pub selection: Selection,
    /// Versions as `name:version`; if empty, the active ones.
    pub logics: &'r [ModelVersion],
    /// The reason, recorded in the ledger.
    pub reason: &'r str,
    /// The plan to apply: its digest, or at least eight digits of it. If `None`, only makes a plan.
    pub apply: Option<&'r str>,
}

/// The result of a reissue.
pub enum Reissue {
    /// A plan was made; nothing was replaced.
    Planned {
        /// The plan's digest.
        digest: Digest,
        /// The plans by logic.
        plans: Vec<(Bound, Plan)>,
    },
    /// The plan was applied.
    Applied {
        /// The plan's digest.
        digest: Digest,
        /// The new runs.
        computed: Computed,
    },
}

impl Deployment {
    /// Plans to replace drifted runs, or applies a plan that was reviewed.
    ///
    /// # Errors
    /// If the plan has changed in the meantime, or if ledger, components or manifests fail.
    pub fn reissue(
        &self,
        request: &ReissueRequest<'_>,
        progress: &mut dyn Progress,
    ) -> Result<Reissue, DeploymentError> {
        let runtime = self.runtime()?;
        let writer = self.writer()?;
        let facts = self.facts(&*writer, None)?;
        let mut policy = self.policy(&runtime)?;
        policy.origin = Origin::Reissue;
        policy.stamp = self.stamp(Some(request.reason));
        let mut engine = Engine {
            facts: &facts,
            ledger: Some(&*writer),
            manifests: &runtime.manifests,
            policy: &policy,
        };
        let mut plans: Vec<(Bound, Plan)> = Vec::new();
        for bound in self.bind_all(&runtime, request.logics, &BTreeMap::new())? {
            let targets = targets(&facts, bound.reads_herd, &request.selection)?;
            let plan = plan(&mut engine, &bound, &targets)?;
            plans.push((bound, plan));
        }
        let digest = digest(&plans.iter().map(|(_, p)| p).collect::<Vec<_>>())?;
        let Some(asked) = request.apply else {
            return Ok(Reissue::Planned { digest, plans });
        };
        let now = digest.to_string();
        if asked != now && !(asked.len() >= 8 && digest.hex().starts_with(asked)) {
            let asked = asked.to_owned();
            return Err(ComputeError::PlanChanged { asked, now }.into());
        }
        let mut computed = Computed {
            logics: Vec::new(),
            summary: Summary::default(),
            abridged: false,
            dry_run: false,
        };
        let total: usize = plans.iter().map(|(_, p)| p.runs.len()).sum();
        progress.begin(Phase::Reissue, total as u64);
        for (bound, plan) in plans {
            let n = plan.runs.len() as u64;
            if n > 0 {
                let pin = pin(&runtime.lock, &bound.model_version)?;
                hold(&*writer, pin, &policy.stamp)?;
            }
            let mut outcomes = Vec::with_capacity(plan.runs.len());
            let ended = apply(&mut engine, &bound, plan, &mut outcomes);
            computed.summary.add(Summary::of(&outcomes));
            progress.advance(n);
            computed.logics.push((bound, outcomes));
            if let Err(e) = ended {
                return Err(interrupted(e, computed));
            }
        }
        progress.end();
        Ok(Reissue::Applied { digest, computed })
    }
}
