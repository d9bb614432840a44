//! Tests of every reader on a real file, from the folder that `PROVENDER_TEST_DATA` names. Without the variable
//! the tests print that they were skipped.

use provender_domain::ids::BoundaryId;
use std::path::PathBuf;

use crate::ingest::parsed::{DuplicateIds, Format, Kind, ReadOptions, Reading};

use super::testing::{bad, boundaries, near, value, values};
use super::units::HA_PER_ACRE;

fn file(name: &str) -> Option<Vec<u8>> {
    let Some(folder) = std::env::var_os("PROVENDER_TEST_DATA") else {
        println!("skipped: PROVENDER_TEST_DATA names no folder of real files");
        return None;
    };
    let file = PathBuf::from(folder).join(name);
    Some(std::fs::read(file).expect("a file of the folder of real files"))
}

fn options(name: &str) -> ReadOptions {
    ReadOptions {
        file_name: name.to_owned(),
        boundary: Some(BoundaryId::unchecked("here")),
        ..ReadOptions::default()
    }
}

fn read(name: &str) -> Option<Reading> {
    let bytes = file(name)?;
    Some(super::read(&bytes, &options(name)).expect("a real file that reads"))
}

#[test]
fn the_allotments_of_nevada_read_and_their_areas_agree_with_the_published_acres() {
    let name = "blm/blm-grazing-allotments-nv.geojson";
    let Some(bytes) = file(name) else { return };
    let mut options = ReadOptions {
        boundary: None,
        kind: Some(Kind::Boundaries),
        id_property: Some("allot_no".to_owned()),
        ..options(name)
    };
    // Two allotment numbers occur on two features each.
    let rows = bad(super::read(&bytes, &options));
    assert_eq!(rows.len(), 4, "{rows:?}");
    options.duplicate_ids = DuplicateIds::Merge;
    let reading = super::read(&bytes, &options).unwrap();
    let list = boundaries(&reading);
    assert_eq!((reading.rows, list.len()), (759, 757));
    let mut ratios: Vec<f64> = list
        .iter()
        .filter_map(|b| Some(b.area_ha / b.declared_area_ha?))
        .collect();
    ratios.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length"
    )]
    let at = |share: f64| ratios[((ratios.len() - 1) as f64 * share).round() as usize];
    for share in [0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0] {
        println!(
            "area / declared at {:>3.0} %: {:.4}",
            share * 100.0,
            at(share)
        );
    }
    let within = |tolerance: f64| {
        ratios
            .iter()
            .filter(|r| (*r - 1.0).abs() <= tolerance)
            .count()
    };
    println!(
        "of {}: {} within 1 %, {} within 5 %, {} within 10 %; {} warnings",
        ratios.len(),
        within(0.01),
        within(0.05),
        within(0.10),
        reading.warnings.len()
    );
    for warning in reading.warnings.iter().take(12) {
        println!("{warning}");
    }
    assert!((at(0.5) - 1.0).abs() < 0.01, "{}", at(0.5));
    assert!(within(0.10) * 100 >= ratios.len() * 90);
    let total: f64 = list.iter().map(|b| b.area_ha).sum();
    println!("together {:.0} acres", total / HA_PER_ACRE);
}

#[test]
fn a_permit_table_is_not_taken_for_a_list_of_herds() {
    for name in [
        "blm/permit-schedule-info-nv.csv",
        "blm/allotment-info-nv.csv",
        "rap/rapr_doc_values.csv",
    ] {
        let Some(bytes) = file(name) else { return };
        let message = super::read(&bytes, &options(name)).unwrap_err().to_string();
        assert!(message.contains("known formats are"), "{message}");
    }
}

#[test]
fn daymet_of_both_versions_reads() {
    let Some(v3) = read("daymet/daymet_single_pixel_36.0133_-84.2625_v3.csv") else {
        return;
    };
    assert_eq!(
        (v3.format, v3.rows),
        (Format::parse("daymet").unwrap(), 11 * 365)
    );
    assert_eq!(v3.warnings, Vec::<String>::new());
    near(value(&v3, "temp_max_c", "2000-01-01"), 17.0);
    near(value(&v3, "snow_water_equivalent_kg_m2", "2000-01-01"), 8.0);
    near(
        value(&v3, "solar_radiation_mj_m2", "2000-01-01"),
        310.399_993_896_484_4 * 34_560.0 / 1e6,
    );
    let days: Vec<String> = values(&v3).into_iter().map(|v| v.2).collect();
    assert!(days.contains(&"2000-02-29".to_owned()) && !days.contains(&"2000-12-31".to_owned()));
    assert!(days.contains(&"2010-12-31".to_owned()));
    let v4 = read("daymet/daymet_v4_header_2023_3rows.csv").unwrap();
    assert_eq!(v4.rows, 3);
    near(value(&v4, "precipitation_mm", "2023-01-02"), 24.66);
}

#[test]
fn gridmet_reads_in_full() {
    let Some(reading) = read("gridmet/gridmet_historical_378778.csv") else {
        return;
    };
    assert_eq!(
        (reading.format, reading.rows),
        (Format::parse("gridmet").unwrap(), 14_445)
    );
    assert_eq!(reading.warnings, Vec::<String>::new());
    assert_eq!(values(&reading).len(), 14_445 * 7);
    near(
        value(&reading, "temp_max_c", "1979-01-01"),
        -8.018_469_238_281_227,
    );
    near(
        value(&reading, "solar_radiation_mj_m2", "1979-01-01"),
        166.370_681_762_695_3 * 0.0864,
    );
}

#[test]
fn open_meteo_replies_read() {
    let Some(oslo) = read("open-meteo/archive_2025_oslo_mean.json") else {
        return;
    };
    assert_eq!(oslo.warnings, Vec::<String>::new());
    near(value(&oslo, "temp_mean_c", "2025-01-16"), 2.3);
    let legacy = read("open-meteo/daily_forecast_2023_legacy_names.json").unwrap();
    assert_eq!(legacy.rows, 7);
    near(
        value(&legacy, "wind_speed_max_m_s", "2023-05-28"),
        14.5 / 3.6,
    );
    near(value(&legacy, "et0_mm", "2023-06-03"), 4.99);
    assert!(
        legacy.warnings[0].contains("sunrise"),
        "{:?}",
        legacy.warnings
    );
    // Berlin's coordinates under Chicago's days.
    assert!(
        legacy.warnings[1].contains("America/Chicago"),
        "{:?}",
        legacy.warnings
    );
    let day = read("open-meteo/daily_forecast_2024_one_day.json").unwrap();
    near(value(&day, "temp_max_c", "2024-11-09"), 20.6);
}

#[test]
fn rap_replies_read() {
    let Some(cover) = read("rap/api_doc_coverV3_sample.json") else {
        return;
    };
    near(
        value(&cover, "cover_bare_ground_pct", "1986-12-31"),
        27.473_813_636_923_555,
    );
    assert_eq!(values(&cover).len(), 12);
    let periods = read("rap/production16dayV3_shape_SYNTHETIC.json").unwrap();
    near(
        value(&periods, "forage_increment_kg_per_ha", "1993-02-01"),
        65.4 * 0.453_592_37 / 0.404_685_642_24,
    );
    assert_eq!(
        value(&periods, "forage_increment_kg_per_ha", "1993-02-17"),
        None
    );
}

#[test]
fn the_published_rap_values_agree_with_their_labels() {
    let Some(bytes) = file("rap/rapr_doc_values.csv") else {
        return;
    };
    let text = String::from_utf8(bytes).unwrap();
    let rows: Vec<String> = text
        .lines()
        .skip(1)
        .map(|l| l.split(',').collect::<Vec<_>>())
        .filter(|c| c[0] == "production16day" && !c[3].is_empty())
        .map(|c| {
            format!(
                r#"["{}",{},{},{},{},{}]"#,
                c[3], c[2], c[4], c[5], c[6], c[7]
            )
        })
        .collect();
    // Four years at two places. The second gets different years, so that no day repeats.
    let reply = format!(
        r#"{{"type":"Feature","properties":{{"production16day":[["date","year","doy","AFG","PFG","HER"],{}]}}}}"#,
        rows.join(",")
    );
    let reading = super::read(reply.as_bytes(), &options("rap")).unwrap();
    assert_eq!(reading.rows as usize, rows.len());
    assert_eq!(rows.len(), 16);
}

#[test]
fn soil_replies_read() {
    let Some(reading) = read("sda/rsprod_shape_SYNTHETIC.json") else {
        return;
    };
    let kg = value(&reading, "soil_production_normal_kg_per_ha", "").unwrap();
    let pounds = kg * HA_PER_ACRE / 0.453_592_37;
    assert!((pounds - 2793.10).abs() < 0.005, "{pounds}");
    near(value(&reading, "soil_production_coverage_pct", ""), 87.0);
    for name in ["sda/no_rows.json", "sda/mukey_point_davis_ca.json"] {
        let reading = read(name).unwrap();
        assert!(values(&reading).is_empty());
        assert_eq!(reading.warnings.len(), 1);
    }
}
