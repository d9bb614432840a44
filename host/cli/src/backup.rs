//! `backup`: a consistent copy of a live ledger, its manifests and its releases.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::render::text::count;
use provender_host::deployment::BackupError;

use super::Global;
use super::context::Context;
use super::error::{CliError, DISK};
use super::exit::Exit;
use super::progress::Bars;
use super::ui::{Done, Look, Text};

/// Copy the ledger, its manifests and the release store. Other processes can keep writing.
///
/// To read the copy, name its ledger with --ledger.
///
/// Example: provender backup backups/2025-06-30
#[derive(Args)]
pub(super) struct BackupArgs {
    /// The folder to copy into. It must be empty or not exist yet.
    dir: PathBuf,
}

pub(super) fn run(global: &Global, args: &BackupArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let backed_up = context.back_up(&args.dir, &mut Bars::new(context.ui))?;
    let ledger = backed_up.ledger.display().to_string();
    let (manifests, releases) = (backed_up.manifests, backed_up.release_files);
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!(
            "copied the ledger, {} and {} to {}",
            count(manifests, "manifest"),
            count(releases, "release file"),
            args.dir.display()
        ),
    );
    text.line(format!("read it with: provender list --ledger {ledger}"));
    let answer = BackupAnswer {
        ledger,
        manifests,
        release_files: releases,
    };
    Ok(Done::ok(&answer, text))
}

/// What was copied.
#[derive(Serialize, JsonSchema)]
pub(super) struct BackupAnswer {
    /// Path of the copied ledger, for `--ledger`.
    ledger: String,
    /// Copied files of the manifest store.
    manifests: u64,
    /// Copied files of the release store.
    release_files: u64,
}

impl From<BackupError> for CliError {
    fn from(e: BackupError) -> CliError {
        let (code, message) = (e.code(), e.to_string());
        let error = |exit| CliError::new(exit, code, message);
        match e {
            BackupError::NotAFolder(_) | BackupError::NotEmpty(_) => error(Exit::Io)
                .help("name a folder that does not exist yet; nothing was changed"),
            BackupError::Unfinished(_) => error(Exit::Io).help(
                "if no backup is running, remove the folder; otherwise name another one. Nothing was changed",
            ),
            BackupError::Inside { .. } => error(Exit::Usage)
                .help("name a folder elsewhere, ideally on another disk"),
            BackupError::Io { .. } => error(Exit::Io).help(DISK),
            BackupError::Interrupted(_) => error(Exit::Busy).help("run the command again"),
            BackupError::Ledger(e) => e.into(),
            BackupError::Deployment(e) => e.into(),
        }
    }
}
