//! Creates a deployment folder.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use provender_domain::files::bounded;
use provender_domain::files::outfile::{self, Together};
use provender_sandbox::{Limits, Lock, LogicError, OnCompile, Pin, PinLimits, PinState, Sandbox};

use crate::author::shipped_cases;
use crate::embedded::{ARTIFACTS, SAMPLE};
use crate::project::{logic, settings, sources};

use super::LOCK;
use super::pinning::lock_text;

const PROVENDER_TOML: &str = r#"# MLOps: how, where and when it runs, and how it is monitored. Nothing here changes a number.
# docs/reference/files.md lists every key with its default; `provender config` shows the settings in force.
environment = "default"

[ledger]
url = "sqlite:out/ledger.db"

[manifests]
path = "out/manifests"

[logic]
# One version per name answers. Others can be computed with --logic.
active = ["days_remaining:v1"]
# What a breached guardrail does: "mark" (an answer with a warning) or "fail" (never an answer, exit 16).
on_guardrail = "mark"

[monitor]
window_days = 30
# Which verdicts fail the process: "warn", "crit" or "never".
fail_on = "warn"
"#;

const LOGIC_TOML: &str = r#"# DS: the settings that change a number: parameter values, guardrail bounds, the season's start, and monitor
# thresholds. Set only those that differ from a component's declaration.
#
# [days_remaining.v2]
# season_start = "03-01"
# [days_remaining.v2.parameters]
# residual_kg_per_ha = 250.0
"#;

const SOURCES_TOML: &str = r#"# MLOps: where the input files are, in order of precedence.
#
# [[source]]
# id = "pastures"
# kind = "boundaries"            # boundaries, herds, forage, weather, soil, series
# path = "inputs/pastures.geojson"
#
# [[source]]
# id = "rap"
# kind = "forage"
# path = "inputs/rap/{boundary}.json"
# max_age = "30d"
"#;

/// What a new deployment contains.
#[derive(Clone, Default)]
pub struct Contents {
    /// The sample ranch, with invented pastures, herds, forage, weather and soil.
    pub sample: bool,
    /// A folder of components to pin instead of those embedded in the program.
    pub plugins: Option<PathBuf>,
    /// Called around the compilation of those components.
    pub on_compile: Option<OnCompile>,
}

/// A deployment that was created.
#[derive(Clone, Debug)]
pub struct Created {
    /// The pinned components.
    pub pins: Vec<Pin>,
    /// The logics whose golden cases were written.
    pub cases: Vec<String>,
}

/// Why no deployment was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The folder is already a deployment.
    #[error("{} is already a deployment folder: it contains {}", .0.display(), settings::FILE)]
    Already(PathBuf),
    /// A file cannot be written.
    #[error("{} cannot be written: {cause}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The folder of components cannot be read.
    #[error("{}: {cause}", .path.display())]
    Plugins {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The folder contains no components.
    #[error("{} holds no .wasm file", .0.display())]
    NoComponents(PathBuf),
    /// A component cannot be read.
    #[error("{}: {cause}", .path.display())]
    Component {
        /// Its file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
        /// The size limit in bytes.
        ceiling: u64,
    },
    /// The program was built without one of its components.
    #[error("the component {0} is missing from this build of the program")]
    Shipped(String),
    /// A component cannot be used.
    #[error(transparent)]
    Logic(#[from] LogicError),
}

/// Creates a deployment in a folder that is not yet one. Everything is checked before anything is written. If a file
/// cannot be written, the files written before are removed.
///
/// # Errors
/// If the folder is already a deployment, a component cannot be used, or a file cannot be written.
pub fn create(dir: &Path, contents: &Contents) -> Result<Created, CreateError> {
    if dir.join(settings::FILE).exists() {
        return Err(CreateError::Already(dir.to_path_buf()));
    }
    let components = match &contents.plugins {
        Some(folder) => from_folder(folder, contents.on_compile.clone())?,
        None => shipped()?,
    };
    let pins: Vec<Pin> = components.iter().map(|(pin, _)| pin.clone()).collect();
    let lock = lock_text(&Lock::new(pins.clone())?)?;
    let mut together = Together::default();
    let mut write = |path: &Path, bytes: &[u8]| {
        let written = together.write(path, bytes);
        written.map_err(|cause| unwritable(path, cause))
    };
    for (pin, bytes) in &components {
        write(&dir.join(&pin.path), bytes)?;
    }
    let cases = golden(dir, &pins, contents.plugins.is_some());
    for name in &cases {
        for (file, bytes) in shipped_cases(name) {
            write(&dir.join("cases").join(name).join(file), &bytes)?;
        }
    }
    if contents.sample {
        for (path, bytes) in SAMPLE.iter().filter(|(p, _)| *p != settings::FILE) {
            write(&dir.join(path), bytes)?;
        }
    } else {
        write(&dir.join(logic::FILE), LOGIC_TOML.as_bytes())?;
        write(&dir.join(sources::FILE), SOURCES_TOML.as_bytes())?;
    }
    write(&dir.join(LOCK), lock.as_bytes())?;
    together.settle().map_err(|e| unwritable(dir, e))?;
    // Written last and atomically: with this file the folder becomes a deployment.
    let sample = SAMPLE
        .iter()
        .find(|(p, _)| contents.sample && *p == settings::FILE);
    let text = sample.map_or(PROVENDER_TOML.as_bytes(), |(_, bytes)| *bytes);
    let file = dir.join(settings::FILE);
    match outfile::create(&file, text, false) {
        Ok(()) => together.keep(),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            // Another process made the same deployment in the meantime, and shares these files.
            together.keep();
            return Err(CreateError::Already(dir.to_path_buf()));
        }
        Err(e) => return Err(unwritable(&file, e)),
    }
    Ok(Created { pins, cases })
}

/// The embedded logics whose golden cases are written, so that verify, cut and the gate run them here. Cases that
/// already exist belong to DS and are kept; a checkout has those of its source.
fn golden(dir: &Path, pins: &[Pin], others: bool) -> Vec<String> {
    if others || dir.join("logic-plugins/cases").is_dir() {
        return Vec::new();
    }
    let mut names: Vec<String> = pins.iter().map(|p| p.name.clone()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| !dir.join("cases").join(name).exists() && !shipped_cases(name).is_empty());
    names
}

fn unwritable(path: &Path, cause: io::Error) -> CreateError {
    CreateError::Unwritable {
        path: path.to_path_buf(),
        cause,
    }
}

/// The components embedded in the program.
fn shipped() -> Result<Vec<(Pin, Vec<u8>)>, CreateError> {
    let carried = |path: &str| {
        let found = ARTIFACTS.iter().find(|(p, _)| *p == path);
        let (_, bytes) = found.ok_or_else(|| CreateError::Shipped(path.to_owned()))?;
        Ok::<_, CreateError>(*bytes)
    };
    let lock = Lock::parse(&String::from_utf8_lossy(carried(LOCK)?))?;
    lock.components()
        .iter()
        .map(|pin| {
            let bytes = carried(&pin.path)?;
            pin.check_bytes(&pin.path, bytes)?;
            let path = format!("components/{}", pin.path);
            let pin = Pin {
                path,
                ..pin.clone()
            };
            Ok((pin, bytes.to_vec()))
        })
        .collect()
}

fn from_folder(
    folder: &Path,
    on_compile: Option<OnCompile>,
) -> Result<Vec<(Pin, Vec<u8>)>, CreateError> {
    let unreadable = |cause| CreateError::Plugins {
        path: folder.to_path_buf(),
        cause,
    };
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(unreadable)?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "wasm"));
    files.sort();
    if files.is_empty() {
        return Err(CreateError::NoComponents(folder.to_path_buf()));
    }
    let sandbox = Sandbox::with_observer(Limits::default(), None, on_compile)?;
    let ceiling = sandbox.limits().component_bytes;
    files
        .iter()
        .map(|file| {
            let bytes =
                bounded::read_named(file, ceiling).map_err(|cause| CreateError::Component {
                    path: file.clone(),
                    cause,
                    ceiling,
                })?;
            let component = sandbox.load(&file.display().to_string(), &bytes)?;
            let d = component.description();
            let path = format!("components/{}-{}.wasm", d.name, d.version);
            let pin = Pin::for_component(&component, &path, PinState::Frozen, PinLimits::default());
            Ok((pin, bytes))
        })
        .collect()
}
