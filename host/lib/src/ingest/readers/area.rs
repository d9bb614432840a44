//! Geodesic area on WGS84: every area in the host is computed here.
//!
//! Each ring is a geodesic polygon (Karney 2013, doi 10.1007/s00190-012-0578-z, as implemented by
//! geographiclib). A ring's orientation does not matter, holes are subtracted from their outline, parts are
//! added, and the sum is rounded to 0.0001 ha (1 m²). Edges across the antimeridian take the short way
//! round; repeated vertices change nothing. A ring larger than half the globe is read as its complement.

use geographiclib_rs::{Geodesic, PolygonArea, Winding};

/// A closed ring of (longitude, latitude) in degrees.
pub(super) type Ring = Vec<[f64; 2]>;
/// An outline followed by its holes.
pub(super) type Polygon = Vec<Ring>;

/// Area of a closed ring in m², for either orientation.
#[must_use]
pub(super) fn ring_area_m2(ring: &[[f64; 2]]) -> f64 {
    // The last position repeats the first; geographiclib closes the ring itself.
    let open = match ring {
        [first, middle @ .., last] if first == last && !middle.is_empty() => {
            ring.get(..ring.len() - 1).unwrap_or(ring)
        }
        _ => ring,
    };
    if open.len() < 3 {
        return 0.0;
    }
    let wgs84 = Geodesic::wgs84();
    let mut polygon = PolygonArea::new(&wgs84, Winding::CounterClockwise);
    for [lon, lat] in open {
        polygon.add_point(*lat, *lon);
    }
    let (_, area_m2, _) = polygon.compute(true);
    if area_m2.is_finite() {
        area_m2.abs()
    } else {
        0.0
    }
}

/// Area of a polygon in m² from the areas of its rings: outline minus holes. Negative if the holes are
/// larger.
#[must_use]
pub(super) fn polygon_area_m2(rings: &[f64]) -> f64 {
    match rings {
        [] => 0.0,
        [outline, holes @ ..] => holes.iter().fold(*outline, |area, hole| area - hole),
    }
}

/// Total area of polygons in hectares, from their areas in m², rounded to 0.0001 ha.
#[must_use]
pub(super) fn area_ha(polygons: impl Iterator<Item = f64>) -> f64 {
    let m2: f64 = polygons.sum();
    // 1 m² is 0.0001 ha, so whole m² give the rounding that is wanted.
    m2.max(0.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area_ha(polygons: &[Polygon]) -> f64 {
        super::area_ha(polygons.iter().map(|polygon| {
            let rings: Vec<f64> = polygon.iter().map(|r| ring_area_m2(r)).collect();
            polygon_area_m2(&rings)
        }))
    }

    fn square(lon: f64, lat: f64, side: f64) -> Ring {
        vec![
            [lon, lat],
            [lon + side, lat],
            [lon + side, lat + side],
            [lon, lat + side],
            [lon, lat],
        ]
    }

    #[test]
    fn a_degree_square_at_the_equator_has_its_published_area() {
        // geographiclib's own documentation: 12308778361.469452 m².
        let area = ring_area_m2(&square(0.0, 0.0, 1.0));
        assert!((area - 12_308_778_361.469_452).abs() < 1e-3, "{area}");
        assert_eq!(area_ha(&[vec![square(0.0, 0.0, 1.0)]]), 1_230_877.836_1);
    }

    #[test]
    fn orientation_changes_nothing_and_holes_are_taken_out() {
        let outline = square(-119.0, 40.0, 0.1);
        let hole = square(-118.98, 40.02, 0.05);
        let turned = |r: &Ring| r.iter().rev().copied().collect::<Ring>();
        let area = area_ha(&[vec![outline.clone(), hole.clone()]]);
        let whole = area_ha(&[vec![outline.clone()]]);
        let out = area_ha(&[vec![hole.clone()]]);
        assert!((area - (whole - out)).abs() <= 0.0002);
        for polygon in [
            vec![turned(&outline), hole.clone()],
            vec![outline.clone(), turned(&hole)],
            vec![turned(&outline), turned(&hole)],
        ] {
            assert_eq!(area_ha(&[polygon]), area);
        }
    }

    #[test]
    fn the_antimeridian_is_an_ordinary_line() {
        let east = area_ha(&[vec![square(-1.0, 10.0, 2.0)]]);
        let across = vec![
            [179.0, 10.0],
            [-179.0, 10.0],
            [-179.0, 12.0],
            [179.0, 12.0],
            [179.0, 10.0],
        ];
        assert_eq!(area_ha(&[vec![across]]), east);
    }

    #[test]
    fn repeated_vertices_change_nothing_and_slivers_have_no_area() {
        let mut ring = square(5.0, 50.0, 0.01);
        let area = area_ha(&[vec![ring.clone()]]);
        ring.insert(2, ring[2]);
        ring.insert(2, ring[2]);
        assert_eq!(area_ha(&[vec![ring]]), area);
        let sliver = vec![[5.0, 50.0], [5.1, 50.0], [5.0, 50.0], [5.0, 50.0]];
        assert_eq!(area_ha(&[vec![sliver]]), 0.0);
        assert_eq!(area_ha(&[]), 0.0);
    }
}
