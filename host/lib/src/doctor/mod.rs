//! What is to be done about a deployment, found without changing it.
//!
//! * [`finding`] — what is wrong and the next step, as types
//! * `deployment` — its files, its ledger, its components
//! * `folders` — whether they can be written, and what a killed process left in them
//! * [`upgrade`] — what a newer program asks of a deployment that an older one wrote

mod deployment;
pub mod finding;
mod folders;
pub mod upgrade;

use crate::deployment::{Deployment, DeploymentError, Options};
use crate::project::ProjectError;

pub use finding::DoctorFinding;

/// Examines a deployment. With `upgrade` also what a newer program asks of it. The findings stand in the order
/// in which they are best dealt with; none means that nothing is to be done.
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
        // Where anything lies is not known without the settings.
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
