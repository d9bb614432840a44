//! `plugin`: what is pinned, what a component says of itself, and the author's path.
//!
//! * `new`, `build` — a version's folder, and its component
//! * `check` — everything that would be refused, refused now
//! * `diff` — what two versions declare, side by side
//! * `found` — the component that an argument means
//! * `pinning` — pin a component as a draft, freeze it
//! * `list` — what is pinned
//! * `show` — what a component declares
//! * `subject` — a component with the folder of its golden cases
//! * `test` — golden cases

use clap::{Args, Subcommand};

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::ui::Done;

mod build;
pub(crate) mod check;
mod diff;
pub(crate) mod found;
mod list;
mod new;
pub(crate) mod pinning;
mod show;
pub(crate) mod subject;
pub(crate) mod test;

pub(crate) use build::PluginBuildAnswer;
pub(crate) use check::PluginCheckAnswer;
pub(crate) use diff::PluginDiffAnswer;
pub(crate) use list::PluginListAnswer;
pub(crate) use new::PluginNewAnswer;
pub(crate) use pinning::PluginPinAnswer;
pub(crate) use show::PluginShowAnswer;
pub(crate) use test::PluginTestAnswer;

/// Make, build, check, test, pin, freeze, list and show components.
///
/// Example: provender plugin check build/days_remaining-v3.wasm
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
    /// component on empty, null, extreme, reordered and split batches, and with each parameter at its bounds.
    ///
    /// Example: provender plugin check build/days_remaining-v3.wasm
    Check {
        /// A .wasm file, or a pinned name:version.
        what: String,
        #[command(flatten)]
        limits: found::LimitArgs,
    },
    /// Run the golden cases of a logic version in the sandbox, under production's limits.
    ///
    /// Each case alone, then those of equal parameters together, in reverse and split: the same bits
    /// each time. Exit 17 when a case does not hold, 15 when the component breaks down, 66 when there
    /// is no case. The format of the cases: docs/reference/golden-cases.md.
    ///
    /// Example: provender plugin test logic-plugins/days-remaining-v2 --junit golden.xml
    Test(Box<test::TestArgs>),
    Add(pinning::AddArgs),
    /// Compare what two versions declare: inputs, parameters, outputs, guardrails, monitors.
    ///
    /// Example: provender plugin diff days_remaining:v1 days_remaining:v2
    Diff {
        /// A pinned name:version, or a .wasm file.
        first: String,
        /// Another.
        second: String,
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
        Action::Diff { first, second } => diff::diff(global, first, second),
        Action::Freeze(args) => pinning::freeze_pin(global, args),
        Action::New(a) => new::new(global, a),
        Action::Build(a) => build::build(global, a),
        Action::Check { what, limits } => check::check(global, what, limits),
        Action::List => list::list(&Context::open(global)?),
        Action::Show { what, limits } => show::show(global, what, limits),
        Action::Test(args) => test::test(global, args),
    }
}
