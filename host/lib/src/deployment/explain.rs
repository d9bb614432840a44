//! Finds and explains a recorded run.

use crate::explain::explanation::{Explanation, Pinned, explain};
use crate::explain::find::{Wanted, find};

use super::{Deployment, DeploymentError, pin};

impl Deployment {
    /// Finds and explains a run. A run whose component is no longer pinned here is explained from its manifest.
    ///
    /// # Errors
    /// If there is no such run, or if ledger, manifests or the pinned component cannot be read.
    pub fn explain(&self, wanted: &Wanted) -> Result<Explanation, DeploymentError> {
        let ledger = self.reader()?;
        let manifests = self.manifests()?;
        let found = find(&*ledger, wanted)?;
        let key = &found.run.run.key;
        let (boundary, herd) = (Some(&key.boundary_id), Some(&key.herd_config_id));
        let facts = self.facts_of(&*ledger, None, boundary, herd)?;
        let runtime = self.runtime()?;
        let component = match pin(&runtime.lock, &key.model_version) {
            Ok(pin) => Some(self.load(&runtime.sandbox, pin)?),
            Err(_) => None,
        };
        let pinned = component.as_ref().map(|c| Pinned {
            description: c.description(),
            sha256: c.digest(),
        });
        let catalogue = self.project.sources.catalogue();
        Ok(explain(
            &*ledger, &facts, &catalogue, &manifests, pinned, found,
        )?)
    }
}
