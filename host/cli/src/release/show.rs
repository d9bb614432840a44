//! `release show`: the content of a release and the evidence about it.

use clap::Args;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_host::release::{Document, Evidence, KnownRelease, ReleaseState};
use provender_ledger::entries::{CheckVerdict, ReportKind, Role};
use provender_ledger::entry::Kind;

use super::{ReleaseBrief, name_of};

/// Show a release: components, active versions, configuration, thresholds, evidence and approvals.
///
/// Example: provender release show R1
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The release: R3, 3, or the beginning of its digest.
    release: String,
}

/// Evidence about a release, oldest first, with its entries.
pub(super) fn evidence(standing: &ReleaseState, release: &Digest) -> Vec<(EntryNumber, Evidence)> {
    standing
        .notes_of(Kind::Evidence, release)
        .filter_map(|n| Some((n.entry, n.evidence()?)))
        .collect()
}

/// A piece of evidence about a release.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReleaseEvidence")]
pub(crate) struct EvidenceAnswer<'a> {
    /// The entry that recorded it.
    entry: EntryNumber,
    /// Kind of the check.
    kind: ReportKind,
    /// Verdict of the check.
    verdict: CheckVerdict,
    /// Number of cases, runs or rows that were checked.
    rows: u64,
    /// Summary in one sentence.
    summary: &'a str,
    /// Digest of the full report; null if there is none.
    report: Option<Digest>,
    /// The environment in which it was recorded.
    environment: &'a str,
    /// Who recorded it.
    by: &'a str,
    /// When: RFC 3339, UTC.
    at: &'a str,
}

pub(super) fn evidence_answer(found: &[(EntryNumber, Evidence)]) -> Vec<EvidenceAnswer<'_>> {
    found.iter().map(EvidenceAnswer::of).collect()
}

impl EvidenceAnswer<'_> {
    fn of((entry, e): &(EntryNumber, Evidence)) -> EvidenceAnswer<'_> {
        EvidenceAnswer {
            entry: *entry,
            kind: e.kind,
            verdict: e.verdict,
            rows: e.rows,
            summary: &e.summary,
            report: e.report,
            environment: &e.environment,
            by: &e.by,
            at: &e.at,
        }
    }
}

/// A release in full.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseShowAnswer<'a> {
    #[serde(flatten)]
    brief: ReleaseBrief<'a>,
    /// The document of the release, whose canonical form gives the digest.
    document: &'a Document,
    /// The evidence about it, oldest first.
    evidence: Vec<EvidenceAnswer<'a>>,
    /// Its approvals, oldest first.
    approvals: Vec<ApprovalGiven<'a>>,
}

/// An approval.
#[derive(Serialize, JsonSchema)]
struct ApprovalGiven<'a> {
    /// Its entry.
    entry: EntryNumber,
    /// The role.
    role: Role,
    /// Who.
    by: &'a str,
    /// When: RFC 3339, UTC.
    at: &'a str,
    /// Why; null if no reason was given.
    reason: Option<&'a str>,
}

pub(super) fn run(global: &Global, args: &ShowArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let standing = context.standing()?;
    let known = standing.find(&args.release)?;
    let d = &known.document;
    let mut text = Text::default();
    head_text(&mut text, known);
    contents_text(&mut text, d);
    let found = evidence(standing, &known.digest);
    evidence_text(&mut text, &found);
    let approvals = standing
        .notes_of(Kind::Approval, &known.digest)
        .filter_map(|n| Some((n, n.approval()?.role)))
        .map(|(n, role)| {
            text.line(format!(
                "approved as {role} by {} at {}: {}",
                n.stamp.actor,
                n.stamp.at,
                n.stamp.reason.as_deref().unwrap_or_default()
            ));
            ApprovalGiven {
                entry: n.entry,
                role,
                by: &n.stamp.actor,
                at: &n.stamp.at,
                reason: n.stamp.reason.as_deref(),
            }
        })
        .collect();
    let answer = ReleaseShowAnswer {
        brief: ReleaseBrief::of(known, standing),
        document: d,
        evidence: evidence_answer(&found),
        approvals,
    };
    Ok(Done::ok(&answer, text))
}

fn head_text(text: &mut Text, known: &KnownRelease) {
    let d = &known.document;
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
}

/// The components of a release, and the configuration of its active versions.
fn contents_text(text: &mut Text, d: &Document) {
    let plain = |s: &str| (Look::Plain, s.to_owned());
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
}

fn evidence_text(text: &mut Text, found: &[(EntryNumber, Evidence)]) {
    if found.is_empty() {
        return text.line("no evidence yet");
    }
    let plain = |s: &str| (Look::Plain, s.to_owned());
    let rows: Vec<_> = found
        .iter()
        .map(|(_, e)| {
            vec![
                plain(e.kind.name()),
                (e.verdict.tone().into(), e.verdict.to_string()),
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
