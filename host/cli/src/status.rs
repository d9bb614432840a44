//! `status`: is the day complete?

use clap::Args;
use serde_json::{Value as Json, json};

use provender_host::deployment::{DayStatus, Lack};

use super::Global;
use super::compute::day;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// Tell whether a day is complete: every due run of every active logic answered.
///
/// Names each run that is missing, refused or failed, with its cause, and each source's newest
/// date against its max_age. Exits 2 when the day is not complete.
///
/// Example: provender status --as-of 2025-06-30
#[derive(Args)]
pub(super) struct StatusArgs {
    /// The day.
    #[arg(long, value_name = "DATE")]
    as_of: String,
}

/// How a day's completeness ends the process.
pub(super) fn exit(status: &DayStatus) -> Exit {
    match status.is_complete() {
        true => Exit::Ok,
        false => Exit::Crit,
    }
}

pub(super) fn to_json(status: &DayStatus) -> Json {
    json!({
        "as_of": status.as_of.to_string(),
        "complete": status.is_complete(),
        "expected": status.expected,
        "recorded": status.recorded,
        "refused": status.count(Lack::Refused),
        "failed": status.count(Lack::Failed),
        "missing": status.unanswered.iter().map(|m| json!({
            "boundary_id": m.boundary_id, "herd_config_id": m.herd_config_id, "logic": m.logic, "state": m.lack.word(), "cause": m.cause,
        })).collect::<Vec<_>>(),
        "sources": status.sources.iter().map(|s| json!({
            "id": s.id, "newest": s.newest.map(|d| d.to_string()), "max_age_days": s.max_age_days, "stale": s.stale,
        })).collect::<Vec<_>>(),
        "active": status.active.iter().map(|a| json!({
            "logic": a.model_version, "config_version": a.config.to_string(), "component": a.component.to_string(),
        })).collect::<Vec<_>>(),
    })
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
            |d| format!("newest is of {d}"),
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
    let mut data = to_json(&status);
    data["ignored"] = context.tell_ignored()?;
    Ok(Done {
        exit: exit(&status),
        data,
        text,
        error: None,
    })
}
