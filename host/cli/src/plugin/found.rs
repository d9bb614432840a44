//! The component that an argument names: a pinned `name:version`, or a `.wasm` file.

use provender_domain::ids::ModelVersion;
use std::path::Path;

use clap::Args;

use crate::Global;
use crate::cache::sandbox_anywhere;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use provender_domain::files::bounded;
use provender_host::author::PluginManifest;
use provender_host::deployment::pin;
use provender_sandbox::{Component, LogicError, Pin, PinLimits, Sandbox, stated_language};

/// Limits for a component that needs more than the deployment allows.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Limits of this component")]
pub(crate) struct LimitArgs {
    /// Memory in bytes.
    #[arg(long, value_name = "BYTES")]
    memory_bytes: Option<u64>,
    /// Elements of all tables together.
    #[arg(long, value_name = "N")]
    table_elements: Option<u64>,
    /// Fuel of a call, without its rows.
    #[arg(long, value_name = "N")]
    fuel_base: Option<u64>,
    /// Fuel of a call per row.
    #[arg(long, value_name = "N")]
    fuel_per_row: Option<u64>,
    /// Size of the component file in bytes.
    #[arg(long, value_name = "BYTES")]
    component_bytes: Option<u64>,
    /// Bytes that one call may return.
    #[arg(long, value_name = "BYTES")]
    returned_bytes: Option<u64>,
}

impl LimitArgs {
    /// The default limits of the language, overridden by those of the command line.
    fn over(&self, usual: PinLimits) -> PinLimits {
        PinLimits {
            memory_bytes: self.memory_bytes.or(usual.memory_bytes),
            table_elements: self.table_elements.or(usual.table_elements),
            fuel_base: self.fuel_base.or(usual.fuel_base),
            fuel_per_row: self.fuel_per_row.or(usual.fuel_per_row),
            component_bytes: self.component_bytes.or(usual.component_bytes),
            returned_bytes: self.returned_bytes.or(usual.returned_bytes),
        }
    }
}

/// A component's bytes and the sandbox to load them in.
pub(crate) struct Bytes {
    /// The file, as messages name it.
    pub(crate) file: String,
    pub(crate) bytes: Vec<u8>,
    /// Its own limits: those of its pin, or the defaults of its language.
    pub(crate) limits: PinLimits,
    /// The deployment's sandbox, or one with the default limits if there is no deployment.
    pub(crate) sandbox: Sandbox,
    /// Its pin, if the argument named a pinned version.
    pub(crate) pin: Option<Pin>,
    /// The deployment, if there is one.
    pub(crate) context: Option<Context>,
}

impl Bytes {
    /// Reads the component that `what` names. A file needs no deployment, but obeys the limits of one that is there.
    pub(crate) fn read(global: &Global, what: &str, limits: &LimitArgs) -> Result<Bytes, CliError> {
        if !is_file(what) {
            let context = Context::open(global)?;
            let pin = pin(&context.pins()?, &ModelVersion::unchecked(what))?.clone();
            let bytes = context.pinned_bytes(&pin)?;
            return Ok(Bytes {
                file: pin.path.clone(),
                bytes,
                limits: limits.over(pin.limits.clone()),
                sandbox: context.sandbox()?,
                pin: Some(pin),
                context: Some(context),
            });
        }
        let context = Context::open_if_any(global)?;
        let sandbox = match &context {
            Some(context) => context.sandbox()?,
            None => sandbox_anywhere(global)?,
        };
        let ceiling = limits
            .component_bytes
            .unwrap_or(sandbox.limits().component_bytes);
        let bytes = read_component(Path::new(what), ceiling)?;
        Ok(Bytes {
            file: what.to_owned(),
            limits: limits.over(PinLimits::for_language(&stated_language(&bytes))),
            bytes,
            sandbox,
            pin: None,
            context,
        })
    }
}

/// A loaded component and its pin.
pub(crate) struct Found {
    /// The component.
    pub(crate) component: Component,
    /// Its own limits.
    pub(crate) limits: PinLimits,
    /// Its pin.
    pub(crate) pin: Option<Pin>,
}

impl Found {
    /// Reads and loads the component that `what` names.
    pub(crate) fn open(global: &Global, what: &str, limits: &LimitArgs) -> Result<Found, CliError> {
        let found = Bytes::read(global, what, limits)?;
        let component = found
            .sandbox
            .load_with_limits(&found.file, &found.bytes, &found.limits)?;
        if let Some(pin) = &found.pin {
            pin.check_component(&component)?;
        }
        Ok(Found {
            component,
            limits: found.limits,
            pin: found.pin,
        })
    }
}

/// `days_remaining:v2` is a pin. Anything with a `.wasm` ending or a separator, or without a colon, is a file.
fn is_file(what: &str) -> bool {
    what.ends_with(".wasm") || what.contains(['/', '\\']) || !what.contains(':')
}

/// The error for a folder in place of a component. For an author's folder it names the next step.
pub(crate) fn folder(path: &Path) -> CliError {
    let shown = path.display();
    let (message, help) = match PluginManifest::read(path) {
        Err(_) => (
            format!("{shown} is a folder, not a .wasm file"),
            "name the .wasm file, or a pinned version as name:version (`provender plugin list`)"
                .to_owned(),
        ),
        Ok(manifest) => {
            let file = manifest.component_file(path);
            let next = match file.is_file() {
                true => format!(
                    "give the component that was built from it: {}",
                    file.display()
                ),
                false => format!(
                    "build it first: provender plugin build {shown}; then give the component, {}",
                    file.display()
                ),
            };
            let message = format!(
                "{shown} is the folder of {}, not a component",
                manifest.logic
            );
            (message, next)
        }
    };
    CliError::new(Exit::Usage, "component_is_folder", message).help(help)
}

/// Reads a component's file, at most `ceiling` bytes.
pub(crate) fn read_component(path: &Path, ceiling: u64) -> Result<Vec<u8>, CliError> {
    bounded::read_named(path, ceiling).map_err(|e| unreadable(path, &e, ceiling))
}

/// The error for a component's file that could not be read.
pub(crate) fn unreadable(path: &Path, cause: &std::io::Error, ceiling: u64) -> CliError {
    if path.is_dir() {
        return folder(path);
    }
    let exit = match cause.kind() {
        std::io::ErrorKind::FileTooLarge => {
            let file = path.display().to_string();
            return LogicError::TooLarge {
                file,
                limit: ceiling,
            }
            .into();
        }
        std::io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::Io,
    };
    let message = format!("{}: {cause}", path.display());
    CliError::new(exit, "component_unreadable", message)
        .help("name a .wasm file, or a pinned version as name:version (`provender plugin list`)")
}

/// The limits that are set, by name.
pub(crate) fn own_limits(limits: &PinLimits) -> Vec<(&'static str, u64)> {
    [
        ("memory_bytes", limits.memory_bytes),
        ("table_elements", limits.table_elements),
        ("fuel_base", limits.fuel_base),
        ("fuel_per_row", limits.fuel_per_row),
        ("component_bytes", limits.component_bytes),
        ("returned_bytes", limits.returned_bytes),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
