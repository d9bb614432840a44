//! Other versions on the same inputs, and runs that a reissue replaced.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::groups::ENOUGH;
use super::judge::{Points, TriageFinding};
use super::scene::TriageScene;
use crate::ingest::take::looks_like;
use provender_domain::render::text::{count, number};

/// Share of rows that must agree for a comparison to point somewhere.
const MOST: f64 = 0.8;

/// Whether two versions read the same values: they share an input beside the day, and no shared input differs.
fn same_inputs(a: &Map<String, Json>, b: &Map<String, Json>) -> bool {
    let mut shared = a
        .iter()
        .filter(|(name, _)| *name != "calculation_date")
        .filter_map(|(name, x)| Some((x, b.get(name)?)))
        .peekable();
    shared.peek().is_some() && shared.all(|(x, y)| x == y)
}

/// What the results of other versions show.
#[must_use]
pub(super) fn findings(scene: &TriageScene) -> Vec<TriageFinding> {
    let mut out = Vec::new();
    let mut by_version: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for (i, other) in &scene.others {
        let Some(failing) = scene.failing.get(*i) else {
            continue;
        };
        let count = by_version.entry(&other.model_version).or_default();
        if !same_inputs(&failing.inputs, &other.inputs) {
            continue;
        }
        count.0 += 1;
        match scene.fails_too(failing, other) {
            Some(true) => count.1 += 1,
            Some(false) => count.2 += 1,
            None => {}
        }
    }
    for (version, (same, fails, holds)) in &by_version {
        out.push(version_finding(scene, version, *same, *fails, *holds));
    }
    if by_version.is_empty() {
        out.push(TriageFinding::new(
            "no_other_version",
            Points::Nowhere,
            0,
            "no other version is recorded for the failing places and days".to_owned(),
        ));
    }
    out.extend(replaced(scene));
    out
}

fn version_finding(
    scene: &TriageScene,
    version: &str,
    same: usize,
    fails: usize,
    holds: usize,
) -> TriageFinding {
    let judged = fails + holds;
    let enough = judged >= ENOUGH || judged > 0 && judged == scene.failing.len();
    #[expect(clippy::cast_precision_loss, reason = "counts of rows")]
    let share = fails as f64 / judged.max(1) as f64;
    let (points, sentence) = if same == 0 {
        (
            Points::Nowhere,
            format!("{version} is recorded for failing places and days, but on other inputs"),
        )
    } else if judged == 0 {
        (
            Points::Nowhere,
            format!(
                "{version} is recorded on the same inputs for {same} failing answers, but the rules that fired do not judge single answers"
            ),
        )
    } else if share >= MOST {
        (
            Points::Data,
            format!(
                "{version} on the same inputs fails too, for {fails} of {judged}: it is not this version alone"
            ),
        )
    } else if share <= 1.0 - MOST {
        (
            Points::Logic,
            format!(
                "{version} on the same inputs does not fail, for {holds} of {judged}: the version makes the difference"
            ),
        )
    } else {
        (
            Points::Nowhere,
            format!(
                "{version} on the same inputs fails for {fails} of {judged}, which says neither"
            ),
        )
    };
    if enough || points == Points::Nowhere {
        TriageFinding::new("other_version", points, judged, sentence)
    } else {
        let sentence = format!("{sentence}; that is too few to point anywhere");
        TriageFinding::new("other_version", Points::Nowhere, judged, sentence)
    }
}

/// The same version and configuration with the inputs that a reissue replaced: only data differs.
fn replaced(scene: &TriageScene) -> Option<TriageFinding> {
    let mut held = 0;
    let mut files: Option<BTreeSet<String>> = None;
    let mut changed: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (i, old) in &scene.replaced {
        let Some(new) = scene.failing.get(*i) else {
            continue;
        };
        if scene.fails_too(new, old) != Some(false) {
            continue;
        }
        held += 1;
        let newly = new.files.difference(&old.files).map(|(_, f)| f.clone());
        let newly: BTreeSet<String> = newly.collect();
        files = Some(match files {
            None => newly,
            Some(f) => f.intersection(&newly).cloned().collect(),
        });
        for (name, value) in &new.inputs {
            let was = old.inputs.get(name).unwrap_or(&Json::Null);
            // An observation ages by itself.
            if was != value && !name.ends_with("_age_days") {
                let ratios = changed.entry(name.clone()).or_default();
                if let (Some(x), Some(y)) = (value.as_f64(), was.as_f64().filter(|y| *y != 0.0)) {
                    ratios.push(x / y);
                }
            }
        }
    }
    if held == 0 {
        return None;
    }
    let names: Vec<String> = changed
        .into_iter()
        .map(|(name, mut ratios)| {
            ratios.sort_by(f64::total_cmp);
            match super::super::metrics::median(&ratios) {
                Some(ratio) => format!(
                    "{name} ({} times what it was{})",
                    number(ratio),
                    looks_like(ratio)
                        .map_or_else(String::new, |h| format!(", which looks like {h}"))
                ),
                None => name,
            }
        })
        .collect();
    let file = files.into_iter().flatten().next();
    let mut finding = TriageFinding::new(
        "reissued",
        Points::Data,
        held,
        format!(
            "{held} of {} replaced one that did not fail, of the same version and configuration; what changed is {}{}",
            count(scene.failing.len() as u64, "failing answer"),
            names.join(", "),
            file.as_ref().map_or_else(String::new, |f| format!(
                "; the file that they read since is {f}"
            ))
        ),
    );
    finding.file = file;
    Some(finding)
}
