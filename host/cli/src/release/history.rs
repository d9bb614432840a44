//! `release history`: which release was active when, by whom and on what evidence.

use clap::Args;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use crate::Global;
use crate::asking::instant;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_domain::ids::ModelVersion;
use provender_host::release::{Evidence, ReleaseChange, ReleaseState};
use provender_ledger::entries::Role;
use provender_ledger::entry::Kind;

use super::named;
use super::show::{EvidenceAnswer, evidence, evidence_answer};

/// Show which release was active from when to when, who promoted it, why, and on what evidence.
///
/// Example: provender release history --at 2025-05-03
#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// Only what was active at this instant (RFC 3339), or at any time of this day (UTC).
    #[arg(long, value_name = "INSTANT|DAY")]
    at: Option<String>,
}

/// The changes of the active release.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseHistoryAnswer<'a> {
    /// The instant or day that was asked for; null without `--at`.
    at: Option<&'a str>,
    /// The promotions and rollbacks, oldest first.
    changes: Vec<ChangeAnswer<'a>>,
}

/// A promotion or a rollback.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReleaseChange")]
struct ChangeAnswer<'a> {
    /// Its entry.
    entry: EntryNumber,
    /// Promotion or rollback.
    kind: ReleaseChangeKind,
    /// The release that was in force from then on.
    release: Digest,
    /// Its number.
    number: u32,
    /// The active versions as `name:version`; null if the release is not known.
    answers: Option<&'a [ModelVersion]>,
    /// When: RFC 3339, UTC.
    since: &'a str,
    /// When the next change followed; null for the newest one.
    until: Option<&'a str>,
    /// Who.
    by: &'a str,
    /// Why; null if no reason was given.
    reason: Option<&'a str>,
    /// The first calculation date that it answers for.
    from: Day,
    /// The release that was in force before; null for the first one.
    previous: Option<Digest>,
    /// Why the gate was overridden; null if it was not.
    #[serde(rename = "override")]
    overridden: Option<&'a str>,
    /// The evidence about it that was known at the decision.
    #[schemars(with = "Vec<EvidenceAnswer<'_>>")]
    evidence: Json,
    /// The approvals that it had at the decision.
    approvals: Vec<ApprovalThen>,
}

/// Whether a release was promoted or rolled back to.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ReleaseChangeKind {
    /// A release was promoted.
    Promotion,
    /// An earlier release became active again.
    Rollback,
}

/// An approval.
#[derive(Serialize, JsonSchema)]
struct ApprovalThen {
    /// The role.
    role: Role,
    /// Who.
    by: String,
    /// When: RFC 3339, UTC.
    at: String,
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
            None => "no release has been promoted yet: the deployment's own files are in force"
                .to_owned(),
            Some(at) => {
                format!("at {at} no release was active: the deployment's own files were in force")
            }
        });
    }
    let mut listed = Vec::new();
    for i in chosen {
        let Some(change) = standing.changes.get(i) else {
            continue;
        };
        let until = standing
            .changes
            .get(i + 1)
            .map(|next| next.stamp.at.as_str());
        // Only the evidence known at the decision, not what was recorded later.
        let mut found = evidence(standing, &change.release);
        found.retain(|(entry, _)| *entry < change.entry);
        change_text(&mut text, change, until, &found);
        let approvals = approvals_before(change, standing);
        for a in &approvals {
            text.line(format!(
                "    approved as {} by {} at {}",
                a.role, a.by, a.at
            ));
        }
        listed.push(ChangeAnswer {
            entry: change.entry,
            kind: match change.rollback {
                true => ReleaseChangeKind::Rollback,
                false => ReleaseChangeKind::Promotion,
            },
            release: change.release,
            number: change.number,
            answers: standing
                .known(&change.release)
                .map(|k| k.document.active.as_slice()),
            since: &change.stamp.at,
            until,
            by: &change.stamp.actor,
            reason: change.stamp.reason.as_deref(),
            from: change.from,
            previous: change.previous,
            overridden: change.overridden.as_deref(),
            evidence: serde_json::json!(evidence_answer(&found)),
            approvals,
        });
    }
    let answer = ReleaseHistoryAnswer {
        at: args.at.as_deref(),
        changes: listed,
    };
    Ok(Done::ok(&answer, text))
}

/// The approvals known when the change was decided.
fn approvals_before(change: &ReleaseChange, standing: &ReleaseState) -> Vec<ApprovalThen> {
    let approvals = standing
        .notes_of(Kind::Approval, &change.release)
        .filter(|n| n.entry < change.entry)
        .filter_map(|n| Some((n, n.approval()?.role)));
    approvals
        .map(|(n, role)| ApprovalThen {
            role,
            by: n.stamp.actor.clone(),
            at: n.stamp.at.clone(),
        })
        .collect()
}

/// Indexes of the changes in force at an instant, or at any time of a day. The order of the entries counts,
/// not the clocks.
fn at_any_time(
    context: &Context,
    standing: &ReleaseState,
    at: &str,
) -> Result<Vec<usize>, CliError> {
    let ledger = context.reader()?;
    let last = ledger.known_at(&instant(at)?)?;
    // A day includes the release that was active when it began.
    let first = match at.parse::<Day>() {
        Ok(day) => ledger.known_at(&instant(&format!("{day}T00:00:00Z"))?)?,
        Err(_) => last,
    };
    let upto = |entry: EntryNumber| standing.changes.iter().rposition(|c| c.entry <= entry);
    Ok(match upto(last) {
        None => Vec::new(),
        Some(to) => (upto(first).unwrap_or(0)..=to).collect(),
    })
}

fn change_text(
    text: &mut Text,
    change: &ReleaseChange,
    until: Option<&str>,
    found: &[(EntryNumber, Evidence)],
) {
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
        text.line("    no evidence had been recorded");
    }
}
