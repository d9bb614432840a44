//! `incident close`: closes with a resolution and either checked regression cases or a reason to waive
//! them.

use provender_ledger::EntryNumber;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::incident::{self, Incidents, RegressionCase};

use super::require_text;

/// Close an incident with its resolution and its completed regression cases.
///
/// Each case must be in its file, with the outputs that DS expects for the inputs that failed. If it
/// binds the active version, it must hold for it. The digest of its file is recorded.
/// --waive-regression closes without cases, for a reason that you give.
///
/// Example: provender incident close I1 --resolution "v4 reads kg/ha; promoted as R5"
#[derive(Args)]
pub(crate) struct CloseArgs {
    /// The incident, as I1 or 1.
    incident: String,
    /// How it was resolved.
    #[arg(long, value_name = "TEXT")]
    resolution: String,
    /// Why no regression case is needed.
    #[arg(long, value_name = "REASON")]
    waive_regression: Option<String>,
    /// The folder that the regression cases are in now, if they were moved.
    #[arg(long, value_name = "DIR", conflicts_with = "waive_regression")]
    cases: Option<PathBuf>,
}

/// An incident that was closed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncidentCloseAnswer<'a> {
    /// The incident: `I3`.
    incident: String,
    /// The entry that closed it.
    entry: EntryNumber,
    /// How it was resolved.
    resolution: &'a str,
    /// Why no regression case is needed; null where there are some.
    waived: Option<&'a str>,
    /// The regression cases, and what was checked of each.
    cases: Vec<RegressionCase>,
}

pub(super) fn run(global: &Global, args: &CloseArgs) -> Result<Done, CliError> {
    let resolution = require_text("--resolution", &args.resolution)?;
    let waived = args.waive_regression.as_deref();
    let waived = waived
        .map(|w| require_text("--waive-regression", w))
        .transpose()?;
    let context = Context::open(global)?;
    let ledger = context.writer()?;
    let incidents = Incidents::read(&*ledger)?;
    let incident = incidents.find(&args.incident)?;
    incident.must_be_open()?;
    let cases = match waived {
        Some(_) => Vec::new(),
        None => context.regression_cases(incident, args.cases.as_deref())?,
    };
    let stamp = context.stamp(None);
    let entry = incident::close(&*ledger, &stamp, incident, resolution, waived, &cases)?;
    let name = incident.name();
    let mut text = Text::default();
    text.look(Look::Good, format!("closed {name}: {resolution}"));
    for case in &cases {
        text.line(format!("  {}: {}", case.case, case.checked));
    }
    if let Some(why) = waived {
        text.look(Look::Warn, format!("  without a regression case: {why}"));
    }
    text.line(format!(
        "next: provender incident export {name} --html {name}.html   # one page for the audit"
    ));
    let answer = IncidentCloseAnswer {
        incident: name,
        entry,
        resolution,
        waived,
        cases,
    };
    Ok(Done::ok(&answer, text))
}
