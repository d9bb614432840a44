//! `plugin build`: builds a folder into a component, with the language's own tools.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::cache::sandbox_anywhere;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_host::author::{self, Built, Language, Machine, PluginManifest, Twice};
use provender_sandbox::{Component, LogicError, PinLimits};

#[derive(Args)]
pub(super) struct BuildArgs {
    /// The folder with provender-plugin.toml. Default: the current folder.
    dir: Option<PathBuf>,
    /// Write the component to this file instead of the one that provender-plugin.toml names.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Build twice from scratch, in folders with other names, and compare the bytes. Writes nothing.
    #[arg(long, conflicts_with = "output")]
    verify: bool,
}

/// What was built.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum PluginBuildAnswer<'a> {
    /// Built once and written.
    Built {
        #[serde(flatten)]
        of: BuildOf<'a>,
        /// The file that was written.
        component: &'a str,
        /// Digest of its bytes.
        sha256: Digest,
        /// Size in bytes.
        size: usize,
    },
    /// With `--verify`: built twice and compared.
    Verified {
        #[serde(flatten)]
        of: BuildOf<'a>,
        /// Whether both builds have the same bytes.
        same: bool,
        /// The first build.
        first: BuildSide,
        /// The second build.
        second: BuildSide,
    },
}

/// What was built, and with what.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BuildOf<'a> {
    /// Name of the logic.
    name: &'a str,
    /// Its version: `v3`.
    version: &'a str,
    /// The language that it is written in.
    language: Language,
    /// The tools that built it, as text.
    toolchain: &'a str,
    /// How long it took, in seconds.
    seconds: f64,
}

/// One of two builds.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BuildSide {
    /// Digest of its bytes.
    sha256: Digest,
    /// Size in bytes.
    size: usize,
}

pub(super) fn build(global: &Global, args: &BuildArgs) -> Result<Done, CliError> {
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    let machine = machine()?;
    let manifest = PluginManifest::read(&folder)?;
    let spinner = global.ui().spinner(format!(
        "building {}{} with {}",
        manifest.logic,
        if args.verify { " twice" } else { "" },
        match manifest.language {
            Language::Rust => "cargo",
            Language::Python => "componentize-py",
        }
    ));
    let started = Instant::now();
    if args.verify {
        let twice = author::verify(&machine, &folder);
        spinner.finish_and_clear();
        return Ok(compared(&twice?, started.elapsed().as_secs_f64()));
    }
    let built = author::build(&machine, &folder);
    spinner.finish_and_clear();
    let built = built?;
    let seconds = started.elapsed().as_secs_f64();
    let loaded = load(global, &built)?;
    if let Ok(component) = &loaded {
        let declared = component.description().model_version();
        built.check_declared(&folder, &declared)?;
    }
    let file = built.write(&folder, args.output.as_deref())?;
    let file = shown(&file);
    let (digest, logic) = (Digest::of_bytes(&built.bytes), &built.manifest.logic);
    let answer = PluginBuildAnswer::Built {
        of: BuildOf {
            name: &logic.name,
            version: &logic.version,
            language: built.manifest.language,
            toolchain: &built.toolchain,
            seconds,
        },
        component: &file,
        sha256: digest,
        size: built.bytes.len(),
    };
    let mut text = Text::default();
    text.look(Look::Strong, format!("built {logic}"));
    text.line(format!("component  {file}"));
    text.line(format!("size       {} bytes", built.bytes.len()));
    text.line(format!("sha256     {}", digest.hex()));
    text.line(format!("toolchain  {}", built.toolchain));
    text.line(format!("time       {seconds:.1} s"));
    text.blank();
    text.line(format!("next: provender plugin check {file}"));
    let Err(refused) = loaded else {
        let dir = args.dir.as_ref();
        text.line(format!(
            "      provender plugin test {}",
            dir.map_or_else(|| ".".to_owned(), |d| d.display().to_string())
        ));
        return Ok(Done::ok(&answer, text));
    };
    // The file is written anyway, so that `plugin check` can list everything that is wrong with it.
    let error = CliError::from(refused);
    Ok(Done::ended(error.exit, &answer, text, Some(error)))
}

/// Loads the component as a run would. The inner error is the host's refusal of it.
fn load(global: &Global, built: &Built) -> Result<Result<Component, LogicError>, CliError> {
    let sandbox = match Context::open_if_any(global)? {
        Some(context) => context.sandbox()?,
        None => sandbox_anywhere(global)?,
    };
    let limits = PinLimits::for_language(built.manifest.language.name());
    let name = built.manifest.logic.file();
    Ok(sandbox.load_with_limits(&name, &built.bytes, &limits))
}

fn compared(twice: &Twice, seconds: f64) -> Done {
    let (first, second) = (
        Digest::of_bytes(&twice.first),
        Digest::of_bytes(&twice.second),
    );
    let (logic, same) = (&twice.manifest.logic, twice.same());
    let side = |digest: &Digest, bytes: &[u8]| BuildSide {
        sha256: *digest,
        size: bytes.len(),
    };
    let answer = PluginBuildAnswer::Verified {
        of: BuildOf {
            name: &logic.name,
            version: &logic.version,
            language: twice.manifest.language,
            toolchain: &twice.toolchain,
            seconds,
        },
        same,
        first: side(&first, &twice.first),
        second: side(&second, &twice.second),
    };
    let mut text = Text::default();
    let (look, word) = match same {
        true => (Look::Good, "the same bytes"),
        false => (Look::Bad, "different bytes"),
    };
    text.look(look, format!("{logic} built twice: {word}"));
    for (name, digest, bytes) in [
        ("first ", &first, &twice.first),
        ("second", &second, &twice.second),
    ] {
        text.line(format!(
            "{name}     {} ({} bytes)",
            digest.hex(),
            bytes.len()
        ));
    }
    text.line(format!("toolchain  {}", twice.toolchain));
    text.line(format!("time       {seconds:.1} s"));
    let exit = if same { Exit::Ok } else { Exit::Check };
    let error = (!same).then(|| {
        let error = CliError::new(
            Exit::Check,
            "not_reproducible",
            format!("two builds of {logic} differ"),
        );
        error.help(match twice.manifest.language {
                Language::Python => "componentize-py gives different bytes each time, which only its authors can change, and neither of the two builds was kept: run `provender plugin build`, then check and pin the file that it writes. CI verifies its stored bytes against provender.lock and does not build it again",
                Language::Rust => "look for what differs from folder to folder: a build script, a macro that reads paths or the clock, a dependency outside the folder",
        })
    });
    Done::ended(exit, &answer, text, error)
}

/// Tools and folders from environment variables.
fn machine() -> Result<Machine, CliError> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let absolute = |path: PathBuf| {
        std::path::absolute(&path).map_err(|e| {
            CliError::new(
                Exit::Io,
                "current_folder",
                format!("{}: {e}", path.display()),
            )
        })
    };
    Ok(Machine {
        rustc: std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from),
        cargo_home: absolute(cargo_home.unwrap_or_else(|| PathBuf::from(".cargo")))?,
        // Separate from the author's native builds.
        target_dir: std::env::var_os("CARGO_TARGET_DIR")
            .map(|dir| absolute(PathBuf::from(dir).join("components")))
            .transpose()?,
        path: std::env::var_os("PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default(),
        componentize_py: std::env::var_os("PROVENDER_COMPONENTIZE_PY").map(PathBuf::from),
    })
}

/// `build/x.wasm` rather than `./build/x.wasm`.
#[expect(
    clippy::disallowed_methods,
    reason = "a path outside the folder is shown unchanged"
)]
fn shown(file: &Path) -> String {
    file.strip_prefix(".").unwrap_or(file).display().to_string()
}
