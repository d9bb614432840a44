//! `manifest export`: writes manifests as single files.

use provender_domain::ids::BoundaryId;
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::files::durable::make_durably;
use provender_domain::render::text::count;
use provender_host::explain::{Wanted, find};
use provender_ledger::Read;
use provender_ledger::types::{Run, RunFilter};
use provender_store::manifest::{ManifestDraft, Store};

use super::super::Global;
use super::super::compute::day;
use super::super::context::Context;
use super::super::error::{CliError, DISK};
use super::super::exit::Exit;
use super::super::ui::{Done, Look, Text};

/// Write manifests as single files, BOUNDARY/DATE_SNAPSHOT.json, into the deployment's folder of
/// manifests or another one.
///
/// Existing files are left unchanged.
///
/// Example: provender manifest export --boundary north --from 2025-06-01 --to 2025-06-30
///
/// Example: provender manifest export --all --dir for-the-auditor
#[derive(Args)]
pub(super) struct ExportArgs {
    /// Run ids, or at least six hex digits of each.
    #[arg(value_name = "RUN", conflicts_with_all = ["all", "boundary", "logic", "from", "to"])]
    runs: Vec<String>,
    /// Write the manifest of every recorded run that matches the filters.
    #[arg(long)]
    all: bool,
    /// Only this boundary.
    #[arg(long, value_name = "ID")]
    boundary: Option<String>,
    /// Only this logic, as name or name:version.
    #[arg(long, value_name = "NAME[:VERSION]")]
    logic: Option<String>,
    /// Only calculation dates from this day on.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Only calculation dates up to this day.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Write into this folder, which is created if needed. Default: the deployment's folder of
    /// manifests.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What was exported.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ManifestExportAnswer {
    /// Runs that were selected.
    runs: usize,
    /// Manifests that were to be written; those that had a file of their own there already are not among them.
    written: usize,
    /// The folder below which they are.
    folder: String,
}

/// Number of manifests held in memory at once.
const CHUNK: usize = 500;

pub(super) fn run(global: &Global, args: &ExportArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.reader()?;
    let from = context.manifests()?;
    let was_there = args.dir.as_ref().is_none_or(|dir| dir.exists());
    let elsewhere = args.dir.as_ref().map(|dir| opened(dir)).transpose()?;
    let to = elsewhere.as_ref().unwrap_or(&from);
    let (mut runs, mut written) = (0, 0);
    let exported = each(&context, &*ledger, args, &mut |part| {
        runs += part.len();
        // Without --dir, single files are already where they belong.
        let missing = |r: &&Run| elsewhere.is_some() || r.run.place.is_some();
        let missing: Vec<&Run> = part.iter().filter(missing).collect();
        for chunk in missing.chunks(CHUNK) {
            let mut sheets = Vec::with_capacity(chunk.len());
            for run in chunk {
                let (_, bytes) = from.read_with_bytes(run.run.manifest_ref())?;
                sheets.push(ManifestDraft {
                    key: run.run.key.clone(),
                    snapshot: run.run.snapshot,
                    bytes,
                });
            }
            written += to.write(&sheets)?.len();
        }
        Ok(())
    });
    if let (Err(_), Some(dir)) = (&exported, &args.dir) {
        clear(dir, was_there);
    }
    exported?;
    let folder = match &args.dir {
        Some(dir) => dir.display().to_string(),
        None => context.project.settings.manifests.path.clone(),
    };
    let mut text = Text::default();
    let n = count(runs as u64, "run");
    match runs {
        0 => text.look(Look::Warn, "no run is selected: nothing was written"),
        _ => text.look(
            Look::Good,
            format!("the manifests of {n} are single files below {folder}"),
        ),
    }
    let answer = ManifestExportAnswer {
        runs,
        written,
        folder,
    };
    Ok(Done::ok(&answer, text))
}

fn opened(dir: &std::path::Path) -> Result<Store, CliError> {
    let unwritable = |e: std::io::Error| {
        let message = format!("{} cannot be written: {e}", dir.display());
        CliError::new(Exit::Io, "folder_unwritable", message).help(DISK)
    };
    make_durably(dir).map_err(unwritable)?;
    let open = Dir::open_ambient_dir(dir, ambient_authority()).map_err(unwritable)?;
    Ok(Store::new(open, &dir.display().to_string()))
}

/// Removes empty folders. Files in the others are complete and stay.
fn clear(dir: &std::path::Path, was_there: bool) {
    for folder in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let _ = std::fs::remove_dir(folder.path());
    }
    if !was_there {
        let _ = std::fs::remove_dir(dir);
    }
}

/// Passes the selected runs to `take`, one boundary and herd after the other.
fn each(
    context: &Context,
    ledger: &dyn Read,
    args: &ExportArgs,
    take: &mut dyn FnMut(&[Run]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    if !args.runs.is_empty() {
        for id in &args.runs {
            take(&[find(ledger, &Wanted::Id(id.clone()))?.run])?;
        }
        return Ok(());
    }
    let parse = |d: &Option<String>| d.as_deref().map(|d| day(d, context.today)).transpose();
    let filter = RunFilter {
        boundary_id: args.boundary.clone().map(BoundaryId::unchecked),
        herd_config_id: None,
        from: parse(&args.from)?,
        to: parse(&args.to)?,
        logic: args.logic.clone(),
        configs: None,
    };
    let narrowed =
        args.boundary.is_some() || args.logic.is_some() || args.from.is_some() || args.to.is_some();
    if !args.all && !narrowed {
        return Err(CliError::usage(
            "which runs? give their ids, --all, or a filter such as --boundary ID",
        )
        .help("provender list --all-versions shows the runs with their ids"));
    }
    for place in ledger.extent(&filter)? {
        take(&ledger.runs(&RunFilter {
            boundary_id: Some(place.boundary_id),
            herd_config_id: Some(place.herd_config_id),
            ..filter.clone()
        })?)?;
    }
    Ok(())
}
