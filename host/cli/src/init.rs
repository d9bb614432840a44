//! `init`: creates a deployment folder.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_host::deployment::{Contents, Created, create};
use provender_host::embedded::SAMPLE_DATE;
use provender_host::project::CompileLimits;
use provender_sandbox::Pin;

use super::Global;
use super::error::CliError;
use super::ui::{Done, Look, Text};

/// Create a deployment folder: its three files, and the components shipped with the program, pinned,
/// with their golden cases in `cases/`.
///
/// Example: provender init --sample --project sample-ranch
#[derive(Args)]
pub(super) struct InitArgs {
    /// The folder to create. Default: --project, or the current folder.
    dir: Option<PathBuf>,
    /// Add the sample ranch: invented pastures, herds, forage, weather and soil.
    #[arg(long)]
    sample: bool,
    /// Pin the components in this folder instead of those shipped with the program.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &InitArgs) -> Result<Done, CliError> {
    let dir = args
        .dir
        .clone()
        .or_else(|| global.project.clone())
        .unwrap_or_else(|| PathBuf::from("."));
    let contents = Contents {
        sample: args.sample,
        plugins: args.plugins.clone(),
        on_compile: Some(global.ui().compiling(CompileLimits::default())),
    };
    let Created { pins, cases } = create(&dir, &contents)?;
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
    let pinned = |p: Pin| PinMade {
        name: p.name,
        version: p.version,
        sha256: p.sha256,
        size: p.size,
        path: p.path,
    };
    let answer = InitAnswer {
        project: dir.display().to_string(),
        sample: args.sample,
        golden_cases: cases,
        components: pins.into_iter().map(pinned).collect(),
    };
    Ok(Done::ok(&answer, text))
}

/// The deployment that was created.
#[derive(Serialize, JsonSchema)]
pub(super) struct InitAnswer {
    /// Its folder, as it was given.
    project: String,
    /// Whether it is the sample ranch.
    sample: bool,
    /// The logics that have golden cases in `cases/`.
    golden_cases: Vec<String>,
    /// The components that are pinned.
    components: Vec<PinMade>,
}

/// A component that was pinned.
#[derive(Serialize, JsonSchema)]
struct PinMade {
    /// Name of the logic.
    name: String,
    /// Its version.
    version: String,
    /// Digest of the component's bytes.
    sha256: Digest,
    /// Bytes of the component.
    size: u64,
    /// Where it is, from the deployment's folder.
    path: String,
}
