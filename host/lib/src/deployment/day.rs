//! The daily run: ingests what changed, computes what is due, evaluates it, publishes the report, and reports whether
//! the day is complete.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;

use provender_domain::day::Day;
use provender_ledger::Write;

use crate::compute::select::Selection;
use crate::compute::{ComputeError, Facts};
use crate::ingest::report::FileReport;
use crate::ingest::take;
use crate::monitor::MonitorReport;

use super::canary::Bench;
use super::compute::Batch;
use super::{
    CanaryDay, Computed, DayStatus, Deployment, DeploymentError, Finished, Progress, Published,
    Runtime,
};

/// The result of a daily run.
pub struct DayRun {
    /// Each input file, with the reason if it was not ingested.
    pub files: Vec<FileReport>,
    /// Each due run.
    pub computed: Computed,
    /// The monitors' verdict over the window that ends with the day.
    pub report: MonitorReport,
    /// Where the report was written.
    pub published: Published,
    /// The canary's result for the day, if a canary is running.
    pub canary: Option<CanaryDay>,
    /// Whether every due run has an answer.
    pub status: DayStatus,
}

impl Deployment {
    /// Runs a day. Problems with single files, single runs and the canary are in the result; the rest of the day is
    /// finished.
    ///
    /// # Errors
    /// If ledger, components, manifests or the report's files fail as a whole, or the work was interrupted. After an
    /// interruption, the error contains what was finished. Recorded work is kept, so run the day again.
    pub fn run_day(
        &self,
        as_of: Day,
        progress: &mut dyn Progress,
    ) -> Result<DayRun, DeploymentError> {
        let runtime = self.runtime()?;
        let ledger = self.writer()?;
        let taken = take::Policy {
            accept: false,
            dry_run: false,
            today: self.today,
        };
        let files = self.ingest_sources(&*ledger, &taken, progress)?;

        let facts = self.facts(&*ledger, None)?;
        let logics = self.logics(&[])?;
        let bounds = self.bind_all(&runtime, &logics, &BTreeMap::new())?;
        let selection = Selection {
            boundary: None,
            herd: None,
            from: as_of,
            to: as_of,
        };
        let policy = self.policy(&runtime)?;
        let batch = Batch::of(&facts, bounds, &selection, false, false)?;
        let computed = self.record(&runtime, Some(&*ledger), &facts, batch, &policy, progress);
        let computed = match computed {
            Err(DeploymentError::Interrupted(mut finished)) => {
                finished.files = files;
                return Err(DeploymentError::Interrupted(finished));
            }
            computed => computed?,
        };
        let judged = self.judge_day(&runtime, &*ledger, &facts, &logics, as_of, progress);
        let (report, published, canary, status) = match judged {
            Ok(judged) => judged,
            Err(e) => {
                return Err(e.after(|| Finished {
                    files,
                    computed: Some(computed),
                }));
            }
        };
        Ok(DayRun {
            files,
            computed,
            report,
            published,
            canary,
            status,
        })
    }

    /// The steps after the day's runs: the verdict, the canary, the report, and whether the day is complete.
    fn judge_day(
        &self,
        runtime: &Runtime,
        ledger: &dyn Write,
        facts: &Facts<'_>,
        logics: &[ModelVersion],
        as_of: Day,
        progress: &mut dyn Progress,
    ) -> Result<(MonitorReport, Published, Option<CanaryDay>, DayStatus), DeploymentError> {
        let stopped = || self.interrupt.check().map_err(ComputeError::from);
        stopped()?;
        let window = self.window(as_of);
        let report = self.assess(runtime, ledger, facts, logics, window, None)?;
        let bench = Bench {
            sandbox: &runtime.sandbox,
            manifests: &runtime.manifests,
        };
        let canary = self.canary_day(bench, ledger, facts, as_of, progress);
        stopped()?;
        let aside = canary.as_ref().map(CanaryDay::aside);
        let published = self.publish(ledger, &report, aside)?;
        let status = self.status_of(runtime, ledger, facts, as_of)?;
        Ok((report, published, canary, status))
    }
}
