//! The back-test itself: answers go by in chunks, both sides are computed where they have to be,
//! and what differs is counted. Nothing is written anywhere.

use crate::compute::Bound;
use crate::compute::guard::recorded_outputs;
use crate::compute::past::Past;
use crate::domain::catalogue::Feature;
use crate::domain::day::Day;
use crate::domain::value::Value;
use crate::ledger::types::{Guardrail, RunFilter};
use crate::ledger::{Ledger, LedgerError};
use crate::manifest::Store;
use crate::monitor::Window;
use crate::project::logic::LogicOverrides;

use super::affected::Inputs;
use super::error::BacktestError;
use super::expected::Known;
use super::monitors::{self, Watch};
use super::range::{last_answer, nothing};
use super::report::{Baseline, Range, Report, SideReport};
use super::settings;
use super::side::{Given, Side};
use super::snapshot::{Snapshot, Snapshots};
use super::tally::Tally;

/// Rows of a chunk: eight of the sandbox's batches, so that every core has work, in some ten
/// megabytes.
const CHUNK: usize = 16_384;

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
    pub boundary: Option<String>,
    /// Only this herd.
    pub herd: Option<String>,
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
    pub ledger: &'a dyn Ledger,
    /// Its manifests.
    pub manifests: &'a Store,
    /// The columns that features are made of.
    pub catalogue: &'a [Feature],
    /// Sources in their order of precedence.
    pub precedence: Vec<String>,
}

/// Says how many rows there are at most, then how many have gone by.
pub trait Progress {
    /// Recorded runs to look at.
    fn total(&mut self, runs: u64);
    /// So many more have gone by.
    fn advance(&mut self, runs: u64);
}

/// Runs both sides over every recorded answer's inputs.
///
/// # Errors
/// When nothing is recorded, or what is recorded cannot be read. Rows on which the candidate fails
/// are in the report.
pub fn backtest(
    archive: &Archive<'_>,
    request: &Request<'_>,
    progress: &mut dyn Progress,
) -> Result<Report, BacktestError> {
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
    let end = match request.to {
        Some(to) => to,
        None => last_answer(archive.ledger, &filter, first_run, last_run)?
            .ok_or_else(|| nothing(&filter))?,
    };
    let window = Window {
        end,
        days: request.window_days,
    };
    let past = Past::load(archive.ledger, archive.precedence.clone())?;
    let mut pass = Pass {
        snapshots: Snapshots::new(archive.ledger, archive.manifests, archive.catalogue, past),
        candidate: Side::new(request.candidate.bound),
        against: Side::new(request.against.bound),
        against_bytes: request.against.bound.component.digest().to_string(),
        chunk: Vec::new(),
        tally: Tally::new(request.against.bound, request.candidate.bound),
        baseline: Baseline::default(),
        window_first: window.first()?,
        window_end: end,
        watch_before: Watch::new(request.against.bound, request.against.settings)?,
        watch_after: Watch::new(request.candidate.bound, request.candidate.settings)?,
        rows: 0,
        days: None,
        known: Known::default(),
    };
    for place in extent {
        let mut here = filter.clone();
        here.boundary_id = Some(place.boundary_id);
        here.herd_config_id = Some(place.herd_config_id);
        for run in pass.snapshots.answers(&here)? {
            let snapshot = pass.snapshots.of(run)?;
            pass.take(snapshot)?;
        }
        progress.advance(place.runs);
    }
    pass.flush()?;
    pass.report(request, window, &filter)
}

/// A row between reading and comparing.
struct Pending {
    snapshot: Snapshot,
    /// Recorded outputs of the side before; `None` when it has to be computed.
    recorded: Option<Vec<Value>>,
    /// What the side before reads, where it has to be computed.
    before: Option<Vec<Value>>,
    /// What the candidate reads.
    after: Vec<Value>,
}

/// One pass over the answers.
struct Pass<'a, 'l> {
    snapshots: Snapshots<'a, 'l>,
    candidate: Side<'a>,
    against: Side<'a>,
    /// Digest of its bytes, as batches name it.
    against_bytes: String,
    chunk: Vec<Pending>,
    tally: Tally<'a>,
    baseline: Baseline,
    window_first: Day,
    window_end: Day,
    watch_before: Watch,
    watch_after: Watch,
    rows: u64,
    /// First and last day of a row.
    days: Option<(Day, Day)>,
    /// What was known when the answers of each day of the window were recorded.
    known: Known,
}

impl Pass<'_, '_> {
    fn take(&mut self, snapshot: Snapshot) -> Result<(), BacktestError> {
        let bound = self.against.bound;
        let run = &snapshot.run;
        let key = &run.run.key;
        let day = key.calculation_date;
        self.rows += 1;
        let (first, last) = self.days.unwrap_or((day, day));
        self.days = Some((first.min(day), last.max(day)));
        if self.in_window(day) {
            self.known.saw(day, snapshot.moment().known);
        }
        let is_it = key.model_version == bound.model_version
            && snapshot.group.component.as_ref() == Some(&self.against_bytes);
        let mut recorded = None;
        let mut before = None;
        if is_it {
            self.baseline.recorded += 1;
            let other = key.config_version.config != bound.config.digest;
            self.baseline.other_configs += u64::from(other);
            recorded = Some(recorded_outputs(bound, run).ok_or_else(|| {
                LedgerError::Damaged(format!("the outputs of {key} do not fit its component"))
            })?);
        } else {
            self.baseline.computed += 1;
            before = Some(self.against.add(&snapshot, &mut self.snapshots.past)?);
        }
        let after = self.candidate.add(&snapshot, &mut self.snapshots.past)?;
        self.chunk.push(Pending {
            snapshot,
            recorded,
            before,
            after,
        });
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    fn in_window(&self, day: Day) -> bool {
        (self.window_first..=self.window_end).contains(&day)
    }

    fn flush(&mut self) -> Result<(), BacktestError> {
        let rows = std::mem::take(&mut self.chunk);
        let after = self.candidate.compute()?;
        let mut computed = self.against.compute()?.into_iter();
        for (mut row, after) in rows.into_iter().zip(after) {
            let before = match row.recorded.take() {
                Some(outputs) => Some(outputs),
                None => match computed.next() {
                    Some(Ok(outputs)) => Some(outputs),
                    Some(Err(_)) | None => {
                        self.baseline.failed += 1;
                        None
                    }
                },
            };
            self.settle(&row, before, after);
        }
        Ok(())
    }

    fn settle(&mut self, row: &Pending, before: Option<Vec<Value>>, after: Given) {
        let run = &row.snapshot.run;
        let watched = self.in_window(run.run.key.calculation_date);
        if let Some(outputs) = &before {
            self.tally.guard_before(outputs);
            if watched {
                let bound = self.against.bound;
                // A recorded answer's guardrails were judged when it was recorded.
                let failed = match row.before {
                    None => run.run.guardrail != Guardrail::Ok,
                    Some(_) => breached(bound, outputs),
                };
                self.watch_before.add(run, failed, |name| {
                    output(bound, outputs, name).or_else(|| match &row.before {
                        Some(inputs) => input(bound, inputs, name),
                        None => recorded_input(&row.snapshot, name),
                    })
                });
            }
        }
        let after = match after {
            Ok(outputs) => outputs,
            Err(failure) => {
                self.tally.fail(&run.run.key, failure);
                return;
            }
        };
        self.tally.guard_after(&after);
        if watched {
            let bound = self.candidate.bound;
            self.watch_after.add(run, breached(bound, &after), |name| {
                output(bound, &after, name).or_else(|| input(bound, &row.after, name))
            });
        }
        if let Some(before) = before {
            let inputs = Inputs {
                snapshot: &row.snapshot,
                before: row.before.as_deref(),
                after: &row.after,
            };
            self.tally.compare(&inputs, &before, &after);
        }
    }

    fn report(
        mut self,
        request: &Request<'_>,
        window: Window,
        filter: &RunFilter,
    ) -> Result<Report, BacktestError> {
        let Some((from, to)) = self.days else {
            return Err(nothing(filter));
        };
        let expected = self.known.expected(
            &mut self.snapshots.past,
            request.against.bound,
            window,
            (request.boundary.as_deref(), request.herd.as_deref()),
        )?;
        let (verdict, monitors) =
            monitors::compare(window, &expected, self.watch_before, self.watch_after)?;
        let (affected_by, affected) = self.tally.affected();
        Ok(Report {
            candidate: side(&request.candidate),
            against: side(&request.against),
            range: Range {
                from,
                to,
                boundary_id: request.boundary.clone(),
                herd_config_id: request.herd.clone(),
            },
            rows: self.rows,
            compared: self.tally.compared,
            provenance: self.snapshots.provenance,
            beyond: self.candidate.beyond.into_iter().collect(),
            baseline: self.baseline,
            settings: settings::differences(&request.against, &request.candidate)?,
            warnings: settings::without_block(&request.against, &request.candidate)
                .into_iter()
                .collect(),
            not_compared: std::mem::take(&mut self.tally.not_compared),
            guardrails: self.tally.guardrails(),
            verdict,
            monitors,
            affected_by,
            affected,
            failed_rows: self.tally.failed_rows,
            failed: std::mem::take(&mut self.tally.failed),
            outcomes: self.tally.outcomes(),
        })
    }
}

fn side(contender: &Contender<'_>) -> SideReport {
    SideReport {
        model_version: contender.bound.model_version.clone(),
        component: contender.bound.component.digest(),
        config_version: contender.bound.config.digest,
        file: contender.file.clone(),
    }
}

fn breached(bound: &Bound, outputs: &[Value]) -> bool {
    bound.rails.iter().any(|rail| {
        let value = outputs.get(rail.output).and_then(Value::as_f64);
        value.is_some_and(|x| rail.is_breached(x))
    })
}

fn output<'v>(bound: &Bound, outputs: &'v [Value], name: &str) -> Option<&'v Value> {
    let mut declared = bound.description().outputs.iter();
    outputs.get(declared.position(|o| o.field.name == name)?)
}

fn input<'v>(bound: &Bound, inputs: &'v [Value], name: &str) -> Option<&'v Value> {
    let mut declared = bound.description().inputs.iter();
    inputs.get(declared.position(|i| i.field.name == name)?)
}

fn recorded_input<'v>(snapshot: &'v Snapshot, name: &str) -> Option<&'v Value> {
    let mut recipe = snapshot.group.recipe.inputs.iter();
    snapshot.inputs.get(recipe.position(|i| i.name == name)?)
}
