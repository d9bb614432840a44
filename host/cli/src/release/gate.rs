//! `release gate`: runs every check of the environment's policy and decides.

use provender_ledger::EntryNumber;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Global;
use crate::backtest::{Bar, write};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::render::html::page;
use provender_domain::render::junit;
use provender_domain::render::markdown::markdown;
use provender_host::golden::{case_folders, cases_of};
use provender_host::project::GatePolicy;
use provender_host::release::{
    GateAbout, GateContext, GateReport, RecordedDecision, ReleaseError, ReleaseState, effect_of,
    gate_document, gate_suite, judge_gate, reasons_behind, record_gate,
};
use provender_ledger::entries::GateOutcome;

/// Decide whether a release may become active, by every check of the environment's policy.
///
/// Exits 0 if the release passes, 1 if it passes with an alert about warn, 2 with an alert about crit, and
/// 12 if it does not pass. Data that is missing, empty, too little or too old counts as unknown, which never
/// passes. The decision and its report are recorded, and are exported with the release as evidence.
///
/// Example: provender release gate R2 --explain
///
/// Example: provender release gate R2 --env prod --dry-run --format markdown
#[derive(Args)]
pub(crate) struct GateArgs {
    /// The release: R3, 3, or the beginning of its digest.
    release: String,
    /// Apply the policy of this environment. If it is not this deployment's environment, nothing is
    /// recorded.
    #[arg(long = "env", value_name = "ENVIRONMENT")]
    environment: Option<String>,
    /// Report without deciding. Nothing is recorded.
    #[arg(long)]
    dry_run: bool,
    /// Show what would have to change for the release to pass.
    #[arg(long)]
    explain: bool,
    /// Format of the report.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write the report to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The folder of golden cases, with one folder per logic. Default: `logic-plugins/cases` or `cases` in
    /// the deployment's folder, or `cases` beside it.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// The report alone, in its canonical form.
    Json,
    /// For a pull request.
    Markdown,
    /// For CI.
    Junit,
    /// One HTML page.
    Html,
}

/// Digest of the policy and settings that a decision depends on.
pub(super) fn digest(
    context: &Context,
    environment: &str,
    policy: &GatePolicy,
) -> Result<Digest, CliError> {
    let settings = &context.project.settings;
    let others = json!({
        "canary": settings.canary,
        "window_days": settings.monitor.window_days,
    });
    Ok(policy
        .digest(environment, &others)
        .map_err(ReleaseError::from)?)
}

/// The gate's decision about a release.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseGateAnswer<'a> {
    #[serde(flatten)]
    decision: &'a GateReport,
    /// The entry of the decision; null if nothing is recorded.
    entry: Option<EntryNumber>,
    /// Digest of the stored report; null if nothing is recorded.
    report: Option<Digest>,
    /// True if nothing is recorded.
    dry_run: bool,
}

pub(super) fn run(global: &Global, args: &GateArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let own = context.project.settings.environment.clone();
    let environment = args.environment.as_deref().unwrap_or(&own);
    let policy = context.project.settings.policy(environment);
    let report = judged(&context, args, environment, &policy)?;
    let ask_only = args.dry_run || environment != own || global.ledger.is_some();
    let recorded = match ask_only {
        true => None,
        false => Some(record_decision(&context, &report)?),
    };
    done(args, &report, recorded, (environment, own.as_str()))
}

fn judged(
    context: &Context,
    args: &GateArgs,
    environment: &str,
    policy: &GatePolicy,
) -> Result<GateReport, CliError> {
    let standing = context.standing()?;
    let release = standing.find(&args.release)?;
    let ledger = context.reader()?;
    let facts = context.facts(&*ledger, None)?;
    let folders = match &args.cases {
        Some(folder) => vec![folder.clone()],
        None => case_folders(&context.project.root),
    };
    let mut bar = Bar(context.ui.progress(0, "checking"));
    let gate = GateContext {
        ledger: &*ledger,
        manifests: &context.manifests()?,
        sandbox: &context.sandbox()?,
        store: &context.store()?,
        search_path: &context.search_path()?,
        standing,
        release,
        environment,
        policy,
        canary: &context.project.settings.canary,
        facts: &facts,
        catalogue: &context.project.sources.catalogue(),
        precedence: context.project.sources.precedence(),
        window_days: context.project.settings.monitor.window_days,
        cases: &|name| cases_of(&folders, name),
        now: &context.now,
        today: context.today,
    };
    let checks = judge_gate(&gate, &mut bar);
    bar.0.finish_and_clear();
    let about = GateAbout {
        release,
        against: standing.active_release(),
        environment,
        policy,
        policy_digest: digest(context, environment, policy)?,
        at: &context.now,
        by: &context.actor,
    };
    Ok(GateReport::decide(&about, checks?))
}

fn record_decision(context: &Context, report: &GateReport) -> Result<RecordedDecision, CliError> {
    let ledger = context.writer()?;
    let standing = ReleaseState::read(&*ledger, EntryNumber::LATEST)?;
    let release = standing.find(&report.name())?;
    Ok(record_gate(
        &*ledger,
        release,
        report,
        &context.stamp(None),
    )?)
}

fn done(
    args: &GateArgs,
    report: &GateReport,
    recorded: Option<RecordedDecision>,
    (environment, own): (&str, &str),
) -> Result<Done, CliError> {
    let internal =
        |e: provender_domain::canonical::CanonicalError| CliError::from(ReleaseError::from(e));
    let form = match args.format {
        Format::Text => None,
        Format::Json => Some(report.body().map_err(internal)?.1),
        Format::Markdown => Some(markdown(&gate_document(report).map_err(internal)?)),
        Format::Junit => Some(junit::document(&[gate_suite(report)])),
        Format::Html => Some(page(&gate_document(report).map_err(internal)?)),
    };
    let mut text = Text::default();
    match (&form, &args.out) {
        (Some(form), None) => text.line(form.trim_end()),
        (None, None) => report_text(&mut text, report, args.explain),
        (form, Some(file)) => {
            let plain = || {
                let mut text = Text::default();
                report_text(&mut text, report, args.explain);
                text.plain()
            };
            write(file, &form.clone().unwrap_or_else(plain))?;
            text.look(look(report), format!("{}: {}", report.title(), report.why));
            text.line(format!("report: {}", file.display()));
        }
    }
    if form.is_none() || args.out.is_some() {
        match &recorded {
            Some(r) => text.line(format!("decided: entry {}, report {}", r.entry, r.report)),
            None if environment != own => text.line(format!(
                "nothing is recorded: this deployment is {own}; run the gate of {environment} in its own deployment"
            )),
            None => text.line("nothing is recorded"),
        }
        next(&mut text, args, report, environment == own);
    }
    let answer = ReleaseGateAnswer {
        decision: report,
        entry: recorded.map(|r| r.entry),
        report: recorded.map(|r| r.report),
        dry_run: recorded.is_none(),
    };
    let exit = match report.outcome {
        GateOutcome::Clean => Exit::Ok,
        GateOutcome::Warn => Exit::Warn,
        GateOutcome::Crit => Exit::Crit,
        GateOutcome::Blocked => Exit::Gate,
    };
    let error = (!report.passes).then(|| refused(report, args.explain && form.is_none()));
    Ok(Done::ended(exit, &answer, text, error))
}

/// The short error; the report has what was observed.
fn refused(report: &GateReport, explained: bool) -> CliError {
    let name = report.name();
    let error = CliError::from(ReleaseError::Gate {
        release: name.clone(),
        environment: report.environment.clone(),
        why: report.short(),
    });
    match explained {
        false => error,
        true => error.help(format!(
            "the steps are listed above; `release promote {name} --override REASON` promotes anyway and records the reason"
        )),
    }
}

fn look(report: &GateReport) -> Look {
    match report.outcome {
        GateOutcome::Clean => Look::Good,
        GateOutcome::Warn | GateOutcome::Crit => Look::Warn,
        GateOutcome::Blocked => Look::Bad,
    }
}

fn report_text(text: &mut Text, report: &GateReport, explain: bool) {
    text.look(Look::Strong, report.title());
    text.look(look(report), format!("  {}", report.short()));
    let beside = report.against_number.map_or_else(
        || "no release is active".to_owned(),
        |n| format!("compared with R{n}, which is active"),
    );
    text.line(format!("  {beside}; policy {}", report.policy_digest));
    text.blank();
    let plain = |s: &str| (Look::Plain, s.to_owned());
    let rows: Vec<_> = report
        .checks
        .iter()
        .map(|r| {
            let c = &r.check;
            vec![
                (Look::Strong, c.name.name().to_owned()),
                (c.verdict.tone().into(), c.verdict.name().to_owned()),
                plain(effect_of(r)),
                plain(&c.rows.to_string()),
                plain(&c.observed),
            ]
        })
        .collect();
    text.table(&["check", "verdict", "", "rows", "observed"], &rows);
    for result in report.checks.iter().filter(|r| r.action.is_some()) {
        let c = &result.check;
        text.blank();
        text.look(
            Look::from(c.verdict.tone()),
            format!("{} {}", c.name.name(), effect_of(result)),
        );
        text.line(format!("  required: {}", c.threshold));
        for line in reasons_behind(result) {
            text.line(format!("  {line}"));
        }
        for link in &c.evidence {
            text.look(Look::Dim, format!("  evidence: {link}"));
        }
        if explain {
            for line in &c.remedy {
                text.line(format!("  to do: {line}"));
            }
        }
    }
    text.blank();
}

fn next(text: &mut Text, args: &GateArgs, report: &GateReport, here: bool) {
    let name = report.name();
    if report.passes && here {
        let expect = report
            .against_number
            .map_or_else(|| "none".to_owned(), |n| format!("R{n}"));
        text.line(format!(
            "next: provender release promote {name} --expect {expect} --reason TEXT"
        ));
    } else if !report.passes && !args.explain {
        text.line(format!(
            "next: provender release gate {name} --env {} --explain --dry-run   # what would have to change",
            report.environment
        ));
    }
}
