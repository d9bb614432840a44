//! `audit checkpoint`: writes the signed size and root of the tree over the entries, to keep elsewhere.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::{Digest, Recipe};
use provender_domain::render::text::count;
use provender_host::audit::{AuditError, AuditReport, Claims};
use provender_proof::{Checkpoint, continues};

use super::super::Global;
use super::super::context::Context;
use super::super::error::CliError;
use super::super::ui::{Done, Look, Text};
use super::{Against, entries, key};

/// The origin of an unsigned checkpoint.
pub(super) const UNSIGNED: &str = "provender";

/// Write a checkpoint: the number of ledger entries and the root of the tree over them, signed.
///
/// Keep it where nobody who can write the ledger can change it. `audit --against` then shows whether
/// history was rewritten. Signs nothing when the chain of entries does not hold, or when the ledger
/// does not continue the checkpoint given with --against.
///
/// Example: provender audit checkpoint --key ledger.key --out 2025-06-30.checkpoint
#[derive(Args)]
pub(super) struct CheckpointArgs {
    /// Private key to sign with. Without one, the checkpoint proves nothing about who made it.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Write the checkpoint to this file, which must not exist. Default: print it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    against: Against,
}

/// A checkpoint.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AuditCheckpointAnswer {
    /// Which ledger it is of: the key's name; `provender` without a key.
    origin: String,
    /// How many entries its tree has.
    size: u64,
    /// Root of the tree.
    root: Digest,
    /// Whether a key signed it.
    signed: bool,
    /// The checkpoint as a file holds it.
    note: String,
    /// The file that was written; null where it was printed.
    file: Option<String>,
}

pub(super) fn run(global: &Global, args: &CheckpointArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let against = args.against.read(&context)?;
    let signer = args.key.as_deref().map(key::signer).transpose()?;
    let ledger = context.recorded()?;
    let mut report = AuditReport::default();
    let claims = Claims::read(&*ledger.moment()?, &mut report)?;
    if let Some(bad) = report.bad.first() {
        let problem = format!(
            "{} of the chain do not hold, the first: entry {}: {}; nothing was signed",
            count(report.bad.len() as u64, "link"),
            bad.id,
            bad.problem
        );
        return Err(AuditError::Unprovable(problem).into());
    }
    if let Some(old) = &against {
        continues(old, &claims.leaves).map_err(|problem| AuditError::Rewritten {
            what: format!("the checkpoint of {}", old.origin),
            problem,
        })?;
    }
    let checkpoint = Checkpoint {
        origin: signer.as_ref().map_or(UNSIGNED, |s| s.name()).to_owned(),
        size: claims.leaves.len() as u64,
        root: claims.root(),
    };
    let plain = checkpoint.to_text();
    let note = signer.as_ref().map_or(plain.clone(), |s| s.sign(&plain));
    let mut text = Text::default();
    if signer.is_none() {
        context.ui.note(
            "this checkpoint is not signed, so anybody could have made it: give --key (`provender audit key` makes one)",
        );
    }
    match &args.out {
        Some(file) => {
            key::create(file, note.as_bytes(), false)?;
            text.look(
                Look::Good,
                format!(
                    "checkpoint of {}: {}",
                    entries(checkpoint.size),
                    file.display()
                ),
            );
            text.line("keep it where nobody who can write the ledger can change it");
        }
        None => note.lines().for_each(|line| text.line(line)),
    }
    let answer = AuditCheckpointAnswer {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: Digest::from_parts(Recipe::Raw, checkpoint.root),
        signed: signer.is_some(),
        note,
        file: args.out.as_ref().map(|f| f.display().to_string()),
    };
    Ok(Done::ok(&answer, text))
}
