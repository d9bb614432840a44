//! Check `verify`: the components' bytes, what they declare, and what they bind to here.

use crate::compute::binding::input_problems;
use crate::project::gate::CheckName;
use crate::render::text::count;

use super::super::ReleaseError;
use super::super::document::Component;
use super::super::reading;
use super::check::{Check, Verdict};
use super::scene::Scene;

/// Looks at every component of the release.
#[must_use]
pub fn check(scene: &Scene<'_, '_>) -> Check {
    let document = &scene.release.document;
    let mut problems = Vec::new();
    for component in &document.components {
        let model = component.model_version();
        let found = match document.active.contains(&model) {
            true => binds_here(scene, &model),
            false => loads(scene, component),
        };
        if let Err(e) = found {
            problems.push(format!("{model}: {e}"));
        }
    }
    let rows = document.components.len() as u64;
    let asked = "bytes, declaration, binding and columns of each component";
    if problems.is_empty() {
        let observed = format!("{}: each is what it must be", count(rows, "component"));
        return Check::new(CheckName::Verify, Verdict::Ok, rows, observed)
            .asks(asked)
            .found("verify", None);
    }
    let observed = format!("{} of {}", problems.len(), count(rows, "component"));
    let observed = format!("{observed} cannot be used here: {}", problems.join("; "));
    let mut check = Check::new(CheckName::Verify, Verdict::Crit, rows, observed)
        .asks(asked)
        .remedy("provender release import FILE   # puts missing or damaged files back")
        .remedy(
            "add the missing columns to sources.toml, or cut a release that fits this deployment",
        );
    check.details = problems;
    check.found("verify", None)
}

fn loads(scene: &Scene<'_, '_>, component: &Component) -> Result<(), ReleaseError> {
    let bytes = scene.store.component(component)?;
    let pin = component.pin(scene.store.path_of(&component.sha256));
    let loaded = scene.sandbox.load_within(&pin.path, &bytes, &pin.limits)?;
    Ok(pin.check_component(&loaded)?)
}

fn binds_here(scene: &Scene<'_, '_>, model: &str) -> Result<(), ReleaseError> {
    let bound = reading::bind(scene.sandbox, scene.store, &scene.release.document, model)?;
    // The release brings the meaning of its columns; this deployment must have their sources.
    match input_problems(bound.description(), scene.catalogue)
        .into_iter()
        .next()
    {
        Some(problem) => Err(problem.into()),
        None => Ok(()),
    }
}
