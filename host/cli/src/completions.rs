//! `completions`: for the shell.

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Exit;
use super::ui;

/// Print completions for a shell.
///
/// Example: provender completions bash > /etc/bash_completion.d/provender
#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, command: &mut Command) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "provender", &mut script);
    match ui::print(&String::from_utf8_lossy(&script)) {
        true => Exit::Ok,
        false => Exit::Io,
    }
}
