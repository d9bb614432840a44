//! `incident note`.

use clap::Args;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::incident::{self, Incidents};

use super::require_text;

/// Add a finding to an incident's timeline, even after it was closed.
///
/// Example: provender incident note I1 "v3 divides by pounds; v2 on the same inputs is as before"
#[derive(Args)]
pub(crate) struct NoteArgs {
    /// The incident, as I1 or 1.
    incident: String,
    /// The text of the finding.
    text: String,
}

/// A note that was recorded.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncidentNoteAnswer<'a> {
    /// The incident: `I3`.
    incident: String,
    /// The entry of the note.
    entry: EntryNumber,
    /// What was found out.
    note: &'a str,
}

pub(super) fn run(global: &Global, args: &NoteArgs) -> Result<Done, CliError> {
    let note = require_text("the note", &args.text)?;
    let context = Context::open(global)?;
    let ledger = context.writer()?;
    let name = Incidents::read(&*ledger)?.find(&args.incident)?.name();
    let entry = incident::note(&*ledger, &context.stamp(None), &name, note)?;
    let mut text = Text::default();
    text.look(Look::Good, format!("noted in {name}, as entry {entry}"));
    let answer = IncidentNoteAnswer {
        incident: name,
        entry,
        note,
    };
    Ok(Done::ok(&answer, text))
}
