//! Evaluates a window of answers and publishes the report.

use provender_domain::ids::{BoundaryId, ModelVersion};
use std::collections::BTreeMap;

use provender_domain::day::Day;
use provender_domain::files::durable::Staging;
use provender_domain::render::{html, markdown};
use provender_ledger::entries::ReportKind;
use provender_ledger::{Read, Write};

use crate::compute::{ComputeError, Facts};
use crate::monitor::aside::Aside;
use crate::monitor::document::{Extent, document};
use crate::monitor::gather::{GatherError, gather};
use crate::monitor::{MonitorReport, Window, ack, judge_with};

use super::{Deployment, DeploymentError, Runtime};

/// The files of a report, relative to the deployment's folder.
#[derive(Clone, Debug)]
pub struct Published {
    /// The report as JSON.
    pub json: String,
    /// The summary in Markdown, for a mail or a merge request.
    pub markdown: String,
    /// The HTML page.
    pub html: String,
    /// True if the ledger already had this report.
    pub known: bool,
}

impl Deployment {
    /// The window that a daily run monitors.
    #[must_use]
    pub(crate) fn window(&self, end: Day) -> Window {
        Window {
            end,
            days: self.project.settings.monitor.window_days,
        }
    }

    /// Evaluates the answers of a window, for all boundaries or one.
    ///
    /// # Errors
    /// If the boundary is not known, a rule cannot be used, or ledger or manifests cannot be read.
    pub fn assess(
        &self,
        runtime: &Runtime,
        ledger: &dyn Read,
        facts: &Facts<'_>,
        logics: &[ModelVersion],
        window: Window,
        boundary: Option<&BoundaryId>,
    ) -> Result<MonitorReport, DeploymentError> {
        let _phase = tracing::info_span!(target: "provender::phase", "monitor").entered();
        if let Some(b) = boundary.filter(|b| facts.boundary_ids().all(|known| known != *b)) {
            let unknown = ComputeError::UnknownBoundary {
                boundary: b.clone(),
                hint: String::new(),
            };
            return Err(unknown.into());
        }
        let mut inputs = Vec::new();
        for bound in self.bind_all(runtime, logics, &BTreeMap::new())? {
            let d = bound.description();
            let settings = self.overrides(&d.name, &d.version)?;
            inputs.push(gather(
                ledger,
                facts,
                &runtime.manifests,
                &bound,
                &settings,
                window,
                boundary,
            )?);
        }
        Ok(judge_with(window, &inputs, &ack::acks(ledger)?).map_err(GatherError::from)?)
    }

    /// Writes the report in its three forms and records it once. `aside` appears only in the page and in the Markdown.
    ///
    /// # Errors
    /// If a file or the ledger cannot be written.
    pub fn publish(
        &self,
        ledger: &dyn Write,
        report: &MonitorReport,
        aside: Option<Aside>,
    ) -> Result<Published, DeploymentError> {
        let _phase = tracing::info_span!(target: "provender::phase", "report").entered();
        let folder = &self.project.settings.reports.path;
        let dir = self.project.folder(folder)?;
        let window = report.window;
        let short = report.report.short();
        let name = format!("monitor_{}_{}d_{short}", window.end, window.days);
        let canonical = report.to_canonical().map_err(GatherError::from)?;
        let summary = Extent::summary(aside.clone());
        let summary = document(report, &summary).map_err(GatherError::from)?;
        let page = Extent::page(way_up(folder), aside);
        let page = document(report, &page).map_err(GatherError::from)?;
        let forms = [
            ("json", format!("{canonical}\n")),
            ("md", markdown::markdown(&summary)),
            ("html", html::page(&page)),
        ];
        let unwritable = |file: &str, cause| DeploymentError::ReportUnwritable {
            file: format!("{folder}/{file}"),
            cause,
        };
        // Only complete files are visible, so that no reader sees half a report.
        let staging = Staging::open(&dir).map_err(|e| unwritable("", e))?;
        for (ending, body) in &forms {
            let file = format!("{name}.{ending}");
            staging
                .replace(&file, body.as_bytes())
                .map_err(|e| unwritable(&file, e))?;
        }
        let stamp = self.stamp(None);
        let recorded =
            ledger.record_report(&stamp, ReportKind::Monitor, report.report, &canonical)?;
        let path = |ending: &str| format!("{folder}/{name}.{ending}");
        Ok(Published {
            json: path("json"),
            markdown: path("md"),
            html: path("html"),
            known: recorded.is_none(),
        })
    }
}

/// The relative path from a folder of the deployment up to the deployment's own folder.
fn way_up(folder: &str) -> String {
    let parts = folder.split('/').filter(|p| !p.is_empty() && *p != ".");
    "../".repeat(parts.count())
}

#[cfg(test)]
mod tests {
    use super::way_up;

    #[test]
    fn a_page_finds_the_deployment_from_its_folder() {
        assert_eq!(way_up("out/reports"), "../../");
        assert_eq!(way_up("./out//reports/"), "../../");
        assert_eq!(way_up("."), "");
    }
}
