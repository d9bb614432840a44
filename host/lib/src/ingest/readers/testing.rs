//! Helpers for the readers' tests.

use crate::ingest::parsed::{BadRow, Content, ReadError, ReadOptions, Reading};
use provender_domain::ids::BoundaryId;
use provender_domain::place::{Boundary, Herd};

/// Options for a file of the place `north`.
pub(super) fn options(file_name: &str) -> ReadOptions {
    ReadOptions {
        file_name: file_name.to_owned(),
        boundary: Some(BoundaryId::unchecked("north")),
        ..ReadOptions::default()
    }
}

/// Reads a text for the place `north`.
pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    super::read(text.as_bytes(), &options("file"))
}

/// Reads a text that has its own boundary ids.
pub(super) fn read_alone(text: &str) -> Result<Reading, ReadError> {
    let options = ReadOptions {
        boundary: None,
        ..options("file")
    };
    super::read(text.as_bytes(), &options)
}

/// (boundary, column, date or "", value) of every observation.
pub(super) fn values(reading: &Reading) -> Vec<(String, String, String, Option<f64>)> {
    let Content::Observations(o) = &reading.content else {
        panic!("no observations: {reading:?}")
    };
    o.values
        .iter()
        .map(|v| {
            (
                o.boundaries[v.boundary as usize].to_string(),
                o.columns[v.column as usize].clone(),
                v.date.map(|d| d.to_string()).unwrap_or_default(),
                v.value,
            )
        })
        .collect()
}

/// The value of a column on a day ("" for no day).
pub(super) fn value(reading: &Reading, column: &str, date: &str) -> Option<f64> {
    let found = values(reading);
    let of = found.iter().find(|(_, c, d, _)| c == column && d == date);
    of.unwrap_or_else(|| panic!("no {column} on {date}: {found:?}"))
        .3
}

/// Asserts that a value is there and within 1e-9 of `expected`.
#[track_caller]
pub(super) fn near(found: Option<f64>, expected: f64) {
    let x = found.expect("a value");
    assert!(
        (x - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{x} is not {expected}"
    );
}

/// The bad rows that a file was refused for.
#[track_caller]
pub(super) fn bad(result: Result<Reading, ReadError>) -> Vec<BadRow> {
    match result {
        Err(ReadError::Rows { rows, .. }) => rows,
        other => panic!("not refused for its rows: {other:?}"),
    }
}

/// The message that a file was refused with.
#[track_caller]
pub(super) fn refusal(result: Result<Reading, ReadError>) -> String {
    match result {
        Err(e) => e.to_string(),
        Ok(reading) => panic!("read: {reading:?}"),
    }
}

/// The boundaries of a reading.
pub(super) fn boundaries(reading: &Reading) -> Vec<Boundary> {
    match &reading.content {
        Content::Boundaries(list) => list.iter().map(|b| b.value.clone()).collect(),
        other => panic!("no boundaries: {other:?}"),
    }
}

/// The herds of a reading.
pub(super) fn herds(reading: &Reading) -> Vec<Herd> {
    match &reading.content {
        Content::Herds(list) => list.iter().map(|b| b.value.clone()).collect(),
        other => panic!("no herds: {other:?}"),
    }
}
