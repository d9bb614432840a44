//! Shared by the tests of `backtest`: a ranch with answers, figures computed independently, patched
//! components.

use serde_json::Value as Json;

use crate::crash_kit::ingested;
use crate::kit::Ranch;
use crate::prepared::prepared;

pub(crate) const DAYS: &str = "days_of_grazing_remaining";

/// A ranch with the answers of v2 recorded for eleven days.
pub(crate) fn recorded() -> Ranch {
    prepared("recorded", || {
        let ranch = ingested();
        let _ = ranch.run(&with_days(&["compute", "--all"])).exits(0);
        ranch
    })
}

pub(crate) fn with_days<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let days = ["--from", "2025-06-20", "--to", "2025-06-30"];
    args.iter().copied().chain(days).collect()
}

/// The numbers that `compute` gives for a version on these days, each with (boundary, herd, date).
pub(crate) fn computed(ranch: &Ranch, logic: &str) -> Vec<(String, Option<f64>)> {
    let args = with_days(&["compute", "--all", "--dry-run", "--logic", logic]);
    let data = ranch.data(&args, 0);
    let runs = data["runs"].as_array().unwrap().iter();
    let mut all: Vec<_> = runs
        .map(|r| {
            let key = |n: &str| r["key"][n].as_str().unwrap().to_owned();
            let place = [
                key("boundary_id"),
                key("herd_config_id"),
                key("calculation_date"),
            ];
            (place.join(" "), r["outputs"][DAYS].as_f64())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// The outcome of this name.
pub(crate) fn outcome<'a>(data: &'a Json, name: &str) -> &'a Json {
    let all = data["outcomes"].as_array().unwrap();
    all.iter().find(|o| o["name"] == name).unwrap()
}

pub(crate) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n % 2 == 1 {
        values[n / 2]
    } else {
        f64::midpoint(values[n / 2 - 1], values[n / 2])
    }
}

/// The shipped v2 with every occurrence of some bytes replaced by others of the same length.
pub(crate) fn patched(ranch: &Ranch, file: &str, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(ranch.path("components/days_remaining-v2.wasm")).unwrap();
    let mut places = 0;
    for i in 0..bytes.len() - from.len() {
        if bytes[i..].starts_with(from) {
            bytes[i..i + to.len()].copy_from_slice(to);
            places += 1;
        }
    }
    assert!(places > 0, "the component has changed: nothing to patch");
    std::fs::write(ranch.path(file), bytes).unwrap();
}

/// `f64.const x; f64.div`: how v2 turns a percentage into a share.
pub(crate) fn divide_by(x: f64) -> Vec<u8> {
    let mut code = vec![0x44];
    code.extend(x.to_le_bytes());
    code.push(0xa3);
    code
}
