//! `plugin add` and `plugin freeze`: which bytes are a version, first as a draft, then for ever.

use std::io::Write as _;

use cap_std::fs::{Dir, OpenOptions};
use clap::Args;
use serde_json::json;

use crate::Global;
use crate::context::Context;
use crate::error::{CliError, DISK};
use crate::exit::Exit;
use crate::ui::{Done, Look, Text};
use provender_domain::failpoint;
use provender_domain::files::durable;
use provender_host::check;
use provender_host::compute::freeze;
use provender_host::deployment::{LOCK, pin};
use provender_host::golden::case::version_number;
use provender_ledger::Write as _;
use provender_ledger::entry::Kind;
use provender_sandbox::{Lock, Pin, State};

use super::check::{catalogue, problem};
use super::found::{Bytes, LimitArgs, folder, own_limits};
use super::place;

/// Check a component, then pin it as a draft: good for tests, back-tests and dry runs. A draft may be
/// replaced by other bytes until it is frozen.
///
/// Example: provender plugin add build/days_remaining-v3.wasm
#[derive(Args)]
pub(super) struct AddArgs {
    /// The .wasm file.
    file: String,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Make a draft the version for ever: from now on it records runs, and no other bytes can be pinned
/// under its name.
///
/// Example: provender plugin freeze days_remaining:v3 --reason "back-test reviewed in PR 12"
#[derive(Args)]
pub(super) struct FreezeArgs {
    /// The draft, as name:version.
    what: String,
    /// Why, for the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn add(global: &Global, args: &AddArgs) -> Result<Done, CliError> {
    // Before anything else: without a deployment there is nothing to pin into.
    let context = Context::open(global)?;
    if std::path::Path::new(&args.file).is_dir() {
        return Err(folder(std::path::Path::new(&args.file)));
    }
    if !args.file.ends_with(".wasm") {
        return Err(CliError::usage(format!(
            "`{}` is no .wasm file; `plugin add` pins a file",
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
    if let Some(problem) = problem(&report) {
        return Err(problem);
    }
    let Some(component) = report.component else {
        return Err(CliError::new(
            Exit::Internal,
            "check",
            "an accepted component was not loaded",
        ));
    };
    let ledger = context.writer()?;
    let _turn = turn(&context)?;
    let lock = lock_or_empty(&context)?;
    let dir = &context.project.dir;
    let mut new = Pin::of(&component, "", State::Draft, found.limits.clone());
    new.path = place::of(dir, &new);
    let model = new.model_version();
    let before = lock.find(&new.name, &new.version);
    if let Some(old) = before {
        if old.sha256 == new.sha256 && (old.state == State::Frozen || old.limits == new.limits) {
            // The pin says so; the file may be gone, or another's since an `add` that was killed.
            let is_there = context.pinned_bytes(old).is_ok();
            if !is_there {
                replace(dir, &old.path, &found.bytes)?;
            }
            place::sweep(dir, &lock, old, &ledger)?;
            return Ok(if is_there {
                unchanged(old)
            } else {
                restored(old)
            });
        }
        if old.state == State::Frozen {
            return Err(provender_host::compute::ComputeError::Frozen {
                model_version: model,
                recorded: old.sha256.to_string(),
                found: new.sha256.to_string(),
            }
            .into());
        }
        if old.sha256 == new.sha256 {
            // Other limits for the same bytes.
            new.path.clone_from(&old.path);
        }
    }
    // A version that was frozen once, and whose pin was taken out since, comes back as it was.
    if freeze::check(&ledger, &new)? {
        new.state = State::Frozen;
    }
    let next = next_of_draft(&context, &lock, &new)?;
    // The lock file last: until it names the new file, the old pin and the old file agree.
    ledger.append(Kind::Pin, &context.stamp(None), &freeze::pin_json(&new))?;
    replace(dir, &new.path, &found.bytes)?;
    failpoint::hit("pin.before-lock");
    let now = lock.with(new.clone())?;
    write_lock(&context, &now)?;
    failpoint::hit("pin.after-lock");
    place::sweep(dir, &now, &new, &ledger)?;

    let mut text = Text::default();
    text.look(
        Look::Good,
        format!("pinned {model} as a {}", new.state.name()),
    );
    text.line(format!(
        "  {}, {} bytes, {}",
        new.sha256, new.size, new.path
    ));
    if let Some(old) = before {
        text.line(format!("  in the place of {}", old.sha256));
    }
    for (name, value) in own_limits(&new.limits) {
        text.line(format!("  limit of its own: {name} {value}"));
    }
    if new.state == State::Draft {
        text.line(next);
    }
    let replaced = before.map(|p| p.sha256.to_string());
    Ok(Done::ok(
        json!({"pin": pin_data(&new), "changed": true, "replaced": replaced}),
        text,
    ))
}

pub(super) fn freeze_pin(global: &Global, args: &FreezeArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let ledger = context.writer()?;
    let _turn = turn(&context)?;
    let lock = context.lock()?;
    let old = pin(&lock, &args.what)?;
    let sandbox = context.sandbox()?;
    // What is frozen is what lies there, not what the lock file says of it.
    context.load(&sandbox, old)?;
    let new = Pin {
        state: State::Frozen,
        ..old.clone()
    };
    let recorded = freeze::freeze(&ledger, &new, &context.stamp(args.reason.as_deref()))?;
    if old.state == State::Frozen && !recorded {
        return Ok(unchanged(old));
    }
    write_lock(&context, &lock.with(new.clone())?)?;
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!("{} is {} from now on", new.model_version(), new.sha256),
    );
    let answer = match context.release()? {
        Some(_) => "MLOps makes it answer with a release: provender release cut",
        None => "MLOps makes it answer with `active` in provender.toml",
    };
    text.line(format!("next: commit {LOCK} and {}; {answer}", new.path));
    Ok(Done::ok(
        json!({"pin": pin_data(&new), "changed": true}),
        text,
    ))
}

/// What to do with a draft: a back-test, against whatever there is to compare it with.
fn next_of_draft(context: &Context, lock: &Lock, draft: &Pin) -> Result<String, CliError> {
    let (model, name) = (draft.model_version(), &draft.name);
    let freeze = format!("then provender plugin freeze {model} --reason …");
    let answers = |m: &String| m.split(':').next() == Some(name.as_str());
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
            "next: provender compute --all --as-of today --logic {model} --dry-run, {freeze}\n      (the first version of {name} has nothing to be back-tested against)"
        ),
    })
}

fn unchanged(pin: &Pin) -> Done {
    let mut text = Text::default();
    text.line(format!(
        "{} is pinned already ({}) with these bytes: nothing changed",
        pin.model_version(),
        pin.state.name()
    ));
    Done::ok(json!({"pin": pin_data(pin), "changed": false}), text)
}

fn restored(pin: &Pin) -> Done {
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!(
            "{} is pinned already ({}) with these bytes; {} was not they, and is again",
            pin.model_version(),
            pin.state.name(),
            pin.path
        ),
    );
    Done::ok(json!({"pin": pin_data(pin), "changed": true}), text)
}

/// Waits until no other process changes the pins, and keeps them out while the file is held: each
/// rewrites the whole lock file from what it has read. What killed processes left of their writes goes.
pub(crate) fn turn(context: &Context) -> Result<std::fs::File, CliError> {
    let path = context.project.ledger_path().with_extension("pins");
    let io = |e: std::io::Error| {
        CliError::new(
            Exit::Io,
            "pin_unwritable",
            format!("{} cannot be locked: {e}", path.display()),
        )
        .help(DISK)
    };
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).append(true).open(&path).map_err(io)?;
    file.lock().map_err(io)?;
    place::sweep_temporary(&context.project.dir, LOCK)?;
    Ok(file)
}

fn pin_data(pin: &Pin) -> serde_json::Value {
    json!({
        "name": pin.name, "version": pin.version, "state": pin.state.name(), "sha256": pin.sha256.to_string(),
        "size": pin.size, "world": pin.world, "language": pin.language, "path": pin.path, "limits": pin.limits,
    })
}

/// The pinned set; an empty one where nothing is pinned yet.
pub(crate) fn lock_or_empty(context: &Context) -> Result<Lock, CliError> {
    Ok(context.lock_if_any()?.unwrap_or_default())
}

/// The lock file in its one spelling, written whole.
pub(crate) fn write_lock(context: &Context, lock: &Lock) -> Result<(), CliError> {
    let text = format!(
        "# The pinned components: which bytes are which logic version.\n{}",
        lock.render()?
    );
    replace(&context.project.dir, LOCK, text.as_bytes())
}

/// Writes a file under a temporary name, then renames it: nobody sees half of it. The caller has the
/// turn, so that a temporary file that lies there is of a process that was killed.
fn replace(dir: &Dir, path: &str, bytes: &[u8]) -> Result<(), CliError> {
    let io = |e: std::io::Error| {
        CliError::new(
            Exit::Io,
            "pin_unwritable",
            format!("{path} cannot be written: {e}"),
        )
        .help(DISK)
    };
    let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
    durable::make_folder(dir, folder).map_err(io)?;
    let temporary = format!("{path}{}", place::TEMPORARY);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let written = dir.open_with(&temporary, &options).and_then(|mut file| {
        file.write_all(bytes)?;
        failpoint::hit("file.half");
        file.sync_all()
    });
    failpoint::hit("file.before-name");
    let renamed = written.and_then(|()| dir.rename(&temporary, dir, path));
    if renamed.is_err() {
        let _ = dir.remove_file(&temporary);
    }
    failpoint::hit("file.after-name");
    renamed
        .and_then(|()| durable::sync(dir, folder))
        .map_err(io)
}
