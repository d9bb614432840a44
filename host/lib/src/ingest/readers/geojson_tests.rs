//! Tests of the GeoJSON reader on small files of our own.

use crate::ingest::parsed::{DuplicateIds, Kind, ReadOptions};
use crate::ingest::readers::read as read_bytes;
use crate::ingest::readers::testing::{bad, boundaries, refusal};

const SQUARE: &str = "[[-119.0,40.0],[-118.99,40.0],[-118.99,40.01],[-119.0,40.01],[-119.0,40.0]]";
const HOLE: &str =
    "[[-118.997,40.003],[-118.994,40.003],[-118.994,40.006],[-118.997,40.006],[-118.997,40.003]]";
const OTHER: &str = "[[-118.9,40.0],[-118.89,40.0],[-118.89,40.01],[-118.9,40.01],[-118.9,40.0]]";

fn options() -> ReadOptions {
    ReadOptions {
        file_name: "pastures/north.geojson".to_owned(),
        kind: Some(Kind::Boundaries),
        ..ReadOptions::default()
    }
}

fn polygon(rings: &str) -> String {
    format!(r#"{{"type":"Polygon","coordinates":[{rings}]}}"#)
}

fn feature(properties: &str, geometry: &str) -> String {
    format!(r#"{{"type":"Feature","properties":{properties},"geometry":{geometry}}}"#)
}

fn collection(features: &[String]) -> String {
    format!(
        r#"{{"type":"FeatureCollection","source":"ours","features":[{}]}}"#,
        features.join(",")
    )
}

fn read(text: &str) -> Result<crate::ingest::parsed::Reading, crate::ingest::parsed::ReadError> {
    read_bytes(text.as_bytes(), &options())
}

#[test]
fn a_bare_geometry_takes_its_id_from_the_file_and_holes_are_taken_out() {
    let whole = &boundaries(&read(&polygon(SQUARE)).unwrap())[0];
    let holed = &boundaries(&read(&polygon(&format!("{SQUARE},{HOLE}"))).unwrap())[0];
    let hole = &boundaries(&read(&polygon(HOLE)).unwrap())[0];
    assert_eq!(whole.boundary_id, "north");
    assert!((whole.area_ha - holed.area_ha - hole.area_ha).abs() < 0.0002);
    assert!((whole.area_ha - 94.8).abs() < 0.1, "{}", whole.area_ha);
}

#[test]
fn the_id_is_looked_for_in_the_documented_order() {
    let id = |properties: &str| {
        let text = feature(properties, &polygon(SQUARE));
        let text = text.replacen('{', r#"{"id":77,"#, 1);
        boundaries(&read(&text).unwrap())[0].boundary_id.clone()
    };
    assert_eq!(
        id(r#"{"boundary_id":" a ","id":"b","pasture_id":"c"}"#),
        "a"
    );
    assert_eq!(id(r#"{"id":12.0,"pasture_id":"c"}"#), "12");
    assert_eq!(id(r#"{"pasture_id":"c"}"#), "77");
    let text = feature(r#"{"pasture_id":"c"}"#, &polygon(SQUARE));
    assert_eq!(boundaries(&read(&text).unwrap())[0].boundary_id, "c");
}

#[test]
fn a_named_id_property_is_the_only_one_looked_at() {
    let text = collection(&[
        feature(r#"{"allot_no":"00011","name":" Lower "}"#, &polygon(SQUARE)),
        feature(r#"{"id":"x"}"#, &polygon(OTHER)),
    ]);
    let mut options = options();
    options.id_property = Some("ALLOT_NO".to_owned());
    let rows = bad(read_bytes(text.as_bytes(), &options));
    assert_eq!((rows.len(), rows[0].row), (1, 2));
    assert!(rows[0].problem.contains("feature 2"), "{}", rows[0]);
    options.skip_bad_rows = true;
    let reading = read_bytes(text.as_bytes(), &options).unwrap();
    assert_eq!((reading.rows, reading.skipped.len()), (2, 1));
    let b = &boundaries(&reading)[0];
    assert_eq!(
        (b.boundary_id.as_str(), b.name.as_deref()),
        ("00011", Some("Lower"))
    );
}

#[test]
fn several_features_without_an_id_are_named_by_number() {
    let f = feature("{}", &polygon(SQUARE));
    let rows = bad(read(&collection(&[f.clone(), f])));
    assert_eq!(rows.iter().map(|r| r.row).collect::<Vec<_>>(), [1, 2]);
    assert!(rows[0].problem.contains("--id-property"));
}

#[test]
fn features_of_one_id_are_refused_or_merged() {
    let text = collection(&[
        feature(r#"{"id":"a","acres":234.3}"#, &polygon(SQUARE)),
        feature(r#"{"id":"b"}"#, &polygon(HOLE)),
        feature(r#"{"id":"a","acres":234.3}"#, &polygon(OTHER)),
    ]);
    let rows = bad(read(&text));
    assert_eq!(rows.iter().map(|r| r.row).collect::<Vec<_>>(), [1, 3]);
    assert!(rows[0].problem.contains("1 and 3"), "{}", rows[0]);
    let mut options = options();
    options.duplicate_ids = DuplicateIds::Merge;
    let reading = read_bytes(text.as_bytes(), &options).unwrap();
    let list = boundaries(&reading);
    assert_eq!(list.len(), 2);
    assert!(list[0].geometry.contains("MultiPolygon"));
    assert!((list[0].area_ha - 189.6).abs() < 0.2, "{}", list[0].area_ha);
    // Each part declares its own area, and their sum fits.
    assert!((list[0].declared_area_ha.unwrap() - 2.0 * 94.82).abs() < 0.1);
    assert_eq!(reading.warnings, Vec::<String>::new());
}

#[test]
fn outlines_with_dates_of_their_own_are_revisions() {
    let text = collection(&[
        feature(
            r#"{"id":"a","effective_date":"2025-05-01"}"#,
            &polygon(OTHER),
        ),
        feature(
            r#"{"id":"a","effective_date":"2024-01-01"}"#,
            &polygon(SQUARE),
        ),
    ]);
    let list = boundaries(&read(&text).unwrap());
    let dates: Vec<_> = list
        .iter()
        .map(|b| b.effective_date.unwrap().to_string())
        .collect();
    assert_eq!(dates.len(), 2);
    assert!(dates.contains(&"2024-01-01".to_owned()));
    let rows = bad(read(&text.replace("2025-05-01", "5/1/2025")));
    assert_eq!(rows[0].field.as_deref(), Some("effective_date"));
}

#[test]
fn a_declared_area_that_contradicts_the_outline_is_shown_in_both_units() {
    let with = |properties: &str| read(&feature(properties, &polygon(SQUARE))).unwrap();
    let reading = with(r#"{"id":"a","GIS_ACRES":"1,000"}"#);
    let [warning] = reading.warnings.as_slice() else {
        panic!("{:?}", reading.warnings)
    };
    assert!(warning.contains("404.7 ha (1000.0 acres)"), "{warning}");
    assert!(warning.contains("94.8 ha (234."), "{warning}");
    for fine in [
        r#"{"id":"a","acres":0}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"a","acres":240}"#,
        r#"{"id":"a","area_ha":"94.8","acres":null}"#,
    ] {
        assert_eq!(with(fine).warnings, Vec::<String>::new(), "{fine}");
    }
    assert_eq!(
        boundaries(&with(r#"{"id":"a","acres":0}"#))[0].declared_area_ha,
        None
    );
    let text = feature(r#"{"id":"a","acres":"many"}"#, &polygon(SQUARE));
    assert_eq!(bad(read(&text))[0].value.as_deref(), Some("many"));
}

#[test]
fn geometries_that_enclose_nothing_are_refused_with_a_reason() {
    for (geometry, part) in [
        (
            r#"{"type":"Point","coordinates":[1,2]}"#.to_owned(),
            "encloses no area",
        ),
        (
            format!(
                r#"{{"type":"GeometryCollection","geometries":[{}]}}"#,
                polygon(SQUARE)
            ),
            "MultiPolygon",
        ),
        ("null".to_owned(), "missing"),
        (polygon("[[0,0],[1,0],[0,0]]"), "3 positions"),
        (polygon("[[0,0],[1,0],[1,1],[0,1]]"), "not closed"),
        (
            polygon("[[40,-119],[41,-119],[41,-118],[40,-119]]"),
            "swapped",
        ),
        (
            polygon("[[240,40],[241,40],[241,41],[240,40]]"),
            "out of range",
        ),
        (
            polygon("[[500000,4400000],[500100,4400000],[500100,4400100],[500000,4400000]]"),
            "projected",
        ),
        (
            polygon("[[0,0],[1,\"x\"],[1,1],[0,0]]"),
            "two finite numbers",
        ),
        (polygon("[[0,0],[0.1,0.1],[0,0],[0,0]]"), "encloses no area"),
        (
            polygon(&format!("{HOLE},{SQUARE}")),
            "larger than its outline",
        ),
        (
            r#"{"type":"Polygon","coordinates":[]}"#.to_owned(),
            "not a list of rings",
        ),
    ] {
        let rows = bad(read(&feature(r#"{"id":"a"}"#, &geometry)));
        assert!(rows[0].problem.contains(part), "{geometry}: {}", rows[0]);
    }
}

#[test]
fn a_sliver_beside_real_parts_is_a_warning() {
    let sliver = "[[1,1],[1,1],[1,1],[1,1]]";
    let text = feature(
        r#"{"id":"a"}"#,
        &format!(r#"{{"type":"MultiPolygon","coordinates":[[{SQUARE}],[{sliver}]]}}"#),
    );
    let reading = read(&text).unwrap();
    assert!(
        reading.warnings[0].contains("1 of its rings"),
        "{:?}",
        reading.warnings
    );
    let twice = format!(r#"{{"type":"MultiPolygon","coordinates":[[{SQUARE}],[{SQUARE}]]}}"#);
    let rows = bad(read(&feature(r#"{"id":"a"}"#, &twice)));
    assert!(rows[0].problem.contains("twice"), "{}", rows[0]);
}

#[test]
fn a_legacy_crs_is_fine_when_it_is_wgs84_and_named_when_it_is_not() {
    let with = |name: &str| {
        let crs = format!(r#"{{"crs":{{"type":"name","properties":{{"name":"{name}"}}}},"#);
        read(&feature(r#"{"id":"a"}"#, &polygon(SQUARE)).replacen('{', &crs, 1))
    };
    for name in [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "EPSG:4326",
        "urn:ogc:def:crs:EPSG::4326",
    ] {
        assert!(with(name).is_ok(), "{name}");
    }
    assert!(refusal(with("urn:ogc:def:crs:EPSG::26911")).contains("EPSG::26911"));
}

#[test]
fn the_stored_geometry_is_canonical_whatever_the_file_s_spelling() {
    let one = boundaries(&read(&polygon(SQUARE)).unwrap());
    let spelled = polygon(&SQUARE.replace("40.0]", "40.000, 1500.5 ]"));
    let two = boundaries(&read(&spelled).unwrap());
    assert_eq!(one[0].geometry, two[0].geometry);
    assert!(
        one[0]
            .geometry
            .starts_with(r#"{"coordinates":[[[-119,40],"#),
        "{}",
        one[0].geometry
    );
}

#[test]
fn another_kind_than_asked_for_is_named() {
    let mut options = options();
    options.kind = Some(Kind::Weather);
    let message = refusal(read_bytes(polygon(SQUARE).as_bytes(), &options));
    assert!(
        message.contains("boundaries (geojson), not weather"),
        "{message}"
    );
}
