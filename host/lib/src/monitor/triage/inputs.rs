//! Compares inputs with earlier ones of the same places. A changed unit shows as a factor.

use provender_domain::ids::{BoundaryId, HerdId};
use std::collections::{BTreeMap, BTreeSet};

use super::super::baseline::robust_sigma;
use super::super::metrics::median;
use super::groups::ENOUGH;
use super::judge::{Points, TriageFinding};
use super::scene::{Row, TriageScene};
use crate::ingest::take::looks_like;
use provender_domain::render::text::{count, number};

/// A shift is more than this many robust standard deviations of the earlier ratio.
const SIGMAS: f64 = 4.0;

/// Smallest relative change that counts as a shift if its factor looks like a mistaken unit, even if the input
/// hardly varied before.
const LEAST_OF_A_UNIT: f64 = 0.05;

/// Smallest relative change that counts as a shift for any other factor. Forage and weather move that far in a
/// month by themselves, in steps from one composite to the next that the spread of earlier days does not show.
pub(super) const LEAST: f64 = 0.2;

/// Each value divided by the earlier median of its place.
fn ratios(rows: &[Row], name: &str, middle: &BTreeMap<(BoundaryId, HerdId), f64>) -> Vec<f64> {
    let of = |row: &Row| {
        let x = row.inputs.get(name)?.as_f64()?;
        Some(x / middle.get(&row.series())?)
    };
    let mut all: Vec<f64> = rows
        .iter()
        .filter_map(of)
        .filter(|x| x.is_finite())
        .collect();
    all.sort_by(f64::total_cmp);
    all
}

/// The median of an input at each place before the failing days; places where it is 0 have none.
fn middles(before: &[Row], name: &str) -> BTreeMap<(BoundaryId, HerdId), f64> {
    let mut values: BTreeMap<(BoundaryId, HerdId), Vec<f64>> = BTreeMap::new();
    for row in before {
        if let Some(x) = row.inputs.get(name).and_then(serde_json::Value::as_f64) {
            values.entry(row.series()).or_default().push(x);
        }
    }
    values
        .into_iter()
        .filter_map(|(series, mut values)| {
            values.sort_by(f64::total_cmp);
            Some((series, median(&values)?))
        })
        .filter(|(_, m)| *m != 0.0)
        .collect()
}

/// Inputs of the failing rows that differ from earlier ones of the same places.
#[must_use]
pub(super) fn findings(scene: &TriageScene) -> Vec<TriageFinding> {
    let mut out = Vec::new();
    let names: BTreeSet<&String> = scene.failing.iter().flat_map(|r| r.inputs.keys()).collect();
    // How old an observation is moves every day by itself.
    let names = names.into_iter().filter(|n| !n.ends_with("_age_days"));
    let mut compared = 0;
    for name in names {
        let middle = middles(&scene.before, name);
        let before = ratios(&scene.before, name, &middle);
        let now = ratios(&scene.failing, name, &middle);
        let (Some(was), Some(is)) = (median(&before), median(&now)) else {
            continue;
        };
        if before.len() < 2 * ENOUGH || now.len() < ENOUGH {
            continue;
        }
        compared += 1;
        let scale = robust_sigma(&before, was);
        let unit = looks_like(is / was);
        let least = if unit.is_some() {
            LEAST_OF_A_UNIT
        } else {
            LEAST
        };
        let far = (is - was).abs() > (SIGMAS * scale).max(least * was.abs());
        if far {
            out.push(TriageFinding::new(
                "input_shifted",
                Points::Data,
                before.len() + now.len(),
                format!(
                    "{name} is {} times what the same places had before{} ({} failing answers, {} before)",
                    number(is / was),
                    unit.map_or_else(String::new, |h| format!(", which looks like {h}")),
                    now.len(),
                    before.len()
                ),
            ));
        }
    }
    if compared > 0 && out.is_empty() {
        out.push(TriageFinding::new(
            "inputs_as_before",
            Points::Nowhere,
            scene.failing.len() + scene.before.len(),
            format!("none of the {compared} inputs that could be compared differs from what the same places had before"),
        ));
    } else if compared == 0 {
        out.push(TriageFinding::new(
            "inputs_not_compared",
            Points::Nowhere,
            scene.before.len(),
            format!(
                "inputs were not compared: {} and {} before are too few, {ENOUGH} and {} are needed",
                count(scene.failing.len() as u64, "failing answer"),
                scene.before.len(),
                2 * ENOUGH
            ),
        ));
    }
    out
}
