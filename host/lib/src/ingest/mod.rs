//! From files to observations.
//!
//! * `parsed` — what a reader returns, and its errors
//! * `readers` — one module per format: bytes in, domain values out
//! * `compare` — which rows of a file are new, unchanged or revised
//! * `take` — ingesting a file: read, compare, hold or record
//! * `report` — the report on each file, and ingest errors
//! * [`retract`] — withdrawing a file

pub(crate) mod compare;
pub(crate) mod parsed;
pub(crate) mod readers;
pub(crate) mod report;
mod retract;
pub(crate) mod take;

pub use parsed::{
    At as RowPlace, BadRow, Content, DuplicateIds, Format, Kind, Observation, Observations,
    ReadError, ReadOptions, Reading,
};
pub use readers::read;
pub use report::{FileAnswer, FileOutcome, FileReport, IngestError};
pub use retract::retract;
pub use take::Policy as IngestPolicy;
