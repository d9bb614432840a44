//! Compares inputs with the frozen baseline of the same places. If the days before the failing ones were wrong
//! too, only the baseline shows it.

use std::collections::BTreeSet;

use super::super::baseline::{Baseline, Reference};
use super::groups::ENOUGH;
use super::inputs::LEAST;
use super::judge::{Points, TriageFinding};
use super::scene::{Row, TriageScene};
use provender_domain::render::text::count;

/// How many rows have a reference for an input, and how many of these lie outside it.
struct Outside {
    compared: usize,
    outside: usize,
}

impl Outside {
    fn of(baseline: &Baseline, rows: &[Row], name: &str) -> Outside {
        let mut seen = Outside {
            compared: 0,
            outside: 0,
        };
        for row in rows {
            let value = row.inputs.get(name).and_then(serde_json::Value::as_f64);
            if let (Some(x), Some(reference)) = (value, reference(baseline, row, name)) {
                seen.compared += 1;
                // An input that is beyond by less than it moves by itself is not outside.
                let room = LEAST * reference.median.abs();
                let within = reference.minimum - room..=reference.maximum + room;
                seen.outside += usize::from(!within.contains(&x));
            }
        }
        seen
    }

    /// Whether the share outside is at least that of the other.
    fn as_often_as(&self, other: &Outside) -> bool {
        self.outside * other.compared >= other.outside * self.compared
    }
}

fn reference<'b>(baseline: &'b Baseline, row: &Row, name: &str) -> Option<&'b Reference> {
    let same = |s: &&super::super::baseline::SeriesReference| {
        s.boundary_id == row.boundary_id && s.herd_config_id == row.herd_config_id
    };
    let series = baseline.series.iter().find(same)?;
    series.columns.iter().find(|c| c.subject == name)
}

/// Inputs that lie outside the baseline in most failing rows. This points to the data only if the other answers
/// of the window are inside: the season moves all of them.
#[must_use]
pub(super) fn findings(scene: &TriageScene) -> Vec<TriageFinding> {
    let Some(baseline) = &scene.frozen else {
        return Vec::new();
    };
    let of = format!(
        "the baseline of {}, {} to {},",
        baseline.model_version, baseline.from, baseline.to
    );
    let names: BTreeSet<&String> = scene.failing.iter().flat_map(|r| r.inputs.keys()).collect();
    let mut out = Vec::new();
    let (mut inputs, mut rows) = (0_usize, 0_usize);
    for name in names.into_iter().filter(|n| !n.ends_with("_age_days")) {
        let failing = Outside::of(baseline, &scene.failing, name);
        if failing.compared < ENOUGH {
            continue;
        }
        inputs += 1;
        rows = rows.max(failing.compared);
        if failing.outside * 2 <= failing.compared {
            continue;
        }
        let others = Outside::of(baseline, &scene.passing, name);
        let sentence = format!(
            "{name} of {} of {} lies outside of what {of} holds for the same places",
            failing.outside,
            count(failing.compared as u64, "failing answer")
        );
        let (points, tail) = if others.compared < ENOUGH {
            (
                Points::Nowhere,
                "; too few other answers to tell that from the season".to_owned(),
            )
        } else if others.as_often_as(&failing) {
            (
                Points::Nowhere,
                format!(
                    "; so it does in {} of {} others of the window, as the season makes it",
                    others.outside, others.compared
                ),
            )
        } else {
            (
                Points::Data,
                format!(
                    ", and in {} of {} others of the window",
                    others.outside, others.compared
                ),
            )
        };
        let rests_on = failing.compared + others.compared;
        out.push(TriageFinding::new(
            "input_outside_baseline",
            points,
            rests_on,
            sentence + &tail,
        ));
    }
    if inputs > 0 && out.is_empty() {
        out.push(TriageFinding::new(
            "inputs_within_baseline",
            Points::Nowhere,
            rows,
            format!(
                "none of the {inputs} inputs that could be compared lies outside of what {of} holds for the same places"
            ),
        ));
    }
    out
}
