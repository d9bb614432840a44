//! `audit prove`: proves that a run is recorded.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::files::outfile;
use provender_host::audit::prove;
use provender_host::explain::{Wanted, find};
use provender_proof::Proof;

use super::super::Global;
use super::super::context::Context;
use super::super::error::{CliError, DISK};
use super::super::exit::Exit;
use super::super::ui::{Done, Look, Text};
use super::checkpoint::UNSIGNED;
use super::{entries, key};

/// Prove that a run is recorded: the path from the run through its batch's root and its ledger entry to
/// a checkpoint.
///
/// The proof is JSON that other programs can check without this one and without the ledger.
///
/// Example: provender audit prove 4f2a9c81d0aa --key ledger.key --out proof.json
#[derive(Args)]
pub(super) struct ProveArgs {
    /// A run's id, or at least six of its hex digits.
    #[arg(value_name = "RUN")]
    run: String,
    /// Private key to sign the proof's checkpoint with.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Write the proof to this file. Default: print it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A proof that a run is recorded.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AuditProveAnswer {
    /// Id of the run.
    run_id: Digest,
    /// The entry that recorded it.
    entry: u64,
    /// The proof.
    proof: Proof,
    /// The file that was written; null where the proof was printed.
    file: Option<String>,
}

pub(super) fn run(global: &Global, args: &ProveArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let signer = args.key.as_deref().map(key::signer).transpose()?;
    let ledger = context.recorded()?;
    let found = find(&*ledger, &Wanted::Id(args.run.clone()))?.run;
    let origin = signer.as_ref().map_or(UNSIGNED, |s| s.name());
    let proof: Proof = prove(&*ledger, &found.run.key, origin, signer.as_ref())?;
    let proven = proof.verify(None)?;
    let written = proof.to_text()?;
    let mut text = Text::default();
    match &args.out {
        None => text.line(written.trim_end()),
        Some(file) => {
            outfile::write(file, written.as_bytes()).map_err(|e| {
                CliError::new(
                    Exit::Io,
                    "file_unwritable",
                    format!("{} cannot be written: {e}", file.display()),
                )
                .help(DISK)
            })?;
            text.look(
                Look::Good,
                format!(
                    "{} is run {} of {} in entry {}, in a tree of {}: {}",
                    found.run.key.run_id().short(),
                    proof.run.index + 1,
                    proof.run.size,
                    proven.entry,
                    entries(proven.checkpoint.size),
                    file.display()
                ),
            );
        }
    }
    let answer = AuditProveAnswer {
        run_id: found.run.key.run_id(),
        entry: proven.entry,
        proof,
        file: args.out.as_ref().map(|f| f.display().to_string()),
    };
    Ok(Done::ok(&answer, text))
}
