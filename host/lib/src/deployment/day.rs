//! The daily run: ingest what changed, compute what is due, judge it, publish the report, and say whether the
//! day is complete.

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

/// What a daily run came to.
pub struct DayRun {
    /// Each input file, and why it was not taken if it was not.
    pub files: Vec<FileReport>,
    /// Each due run.
    pub computed: Computed,
    /// The monitors' verdict over the window that ends with the day.
    pub report: MonitorReport,
    /// Where the report is.
    pub published: Published,
    /// The day in shadow, if a canary is running.
    pub canary: Option<CanaryDay>,
    /// Whether every due run is answered.
    pub status: DayStatus,
}

impl Deployment {
    /// Runs a day. What befalls single files, single runs and the canary is in the answer; the rest of the
    /// day is done.
    ///
    /// # Errors
    /// If ledger, components, manifests or the report's files fail as a whole, or when the work was interrupted:
    /// what was finished by then is in the error. What was recorded stays; run the day again.
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

    /// What follows the day's runs: the verdict, the canary, the report, whether the day is complete.
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
