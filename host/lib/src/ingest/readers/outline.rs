//! Reads and checks polygons of GeoJSON (RFC 7946): rings are closed and have four positions or more, longitude
//! and latitude are in degrees and in range. Heights are ignored. Rings that enclose nothing are counted, not
//! refused: simplified outlines have many of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;

use provender_domain::text;

use super::area::{Polygon, Ring, area_ha, polygon_area_m2, ring_area_m2};

/// A ring with less area than this encloses nothing (m²).
const NOTHING_M2: f64 = 0.5;

/// Number of geometries that a thread takes at a time.
const AT_ONCE: usize = 32;

/// A polygon with the area of each of its rings in m². Areas are kept because they cost more than the rest of
/// reading: every edge is an inverse problem on the ellipsoid.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    rings: Polygon,
    areas_m2: Vec<f64>,
}

impl Part {
    fn parse(value: &Json, at: String) -> Result<Part, OutlineProblem> {
        let rings = value
            .as_array()
            .filter(|r| !r.is_empty())
            .ok_or_else(|| problem(at.clone(), Some(value), "is not a list of rings"))?;
        let mut part = Part {
            rings: Polygon::with_capacity(rings.len()),
            areas_m2: Vec::with_capacity(rings.len()),
        };
        for (j, value) in rings.iter().enumerate() {
            let ring = ring(value, || format!("{at}, ring {}", j + 1))?;
            part.areas_m2.push(ring_area_m2(&ring));
            part.rings.push(ring);
        }
        if part.rings.len() > 1 && part.area_m2() < -NOTHING_M2 {
            return Err(problem(
                at,
                None,
                "has holes that are larger than its outline; the first ring must be the outline",
            ));
        }
        Ok(part)
    }

    fn area_m2(&self) -> f64 {
        polygon_area_m2(&self.areas_m2)
    }
}

/// A checked geometry.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    /// Parts, each an outline and its holes.
    pub(super) parts: Vec<Part>,
    /// True for a MultiPolygon.
    pub(super) multi: bool,
    /// Number of rings that enclose nothing.
    pub(super) slivers: usize,
}

/// What is wrong with a geometry.
#[derive(Debug)]
pub(super) struct OutlineProblem {
    /// Where in the geometry.
    pub(super) field: String,
    /// The value at fault.
    pub(super) value: Option<String>,
    /// What is wrong, as the end of a sentence.
    pub(super) problem: String,
}

fn problem(field: impl Into<String>, value: Option<&Json>, problem: &str) -> OutlineProblem {
    OutlineProblem {
        field: field.into(),
        value: value.map(ToString::to_string),
        problem: problem.to_owned(),
    }
}

/// The polygons of a geometry, and whether it is a MultiPolygon.
fn polygons(geometry: &Json) -> Result<(Vec<&Json>, bool), OutlineProblem> {
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
        .ok_or_else(|| problem("coordinates", coordinates, "have no polygon"))?;
    Ok((parts, multi))
}

impl Outline {
    /// The outline of a GeoJSON geometry.
    ///
    /// # Errors
    /// What is wrong, with the member at fault.
    pub(super) fn parse(geometry: &Json) -> Result<Outline, OutlineProblem> {
        let (parts, multi) = polygons(geometry)?;
        let (mut checked, mut slivers) = (Vec::with_capacity(parts.len()), 0);
        for (i, rings) in parts.iter().enumerate() {
            let at = match multi {
                true => format!("coordinates, part {}", i + 1),
                false => "coordinates".to_owned(),
            };
            let part = Part::parse(rings, at)?;
            slivers += part.areas_m2.iter().filter(|a| **a < NOTHING_M2).count();
            checked.push(part);
        }
        Ok(Outline {
            parts: checked,
            multi,
            slivers,
        })
    }

    /// Parses geometries and keeps their order. Many of them are shared among one thread per core.
    pub(super) fn parse_all(
        geometries: &[Option<&Json>],
    ) -> Vec<Option<Result<Outline, OutlineProblem>>> {
        let parse = |geometry: &Option<&Json>| geometry.map(Outline::parse);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.min(geometries.len() / AT_ONCE);
        if threads < 2 {
            return geometries.iter().map(parse).collect();
        }
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut done = Vec::new();
            loop {
                let block = next.fetch_add(1, Ordering::Relaxed);
                let Some(geometries) = geometries.chunks(AT_ONCE).nth(block) else {
                    return done;
                };
                let outlines: Vec<_> = geometries.iter().map(parse).collect();
                done.push((block, outlines));
            }
        };
        let mut done = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
            let mut done = worker();
            for other in others {
                match other.join() {
                    Ok(more) => done.extend(more),
                    // A thread's panic is a bug in this program and is passed on.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        done.sort_by_key(|(block, _)| *block);
        done.into_iter()
            .flat_map(|(_, outlines)| outlines)
            .collect()
    }

    /// The total area in hectares.
    pub(super) fn area_ha(&self) -> f64 {
        area_ha(self.parts.iter().map(Part::area_m2))
    }

    /// The geometry as canonical GeoJSON text; a MultiPolygon if there are several parts.
    #[expect(clippy::expect_used, reason = "numbers and brackets are ASCII")]
    pub(super) fn to_text(&self) -> String {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"{\"coordinates\":");
        let kind = match self.parts.as_slice() {
            [one] if !self.multi => {
                polygon(&one.rings, &mut out);
                "Polygon"
            }
            parts => {
                list(parts, &mut out, |part, out| polygon(&part.rings, out));
                "MultiPolygon"
            }
        };
        out.extend_from_slice(b",\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\"}");
        String::from_utf8(out).expect("numbers and brackets are ASCII")
    }

    /// Index of a part that repeats an earlier one, so that its area would count twice.
    pub(super) fn repeated_part(&self) -> Option<usize> {
        (1..self.parts.len()).find(|i| {
            let (earlier, rest) = self.parts.split_at(*i);
            rest.first()
                .is_some_and(|part| part.area_m2() >= NOTHING_M2 && earlier.contains(part))
        })
    }
}

fn list<T>(items: &[T], out: &mut Vec<u8>, mut write: impl FnMut(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

fn polygon(rings: &[Ring], out: &mut Vec<u8>) {
    list(rings, out, |ring, out| {
        list(ring, out, |position, out| {
            list(position, out, |x, out| text::number(*x, out));
        });
    });
}

fn ring(value: &Json, at: impl Fn() -> String) -> Result<Ring, OutlineProblem> {
    let positions = value
        .as_array()
        .ok_or_else(|| problem(at(), Some(value), "is not a list of positions"))?;
    let mut ring = Ring::with_capacity(positions.len());
    for position in positions {
        ring.push(self::position(position, &at)?);
    }
    if ring.len() < 4 {
        return Err(OutlineProblem {
            field: at(),
            value: None,
            problem: format!(
                "has {} positions; a ring has four or more, the last the same as the first",
                ring.len()
            ),
        });
    }
    if ring.first() != ring.last() {
        return Err(problem(
            at(),
            None,
            "is not closed: its last position must repeat its first",
        ));
    }
    Ok(ring)
}

fn position(value: &Json, at: &impl Fn() -> String) -> Result<[f64; 2], OutlineProblem> {
    let bad = |text: &str| problem(at(), Some(value), text);
    let numbers = value
        .as_array()
        .filter(|a| a.len() >= 2)
        .ok_or_else(|| bad("is not a position; [longitude, latitude] is needed"))?;
    let number = |i: usize| {
        numbers
            .get(i)
            .and_then(Json::as_f64)
            .filter(|x| x.is_finite())
            .map(provender_domain::value::plain_zero)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use provender_domain::canonical::to_text;
    use serde_json::json;

    /// A closed ring of positions: whole numbers, decimals, any bits.
    fn ring() -> impl Strategy<Value = Ring> {
        let degree = |most: f64| {
            prop_oneof![
                (-most..most).prop_map(|x| (x * 1e5).round() / 1e5),
                (-most..most).prop_map(f64::round),
                -most..most,
                -1e-7..1e-7,
            ]
            .prop_map(provender_domain::value::plain_zero)
        };
        prop::collection::vec((degree(180.0), degree(90.0)), 3..9).prop_map(|positions| {
            let mut ring: Ring = positions.into_iter().map(|(lon, lat)| [lon, lat]).collect();
            ring.push(ring[0]);
            ring
        })
    }

    proptest! {
        #[test]
        fn the_text_is_the_canonical_one(polygons in prop::collection::vec(prop::collection::vec(ring(), 1..3), 1..3), multi in any::<bool>()) {
            let parts = polygons.iter().map(|rings| Part { rings: rings.clone(), areas_m2: Vec::new() }).collect();
            let outline = Outline { parts, multi, slivers: 0 };
            let tree = match polygons.as_slice() {
                [one] if !multi => json!({"type": "Polygon", "coordinates": one}),
                all => json!({"type": "MultiPolygon", "coordinates": all}),
            };
            prop_assert_eq!(outline.to_text(), to_text(&tree).unwrap());
        }

        #[test]
        fn areas_are_those_of_the_rings_to_the_bit(rings in prop::collection::vec(ring(), 2 * AT_ONCE..3 * AT_ONCE)) {
            let geometries: Vec<Json> = rings.iter().map(|r| json!({"type": "Polygon", "coordinates": [r]})).collect();
            let geometries: Vec<Option<&Json>> = geometries.iter().map(Some).collect();
            for (outline, ring) in Outline::parse_all(&geometries).into_iter().zip(&rings) {
                let outline = outline.unwrap().unwrap();
                let expected = area_ha(std::iter::once(ring_area_m2(ring)));
                prop_assert_eq!(outline.area_ha().to_bits(), expected.to_bits());
            }
        }
    }

    #[test]
    fn outlines_and_problems_keep_their_positions_whichever_thread_reads_them() {
        let square = |n: usize| {
            let x = f64::from(u32::try_from(n).unwrap()) / 100.0;
            json!({"type": "Polygon", "coordinates": [[[x, 0.0], [x + 1.0, 0.0], [x + 1.0, 1.0], [x, 1.0], [x, 0.0]]]})
        };
        let geometries: Vec<Option<Json>> = (0..10 * AT_ONCE + 7)
            .map(|n| match n % 5 {
                3 => Some(json!({"type": "Point", "coordinates": [n, n]})),
                4 => None,
                _ => Some(square(n)),
            })
            .collect();
        let geometries: Vec<Option<&Json>> = geometries.iter().map(Option::as_ref).collect();
        let found = Outline::parse_all(&geometries);
        assert_eq!(found.len(), geometries.len());
        for (n, (found, geometry)) in found.into_iter().zip(geometries).enumerate() {
            match (found, geometry.map(Outline::parse)) {
                (Some(Ok(outline)), Some(Ok(alone))) => assert_eq!(outline.parts, alone.parts),
                (Some(Err(e)), Some(Err(_))) => assert_eq!(e.value.as_deref(), Some("Point")),
                (None, None) => {}
                other => panic!("{n}: {other:?}"),
            }
        }
    }
}
