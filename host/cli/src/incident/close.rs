//! `incident close`: closes with a resolution and either checked regression cases or a reason to waive
//! them.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::deployment::Runtime;
use provender_host::explain::find::{Wanted, find};
use provender_host::incident::link::LinkKind;
use provender_host::incident::regression::{Inputs, Version, case_name, check};
use provender_host::incident::state::{ExportedCases, RegressionCase};
use provender_host::incident::{Incident, IncidentError, Incidents, act};
use provender_sandbox::Component;

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
    entry: i64,
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
        None => held(&context, incident, args.cases.as_deref())?,
    };
    let stamp = context.stamp(None);
    let entry = act::close(&*ledger, &stamp, incident, resolution, waived, &cases)?;
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

/// Checks the regression cases and returns them.
fn held(
    context: &Context,
    incident: &Incident,
    moved: Option<&Path>,
) -> Result<Vec<RegressionCase>, CliError> {
    let exported = incident.exported();
    if exported.is_empty() {
        return Err(IncidentError::NotReady {
            incident: incident.name(),
            problem: "it has no regression case, so nothing keeps it from coming back silently"
                .to_owned(),
            written: false,
        }
        .into());
    }
    let runtime = context.runtime()?;
    let active = context.active()?;
    let failed = failed(context, &runtime, incident)?;
    let mut held = Vec::new();
    for file in exported {
        let name = file.logic.split(':').next().unwrap_or_default();
        let mut components: Vec<(Component, bool)> = Vec::new();
        for pin in runtime.lock.components().iter().filter(|p| p.name == name) {
            let answers = active.contains(&pin.model_version());
            components.push((context.load(&runtime.sandbox, pin)?, answers));
        }
        let versions: Vec<Version<'_>> = components
            .iter()
            .map(|(component, active)| Version {
                component,
                active: *active,
            })
            .collect();
        let (folder, shown) = folder(context, file, moved);
        held.extend(check(incident, &folder, &shown, file, &versions, &failed)?);
    }
    Ok(held)
}

/// The inputs of the linked runs, by the name of their case.
fn failed(context: &Context, runtime: &Runtime, incident: &Incident) -> Result<Inputs, CliError> {
    let ledger = context.reader()?;
    let environment = &context.project.settings.environment;
    let mut inputs = Inputs::new();
    for link in incident.links.iter().filter(|l| l.what == LinkKind::Run) {
        let run = find(&*ledger, &Wanted::Id(link.id.clone()))?.run.run;
        let manifest = runtime.manifests.read(run.manifest_ref())?;
        let name = case_name(incident, environment, &run.key);
        let _ = inputs.insert(name, manifest.reproducible.inputs);
    }
    Ok(inputs)
}

/// The folder of the cases, to open and to show. The recorded path may be relative to the working
/// directory or to the deployment's folder.
fn folder(context: &Context, file: &ExportedCases, moved: Option<&Path>) -> (PathBuf, String) {
    if let Some(dir) = moved {
        return (dir.to_owned(), dir.display().to_string());
    }
    let written = file.file.rsplit_once('/').map_or(".", |(folder, _)| folder);
    let folder = match Path::new(&file.file).is_file() {
        true => PathBuf::from(written),
        false => context.project.root.join(written),
    };
    (folder, written.to_owned())
}
