//! `incident export`: an incident as one page.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::{CliError, DISK};
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::files::outfile;
use provender_domain::render::html::page;
use provender_domain::render::markdown::markdown;
use provender_host::incident::{Dossier, IncidentPage, Incidents};

/// Write an incident as one self-contained page: timeline, links with their digests, cases.
///
/// Without --html or --markdown, prints the Markdown.
///
/// Example: provender incident export I1 --html I1.html
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The incident, as I1 or 1.
    incident: String,
    /// Write it as one HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write it as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// An incident, whole, and where it was written.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncidentExportAnswer<'a> {
    #[serde(flatten)]
    page: IncidentPage<'a>,
    /// The files that were written; empty where the page was printed.
    files: Vec<String>,
}

pub(super) fn run(global: &Global, args: &ExportArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.reader()?;
    let incidents = Incidents::read(&*ledger)?;
    let incident = incidents.find(&args.incident)?;
    let environment = &context.project.settings.environment;
    let dossier = Dossier::gather(&*ledger, incident, environment)?;
    let document = dossier
        .document()
        .map_err(|e| CliError::new(Exit::Internal, "not_canonical", e.to_string()))?;
    let mut text = Text::default();
    let mut files = Vec::new();
    if let Some(file) = &args.html {
        write(file, &page(&document))?;
        files.push(file);
    }
    if let Some(file) = &args.markdown {
        write(file, &markdown(&document))?;
        files.push(file);
    }
    for file in &files {
        text.look(Look::Good, format!("wrote {}", file.display()));
    }
    if files.is_empty() {
        text.line(markdown(&document).trim_end());
    }
    let answer = IncidentExportAnswer {
        page: dossier.page(),
        files: files.iter().map(|f| f.display().to_string()).collect(),
    };
    Ok(Done::ok(&answer, text))
}

fn write(file: &Path, body: &str) -> Result<(), CliError> {
    outfile::write(file, body.as_bytes()).map_err(|e| {
        CliError::new(
            Exit::Io,
            "page_unwritable",
            format!("{} cannot be written: {e}", file.display()),
        )
        .help(DISK)
    })
}
