//! `plugin`: what is pinned, what a component says of itself, and the author's path.
//!
//! * `check` — everything that would be refused, refused now
//! * `found` — the component that an argument means
//! * `pinning` — pin a component as a draft, freeze it
//! * `list` — what is pinned
//! * `show` — what a component declares

use clap::{Args, Subcommand};

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::ui::Done;

mod check;
pub(in crate::cli) mod found;
mod list;
mod pinning;
mod show;

/// Check, pin, freeze, list and show components.
///
/// Example: provender plugin check build/days_remaining-v3.wasm
#[derive(Args)]
pub(super) struct PluginArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(pinning::AddArgs),
    /// Refuse now whatever `compute` would refuse, each with its reason and its fix, and run the
    /// component on empty, null, extreme, reordered and split batches.
    ///
    /// Example: provender plugin check build/days_remaining-v3.wasm
    Check {
        /// A .wasm file, or a pinned name:version.
        what: String,
        #[command(flatten)]
        limits: found::LimitArgs,
    },
    Freeze(pinning::FreezeArgs),
    /// List the pinned components.
    List,
    /// Show what a component declares: inputs, parameters, outputs, guardrails, monitors.
    Show {
        /// A pinned name:version, or a .wasm file.
        what: String,
        #[command(flatten)]
        limits: found::LimitArgs,
    },
}

pub(super) fn run(global: &Global, args: &PluginArgs) -> Result<Done, CliError> {
    match &args.action {
        Action::Add(args) => pinning::add(global, args),
        Action::Freeze(args) => pinning::freeze_pin(global, args),
        Action::Check { what, limits } => check::check(global, what, limits),
        Action::List => list::list(&Context::open(global)?),
        Action::Show { what, limits } => show::show(global, what, limits),
    }
}
