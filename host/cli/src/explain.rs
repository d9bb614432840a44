//! `explain`: how a number came about.

use provender_domain::ids::{BoundaryId, HerdId};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::files::outfile;
use provender_domain::render::html::page;
use provender_host::explain::{ExplainAnswer, ExplainError, Units, Wanted, document, find};

use super::Global;
use super::compute::day;
use super::context::Context;
use super::error::{CliError, DISK};
use super::exit::Exit;
use super::ui::{Done, Text};

/// Explain a number: the arithmetic, every input down to file and row, the parameters and where each
/// was set, the component, the manifest, what remains unaccounted for, and what has changed since.
///
/// Example: provender explain --boundary north --as-of 2025-06-30
///
/// Example: provender explain 4f2a9c81d0aa --units us --html explanation.html
///
/// Example: provender explain 4f2a9c81d0aa --bundle run.tar --key ledger.key
#[derive(Args)]
pub(super) struct ExplainArgs {
    /// A run's id, or at least six of its hex digits.
    #[arg(value_name = "RUN", conflicts_with_all = ["boundary", "herd", "as_of", "logic"])]
    run: Option<String>,
    /// The run's boundary.
    #[arg(long, value_name = "ID", requires = "as_of")]
    boundary: Option<String>,
    /// The run's herd, if the boundary has several.
    #[arg(long, value_name = "ID")]
    herd: Option<String>,
    /// The run's calculation date.
    #[arg(long, value_name = "DATE", requires = "boundary")]
    as_of: Option<String>,
    /// The run's logic, as name or name:version.
    #[arg(long, value_name = "NAME[:VERSION]")]
    logic: Option<String>,
    /// The configuration version, as `list` shows it. Together with boundary, date, herd and logic it
    /// is the run's whole key.
    #[arg(long, value_name = "CONFIG", requires = "boundary")]
    config: Option<String>,
    /// Units to show.
    #[arg(long, value_enum, default_value = "metric")]
    units: UnitsArg,
    /// Write the explanation as one HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write one file with everything an auditor needs: the manifest, the component and a proof that
    /// the run is recorded. `replay --bundle` replays it.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Private key to sign the bundle's checkpoint with.
    #[arg(long, value_name = "FILE", requires = "bundle")]
    key: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum UnitsArg {
    Metric,
    Us,
}

pub(super) fn run(global: &Global, args: &ExplainArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let wanted = match (&args.run, &args.boundary, &args.as_of) {
        (Some(id), _, _) => Wanted::Id(id.clone()),
        (None, Some(boundary), Some(date)) => Wanted::Answer {
            boundary_id: BoundaryId::unchecked(boundary),
            date: day(date, context.today)?,
            herd_config_id: args.herd.clone().map(HerdId::unchecked),
            logic: args.logic.clone(),
            config_version: args.config.clone(),
        },
        _ => {
            return Err(
                CliError::usage("which run? give its id, or --boundary ID --as-of DATE")
                    .help("provender list shows the answers with their ids"),
            );
        }
    };
    let explanation = context.explain(&wanted)?;
    let units = match args.units {
        UnitsArg::Metric => Units::Metric,
        UnitsArg::Us => Units::Us,
    };
    let document = document(&explanation, units)
        .map_err(|e| CliError::new(Exit::Internal, "not_canonical", e.to_string()))?;
    let mut text = Text::default();
    text.document(&document);
    if let Some(file) = &args.html {
        let page = page(&document);
        outfile::write(file, page.as_bytes()).map_err(|e| {
            CliError::new(
                Exit::Io,
                "page_unwritable",
                format!("{} cannot be written: {e}", file.display()),
            )
            .help(DISK)
        })?;
        text.blank();
        text.line(format!("page: {}", file.display()));
    }
    if let Some(file) = &args.bundle {
        let run = find(&*context.reader()?, &wanted)?.run.run;
        super::audit::write_bundle(&context, &run, file, args.key.as_deref())?;
        text.blank();
        text.line(format!("bundle: {}", file.display()));
    }
    // `--units` changes only the text; JSON always has the recorded units.
    let answer = ExplainVerbAnswer {
        explanation: explanation.answer(Units::Metric),
        bundle: args.bundle.as_ref().map(|file| file.display().to_string()),
    };
    Ok(Done::ok(&answer, text))
}

/// Why a number is what it is.
#[derive(Serialize, JsonSchema)]
pub(super) struct ExplainVerbAnswer<'a> {
    #[serde(flatten)]
    explanation: ExplainAnswer<'a>,
    /// The file that `--bundle` wrote; absent without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
}

/// Maps errors of explanations to exit codes.
pub(super) fn error(e: ExplainError) -> CliError {
    let (code, message) = (e.code(), e.to_string());
    match e {
        ExplainError::NotFound(_) => CliError::new(Exit::NotFound, code, message),
        ExplainError::Malformed(_) | ExplainError::Ambiguous { .. } => {
            CliError::new(Exit::Usage, code, message)
        }
        ExplainError::Damaged { .. } => CliError::new(Exit::Integrity, code, message),
        ExplainError::Manifest(e) => e.into(),
        ExplainError::Ledger(e) => e.into(),
    }
}
