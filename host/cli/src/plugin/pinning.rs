//! `plugin add` and `plugin freeze`: pin a component as a draft, then freeze it.

use clap::Args;
use provender_domain::ids::ModelVersion;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_host::check;
use provender_host::deployment::{FreezeOutcome, LOCK, PinOutcome};
use provender_host::golden::version_number;
use provender_sandbox::{Lock, Pin, PinLimits, PinState};

use super::check::catalogue;
use super::found::{Bytes, LimitArgs, folder, own_limits};

/// What `plugin add` and `plugin freeze` did.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PluginPinAnswer {
    /// The pin as it is in provender.lock now.
    pin: PinAnswer,
    /// Whether the lock file or the pinned file was changed.
    changed: bool,
    /// If `add` pinned new bytes: the digest of the draft that they replaced, or null.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Digest>")]
    replaced: Option<Option<Digest>>,
}

/// A pin of provender.lock.
#[derive(Serialize, JsonSchema)]
pub(super) struct PinAnswer {
    /// Name of the logic.
    name: String,
    /// Its version: `v2`.
    version: String,
    /// Whether other bytes may replace it.
    state: PinState,
    /// Digest of the component's bytes.
    sha256: Digest,
    /// Size of the component in bytes.
    size: u64,
    /// The world that the component is built for.
    world: String,
    /// The language that the component is written in: `rust`, `python`.
    language: String,
    /// Where the file is, relative to the lock file.
    path: String,
    /// Its own limits, if those of the deployment do not suffice.
    limits: PinLimits,
}

impl From<&Pin> for PinAnswer {
    fn from(pin: &Pin) -> PinAnswer {
        PinAnswer {
            name: pin.name.clone(),
            version: pin.version.clone(),
            state: pin.state,
            sha256: pin.sha256,
            size: pin.size,
            world: pin.world.clone(),
            language: pin.language.clone(),
            path: pin.path.clone(),
            limits: pin.limits.clone(),
        }
    }
}

impl PluginPinAnswer {
    fn of(pin: &Pin, changed: bool) -> PluginPinAnswer {
        PluginPinAnswer {
            pin: pin.into(),
            changed,
            replaced: None,
        }
    }
}

/// Check a component, then pin it as a draft.
///
/// A draft can be used in tests, back-tests and dry runs, and can be replaced until it is frozen.
///
/// Example: provender plugin add build/days_remaining-v3.wasm
#[derive(Args)]
pub(super) struct AddArgs {
    /// The .wasm file.
    file: String,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Freeze a draft: from now on it can record runs, and no other bytes can be pinned under its name.
///
/// Example: provender plugin freeze days_remaining:v3 --reason "back-test reviewed in PR 12"
#[derive(Args)]
pub(super) struct FreezeArgs {
    /// The draft, as name:version.
    what: String,
    /// Why. It is recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn add(global: &Global, args: &AddArgs) -> Result<Done, CliError> {
    // First of all: without a deployment there is no lock file to pin in.
    let context = Context::open(global)?;
    if std::path::Path::new(&args.file).is_dir() {
        return Err(folder(std::path::Path::new(&args.file)));
    }
    if !args.file.ends_with(".wasm") {
        return Err(CliError::usage(format!(
            "`{}` is not a .wasm file; give `plugin add` the component's file",
            args.file
        )));
    }
    let found = Bytes::read(global, &args.file, &args.limits)?;
    let report = check::check(
        &found.sandbox,
        &found.file,
        &found.bytes,
        &found.limits,
        &catalogue(&found),
    )?;
    if let Some(refusal) = report.refusal() {
        return Err(refusal.into());
    }
    let Some(component) = report.component else {
        return Err(CliError::new(
            Exit::Internal,
            "check",
            "an accepted component was not loaded",
        ));
    };
    let (new, replaced) = match context.pin_draft(&component, &found.bytes, &found.limits)? {
        PinOutcome::Unchanged(pin) => return Ok(unchanged(&pin)),
        PinOutcome::Restored(pin) => return Ok(restored(&pin)),
        PinOutcome::Pinned { pin, replaced } => (pin, replaced),
    };
    let model = new.model_version();
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!("pinned {model} as a {}", new.state.name()),
    );
    text.line(format!(
        "  {}, {} bytes, {}",
        new.sha256, new.size, new.path
    ));
    if let Some(old) = replaced {
        text.line(format!("  replaces {old}"));
    }
    for (name, value) in own_limits(&new.limits) {
        text.line(format!("  own limit: {name} {value}"));
    }
    if new.state == PinState::Draft {
        text.line(next_of_draft(&context, &context.lock()?, &new)?);
    }
    let answer = PluginPinAnswer {
        replaced: Some(replaced),
        ..PluginPinAnswer::of(&new, true)
    };
    Ok(Done::ok(&answer, text))
}

pub(super) fn freeze_pin(global: &Global, args: &FreezeArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let what = ModelVersion::unchecked(&args.what);
    let new = match context.freeze_pin(&what, args.reason.as_deref())? {
        FreezeOutcome::Unchanged(pin) => return Ok(unchanged(&pin)),
        FreezeOutcome::Frozen(pin) => pin,
    };
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!(
            "{} is frozen as {} from now on",
            new.model_version(),
            new.sha256
        ),
    );
    let answer = match context.release()? {
        Some(_) => "MLOps makes it active with a release: provender release cut",
        None => "MLOps makes it active with `active` in provender.toml",
    };
    text.line(format!("next: commit {LOCK} and {}; {answer}", new.path));
    Ok(Done::ok(&PluginPinAnswer::of(&new, true), text))
}

/// The next step for a draft: a back-test, or a dry run if there is no other version to compare with.
fn next_of_draft(context: &Context, lock: &Lock, draft: &Pin) -> Result<String, CliError> {
    let (model, name) = (draft.model_version(), &draft.name);
    let freeze = format!("then provender plugin freeze {model} --reason …");
    let answers = |m: &ModelVersion| m.name() == name;
    if context.active()?.iter().any(answers) {
        return Ok(format!("next: provender backtest {model}, {freeze}"));
    }
    let others = lock.components().iter().filter(|p| p.name == *name);
    let newest = others
        .filter(|p| p.version != draft.version)
        .max_by_key(|p| version_number(&p.version));
    Ok(match newest {
        Some(other) => format!(
            "next: provender backtest {model} --against {}, {freeze}\n      (no version of {name} is active)",
            other.model_version()
        ),
        None => format!(
            "next: provender compute --all --as-of today --logic {model} --dry-run, {freeze}\n      (there is no other version of {name} for a back-test)"
        ),
    })
}

fn unchanged(pin: &Pin) -> Done {
    let mut text = Text::default();
    text.line(format!(
        "{} is already pinned ({}) with these bytes: nothing changed",
        pin.model_version(),
        pin.state.name()
    ));
    Done::ok(&PluginPinAnswer::of(pin, false), text)
}

fn restored(pin: &Pin) -> Done {
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!(
            "{} is already pinned ({}) with these bytes. {} had other contents and has been restored",
            pin.model_version(),
            pin.state.name(),
            pin.path
        ),
    );
    Done::ok(&PluginPinAnswer::of(pin, true), text)
}
