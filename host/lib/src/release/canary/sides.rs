//! The logics of both releases of a canary, bound.

use crate::compute::Bound;
use provender_domain::ids::ModelVersion;
use provender_sandbox::Sandbox;

use super::super::ReleaseError;
use super::super::document::Document;
use super::super::reading::bind;
use super::super::store::ReleaseStore;

/// What a canary computes and what it compares.
#[derive(Default)]
pub struct Sides {
    /// Logics that compute differently under the candidate: (active, candidate).
    pub(crate) pairs: Vec<(Bound, Bound)>,
    /// Logics that only the candidate has. They are computed but compared with nothing.
    pub(crate) added: Vec<Bound>,
    /// Logics with the same bytes and configuration in both releases. They are not computed twice.
    pub(crate) unchanged: Vec<ModelVersion>,
    /// Logics that only the active release has.
    pub(crate) dropped: Vec<ModelVersion>,
}

impl Sides {
    /// Binds the logics that differ.
    ///
    /// # Errors
    /// If a component is missing, or binds differently than its release says.
    pub fn bind(
        sandbox: &Sandbox,
        store: &ReleaseStore,
        active: &Document,
        candidate: &Document,
    ) -> Result<Sides, ReleaseError> {
        let mut sides = Sides::default();
        for logic in &candidate.logics {
            let name = logic.model_version.name();
            let other = active
                .logics
                .iter()
                .find(|l| l.model_version.name() == name);
            match other {
                Some(o)
                    if o.model_version == logic.model_version
                        && o.component == logic.component
                        && o.config_version == logic.config_version =>
                {
                    sides.unchanged.push(logic.model_version.clone());
                }
                Some(o) => sides.pairs.push((
                    bind(sandbox, store, active, &o.model_version)?,
                    bind(sandbox, store, candidate, &logic.model_version)?,
                )),
                None => {
                    let bound = bind(sandbox, store, candidate, &logic.model_version)?;
                    sides.added.push(bound);
                }
            }
        }
        let kept = |name: &str| {
            let mut names = candidate.logics.iter().map(|l| l.model_version.name());
            names.any(|n| n == name)
        };
        sides.dropped = active
            .logics
            .iter()
            .filter(|l| !kept(l.model_version.name()))
            .map(|l| l.model_version.clone())
            .collect();
        Ok(sides)
    }

    /// The logics that compute in shadow.
    pub(crate) fn shadows(&self) -> impl Iterator<Item = &Bound> {
        self.pairs.iter().map(|(_, c)| c).chain(&self.added)
    }
}
