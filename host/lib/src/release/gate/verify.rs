//! Check `verify`: the components' bytes, their declarations, and what they bind to here.

use crate::compute::binding::input_problems;
use crate::project::gate::CheckName;
use provender_domain::ids::ModelVersion;
use provender_domain::render::text::count;
use provender_ledger::entries::ReportKind;

use super::super::ReleaseError;
use super::super::document::Component;
use super::super::reading;
use super::check::{Check, CheckVerdict};
use super::scene::GateContext;

/// Checks every component of the release.
#[must_use]
pub(super) fn check(scene: &GateContext<'_, '_>) -> Check {
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
    weigh(document.components.len() as u64, problems)
}

/// The verdict on `rows` components. A release has at least one.
fn weigh(rows: u64, problems: Vec<String>) -> Check {
    let asked = "bytes, declaration, binding and columns of each component";
    if problems.is_empty() {
        let observed = format!("{}: each is what it must be", count(rows, "component"));
        return Check::new(CheckName::Verify, CheckVerdict::Ok, rows, observed)
            .asks(asked)
            .found(ReportKind::Verify, None);
    }
    let observed = format!("{} of {}", problems.len(), count(rows, "component"));
    let observed = format!("{observed} cannot be used here: {}", problems.join("; "));
    let mut check = Check::new(CheckName::Verify, CheckVerdict::Crit, rows, observed)
        .asks(asked)
        .remedy("provender release import FILE   # puts missing or damaged files back")
        .remedy(
            "add the missing columns to sources.toml, or cut a release that fits this deployment",
        );
    check.details = problems;
    check.found(ReportKind::Verify, None)
}

fn loads(scene: &GateContext<'_, '_>, component: &Component) -> Result<(), ReleaseError> {
    let bytes = scene.store.component(component)?;
    let pin = component.pin(scene.store.path_of(&component.sha256));
    let loaded = scene
        .sandbox
        .load_with_limits(&pin.path, &bytes, &pin.limits)?;
    Ok(pin.check_component(&loaded)?)
}

fn binds_here(scene: &GateContext<'_, '_>, model: &ModelVersion) -> Result<(), ReleaseError> {
    let bound = reading::bind(scene.sandbox, scene.store, &scene.release.document, model)?;
    // The release defines the meaning of its columns; this deployment must have sources for them.
    match input_problems(bound.description(), scene.catalogue)
        .into_iter()
        .next()
    {
        Some(problem) => Err(problem.into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_component_that_cannot_be_used_is_crit_and_each_is_named() {
        let good = weigh(2, Vec::new());
        assert_eq!((good.verdict, good.rows), (CheckVerdict::Ok, 2));
        assert_eq!(good.observed, "2 components: each is what it must be");
        assert!(good.remedy.is_empty());
        let problems = ["days:v2: it is not there", "frost:v1: no column soil"];
        let bad = weigh(3, problems.map(str::to_owned).to_vec());
        assert_eq!((bad.verdict, bad.rows), (CheckVerdict::Crit, 3));
        assert_eq!(
            bad.observed,
            "2 of 3 components cannot be used here: days:v2: it is not there; frost:v1: no column soil"
        );
        assert_eq!(bad.details, problems);
        // Both verdicts become evidence of the release.
        for (check, verdict) in [(good, CheckVerdict::Ok), (bad, CheckVerdict::Crit)] {
            let (finding, _) = check.finding.unwrap();
            assert_eq!(
                (finding.kind, finding.verdict),
                (ReportKind::Verify, verdict)
            );
        }
    }
}
