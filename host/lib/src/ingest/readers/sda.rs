//! Soil from a Soil Data Access reply (`format: JSON+COLUMNNAME`): `{"Table": [names, row, …]}`,
//! where every number is a string. Rows count the data rows from 1. The values computed from a reply have row
//! 1, because they summarise all rows.
//!
//! A reply lists the components of the map units in a place. Range production (`rsprod_l/r/h`, lb/acre per year
//! in a dry, normal and wet year) is averaged over the components that have a figure, weighted by the map unit's
//! area and the component's percentage. Their share of the whole area is `soil_production_coverage_pct`.
//! Components without a figure (unlisted minor components, Water, Urban land, Pits, NOTCOM) count as not covered,
//! never as zero. `awc_r` is averaged in the same way, and over a component's horizons by their thickness.
//! `aws0150wta` belongs to the map unit and is averaged by area.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::ingest::parsed::Kind;

use super::draft::{Draft, Gather, Given, row_number};
use super::fields::{self, shown};
use super::formats::{Form, Reader, Taken};
use super::units::Unit;

const PRODUCTION: [(&str, &str); 3] = [
    ("rsprod_l", "soil_production_low_kg_per_ha"),
    ("rsprod_r", "soil_production_normal_kg_per_ha"),
    ("rsprod_h", "soil_production_high_kg_per_ha"),
];
/// Columns that may have the map unit's area in the place; only ratios matter.
const AREAS: [&str; 6] = [
    "area_m2",
    "area_ha",
    "area_acres",
    "acres",
    "muareaacres",
    "area",
];
/// Column names that distinguish a header row from a data row.
const NAMES: [&str; 12] = [
    "mukey",
    "musym",
    "muname",
    "cokey",
    "compname",
    "comppct_r",
    "rsprod_l",
    "rsprod_r",
    "rsprod_h",
    "awc_r",
    "aws0150wta",
    "areasymbol",
];

/// Figures of a map unit, collected from its rows.
#[derive(Default)]
struct MapUnit {
    area: f64,
    water_storage_cm: Option<f64>,
    components: BTreeMap<String, Component>,
}

#[derive(Default)]
struct Component {
    percent: Option<f64>,
    production: [Option<f64>; 3],
    /// (available water capacity, thickness) of each horizon.
    horizons: Vec<(f64, f64)>,
}

/// A sum of values times weights.
#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: Option<f64>, weight: f64) {
        if let Some(value) = value {
            self.sum += value * weight;
            self.weight += weight;
        }
    }

    fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "sda",
    kind: Kind::Soil,
    sign: "an object with a list `Table`, or {}",
    form: Form::Json {
        is: |json, _| {
            let empty = json.as_object().is_some_and(serde_json::Map::is_empty);
            empty || json.get("Table").is_some_and(Json::is_array)
        },
        read,
    },
};

/// Reads a parsed reply.
fn read(json: &Json, draft: &mut Draft<'_>) -> Taken {
    let table = match json.get("Table") {
        Some(table) => table.as_array().map(Vec::as_slice),
        None if json.as_object().is_some_and(serde_json::Map::is_empty) => Some(&[][..]),
        None => None,
    };
    let Some(table) = table else {
        return Err(draft.refuse("is not a Soil Data Access reply: it has no list `Table`"));
    };
    let place = draft.place()?;
    let Some((header, rows)) = table.split_first() else {
        draft.warn("the reply has no rows: Soil Data Access found nothing for the query");
        return Ok((0, Gather::default().into_aggregate()));
    };
    let names: Vec<String> = header
        .as_array()
        .into_iter()
        .flatten()
        .map(|n| shown(n).trim().to_ascii_lowercase())
        .collect();
    if !names.iter().any(|n| NAMES.contains(&n.as_str())) {
        return Err(draft.refuse(
            "its first row does not name the columns; request format JSON+COLUMNNAME from Soil Data Access",
        ));
    }
    let rows = match rows.split_first() {
        Some((first, rest)) if is_metadata(first) => rest,
        _ => rows,
    };
    if rows.is_empty() {
        draft.warn("the reply has no rows: Soil Data Access found nothing for the query");
        return Ok((0, Gather::default().into_aggregate()));
    }
    let sheet = Sheet { names };
    let Some(area) = AREAS.iter().find(|a| sheet.find(a).is_some()) else {
        draft.warn(format!(
            "the reply gives no area of its map units (one of {}), so nothing can be weighted and no value was taken",
            AREAS.join(", ")
        ));
        return Ok((rows.len(), Gather::default().into_aggregate()));
    };
    let units = sheet.map_units(rows, area, draft);
    let mut gather = Gather::default();
    sheet.average(&units, &place, &mut gather, draft);
    Ok((rows.len(), gather.into_aggregate()))
}

/// `JSON+COLUMNNAME+METADATA` puts a row of column descriptions second.
fn is_metadata(row: &Json) -> bool {
    row.as_array().is_some_and(|cells| {
        !cells.is_empty()
            && cells.iter().all(|c| {
                c.as_str()
                    .is_some_and(|c| c.to_ascii_lowercase().contains("columnordinal="))
            })
    })
}

struct Sheet {
    names: Vec<String>,
}

impl Sheet {
    fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// The map units that the rows describe. Contradicting rows are refused.
    fn map_units(
        &self,
        rows: &[Json],
        area_name: &str,
        draft: &mut Draft<'_>,
    ) -> BTreeMap<String, MapUnit> {
        let mut units: BTreeMap<String, MapUnit> = BTreeMap::new();
        for (i, row) in rows.iter().enumerate() {
            let number = row_number(i);
            let Some(cells) = row.as_array().filter(|c| c.len() == self.names.len()) else {
                draft.bad(
                    number,
                    "",
                    Some(&row.to_string()),
                    format!(
                        "does not have {} values, as the header does",
                        self.names.len()
                    ),
                );
                continue;
            };
            let text = |name: &str| {
                self.find(name)
                    .and_then(|c| cells.get(c))
                    .and_then(fields::json_text)
            };
            let Some(read) = self.row(number, cells, area_name, draft) else {
                continue;
            };
            let mukey = text("mukey").unwrap_or_else(|| format!("row {number}"));
            let fresh = !units.contains_key(&mukey);
            let unit = units.entry(mukey.clone()).or_default();
            if fresh {
                unit.area = read.area;
                unit.water_storage_cm = read.water_storage_cm;
            } else if unit.area.to_bits() != read.area.to_bits() {
                draft.bad(
                    number,
                    area_name,
                    Some(&read.area.to_string()),
                    format!(
                        "contradicts an earlier row: map unit {mukey} had {}; sum its area in the query",
                        unit.area
                    ),
                );
                continue;
            }
            let cokey = text("cokey")
                .or_else(|| text("compname"))
                .unwrap_or_else(|| format!("row {number}"));
            let known = unit.components.contains_key(&cokey);
            let component = unit.components.entry(cokey.clone()).or_default();
            if !known {
                component.percent = read.percent;
                component.production = read.production;
            } else if component.percent != read.percent || component.production != read.production {
                draft.bad(
                    number,
                    "cokey",
                    Some(&cokey),
                    "contradicts an earlier row of this component",
                );
                continue;
            }
            component.horizons.extend(read.horizon);
        }
        units
    }

    fn row(
        &self,
        number: u32,
        cells: &[Json],
        area_name: &str,
        draft: &mut Draft<'_>,
    ) -> Option<Row> {
        let mut figure = |name: &str| -> Result<Option<f64>, ()> {
            let Some(value) = self.find(name).and_then(|c| cells.get(c)) else {
                return Ok(None);
            };
            let problem = match fields::json_number(value, &[]) {
                Ok(Some(x)) if x < 0.0 => "must not be negative".to_owned(),
                Ok(x) => return Ok(x),
                Err(problem) => problem,
            };
            draft.bad(number, name, Some(&shown(value)), problem);
            Err(())
        };
        let area = figure(area_name);
        let percent = figure("comppct_r");
        let production = PRODUCTION.map(|(name, _)| figure(name));
        let storage = figure("aws0150wta");
        let capacity = figure("awc_r");
        let (top, bottom) = (figure("hzdept_r"), figure("hzdepb_r"));
        let [Ok(low), Ok(normal), Ok(high)] = production else {
            return None;
        };
        let (area, percent) = (area.ok()?, percent.ok()?);
        let (storage, capacity, top, bottom) =
            (storage.ok()?, capacity.ok()?, top.ok()?, bottom.ok()?);
        let Some(area) = area else {
            draft.bad(number, area_name, None, "is missing");
            return None;
        };
        if let Some(p) = percent.filter(|p| *p > 100.0) {
            draft.bad(
                number,
                "comppct_r",
                Some(&p.to_string()),
                "is more than 100",
            );
            return None;
        }
        let thickness = match top.zip(bottom) {
            Some((top, bottom)) => (bottom - top).max(0.0),
            None => 1.0,
        };
        Some(Row {
            area,
            percent,
            production: [low, normal, high],
            water_storage_cm: storage,
            horizon: capacity.map(|c| (c, thickness)),
        })
    }

    fn average(
        &self,
        units: &BTreeMap<String, MapUnit>,
        place: &str,
        gather: &mut Gather,
        draft: &mut Draft<'_>,
    ) {
        let has = |name: &str| self.find(name).is_some();
        let produces = PRODUCTION.iter().any(|(n, _)| has(n));
        let weighted = has("comppct_r");
        if (produces || has("awc_r")) && !weighted {
            draft.warn("the reply has no comppct_r, so its components cannot be weighted; rsprod and awc_r were ignored");
        }
        let whole: f64 = units.values().map(|u| u.area * 100.0).sum();
        let Means {
            production,
            capacity,
            storage,
            layered,
        } = Means::of(units);
        if layered && !(has("hzdept_r") && has("hzdepb_r")) {
            draft.warn("the reply gives several awc_r for a component but not the depths of its horizons (hzdept_r, hzdepb_r), so they are weighted equally");
        }
        let mut put = |column: &str, value: Option<f64>, draft: &mut Draft<'_>| {
            let text = value.map(|v| v.to_string()).unwrap_or_default();
            let given = Given {
                row: 1,
                field: column,
                shown: &text,
                read_as: "",
                boundary: place,
                column,
                date: None,
                value,
            };
            gather.put(draft, &given);
        };
        if weighted {
            for ((name, column), mean) in PRODUCTION.iter().zip(production) {
                if has(name) {
                    let value = mean
                        .value()
                        .and_then(|lb| Unit::PoundPerAcre.convert(lb, Unit::KilogramPerHectare));
                    if value.is_none() {
                        draft.warn(format!("no component of the reply has {name}"));
                    }
                    put(column, value, draft);
                }
            }
            if produces {
                let [low, normal, high] = production;
                let covered = if has("rsprod_r") {
                    normal.weight
                } else {
                    low.weight.max(high.weight)
                };
                let share = (whole > 0.0).then(|| (100.0 * covered / whole).min(100.0));
                put("soil_production_coverage_pct", share, draft);
            }
            if has("awc_r") {
                put("soil_awc_cm_per_cm", capacity.value(), draft);
            }
        }
        if has("aws0150wta") {
            put("soil_water_storage_150cm_cm", storage.value(), draft);
        }
    }
}

/// Totals over the map units of a place.
#[derive(Default)]
struct Means {
    production: [Mean; 3],
    capacity: Mean,
    storage: Mean,
    /// Whether a component has several horizons.
    layered: bool,
}

impl Means {
    fn of(units: &BTreeMap<String, MapUnit>) -> Means {
        let mut means = Means::default();
        for unit in units.values() {
            means.storage.add(unit.water_storage_cm, unit.area);
            for component in unit.components.values() {
                // A component without a percentage has no weight.
                let weight = unit.area * component.percent.unwrap_or(0.0);
                for (mean, value) in means.production.iter_mut().zip(component.production) {
                    mean.add(value, weight);
                }
                means.layered |= component.horizons.len() > 1;
                let mut horizons = Mean::default();
                for (value, thickness) in &component.horizons {
                    horizons.add(Some(*value), *thickness);
                }
                means.capacity.add(horizons.value(), weight);
            }
        }
        means
    }
}

/// A row's figures.
struct Row {
    area: f64,
    percent: Option<f64>,
    production: [Option<f64>; 3],
    water_storage_cm: Option<f64>,
    horizon: Option<(f64, f64)>,
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::Format;
    use crate::ingest::readers::testing::{bad, near, read, read_alone, refusal, value, values};

    const REPLY: &str = r#"{"Table":[["mukey","area_m2","muname","cokey","compname","comppct_r","rsprod_r","aws0150wta"],
        ["1","600","Loam","11","A","80","1000","20"],
        ["1","600","Loam","12","Minor","20",null,"20"],
        ["2","300","Clay","21","B","50","4000","10"],
        ["3","100","Water",null,null,null,null,null]]}"#;

    #[test]
    fn production_is_weighted_over_what_carries_a_figure_and_the_rest_is_not_covered() {
        let reading = read(REPLY).unwrap();
        assert_eq!(
            (reading.format, reading.rows),
            (Format::parse("sda").unwrap(), 4)
        );
        let pounds =
            (600.0 * 80.0 * 1000.0 + 300.0 * 50.0 * 4000.0) / (600.0 * 80.0 + 300.0 * 50.0);
        near(
            value(&reading, "soil_production_normal_kg_per_ha", ""),
            pounds * 1.120_851_156_194_449,
        );
        near(value(&reading, "soil_production_coverage_pct", ""), 63.0);
        near(
            value(&reading, "soil_water_storage_150cm_cm", ""),
            15_000.0 / 900.0,
        );
    }

    #[test]
    fn horizons_count_by_their_thickness_and_a_component_once() {
        let reading = read(
            r#"{"Table":[["mukey","area_ha","cokey","comppct_r","rsprod_r","hzdept_r","hzdepb_r","awc_r"],
            ["1","5","11","100","1000","0","10","0.2"],
            ["1","5","11","100","1000","10","40","0.1"]]}"#,
        )
        .unwrap();
        near(value(&reading, "soil_awc_cm_per_cm", ""), 0.125);
        near(value(&reading, "soil_production_coverage_pct", ""), 100.0);
    }

    #[test]
    fn no_rows_and_no_area_are_warnings() {
        let none = read("{}").unwrap();
        assert_eq!(
            (none.format, none.rows, none.warnings.len()),
            (Format::parse("sda").unwrap(), 0, 1)
        );
        let keys = read(r#"{"Table":[["mukey"],["459259"]]}"#).unwrap();
        assert_eq!((keys.rows, values(&keys).len()), (1, 0));
        assert!(keys.warnings[0].contains("no area"), "{:?}", keys.warnings);
    }

    #[test]
    fn a_metadata_row_is_skipped_and_a_reply_without_names_is_refused() {
        let with = REPLY.replacen(
            r#"["1","600","Loam","11""#,
            r#"["ColumnOrdinal=0,x","ColumnOrdinal=1","ColumnOrdinal=2","ColumnOrdinal=3","ColumnOrdinal=4","ColumnOrdinal=5","ColumnOrdinal=6","ColumnOrdinal=7"],
            ["1","600","Loam","11""#,
            1,
        );
        assert_eq!(values(&read(&with).unwrap()), values(&read(REPLY).unwrap()));
        let message = refusal(read(r#"{"Table":[["111","600000"],["222","400000"]]}"#));
        assert!(message.contains("JSON+COLUMNNAME"), "{message}");
        assert!(refusal(read_alone(REPLY)).contains("--boundary"));
    }

    #[test]
    fn rows_that_contradict_each_other_are_named() {
        let rows = bad(read(
            &REPLY.replace(r#"["1","600","Loam","12""#, r#"["1","700","Loam","12""#),
        ));
        assert_eq!(
            (rows[0].row, rows[0].field.as_deref()),
            (2, Some("area_m2"))
        );
        let rows = bad(read(&REPLY.replace(r#""1000""#, r#""-7""#)));
        assert_eq!(rows[0].value.as_deref(), Some("-7"));
    }
}
