//! `ingest retract`: withdraws a wrong file, which stays on record.

use provender_ledger::EntryNumber;
use std::path::Path;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_host::ingest::{IngestError, retract};
use provender_ledger::Write;

#[derive(Args)]
pub(super) struct RetractArgs {
    /// The file's path as it was ingested, or `sha256:DIGEST`.
    file: String,
    /// Why the file is withdrawn. It is recorded in the ledger.
    #[arg(long)]
    reason: String,
}

/// What was withdrawn.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RetractAnswer {
    /// Each ingestion of the file.
    files: Vec<WithdrawnFile>,
    /// The ledger entry that withdrew them.
    entry: EntryNumber,
}

/// An ingestion that no longer counts.
#[derive(Serialize, JsonSchema)]
struct WithdrawnFile {
    /// Its path as it was ingested.
    path: String,
    /// Digest of its bytes.
    sha256: Digest,
    /// Id of its source.
    source: String,
}

/// Withdraws every ingestion of the file, with one ledger entry.
///
/// # Errors
/// If the reason is empty or the file was never ingested.
pub(super) fn withdraw(
    context: &Context,
    ledger: &dyn Write,
    args: &RetractArgs,
) -> Result<Done, CliError> {
    if args.reason.trim().is_empty() {
        return Err(CliError::usage(
            "--reason is empty: say why, an auditor will read it",
        ));
    }
    let by_path = context.shown_path(Path::new(&args.file));
    let stamp = context.stamp(Some(&args.reason));
    let (files, entry) = match retract(ledger, &by_path, &stamp) {
        Err(IngestError::NeverTaken { .. }) => retract(ledger, &args.file, &stamp)?,
        other => other?,
    };
    let mut text = Text::default();
    for f in &files {
        text.line(format!(
            "withdrew {} of source {} ({}, {} rows)",
            f.path, f.source, f.sha256, f.rows
        ));
    }
    text.line(format!("entry {entry}: {}", args.reason));
    text.look(
        Look::Dim,
        "runs that used it drift now: `provender reissue` plans their replacement",
    );
    let withdrawn = files.into_iter().map(|f| WithdrawnFile {
        path: f.path,
        sha256: f.sha256,
        source: f.source,
    });
    let files = withdrawn.collect();
    Ok(Done::ok(&RetractAnswer { files, entry }, text))
}
