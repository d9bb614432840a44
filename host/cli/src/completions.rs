//! `completions`: completion scripts for shells.

use clap::{Args, Command};
use clap_complete::Shell;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Text};

/// Print a completion script for a shell.
///
/// Example: provender completions bash > /etc/bash_completion.d/provender
#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell to complete for.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> Result<Done, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "provender", &mut script);
    let script = String::from_utf8(script).map_err(|e| {
        let message = format!("the completions cannot be printed: {e}");
        CliError::new(Exit::Internal, "completions", message)
    })?;
    let answer = CompletionsAnswer {
        shell: args.shell.to_string(),
        script: &script,
    };
    Ok(Done::ok(&answer, Text::verbatim(script.clone())))
}

/// Completions for a shell.
#[derive(Serialize, JsonSchema)]
pub(super) struct CompletionsAnswer<'a> {
    /// The shell.
    shell: String,
    /// What the shell reads.
    script: &'a str,
}
