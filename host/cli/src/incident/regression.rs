//! `incident regression`: writes the failing inputs as golden cases.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::plugin::subject::cases_folder;
use crate::ui::{Done, Look, Text};
use provender_domain::render::text::count;
use provender_host::deployment::{Runtime, pin};
use provender_host::explain::find::{Wanted, find};
use provender_host::golden::case::version_number;
use provender_host::incident::link::LinkKind;
use provender_host::incident::regression::{CASES, Drafted, draft, write};
use provender_host::incident::state::ExportedCases;
use provender_host::incident::{Incident, Incidents, act};
use provender_ledger::Read;
use provender_ledger::types::Run;
use provender_store::manifest::Manifest;

/// Default folders of golden cases: in a repository laid out like Provender's own, and in a deployment.
const CASES_DIRS: [&str; 2] = ["logic-plugins/cases", "cases"];

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
    let ledger = context.writer()?;
    let incidents = Incidents::read(&*ledger)?;
    let incident = incidents.find(&args.incident)?;
    incident.must_be_open()?;
    let runtime = context.runtime()?;
    let environment = &context.project.settings.environment;
    let mut drafted = Vec::new();
    // Check everything before writing anything.
    for (logic, runs) in failing(&*ledger, &runtime, incident, &args.runs)? {
        let component = context.load(&runtime.sandbox, pin(&runtime.lock, &logic)?)?;
        let d = component.description();
        let folder = folder(&context, args.cases.as_deref(), &d.name)?;
        let file = draft(incident, environment, d, args.since.as_deref(), &runs)?;
        drafted.push((logic, folder, file));
    }
    let mut text = Text::default();
    let mut files = Vec::new();
    for (logic, (folder, shown), file) in &drafted {
        let sha256 = write(folder, shown, file)?;
        let exported = ExportedCases {
            file: format!("{shown}/{}", file.file),
            sha256: sha256.to_string(),
            logic: logic.to_string(),
            since: file.since.clone(),
            cases: file.cases.clone(),
        };
        let stamp = context.stamp(None);
        let entry = act::exported(&*ledger, &stamp, &incident.name(), &exported)?;
        append_exported(&mut text, &exported, file, entry.is_some());
        files.push(WrittenCases {
            exported,
            left_out: file.left_out,
            entry,
        });
    }
    text.blank();
    text.line(
        "next: DS completes the cases with the right outputs; `provender plugin test` fails until then",
    );
    text.line(format!(
        "      provender incident close {} --resolution TEXT",
        incident.name()
    ));
    let answer = IncidentRegressionAnswer {
        incident: incident.name(),
        files,
    };
    Ok(Done::ok(&answer, text))
}

fn append_exported(text: &mut Text, exported: &ExportedCases, file: &Drafted, new: bool) {
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
            "  {} left out, with the same inputs as another or beyond the first {CASES}; --run selects one",
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
    entry: Option<i64>,
}

/// Linked runs with their manifests, by `name:version`.
type ByLogic = BTreeMap<ModelVersion, Vec<(Run, Manifest)>>;

/// The linked runs, or only those given with --run.
fn failing(
    ledger: &dyn Read,
    runtime: &Runtime,
    incident: &Incident,
    only: &[String],
) -> Result<ByLogic, CliError> {
    let mut by_logic = ByLogic::new();
    let linked: Vec<&str> = incident
        .links
        .iter()
        .filter(|l| l.what == LinkKind::Run)
        .map(|l| l.id.as_str())
        .collect();
    let mut wanted: Vec<String> = linked.iter().map(|id| (*id).to_owned()).collect();
    if !only.is_empty() {
        wanted.clear();
        for asked in only {
            let id = find(ledger, &Wanted::Id(asked.clone()))?
                .run
                .run
                .key
                .run_id();
            if !linked.contains(&id.to_string().as_str()) {
                return Err(CliError::new(
                    Exit::NotFound,
                    "incident_link_unknown",
                    format!("{} does not link the run {asked}", incident.name()),
                )
                .help(format!(
                    "provender incident link {} --run {asked}",
                    incident.name()
                )));
            }
            wanted.push(id.to_string());
        }
    }
    for id in wanted {
        let run = find(ledger, &Wanted::Id(id))?.run;
        let manifest = runtime.manifests.read(run.run.manifest_ref())?;
        by_logic
            .entry(run.run.key.model_version.clone())
            .or_default()
            .push((run, manifest));
    }
    if by_logic.is_empty() {
        return Err(provender_host::incident::IncidentError::NoFailing {
            incident: incident.name(),
            problem: "links no run, so there are no inputs to write".to_owned(),
        }
        .into());
    }
    Ok(by_logic)
}

/// The folder of a logic's cases, as a path to open and as text to show.
fn folder(
    context: &Context,
    asked: Option<&Path>,
    name: &str,
) -> Result<(PathBuf, String), CliError> {
    let (base, shown) = match asked {
        Some(dir) => (dir.to_owned(), dir.display().to_string()),
        None => {
            let [source, own] = CASES_DIRS;
            let root = &context.project.root;
            let places = [
                (PathBuf::from(source), source),
                (root.join(source), source),
                (root.join(own), own),
            ];
            let found = places.into_iter().find(|(base, _)| base.is_dir());
            let (base, shown) = found.unwrap_or_else(|| (root.join(source), source));
            (base, shown.to_owned())
        }
    };
    if !base.is_dir() {
        return Err(CliError::new(
            Exit::NotFound,
            "golden_missing",
            format!("there is no folder {shown} for golden cases"),
        )
        .help("name the folder of the logic's golden cases with --cases DIR; it is beside the logic's source"));
    }
    let shown = shown.trim_end_matches('/').to_owned();
    Ok(match cases_folder(std::slice::from_ref(&base), name) {
        Some(found) if found == base => (base, shown),
        // A logic without a folder of its own gets one.
        _ => (base.join(name), format!("{shown}/{name}")),
    })
}
