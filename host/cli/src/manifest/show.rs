//! `manifest show`: shows a run's manifest.

use std::io::IsTerminal as _;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, from_slice};
use provender_domain::key::RunKey;
use provender_domain::manifest::Document;
use provender_domain::render::escape;
use provender_host::explain::{Wanted, find};

use super::super::Global;
use super::super::context::Context;
use super::super::error::CliError;
use super::super::ui::{Done, Text};

/// Show a run's manifest, byte for byte the document whose SHA-256 is in the ledger. It may be a single
/// file or part of a pack.
///
/// Example: provender manifest show 4f2a9c81d0aa > manifest.json
#[derive(Args)]
pub(super) struct ShowArgs {
    /// The run's id, or at least six of its hex digits.
    #[arg(value_name = "RUN")]
    run: String,
}

/// A run's manifest.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ManifestShowAnswer {
    /// Id of the run.
    run_id: Digest,
    /// The run's key.
    key: RunKey,
    /// The manifest's file, or its pack and the row in it, relative to the deployment's folder.
    path: String,
    /// SHA-256 of the manifest's bytes.
    sha256: Digest,
    /// Digest of its reproducible part.
    snapshot_id: Digest,
    /// The manifest itself.
    #[schemars(with = "Document<'_>")]
    manifest: Json,
}

pub(super) fn run(global: &Global, args: &ShowArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.reader()?;
    let run = find(&*ledger, &Wanted::Id(args.run.clone()))?.run.run;
    let manifests = context.manifests()?;
    let (_, bytes) = manifests.read_with_bytes(run.manifest_ref())?;
    #[expect(
        clippy::expect_used,
        reason = "the store has just read a manifest from these bytes"
    )]
    let document: Json = from_slice(&bytes).expect("a manifest's bytes are JSON");
    let mut text = Text::default();
    let whole = String::from_utf8_lossy(&bytes);
    let line = whole.trim_end_matches('\n');
    // Control characters are escaped only for a terminal, which would act on them.
    match std::io::stdout().is_terminal() {
        true => text.line(escape::terminal(line)),
        false => text.line(line),
    }
    let answer = ManifestShowAnswer {
        run_id: run.key.run_id(),
        path: manifests.path_of(run.manifest_ref()),
        sha256: run.manifest,
        snapshot_id: run.snapshot,
        manifest: document,
        key: run.key,
    };
    Ok(Done::ok(&answer, text))
}
