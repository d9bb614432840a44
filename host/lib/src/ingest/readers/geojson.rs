//! Boundaries from GeoJSON: a FeatureCollection, a Feature or a bare geometry.
//!
//! Row numbers count features from 1. The id is the property that `--id-property` names, else
//! `boundary_id`, `id` (the property, then the Feature's own), `pasture_id`, and for a file of one
//! feature the file's stem. Features with the same id are revisions of one place if each has its own
//! `effective_date`. Otherwise they are refused, or merged if the options say so.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::ingest::parsed::{At, Content, DuplicateIds, Kind, ReadError};
use provender_domain::day::Day;
use provender_domain::ids::BoundaryId;
use provender_domain::place::Boundary;

use super::draft::{Draft, row_number};
use super::fields::{self, json_text, shown};
use super::formats::{Form, Reader, Taken};
use super::outline::{Outline, OutlineProblem};
use super::rap;
use super::units::{HA_PER_ACRE, Unit};

/// Properties that may have the id, in order.
const ID_PROPERTIES: [&str; 3] = ["boundary_id", "id", "pasture_id"];
/// Properties that may have a name.
const NAME_PROPERTIES: [&str; 5] = [
    "name",
    "boundary_name",
    "pasture_name",
    "allot_name",
    "title",
];
/// Properties that may declare an area.
const AREA_PROPERTIES: [(&str, Unit); 5] = [
    ("area_ha", Unit::Hectare),
    ("hectares", Unit::Hectare),
    ("acres", Unit::Acre),
    ("area_acres", Unit::Acre),
    ("gis_acres", Unit::Acre),
];
/// A declared area that differs from the outline's by more than this share gives a warning.
const DECLARED_TOLERANCE: f64 = 0.10;

/// Geometry, properties and the Feature's own id.
type FoundFeature<'j> = (Option<&'j Json>, &'j Map<String, Json>, Option<&'j Json>);

/// A feature that could be read.
struct Part {
    row: u32,
    id: BoundaryId,
    name: Option<String>,
    outline: Outline,
    declared_ha: Option<f64>,
    effective_date: Option<Day>,
}

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "geojson",
    kind: Kind::Boundaries,
    sign: "a FeatureCollection, Feature, Polygon or MultiPolygon",
    form: Form::Json {
        // A Rangeland Analysis Platform reply is GeoJSON too.
        is: |json, kind| {
            is_geojson(json) && (kind == Some(Kind::Boundaries) || !rap::is_reply(json))
        },
        read,
    },
};

fn is_geojson(json: &Json) -> bool {
    const TYPES: [&str; 9] = [
        "FeatureCollection",
        "Feature",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
    ];
    let of = json.get("type").and_then(Json::as_str);
    of.is_some_and(|t| TYPES.contains(&t))
}
/// Reads a parsed GeoJSON document.
fn read(json: &Json, draft: &mut Draft<'_>) -> Taken {
    check_crs(json, draft)?;
    let empty = Map::new();
    let features: Vec<FoundFeature<'_>> = match json.get("type").and_then(Json::as_str) {
        Some("FeatureCollection") => {
            let list = json
                .get("features")
                .and_then(Json::as_array)
                .ok_or_else(|| draft.refuse("the FeatureCollection has no list `features`"))?;
            list.iter().map(|f| feature(f, &empty)).collect()
        }
        Some("Feature") => vec![feature(json, &empty)],
        Some(_) => vec![(Some(json), &empty, None)],
        None => return Err(draft.refuse("is not GeoJSON: it has no `type`")),
    };
    if features.is_empty() {
        draft.warn("the file has no features");
    }
    let only_one = features.len() == 1;
    let count = features.len();
    let geometries: Vec<Option<&Json>> = features.iter().map(|found| found.0).collect();
    let outlines = Outline::parse_all(&geometries);
    let mut parts = Vec::new();
    for (i, (found, outline)) in features.into_iter().zip(outlines).enumerate() {
        if let Some(part) = part(row_number(i), found, outline, only_one, draft) {
            parts.push(part);
        }
    }
    Ok((count, Content::Boundaries(join(parts, draft))))
}

fn feature<'j>(value: &'j Json, empty: &'j Map<String, Json>) -> FoundFeature<'j> {
    (
        value.get("geometry").filter(|g| !g.is_null()),
        value
            .get("properties")
            .and_then(Json::as_object)
            .unwrap_or(empty),
        value.get("id"),
    )
}

/// A legacy `crs` member is accepted if it names WGS84, which RFC 7946 prescribes anyway.
fn check_crs(json: &Json, draft: &Draft<'_>) -> Result<(), ReadError> {
    let Some(crs) = json.get("crs").filter(|c| !c.is_null()) else {
        return Ok(());
    };
    let name = crs
        .pointer("/properties/name")
        .or_else(|| crs.pointer("/properties/href"))
        .or_else(|| crs.get("name"))
        .unwrap_or(crs);
    let name = shown(name);
    let plain = name.to_ascii_uppercase().replace(['/', ' '], ":");
    let wgs84 = plain.ends_with("CRS84")
        || plain == "WGS84"
        || plain == "WGS:84"
        || (plain.contains("EPSG") && plain.rsplit(':').next() == Some("4326"));
    if wgs84 {
        Ok(())
    } else {
        Err(draft.refuse(format!(
            "its coordinates are in `{name}`; write them as longitude and latitude on WGS84 (RFC 7946)"
        )))
    }
}

fn part(
    row: u32,
    found: FoundFeature<'_>,
    outline: Option<Result<Outline, OutlineProblem>>,
    only_one: bool,
    draft: &mut Draft<'_>,
) -> Option<Part> {
    let (_, properties, feature_id) = found;
    let id = id(row, properties, feature_id, only_one, draft);
    let outline = match outline {
        None => {
            draft.bad(
                row,
                "geometry",
                None,
                "is missing; a Polygon or MultiPolygon is needed",
            );
            None
        }
        Some(Ok(outline)) => Some(outline),
        Some(Err(e)) => {
            draft.bad(row, &e.field, e.value.as_deref(), e.problem);
            None
        }
    };
    let declared_ha = declared(row, properties, draft);
    let effective_date = match property(properties, "effective_date").filter(|(_, v)| !v.is_null())
    {
        None => Some(None),
        Some((field, value)) => match fields::day(&shown(value)) {
            Ok(day) => Some(Some(day)),
            Err(problem) => {
                draft.bad(row, field, Some(&shown(value)), problem);
                None
            }
        },
    };
    Some(Part {
        row,
        id: id?,
        name: NAME_PROPERTIES
            .iter()
            .find_map(|n| property(properties, n).and_then(|(_, v)| json_text(v))),
        outline: outline?,
        declared_ha: declared_ha?,
        effective_date: effective_date?,
    })
}

/// A property by its exact name, otherwise ignoring case.
fn property<'j>(properties: &'j Map<String, Json>, name: &str) -> Option<(&'j str, &'j Json)> {
    properties
        .get_key_value(name)
        .or_else(|| {
            properties
                .iter()
                .find(|(k, _)| k.trim().eq_ignore_ascii_case(name))
        })
        .map(|(k, v)| (k.as_str(), v))
}

fn id(
    row: u32,
    properties: &Map<String, Json>,
    feature_id: Option<&Json>,
    only_one: bool,
    draft: &mut Draft<'_>,
) -> Option<BoundaryId> {
    let text = |name: &str| property(properties, name).and_then(|(_, v)| json_text(v));
    let (id, field) = match draft.options.id_property.clone() {
        Some(name) => (text(&name), name),
        None => {
            let own = || feature_id.and_then(json_text);
            let [first, second, third] = ID_PROPERTIES;
            let id = text(first)
                .or_else(|| text(second))
                .or_else(own)
                .or_else(|| text(third))
                .or_else(|| only_one.then(|| stem(&draft.options.file_name))?);
            (id, "id".to_owned())
        }
    };
    let Some(id) = id else {
        let problem = if draft.options.id_property.is_some() {
            format!("is missing in feature {row}, and it was given as the property with the id")
        } else {
            format!(
                "is missing: feature {row} has none of {}; name the property with --id-property",
                ID_PROPERTIES.join(", ")
            )
        };
        draft.bad(row, &field, None, problem);
        return None;
    };
    match id.parse::<BoundaryId>() {
        Ok(id) => Some(id),
        Err(problem) => {
            draft.bad(row, &field, Some(&id), problem.to_string());
            None
        }
    }
}

fn stem(file_name: &str) -> Option<String> {
    let stem = std::path::Path::new(file_name)
        .file_stem()?
        .to_str()?
        .trim();
    (!stem.is_empty()).then(|| stem.to_owned())
}

/// The declared area in hectares. Zero is a placeholder and counts as absent. The outer `None` is a bad row.
#[expect(
    clippy::option_option,
    reason = "the outer None is a row that was refused"
)]
fn declared(
    row: u32,
    properties: &Map<String, Json>,
    draft: &mut Draft<'_>,
) -> Option<Option<f64>> {
    for (name, unit) in AREA_PROPERTIES {
        let Some((field, value)) = property(properties, name) else {
            continue;
        };
        match fields::json_number(value, &[]) {
            Ok(Some(x)) if x > 0.0 => return Some(unit.convert(x, Unit::Hectare)),
            Ok(Some(x)) if x < 0.0 => {
                draft.bad(row, field, Some(&shown(value)), "is a negative area");
                return None;
            }
            Ok(_) => {}
            Err(problem) => {
                draft.bad(row, field, Some(&shown(value)), problem);
                return None;
            }
        }
    }
    Some(None)
}

/// Joins parts with the same id, in order of first appearance.
fn join(parts: Vec<Part>, draft: &mut Draft<'_>) -> Vec<At<Boundary>> {
    let mut by_id: BTreeMap<BoundaryId, Vec<usize>> = BTreeMap::new();
    for (i, part) in parts.iter().enumerate() {
        by_id.entry(part.id.clone()).or_default().push(i);
    }
    let mut parts: Vec<Option<Part>> = parts.into_iter().map(Some).collect();
    let mut groups: Vec<Vec<Part>> = Vec::new();
    for indexes in by_id.into_values() {
        let mut same: Vec<Part> = indexes
            .into_iter()
            .filter_map(|i| parts.get_mut(i).and_then(Option::take))
            .collect();
        // Outlines with a date each are revisions, not repetitions.
        if same.iter().all(|p| p.effective_date.is_some()) {
            same.sort_by_key(|p| (p.effective_date, p.row));
            for part in same {
                match groups.last_mut() {
                    Some(last)
                        if last.first().is_some_and(|f| {
                            f.id == part.id && f.effective_date == part.effective_date
                        }) =>
                    {
                        last.push(part);
                    }
                    _ => groups.push(vec![part]),
                }
            }
        } else {
            groups.push(same);
        }
    }
    groups.sort_by_key(|g| g.first().map_or(0, |p| p.row));
    groups
        .into_iter()
        .filter_map(|group| boundary(group, draft))
        .collect()
}

/// Why features with the same id cannot be merged; `None` if they can.
fn no_parts(group: &[Part], duplicate_ids: DuplicateIds) -> Option<String> {
    let [first, others @ ..] = group else {
        return None;
    };
    if others.is_empty() {
        return None;
    }
    let rows: Vec<String> = group.iter().map(|p| p.row.to_string()).collect();
    let rows = rows.join(" and ");
    let dates_differ = others
        .iter()
        .any(|p| p.effective_date != first.effective_date);
    match (duplicate_ids, dates_differ) {
        (DuplicateIds::Merge, false) => None,
        (DuplicateIds::Merge, true) => Some(format!(
            "is shared by features {rows}, but not all of them have an effective_date, so they are neither parts nor revisions"
        )),
        (DuplicateIds::Refuse, _) => Some(format!(
            "is shared by features {rows}; give each its own, or set duplicate_ids = \"merge\" if they are parts of one place"
        )),
    }
}

/// The merged feature, and the area that each of the features declares.
fn merged(group: Vec<Part>) -> Option<(Part, Vec<f64>)> {
    let declared = group.iter().filter_map(|p| p.declared_ha).collect();
    let mut group = group.into_iter();
    let mut first = group.next()?;
    for part in group {
        first.outline.parts.extend(part.outline.parts);
        first.outline.slivers += part.outline.slivers;
        first.outline.multi = true;
        first.name = first.name.or(part.name);
    }
    Some((first, declared))
}

fn boundary(group: Vec<Part>, draft: &mut Draft<'_>) -> Option<At<Boundary>> {
    if let Some(problem) = no_parts(&group, draft.options.duplicate_ids) {
        for part in &group {
            draft.bad(part.row, "id", Some(&part.id), problem.clone());
        }
        return None;
    }
    let (first, declared) = merged(group)?;
    let (row, id) = (first.row, first.id);
    let mut bad = |problem: String| draft.bad(row, "geometry", Some(&id), problem);
    if let Some(part) = first.outline.repeated_part() {
        bad(format!(
            "has part {} twice, which would count its area twice",
            part + 1
        ));
        return None;
    }
    let area_ha = first.outline.area_ha();
    if area_ha <= 0.0 {
        bad("encloses no area (less than 1 m²)".to_owned());
        return None;
    }
    if first.outline.slivers > 0 {
        draft.warn(format!(
            "feature {row} ({id}): {} of its rings enclose no area and do not count",
            first.outline.slivers
        ));
    }
    let declared_area_ha = declared_total(&declared, area_ha);
    if let Some(declared) = declared_area_ha
        && differs(area_ha, declared)
    {
        draft.warn(format!(
            "feature {row} ({id}): the outline has {area_ha:.1} ha ({:.1} acres), the file declares {declared:.1} ha ({:.1} acres); the outline's area is used",
            area_ha / HA_PER_ACRE,
            declared / HA_PER_ACRE
        ));
    }
    Some(At {
        row,
        value: Boundary {
            boundary_id: id,
            name: first.name,
            geometry: first.outline.to_text(),
            area_ha,
            declared_area_ha,
            effective_date: first.effective_date,
        },
    })
}

fn differs(area_ha: f64, declared_ha: f64) -> bool {
    (area_ha - declared_ha).abs() > DECLARED_TOLERANCE * declared_ha
}

/// The declared area of merged features. Some exports repeat the total on each part, others give each part its
/// own. The repeated one is used if it fits the outline, otherwise the sum.
fn declared_total(declared: &[f64], area_ha: f64) -> Option<f64> {
    let first = *declared.first()?;
    let sum: f64 = declared.iter().sum();
    let same = declared
        .iter()
        .all(|d| (d - first).abs() <= f64::EPSILON * first);
    Some(if same && !differs(area_ha, first) {
        first
    } else {
        sum
    })
}

#[cfg(test)]
#[path = "geojson_tests.rs"]
mod tests;
