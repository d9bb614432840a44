//! `release history`: what was active when, since when, by whom, on what evidence.

use clap::Args;
use serde_json::{Value as Json, json};

use crate::Global;
use crate::asking::instant;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::day::Day;
use provender_host::release::evidence::Evidence;
use provender_host::release::state::{ReleaseChange, ReleaseState};
use provender_ledger::entry::Kind;

use super::named;
use super::show::{evidence, evidence_json};

/// Tell which release was active when: since when, until when, by whom, why, and on what evidence.
///
/// Example: provender release history --at 2025-05-03
#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// Only what was active at this instant (RFC 3339), or at any time of this day (UTC).
    #[arg(long, value_name = "INSTANT|DAY")]
    at: Option<String>,
}

pub(super) fn run(global: &Global, args: &HistoryArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let standing = context.standing()?;
    let chosen: Vec<usize> = match &args.at {
        None => (0..standing.changes.len()).collect(),
        Some(at) => at_any_time(&context, standing, at)?,
    };
    let mut text = Text::default();
    if chosen.is_empty() {
        text.line(match &args.at {
            None => {
                "no release was promoted yet: the deployment's own files are in force".to_owned()
            }
            Some(at) => {
                format!("at {at} no release was active: the deployment's own files were in force")
            }
        });
    }
    let mut told: Vec<Json> = Vec::new();
    for i in chosen {
        let Some(change) = standing.changes.get(i) else {
            continue;
        };
        let until = standing
            .changes
            .get(i + 1)
            .map(|next| next.stamp.at.as_str());
        // What was known when it was decided, not what was found out later.
        let mut found = evidence(standing, &change.release);
        found.retain(|(entry, _)| *entry < change.entry);
        say(&mut text, change, until, &found);
        let approvals: Vec<Json> = standing
            .notes_of(Kind::Approval, &change.release)
            .filter(|n| n.entry < change.entry)
            .filter_map(|n| Some((n, n.approval()?.role)))
            .map(|(n, role)| {
                text.line(format!(
                    "    approved as {role} by {} at {}",
                    n.stamp.actor, n.stamp.at
                ));
                json!({"role": role, "by": n.stamp.actor, "at": n.stamp.at})
            })
            .collect();
        told.push(json!({
            "entry": change.entry,
            "kind": if change.rollback { "rollback" } else { "promotion" },
            "release": change.release.to_string(),
            "number": change.number,
            "answers": standing.known(&change.release).map(|k| &k.document.active),
            "since": change.stamp.at,
            "until": until,
            "by": change.stamp.actor,
            "reason": change.stamp.reason,
            "from": change.from.to_string(),
            "previous": change.previous.map(|d| d.to_string()),
            "override": change.overridden,
            "evidence": evidence_json(&found),
            "approvals": approvals,
        }));
    }
    let data = json!({"at": args.at, "changes": told});
    Ok(Done::raw(data, text))
}

/// Places of the changes that were in force at an instant, or at any time of a day. Order is that of
/// the entries: of two, the later one decides, whatever the clocks said.
fn at_any_time(
    context: &Context,
    standing: &ReleaseState,
    at: &str,
) -> Result<Vec<usize>, CliError> {
    let ledger = context.reader()?;
    let last = ledger.known_at(&instant(at)?)?;
    // Before a day's first instant: what was active when the day began.
    let first = match at.parse::<Day>() {
        Ok(day) => ledger.known_at(&instant(&format!("{day}T00:00:00Z"))?)?,
        Err(_) => last,
    };
    let upto = |entry: i64| standing.changes.iter().rposition(|c| c.entry <= entry);
    Ok(match upto(last) {
        None => Vec::new(),
        Some(to) => (upto(first).unwrap_or(0)..=to).collect(),
    })
}

fn say(text: &mut Text, change: &ReleaseChange, until: Option<&str>, found: &[(i64, Evidence)]) {
    let look = if until.is_none() {
        Look::Good
    } else {
        Look::Strong
    };
    text.look(
        look,
        format!(
            "{}  {} to {}",
            named(change.number, &change.release),
            change.stamp.at,
            until.unwrap_or("now")
        ),
    );
    text.line(format!(
        "    {} by {}: {}",
        if change.rollback {
            "rolled back to"
        } else {
            "promoted"
        },
        change.stamp.actor,
        change.stamp.reason.as_deref().unwrap_or("no reason")
    ));
    if let Some(why) = &change.overridden {
        text.look(Look::Bad, format!("    the gate was overridden: {why}"));
    }
    for (_, e) in found {
        text.line(format!(
            "    {} {} ({}, {}, {})",
            e.kind, e.verdict, e.summary, e.environment, e.at
        ));
    }
    if found.is_empty() {
        text.line("    no evidence was recorded before");
    }
}
