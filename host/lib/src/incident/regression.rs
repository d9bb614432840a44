//! Turns an incident's failing inputs into golden cases. DS completes them, and they are checked before the
//! incident is closed.

use provender_domain::ids::ModelVersion;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Map, Value as Json};

use crate::golden::case::{Binds, version_number};
use crate::golden::draft::{self, Draft};
use crate::golden::set::{FILE_BYTES, Selected};
use crate::golden::{CaseSet, GoldenError, run};
use provender_domain::canonical::Digest;
use provender_domain::description::{Description, Role};
use provender_domain::files::bounded;
use provender_domain::key::RunKey;
use provender_domain::value::{Scalar, Value};
use provender_ledger::types::Run;
use provender_sandbox::Component;
use provender_store::files::Files;
use provender_store::manifest::Manifest;
use provender_store::objects::{Creation, ObjectError, Objects as _};

use super::IncidentError;
use super::state::{ExportedCases, Incident, RegressionCase};

/// At most this many failing runs become cases automatically; name further runs one by one.
pub const CASES: usize = 20;

/// A file of cases, not yet written.
#[derive(Clone, Debug, PartialEq)]
pub struct Drafted {
    /// Its file name.
    pub file: String,
    /// Its contents.
    pub text: String,
    /// The first logic version that the cases bind.
    pub since: String,
    /// The names of the cases.
    pub cases: Vec<String>,
    /// Failing runs that were left out: duplicates of other inputs, or beyond [`CASES`].
    pub left_out: usize,
}

/// Drafts a file of cases from the failing runs of one logic version. Runs with the same inputs become one
/// case.
///
/// `since` is the first version that the cases bind. It defaults to the next one, because the version that
/// failed is frozen.
///
/// # Errors
/// If no run is given, or if an input in a manifest does not have the declared type.
pub(crate) fn draft(
    incident: &Incident,
    environment: &str,
    d: &Description,
    since: Option<&str>,
    failing: &[(Run, Manifest)],
) -> Result<Drafted, IncidentError> {
    let none = |problem: &str| IncidentError::NoFailing {
        incident: incident.name(),
        problem: problem.to_owned(),
    };
    if failing.is_empty() {
        return Err(none(
            "links no run of this logic, so there are no inputs to write",
        ));
    }
    let since = match since {
        Some(since) => since.to_owned(),
        None => match version_number(&d.version) {
            Some(n) => format!("v{}", n + 1),
            None => {
                return Err(none(
                    "has runs of a version without a number: give the first version that its cases bind with --since",
                ));
            }
        },
    };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut drafts = Vec::new();
    let mut left_out = 0;
    for (run, manifest) in failing {
        let inputs = &manifest.reproducible.inputs;
        let parameters = &manifest.reproducible.config.parameters;
        let same = serde_json::json!([inputs, parameters]).to_string();
        if drafts.len() >= CASES || !seen.insert(same) {
            left_out += 1;
            continue;
        }
        drafts.push(one(incident, environment, d, run, manifest)?);
    }
    let columns: Vec<String> = d.inputs.iter().map(|i| i.field.name.clone()).collect();
    let head = [
        format!(
            "The failing inputs of incident {} of {environment}: {}",
            incident.name(),
            incident.title
        ),
        "DS completes each case with what is right; until then `provender plugin test` fails."
            .to_owned(),
    ];
    Ok(Drafted {
        file: file_name(incident, environment, &d.model_version()),
        text: draft::file(&head, Some(&since), &columns, &drafts),
        since,
        cases: drafts.into_iter().map(|d| d.name).collect(),
        left_out,
    })
}

/// `incident-prod-I1-v3.toml`. The name of the logic is missing because a folder of cases belongs to one logic.
fn file_name(incident: &Incident, environment: &str, model_version: &ModelVersion) -> String {
    let safe = |text: &str| -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        text.chars().map(plain).collect()
    };
    let version = model_version.split(':').nth(1).unwrap_or_default();
    format!(
        "incident-{}-{}-{}.toml",
        safe(environment),
        incident.name(),
        safe(version)
    )
}

/// The name of the case that a run becomes.
#[must_use]
pub(crate) fn case_name(incident: &Incident, environment: &str, key: &RunKey) -> String {
    format!(
        "{} of {environment}: {} / {} / {} (run {})",
        incident.name(),
        key.boundary_id,
        key.herd_config_id,
        key.calculation_date,
        key.run_id().short()
    )
}

fn one(
    incident: &Incident,
    environment: &str,
    d: &Description,
    run: &Run,
    manifest: &Manifest,
) -> Result<Draft, IncidentError> {
    let key = &run.run.key;
    let odd = |name: &str| IncidentError::NoFailing {
        incident: incident.name(),
        problem: format!(
            "has the run {key}, whose {name} is not of the type that the component declares"
        ),
    };
    let recorded = &manifest.reproducible;
    let mut inputs = Vec::new();
    for input in &d.inputs {
        let name = &input.field.name;
        let value = match recorded.inputs.get(name) {
            None => Value::Null,
            Some(j) => Value::from_json(input.field.data_type, j).ok_or_else(|| odd(name))?,
        };
        inputs.push((name.clone(), value));
    }
    let mut parameters = Vec::new();
    for parameter in &d.parameters {
        let name = &parameter.name;
        let set = recorded.config.parameters.get(name);
        let value = set.and_then(|j| Scalar::from_json(parameter.default.data_type(), j));
        let value = value.ok_or_else(|| odd(name))?;
        if value != parameter.default {
            parameters.push((name.clone(), value));
        }
    }
    let outcomes = d.outputs.iter().filter(|o| o.role == Role::Outcome);
    let recorded = outcomes
        .filter_map(|o| {
            let j = recorded.outputs.get(&o.field.name)?;
            Some((
                o.field.name.clone(),
                Value::from_json(o.field.data_type, j)?,
            ))
        })
        .collect();
    Ok(Draft {
        name: case_name(incident, environment, key),
        about: vec![
            format!("run {} of {}", key.run_id(), key.model_version),
            format!("snapshot {}", run.run.snapshot),
        ],
        inputs,
        parameters,
        recorded,
    })
}

/// Writes a drafted file once, completely or not at all. If the same bytes are already there, nothing changes.
///
/// # Errors
/// [`IncidentError::Occupied`] if a file with other contents has the name: DS may already have completed it.
pub(crate) fn write(
    folder: &Path,
    shown: &str,
    drafted: &Drafted,
) -> Result<Digest, IncidentError> {
    let file = format!("{shown}/{}", drafted.file);
    let io = |verb, cause| IncidentError::Io {
        what: file.clone(),
        verb,
        cause,
    };
    let bytes = drafted.text.as_bytes();
    let dir = std::fs::create_dir_all(folder).and_then(|()| open(folder));
    let files = Files::new(dir.map_err(|e| io("written", e))?, shown);
    match files.create(&drafted.file, bytes, FILE_BYTES) {
        Ok(Creation::Created | Creation::Same) => Ok(Digest::of_bytes(bytes)),
        Ok(Creation::Taken(_)) => Err(IncidentError::Occupied { file }),
        Err(ObjectError::Place { verb, cause, .. } | ObjectError::Object { verb, cause, .. }) => {
            Err(io(verb, cause))
        }
    }
}

/// Opens the folder of golden cases that the deployment or the command line names.
fn open(folder: &Path) -> std::io::Result<Dir> {
    Dir::open_ambient_dir(folder, ambient_authority())
}

/// A version of the logic that can be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version<'a> {
    /// Its component.
    pub component: &'a Component,
    /// Whether it is the active version.
    pub active: bool,
}

/// The inputs of failing runs, by the name of their case.
pub(crate) type Inputs = BTreeMap<String, Map<String, Json>>;

/// Checks that the cases of an exported file exist, are completed, still have the inputs that failed, and pass
/// on the active version if they bind it. Returns each case with the digest of the file that now contains it.
///
/// # Errors
/// [`IncidentError::NotReady`] for the first case that is missing, not completed or failing.
pub(crate) fn check(
    incident: &Incident,
    folder: &Path,
    shown: &str,
    exported: &ExportedCases,
    versions: &[Version<'_>],
    failed: &Inputs,
) -> Result<Vec<RegressionCase>, IncidentError> {
    let not = |problem: String| IncidentError::NotReady {
        incident: incident.name(),
        problem,
        written: true,
    };
    let set = match CaseSet::read(folder, shown) {
        Err(GoldenError::Io { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => {
            return Err(not(format!(
                "the folder {shown} with its regression cases is missing"
            )));
        }
        other => other?,
    };
    let mut held = Vec::new();
    for name in &exported.cases {
        let Some((place, binds)) = set.find(name) else {
            return Err(not(format!(
                "the regression case `{name}` is no longer in {shown}"
            )));
        };
        readable(&set, name, versions, exported, failed).map_err(not)?;
        let mut checked = Vec::new();
        for version in versions {
            match against(&set, name, binds, version)? {
                CaseOutcome::ToRecord(text) => checked.push(text),
                CaseOutcome::Fails(logic) => {
                    return Err(not(format!(
                        "the regression case `{name}` ({place}) does not hold for {logic}, which is active"
                    )));
                }
                CaseOutcome::Nothing => {}
            }
        }
        let file = place.file.rsplit('/').next().unwrap_or_default();
        let bytes = open(folder)
            .and_then(|dir| bounded::read_in(&dir, file, FILE_BYTES))
            .map_err(|cause| IncidentError::Io {
                what: place.file.clone(),
                verb: "read",
                cause,
            })?;
        held.push(RegressionCase {
            file: place.file.clone(),
            sha256: Digest::of_bytes(&bytes).to_string(),
            case: name.clone(),
            checked: if checked.is_empty() {
                format!(
                    "completed; it binds no version that is pinned here ({binds_from})",
                    binds_from = exported.since
                )
            } else {
                checked.join("; ")
            },
        });
    }
    Ok(held)
}

/// The result of a case for one version.
enum CaseOutcome {
    /// A sentence to record.
    ToRecord(String),
    /// The case fails on the active version.
    Fails(String),
    /// The case does not bind the version, which is not active either.
    Nothing,
}

fn against(
    set: &CaseSet,
    name: &str,
    binds: &Binds,
    version: &Version<'_>,
) -> Result<CaseOutcome, IncidentError> {
    let d = version.component.description();
    let logic = d.model_version();
    if !version_number(&d.version).is_some_and(|n| binds.holds(n)) {
        return Ok(match version.active {
            true => CaseOutcome::ToRecord(format!("does not bind {logic}, which answers")),
            false => CaseOutcome::Nothing,
        });
    }
    Ok(
        match (passes(set, name, version.component)?, version.active) {
            (true, _) => CaseOutcome::ToRecord(format!("passes {logic}")),
            (false, true) => CaseOutcome::Fails(logic.into()),
            (false, false) => {
                CaseOutcome::ToRecord(format!("does not hold for {logic}, which does not answer"))
            }
        },
    )
}

/// Checks that DS completed a case, by the declaration of any version that it fits, and did not change the
/// inputs that failed.
fn readable(
    set: &CaseSet,
    name: &str,
    versions: &[Version<'_>],
    exported: &ExportedCases,
    failed: &Inputs,
) -> Result<(), String> {
    let mut first = None;
    for version in versions {
        let d = version.component.description();
        match set.read_one(name, d) {
            Ok(None) => {}
            Ok(Some(case)) => {
                let changed = failed
                    .get(name)
                    .and_then(|inputs| changed(d, &case.inputs, inputs));
                return changed.map_or(Ok(()), |input| {
                    Err(format!(
                        "the regression case `{name}` has another {input} than the run that failed"
                    ))
                });
            }
            Err(e) => first = first.or(Some(e.to_string())),
        }
    }
    Err(first.unwrap_or_else(|| {
        format!(
            "no version of {} is pinned here, so the regression case `{name}` cannot be read",
            exported.logic
        )
    }))
}

/// The first input that differs from what was recorded. Inputs that the failed run did not have are ignored.
fn changed<'d>(
    d: &'d Description,
    inputs: &[Value],
    recorded: &Map<String, Json>,
) -> Option<&'d str> {
    let pairs = d.inputs.iter().zip(inputs);
    let other = pairs.filter(|(input, value)| {
        let was = recorded.get(&input.field.name);
        was.and_then(|j| Value::from_json(input.field.data_type, j))
            .is_some_and(|was| was != **value)
    });
    let mut names = other.map(|(input, _)| input.field.name.as_str());
    names.next()
}

fn passes(set: &CaseSet, name: &str, component: &Component) -> Result<bool, IncidentError> {
    let Some(case) = set.read_one(name, component.description())? else {
        return Ok(false);
    };
    let selected = Selected {
        cases: vec![case],
        skipped: Vec::new(),
    };
    Ok(run::run(component, selected)?.passed())
}
