//! `incident open` and `incident link`.

use clap::Args;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::render::text::count;
use provender_host::incident::{self, Incidents, Link, LinkKind, failing_runs};
use provender_ledger::Read;

use super::{ThingArgs, require_text};

/// Open an incident about reports, releases, runs with their manifests, or replays.
///
/// A report also links the runs behind its failing rows, up to the first 50. The active release is
/// linked as well. Everything that you link must be recorded.
///
/// Example: provender incident open --title "days far too high on the mesa" --report latest
#[derive(Args)]
pub(crate) struct OpenArgs {
    /// What went wrong, in one line.
    #[arg(long, value_name = "TEXT")]
    title: String,
    #[command(flatten)]
    things: ThingArgs,
}

/// Link more records to an incident.
///
/// Example: provender incident link I1 --release R3 --run 4f2a9c81d0aa
#[derive(Args)]
pub(crate) struct LinkArgs {
    /// The incident, as I1 or 1.
    incident: String,
    #[command(flatten)]
    things: ThingArgs,
}

/// The links for the options, including the failing runs of reports, and one line for each report whose
/// runs were left out.
fn find_links(
    context: &Context,
    ledger: &dyn Read,
    things: &ThingArgs,
) -> Result<(Vec<Link>, Vec<String>), CliError> {
    let incidents = Incidents::read(ledger)?;
    let mut links = things.find(context, ledger, &incidents)?;
    let manifests = context.manifests()?;
    let mut notes = Vec::new();
    let reports: Vec<Link> = links
        .iter()
        .filter(|l| l.what == LinkKind::Report)
        .cloned()
        .collect();
    for report in &reports {
        let (runs, all) = failing_runs(ledger, &manifests, report)?;
        if runs.len() < all {
            notes.push(format!(
                "{} names {all} failing runs; the first {} are linked, the report names the others",
                report.name(),
                runs.len()
            ));
        }
        for run in runs {
            if !links.iter().any(|l| l.what == run.what && l.id == run.id) {
                links.push(run);
            }
        }
    }
    Ok((links, notes))
}

/// Appends one line per link, such as `report 4c31c78cae4a (monitor crit: …)`. Beyond five, runs are
/// only counted.
fn append_links(text: &mut Text, links: &[Link]) {
    let runs = links.iter().filter(|l| l.what == LinkKind::Run).count();
    for link in links.iter().filter(|l| l.what != LinkKind::Run) {
        text.line(format!("  {} ({})", link.name(), link.about));
    }
    for link in links.iter().filter(|l| l.what == LinkKind::Run).take(5) {
        text.line(format!("  {} ({})", link.name(), link.about));
    }
    if runs > 5 {
        text.line(format!("  and {}", count((runs - 5) as u64, "more run")));
    }
}

/// An incident that was opened.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncidentOpenAnswer<'a> {
    /// Its name: `I3`.
    incident: String,
    /// Its number in this ledger, from 1.
    number: u32,
    /// What went wrong, in a line.
    title: &'a str,
    /// The entry that opened it.
    entry: EntryNumber,
    /// What it is about.
    links: Vec<Link>,
}

/// What was linked to an incident.
#[derive(Serialize, JsonSchema)]
pub(crate) struct IncidentLinkAnswer {
    /// The incident: `I3`.
    incident: String,
    /// The entry that linked it; null where it linked all of it already.
    entry: Option<EntryNumber>,
    /// What it did not link before.
    new: Vec<Link>,
}

pub(super) fn open(global: &Global, args: &OpenArgs) -> Result<Done, CliError> {
    let title = require_text("--title", &args.title)?;
    let context = Context::open(global)?;
    let ledger = context.writer()?;
    let (mut links, notes) = find_links(&context, &*ledger, &args.things)?;
    if links.is_empty() {
        return Err(CliError::usage(
            "what is it about? give --report DIGEST (or latest), --run RUN, --release R, --replay ENTRY or --entry N",
        ));
    }
    if let Some(active) = context.standing()?.active_release()
        && !links.iter().any(|l| l.what == LinkKind::Release)
    {
        let one = ThingArgs {
            reports: Vec::new(),
            releases: vec![active.digest.to_string()],
            runs: Vec::new(),
            manifests: Vec::new(),
            replays: Vec::new(),
            entries: Vec::new(),
            incidents: Vec::new(),
        };
        links.extend(one.find(&context, &*ledger, &Incidents::default())?);
    }
    let (number, entry) = incident::open(&*ledger, &context.stamp(None), title, &links)?;
    let name = format!("I{number}");
    let mut text = Text::default();
    text.look(Look::Strong, format!("opened {name}: {title}"));
    append_links(&mut text, &links);
    for line in &notes {
        text.line(format!("  {line}"));
    }
    text.blank();
    text.line(format!("next: provender incident note {name} TEXT"));
    text.line(format!(
        "      provender incident regression {name}   # its failing inputs as golden cases"
    ));
    let answer = IncidentOpenAnswer {
        incident: name,
        number,
        title,
        entry,
        links,
    };
    Ok(Done::ok(&answer, text))
}

pub(super) fn link(global: &Global, args: &LinkArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.writer()?;
    let (links, notes) = find_links(&context, &*ledger, &args.things)?;
    if links.is_empty() {
        return Err(CliError::usage(
            "nothing is given to link: give --report DIGEST, --run RUN, --release R, --replay ENTRY, --entry N or --incident ID",
        ));
    }
    let (new, entry) = incident::link(&*ledger, &context.stamp(None), &args.incident, &links)?;
    let incidents = Incidents::read(&*ledger)?;
    let name = incidents.find(&args.incident)?.name();
    let mut text = Text::default();
    if new.is_empty() {
        text.line(format!("unchanged: {name} already links all of it"));
    } else {
        text.look(Look::Good, format!("linked to {name}:"));
        append_links(&mut text, &new);
    }
    for line in &notes {
        text.line(format!("  {line}"));
    }
    let answer = IncidentLinkAnswer {
        incident: name,
        entry,
        new,
    };
    Ok(Done::ok(&answer, text))
}
