//! `run`: the daily job that cron or Airflow calls.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::day::Day;
use provender_domain::render::text::count;
use provender_host::compute::{RunAnswer, Summary};
use provender_host::deployment::{Contents, DayRun, DeploymentError, create};
use provender_host::embedded::SAMPLE_DATE;
use provender_host::ingest::{FileAnswer, FileReport};
use provender_host::project;
use provender_host::release::IgnoredSetting;

use super::canary::CanaryAnswer;
use super::compute::{day, runs, say};
use super::context::Context;
use super::error::{CliError, trouble_exit};
use super::exit::Exit;
use super::interrupted::Interrupted;
use super::monitor::ReportAnswer;
use super::progress::Bars;
use super::status::StatusAnswer;
use super::trouble::trouble;
use super::ui::{Done, Look, Text};
use super::{Global, canary, ingest, interrupted, monitor, status, telemetry};

/// Run the daily job: ingest what changed, compute every due run with the active logic, monitor, write
/// the report, and exit with the verdict.
///
/// Example: provender run --as-of today
///
/// Example: provender run --sample
#[derive(Args)]
pub(super) struct RunArgs {
    /// The day to run for. `today` means today in UTC.
    #[arg(long, value_name = "DATE", required_unless_present = "sample")]
    as_of: Option<String>,
    /// Run on the sample ranch in --project (or ./sample-ranch), which is created if needed.
    #[arg(long)]
    sample: bool,
    #[command(flatten)]
    fail: monitor::FailArgs,
}

/// The result of a day.
#[derive(Serialize, JsonSchema)]
pub(super) struct DayAnswer<'a> {
    /// Settings in the deployment's files that the active release overrides.
    ignored: Vec<IgnoredSetting>,
    /// The day.
    as_of: Day,
    /// Each input file.
    files: Vec<FileAnswer<'a>>,
    /// Every due run.
    runs: Vec<RunAnswer<'a>>,
    /// Number of runs by outcome.
    summary: Summary,
    /// The shadow runs; null if no canary is running.
    canary: Option<CanaryAnswer<'a>>,
    /// The monitors' verdict on the window that ends on the day.
    monitor: ReportAnswer<'a>,
    /// Whether the day is complete.
    status: StatusAnswer<'a>,
    /// Where the ledger is.
    ledger: &'a str,
    /// The folder of the manifest store.
    manifests: String,
    /// Path of the report's page.
    report: String,
}

pub(super) fn run(global: &Global, args: &RunArgs) -> Result<Done, CliError> {
    let mut global = global.clone();
    let mut text = Text::default();
    if args.sample {
        global.project = Some(sample(global.project.take(), &mut text)?);
    }
    let context = Context::open(&global)?;
    let as_of = day(args.as_of.as_deref().unwrap_or(SAMPLE_DATE), context.today)?;
    telemetry::as_of(as_of);
    let mut day = match context.run_day(as_of, &mut Bars::new(context.ui)) {
        Err(DeploymentError::Interrupted(finished)) => {
            let own = Interrupted {
                as_of: Some(as_of),
                ..Interrupted::default()
            };
            return Ok(interrupted::done(&finished, own));
        }
        day => day?,
    };
    let canary = day.canary.take().map(canary::Daily::from);

    say_day(&mut text, as_of, &day, canary.as_ref());
    let root = context.project.root.display();
    let ledger = context.project.ledger().location();
    let manifests = format!("{root}/{}", context.project.settings.manifests.path);
    let page = format!("{root}/{}", day.published.html);
    text.line(format!("ledger:    {ledger}"));
    text.line(format!("manifests: {manifests}"));
    text.line(format!("report:    {page}"));
    monitor::breach(&mut text, &day.report);
    if args.sample {
        text.blank();
        text.line(format!(
            "next: provender explain --project {root} --boundary north --as-of {as_of}"
        ));
    }

    let verdict = args
        .fail
        .exit(day.report.status, context.project.settings.monitor.fail_on);
    let troubles = day.computed.troubles().map(trouble_exit);
    let exit =
        Exit::worst(troubles.chain([ingest::exit(&day.files), verdict, status::exit(&day.status)]));
    let answer = DayAnswer {
        ignored: context.tell_ignored()?,
        as_of,
        files: day.files.iter().map(FileReport::answer).collect(),
        runs: runs(&day.computed),
        summary: day.computed.summary,
        canary: canary.as_ref().map(canary::Daily::answer),
        monitor: ReportAnswer::of(&day.report, Some(&day.published)),
        status: StatusAnswer::of(&day.status),
        ledger: &ledger,
        manifests,
        report: page,
    };
    let mut done = Done::ended(exit, &answer, text, None);
    let errors = [trouble(&day.computed), ingest::first_error(day.files)];
    done.error = CliError::together(errors.into_iter().flatten());
    Ok(done)
}

/// The sample ranch's folder, which is created if it does not exist.
fn sample(folder: Option<PathBuf>, text: &mut Text) -> Result<PathBuf, CliError> {
    let dir = folder.unwrap_or_else(|| PathBuf::from("sample-ranch"));
    if !dir.join(project::SETTINGS_FILE).exists() {
        let contents = Contents {
            sample: true,
            ..Contents::default()
        };
        create(&dir, &contents)?;
        text.look(
            Look::Dim,
            format!(
                "made the sample ranch in {} (every figure in it is invented)",
                dir.display()
            ),
        );
    }
    Ok(dir)
}

fn say_day(text: &mut Text, as_of: Day, day: &DayRun, canary: Option<&canary::Daily>) {
    text.look(Look::Strong, "Ingested");
    ingest::say(text, &day.files);
    text.blank();
    text.look(Look::Strong, format!("Computed for {as_of}"));
    say(text, &day.computed);
    text.blank();
    monitor::say(text, &day.report);
    let refused = day.computed.refused();
    if refused > 0 {
        text.look(
            Look::Warn,
            format!(
                "the monitors judge only what is recorded: {} of this day refused above {} not included",
                count(refused, "run"),
                if refused == 1 { "is" } else { "are" }
            ),
        );
    }
    text.blank();
    status::say(&day.status, text);
    text.blank();
    if let Some(canary) = canary {
        canary.say(text, as_of);
        text.blank();
    }
}
