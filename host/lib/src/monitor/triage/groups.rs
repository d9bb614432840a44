//! Groups failing rows by version, configuration, place, source and file, and finds what only they have in common.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::judge::{Points, TriageFinding};
use super::scene::{Row, TriageScene};
use provender_domain::render::text::count;

/// Fewer rows on either side say nothing about a difference between the two.
pub(super) const ENOUGH: usize = 3;

/// How often a value stands among the failing rows and among all of the window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(rename = "TriageGroup")]
pub struct Group {
    /// `version`, `config`, `place`, `source`, `file`.
    pub by: &'static str,
    /// The value.
    pub value: String,
    /// Failing rows that have it.
    pub failing: usize,
    /// Rows of the window that have it, failing ones included.
    pub of: usize,
}

/// What a row has of a dimension.
fn values(row: &Row, by: &str) -> BTreeSet<String> {
    match by {
        "version" => BTreeSet::from([row.model_version.to_string()]),
        "config" => BTreeSet::from([row.config_version.clone()]),
        "place" => BTreeSet::from([format!("{} / {}", row.boundary_id, row.herd_config_id)]),
        "source" => row.files.iter().map(|(source, _)| source.clone()).collect(),
        _ => row.files.iter().map(|(_, file)| file.clone()).collect(),
    }
}

/// The dimensions, from the widest.
pub(super) const DIMENSIONS: [&str; 5] = ["version", "config", "place", "source", "file"];

/// The groups of failing rows, largest first within a dimension.
#[must_use]
pub(super) fn groups(scene: &TriageScene) -> Vec<Group> {
    let mut out = Vec::new();
    for by in DIMENSIONS {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (rows, fails) in [(&scene.failing, 1), (&scene.passing, 0)] {
            for value in rows.iter().flat_map(|r| values(r, by)) {
                let count = counts.entry(value).or_default();
                *count = (count.0 + fails, count.1 + 1);
            }
        }
        let mut groups: Vec<Group> = counts
            .into_iter()
            .filter(|(_, (failing, _))| *failing > 0)
            .map(|(value, (failing, of))| Group {
                by,
                value,
                failing,
                of,
            })
            .collect();
        groups.sort_by(|a, b| (b.failing, &a.value).cmp(&(a.failing, &b.value)));
        out.extend(groups);
    }
    out
}

/// A value that every failing row has and no other row of the window. `None` if there is no other row.
fn apart(scene: &TriageScene, by: &str) -> Option<String> {
    if scene.passing.is_empty() {
        return None;
    }
    common(scene, by).into_iter().next()
}

/// A file that every failing row reads and no other row of the window. Prefers one that the same places did not
/// read before.
fn apart_file(scene: &TriageScene) -> Option<String> {
    let files = common(scene, "file");
    let before = scene
        .before
        .iter()
        .chain(scene.replaced.iter().map(|(_, r)| r));
    let old: BTreeSet<String> = before.flat_map(|r| values(r, "file")).collect();
    let new = files.iter().find(|f| !old.contains(*f));
    // A file that was read before too distinguishes only from passing rows of the window.
    new.or_else(|| files.iter().find(|_| !scene.passing.is_empty()))
        .cloned()
}

fn common(scene: &TriageScene, by: &str) -> BTreeSet<String> {
    let mut common: Option<BTreeSet<String>> = None;
    for row in &scene.failing {
        let own = values(row, by);
        common = Some(match common {
            None => own,
            Some(c) => c.intersection(&own).cloned().collect(),
        });
    }
    let elsewhere: BTreeSet<String> = scene.passing.iter().flat_map(|r| values(r, by)).collect();
    let mut common = common.unwrap_or_default();
    common.retain(|v| !elsewhere.contains(v));
    common
}

/// What distinguishes the failing rows: a version, a configuration, or a file that their places did not read
/// before.
#[must_use]
pub(super) fn findings(scene: &TriageScene) -> Vec<TriageFinding> {
    let mut out = Vec::new();
    let (failing, passing) = (scene.failing.len(), scene.passing.len());
    let place = apart(scene, "place");
    if let Some(place) = &place {
        out.push(TriageFinding::new(
            "one_place",
            Points::Nowhere,
            failing,
            format!("all failing answers are of {place}, and no other answer of the window is: look at what is special there"),
        ));
    }
    if let Some(file) = apart_file(scene) {
        out.push(new_file(scene, &file, place.is_some()));
    }
    let what = match (apart(scene, "version"), apart(scene, "config")) {
        (Some(version), _) => Some(("one_version", format!("of {version}"))),
        // A reissue has a configuration of its own, and the same parameters.
        (None, Some(config)) if !config.contains("+r") => {
            Some(("one_config", "under one configuration".to_owned()))
        }
        _ => None,
    };
    if let Some((code, what)) = what {
        let (points, tail) = if place.is_some() {
            (Points::Nowhere, "; version and place cannot be told apart")
        } else if failing < ENOUGH || passing < ENOUGH {
            (Points::Nowhere, "; that is too few to point anywhere")
        } else {
            (Points::Logic, "")
        };
        let sentence = format!(
            "all {failing} failing answers are {what}, and none of the {passing} others of the window is{tail}"
        );
        out.push(TriageFinding::new(
            code,
            points,
            failing + passing,
            sentence,
        ));
    }
    out
}

fn new_file(scene: &TriageScene, file: &str, one_place: bool) -> TriageFinding {
    let reads = |r: &&Row| r.files.iter().any(|(_, f)| f == file);
    let before = scene
        .before
        .iter()
        .chain(scene.replaced.iter().map(|(_, r)| r));
    let (before, had) = (before.clone().count(), before.filter(reads).count());
    let failing = scene.failing.len();
    let passing = scene.passing.len();
    let sentence = format!(
        "every failing answer reads {file}, and none of the {passing} others of the window does"
    );
    // A place's own file always distinguishes its rows, right or wrong. What the place read before decides.
    let (points, tail) = match (before, had) {
        (0, _) if one_place || passing < ENOUGH => (
            Points::Nowhere,
            "; file and place cannot be told apart, for nothing is recorded of these places before"
                .to_owned(),
        ),
        (0, _) => (Points::Data, String::new()),
        (n, 0) => (
            Points::Data,
            format!(
                "; nor did {} of the same places before",
                count(n as u64, "run")
            ),
        ),
        (n, had) => (
            Points::Nowhere,
            format!(
                "; but {had} of the {n} runs of these places before them did too, and did not fail"
            ),
        ),
    };
    let mut finding = TriageFinding::new(
        "one_file",
        points,
        failing + passing + before,
        sentence + &tail,
    );
    finding.file = Some(file.to_owned());
    finding
}
