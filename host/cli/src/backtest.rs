//! `backtest`: a candidate against the active version, on the inputs of every recorded answer.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::day::Day;
use provender_domain::files::outfile;
use provender_domain::render::html::page;
use provender_domain::render::markdown::markdown;
use provender_domain::render::text::count;
use provender_host::backtest::{
    Archive, BacktestError, BacktestReport, Contender, Progress, Request, backtest, document,
};
use provender_host::compute::{self, Bound};
use provender_host::project::LogicOverrides;
use provender_sandbox::{Lock, PinLimits, Sandbox, stated_language};

use super::Global;
use super::compute::{day, parameters};
use super::context::Context;
use super::error::{CliError, DISK};
use super::exit::Exit;
use super::plugin::found::{folder, read_component};
use super::ui::{Done, Text};

/// Compare a candidate with the active version on the inputs of every recorded answer.
///
/// Shows how many outcomes change and by how much, which become null, guardrail breaches and monitor
/// verdicts before and after, and the most affected boundaries. Records nothing. Exits 17 when the
/// candidate fails on any row, and 66 when no answers are recorded or no outcome can be compared.
///
/// Example: provender backtest days_remaining:v2 --against days_remaining:v1
///
/// Example: provender backtest candidate.wasm --from 2025-06-01 --to 2025-06-30 --markdown report.md
#[derive(Args)]
pub(super) struct BacktestArgs {
    /// The candidate: a pinned name:version, or a component file ending in .wasm.
    #[arg(value_name = "CANDIDATE")]
    candidate: String,
    /// The pinned version to compare with. Default: the active version of the candidate's name.
    #[arg(long, value_name = "NAME:VERSION")]
    against: Option<String>,
    /// A parameter for the candidate. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Only answers from this day on.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Only answers up to this day.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Only this boundary.
    #[arg(long, value_name = "ID")]
    boundary: Option<String>,
    /// Only this herd.
    #[arg(long, value_name = "ID")]
    herd: Option<String>,
    /// Length of the monitors' window in days. It ends at --to or at the last answer. Default:
    /// provender.toml.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3660))]
    window_days: Option<u32>,
    /// Write the report as Markdown to FILE. Without FILE, print it in place of the text report.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "absent, without a value, with one")]
    markdown: Option<Option<PathBuf>>,
    /// Write the report as one HTML page, with charts of the distributions.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// The progress bar on stderr. Each further back-test adds its runs to the total.
pub(super) struct Bar(pub(super) ProgressBar);

impl Progress for Bar {
    fn total(&mut self, runs: u64) {
        self.0.inc_length(runs);
    }

    fn advance(&mut self, runs: u64) {
        self.0.inc(runs);
    }
}

pub(super) fn run(global: &Global, args: &BacktestArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let (from, to) = days(args, context.today)?;
    let sandbox = context.sandbox()?;
    let lock = context.pins()?;
    let one_off = parameters(&args.param)?;
    let (candidate, file) = candidate(&context, &sandbox, &lock, &args.candidate, &one_off)?;
    let against = against(&context, &sandbox, &lock, args, &candidate)?;
    let settings = |b: &Bound| {
        let d = b.description();
        context.overrides(&d.name, &d.version)
    };
    let (candidate_settings, against_settings) = (settings(&candidate)?, settings(&against)?);
    let has_block = |b: &Bound, settings: &LogicOverrides| {
        let d = b.description();
        // When a release is active, the file may be unusable; the release's settings count as a block.
        let file = context.project.logic();
        *settings != LogicOverrides::default() || file.is_ok_and(|f| f.has(&d.name, &d.version))
    };
    let request = Request {
        candidate: Contender {
            bound: &candidate,
            settings: &candidate_settings,
            has_block: has_block(&candidate, &candidate_settings),
            file,
        },
        against: Contender {
            bound: &against,
            settings: &against_settings,
            has_block: has_block(&against, &against_settings),
            file: None,
        },
        boundary: args.boundary.clone().map(BoundaryId::unchecked),
        herd: args.herd.clone().map(HerdId::unchecked),
        from,
        to,
        window_days: args
            .window_days
            .unwrap_or(context.project.settings.monitor.window_days),
    };
    if global.ledger.is_none() && !context.project.ledger().admin().exists()? {
        // Opening the ledger would create it, but a back-test writes nothing.
        return Err(BacktestError::Nothing {
            logic: against.description().name.clone(),
            place: "in this deployment, which has no ledger yet".to_owned(),
        }
        .into());
    }
    let ledger = context.reader()?;
    let archive = Archive {
        ledger: &*ledger,
        manifests: &context.manifests()?,
        catalogue: &context.project.sources.catalogue(),
        precedence: context.project.sources.precedence(),
        interrupt: global.interrupt.clone(),
    };
    let mut bar = Bar(context.ui.progress(0, "back-testing"));
    let report = backtest(&archive, &request, &mut bar);
    bar.0.finish_and_clear();
    done(args, &report?)
}

fn days(args: &BacktestArgs, today: Day) -> Result<(Option<Day>, Option<Day>), CliError> {
    let parse = |d: &Option<String>| d.as_deref().map(|d| day(d, today)).transpose();
    let (from, to) = (parse(&args.from)?, parse(&args.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(CliError::usage(format!(
            "the range ends before it starts: {from} to {to}"
        )));
    }
    Ok((from, to))
}

/// The candidate, and its file if the command line names one.
fn candidate(
    context: &Context,
    sandbox: &Sandbox,
    lock: &Lock,
    named: &str,
    one_off: &BTreeMap<String, String>,
) -> Result<(Bound, Option<String>), CliError> {
    let path = Path::new(named);
    if path.is_dir() {
        return Err(folder(path));
    }
    if path.extension().is_none_or(|e| e != "wasm") {
        let model = ModelVersion::unchecked(named);
        return Ok((context.bind(sandbox, lock, &model, one_off)?, None));
    }
    let bytes = read_component(path, sandbox.limits().component_bytes)?;
    // As in `plugin check`: a language with its own runtime needs higher limits than the default.
    let limits = PinLimits::for_language(&stated_language(&bytes));
    let component = sandbox.load_with_limits(named, &bytes, &limits)?;
    let d = component.description();
    let overrides = context.project.logic()?.of(&d.name, &d.version);
    let catalogue = context.project.sources.catalogue();
    let bound = compute::bind(component, &catalogue, &overrides, one_off)?;
    Ok((bound, Some(named.to_owned())))
}

fn against(
    context: &Context,
    sandbox: &Sandbox,
    lock: &Lock,
    args: &BacktestArgs,
    candidate: &Bound,
) -> Result<Bound, CliError> {
    let name = &candidate.description().name;
    let active = context.active()?;
    let of_name = |m: &&ModelVersion| m.name() == name;
    let against = match &args.against {
        Some(against) => ModelVersion::unchecked(against),
        None => active.iter().find(of_name).cloned().ok_or_else(|| {
            CliError::usage(format!(
                "no version of {name} is active; the active versions are: {}",
                if active.is_empty() {
                    "none".to_owned()
                } else {
                    active.join(", ")
                }
            ))
            .help("name what to compare with: --against NAME:VERSION")
        })?,
    };
    Ok(context.bind(sandbox, lock, &against, &BTreeMap::new())?)
}

fn done(args: &BacktestArgs, report: &BacktestReport) -> Result<Done, CliError> {
    let internal = |e: String| CliError::new(Exit::Internal, "not_canonical", e);
    let mut text = Text::default();
    let mut printed = None;
    let document = document(report).map_err(|e| internal(e.to_string()))?;
    match &args.markdown {
        Some(None) => {
            let markdown = markdown(&document);
            text.line(markdown.trim_end());
            printed = Some(markdown);
        }
        other => {
            text.document(&document);
            if other.is_some() || args.html.is_some() {
                text.blank();
            }
        }
    }
    if let Some(Some(file)) = &args.markdown {
        write(file, &markdown(&document))?;
        text.line(format!("Markdown: {}", file.display()));
    }
    if let Some(file) = &args.html {
        write(file, &page(&document))?;
        if !matches!(args.markdown, Some(None)) {
            text.line(format!("page: {}", file.display()));
        }
    }
    let error = (report.failed_rows > 0)
        .then(|| failure(report))
        .or_else(|| nothing_compared(report));
    let exit = error.as_ref().map_or(Exit::Ok, |e| e.exit);
    let answer = BacktestAnswer {
        report,
        markdown: printed,
    };
    Ok(Done::ended(exit, &answer, text, error))
}

/// The report of a back-test.
#[derive(Serialize, JsonSchema)]
pub(super) struct BacktestAnswer<'a> {
    #[serde(flatten)]
    report: &'a BacktestReport,
    /// The report as Markdown; absent unless `--markdown` is given without a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

fn failure(report: &BacktestReport) -> CliError {
    let mut lines = vec![format!(
        "{} failed on {} of {}",
        report.candidate.model_version,
        report.failed_rows,
        count(report.rows, "row")
    )];
    lines.extend(report.failed.iter().map(|f| {
        format!(
            "{} / {} / {}: {} ({})",
            f.boundary_id, f.herd_config_id, f.calculation_date, f.message, f.code
        )
    }));
    let shown = report.failed.len() as u64;
    if report.failed_rows > shown {
        lines.push(format!("and {} more", report.failed_rows - shown));
    }
    CliError::new(Exit::Check, "candidate_failed", lines.join("\n  "))
        .help("correct the candidate: a row without a result would be a missing answer. Nothing was recorded")
}

/// The error for a back-test that compared nothing, which must not count as a pass.
fn nothing_compared(report: &BacktestReport) -> Option<CliError> {
    let (new, old) = (
        &report.candidate.model_version,
        &report.against.model_version,
    );
    let (cause, help) = if report.outcomes.is_empty() {
        let why: Vec<String> = report
            .not_compared
            .iter()
            .map(|n| format!("{}: {}", n.name, n.why))
            .collect();
        (
            format!(
                "{new} and {old} have no outcome in common\n  {}",
                why.join("\n  ")
            ),
            "compare with a version of the same logic: --against NAME:VERSION. Outcomes are compared if their name, type and unit are equal",
        )
    } else if report.compared == 0 {
        (
            format!("{old} failed on every one of {}", count(report.rows, "row")),
            "compare with a version that still computes here: --against NAME:VERSION. `provender replay` shows whether it does",
        )
    } else {
        return None;
    };
    let message = format!("nothing was compared, so this is not a pass: {cause}");
    Some(CliError::new(Exit::NotFound, "nothing_compared", message).help(help))
}

pub(super) fn write(file: &Path, content: &str) -> Result<(), CliError> {
    outfile::write(file, content.as_bytes()).map_err(|e| {
        CliError::new(
            Exit::Io,
            "report_unwritable",
            format!("{} cannot be written: {e}", file.display()),
        )
        .help(DISK)
    })
}
