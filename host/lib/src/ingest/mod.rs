//! From files to observations.
//!
//! * [`parsed`] — what a reader returns, and its errors
//! * [`readers`] — one module per format: bytes in, domain values out
//! * [`compare`] — which rows of a file are new, unchanged or revised
//! * [`take`] — ingesting a file: read, compare, hold or record
//! * [`report`] — the report on each file, and ingest errors
//! * [`retract`] — withdrawing a file

pub mod compare;
pub mod parsed;
pub mod readers;
pub mod report;
pub mod retract;
pub mod take;
