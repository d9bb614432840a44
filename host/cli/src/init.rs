//! `init`: a new deployment folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use provender_domain::files::outfile::{self, Together};
use provender_host::author::shipped_cases;
use provender_host::deployment::LOCK;
use provender_host::project::settings::CompileLimits;
use provender_host::project::{logic, settings, sources};
use provender_sandbox::{Limits, Lock, Pin, PinLimits, Sandbox, State};

use super::Global;
use super::error::{CliError, DISK};
use super::exit::Exit;
use super::plugin::found::read_component;
use super::ui::{Done, Look, Text, Ui};
use provender_host::embedded::{ARTIFACTS, SAMPLE, SAMPLE_DATE};

/// Make a deployment folder: its three files, and the components shipped with the program, pinned, with
/// their golden cases in `cases/`.
///
/// Example: provender init --sample --project sample-ranch
#[derive(Args)]
pub(super) struct InitArgs {
    /// The folder; else --project, else the current one.
    dir: Option<PathBuf>,
    /// Add the sample ranch: invented pastures, herds, forage, weather and soil.
    #[arg(long)]
    sample: bool,
    /// Pin the components of this folder instead of those shipped with the program.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

const PROVENDER_TOML: &str = r#"# MLOps: how, where and when it runs, and how it is observed. Nothing here changes a number.
# Every key and its default: docs/reference/files.md; what is in force: `provender config`.
environment = "default"

[ledger]
url = "sqlite:out/ledger.db"

[manifests]
path = "out/manifests"

[logic]
# One version per name answers; others can be computed beside it with --logic.
active = ["days_remaining:v1"]
# What a breached guardrail does: "mark" (an answer with a warning) or "fail" (never an answer, exit 16).
on_guardrail = "mark"

[monitor]
window_days = 30
# Which verdicts fail the process: "warn", "crit" or "never".
fail_on = "warn"
"#;

const LOGIC_TOML: &str = r#"# DS: what changes what the number should be: parameter values, guardrail bounds, the season's start,
# and monitor thresholds, where they differ from what a component declares.
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

pub(super) fn run(global: &Global, args: &InitArgs) -> Result<Done, CliError> {
    let dir = args
        .dir
        .clone()
        .or_else(|| global.project.clone())
        .unwrap_or_else(|| PathBuf::from("."));
    let (pins, cases) = make(global.ui(), &dir, args.sample, args.plugins.as_deref())?;
    let mut text = Text::default();
    text.look(
        Look::Strong,
        format!("made a deployment in {}", dir.display()),
    );
    for pin in &pins {
        text.line(format!(
            "  pinned {} {} ({} bytes)",
            pin.model_version(),
            pin.sha256,
            pin.size
        ));
    }
    if !cases.is_empty() {
        text.line(format!("  golden cases of {} in cases/", cases.join(", ")));
    }
    let project = if dir == Path::new(".") {
        String::new()
    } else {
        format!(" --project {}", dir.display())
    };
    text.line(match args.sample {
        true => format!("next: provender run{project} --as-of {SAMPLE_DATE}"),
        false => format!("next: describe your files in sources.toml, then provender run{project} --as-of YYYY-MM-DD"),
    });
    let data = json!({
        "project": dir.display().to_string(),
        "sample": args.sample,
        "golden_cases": cases,
        "components": pins.iter().map(|p| json!({"name": p.name, "version": p.version, "sha256": p.sha256.to_string(), "size": p.size, "path": p.path})).collect::<Vec<_>>(),
    });
    Ok(Done::ok(data, text))
}

/// Makes the folder; refuses one that is a deployment already. The pins, and the logics whose golden cases
/// were written.
pub(super) fn make(
    ui: Ui,
    dir: &Path,
    sample: bool,
    plugins: Option<&Path>,
) -> Result<(Vec<Pin>, Vec<String>), CliError> {
    if dir.join(settings::FILE).exists() {
        return Err(already(dir));
    }
    // Everything is checked before anything is written.
    let components = match plugins {
        Some(folder) => from_folder(ui, folder)?,
        None => shipped()?,
    };
    let pins: Vec<Pin> = components.iter().map(|(pin, _)| pin.clone()).collect();
    let lock = Lock::new(pins.clone())?.render()?;
    let mut together = Together::default();
    let mut write = |path: &Path, bytes: &[u8]| {
        let written = together.write(path, bytes);
        written.map_err(|e| unwritable(path, &e))
    };
    for (pin, bytes) in &components {
        write(&dir.join(&pin.path), bytes)?;
    }
    let cases = golden(dir, &pins, plugins.is_some());
    for name in &cases {
        for (file, bytes) in shipped_cases(name) {
            write(&dir.join("cases").join(name).join(file), &bytes)?;
        }
    }
    if sample {
        for (path, bytes) in SAMPLE.iter().filter(|(p, _)| *p != settings::FILE) {
            write(&dir.join(path), bytes)?;
        }
    } else {
        write(&dir.join(logic::FILE), LOGIC_TOML.as_bytes())?;
        write(&dir.join(sources::FILE), SOURCES_TOML.as_bytes())?;
    }
    write(
        &dir.join(LOCK),
        format!("# The pinned components: which bytes are which logic version.\n{lock}").as_bytes(),
    )?;
    together.settle().map_err(|e| unwritable(dir, &e))?;
    // Last, and whole: with this file the folder is a deployment.
    let sample_settings = SAMPLE
        .iter()
        .find(|(p, _)| sample && *p == settings::FILE)
        .map(|(_, b)| *b);
    let file = dir.join(settings::FILE);
    let bytes = sample_settings.unwrap_or(PROVENDER_TOML.as_bytes());
    match outfile::create(&file, bytes, false) {
        Ok(()) => together.keep(),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            // Another process made the same deployment meanwhile: what is there is its own too.
            together.keep();
            return Err(already(dir));
        }
        Err(e) => return Err(unwritable(&file, &e)),
    }
    Ok((pins, cases))
}

fn already(dir: &Path) -> CliError {
    let message = format!(
        "{} is a deployment folder already: it has a {}",
        dir.display(),
        settings::FILE
    );
    CliError::new(Exit::Config, "already_there", message)
        .help("name another folder; nothing was changed")
}

/// The logics whose golden cases are written, so that verify, cut and the gate run them here: those of the
/// components that the program carries. Cases that lie here already are DS's own, and stay; a checkout has
/// those of its source.
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

fn unwritable(path: &Path, e: &std::io::Error) -> CliError {
    let message = format!("{} cannot be written: {e}", path.display());
    CliError::new(Exit::Io, "folder_unwritable", message).help(DISK)
}

fn shipped() -> Result<Vec<(Pin, Vec<u8>)>, CliError> {
    let text = ARTIFACTS
        .iter()
        .find(|(p, _)| *p == LOCK)
        .map(|(_, b)| String::from_utf8_lossy(b).into_owned());
    let lock = Lock::parse(&text.unwrap_or_default())?;
    lock.components()
        .iter()
        .map(|pin| {
            let found = ARTIFACTS.iter().find(|(p, _)| *p == pin.path);
            let (_, bytes) = found.ok_or_else(|| {
                CliError::new(
                    Exit::Internal,
                    "shipped",
                    format!("the program lacks its component {}", pin.path),
                )
            })?;
            pin.check_bytes(&pin.path, bytes)?;
            let path = format!("components/{}", pin.path);
            Ok((
                Pin {
                    path,
                    ..pin.clone()
                },
                bytes.to_vec(),
            ))
        })
        .collect()
}

fn from_folder(ui: Ui, folder: &Path) -> Result<Vec<(Pin, Vec<u8>)>, CliError> {
    let io = |e: std::io::Error| {
        CliError::new(
            Exit::Io,
            "plugins_unreadable",
            format!("{}: {e}", folder.display()),
        )
    };
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(io)?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "wasm"));
    files.sort();
    if files.is_empty() {
        return Err(CliError::new(
            Exit::NotFound,
            "no_components",
            format!("{} holds no .wasm file", folder.display()),
        ));
    }
    let watch = ui.compiling(CompileLimits::default());
    let sandbox = Sandbox::watched(Limits::default(), None, Some(watch))?;
    files
        .iter()
        .map(|file| {
            let bytes = read_component(file, sandbox.limits().component_bytes)?;
            let component = sandbox.load(&file.display().to_string(), &bytes)?;
            let d = component.description();
            let path = format!("components/{}-{}.wasm", d.name, d.version);
            Ok((
                Pin::of(&component, &path, State::Frozen, PinLimits::default()),
                bytes,
            ))
        })
        .collect()
}
