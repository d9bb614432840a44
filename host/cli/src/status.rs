//! `status`: whether a day is complete.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::day::Day;
use provender_host::deployment::{ActiveLogic, DayStatus, Lack, SourceAge, Unanswered};
use provender_host::release::IgnoredSetting;

use super::Global;
use super::compute::day;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// Show whether a day is complete: every due run of every active logic has an answer.
///
/// Names each run that is missing, refused or failed, with its cause, and compares each source's newest
/// date with its max_age. Exits 2 when the day is incomplete.
///
/// Example: provender status --as-of 2025-06-30
#[derive(Args)]
pub(super) struct StatusArgs {
    /// The day to check.
    #[arg(long, value_name = "DATE")]
    as_of: String,
}

/// Exit code for a day's completeness.
pub(super) fn exit(status: &DayStatus) -> Exit {
    match status.is_complete() {
        true => Exit::Ok,
        false => Exit::Crit,
    }
}

/// Whether a day is complete.
#[derive(Serialize, JsonSchema)]
pub(super) struct StatusAnswer<'a> {
    /// The day.
    as_of: Day,
    /// Whether anything is due and all of it has an answer.
    complete: bool,
    /// Due runs of the active logics.
    expected: usize,
    /// Due runs that have an answer.
    recorded: usize,
    /// Due runs that were computed before from other inputs.
    refused: usize,
    /// Due runs that cannot be computed.
    failed: usize,
    /// Each due run without an answer.
    missing: &'a [Unanswered],
    /// The sources of dated observations.
    sources: &'a [SourceAge],
    /// The logic that answers.
    active: &'a [ActiveLogic],
}

impl StatusAnswer<'_> {
    pub(super) fn of(status: &DayStatus) -> StatusAnswer<'_> {
        StatusAnswer {
            as_of: status.as_of,
            complete: status.is_complete(),
            expected: status.expected,
            recorded: status.recorded,
            refused: status.count(Lack::Refused),
            failed: status.count(Lack::Failed),
            missing: &status.unanswered,
            sources: &status.sources,
            active: &status.active,
        }
    }
}

/// Whether a day is complete, and the settings here that have no effect.
#[derive(Serialize, JsonSchema)]
pub(super) struct StatusVerbAnswer<'a> {
    #[serde(flatten)]
    status: StatusAnswer<'a>,
    /// Settings in the deployment's files that the active release overrides.
    ignored: Vec<IgnoredSetting>,
}

pub(super) fn say(status: &DayStatus, text: &mut Text) {
    let (look, word) = if status.is_complete() {
        (Look::Good, "complete")
    } else {
        (Look::Bad, "incomplete")
    };
    text.look(
        look,
        format!(
            "{} is {word}: {} of {} expected runs are answered",
            status.as_of, status.recorded, status.expected
        ),
    );
    if status.expected == 0 {
        text.line(
            "  nothing is due on this day: no herd's period covers it, or nothing is ingested",
        );
    }
    for m in status.unanswered.iter().take(50) {
        text.look(
            Look::Bad,
            format!(
                "  {} {} / {} / {}: {}",
                m.lack.word(),
                m.logic,
                m.boundary_id,
                m.herd_config_id,
                m.cause
            ),
        );
    }
    if status.unanswered.len() > 50 {
        text.line(format!(
            "  and {} more; --json lists them all",
            status.unanswered.len() - 50
        ));
    }
    for source in status.sources.iter().filter(|s| s.stale) {
        let newest = source.newest.map_or_else(
            || "has no data by then".to_owned(),
            |d| format!("newest is from {d}"),
        );
        let max = source
            .max_age_days
            .map_or_else(String::new, |m| format!(", max_age is {m} days"));
        text.look(
            Look::Warn,
            format!("  stale source {}: {newest}{max}", source.id),
        );
    }
}

pub(super) fn run(global: &Global, args: &StatusArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let as_of = day(&args.as_of, context.today)?;
    super::telemetry::as_of(as_of);
    let status = context.day_status(as_of)?;
    let mut text = Text::default();
    say(&status, &mut text);
    text.blank();
    let rows: Vec<_> = status
        .sources
        .iter()
        .map(|s| {
            let plain = |cell: String| (Look::Plain, cell);
            let dash = || "–".to_owned();
            vec![
                plain(s.id.clone()),
                plain(s.newest.map_or_else(dash, |d| d.to_string())),
                plain(s.newest.map_or_else(dash, |d| as_of.since(d).to_string())),
                plain(s.max_age_days.map_or_else(dash, |m| m.to_string())),
                if s.stale {
                    (Look::Warn, "stale".to_owned())
                } else {
                    (Look::Good, "ok".to_owned())
                },
            ]
        })
        .collect();
    text.table(
        &[
            "source",
            "newest by then",
            "age (d)",
            "max_age (d)",
            "state",
        ],
        &rows,
    );
    let answer = StatusVerbAnswer {
        status: StatusAnswer::of(&status),
        ignored: context.tell_ignored()?,
    };
    Ok(Done::ended(exit(&status), &answer, text, None))
}
