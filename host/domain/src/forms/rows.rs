//! The rows of an ingested file. The root in the file's entry covers them, so that changing, adding or removing a row
//! is detected.

use super::{Form, member, optional};
use crate::day::Day;
use crate::ids::BoundaryId;
use crate::place::{Boundary, Herd};
use crate::text;

/// A number as it is hashed. An infinity, which SQLite can store and JSON cannot, becomes a text, so that such a row
/// differs from every row ever recorded.
fn number(x: Option<f64>, out: &mut Vec<u8>) {
    match x {
        Some(x) if !x.is_finite() => text::string(&x.to_string(), out),
        Some(x) => text::number(x, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn row_and(row: u32, out: &mut Vec<u8>) {
    member("row", out);
    text::integer(i64::from(row), out);
}

/// The canonical text of a boundary's revision.
#[must_use]
pub fn boundary(row: u32, effective: Day, b: &Boundary) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + b.geometry.len());
    Form::Boundary.begin(&mut out);
    member("area_ha", &mut out);
    number(Some(b.area_ha), &mut out);
    member("boundary_id", &mut out);
    text::string(&b.boundary_id, &mut out);
    member("declared_area_ha", &mut out);
    number(b.declared_area_ha, &mut out);
    member("effective_date", &mut out);
    text::day(effective, &mut out);
    member("geometry", &mut out);
    text::string(&b.geometry, &mut out);
    member("name", &mut out);
    optional(b.name.as_deref(), &mut out);
    row_and(row, &mut out);
    out.push(b'}');
    out
}

/// The canonical text of a row of a herd.
#[must_use]
pub fn herd(row: u32, h: &Herd) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    Form::HerdRow.begin(&mut out);
    member("animal_count", &mut out);
    number(h.animal_count, &mut out);
    member("animal_type", &mut out);
    optional(h.animal_type.as_deref(), &mut out);
    member("average_weight_kg", &mut out);
    number(h.average_weight_kg, &mut out);
    member("boundary_id", &mut out);
    text::string(&h.boundary_id, &mut out);
    member("class", &mut out);
    optional(h.class.as_deref(), &mut out);
    member("daily_intake_kg_per_head", &mut out);
    number(h.daily_intake_kg_per_head, &mut out);
    member("effective_date", &mut out);
    text::day(h.effective_date, &mut out);
    member("end_date", &mut out);
    match h.end_date {
        Some(end) => text::day(end, &mut out),
        None => out.extend_from_slice(b"null"),
    }
    member("herd_config_id", &mut out);
    text::string(&h.herd_config_id, &mut out);
    member("name", &mut out);
    optional(h.name.as_deref(), &mut out);
    row_and(row, &mut out);
    member("utilization_target_pct", &mut out);
    number(h.utilization_target_pct, &mut out);
    out.push(b'}');
    out
}

/// The content from which the id of a herd is derived if its file gives none. The end date and the name are not
/// included, so that ending a period or renaming does not make a new herd.
#[must_use]
pub(crate) fn herd_id(h: &Herd) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    Form::Herd.begin(&mut out);
    member("animal_count", &mut out);
    number(h.animal_count, &mut out);
    member("animal_type", &mut out);
    optional(h.animal_type.as_deref(), &mut out);
    member("average_weight_kg", &mut out);
    number(h.average_weight_kg, &mut out);
    member("boundary_id", &mut out);
    text::string(&h.boundary_id, &mut out);
    member("class", &mut out);
    optional(h.class.as_deref(), &mut out);
    member("daily_intake_kg_per_head", &mut out);
    number(h.daily_intake_kg_per_head, &mut out);
    member("effective_date", &mut out);
    text::day(h.effective_date, &mut out);
    member("utilization_target_pct", &mut out);
    number(h.utilization_target_pct, &mut out);
    out.push(b'}');
    out
}

/// Writes the canonical texts of the observations of one stream. What they share is written once, because a file
/// contains many thousands.
#[derive(Clone, Debug)]
pub struct Stream {
    head: Vec<u8>,
    source: Vec<u8>,
}

impl Stream {
    /// The stream of a boundary's column from a source.
    #[must_use]
    pub fn new(boundary_id: &BoundaryId, column: &str, source: &str) -> Stream {
        let mut head = Vec::with_capacity(256);
        Form::Observation.begin(&mut head);
        member("boundary_id", &mut head);
        text::string(boundary_id, &mut head);
        member("column", &mut head);
        text::string(column, &mut head);
        member("date", &mut head);
        let mut tail = Vec::with_capacity(64);
        member("source", &mut tail);
        text::string(source, &mut tail);
        Stream { head, source: tail }
    }

    /// The canonical text of one observation.
    #[must_use]
    pub fn observation(&self, date: Option<Day>, value: Option<f64>, row: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.head.len() + self.source.len() + 64);
        out.extend_from_slice(&self.head);
        match date {
            Some(date) => text::day(date, &mut out),
            None => out.extend_from_slice(b"null"),
        }
        row_and(row, &mut out);
        out.extend_from_slice(&self.source);
        member("value", &mut out);
        number(value, &mut out);
        out.push(b'}');
        out
    }
}
