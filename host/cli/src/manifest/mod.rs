//! `manifest`: shows one run's manifest or writes many as files, whether they are single files or in
//! packs.
//!
//! * [`show`] — one manifest, byte for byte
//! * [`export`] — single files at their documented paths

mod export;
mod show;

use clap::{Args, Subcommand};

use super::Global;
use super::error::CliError;
use super::ui::Done;

pub(crate) use export::ManifestExportAnswer;
pub(crate) use show::ManifestShowAnswer;

/// Show manifests and write them as single files, including those in a pack.
///
/// Example: provender manifest show 4f2a9c81d0aa
#[derive(Args)]
pub(super) struct ManifestArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Show(show::ShowArgs),
    Export(export::ExportArgs),
}

pub(super) fn run(global: &Global, args: &ManifestArgs) -> Result<Done, CliError> {
    match &args.action {
        Action::Show(args) => show::run(global, args),
        Action::Export(args) => export::run(global, args),
    }
}
