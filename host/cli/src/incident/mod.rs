//! `incident`: open, link, note, regression, close, show, list, export. One file per subverb.

use clap::{Args, Subcommand};
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use provender_host::incident::{
    AskedLinks, Event, Incident, IncidentError, IncidentState, Incidents, Link, resolve_links,
};
use provender_ledger::Read;

use super::Global;
use super::context::Context;
use super::error::{CliError, DISK};
use super::exit::Exit;
use super::ui::Done;

mod close;
mod export;
mod list;
mod note;
mod open;
mod regression;
mod show;

pub(crate) use close::IncidentCloseAnswer;
pub(crate) use export::IncidentExportAnswer;
pub(crate) use list::IncidentListAnswer;
pub(crate) use note::IncidentNoteAnswer;
pub(crate) use open::{IncidentLinkAnswer, IncidentOpenAnswer};
pub(crate) use regression::IncidentRegressionAnswer;
pub(crate) use show::IncidentShowAnswer;

/// Record what went wrong, what it concerns, and the golden case that keeps it from coming back.
///
/// Incidents are numbered I1, I2, …. They consist of ledger entries, so nothing recorded about one ever
/// changes. The runbook is docs/operations/runbook.md.
///
/// Example: provender incident open --title "days far too high on the mesa" --report latest
#[derive(Args)]
pub(super) struct IncidentArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Open(open::OpenArgs),
    Link(open::LinkArgs),
    Note(note::NoteArgs),
    Regression(regression::RegressionArgs),
    Close(close::CloseArgs),
    Show(show::ShowArgs),
    List(list::ListArgs),
    Export(export::ExportArgs),
}

pub(super) fn run(global: &Global, args: &IncidentArgs) -> Result<Done, CliError> {
    match &args.action {
        Action::Open(a) => open::open(global, a),
        Action::Link(a) => open::link(global, a),
        Action::Note(a) => note::run(global, a),
        Action::Regression(a) => regression::run(global, a),
        Action::Close(a) => close::run(global, a),
        Action::Show(a) => show::run(global, a),
        Action::List(a) => list::run(global, a),
        Action::Export(a) => export::run(global, a),
    }
}

/// The records that an incident concerns.
#[derive(Args)]
struct ThingArgs {
    /// A report, by its digest or at least six of its hex digits. `latest` is the newest. May be
    /// repeated.
    #[arg(long = "report", value_name = "DIGEST")]
    reports: Vec<String>,
    /// A release: R3, 3, or the beginning of its digest. May be repeated.
    #[arg(long = "release", value_name = "R")]
    releases: Vec<String>,
    /// A run, by its id or at least six of its hex digits. Its manifest is linked too. May be repeated.
    #[arg(long = "run", value_name = "RUN")]
    runs: Vec<String>,
    /// A manifest, by its snapshot id or its path. May be repeated.
    #[arg(long = "manifest", value_name = "SNAPSHOT")]
    manifests: Vec<String>,
    /// A replay, by its entry's number. May be repeated.
    #[arg(long = "replay", value_name = "ENTRY")]
    replays: Vec<EntryNumber>,
    /// Any other entry of the ledger, by its number: a retraction, a gate's decision. May be repeated.
    #[arg(long = "entry", value_name = "N")]
    entries: Vec<EntryNumber>,
    /// Another incident. May be repeated.
    #[arg(long = "incident", value_name = "ID")]
    incidents: Vec<String>,
}

impl ThingArgs {
    /// Finds everything that the options name.
    fn find(
        &self,
        context: &Context,
        ledger: &dyn Read,
        incidents: &Incidents,
    ) -> Result<Vec<Link>, CliError> {
        let asked = AskedLinks {
            reports: &self.reports,
            releases: &self.releases,
            runs: &self.runs,
            manifests: &self.manifests,
            replays: &self.replays,
            entries: &self.entries,
            incidents: &self.incidents,
        };
        let manifests = context.manifests()?;
        Ok(resolve_links(
            ledger,
            &manifests,
            context.standing()?,
            incidents,
            &asked,
        )?)
    }
}

/// Rejects an empty text, because an auditor will read it.
fn require_text<'t>(option: &str, text: &'t str) -> Result<&'t str, CliError> {
    if text.trim().is_empty() {
        return Err(CliError::usage(format!(
            "{option} is empty: write what an auditor should read"
        )));
    }
    Ok(text)
}

/// An incident in short.
#[derive(Serialize, JsonSchema)]
struct IncidentBrief<'a> {
    /// `I3`.
    incident: String,
    /// Its number in this ledger, from 1.
    number: u32,
    /// What went wrong, in a line.
    title: &'a str,
    /// Whether people still look into it.
    state: IncidentState,
    /// The entry that opened it.
    opened: IncidentEntry<'a>,
    /// The entry that closed it; null while it is open.
    closed: Option<IncidentEntry<'a>>,
    /// What it is about, each thing once, in the order of linking.
    links: &'a [Link],
}

/// An entry of the ledger that says something of an incident.
#[derive(Serialize, JsonSchema)]
struct IncidentEntry<'a> {
    /// When: RFC 3339, UTC.
    at: &'a str,
    /// Who.
    by: &'a str,
    /// Its number.
    entry: EntryNumber,
}

impl IncidentBrief<'_> {
    fn of(incident: &Incident) -> IncidentBrief<'_> {
        fn entry(e: &Event) -> IncidentEntry<'_> {
            IncidentEntry {
                at: &e.stamp.at,
                by: &e.stamp.actor,
                entry: e.entry,
            }
        }
        IncidentBrief {
            incident: incident.name(),
            number: incident.number,
            title: &incident.title,
            state: incident.state(),
            opened: entry(incident.opened()),
            closed: incident.closed().map(entry),
            links: &incident.links,
        }
    }
}

impl From<IncidentError> for CliError {
    fn from(e: IncidentError) -> CliError {
        let (code, message) = (e.code(), e.to_string());
        let error = |exit| CliError::new(exit, code, &message);
        match e {
            IncidentError::Unknown { .. } => {
                error(Exit::NotFound).help("`provender incident list` lists them")
            }
            IncidentError::NotRecorded { .. } => {
                error(Exit::NotFound).help("an incident can link only what is recorded; nothing was written")
            }
            IncidentError::NotLinked { incident, run } => error(Exit::NotFound)
                .help(format!("provender incident link {incident} --run {run}")),
            IncidentError::NoCasesFolder(_) => error(Exit::NotFound).help("name the folder of the logic's golden cases with --cases DIR; it is beside the logic's source"),
            IncidentError::Ambiguous { .. } => error(Exit::Usage).help("give more digits"),
            IncidentError::Closed { incident, .. } => error(Exit::Check).help(format!(
                "`provender incident note {incident} …` adds later findings; a new incident can link it with --incident {incident}"
            )),
            IncidentError::Overtaken(incident) => error(Exit::Busy).help(format!(
                "look at it again with `provender incident show {incident}`"
            )),
            IncidentError::NoFailing { incident, .. } => error(Exit::NotFound).help(format!(
                "`provender incident link {incident} --run RUN` links the runs whose inputs are to become cases"
            )),
            IncidentError::Occupied { .. } => error(Exit::Check).help(
                "DS may have completed it: keep it, or move it away to have it written again; nothing was written",
            ),
            IncidentError::NotReady {
                incident,
                written: false,
                ..
            } => error(Exit::Check).help(format!(
                "`provender incident regression {incident}` writes the failing inputs as golden cases, which DS completes; --waive-regression REASON closes without cases"
            )),
            IncidentError::NotReady { .. } => error(Exit::Check).help(
                "have DS write the right outputs into the case (docs/reference/golden-cases.md), then close again. Give --cases DIR if the file was moved; --waive-regression REASON closes without cases",
            ),
            IncidentError::Damaged { .. } => error(Exit::Integrity),
            IncidentError::Io { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                error(Exit::NotFound)
            }
            IncidentError::Io { .. } => error(Exit::Io).help(DISK),
            IncidentError::Ledger(e) => e.into(),
            IncidentError::Explain(e) => e.into(),
            IncidentError::Manifest(e) => e.into(),
            IncidentError::Release(e) => e.into(),
            IncidentError::Golden(e) => e.into(),
            IncidentError::Canonical(_) => error(Exit::Internal),
        }
    }
}
