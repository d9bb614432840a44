//! From files to observations.
//!
//! * [`parsed`] — what a reader delivers, and how it says no
//! * [`readers`] — one file a format: bytes in, domain values out
//! * [`compare`] — what of a file is new, unchanged or revised against the ledger
//! * [`take`] — taking a file in: read, compare, hold or record
//! * [`report`] — what is said of each file
//! * [`retract`] — withdrawing a file

pub mod compare;
pub mod parsed;
pub mod readers;
pub mod report;
pub mod retract;
pub mod take;
