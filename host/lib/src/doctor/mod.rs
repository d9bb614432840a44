//! Finds out what needs to be done about a deployment, without changing it.
//!
//! * `finding` — the findings: what is wrong, and the next step
//! * `deployment` — its files, its ledger, its components
//! * `folders` — whether they can be written, and what a killed process left there
//! * `upgrade` — what a newer program needs from an older deployment

mod deployment;
mod finding;
mod folders;
mod upgrade;

use crate::deployment::{Deployment, DeploymentError, Options};
use crate::project::ProjectError;

pub use finding::DoctorFinding;
pub use upgrade::UpgradeChange;

/// Examines a deployment. With `upgrade`, also checks what a newer program needs. The findings are in the order in
/// which to handle them. An empty list means that there is nothing to do.
///
/// # Errors
/// If there is no deployment to examine.
pub fn examine(options: &Options, upgrade: bool) -> Result<Vec<DoctorFinding>, DeploymentError> {
    let deployment = match Deployment::open_record(options) {
        Ok(deployment) => deployment,
        Err(
            e @ DeploymentError::Project(ProjectError::NotFound(_)) | e @ DeploymentError::Clock,
        ) => {
            return Err(e);
        }
        // Without the settings, no path is known.
        Err(e) => return Ok(vec![DoctorFinding::Unusable(e)]),
    };
    let mut found = deployment::files(&deployment);
    let ledger = deployment::ledger(&deployment, &mut found);
    found.extend(deployment::components(&deployment));
    found.extend(folders::unwritable(&deployment.project));
    found.extend(folders::unfinished(&deployment.project));
    if upgrade {
        found.extend(upgrade::schema(ledger));
        found.extend(upgrade::settings(&deployment.project, upgrade::CHANGES));
    }
    Ok(found)
}
