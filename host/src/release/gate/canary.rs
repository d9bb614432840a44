//! Check `canary`: what the newest canary of the release came to.

use crate::ledger::entry::Kind;
use crate::project::gate::CheckName;

use super::check::{Check, Verdict};
use super::scene::Scene;

/// Without a canary nothing is known.
#[must_use]
pub fn check(scene: &Scene<'_, '_>) -> Check {
    let name = scene.name();
    let started = scene
        .standing
        .notes_of(Kind::CanaryStart, &scene.release.digest)
        .last();
    let observed = match started {
        None => "no canary".to_owned(),
        Some(note) => format!(
            "a canary since {}, of which nothing is known",
            note.stamp.at
        ),
    };
    Check::new(CheckName::Canary, Verdict::Unknown, 0, observed)
        .asks("a canary beside the active release within its thresholds")
        .remedy(format!(
            "provender release canary {name} --window-days 14 --reason TEXT, then ask the gate again"
        ))
}
