//! Files named on the command line: which source each belongs to, and how it is read.

use provender_domain::ids::BoundaryId;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::context::Context;
use crate::error::CliError;
use provender_domain::files::bounded;
use provender_host::ingest::parsed::{DuplicateIds, Format, Kind, ReadOptions};
use provender_host::ingest::readers;
use provender_host::ingest::report::{FileReport, IngestError};
use provender_host::ingest::take::{Offer, Policy, take};
use provender_host::project::find;
use provender_host::project::sources::MAX_REVISED_SHARE;
use provender_ledger::{Read, Write};

#[derive(Args, Default)]
pub(super) struct FileArgs {
    /// Outlines of boundaries: GeoJSON.
    #[arg(long, value_name = "FILE")]
    boundaries: Vec<PathBuf>,
    /// Herds and their periods: JSON or CSV.
    #[arg(long, value_name = "FILE")]
    herds: Vec<PathBuf>,
    /// Forage: a RAP reply or CSV.
    #[arg(long, value_name = "FILE")]
    forage: Vec<PathBuf>,
    /// Weather: Open-Meteo, Daymet, gridMET or CSV.
    #[arg(long, value_name = "FILE")]
    weather: Vec<PathBuf>,
    /// Soil: a Soil Data Access reply or CSV.
    #[arg(long, value_name = "FILE")]
    soil: Vec<PathBuf>,
    /// Columns declared by `[[series]]`: CSV.
    #[arg(long, value_name = "FILE")]
    series: Vec<PathBuf>,
    /// The boundary that the files belong to, for files about a single boundary.
    #[arg(long, value_name = "ID")]
    boundary: Option<String>,
    /// GeoJSON property that holds the boundary's id.
    #[arg(long, value_name = "NAME")]
    id_property: Option<String>,
    /// When several features share an id: refuse the file, or merge them into one boundary.
    #[arg(long, value_name = "HOW", value_parser = ["refuse", "merge"])]
    duplicate_ids: Option<String>,
    /// Format of the files. Default: recognized from their contents.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Id of the source that the files belong to.
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Ingest the good rows of a file and list the bad ones.
    #[arg(long)]
    skip_bad_rows: bool,
}

impl FileArgs {
    /// The files, each with the kind of its option, in the order in which they are ingested.
    pub(super) fn named(&self) -> Vec<(Kind, &Path)> {
        let lists = [
            (Kind::Boundaries, &self.boundaries),
            (Kind::Herds, &self.herds),
            (Kind::Forage, &self.forage),
            (Kind::Weather, &self.weather),
            (Kind::Soil, &self.soil),
            (Kind::Series, &self.series),
        ];
        lists
            .into_iter()
            .flat_map(|(kind, files)| files.iter().map(move |f| (kind, f.as_path())))
            .collect()
    }
}

/// Ingests one file. Flags take precedence over sources.toml.
///
/// # Errors
/// If the flags are unusable. A refused file is not an error here; the report has it.
pub(super) fn take_in(
    context: &Context,
    ledger: &dyn Write,
    policy: &Policy,
    args: &FileArgs,
    kind: Kind,
    path: &Path,
) -> Result<FileReport, CliError> {
    let shown = shown_path(context, path);
    let ceiling = context.project.settings.limits.input_bytes();
    let bytes = match bounded::read_named(path, ceiling) {
        Ok(bytes) => bytes,
        Err(cause) => {
            let file = path.display().to_string();
            return Ok(FileReport::refused(
                "",
                kind,
                &shown,
                IngestError::unread(file, cause),
            ));
        }
    };
    let format = args
        .format
        .as_ref()
        .map(|f| {
            let known = || {
                Format::all()
                    .map(|f| f.name())
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            Format::parse(f).ok_or_else(|| {
                CliError::usage(format!(
                    "--format {f} is not known; formats are {}",
                    known()
                ))
            })
        })
        .transpose()?;
    // A file that sources.toml lists gets the options of its source; flags take precedence.
    let listed = context.project.sources.sources.iter().find_map(|s| {
        let found = find::files(&context.project.dir, s)
            .ok()?
            .into_iter()
            .find(|f| f.path == shown)?;
        Some((s, found))
    });
    let mut read = match &listed {
        Some((source, found)) => context.read_options(source, &shown, found.boundary.clone()),
        None => ReadOptions {
            file_name: shown.clone(),
            ..ReadOptions::default()
        },
    };
    read.kind = Some(kind);
    read.format = format.or(read.format);
    let boundary = args.boundary.clone().map(BoundaryId::unchecked);
    read.boundary = boundary.or(read.boundary);
    read.id_property = args.id_property.clone().or(read.id_property);
    read.skip_bad_rows = args.skip_bad_rows;
    match args.duplicate_ids.as_deref() {
        Some("merge") => read.duplicate_ids = DuplicateIds::Merge,
        Some(_) => read.duplicate_ids = DuplicateIds::Refuse,
        None => {}
    }
    if read.series.is_empty() {
        read.series = context
            .project
            .sources
            .series
            .iter()
            .map(|s| (s.column.clone(), s.name.clone()))
            .collect();
    }
    let source = match (&args.source, &listed) {
        (Some(id), _) => id.clone(),
        (None, Some((s, _))) => s.id.clone(),
        (None, None) => match readers::read(&bytes, &read) {
            Ok(reading) => habitual_source(context, ledger, kind, reading.format)?,
            Err(e) => return Ok(FileReport::refused("", kind, &shown, e.into())),
        },
    };
    let configured = context
        .project
        .sources
        .sources
        .iter()
        .find(|s| s.id == source);
    if read.id_property.is_none() {
        read.id_property = configured.and_then(|s| s.id_property.clone());
    }
    let offer = Offer {
        path: shown,
        bytes,
        options: read,
        max_revised_share: configured.map_or(MAX_REVISED_SHARE, |s| s.max_revised_share),
        source,
        named: true,
    };
    Ok(take(ledger, &offer, policy, &context.stamp(None)))
}

/// The source of a file that sources.toml does not list: the only one that earlier files of the same
/// kind and format came from, so that a corrected copy counts as a revision. If there is none, a source
/// named after the kind.
fn habitual_source(
    context: &Context,
    ledger: &dyn Read,
    kind: Kind,
    format: Format,
) -> Result<String, CliError> {
    let mut before: Vec<String> = ledger
        .files()?
        .into_iter()
        .filter(|f| f.kind == kind.name() && f.format == format.name() && f.retracted.is_none())
        .map(|f| f.source)
        .collect();
    before.sort();
    before.dedup();
    match before.as_slice() {
        [one] => Ok(one.clone()),
        [] => Ok(kind.name().to_owned()),
        many if many.iter().any(|s| s == kind.name()) => Ok(kind.name().to_owned()),
        many => Err(CliError::usage(format!(
            "several sources gave {} files before ({}): name the one this file belongs to with --source",
            format.name(),
            many.join(", ")
        ))
        .help(format!("sources.toml of {} lists them", context.project.root.display()))),
    }
}

/// The path, relative to the deployment's folder if it is inside it. That way a file has the same name
/// for every user and working directory.
pub(super) fn shown_path(context: &Context, path: &Path) -> String {
    let inside = || {
        let root = context.project.root.canonicalize().ok()?;
        let full = path.canonicalize().ok()?;
        full.strip_prefix(root).ok().map(Path::to_path_buf)
    };
    inside()
        .unwrap_or_else(|| path.to_path_buf())
        .display()
        .to_string()
}
