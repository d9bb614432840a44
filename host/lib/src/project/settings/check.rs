//! Refuses invalid values in `provender.toml`, and says what to write instead.

use provender_domain::ids::ModelVersion;
use std::collections::BTreeSet;
use std::path::Path;

use crate::project::ProjectError;
use crate::project::gate;

use super::{FILE, Settings};

/// An invalid setting: its dotted key, the value, and what to write instead.
type Problem = (String, String, String);

/// Refuses the first invalid value.
pub(super) fn check(settings: &Settings) -> Result<(), ProjectError> {
    settings.ledger.address(Path::new(""))?;
    let problem = packs(settings)
        .or_else(|| window(settings))
        .or_else(|| folders(settings))
        .or_else(|| {
            let (key, value, problem) = settings.canary.problem()?;
            Some((format!("canary.{key}"), value, problem.to_owned()))
        })
        .or_else(|| gate::problem(&settings.gate))
        .or_else(|| releases(settings))
        .or_else(|| active(settings));
    match problem {
        None => Ok(()),
        Some((key, value, problem)) => Err(ProjectError::Value {
            file: FILE.to_owned(),
            key,
            value,
            problem,
        }),
    }
}

fn packs(settings: &Settings) -> Option<Problem> {
    (settings.manifests.pack_from == 0).then(|| {
        let problem =
            "write 1 to pack the manifests of every chunk, or more to pack only large chunks";
        let key = "manifests.pack_from";
        (key.to_owned(), "0".to_owned(), problem.to_owned())
    })
}

fn window(settings: &Settings) -> Option<Problem> {
    let days = settings.monitor.window_days;
    (!(1..=3660).contains(&days)).then(|| {
        let problem = "write a number of days from 1 to 3660";
        let key = "monitor.window_days";
        (key.to_owned(), days.to_string(), problem.to_owned())
    })
}

fn folders(settings: &Settings) -> Option<Problem> {
    let folders = [
        ("manifests.path", &settings.manifests.path),
        ("reports.path", &settings.reports.path),
        ("cache.path", &settings.cache.path),
    ];
    let outside = |path: &str| {
        path.is_empty()
            || path.starts_with('/')
            || path.contains(['\\', ':', '\0'])
            || path.split('/').any(|part| part == "..")
    };
    let (key, path) = folders.into_iter().find(|(_, path)| outside(path))?;
    let problem = "write a path below the deployment's folder, with / and without .., such as out/manifests; to use another disk, mount it there";
    Some((key.to_owned(), path.clone(), problem.to_owned()))
}

/// A release's pins are paths below this folder, so it must be in plain form.
fn releases(settings: &Settings) -> Option<Problem> {
    let path = &settings.releases.path;
    let mut parts = path.split('/');
    let refused = path.contains(['\\', ':']) || parts.any(|p| matches!(p, "" | "." | ".."));
    refused.then(|| {
        let problem = "write a path below the deployment's folder, with / and without . or .., such as out/releases";
        ("releases.path".to_owned(), path.clone(), problem.to_owned())
    })
}

fn active(settings: &Settings) -> Option<Problem> {
    let mut names = BTreeSet::new();
    settings.logic.active.iter().find_map(|active| {
        let problem = match active.parse::<ModelVersion>() {
            Ok(_) if names.insert(active.name()) => return None,
            Ok(_) => format!(
                "two versions of {} are active; keep the one that answers, and compute the other with --logic {active}",
                active.name()
            ),
            Err(rule) => rule.to_string(),
        };
        Some(("logic.active".to_owned(), active.to_string(), problem))
    })
}
