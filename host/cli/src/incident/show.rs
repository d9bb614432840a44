//! `incident show`: shows an incident with its timeline.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::render::escape;
use provender_host::incident::{
    Dossier, IncidentPage, Incidents, LinkKind, TimelineStep, timeline,
};

/// Show an incident: what it concerns and what happened when.
///
/// Example: provender incident show I1
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The incident, as I1 or 1.
    incident: String,
}

/// An incident, whole.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncidentShowAnswer<'a> {
    #[serde(flatten)]
    page: IncidentPage<'a>,
    /// Its number in this ledger, from 1.
    number: u32,
}

pub(super) fn run(global: &Global, args: &ShowArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.reader()?;
    let incidents = Incidents::read(&*ledger)?;
    let incident = incidents.find(&args.incident)?;
    let mut text = Text::default();
    text.look(
        Look::Strong,
        format!(
            "{} ({}): {}",
            incident.name(),
            incident.state(),
            escape::terminal(&incident.title)
        ),
    );
    text.blank();
    let rows: Vec<_> = timeline(&*ledger, incident)?.iter().map(row).collect();
    text.table(&["entry", "when", "who", "what"], &rows);
    text.blank();
    for link in &incident.links {
        let manifest = link
            .manifest
            .as_deref()
            .filter(|_| link.what == LinkKind::Run);
        let manifest = manifest.map_or_else(String::new, |m| format!(" {m}"));
        text.line(escape::terminal(&format!(
            "{}: {}{manifest}",
            link.name(),
            link.about
        )));
    }
    for exported in incident.exported() {
        text.line(format!(
            "golden cases: {} ({}, binding {} and later)",
            exported.file,
            exported.cases.len(),
            exported.since
        ));
    }
    let environment = &context.project.settings.environment;
    let dossier = Dossier::gather(&*ledger, incident, environment)?;
    let answer = IncidentShowAnswer {
        page: dossier.page(),
        number: incident.number,
    };
    Ok(Done::ok(&answer, text))
}

fn row(step: &TimelineStep) -> Vec<(Look, String)> {
    let look = if step.own { Look::Plain } else { Look::Dim };
    [
        step.entry.to_string(),
        step.at.clone(),
        step.by.clone(),
        step.what.clone(),
    ]
    .into_iter()
    .map(|cell| (look, cell))
    .collect()
}
