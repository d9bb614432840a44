//! `release evidence`: the evidence about a release, and its reports in full.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::{Digest, from_slice};
use provender_host::monitor::digest_begins;
use provender_host::release::{Evidence, ReleaseError};
use provender_ledger::EntryNumber;
use provender_ledger::entries::ReportKind;
use provender_ledger::types::Document;

use super::show::{EvidenceAnswer, evidence, evidence_answer};
use super::{ReleaseBrief, name_of};

/// List the evidence about a release, recorded here or imported with it, or print one report in full.
///
/// Example: provender release evidence R2
///
/// Example: provender release evidence R2 --report 1f2e3d4c5b6a
#[derive(Args)]
pub(crate) struct EvidenceArgs {
    /// The release: R3, 3, or the beginning of its digest.
    release: String,
    /// Print the stored report with this digest. Give at least six of its hex digits.
    #[arg(long, value_name = "DIGEST")]
    report: Option<String>,
}

/// The evidence about a release, or one report in full.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ReleaseEvidenceAnswer<'a> {
    /// Without `--report`.
    List {
        #[serde(flatten)]
        brief: ReleaseBrief<'a>,
        /// The evidence about it, oldest first.
        evidence: Vec<EvidenceAnswer<'a>>,
    },
    /// With `--report`.
    Report {
        /// Digest of the report.
        report: Digest,
        /// Kind of the check.
        kind: ReportKind,
        /// The stored report: a document whose form `$type` names.
        content: Json,
    },
}

pub(super) fn run(global: &Global, args: &EvidenceArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let standing = context.standing()?;
    let known = standing.find(&args.release)?;
    let found = evidence(standing, &known.digest);
    if let Some(asked) = &args.report {
        return report(&context, &found, asked, &name_of(known));
    }
    let mut text = Text::default();
    text.look(Look::Strong, name_of(known));
    let plain = |s: &str| (Look::Plain, s.to_owned());
    let rows: Vec<_> = found
        .iter()
        .map(|(entry, e)| {
            vec![
                plain(&entry.to_string()),
                plain(e.kind.name()),
                (e.verdict.tone().into(), e.verdict.to_string()),
                plain(&e.rows.to_string()),
                plain(&e.environment),
                plain(&e.by),
                plain(&e.at),
                plain(&e.report.map_or_else(|| "–".to_owned(), |d| d.short())),
                plain(&e.summary),
            ]
        })
        .collect();
    if rows.is_empty() {
        text.line("no evidence yet: `provender release gate` runs the checks");
    } else {
        let heads = [
            "entry", "evidence", "verdict", "rows", "in", "by", "at", "report", "",
        ];
        text.table(&heads, &rows);
    }
    let answer = ReleaseEvidenceAnswer::List {
        brief: ReleaseBrief::of(known, standing),
        evidence: evidence_answer(&found),
    };
    Ok(Done::ok(&answer, text))
}

fn report(
    context: &Context,
    found: &[(EntryNumber, Evidence)],
    asked: &str,
    release: &str,
) -> Result<Done, CliError> {
    let mut digests: Vec<Digest> = found.iter().filter_map(|(_, e)| e.report).collect();
    digests.sort_unstable();
    digests.dedup();
    let hits: Vec<Digest> = digests
        .into_iter()
        .filter(|d| digest_begins(d, asked))
        .collect();
    let help = "`provender release evidence R` lists the reports with the beginning of each digest";
    let [digest] = hits.as_slice() else {
        let (exit, problem) = match hits.is_empty() {
            true => (Exit::NotFound, "no evidence has a report that begins with"),
            false => (Exit::Usage, "several reports begin with"),
        };
        let message = format!("{release}: {problem} `{asked}`");
        return Err(CliError::new(exit, "evidence_report", message).help(help));
    };
    let Some(Document { kind, body, .. }) = context.reader()?.document(*digest)? else {
        let message = format!("{release}: the report {digest} is not in this ledger");
        return Err(CliError::new(Exit::NotFound, "evidence_report", message)
            .help("export the release again where the evidence was recorded, then import it"));
    };
    // The digest of a monitor's report covers only its reproducible part, that of any other report its whole text.
    if kind != ReportKind::Monitor && Digest::of_canonical(body.as_bytes()) != *digest {
        let what = format!("the report {digest}");
        return Err(ReleaseError::Damaged {
            what,
            problem: "its text has a different digest".to_owned(),
        }
        .into());
    }
    let content: Json = from_slice(body.as_bytes()).map_err(|e| {
        CliError::from(ReleaseError::Damaged {
            what: format!("the report {digest}"),
            problem: e.to_string(),
        })
    })?;
    let mut text = Text::default();
    text.line(&body);
    let answer = ReleaseEvidenceAnswer::Report {
        report: *digest,
        kind,
        content,
    };
    Ok(Done::ok(&answer, text))
}
