//! `man`: manual pages, generated from the definition of the command line.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::files::outfile::Together;
use provender_domain::render::text::count;

use super::error::{CliError, DISK};
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// Print the program's manual page, or write one page for each verb.
///
/// Example: provender man | man -l -
///
/// Example: provender man --out /usr/local/share/man/man1
#[derive(Args)]
pub(super) struct ManArgs {
    /// Write the program's page and one for each verb into this folder, which is created if needed.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs, mut command: Command) -> Result<Done, CliError> {
    command.build();
    let Some(folder) = &args.out else {
        let page = page(&command)?;
        let answer = ManAnswer::Page { page: &page };
        return Ok(Done::ok(&answer, Text::verbatim(page.clone())));
    };
    let mut pages = Vec::new();
    collect(&command, &mut pages)?;
    write(folder, &pages).map_err(|e| {
        let message = format!("{}: {e}", folder.display());
        CliError::new(Exit::Io, "man_unwritable", message).help(DISK)
    })?;
    let mut text = Text::default();
    let written = count(pages.len() as u64, "page");
    text.look(
        Look::Good,
        format!("wrote {written} to {}", folder.display()),
    );
    let answer = ManAnswer::Folder {
        folder: folder.display().to_string(),
        pages: pages.iter().map(|(name, _)| name.as_str()).collect(),
    };
    Ok(Done::ok(&answer, text))
}

/// The manual page, or where the pages were written.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ManAnswer<'a> {
    /// Without `--out`.
    Page {
        /// The page of the program, as roff.
        page: &'a str,
    },
    /// With `--out`.
    Folder {
        /// The folder.
        folder: String,
        /// The files in it that were written.
        pages: Vec<&'a str>,
    },
}

fn page(command: &Command) -> Result<String, CliError> {
    let unprintable =
        |e: String| CliError::new(Exit::Internal, "man_page", format!("no manual page: {e}"));
    let mut page = Vec::new();
    Man::new(command.clone())
        .render(&mut page)
        .map_err(|e| unprintable(e.to_string()))?;
    String::from_utf8(page).map_err(|e| unprintable(e.to_string()))
}

/// Collects the pages of a command and its subcommands as pairs of file name
/// (`provender-plugin-check.1`) and text.
fn collect(command: &Command, pages: &mut Vec<(String, String)>) -> Result<(), CliError> {
    let name = Man::new(command.clone()).get_filename();
    pages.push((name, page(command)?));
    for verb in command.get_subcommands().filter(|c| c.get_name() != "help") {
        collect(verb, pages)?;
    }
    Ok(())
}

fn write(folder: &Path, pages: &[(String, String)]) -> std::io::Result<()> {
    let mut together = Together::default();
    together.folder(folder)?;
    for (name, page) in pages {
        together.write(&folder.join(name), page.as_bytes())?;
    }
    together.settle()?;
    together.keep();
    Ok(())
}
