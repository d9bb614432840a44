//! `incident regression`: writes the failing inputs as golden cases.

use provender_ledger::EntryNumber;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::render::text::count;
use provender_host::deployment::RegressionRequest;
use provender_host::golden::version_number;
use provender_host::incident::{DraftedCases, ExportedCases, MOST_AUTOMATIC_CASES};

/// Write an incident's failing inputs as golden cases, for DS to complete with the right outputs.
///
/// Writes one file per logic version into the folder of the logic's cases. A case expects nothing yet,
/// so `plugin test` fails until DS has completed it: it cannot pass unnoticed. The cases bind the
/// versions after the one that failed, which is frozen and cannot change.
///
/// Example: provender incident regression I1 --cases logic-plugins/cases
#[derive(Args)]
pub(crate) struct RegressionArgs {
    /// The incident, as I1 or 1.
    incident: String,
    /// The folder of golden cases, or one that has a folder for each logic. Default:
    /// logic-plugins/cases here or in the deployment's folder, or `cases` in the deployment's folder.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Only this linked run. May be repeated.
    #[arg(long = "run", value_name = "RUN")]
    runs: Vec<String>,
    /// The first version that the cases bind. Default: the one after the version that failed.
    #[arg(long, value_name = "VERSION")]
    since: Option<String>,
}

pub(super) fn run(global: &Global, args: &RegressionArgs) -> Result<Done, CliError> {
    if let Some(since) = &args.since
        && version_number(since).is_none()
    {
        return Err(CliError::usage(format!(
            "--since {since} is not a version: versions are v1, v2 and so on"
        )));
    }
    let context = Context::open(global)?;
    let request = RegressionRequest {
        incident: &args.incident,
        cases: args.cases.as_deref(),
        runs: &args.runs,
        since: args.since.as_deref(),
    };
    let (incident, written) = context.write_regression(&request)?;
    let mut text = Text::default();
    let mut files = Vec::new();
    for one in written {
        append_exported(&mut text, &one.exported, &one.drafted, one.entry.is_some());
        files.push(WrittenCases {
            exported: one.exported,
            left_out: one.drafted.left_out,
            entry: one.entry,
        });
    }
    text.blank();
    text.line(
        "next: DS completes the cases with the right outputs; `provender plugin test` fails until then",
    );
    text.line(format!(
        "      provender incident close {} --resolution TEXT",
        incident
    ));
    let answer = IncidentRegressionAnswer { incident, files };
    Ok(Done::ok(&answer, text))
}

fn append_exported(text: &mut Text, exported: &ExportedCases, file: &DraftedCases, new: bool) {
    let word = if new { "wrote" } else { "unchanged:" };
    text.look(
        Look::Good,
        format!(
            "{word} {} with {} of {}, binding {} and later",
            exported.file,
            count(exported.cases.len() as u64, "golden case"),
            exported.logic,
            exported.since
        ),
    );
    if file.left_out > 0 {
        text.line(format!(
            "  {} left out, with the same inputs as another or beyond the first {MOST_AUTOMATIC_CASES}; --run selects one",
            count(file.left_out as u64, "run")
        ));
    }
}

/// The files of regression cases that were written.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncidentRegressionAnswer {
    /// The incident: `I3`.
    incident: String,
    /// A file for each version whose answers failed.
    files: Vec<WrittenCases>,
}

/// A file of golden cases.
#[derive(Serialize, JsonSchema)]
struct WrittenCases {
    #[serde(flatten)]
    exported: ExportedCases,
    /// Runs that were left out: the same inputs as another, or too many.
    left_out: usize,
    /// The entry that recorded the file; null where it was recorded before.
    entry: Option<EntryNumber>,
}
