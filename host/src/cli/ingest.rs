//! `ingest`: files in, observations recorded.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::bounded;
use crate::ingest::find;
use crate::ingest::parsed::{DuplicateIds, Format, Kind, ReadOptions};
use crate::ingest::readers;
use crate::ingest::report::{FileReport, IngestError, Outcome};
use crate::ingest::retract::retract;
use crate::ingest::take::{Offer, Policy, take};
use crate::ledger::Ledger as _;
use crate::ledger::sqlite::SqliteLedger;
use crate::project::sources::{MAX_REVISED_SHARE, Source};

use super::Global;
use super::context::Context;
use super::error::{CliError, ingest_exit};
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// Take files in: those that sources.toml names, or those given here.
///
/// Says per file what was new, unchanged, revised or refused, and why. A file is taken whole or
/// not at all.
///
/// Example: provender ingest --forage inputs/forage.csv --boundaries pastures.geojson
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct IngestArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    files: FileArgs,
    /// Take files that are held, older than what is known, or withdrawn.
    #[arg(long)]
    accept: bool,
    /// Say what would happen, record nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Subcommand)]
enum Action {
    /// Withdraw a wrong file: nothing it said counts any more; nothing is deleted.
    Retract(RetractArgs),
}

#[derive(Args)]
struct RetractArgs {
    /// The file as it was ingested, or sha256:<digest>.
    file: String,
    /// Why, for the ledger.
    #[arg(long)]
    reason: String,
}

#[derive(Args, Default)]
pub(super) struct FileArgs {
    /// Outlines of places: GeoJSON.
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
    /// Columns declared by [[series]]: CSV.
    #[arg(long, value_name = "FILE")]
    series: Vec<PathBuf>,
    /// The place that the files belong to, for files of one place.
    #[arg(long, value_name = "ID")]
    boundary: Option<String>,
    /// GeoJSON property that holds the id.
    #[arg(long, value_name = "NAME")]
    id_property: Option<String>,
    /// Several features of one id: refuse the file, or merge them into one place.
    #[arg(long, value_name = "HOW", value_parser = ["refuse", "merge"])]
    duplicate_ids: Option<String>,
    /// The format, where recognition is not to be trusted.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Id of the source that the files belong to.
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Take the good rows of a file and list the bad ones.
    #[arg(long)]
    skip_bad_rows: bool,
}

impl FileArgs {
    fn named(&self) -> Vec<(Kind, &Path)> {
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

pub(super) fn run(global: &Global, args: &IngestArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let mut ledger = context.writer()?;
    if let Some(Action::Retract(r)) = &args.action {
        return retract_file(&context, &mut ledger, r);
    }
    let policy = Policy {
        accept: args.accept,
        dry_run: args.dry_run,
        today: context.today,
    };
    let named = args.files.named();
    if named.is_empty() && context.project.sources.sources.is_empty() {
        return Err(CliError::usage(
            "nothing to ingest: sources.toml names no source and no file was given",
        )
        .help(
            "provender ingest --boundaries pastures.geojson --herds herds.json --forage forage.csv",
        ));
    }
    let reports = if named.is_empty() {
        ingest_sources(&context, &mut ledger, &policy)
    } else {
        let bar = context.ui.progress(named.len() as u64, "ingesting");
        let reports = named.iter().map(|(kind, path)| {
            let report = ingest_named(&context, &mut ledger, &policy, &args.files, *kind, path);
            bar.inc(1);
            report
        });
        let reports = reports.collect::<Result<Vec<_>, _>>()?;
        bar.finish_and_clear();
        reports
    };
    Ok(done(reports, args.dry_run))
}

fn done(reports: Vec<FileReport>, dry_run: bool) -> Done {
    let mut text = Text::default();
    say(&mut text, &reports);
    let files: Vec<_> = reports.iter().map(FileReport::to_json).collect();
    let exit = exit(&reports);
    let error = first_error(reports);
    Done {
        exit,
        data: json!({"files": files, "dry_run": dry_run}),
        text,
        error,
    }
}

/// How the files' troubles end the process.
pub(super) fn exit(reports: &[FileReport]) -> Exit {
    Exit::worst(
        reports
            .iter()
            .filter_map(|r| r.error.as_ref())
            .map(ingest_exit),
    )
}

/// The error to show last; the table names every one.
pub(super) fn first_error(reports: Vec<FileReport>) -> Option<CliError> {
    let mut errors: Vec<CliError> = reports
        .into_iter()
        .filter_map(|r| r.error)
        .map(CliError::from)
        .collect();
    match errors.len() {
        0 => None,
        1 => errors.pop(),
        n => {
            let exit = Exit::worst(errors.iter().map(|e| e.exit));
            let all: Vec<String> = errors.iter().map(|e| e.message.clone()).collect();
            Some(CliError::new(
                exit,
                &errors[0].code,
                format!("{n} files were not taken:\n  {}", all.join("\n  ")),
            ))
        }
    }
}

/// The files as a table, with what is worth saying of each.
pub(super) fn say(text: &mut Text, reports: &[FileReport]) {
    let rows: Vec<_> = reports
        .iter()
        .map(|r| {
            let word = match r.outcome {
                Outcome::Taken => "taken",
                Outcome::Unchanged => "unchanged",
                Outcome::Superseded => "superseded",
                Outcome::Withdrawn => "withdrawn",
                Outcome::Held => "held",
                Outcome::Refused => "refused",
            };
            let plain = |s: String| (Look::Plain, s);
            vec![
                plain(r.path.clone()),
                plain(r.source.clone()),
                plain(r.format.clone()),
                plain(r.rows.to_string()),
                plain(r.new.to_string()),
                plain(r.unchanged.to_string()),
                plain(r.revised.to_string()),
                plain(r.skipped.len().to_string()),
                (Look::of_status(word), word.to_owned()),
            ]
        })
        .collect();
    text.table(
        &[
            "file",
            "source",
            "format",
            "rows",
            "new",
            "unchanged",
            "revised",
            "skipped",
            "outcome",
        ],
        &rows,
    );
    for r in reports {
        for w in &r.warnings {
            text.look(Look::Warn, format!("warning: {}: {w}", r.path));
        }
        for s in &r.skipped {
            text.look(Look::Warn, format!("skipped: {}: {s}", r.path));
        }
    }
}

/// Every file that the sources name, places first, so that what follows finds them.
pub(super) fn ingest_sources(
    context: &Context,
    ledger: &mut SqliteLedger,
    policy: &Policy,
) -> Vec<FileReport> {
    let mut sources: Vec<&Source> = context.project.sources.sources.iter().collect();
    sources.sort_by_key(|s| s.kind);
    let mut reports = Vec::new();
    let mut files = Vec::new();
    for source in sources {
        match find::files(&context.project.dir, source) {
            Ok(found) => files.extend(found.into_iter().map(|f| (source, f))),
            Err(error) => reports.push(refused(
                &source.id,
                source.kind,
                &source.paths.join(", "),
                error,
            )),
        }
    }
    let ceiling = context.project.settings.limits.input_bytes();
    let bar = context.ui.progress(files.len() as u64, "ingesting");
    for (source, found) in files {
        bar.inc(1);
        match bounded::read_in(&context.project.dir, &found.path, ceiling) {
            Err(cause) => {
                let error = IngestError::unread(found.path.clone(), cause);
                reports.push(refused(&source.id, source.kind, &found.path, error));
            }
            Ok(bytes) => {
                let offer = Offer {
                    options: options(context, source, &found.path, found.boundary),
                    path: found.path,
                    bytes,
                    source: source.id.clone(),
                    max_revised_share: source.max_revised_share,
                    named: false,
                };
                reports.push(take(ledger, &offer, policy, &context.stamp(None)));
            }
        }
    }
    bar.finish_and_clear();
    reports
}

fn options(
    context: &Context,
    source: &Source,
    path: &str,
    boundary: Option<String>,
) -> ReadOptions {
    ReadOptions {
        file_name: path.to_owned(),
        kind: Some(source.kind),
        format: source.format,
        boundary,
        id_property: source.id_property.clone(),
        duplicate_ids: source.duplicate_ids,
        skip_bad_rows: false,
        series: context.project.sources.series_of(&source.id),
    }
}

fn refused(source: &str, kind: Kind, path: &str, error: IngestError) -> FileReport {
    FileReport {
        path: path.to_owned(),
        source: source.to_owned(),
        kind: kind.name().to_owned(),
        format: String::new(),
        sha256: String::new(),
        outcome: Outcome::Refused,
        rows: 0,
        new: 0,
        unchanged: 0,
        revised: 0,
        skipped: Vec::new(),
        warnings: Vec::new(),
        entry: None,
        error: Some(error),
    }
}

fn ingest_named(
    context: &Context,
    ledger: &mut SqliteLedger,
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
            return Ok(refused("", kind, &shown, IngestError::unread(file, cause)));
        }
    };
    let format = args
        .format
        .as_ref()
        .map(|f| {
            let known = || {
                Format::ALL
                    .iter()
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
    // A file that sources.toml names is that source's, with its options; flags go before them.
    let listed = context.project.sources.sources.iter().find_map(|s| {
        let found = find::files(&context.project.dir, s)
            .ok()?
            .into_iter()
            .find(|f| f.path == shown)?;
        Some((s, found))
    });
    let mut read = match &listed {
        Some((source, found)) => options(context, source, &shown, found.boundary.clone()),
        None => ReadOptions {
            file_name: shown.clone(),
            ..ReadOptions::default()
        },
    };
    read.kind = Some(kind);
    read.format = format.or(read.format);
    read.boundary = args.boundary.clone().or(read.boundary);
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
            Err(e) => return Ok(refused("", kind, &shown, e.into())),
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

/// A file that no source names joins the one source that gave files of its kind and format before,
/// so that a corrected copy is a revision; else a source named after its kind.
fn habitual_source(
    context: &Context,
    ledger: &SqliteLedger,
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

/// Relative to the deployment's folder where it lies in it, so that every user and folder names a
/// file alike.
fn shown_path(context: &Context, path: &Path) -> String {
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

fn retract_file(
    context: &Context,
    ledger: &mut SqliteLedger,
    args: &RetractArgs,
) -> Result<Done, CliError> {
    if args.reason.trim().is_empty() {
        return Err(CliError::usage(
            "--reason says why: it is what an auditor will read",
        ));
    }
    let by_path = shown_path(context, Path::new(&args.file));
    let stamp = context.stamp(Some(&args.reason));
    let (files, entry) = match retract(ledger, &by_path, &stamp) {
        Err(IngestError::NeverTaken { .. }) => retract(ledger, &args.file, &stamp)?,
        other => other?,
    };
    let mut text = Text::default();
    for f in &files {
        text.line(format!(
            "withdrew {} of source {} ({}, {} rows)",
            f.path, f.source, f.sha256, f.rows
        ));
    }
    text.line(format!("entry {entry}: {}", args.reason));
    text.look(
        Look::Dim,
        "runs that used it drift now: `provender reissue` plans their replacement",
    );
    let data = json!({
        "files": files.iter().map(|f| json!({"path": f.path, "sha256": f.sha256.to_string(), "source": f.source})).collect::<Vec<_>>(),
        "entry": entry,
    });
    Ok(Done::ok(data, text))
}
