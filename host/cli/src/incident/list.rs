//! `incident list`.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::incident::{Incident, IncidentState, Incidents};

use super::IncidentBrief;

/// List the incidents, oldest first.
///
/// Example: provender incident list --open
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only open incidents.
    #[arg(long)]
    open: bool,
}

/// The incidents.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncidentListAnswer<'a> {
    /// All of them, or those that are open, oldest first.
    incidents: Vec<IncidentBrief<'a>>,
}

pub(super) fn run(global: &Global, args: &ListArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let incidents = Incidents::read(&*context.reader()?)?;
    let listed: Vec<&Incident> = incidents
        .all
        .iter()
        .filter(|i| !args.open || i.closed().is_none())
        .collect();
    let mut text = Text::default();
    if listed.is_empty() {
        text.line(if args.open {
            "no incident is open"
        } else {
            "no incident; `provender incident open` opens one"
        });
    } else {
        let rows: Vec<_> = listed.iter().map(|i| row(i)).collect();
        text.table(
            &["incident", "state", "opened", "by", "links", "title"],
            &rows,
        );
    }
    let incidents = listed.iter().map(|i| IncidentBrief::of(i)).collect();
    Ok(Done::ok(&IncidentListAnswer { incidents }, text))
}

fn row(incident: &Incident) -> Vec<(Look, String)> {
    let look = match incident.state() {
        IncidentState::Open => Look::Warn,
        IncidentState::Closed => Look::Good,
    };
    vec![
        (Look::Plain, incident.name()),
        (look, incident.state().to_string()),
        (Look::Plain, incident.opened().stamp.at.clone()),
        (Look::Plain, incident.opened().stamp.actor.clone()),
        (Look::Plain, incident.links.len().to_string()),
        (Look::Plain, incident.title.clone()),
    ]
}
