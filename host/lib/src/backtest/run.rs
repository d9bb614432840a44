//! The back-test itself: selects the answers, compares them and builds the report. It writes nothing.

use provender_domain::ids::{BoundaryId, HerdId};
use std::sync::Arc;

use crate::compute::Bound;
use crate::compute::activation::Activations;
use crate::compute::past::{History, Past};
use crate::monitor::Window;
use crate::project::logic::LogicOverrides;
use provender_domain::catalogue::Feature;
use provender_domain::day::Day;
use provender_domain::interrupt::Interrupt;
use provender_ledger::Read;
use provender_ledger::types::RunFilter;
use provender_store::manifest::Store;

use super::error::BacktestError;
use super::found::PassResult;
use super::monitors::{self, Watch};
use super::pass::PassContext;
use super::range::{last_answer, nothing};
use super::report::{BacktestReport, Range, SideReport};
use super::settings;
use super::spans::{self, SPAN, spans};

/// A bound component with what else is said of it.
pub struct Contender<'a> {
    /// The component.
    pub bound: &'a Bound,
    /// What `logic.toml` sets for it.
    pub settings: &'a LogicOverrides,
    /// Whether `logic.toml` has a block of it, an empty one included.
    pub has_block: bool,
    /// The file, where it is not pinned.
    pub file: Option<String>,
}

/// What is asked.
pub struct Request<'a> {
    /// What is tried.
    pub candidate: Contender<'a>,
    /// What it is compared with.
    pub against: Contender<'a>,
    /// Only this boundary.
    pub boundary: Option<BoundaryId>,
    /// Only this herd.
    pub herd: Option<HerdId>,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// Days of the monitors' window, which ends at `to`, or at the last answer.
    pub window_days: u32,
}

/// Where everything is read.
pub struct Archive<'a> {
    /// The ledger.
    pub ledger: &'a dyn Read,
    /// Its manifests.
    pub manifests: &'a Store,
    /// The columns that features are made of.
    pub catalogue: &'a [Feature],
    /// Sources in their order of precedence.
    pub precedence: Vec<String>,
    /// The request to stop. A stopped back-test gives no report.
    pub interrupt: Interrupt,
}

/// Progress: first the largest possible number of rows, then how many were processed.
pub trait Progress {
    /// Recorded runs to look at.
    fn total(&mut self, runs: u64);
    /// `runs` more have been compared.
    fn advance(&mut self, runs: u64);
}

/// Runs both sides over every recorded answer's inputs, in as many threads as the candidate's sandbox
/// computes in. The report does not depend on their number.
///
/// # Errors
/// When nothing is recorded, or what is recorded cannot be read, or when it was asked to stop. Rows on which
/// the candidate fails are in the report.
pub fn backtest(
    archive: &Archive<'_>,
    request: &Request<'_>,
    progress: &mut dyn Progress,
) -> Result<BacktestReport, BacktestError> {
    let threads = request.candidate.bound.component.limits().workers();
    dealt(archive, request, progress, (SPAN, threads))
}

/// Like [`backtest`], with a given span size and number of threads.
///
/// # Errors
/// As [`backtest`].
pub(super) fn dealt(
    archive: &Archive<'_>,
    request: &Request<'_>,
    progress: &mut dyn Progress,
    (span, threads): (u64, usize),
) -> Result<BacktestReport, BacktestError> {
    let _phase = tracing::info_span!(target: "provender::phase", "backtest").entered();
    let filter = RunFilter {
        boundary_id: request.boundary.clone(),
        herd_config_id: request.herd.clone(),
        from: request.from,
        to: request.to,
        logic: Some(request.against.bound.description().name.clone()),
        configs: None,
    };
    let extent = archive.ledger.extent(&filter)?;
    progress.total(extent.iter().map(|e| e.runs).sum());
    let last_run = extent.iter().map(|e| e.last).max();
    let first_run = extent.iter().map(|e| e.first).min();
    let (Some(first_run), Some(last_run)) = (first_run, last_run) else {
        return Err(nothing(&filter));
    };
    let activations = Activations::load(archive.ledger)?;
    let end = match request.to {
        Some(to) => to,
        None => last_answer(archive.ledger, &activations, &filter, first_run, last_run)?
            .ok_or_else(|| nothing(&filter))?,
    };
    let window = Window {
        end,
        days: request.window_days,
    };
    let scene = PassContext {
        manifests: archive.manifests,
        catalogue: archive.catalogue,
        history: Arc::new(History::load(archive.ledger, archive.precedence.clone())?),
        activations,
        filter: &filter,
        candidate: request.candidate.bound,
        against: request.against.bound,
        against_bytes: request.against.bound.component.digest().to_string(),
        window: window.first()?..=end,
        watch_before: Watch::new(request.against.bound, request.against.settings)?,
        watch_after: Watch::new(request.candidate.bound, request.candidate.settings)?,
    };
    let spans = spans(extent, span);
    let found = spans::go(&scene, archive, &spans, threads, progress)?;
    report(scene, found, archive.ledger, request, (window, threads))
}

fn report(
    scene: PassContext<'_>,
    mut found: PassResult<'_>,
    ledger: &dyn Read,
    request: &Request<'_>,
    (window, threads): (Window, usize),
) -> Result<BacktestReport, BacktestError> {
    let Some((from, to)) = found.days else {
        return Err(nothing(scene.filter));
    };
    let expected = found.known.expected(
        &mut Past::new(ledger, scene.history),
        request.against.bound,
        window,
        (request.boundary.as_ref(), request.herd.as_ref()),
    )?;
    let before = (scene.watch_before, found.watched_before);
    let after = (scene.watch_after, found.watched_after);
    let (verdict, monitors) = monitors::compare(window, &expected, before, after)?;
    let (affected_by, affected) = found.tally.affected();
    Ok(BacktestReport {
        candidate: side(&request.candidate),
        against: side(&request.against),
        range: Range {
            from,
            to,
            boundary_id: request.boundary.clone(),
            herd_config_id: request.herd.clone(),
        },
        rows: found.rows,
        compared: found.tally.compared,
        provenance: found.provenance,
        beyond: found.beyond.into_iter().collect(),
        baseline: found.baseline,
        settings: settings::differences(&request.against, &request.candidate)?,
        warnings: settings::without_block(&request.against, &request.candidate)
            .into_iter()
            .collect(),
        not_compared: std::mem::take(&mut found.tally.not_compared),
        guardrails: found.tally.guardrails(),
        verdict,
        monitors,
        affected_by,
        affected,
        failed_rows: found.tally.failed_rows,
        failed: std::mem::take(&mut found.tally.failed),
        outcomes: found.tally.outcomes(threads),
    })
}

fn side(contender: &Contender<'_>) -> SideReport {
    SideReport {
        model_version: contender.bound.model_version.clone(),
        component: contender.bound.component.digest(),
        config_version: contender.bound.config.digest,
        file: contender.file.clone(),
    }
}
