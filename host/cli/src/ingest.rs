//! `ingest`: reads files and records their observations.

mod named;
pub(super) mod retract;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;

use provender_host::deployment::DeploymentError;
use provender_host::ingest::{FileAnswer, FileOutcome, FileReport, IngestPolicy};

use super::context::Context;
use super::error::{CliError, ingest_exit};
use super::exit::Exit;
use super::progress::Bars;
use super::ui::{Done, Look, Text};
use super::{Global, interrupted};
use interrupted::Interrupted;
use named::FileArgs;
use retract::RetractArgs;

/// Ingest files: those that sources.toml names, or those given here.
///
/// Reports what was new, unchanged, revised or refused in each file, and why. A file is ingested as a
/// whole or not at all.
///
/// Example: provender ingest --forage inputs/forage.csv --boundaries pastures.geojson
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct IngestArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    files: FileArgs,
    /// Also ingest files that are held, older than what is known, or withdrawn.
    #[arg(long)]
    accept: bool,
    /// Show what would happen, but record nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Subcommand)]
enum Action {
    /// Withdraw a wrong file: its values no longer count. Nothing is deleted.
    ///
    /// Example: provender ingest retract inputs/forage.csv --reason "wrong units"
    Retract(RetractArgs),
}

pub(super) fn run(global: &Global, args: &IngestArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.writer()?;
    if let Some(Action::Retract(r)) = &args.action {
        return retract::withdraw(&context, &*ledger, r);
    }
    let policy = IngestPolicy {
        accept: args.accept,
        dry_run: args.dry_run,
        today: context.today,
    };
    let named = args.files.named()?;
    let sources = &context.project.sources.sources;
    if named.files.is_empty() && sources.is_empty() {
        return Err(CliError::usage(
            "nothing to ingest: sources.toml names no source and no file was given",
        )
        .help(
            "provender ingest --boundaries pastures.geojson --herds herds.json --forage forage.csv",
        ));
    }
    let mut bars = Bars::new(context.ui);
    let reports = match named.files.is_empty() {
        true => context.ingest_sources(&*ledger, &policy, &mut bars),
        false => context.ingest_named(&*ledger, &policy, &named, &mut bars),
    };
    let reports = match reports {
        Err(DeploymentError::Interrupted(finished)) => {
            return Ok(interrupted::done(&finished, interrupted(args)));
        }
        reports => reports?,
    };
    Ok(done(reports, args.dry_run))
}

/// The ingested files.
#[derive(Serialize, JsonSchema)]
pub(super) struct IngestAnswer<'a> {
    /// Each file, in the order of ingestion.
    files: Vec<FileAnswer<'a>>,
    /// True when nothing was recorded; `outcome` is then what would have happened to the file.
    dry_run: bool,
}

fn interrupted(args: &IngestArgs) -> Interrupted<'_> {
    Interrupted {
        dry_run: Some(args.dry_run),
        ..Interrupted::default()
    }
}

fn done(reports: Vec<FileReport>, dry_run: bool) -> Done {
    let mut text = Text::default();
    say(&mut text, &reports);
    let answer = IngestAnswer {
        files: reports.iter().map(FileReport::answer).collect(),
        dry_run,
    };
    let mut done = Done::ended(exit(&reports), &answer, text, None);
    done.error = first_error(reports);
    done
}

/// Exit code for the errors of all files.
pub(super) fn exit(reports: &[FileReport]) -> Exit {
    Exit::worst(
        reports
            .iter()
            .filter_map(|r| r.error.as_ref())
            .map(ingest_exit),
    )
}

/// All files' errors as one error.
pub(super) fn first_error(reports: Vec<FileReport>) -> Option<CliError> {
    let mut errors: Vec<CliError> = reports
        .into_iter()
        .filter_map(|r| r.error)
        .map(CliError::from)
        .collect();
    match errors.len() {
        0 => None,
        1 => errors.pop(),
        n => {
            let exit = Exit::worst(errors.iter().map(|e| e.exit));
            let all: Vec<String> = errors.iter().map(|e| e.message.clone()).collect();
            Some(CliError::new(
                exit,
                &errors[0].code,
                format!("{n} files were not taken:\n  {}", all.join("\n  ")),
            ))
        }
    }
}

/// The files as a table, followed by their warnings and skipped rows.
pub(super) fn say(text: &mut Text, reports: &[FileReport]) {
    let rows: Vec<_> = reports
        .iter()
        .map(|r| {
            let (look, word) = match r.outcome {
                FileOutcome::Taken => (Look::Good, "taken"),
                FileOutcome::Unchanged => (Look::Good, "unchanged"),
                FileOutcome::Superseded => (Look::Warn, "superseded"),
                FileOutcome::Withdrawn => (Look::Warn, "withdrawn"),
                FileOutcome::Held => (Look::Warn, "held"),
                FileOutcome::Refused => (Look::Bad, "refused"),
            };
            let plain = |s: String| (Look::Plain, s);
            vec![
                plain(r.path.clone()),
                plain(r.source.clone()),
                plain(r.format.clone()),
                plain(r.rows.to_string()),
                plain(r.new.to_string()),
                plain(r.unchanged.to_string()),
                plain(r.revised.to_string()),
                plain(r.skipped.len().to_string()),
                (look, word.to_owned()),
            ]
        })
        .collect();
    text.table(
        &[
            "file",
            "source",
            "format",
            "rows",
            "new",
            "unchanged",
            "revised",
            "skipped",
            "outcome",
        ],
        &rows,
    );
    for r in reports {
        for w in &r.warnings {
            text.look(Look::Warn, format!("warning: {}: {w}", r.path));
        }
        for s in &r.skipped {
            text.look(Look::Warn, format!("skipped: {}: {s}", r.path));
        }
    }
}
