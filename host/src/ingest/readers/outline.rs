//! Polygons of GeoJSON (RFC 7946), checked: rings closed, of four positions or more, longitude and
//! latitude in degrees and in range. A height is left out. Rings that enclose nothing are counted,
//! not refused: simplified outlines are full of them.

use serde_json::{Value as Json, json};

use super::area::{Polygon, Ring, polygon_area_m2, ring_area_m2};

/// A ring of less than this encloses nothing (m²).
const NOTHING_M2: f64 = 0.5;

/// A checked geometry.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    /// Parts, each an outline and its holes.
    pub(super) polygons: Vec<Polygon>,
    /// True for a MultiPolygon.
    pub(super) multi: bool,
    /// Rings that enclose nothing.
    pub(super) slivers: usize,
}

/// What is wrong with a geometry.
#[derive(Debug)]
pub(super) struct OutlineProblem {
    /// Where in the geometry.
    pub(super) field: String,
    /// The value at fault.
    pub(super) value: Option<String>,
    /// The end of a sentence.
    pub(super) problem: String,
}

fn problem(field: impl Into<String>, value: Option<&Json>, problem: &str) -> OutlineProblem {
    OutlineProblem {
        field: field.into(),
        value: value.map(ToString::to_string),
        problem: problem.to_owned(),
    }
}

impl Outline {
    /// The outline of a GeoJSON geometry.
    ///
    /// # Errors
    /// Names the member at fault.
    pub(super) fn parse(geometry: &Json) -> Result<Outline, OutlineProblem> {
        let kind = geometry.get("type").and_then(Json::as_str);
        let coordinates = geometry.get("coordinates");
        let (parts, multi) = match kind {
            Some("Polygon") => (coordinates.map(|c| vec![c]), false),
            Some("MultiPolygon") => (
                coordinates
                    .and_then(Json::as_array)
                    .map(|parts| parts.iter().collect()),
                true,
            ),
            Some("GeometryCollection") => {
                return Err(problem(
                    "geometry",
                    None,
                    "is a GeometryCollection, whose parts may overlap or be lines; write the polygons as one MultiPolygon",
                ));
            }
            Some(other) => {
                return Err(OutlineProblem {
                    field: "geometry".to_owned(),
                    value: Some(other.to_owned()),
                    problem: "encloses no area; a Polygon or MultiPolygon is needed".to_owned(),
                });
            }
            None => {
                return Err(problem(
                    "geometry",
                    None,
                    "is missing; a Polygon or MultiPolygon is needed",
                ));
            }
        };
        let parts = parts
            .filter(|p: &Vec<&Json>| !p.is_empty())
            .ok_or_else(|| problem("coordinates", coordinates, "hold no polygon"))?;
        let (mut polygons, mut slivers) = (Vec::with_capacity(parts.len()), 0);
        for (i, part) in parts.iter().enumerate() {
            let at = if multi {
                format!("coordinates, part {}", i + 1)
            } else {
                "coordinates".to_owned()
            };
            let rings = part
                .as_array()
                .filter(|r| !r.is_empty())
                .ok_or_else(|| problem(at.clone(), Some(part), "is not a list of rings"))?;
            let mut polygon = Polygon::with_capacity(rings.len());
            for (j, value) in rings.iter().enumerate() {
                let ring = ring(value, &format!("{at}, ring {}", j + 1))?;
                slivers += usize::from(ring_area_m2(&ring) < NOTHING_M2);
                polygon.push(ring);
            }
            if polygon.len() > 1 && polygon_area_m2(&polygon) < -NOTHING_M2 {
                return Err(problem(
                    at,
                    None,
                    "has holes that are larger than its outline; the first ring must be the outline",
                ));
            }
            polygons.push(polygon);
        }
        Ok(Outline {
            polygons,
            multi,
            slivers,
        })
    }

    /// The geometry as GeoJSON; always a MultiPolygon when there are several parts.
    pub(super) fn to_json(&self) -> Json {
        match self.polygons.as_slice() {
            [one] if !self.multi => json!({"type": "Polygon", "coordinates": one}),
            parts => json!({"type": "MultiPolygon", "coordinates": parts}),
        }
    }

    /// The number of a part that stands a second time, which would count its area twice.
    pub(super) fn repeated_part(&self) -> Option<usize> {
        (1..self.polygons.len()).find(|i| {
            let (earlier, rest) = self.polygons.split_at(*i);
            rest.first()
                .is_some_and(|part| earlier.contains(part) && polygon_area_m2(part) >= NOTHING_M2)
        })
    }
}

fn ring(value: &Json, at: &str) -> Result<Ring, OutlineProblem> {
    let positions = value
        .as_array()
        .ok_or_else(|| problem(at, Some(value), "is not a list of positions"))?;
    let mut ring = Ring::with_capacity(positions.len());
    for position in positions {
        ring.push(self::position(position, at)?);
    }
    if ring.len() < 4 {
        return Err(OutlineProblem {
            field: at.to_owned(),
            value: None,
            problem: format!(
                "has {} positions; a ring has four or more, the last the same as the first",
                ring.len()
            ),
        });
    }
    if ring.first() != ring.last() {
        return Err(problem(
            at,
            None,
            "is not closed: its last position must repeat its first",
        ));
    }
    Ok(ring)
}

fn position(value: &Json, at: &str) -> Result<[f64; 2], OutlineProblem> {
    let bad = |text: &str| problem(at, Some(value), text);
    let numbers = value
        .as_array()
        .filter(|a| a.len() >= 2)
        .ok_or_else(|| bad("is not a position; [longitude, latitude] is needed"))?;
    let number = |i: usize| {
        numbers
            .get(i)
            .and_then(Json::as_f64)
            .filter(|x| x.is_finite())
            .map(crate::domain::value::plain_zero)
            .ok_or_else(|| bad("is not a position of two finite numbers"))
    };
    let (lon, lat) = (number(0)?, number(1)?);
    if lon.abs() > 360.0 || lat.abs() > 360.0 {
        return Err(bad(
            "is not in degrees; the coordinates look projected and must be longitude and latitude on WGS84",
        ));
    }
    if lat.abs() > 90.0 && lon.abs() <= 90.0 {
        return Err(bad(
            "has a latitude beyond 90 degrees; are longitude and latitude swapped?",
        ));
    }
    if lon.abs() > 180.0 || lat.abs() > 90.0 {
        return Err(bad(
            "is out of range: longitude is -180 to 180, latitude -90 to 90",
        ));
    }
    Ok([lon, lat])
}
