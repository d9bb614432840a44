//! `doctor`: finds problems of a deployment and what to do about each.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_host::doctor::{DoctorFinding, examine};

use super::Global;
use super::context::options;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// Find problems of a deployment: unusable files, a ledger that is missing or that this program cannot
/// read, components that are not the pinned ones, folders that cannot be written, leftovers of a killed
/// process.
///
/// Changes nothing. Exits 0 when it finds nothing, else 1. Each finding comes with its next step. To
/// check what is recorded, use `audit`; to check that components do what they declare, use `verify`.
///
/// Example: provender doctor
///
/// Example: provender doctor --upgrade
#[derive(Args)]
pub(super) struct DoctorArgs {
    /// Also report what this version of the program requires of a deployment that an older one wrote.
    #[arg(long)]
    upgrade: bool,
}

pub(super) fn run(global: &Global, args: &DoctorArgs) -> Result<Done, CliError> {
    let found = examine(&options(global)?, args.upgrade)?;
    let mut text = Text::default();
    if found.is_empty() {
        text.look(Look::Good, "no problems found");
    }
    for finding in &found {
        text.look(
            Look::Warn,
            format!("{}: {}", finding.code(), finding.what()),
        );
        text.line(format!("  next: {}", finding.next()));
    }
    let exit = match found.is_empty() {
        true => Exit::Ok,
        false => Exit::Warn,
    };
    let row = |f: &DoctorFinding| FindingRow {
        code: f.code().to_owned(),
        what: f.what(),
        next: f.next(),
    };
    let findings = found.iter().map(row).collect();
    Ok(Done::ended(exit, &DoctorAnswer { findings }, text, None))
}

/// The problems of a deployment.
#[derive(Serialize, JsonSchema)]
pub(super) struct DoctorAnswer {
    /// Each finding, in the order in which to deal with them; empty if there are none.
    findings: Vec<FindingRow>,
}

/// A problem of a deployment.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DoctorFinding")]
struct FindingRow {
    /// A stable code.
    code: String,
    /// What is wrong or will be required, with the value in it.
    what: String,
    /// What to do.
    next: String,
}
