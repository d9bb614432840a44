//! `plugin`: what is pinned, what a component says of itself, and the author's path.
//!
//! * `new`, `build` — a version's folder, and its component
//! * `check` — everything that would be refused, refused now
//! * `found` — the component that an argument means
//! * `list` — what is pinned
//! * `show` — what a component declares

use clap::{Args, Subcommand};

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::ui::Done;

mod build;
mod check;
pub(in crate::cli) mod found;
mod list;
mod new;
mod show;

/// Make, build, check, list and show components.
///
/// Example: provender plugin show days_remaining:v2
#[derive(Args)]
pub(super) struct PluginArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a folder for a new logic version: source, golden cases, tests, all that a build needs.
    ///
    /// Example: provender plugin new days_remaining:v3 --from v2
    New(new::NewArgs),
    /// Build a folder to a component with the language's own tools: cargo, or componentize-py (from
    /// PROVENDER_COMPONENTIZE_PY, else the folder's .venv, else the path).
    ///
    /// Example: provender plugin build days-remaining-v3
    Build(build::BuildArgs),
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
        Action::New(a) => new::new(global, a),
        Action::Build(a) => build::build(global, a),
        Action::Check { what, limits } => check::check(global, what, limits),
        Action::List => list::list(&Context::open(global)?),
        Action::Show { what, limits } => show::show(global, what, limits),
    }
}
