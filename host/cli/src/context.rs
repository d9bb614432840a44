//! The deployment that a verb works on, opened with the options of the command line.

use std::ops::Deref;
use std::sync::Arc;

use provender_host::deployment::{
    Deployment, DeploymentError, Location, Observer, Options, Warning,
};
use provender_host::project::{CompileLimits, ProjectError};
use provender_host::release::IgnoredSetting;
use provender_ledger::Address;
use provender_sandbox::OnCompile;

use super::Global;
use super::asking::{actor, now};
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;

/// An open deployment with the command's output settings.
pub(super) struct Context {
    pub(super) ui: Ui,
    deployment: Deployment,
}

impl Deref for Context {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        &self.deployment
    }
}

impl Observer for Ui {
    fn warn(&self, warning: &Warning<'_>) {
        self.note(&warning.to_string());
    }

    fn compiling(&self, limits: CompileLimits) -> Option<OnCompile> {
        Some(Ui::compiling(*self, limits))
    }
}

impl Context {
    /// Opens the deployment with its files; see [`Deployment::open`].
    pub(super) fn open(global: &Global) -> Result<Context, CliError> {
        Ok(Context {
            ui: global.ui(),
            deployment: Deployment::open(&options(global)?)?,
        })
    }

    /// Opens the deployment for verbs that need only its ledger and its stores; see
    /// [`Deployment::open_record`].
    pub(super) fn open_record(global: &Global) -> Result<Context, CliError> {
        Ok(Context {
            ui: global.ui(),
            deployment: Deployment::open_record(&options(global)?)?,
        })
    }

    /// Opens the deployment. `None` if there is none here and `--project` was not given.
    pub(super) fn open_if_any(global: &Global) -> Result<Option<Context>, CliError> {
        match Deployment::open(&options(global)?) {
            Ok(deployment) => Ok(Some(Context {
                ui: global.ui(),
                deployment,
            })),
            Err(DeploymentError::Project(ProjectError::NotFound(_)))
                if global.project.is_none() =>
            {
                Ok(None)
            }
            Err(e) => Err(e.into()),
        }
    }

    /// Reports on stderr what is overruled, and gives it for `ignored` in the data.
    pub(super) fn tell_ignored(&self) -> Result<Vec<IgnoredSetting>, CliError> {
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
            lines.push(
                "`provender release cut` makes a new release from the settings here".to_owned(),
            );
            self.ui.note(&format!(
                "{} is active; settings here that differ from it are ignored\n  {}",
                release.document.name(),
                lines.join("\n  ")
            ));
        }
        Ok(ignored)
    }
}

/// The options for opening the deployment, from the command line.
pub(super) fn options(global: &Global) -> Result<Options, CliError> {
    let location = match &global.project {
        Some(folder) => Location::At(folder.clone()),
        None => Location::Above(std::env::current_dir().map_err(|e| {
            CliError::new(
                Exit::Io,
                "current_folder",
                format!("the current folder cannot be read: {e}"),
            )
        })?),
    };
    Ok(Options {
        location,
        ledger: global.ledger.as_deref().map(Address::from_path),
        now: now()?,
        actor: actor(global),
        observer: Arc::new(global.ui()),
        interrupt: global.interrupt.clone(),
    })
}
