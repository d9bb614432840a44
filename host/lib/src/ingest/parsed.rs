//! What a reader makes of a file: domain values, each with its row. Nothing is compared with the ledger yet.

use provender_domain::ids::BoundaryId;
use std::fmt;

use provender_domain::day::Day;
use provender_domain::place::{Boundary, Herd};

use super::readers::formats::{READERS, Reader};

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Outlines of places.
    Boundaries,
    /// Herds and their periods.
    Herds,
    /// Forage, standing or grown in a period.
    Forage,
    /// Daily weather.
    Weather,
    /// Soil properties.
    Soil,
    /// Dated numbers declared by `[[series]]`.
    Series,
}

impl Kind {
    /// Name in `sources.toml` and in reports.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Boundaries => "boundaries",
            Kind::Herds => "herds",
            Kind::Forage => "forage",
            Kind::Weather => "weather",
            Kind::Soil => "soil",
            Kind::Series => "series",
        }
    }

    /// The inverse of [`Kind::name`].
    #[must_use]
    pub(crate) fn parse(name: &str) -> Option<Kind> {
        use Kind::{Boundaries, Forage, Herds, Series, Soil, Weather};
        [Boundaries, Herds, Forage, Weather, Soil, Series]
            .into_iter()
            .find(|k| k.name() == name)
    }
}

/// A known file format: an entry in the table of readers.
#[derive(Clone, Copy)]
pub struct Format(pub(super) &'static Reader);

impl Format {
    /// Every format.
    pub fn all() -> impl Iterator<Item = Format> {
        READERS.iter().map(Format)
    }

    /// Name in `sources.toml` and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The inverse of [`Format::name`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Format> {
        Format::all().find(|f| f.name() == name)
    }

    /// What the format is about.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.0.kind
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Format) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Format {}

/// What to do with several features of one boundary id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateIds {
    /// Refuse the file and name both features.
    #[default]
    Refuse,
    /// Treat the features as the parts of one MultiPolygon.
    Merge,
}

/// How to read a file.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Name of the file for messages. Its stem is the boundary id if nothing else gives one.
    pub file_name: String,
    /// The kind that the caller expects, if any.
    pub kind: Option<Kind>,
    /// The format that `sources.toml` requires; `None` detects it from the content.
    pub format: Option<Format>,
    /// The boundary that all of the file belongs to.
    pub boundary: Option<BoundaryId>,
    /// GeoJSON property that holds the id.
    pub id_property: Option<String>,
    /// What to do with several features of one id.
    pub duplicate_ids: DuplicateIds,
    /// Accept the good rows and list the bad ones, instead of refusing the file.
    pub skip_bad_rows: bool,
    /// Columns declared by `[[series]]` that this file may carry: (column in the file, catalogue name).
    pub series: Vec<(String, String)>,
}

/// A value with its row (1-based: the line of a CSV file, the element of a JSON list).
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    /// 1-based row.
    pub row: u32,
    /// The value.
    pub value: T,
}

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// 1-based row: line of a CSV, element of a JSON list; 0 for the file as a whole.
    pub row: u32,
    /// The field at fault, if it is one field.
    pub field: Option<String>,
    /// The value as the file has it, shortened to 80 characters.
    pub value: Option<String>,
    /// What is wrong with it, as the end of a sentence that begins with field and value.
    pub problem: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.row > 0 {
            write!(f, "row {}: ", self.row)?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}")?;
            if let Some(value) = &self.value {
                write!(f, " = `{value}`")?;
            }
            write!(f, " ")?;
        }
        f.write_str(&self.problem)
    }
}

/// Observations of a file. Values refer to boundaries and columns by index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observations {
    /// Boundary ids, in order of appearance.
    pub boundaries: Vec<BoundaryId>,
    /// Catalogue names of the columns.
    pub columns: Vec<String>,
    /// The values. One row of the file may give several.
    pub values: Vec<Observation>,
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Index into [`Observations::boundaries`].
    pub boundary: u32,
    /// Index into [`Observations::columns`].
    pub column: u16,
    /// The day; `None` for a property without a date (soil).
    pub date: Option<Day>,
    /// The value in the catalogue's unit; `None` if the file has nodata.
    pub value: Option<f64>,
    /// 1-based row of the file.
    pub row: u32,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Outlines.
    Boundaries(Vec<At<Boundary>>),
    /// Herds.
    Herds(Vec<At<Herd>>),
    /// Observations.
    Observations(Observations),
}

/// A file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The format it was recognised as.
    pub format: Format,
    /// Data rows in the file, bad ones included.
    pub rows: u32,
    /// What it holds.
    pub content: Content,
    /// Bad rows that were left out (only with `skip_bad_rows`).
    pub skipped: Vec<BadRow>,
    /// What the user should know but is not an error: a declared area that contradicts the outline, a row
    /// without a figure.
    pub warnings: Vec<String>,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// Not a known format.
    #[error("{file}: not a known format: {looked_like}")]
    Unknown {
        /// Name of the file.
        file: String,
        /// What was seen instead.
        looked_like: String,
    },
    /// A known format of another kind than the caller expects.
    #[error("{file}: this is {found}, not {wanted}")]
    WrongKind {
        /// Name of the file.
        file: String,
        /// What it is.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// The file as a whole cannot be used.
    #[error("{file}: {problem}")]
    File {
        /// Name of the file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// Rows that cannot be used.
    #[error("{file}: {}{}", rows.first().map(ToString::to_string).unwrap_or_default(), more(rows.len()))]
    Rows {
        /// Name of the file.
        file: String,
        /// Every bad row.
        rows: Vec<BadRow>,
    },
}

fn more(n: usize) -> String {
    match n {
        0 | 1 => String::new(),
        2 => " (and 1 more bad row)".to_owned(),
        n => format!(" (and {} more bad rows)", n - 1),
    }
}
