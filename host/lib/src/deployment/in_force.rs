//! What is in force: the release, or the deployment's files before the first promotion.

use crate::project::logic::LogicOverrides;
use crate::project::settings::OnGuardrail;
use crate::release::ReleaseState;
use crate::release::reading::{self, Ignored};
use crate::release::state::Known;
use provender_domain::ids::ModelVersion;
use provender_ledger::EntryNumber;

use super::{Deployment, DeploymentError};

impl Deployment {
    /// The state of releases, read from the ledger on first use. Does not create a ledger.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn standing(&self) -> Result<&ReleaseState, DeploymentError> {
        if let Some(standing) = self.standing.get() {
            return Ok(standing);
        }
        let standing = if self.has_ledger()? {
            let ledger = self.handle()?;
            let standing = ReleaseState::read(ledger.reader(), EntryNumber::LATEST)?;
            if let Some(release) = standing.active_release() {
                self.span
                    .record("release", tracing::field::display(release.digest));
            }
            *self.cached() = Some(ledger);
            standing
        } else {
            ReleaseState::default()
        };
        Ok(self.standing.get_or_init(|| standing))
    }

    /// The release in force; `None` before the first promotion, when the deployment's files are in force.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn release(&self) -> Result<Option<&Known>, DeploymentError> {
        Ok(self.standing()?.active_release())
    }

    /// Settings in the deployment's files that differ from the release in force, and are therefore ignored.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn ignored(&self) -> Result<Vec<Ignored>, DeploymentError> {
        let Some(release) = self.release()? else {
            return Ok(Vec::new());
        };
        let lock = self.lock().ok();
        Ok(reading::ignored(
            &release.document,
            &self.project,
            lock.as_ref(),
        ))
    }

    /// DS's settings in force for a version: the release's, if the release contains the version.
    ///
    /// # Errors
    /// If the ledger cannot be read, or `logic.toml` is in force and cannot be used.
    pub fn overrides(&self, name: &str, version: &str) -> Result<LogicOverrides, DeploymentError> {
        let model_version = ModelVersion::of(name, version);
        Ok(match self.release()? {
            Some(r) if r.document.component(&model_version).is_some() => {
                r.document.overrides(&model_version)
            }
            _ => self.project.logic()?.of(name, version),
        })
    }

    /// What a breached guardrail does.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) fn on_guardrail(&self) -> Result<OnGuardrail, DeploymentError> {
        Ok(match self.release()? {
            Some(r) => r.document.settings.on_guardrail,
            None => self.project.settings.logic.on_guardrail,
        })
    }

    /// The active versions: the release's, or those in `provender.toml` before the first promotion.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn active(&self) -> Result<&[ModelVersion], DeploymentError> {
        Ok(match self.release()? {
            Some(r) => &r.document.active,
            None => &self.project.settings.logic.active,
        })
    }

    /// The logics asked for, or the active ones if none are.
    ///
    /// # Errors
    /// If the ledger cannot be read, or no logic is active.
    pub fn logics(&self, asked: &[ModelVersion]) -> Result<Vec<ModelVersion>, DeploymentError> {
        if !asked.is_empty() {
            return Ok(asked.to_vec());
        }
        let active = self.active()?;
        if active.is_empty() {
            return Err(DeploymentError::NoActiveLogic);
        }
        Ok(active.to_vec())
    }
}
