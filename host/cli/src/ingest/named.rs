//! Files named on the command line, and the options that say how to read them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::error::CliError;
use provender_domain::ids::BoundaryId;
use provender_host::deployment::NamedFiles;
use provender_host::ingest::{DuplicateIds, Format, Kind};

/// What to do with several features of one id.
#[derive(Clone, Copy, ValueEnum)]
enum DuplicateArg {
    Refuse,
    Merge,
}

impl From<DuplicateArg> for DuplicateIds {
    fn from(how: DuplicateArg) -> DuplicateIds {
        match how {
            DuplicateArg::Refuse => DuplicateIds::Refuse,
            DuplicateArg::Merge => DuplicateIds::Merge,
        }
    }
}

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
    #[arg(long, value_name = "HOW", value_enum)]
    duplicate_ids: Option<DuplicateArg>,
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
    /// The files, each with the kind of its option, in the order in which they are ingested, and how to read
    /// them.
    pub(super) fn named(&self) -> Result<NamedFiles, CliError> {
        let lists = [
            (Kind::Boundaries, &self.boundaries),
            (Kind::Herds, &self.herds),
            (Kind::Forage, &self.forage),
            (Kind::Weather, &self.weather),
            (Kind::Soil, &self.soil),
            (Kind::Series, &self.series),
        ];
        let files = lists
            .into_iter()
            .flat_map(|(kind, files)| files.iter().map(move |f| (kind, f.clone())));
        Ok(NamedFiles {
            files: files.collect(),
            boundary: self.boundary.clone().map(BoundaryId::unchecked),
            id_property: self.id_property.clone(),
            duplicate_ids: self.duplicate_ids.map(DuplicateIds::from),
            format: self.format.as_deref().map(format).transpose()?,
            source: self.source.clone(),
            skip_bad_rows: self.skip_bad_rows,
        })
    }
}

fn format(name: &str) -> Result<Format, CliError> {
    Format::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Format::all().map(Format::name).collect();
        CliError::usage(format!(
            "--format {name} is not known; formats are {}",
            known.join(", ")
        ))
    })
}
