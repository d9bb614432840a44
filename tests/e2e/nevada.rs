//! A check against published figures: federal grazing permits of Nevada.
//!
//! The agency publishes `AUMs = head × inclusive days × %PL × AUE / 30.41667`, rounded. In reverse, a
//! permit's forage (AUMs × 30.41667 days × intake) lasts its herd (head × %PL × AUE × intake) as many days as
//! its season has. Every row that satisfies the relation is computed on the command line, with the real
//! outline of its allotment, its herd and its forage.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use provender_domain::day::Day;
use serde_json::Value as Json;

use crate::kit::{Ranch, real_data};

/// Days in a month, as the agency counts them.
const MONTH: f64 = 30.41667;
/// Dry matter that an animal unit eats per day, kg. It cancels out.
const INTAKE: f64 = 11.793_401_62;

struct Permit {
    allotment: String,
    head: f64,
    /// Animal units per head that graze on the agency's land.
    share: f64,
    season: f64,
    aums: f64,
}

fn season(begin: &str, end: &str) -> Option<f64> {
    let day = |text: &str| {
        let mut parts = text.split('/').map(|p| p.parse::<i16>().ok());
        let (m, d, y) = (parts.next()??, parts.next()??, parts.next()??);
        Day::from_ymd(y, m as i8, d as i8)
    };
    let (begin, end) = (day(begin)?, day(end)?);
    let (_, bm, bd) = begin.ymd();
    let (_, em, ed) = end.ymd();
    // A whole grazing year counts 365 days, also in a leap year.
    if (bm, bd, em) == (3, 1, 2) && ed >= 28 {
        return Some(365.0);
    }
    Some(f64::from(end.since(begin) + 1))
}

fn permits(text: &str) -> Vec<Permit> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let at = |name: &str| {
        heads
            .iter()
            .position(|h| h == name)
            .unwrap_or_else(|| panic!("no column {name}"))
    };
    let (number, head, kind, begin, end, usage, pl, aums) = (
        at("Allotment Number"),
        at("Lvsk #"),
        at("Lvsk Kind"),
        at("Pd Beg Dt"),
        at("Pd End Dt"),
        at("Type Use"),
        at("PL %"),
        at("Aums"),
    );
    let figure = |text: &str| text.replace(',', "").trim().parse::<f64>().ok();
    let rows = reader.records().map(Result::unwrap);
    let permit = rows.filter_map(|r| {
        let aue = match &r[kind] {
            "CATTLE" | "HORSE" => 1.0,
            "SHEEP" | "GOAT" => 0.2,
            _ => return None,
        };
        if r[usage].trim() != "ACTIVE" {
            return None;
        }
        let permit = Permit {
            allotment: r[number].trim().to_owned(),
            head: figure(&r[head])?,
            share: figure(&r[pl])? / 100.0 * aue,
            season: season(&r[begin], &r[end])?,
            aums: figure(&r[aums])?,
        };
        let published = permit.head * permit.season * permit.share / MONTH;
        (permit.aums >= 200.0 && (published - permit.aums).abs() <= 0.5 + 1e-9).then_some(permit)
    });
    permit.collect()
}

/// A deployment with the outline, herd and forage of every permit that satisfies the relation.
pub(crate) struct Nevada {
    pub(crate) ranch: Ranch,
    /// Herd to the days of its season and its AUMs.
    wanted: BTreeMap<String, (f64, f64)>,
    /// First and last day of the permits.
    pub(crate) days: [String; 2],
}

/// Ingests the permits; `None` if the folder of real data is missing.
pub(crate) fn nevada() -> Option<Nevada> {
    let data = real_data()?;
    let ranch = Ranch::new();
    let outlines = data.join("blm/blm-grazing-allotments-nv.geojson");
    let outlines_text = std::fs::read_to_string(&outlines).unwrap();
    let args = [
        "ingest",
        "--boundaries",
        outlines.to_str().unwrap(),
        "--id-property",
        "allot_no",
        "--duplicate-ids",
        "merge",
    ];
    let file = &ranch.data(&args, 0)["files"][0];
    assert_eq!(
        (&file["rows"], &file["new"]),
        (&759.into(), &757.into()),
        "{file}"
    );
    areas_agree_with_the_published_acres(&ranch, &outlines_text);

    let bytes = std::fs::read(data.join("blm/permit-schedule-info-nv.csv")).unwrap();
    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&bytes);
    let areas = areas(&ranch);
    // Each row has its own day, so that one allotment can have several.
    let mut days: BTreeMap<String, i32> = BTreeMap::new();
    let start: Day = "2020-01-01".parse().unwrap();
    let (mut herds, mut forage) = (
        "id,boundary_id,effective_date,end_date,animal_count,daily_intake_kg_per_head\n".to_owned(),
        "boundary_id,date,kg_per_ha\n".to_owned(),
    );
    let mut wanted: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (i, p) in permits(&text).into_iter().enumerate() {
        let Some(area) = areas.get(&p.allotment) else {
            continue;
        };
        let n = days.entry(p.allotment.clone()).or_default();
        let day = start.plus(*n).unwrap();
        *n += 1;
        let id = format!("permit-{i}");
        writeln!(
            herds,
            "{id},{},{day},{day},{},{}",
            p.allotment,
            p.head,
            p.share * INTAKE
        )
        .unwrap();
        writeln!(
            forage,
            "{},{day},{}",
            p.allotment,
            p.aums * MONTH * INTAKE / area
        )
        .unwrap();
        wanted.insert(id, (p.season, p.aums));
    }
    assert!(
        wanted.len() > 500,
        "only {} rows satisfy the relation",
        wanted.len()
    );
    ranch.write("herds.csv", &herds);
    ranch.write("forage.csv", &forage);
    let _ = ranch
        .run(&["ingest", "--herds", "herds.csv", "--forage", "forage.csv"])
        .exits(0);
    let last = start.plus(days.values().copied().max().unwrap()).unwrap();
    Some(Nevada {
        ranch,
        wanted,
        days: [start.to_string(), last.to_string()],
    })
}

#[test]
fn every_permit_that_obeys_the_relation_lasts_its_season() {
    let Some(nevada) = nevada() else {
        println!("skipped: the folder of real data is missing");
        return;
    };
    let Nevada {
        ranch,
        wanted,
        days: [first, last],
    } = &nevada;
    let args = [
        "compute",
        "--all",
        "--from",
        first,
        "--to",
        last,
        "--runs",
        "--logic",
        "days_remaining:v1",
    ];
    let computed = ranch.data(&args, 0);
    let runs = computed["runs"].as_array().unwrap();
    assert_eq!(runs.len(), wanted.len());
    for run in runs {
        let (season, aums) = wanted[run["key"]["herd_config_id"].as_str().unwrap()];
        let days = run["outputs"]["days_of_grazing_remaining"]
            .as_f64()
            .unwrap();
        let tolerance = f64::max(0.5, season * 0.5 / aums);
        assert!(
            (days - season).abs() <= tolerance,
            "{days} is not {season} within {tolerance}: {run}"
        );
    }
    println!("{} permit rows checked", runs.len());
}

/// Areas in force, from the ledger's own table.
fn areas(ranch: &Ranch) -> BTreeMap<String, f64> {
    let db = rusqlite::Connection::open(ranch.path("out/ledger.db")).unwrap();
    let mut statement = db
        .prepare("SELECT boundary_id, area_ha FROM boundary")
        .unwrap();
    let rows = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// Outlines are simplified and some acres are outdated, so single places may differ. Most agree.
fn areas_agree_with_the_published_acres(ranch: &Ranch, outlines: &str) {
    let features: Json = serde_json::from_str(outlines).unwrap();
    let mut published: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for f in features["features"].as_array().unwrap() {
        let p = &f["properties"];
        published
            .entry(p["allot_no"].as_str().unwrap().trim().to_owned())
            .or_default()
            .push(p["acres"].as_f64().unwrap_or(0.0));
    }
    let mut ratios: Vec<f64> = areas(ranch)
        .iter()
        .filter_map(|(id, area)| match published[id].as_slice() {
            [acres] if *acres > 0.0 => Some(area / 0.404_685_642_24 / acres),
            _ => None,
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    let within = ratios.iter().filter(|r| (**r - 1.0).abs() <= 0.05).count();
    println!(
        "{} outlines: median of area by acres {median:.4}, {within} within 5 %",
        ratios.len()
    );
    assert!((median - 1.0).abs() < 0.005, "{median}");
    assert!(
        within as f64 >= 0.97 * ratios.len() as f64,
        "{within} of {}",
        ratios.len()
    );
}
