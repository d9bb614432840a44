//! What is in force: the release, or before the first promotion the deployment's files.

use serde_json::Value as Json;

use crate::error::CliError;
use crate::exit::Exit;
use provender_host::project::logic::LogicOverrides;
use provender_host::project::settings::OnGuardrail;
use provender_host::release::Standing;
use provender_host::release::reading::{self, Ignored};
use provender_host::release::standing::Known;

use super::Context;

impl Context {
    /// How releases stand, as the ledger said when this was first asked. Looking makes no ledger.
    pub(crate) fn standing(&self) -> Result<&Standing, CliError> {
        if let Some(standing) = self.standing.get() {
            return Ok(standing);
        }
        let standing = if self.has_ledger()? {
            let ledger = self.reader()?;
            let standing = Standing::read(&ledger, i64::MAX)?;
            *self.at_hand() = Some(ledger);
            standing
        } else {
            Standing::default()
        };
        Ok(self.standing.get_or_init(|| standing))
    }

    /// The release in force; before the first promotion there is none, and the deployment's files hold.
    pub(crate) fn release(&self) -> Result<Option<&Known>, CliError> {
        Ok(self.standing()?.active_release())
    }

    /// What the deployment's files say otherwise than the release in force.
    pub(crate) fn ignored(&self) -> Result<Vec<Ignored>, CliError> {
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

    /// Tells on stderr what is overruled, and gives it for `ignored` in the data.
    pub(crate) fn tell_ignored(&self) -> Result<Json, CliError> {
        let ignored = self.ignored()?;
        if let Some(release) = self.release()?.filter(|_| !ignored.is_empty()) {
            let mut lines: Vec<String> = ignored
                .iter()
                .map(|i| {
                    format!(
                        "{}: {} is {}; in force is {}",
                        i.file, i.key, i.here, i.in_force
                    )
                })
                .collect();
            lines.push("`provender release cut` makes a new release of it".to_owned());
            self.ui.note(&format!(
                "{} is active, and what is set here otherwise is not obeyed\n  {}",
                release.document.name(),
                lines.join("\n  ")
            ));
        }
        Ok(ignored.iter().map(Ignored::to_json).collect())
    }

    /// DS's settings in force of a version: the release's, where it is of the release.
    pub(crate) fn overrides(&self, name: &str, version: &str) -> Result<LogicOverrides, CliError> {
        let model_version = format!("{name}:{version}");
        Ok(match self.release()? {
            Some(r) if r.document.component(&model_version).is_some() => {
                r.document.overrides(&model_version)
            }
            _ => self.project.logic()?.of(name, version),
        })
    }

    /// What a breached guardrail does.
    pub(crate) fn on_guardrail(&self) -> Result<OnGuardrail, CliError> {
        Ok(match self.release()? {
            Some(r) => r.document.settings.on_guardrail,
            None => self.project.settings.logic.on_guardrail,
        })
    }

    /// What answers: the release's active versions, or before the first promotion what
    /// `provender.toml` names.
    pub(crate) fn active(&self) -> Result<&[String], CliError> {
        Ok(match self.release()? {
            Some(r) => &r.document.active,
            None => &self.project.settings.logic.active,
        })
    }

    /// The active logics, or those asked for.
    pub(crate) fn logics(&self, asked: &[String]) -> Result<Vec<String>, CliError> {
        if !asked.is_empty() {
            return Ok(asked.to_vec());
        }
        let active = self.active()?;
        if active.is_empty() {
            return Err(CliError::new(
                Exit::Config,
                "no_active_logic",
                "provender.toml names no active logic",
            )
            .help("set [logic] active = [\"days_remaining:v1\"], or name one with --logic"));
        }
        Ok(active.to_vec())
    }
}
