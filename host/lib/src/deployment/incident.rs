//! The failing inputs of an incident as golden cases: written for DS, and checked before the incident is closed.

use provender_ledger::EntryNumber;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use provender_domain::ids::ModelVersion;
use provender_ledger::types::Run;
use provender_ledger::{Read, Write};
use provender_sandbox::Component;
use provender_store::manifest::Manifest;

use crate::explain::find::{Wanted, find};
use crate::golden::folder::{self, cases_of};
use crate::incident::link::LinkKind;
use crate::incident::regression::{
    Drafted, Inputs, Version, case_name, check, draft, write as write_cases,
};
use crate::incident::state::{ExportedCases, RegressionCase};
use crate::incident::{Incident, IncidentError, Incidents, act};

use super::{Deployment, DeploymentError, Runtime, pin};

/// Which failing inputs become golden cases, and where they are written.
#[derive(Clone, Copy, Debug)]
pub struct RegressionRequest<'a> {
    /// The incident: `I1`, or `1`.
    pub incident: &'a str,
    /// The folder of golden cases, or the one that holds a folder for each logic.
    pub cases: Option<&'a Path>,
    /// Only these of the linked runs; all of them if there are none.
    pub runs: &'a [String],
    /// The first version that the cases bind, if it is not the one after the version that failed.
    pub since: Option<&'a str>,
}

/// A file of golden cases that was written.
#[derive(Clone, Debug)]
pub struct WrittenCases {
    /// As the ledger has it.
    pub exported: ExportedCases,
    /// What was drafted.
    pub drafted: Drafted,
    /// The entry that records it; `None` if that very file was recorded before.
    pub entry: Option<EntryNumber>,
}

/// Linked runs with their manifests, by `name:version`.
type ByLogic = BTreeMap<ModelVersion, Vec<(Run, Manifest)>>;

impl Deployment {
    /// Writes the failing inputs of an incident as golden cases and records the files. The name of the incident,
    /// and what was written.
    ///
    /// # Errors
    /// If there is nothing to write, or a file cannot be written.
    pub fn write_regression(
        &self,
        request: &RegressionRequest<'_>,
    ) -> Result<(String, Vec<WrittenCases>), DeploymentError> {
        let ledger = self.writer()?;
        let incidents = Incidents::read(&*ledger)?;
        let incident = incidents.find(request.incident)?;
        incident.must_be_open()?;
        let runtime = self.runtime()?;
        let environment = &self.project.settings.environment;
        let mut drafts = Vec::new();
        // Check everything before writing anything.
        for (logic, runs) in failing(&*ledger, &runtime, incident, request.runs)? {
            let component = self.load(&runtime.sandbox, pin(&runtime.lock, &logic)?)?;
            let d = component.description();
            let folder = self.cases_folder(request.cases, &d.name)?;
            let drafted = draft(incident, environment, d, request.since, &runs)?;
            drafts.push((logic, folder, drafted));
        }
        let record = |(logic, folder, drafted)| {
            self.record_cases(&*ledger, incident, logic, folder, drafted)
        };
        let written: Result<Vec<WrittenCases>, _> = drafts.into_iter().map(record).collect();
        Ok((incident.name(), written?))
    }

    fn record_cases(
        &self,
        ledger: &dyn Write,
        incident: &Incident,
        logic: ModelVersion,
        (folder, shown): (PathBuf, String),
        drafted: Drafted,
    ) -> Result<WrittenCases, DeploymentError> {
        let sha256 = write_cases(&folder, &shown, &drafted)?;
        let exported = ExportedCases {
            file: format!("{shown}/{}", drafted.file),
            sha256: sha256.to_string(),
            logic: logic.to_string(),
            since: drafted.since.clone(),
            cases: drafted.cases.clone(),
        };
        let entry = act::exported(ledger, &self.stamp(None), &incident.name(), &exported)?;
        Ok(WrittenCases {
            exported,
            drafted,
            entry,
        })
    }

    /// The folder of a logic's cases, as a path to open and as text to show.
    fn cases_folder(
        &self,
        asked: Option<&Path>,
        name: &str,
    ) -> Result<(PathBuf, String), IncidentError> {
        let (base, shown) = match asked {
            Some(folder) => (folder.to_owned(), folder.display().to_string()),
            None => {
                let root = &self.project.root;
                let places = [
                    (PathBuf::from(folder::SOURCE), folder::SOURCE),
                    (root.join(folder::SOURCE), folder::SOURCE),
                    (root.join(folder::OWN), folder::OWN),
                ];
                let found = places.into_iter().find(|(base, _)| base.is_dir());
                let source = || (root.join(folder::SOURCE), folder::SOURCE);
                let (base, shown) = found.unwrap_or_else(source);
                (base, shown.to_owned())
            }
        };
        if !base.is_dir() {
            return Err(IncidentError::NoCasesFolder(shown));
        }
        let shown = shown.trim_end_matches('/').to_owned();
        Ok(match cases_of(std::slice::from_ref(&base), name) {
            Some(found) if found == base => (base, shown),
            // A logic without a folder of its own gets one.
            _ => (base.join(name), format!("{shown}/{name}")),
        })
    }

    /// The regression cases of an incident, each of which holds for the version that answers where it binds it.
    /// `moved` is the folder in which they are now, if they were moved.
    ///
    /// # Errors
    /// If there are none, DS has not completed them, or one does not hold.
    pub fn regression_cases(
        &self,
        incident: &Incident,
        moved: Option<&Path>,
    ) -> Result<Vec<RegressionCase>, DeploymentError> {
        let exported = incident.exported();
        if exported.is_empty() {
            let problem =
                "it has no regression case, so nothing keeps it from coming back silently";
            return Err(DeploymentError::Incident(IncidentError::NotReady {
                incident: incident.name(),
                problem: problem.to_owned(),
                written: false,
            }));
        }
        let runtime = self.runtime()?;
        let active = self.active()?;
        let failed = self.failed_inputs(&runtime, incident)?;
        let mut held = Vec::new();
        for file in exported {
            let name = file.logic.split(':').next().unwrap_or_default();
            let mut components: Vec<(Component, bool)> = Vec::new();
            for pin in runtime.lock.components().iter().filter(|p| p.name == name) {
                let answers = active.contains(&pin.model_version());
                components.push((self.load(&runtime.sandbox, pin)?, answers));
            }
            let versions: Vec<Version<'_>> = components
                .iter()
                .map(|(component, active)| Version {
                    component,
                    active: *active,
                })
                .collect();
            let (folder, shown) = self.written_folder(file, moved);
            held.extend(check(incident, &folder, &shown, file, &versions, &failed)?);
        }
        Ok(held)
    }

    /// The inputs of the linked runs, by the name of their case.
    fn failed_inputs(
        &self,
        runtime: &Runtime,
        incident: &Incident,
    ) -> Result<Inputs, DeploymentError> {
        let ledger = self.reader()?;
        let environment = &self.project.settings.environment;
        let mut inputs = Inputs::new();
        for id in linked(incident) {
            let run = find(&*ledger, &Wanted::Id(id.to_owned()))?.run.run;
            let manifest = runtime.manifests.read(run.manifest_ref())?;
            let name = case_name(incident, environment, &run.key);
            let _ = inputs.insert(name, manifest.reproducible.inputs);
        }
        Ok(inputs)
    }

    /// The folder of the cases, to open and to show. The recorded path may be relative to the working directory or
    /// to the deployment's folder.
    fn written_folder(&self, file: &ExportedCases, moved: Option<&Path>) -> (PathBuf, String) {
        if let Some(folder) = moved {
            return (folder.to_owned(), folder.display().to_string());
        }
        let written = file.file.rsplit_once('/').map_or(".", |(folder, _)| folder);
        let folder = match Path::new(&file.file).is_file() {
            true => PathBuf::from(written),
            false => self.project.root.join(written),
        };
        (folder, written.to_owned())
    }
}

/// The ids of the runs that an incident links.
fn linked(incident: &Incident) -> impl Iterator<Item = &str> {
    let runs = incident.links.iter().filter(|l| l.what == LinkKind::Run);
    runs.map(|l| l.id.as_str())
}

/// The linked runs, or only those asked for.
fn failing(
    ledger: &dyn Read,
    runtime: &Runtime,
    incident: &Incident,
    only: &[String],
) -> Result<ByLogic, DeploymentError> {
    let mut wanted: Vec<String> = Vec::new();
    if only.is_empty() {
        wanted.extend(linked(incident).map(str::to_owned));
    }
    for asked in only {
        let found = find(ledger, &Wanted::Id(asked.clone()))?;
        let id = found.run.run.key.run_id().to_string();
        if !linked(incident).any(|linked| linked == id) {
            return Err(DeploymentError::Incident(IncidentError::NotLinked {
                incident: incident.name(),
                run: asked.clone(),
            }));
        }
        wanted.push(id);
    }
    let mut by_logic = ByLogic::new();
    for id in wanted {
        let run = find(ledger, &Wanted::Id(id))?.run;
        let manifest = runtime.manifests.read(run.run.manifest_ref())?;
        let logic = run.run.key.model_version.clone();
        by_logic.entry(logic).or_default().push((run, manifest));
    }
    if by_logic.is_empty() {
        return Err(DeploymentError::Incident(IncidentError::NoFailing {
            incident: incident.name(),
            problem: "links no run, so there are no inputs to write".to_owned(),
        }));
    }
    Ok(by_logic)
}
