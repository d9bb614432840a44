//! References that monitors compare with: gathered from the answers of a period.

use std::collections::BTreeMap;

use provender_domain::ids::ModelVersion;

use crate::monitor::baseline::Baseline;
use crate::monitor::gather::{GatherError, gather_numbers};
use crate::monitor::{MonitorError, Window};

use super::{Deployment, DeploymentError};

impl Deployment {
    /// The answers of a period as a baseline for each logic, of which nothing is recorded yet.
    ///
    /// # Errors
    /// If a logic has no answer in the period, or the answers cannot be read.
    pub fn baselines_of(
        &self,
        logics: &[ModelVersion],
        window: Window,
    ) -> Result<Vec<Baseline>, DeploymentError> {
        let runtime = self.runtime()?;
        let reader = self.reader()?;
        let facts = self.facts(&*reader, None)?;
        let from = window.first().map_err(GatherError::from)?;
        let mut baselines = Vec::new();
        for logic in self.logics(logics)? {
            let bound = self.bind(&runtime.sandbox, &runtime.lock, &logic, &BTreeMap::new())?;
            let d = bound.description();
            let input = gather_numbers(
                &*reader,
                &facts,
                &runtime.manifests,
                &bound,
                &self.overrides(&d.name, &d.version)?,
                window,
                None,
            )?;
            let baseline = Baseline::freeze(&input, from, window.end);
            let baseline = baseline.map_err(|e| GatherError::from(MonitorError::from(e)))?;
            baselines.push(baseline.ok_or(DeploymentError::NothingToFreeze {
                logic,
                from,
                to: window.end,
            })?);
        }
        Ok(baselines)
    }
}
