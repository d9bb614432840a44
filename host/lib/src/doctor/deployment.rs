//! Checks whether a deployment's files, ledger and components can be used.

use crate::deployment::{Deployment, DeploymentError};

use super::DoctorFinding;

/// Checks the files that people write. `provender.toml` has already been read.
pub(super) fn files(deployment: &Deployment) -> Vec<DoctorFinding> {
    let project = &deployment.project;
    let problems = [project.logic().err(), project.sources_problem.clone()];
    problems
        .into_iter()
        .flatten()
        .map(|problem| DoctorFinding::Unusable(problem.into()))
        .collect()
}

/// The ledger's schema, if there is a ledger and it can be read.
pub(super) fn ledger(deployment: &Deployment, found: &mut Vec<DoctorFinding>) -> Option<i64> {
    let read = || -> Result<Option<i64>, DeploymentError> {
        if !deployment.has_ledger()? {
            return Ok(None);
        }
        Ok(Some(deployment.ledger().admin().describe()?.schema))
    };
    read().unwrap_or_else(|problem| {
        found.push(DoctorFinding::Unusable(problem));
        None
    })
}

/// Checks every pinned component against the SHA-256 of its pin. Its declaration is checked by `verify`.
pub(super) fn components(deployment: &Deployment) -> Vec<DoctorFinding> {
    let lock = match deployment.lock() {
        Ok(lock) => lock,
        Err(problem) => return vec![DoctorFinding::Unusable(problem)],
    };
    let missing = lock.components().iter().filter_map(|pin| {
        let bytes = deployment.pinned_bytes(pin);
        bytes.err().map(DoctorFinding::Unusable)
    });
    missing.collect()
}
