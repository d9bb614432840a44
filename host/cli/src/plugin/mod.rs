//! `plugin`: pinned components, what they declare, and the tools for their authors.
//!
//! * `new`, `build` — a version's folder, and its component
//! * `check` — everything that would be refused later
//! * `diff` — what two versions declare, side by side
//! * `found` — the component that an argument names
//! * `pinning` — pin a component as a draft, freeze it
//! * `list` — the pinned components
//! * `show` — what a component declares
//! * `subject` — a component and the folder of its golden cases
//! * `test` — golden cases

use clap::{Args, Subcommand};

use provender_build::BuildError;
use provender_host::author::AuthorError;

use super::Global;
use super::context::Context;
use super::error::{CliError, DISK, not_found_or_io};
use super::exit::Exit;
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

/// Create, build, check, test, pin, freeze, list and show components.
///
/// Example: provender plugin check build/days_remaining-v3.wasm
#[derive(Args)]
pub(super) struct PluginArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create a folder for a new logic version: source, golden cases, tests, and all that a build needs.
    ///
    /// Example: provender plugin new days_remaining:v3 --from v2
    New(new::NewArgs),
    /// Build a folder into a component, with cargo or componentize-py.
    ///
    /// componentize-py is taken from PROVENDER_COMPONENTIZE_PY, else from the folder's .venv, else from PATH.
    ///
    /// Example: provender plugin build days-remaining-v3
    Build(build::BuildArgs),
    /// Check a component for everything that `compute` would refuse, and list each reason and its fix.
    ///
    /// Also runs the component on empty, null, extreme, reordered and split batches, and with each parameter
    /// at its bounds.
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
    /// Each case runs alone. Cases with equal parameters then run together, in reverse order and split, and
    /// must give the same bits each time. Exits 17 if a case does not hold, 15 if the component fails, and 66
    /// if there are no cases. docs/reference/golden-cases.md describes the format of the cases.
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
        /// The one to compare with: a pinned name:version, or a .wasm file.
        second: String,
    },
    Freeze(pinning::FreezeArgs),
    /// List the pinned components.
    ///
    /// Example: provender plugin list
    List,
    /// Show what a component declares: inputs, parameters, outputs, guardrails, monitors.
    ///
    /// Example: provender plugin show days_remaining:v2
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

impl From<AuthorError> for CliError {
    fn from(e: AuthorError) -> CliError {
        let exit = match &e {
            AuthorError::Name { .. }
            | AuthorError::Occupied { .. }
            | AuthorError::OtherLanguage { .. } => Exit::Usage,
            AuthorError::Pinned { .. }
            | AuthorError::Member { .. }
            | AuthorError::PinnedOther { .. }
            | AuthorError::Declared { .. }
            | AuthorError::Componentize { .. } => Exit::Check,
            AuthorError::NoSource { .. }
            | AuthorError::NoFolder { .. }
            | AuthorError::Tools(_)
            | AuthorError::NoComponentize { .. }
            | AuthorError::OtherComponentize { .. } => Exit::NotFound,
            AuthorError::Carry { .. } => Exit::Data,
            AuthorError::Manifest { .. } => Exit::Config,
            AuthorError::Io { cause, .. } => not_found_or_io(cause),
            AuthorError::Build(e) => match e {
                BuildError::Io { error, .. } => not_found_or_io(error),
                BuildError::Manifest { .. } => Exit::Config,
                BuildError::Cargo { .. } | BuildError::Path(_) | BuildError::Component(_) => {
                    Exit::Check
                }
            },
        };
        // I/O errors have no next step of their own.
        let disk = match &e {
            AuthorError::Io { cause, .. }
            | AuthorError::Build(BuildError::Io { error: cause, .. }) => {
                (cause.kind() != std::io::ErrorKind::NotFound).then(|| DISK.to_owned())
            }
            _ => None,
        };
        CliError {
            exit,
            code: e.code().to_owned(),
            message: e.to_string(),
            help: e.help().or(disk),
        }
    }
}
