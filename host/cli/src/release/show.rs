//! `release show`: what is in a release, and what was found out about it.

use clap::Args;
use serde_json::{Value as Json, json};

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_host::release::evidence::Evidence;
use provender_host::release::state::ReleaseState;
use provender_ledger::entry::Kind;

use super::{brief, document_json, name_of};

/// Show a release: components, active versions, configuration, thresholds, evidence.
///
/// Example: provender release show R1
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The release: R3, 3, or the beginning of its digest.
    release: String,
}

/// Evidence about a release, oldest first, with its entries.
pub(super) fn evidence(standing: &ReleaseState, release: &Digest) -> Vec<(i64, Evidence)> {
    standing
        .notes_of(Kind::Evidence, release)
        .filter_map(|n| Some((n.entry, n.evidence()?)))
        .collect()
}

pub(super) fn evidence_json(found: &[(i64, Evidence)]) -> Json {
    found
        .iter()
        .map(|(entry, e)| {
            json!({
                "entry": entry, "kind": e.kind, "verdict": e.verdict, "rows": e.rows, "summary": e.summary,
                "report": e.report.map(|d| d.to_string()), "environment": e.environment, "by": e.by, "at": e.at,
            })
        })
        .collect()
}

pub(super) fn run(global: &Global, args: &ShowArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let standing = context.standing()?;
    let known = standing.find(&args.release)?;
    let d = &known.document;
    let plain = |s: &str| (Look::Plain, s.to_owned());
    let mut text = Text::default();
    text.look(Look::Strong, name_of(known));
    text.line(format!("  {}", known.digest));
    text.line(format!(
        "  cut {} by {} in {}, with provender {}: {}",
        d.cut.at, d.cut.by, d.cut.environment, d.cut.program, d.cut.reason
    ));
    if known.imported {
        text.line(format!(
            "  imported {} by {}",
            known.stamp.at, known.stamp.actor
        ));
    }
    text.blank();
    let rows: Vec<_> = d
        .components
        .iter()
        .map(|c| {
            let active = d.active.contains(&c.model_version());
            vec![
                (Look::Strong, c.model_version().into()),
                plain(&c.sha256.to_string()),
                plain(&c.size.to_string()),
                (Look::Good, if active { "active" } else { "" }.to_owned()),
            ]
        })
        .collect();
    text.table(&["component", "sha256", "bytes", ""], &rows);
    text.blank();
    let rows: Vec<_> = d
        .logics
        .iter()
        .map(|l| {
            vec![
                (Look::Strong, l.model_version.to_string()),
                plain(&l.config_version.short()),
                plain(&l.thresholds_version.short()),
                plain(&l.config["parameters"].to_string()),
            ]
        })
        .collect();
    text.table(&["active", "config", "thresholds", "parameters"], &rows);
    text.blank();
    let found = evidence(standing, &known.digest);
    if found.is_empty() {
        text.line("no evidence yet");
    } else {
        let rows: Vec<_> = found
            .iter()
            .map(|(_, e)| {
                vec![
                    plain(e.kind.name()),
                    (Look::of_status(e.verdict.name()), e.verdict.to_string()),
                    plain(&e.rows.to_string()),
                    plain(&e.environment),
                    plain(&e.by),
                    plain(&e.at),
                    plain(&e.summary),
                ]
            })
            .collect();
        text.table(
            &["evidence", "verdict", "rows", "in", "by", "at", ""],
            &rows,
        );
    }
    let approvals: Vec<Json> = standing
        .notes_of(Kind::Approval, &known.digest)
        .filter_map(|n| Some((n, n.approval()?.role)))
        .map(|(n, role)| {
            text.line(format!(
                "approved as {role} by {} at {}: {}",
                n.stamp.actor,
                n.stamp.at,
                n.stamp.reason.as_deref().unwrap_or_default()
            ));
            json!({"entry": n.entry, "role": role, "by": n.stamp.actor, "at": n.stamp.at, "reason": n.stamp.reason})
        })
        .collect();
    let mut data = brief(known, standing);
    data["document"] = document_json(d)?;
    data["evidence"] = evidence_json(&found);
    data["approvals"] = json!(approvals);
    Ok(Done::raw(data, text))
}
