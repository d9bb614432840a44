//! `monitor ack` and `monitor acks`: acknowledge a known case, list acknowledgements.

use clap::Args;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::day::Day;
use provender_host::monitor::{Ack, AckTarget, Metric, acks, record_ack};
use provender_ledger::Read;
use provender_ledger::types::RunFilter;

use crate::Global;
use crate::compute::day;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};

/// Acknowledge a known case, so that it no longer fails the process.
///
/// Hides nothing: the status stays and every report names it. Only the overall verdict leaves it out,
/// for windows that end on or before --until. A newer acknowledgement of the same series and metric
/// replaces it. To end one, set --until to a past day.
///
/// Example: provender monitor ack mesa/h-sheep/days_remaining --until 2025-07-31 --reason 'destocked, next composite on 25 July'
#[derive(Args)]
pub(super) struct AckArgs {
    /// The series, as BOUNDARY/HERD/LOGIC. LOGIC is name:version, or a name, which means all of its
    /// versions.
    #[arg(value_name = "SERIES")]
    series: String,
    /// Only rules of this metric, such as share_null or share_null(days).
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// The last window end that it applies to.
    #[arg(long, value_name = "DATE")]
    until: String,
    /// Why this is known and who looks after it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// List acknowledgements, including those that have expired.
///
/// Example: provender monitor acks
#[derive(Args)]
pub(super) struct AcksArgs {}

pub(super) fn run(global: &Global, args: &AckArgs) -> Result<Done, CliError> {
    if args.reason.trim().is_empty() {
        return Err(CliError::usage("--reason is empty: say why this is known"));
    }
    let target = AckTarget::parse(&args.series, args.metric.as_deref()).ok_or_else(|| {
        CliError::usage(format!(
            "`{}` is not a series: write BOUNDARY/HERD/LOGIC, such as mesa/h-sheep/days_remaining; for a logic without herds, HERD is -",
            args.series
        ))
    })?;
    if let Some(metric) = &target.metric {
        let name = metric.split('(').next().unwrap_or(metric);
        if Metric::by_name(name).is_none() {
            let names: Vec<&str> = Metric::ALL.iter().map(|m| m.name()).collect();
            return Err(CliError::usage(format!(
                "`{name}` is not a metric; the metrics are {}",
                names.join(", ")
            )));
        }
    }
    let context = Context::open(global)?;
    let until = day(&args.until, context.today)?;
    let writer = context.writer()?;
    known(&context, &*writer, &target)?;
    if until < context.today && !acks(&*writer)?.iter().any(|a| a.target == target) {
        return Err(CliError::usage(format!(
            "--until {until} is in the past, and there is no acknowledgement of {target} to end"
        )));
    }
    let new = record_ack(&*writer, &context.stamp(Some(&args.reason)), &target, until)?;
    let (outcome, word) = match new {
        true => (Appended::Recorded, "recorded"),
        false => (Appended::Unchanged, "unchanged"),
    };
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!("{word}: {target} is acknowledged until {until}"),
    );
    let answer = AckAnswer {
        series: &args.series,
        metric: target.metric.as_deref(),
        until,
        outcome,
    };
    Ok(Done::ok(&answer, text))
}

/// The acknowledgement.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AckAnswer<'a> {
    /// The series, as given.
    series: &'a str,
    /// The metric whose rules it applies to; null for all.
    metric: Option<&'a str>,
    /// The last window end for which it counts.
    until: Day,
    /// Whether it is new.
    outcome: Appended,
}

/// Whether an entry was appended.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Appended {
    /// An entry was appended.
    Recorded,
    /// The newest entry already had the same content.
    Unchanged,
}

/// Rejects a series without recorded or due runs: acknowledging it would have no effect.
fn known(context: &Context, ledger: &dyn Read, target: &AckTarget) -> Result<(), CliError> {
    let filter = RunFilter {
        boundary_id: Some(target.boundary_id.clone()),
        herd_config_id: Some(target.herd_config_id.clone()),
        logic: Some(target.logic.clone()),
        ..RunFilter::default()
    };
    if !ledger.extent(&filter)?.is_empty() {
        return Ok(());
    }
    let logics = context.lock()?;
    let pinned = logics
        .components()
        .iter()
        .any(|p| target.is_of_logic(&p.model_version()));
    let facts = context.facts(ledger, None)?;
    let place = (target.boundary_id.clone(), target.herd_config_id.clone());
    let due = [true, false]
        .iter()
        .any(|herds| facts.due(context.today, *herds).contains(&place));
    if pinned && due {
        return Ok(());
    }
    Err(CliError::new(
        Exit::NotFound,
        "no_series",
        format!("nothing is recorded or due for {target}"),
    )
    .help("`provender list` shows boundaries, herds and logics; nothing was written"))
}

pub(super) fn list(global: &Global, _: &AcksArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let all = acks(&*context.reader()?)?;
    let mut text = Text::default();
    if all.is_empty() {
        text.line("nothing is acknowledged");
    } else {
        let rows: Vec<_> = all.iter().map(|a| row(a, context.today)).collect();
        text.table(
            &["series", "metric", "until", "state", "by", "at", "reason"],
            &rows,
        );
    }
    let known = |a: Ack| KnownCase {
        series: series(&a),
        metric: a.target.metric,
        until: a.until,
        expired: a.until < context.today,
        by: a.by,
        at: a.at,
        reason: a.reason,
        entry: a.entry,
    };
    let acknowledged = all.into_iter().map(known).collect();
    Ok(Done::ok(&AcksAnswer { acknowledged }, text))
}

/// What is acknowledged.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AcksAnswer {
    /// The newest acknowledgement of each series and metric, including expired ones.
    acknowledged: Vec<KnownCase>,
}

/// A known case.
#[derive(Serialize, JsonSchema)]
struct KnownCase {
    /// The series, as BOUNDARY/HERD/LOGIC.
    series: String,
    /// The metric whose rules it applies to; null for all.
    metric: Option<String>,
    /// The last window end for which it counts.
    until: Day,
    /// Whether that day is past.
    expired: bool,
    /// Who acknowledged it.
    by: String,
    /// When (RFC 3339, UTC).
    at: String,
    /// Why; null where no reason was given.
    reason: Option<String>,
    /// The ledger entry.
    entry: EntryNumber,
}

fn series(a: &Ack) -> String {
    let t = &a.target;
    format!("{}/{}/{}", t.boundary_id, t.herd_config_id, t.logic)
}

fn row(a: &Ack, today: Day) -> Vec<(Look, String)> {
    let (look, state) = if a.until < today {
        (Look::Dim, "expired")
    } else {
        (Look::Warn, "in force")
    };
    vec![
        (Look::Plain, series(a)),
        (
            Look::Plain,
            a.target.metric.clone().unwrap_or_else(|| "all".to_owned()),
        ),
        (Look::Plain, a.until.to_string()),
        (look, state.to_owned()),
        (Look::Plain, a.by.clone()),
        (Look::Plain, a.at.clone()),
        (Look::Plain, a.reason.clone().unwrap_or_default()),
    ]
}
