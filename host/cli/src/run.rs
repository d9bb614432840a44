//! `run`: the main job, the one that cron or Airflow calls.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use provender_domain::render::text::count;
use provender_host::compute::select::Selection;
use provender_host::ingest::report::FileReport;
use provender_host::ingest::take::Policy;
use provender_host::project::settings;

use super::compute::{Workshop, compute, day, policy, runs_json, say};
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::trouble::trouble;
use super::ui::{Done, Look, Text};
use super::{Global, canary, ingest, init, monitor, status};
use provender_host::embedded::SAMPLE_DATE;

/// The main job: ingest what changed, compute every due run with the active logic, monitor, write
/// the report, exit with the verdict.
///
/// Example: provender run --as-of today
///
/// Example: provender run --sample
#[derive(Args)]
pub(super) struct RunArgs {
    /// The day; `today` is today in UTC.
    #[arg(long, value_name = "DATE", required_unless_present = "sample")]
    as_of: Option<String>,
    /// Run on the sample ranch, made in --project (or ./sample-ranch) where it is not there yet.
    #[arg(long)]
    sample: bool,
    #[command(flatten)]
    fail: monitor::FailArgs,
}

pub(super) fn run(global: &Global, args: &RunArgs) -> Result<Done, CliError> {
    let mut global = global.clone();
    let mut text = Text::default();
    if args.sample {
        let dir = global
            .project
            .clone()
            .unwrap_or_else(|| PathBuf::from("sample-ranch"));
        if !dir.join(settings::FILE).exists() {
            init::make(global.ui(), &dir, true, None)?;
            text.look(
                Look::Dim,
                format!(
                    "made the sample ranch in {} (every figure in it is invented)",
                    dir.display()
                ),
            );
        }
        global.project = Some(dir);
    }
    let context = Context::open(&global)?;
    let as_of = day(args.as_of.as_deref().unwrap_or(SAMPLE_DATE), context.today)?;
    let shop = Workshop::open(&context)?;
    let writer = context.writer()?;

    text.look(Look::Strong, "Ingested");
    let ingest_policy = Policy {
        accept: false,
        dry_run: false,
        today: context.today,
    };
    let files = ingest::ingest_sources(&context, &writer, &ingest_policy);
    ingest::say(&mut text, &files);
    text.blank();

    let facts = context.facts(&writer, None)?;
    let mut bounds = Vec::new();
    let logics = context.logics(&[])?;
    for logic in &logics {
        bounds.push(context.bind(&shop.sandbox, &shop.lock, logic, &BTreeMap::new())?);
    }
    let selection = Selection {
        boundary: None,
        herd: None,
        from: as_of,
        to: as_of,
    };
    let run_policy = policy(&context, &shop, false, false)?;
    let computed = compute(
        &context,
        &shop,
        &writer,
        &facts,
        bounds,
        &selection,
        &run_policy,
    )?;
    text.look(Look::Strong, format!("Computed for {as_of}"));
    say(&mut text, &computed);
    text.blank();

    let report = monitor::assess(
        &context,
        &shop,
        &writer,
        &facts,
        &logics,
        monitor::window(&context, as_of),
        None,
    )?;
    let parts = (&shop.sandbox, &shop.manifests);
    let canary = canary::daily(&context, parts, &writer, &facts, as_of);
    let aside = canary.as_ref().map(canary::Daily::aside);
    let published = monitor::publish(&context, &writer, &report, aside)?;
    monitor::say(&mut text, &report);
    let refused = computed.summary.drift + computed.summary.failed;
    if refused > 0 {
        text.look(
            Look::Warn,
            format!(
                "the monitors judge what is recorded: {} of this day refused above {} not in it",
                count(refused, "run"),
                if refused == 1 { "is" } else { "are" }
            ),
        );
    }
    text.blank();
    let standing = status::standing(&context, &shop, &writer, &facts, as_of)?;
    standing.say(&mut text, as_of);
    text.blank();
    if let Some(canary) = &canary {
        canary.say(&mut text, as_of);
        text.blank();
    }
    let root = context.project.root.display();
    text.line(format!(
        "ledger:    {}",
        context.project.ledger_path().display()
    ));
    text.line(format!(
        "manifests: {root}/{}",
        context.project.settings.manifests.path
    ));
    text.line(format!("report:    {root}/{}", published.html));
    monitor::breach(&mut text, &report);
    if args.sample {
        text.blank();
        text.line(format!(
            "next: provender explain --project {root} --boundary north --as-of {as_of}"
        ));
    }

    let verdict = args
        .fail
        .exit(report.status, context.project.settings.monitor.fail_on);
    let complete = if standing.complete() {
        Exit::Ok
    } else {
        Exit::Crit
    };
    let exit = Exit::worst(computed.exits.iter().copied().chain([
        ingest::exit(&files),
        verdict,
        complete,
    ]));
    let ignored = context.tell_ignored()?;
    let data = json!({
        "ignored": ignored,
        "as_of": as_of.to_string(),
        "files": files.iter().map(FileReport::to_json).collect::<Vec<_>>(),
        "runs": runs_json(&computed),
        "summary": computed.summary,
        "canary": canary.as_ref().map(canary::Daily::to_json),
        "monitor": monitor::data(&report, Some(&published))?,
        "status": standing.to_json(as_of),
        "ledger": context.project.ledger_path().display().to_string(),
        "manifests": format!("{root}/{}", context.project.settings.manifests.path),
        "report": format!("{root}/{}", published.html),
    });
    let error = match (ingest::first_error(files), trouble(&computed)) {
        (Some(a), Some(b)) if b.exit == exit => Some(CliError {
            message: format!("{}\n{}", b.message, a.message),
            ..b
        }),
        (Some(a), Some(b)) => Some(CliError {
            message: format!("{}\n{}", a.message, b.message),
            ..a
        }),
        (a, b) => a.or(b),
    };
    Ok(Done {
        exit,
        data,
        text,
        error,
    })
}
