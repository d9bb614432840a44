//! `monitor`: judges a rolling window and writes its report.

use crate::asking::models;
use clap::{Args, Subcommand, ValueEnum};
use provender_domain::ids::BoundaryId;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::render::escape;
use provender_host::deployment::Published;
use provender_host::monitor::{MonitorReport, MonitorVerdict, Window, brief};
use provender_host::project::FailOn;
use provender_host::release::IgnoredSetting;

use super::Global;
use super::compute::day;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Text};

pub(super) mod ack;
pub(super) mod baseline;
pub(super) mod report;
pub(super) mod triage;

/// Judge a rolling window of answers by each logic's own rules.
///
/// Exits 0 for ok, 1 for warn and 2 for crit, depending on --fail-on. Writes the report as JSON, as
/// Markdown and as one HTML page, and records it in the ledger under its digest.
///
/// Example: provender monitor --all --end 2025-06-30 --window-days 30
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct MonitorArgs {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Only this boundary.
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    boundary: Option<String>,
    /// All boundaries (the default).
    #[arg(long)]
    all: bool,
    /// Last day of the window.
    #[arg(long, value_name = "DATE", required = true)]
    end: Option<String>,
    /// Length of the window in days. Default: provender.toml.
    #[arg(long, value_name = "N")]
    window_days: Option<u32>,
    /// Logic to judge, as name:version. Default: every active one. May be repeated.
    #[arg(long, value_name = "NAME:VERSION")]
    logic: Vec<String>,
    #[command(flatten)]
    pub(super) fail: FailArgs,
}

#[derive(Subcommand)]
enum Verb {
    Baseline(baseline::BaselineArgs),
    Ack(ack::AckArgs),
    Acks(ack::AcksArgs),
    Report(report::ReportArgs),
    Triage(triage::TriageArgs),
}

/// Which verdicts fail the process.
#[derive(Args, Clone)]
pub(super) struct FailArgs {
    /// Mildest verdict that fails the process. Default: provender.toml.
    #[arg(long, value_enum, value_name = "VERDICT")]
    fail_on: Option<FailOnArg>,
    /// Whether warn fails the process. `=false` means the same as --fail-on crit.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "fail_on")]
    fail_on_warn: Option<bool>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOnArg {
    Warn,
    Crit,
    Never,
}

impl FailArgs {
    /// Exit code for a verdict; `set` applies if no flag was given.
    pub(super) fn exit(&self, verdict: MonitorVerdict, set: FailOn) -> Exit {
        let fail_on = match (self.fail_on, self.fail_on_warn) {
            (Some(FailOnArg::Warn), _) | (None, Some(true)) => FailOn::Warn,
            (Some(FailOnArg::Crit), _) | (None, Some(false)) => FailOn::Crit,
            (Some(FailOnArg::Never), _) => FailOn::Never,
            (None, None) => set,
        };
        match (verdict, fail_on) {
            (MonitorVerdict::Warn, FailOn::Warn) => Exit::Warn,
            (MonitorVerdict::Crit, FailOn::Warn | FailOn::Crit) => Exit::Crit,
            _ => Exit::Ok,
        }
    }
}

pub(super) fn run(global: &Global, args: &MonitorArgs) -> Result<Done, CliError> {
    match &args.verb {
        None => verdict(global, args),
        Some(Verb::Baseline(a)) => baseline::run(global, a),
        Some(Verb::Ack(a)) => ack::run(global, a),
        Some(Verb::Acks(a)) => ack::list(global, a),
        Some(Verb::Report(a)) => report::run(global, a),
        Some(Verb::Triage(a)) => triage::run(global, a),
    }
}

fn verdict(global: &Global, args: &MonitorArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let runtime = context.runtime()?;
    let reader = context.reader()?;
    let boundary = args.boundary.clone().map(BoundaryId::unchecked);
    let facts = context.facts_of(&*reader, None, boundary.as_ref(), None)?;
    let end = args
        .end
        .as_deref()
        .ok_or_else(|| CliError::usage("which window? give --end DATE"))?;
    let end = day(end, context.today)?;
    let days = args
        .window_days
        .unwrap_or(context.project.settings.monitor.window_days);
    let logics = context.logics(&models(&args.logic))?;
    let report = context.assess(
        &runtime,
        &*reader,
        &facts,
        &logics,
        Window { end, days },
        boundary.as_ref(),
    )?;
    let files = if global.ledger.is_some() {
        None
    } else {
        Some(context.publish(&*context.writer()?, &report, None)?)
    };
    let answer = MonitorAnswer {
        report: ReportAnswer::of(&report, files.as_ref()),
        ignored: context.tell_ignored()?,
    };
    let mut text = Text::default();
    say(&mut text, &report);
    if let Some(files) = &files {
        text.blank();
        text.line(format!("report: {}", files.html));
        breach(&mut text, &report);
    }
    let exit = args
        .fail
        .exit(report.status, context.project.settings.monitor.fail_on);
    Ok(Done::ended(exit, &answer, text, None))
}

/// A verdict, and the settings here that have no effect.
#[derive(Serialize, JsonSchema)]
pub(super) struct MonitorAnswer<'a> {
    #[serde(flatten)]
    report: ReportAnswer<'a>,
    /// Settings in the deployment's files that the active release overrides.
    ignored: Vec<IgnoredSetting>,
}

/// A monitor report and its files.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReportAnswer<'a> {
    #[serde(flatten)]
    report: &'a MonitorReport,
    /// Its files; absent with `--ledger`, which writes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<ReportFiles<'a>>,
    /// Whether the ledger had this report already; absent with `--ledger`.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_before: Option<bool>,
}

/// The files of a report, from the deployment's folder.
#[derive(Serialize, JsonSchema)]
struct ReportFiles<'a> {
    /// The report itself.
    json: &'a str,
    /// For a mail or a merge request.
    markdown: &'a str,
    /// The page.
    html: &'a str,
}

impl<'a> ReportAnswer<'a> {
    pub(super) fn of(report: &'a MonitorReport, files: Option<&'a Published>) -> ReportAnswer<'a> {
        ReportAnswer {
            report,
            files: files.map(|f| ReportFiles {
                json: &f.json,
                markdown: &f.markdown,
                html: &f.html,
            }),
            recorded_before: files.map(|f| f.known),
        }
    }
}

pub(super) fn say(text: &mut Text, report: &MonitorReport) {
    text.document(&brief(report, 20));
}

/// After a breach, the runbook's next commands for this report.
pub(super) fn breach(text: &mut Text, report: &MonitorReport) {
    if report.status == MonitorVerdict::Ok {
        return;
    }
    next_steps(text, &report.report);
    let known = |g: &&provender_host::monitor::Group| g.status == report.status.status();
    if let Some(group) = report.series.iter().find(known)
        && let (Some(boundary), Some(herd)) = (&group.boundary_id, &group.herd_config_id)
    {
        text.line(escape::terminal(&format!(
            "      provender monitor ack '{boundary}/{herd}/{}' --until DATE --reason TEXT   # a known case",
            group.model_version
        )));
    }
}

/// The runbook's next commands for a report.
fn next_steps(text: &mut Text, report: &provender_domain::canonical::Digest) {
    let short = report.short();
    text.blank();
    text.line("next: provender release freeze --reason TEXT   # hold promotions meanwhile");
    text.line(format!(
        "      provender monitor report {short}   # versions, configuration, manifests behind each failing row"
    ));
    text.line(format!(
        "      provender monitor triage {short}   # data or logic?"
    ));
    text.line(format!(
        "      provender incident open --title TEXT --report {short}"
    ));
}
