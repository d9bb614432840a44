//! Canonical texts of the rows that a file brought: the root in the file's entry is over them, so
//! that a row that was changed, added or taken away shows.

use serde_json::{Value as Json, json};

use provender_domain::canonical::to_text;
use provender_domain::day::Day;
use provender_domain::merkle::{self, Hash};
use provender_domain::place::{Boundary, Herd};

use super::types::NewFacts;

/// A number as it is hashed. SQLite's REAL can hold infinities, JSON cannot: a text keeps such a row
/// apart from every row that was ever recorded.
fn number(x: Option<f64>) -> Json {
    match x {
        Some(x) if !x.is_finite() => json!(x.to_string()),
        other => json!(other),
    }
}

fn text(object: &Json) -> String {
    // Texts, finite numbers and small integers always have a canonical form.
    to_text(object).unwrap_or_default()
}

/// The canonical text of a boundary's revision.
#[must_use]
pub fn boundary(row: u32, effective: Day, b: &Boundary) -> String {
    text(&json!({
        "$type": "provender.boundary.v1",
        "boundary_id": b.boundary_id,
        "effective_date": effective.to_string(),
        "name": b.name,
        "geometry": b.geometry,
        "area_ha": number(Some(b.area_ha)),
        "declared_area_ha": number(b.declared_area_ha),
        "row": row,
    }))
}

/// The canonical text of a herd's row.
#[must_use]
pub fn herd(row: u32, h: &Herd) -> String {
    text(&json!({
        "$type": "provender.herd-row.v1",
        "herd_config_id": h.herd_config_id,
        "boundary_id": h.boundary_id,
        "effective_date": h.effective_date.to_string(),
        "end_date": h.end_date.map(|d| d.to_string()),
        "name": h.name,
        "animal_count": number(h.animal_count),
        "daily_intake_kg_per_head": number(h.daily_intake_kg_per_head),
        "average_weight_kg": number(h.average_weight_kg),
        "utilization_target_pct": number(h.utilization_target_pct),
        "animal_type": h.animal_type,
        "class": h.class,
        "row": row,
    }))
}

/// Canonical texts of the observations of one stream: what they share is made once, since a file
/// brings many thousands.
#[derive(Clone, Debug)]
pub struct Stream {
    head: String,
    tail: String,
}

impl Stream {
    /// The texts of a column of a boundary by a source.
    #[must_use]
    pub fn new(boundary_id: &str, column: &str, source: &str) -> Stream {
        let quoted = |s: &str| text(&json!(s));
        Stream {
            head: format!(
                "{{\"$type\":\"provender.observation.v1\",\"boundary_id\":{},\"column\":{},\"date\":",
                quoted(boundary_id),
                quoted(column)
            ),
            tail: format!(",\"source\":{},\"value\":", quoted(source)),
        }
    }

    /// The canonical text of one observation, members sorted as RFC 8785 asks.
    #[must_use]
    pub fn observation(&self, date: Option<Day>, value: Option<f64>, row: u32) -> String {
        let date = date.map_or_else(|| "null".to_owned(), |d| format!("\"{d}\""));
        let value = text(&number(value));
        format!("{}{date},\"row\":{row}{}{value}}}", self.head, self.tail)
    }
}

/// The leaf hashes of everything that a file brought.
#[must_use]
pub fn leaves(source: &str, facts: &NewFacts) -> Vec<Hash> {
    let streams: Vec<Stream> = facts
        .streams
        .iter()
        .map(|(boundary_id, column)| Stream::new(boundary_id, column, source))
        .collect();
    let boundaries = facts
        .boundaries
        .iter()
        .map(|(row, effective, b)| boundary(*row, *effective, b));
    let herds = facts.herds.iter().map(|(row, h)| herd(*row, h));
    let observations = facts.observations.iter().filter_map(|o| {
        let stream = streams.get(o.stream)?;
        Some(stream.observation(o.date, o.value, o.row))
    });
    boundaries
        .chain(herds)
        .chain(observations)
        .map(|text| merkle::leaf(text.as_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_observation_written_by_parts_is_canonical_json(boundary in any::<String>(), column in any::<String>(), source in any::<String>(), value in prop::option::of(prop::num::f64::NORMAL | prop::num::f64::ZERO), days in prop::option::of(-10_000..40_000_i32), row in any::<u32>()) {
            let date = days.and_then(Day::from_days);
            let parts = Stream::new(&boundary, &column, &source).observation(date, value, row);
            let whole = json!({
                "$type": "provender.observation.v1", "boundary_id": boundary, "column": column, "source": source,
                "date": date.map(|d| d.to_string()), "value": value, "row": row,
            });
            prop_assert_eq!(parts, to_text(&whole).unwrap());
        }
    }

    #[test]
    fn an_infinity_is_no_missing_value() {
        let stream = Stream::new("a", "b", "c");
        let of = |value| stream.observation(None, value, 1);
        assert_ne!(of(Some(f64::INFINITY)), of(None));
        assert_ne!(of(Some(f64::INFINITY)), of(Some(f64::NEG_INFINITY)));
    }
}
