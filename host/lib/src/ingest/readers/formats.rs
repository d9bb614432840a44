//! The table of readers. To add a format, add its file with a `READER`, and a line here.

use serde_json::Value as Json;

use crate::ingest::parsed::{Content, Kind, ReadError, ReadOptions};

use super::columns::Spelling;
use super::draft::Draft;
use super::{
    daymet, forage_csv, geojson, gridmet, herds_csv, herds_json, open_meteo, rap, sda, series_csv,
    soil_csv, weather_csv,
};

/// Every reader, in the order of the reference documentation. If several fit a file, one of the expected kind is
/// used, otherwise the first.
pub(in crate::ingest) static READERS: &[Reader] = &[
    geojson::READER,
    herds_json::READER,
    herds_csv::READER,
    rap::READER,
    forage_csv::READER,
    open_meteo::READER,
    daymet::READER,
    gridmet::READER,
    weather_csv::READER,
    sda::READER,
    soil_csv::READER,
    series_csv::READER,
];

/// A reader of one format.
pub(in crate::ingest) struct Reader {
    /// Name of the format in `sources.toml` and in reports.
    pub(in crate::ingest) name: &'static str,
    /// What the format is about.
    pub(in crate::ingest) kind: Kind,
    /// What the format is recognised by, for error messages.
    pub(super) sign: &'static str,
    /// How it is recognised and read.
    pub(super) form: Form,
}

/// A reader's result: the number of rows, and their content.
pub(super) type Taken = Result<(usize, Content), ReadError>;

/// How a format is recognised and read.
pub(super) enum Form {
    /// It is JSON.
    Json {
        is: fn(&Json, Option<Kind>) -> bool,
        read: fn(&Json, &mut Draft<'_>) -> Taken,
    },
    /// It is lines of text.
    Text {
        is: fn(&Head<'_>) -> bool,
        read: fn(&str, &mut Draft<'_>) -> Taken,
    },
}

/// The beginning of a text, for recognising it.
pub(super) struct Head<'a> {
    pub(super) text: &'a str,
    /// The names of the first line's columns.
    pub(super) names: Vec<String>,
    pub(super) options: &'a ReadOptions,
}

impl Head<'_> {
    /// Whether there is a column with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|n| n.eq_ignore_ascii_case(name))
    }

    /// Whether there is a column of any of these names.
    pub(super) fn any(&self, spellings: &[Spelling]) -> bool {
        spellings.iter().any(|(name, ..)| self.has(name))
    }
}
