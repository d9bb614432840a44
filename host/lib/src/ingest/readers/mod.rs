//! Readers: the bytes of a file in, domain values with their rows out. They depend only on the bytes and the
//! options; nothing is compared with the ledger here.
//!
//! Shared:
//! * `read` — the entry point: decode, recognise, dispatch
//! * `formats` — the table of readers
//! * `detect` — detects a file's format from its content
//! * `text` — bytes to text: UTF-8, UTF-16 with a byte order mark, otherwise Windows-1252
//! * `table` — CSV with line numbers and columns looked up by name
//! * `fields` — numbers, dates and texts as files spell them
//! * [`units`] — units by their spellings, and the exact factors between them
//! * `limits` — lowest and highest possible values of catalogue columns
//! * `draft` — what a reader collects: bad rows, warnings, observations
//! * `columns` — CSV files whose columns are columns of the catalogue
//! * [`area`] — geodesic area on WGS84
//! * `outline` — polygons of GeoJSON, checked
//! * `herds` — a herd from named fields, and the periods of herds
//!
//! One file per format:
//! * `geojson`, `herds_json`, `herds_csv`, `rap`, `forage_csv`, `open_meteo`,
//!   `daymet`, `gridmet`, `weather_csv`, `sda`, `soil_csv`, `series_csv`

mod area;
mod columns;
mod daymet;
mod detect;
mod draft;
mod fields;
mod forage_csv;
pub(super) mod formats;
mod geojson;
mod gridmet;
mod herds;
mod herds_csv;
mod herds_json;
mod limits;
mod open_meteo;
mod outline;
mod rap;
mod read;
mod sda;
mod series_csv;
mod soil_csv;
mod table;
mod text;
mod units;
mod weather_csv;

#[cfg(test)]
mod real_data;
#[cfg(test)]
mod testing;

pub use read::read;
