//! Bundles, which `explain --bundle` writes and `replay --bundle` replays.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use provender_domain::files::bounded::{self, COMPONENT_BYTES, MANIFEST_BYTES};
use provender_domain::files::outfile;
use provender_host::audit::{Bundle, prove};
use provender_host::replay::{ManifestRecord, Manifests, Replayer, Subject};
use provender_ledger::types::NewRun;
use provender_sandbox::{ComponentSearchError, ComponentSearchPath, Limits, PinLimits};

use super::super::Global;
use super::super::cache::sandbox_anywhere_on;
use super::super::context::Context;
use super::super::error::{CliError, DISK};
use super::super::exit::Exit;
use super::super::replay::{BundleAnswer, Chosen, EngineArg, done, engine_of};
use super::super::ui::{Done, Look, Text};
use super::checkpoint::UNSIGNED;
use super::key;

/// Largest accepted bundle in bytes: a manifest, a component and a generous allowance for the proof.
const MOST: u64 = MANIFEST_BYTES + COMPONENT_BYTES + (16 << 20);

/// Writes the bundle of a run.
pub(in super::super) fn write(
    context: &Context,
    run: &NewRun,
    file: &Path,
    key: Option<&Path>,
) -> Result<(), CliError> {
    let signer = key.map(key::signer).transpose()?;
    let ledger = context.reader()?;
    let (manifest, bytes) = context.manifests()?.read_with_bytes(run.manifest_ref())?;
    let record = ManifestRecord::read(&manifest)
        .map_err(|e| CliError::new(Exit::Integrity, "manifest_damaged", e))?;
    let component = context
        .search_path()?
        .find(&record.component)
        .map_err(|e| {
            let exit = match e {
                ComponentSearchError::Missing { .. } => Exit::NotFound,
                ComponentSearchError::Damaged { .. } => Exit::Integrity,
                ComponentSearchError::Io { .. } => Exit::Io,
            };
            CliError::new(exit, e.code(), e.to_string())
        })?;
    let origin = signer.as_ref().map_or(UNSIGNED, |s| s.name());
    let recorded = context.ceilings(&*ledger)?.remove(&record.component);
    let own = recorded.unwrap_or_else(|| {
        PinLimits::for_language(&provender_sandbox::stated_language(&component))
    });
    let here = PinLimits::from_limits(&context.project.settings.limits.resolve());
    let usual = PinLimits::from_limits(&Limits::default());
    let bundle = Bundle {
        // Within what a reader accepts. Higher ceilings never change a number.
        limits: own
            .max_of_each(&here)
            .max_of_each(&usual)
            .capped_by(&PinLimits::MAX),
        component,
        manifest: bytes,
        proof: prove(&*ledger, &run.key, origin, signer.as_ref())?,
    };
    bundle.check(None)?;
    outfile::write(file, &bundle.pack()?).map_err(|e| {
        CliError::new(
            Exit::Io,
            "file_unwritable",
            format!("{} cannot be written: {e}", file.display()),
        )
        .help(DISK)
    })
}

/// A bundle whose limits are acceptable. Its proof is not checked yet.
fn read(file: &Path, name: &str) -> Result<Bundle, CliError> {
    let bytes = bounded::read_named(file, MOST).map_err(|e| {
        let exit = match e.kind() {
            io::ErrorKind::NotFound => Exit::NotFound,
            io::ErrorKind::FileTooLarge => Exit::Data,
            _ => Exit::Io,
        };
        CliError::new(
            exit,
            "file_unreadable",
            format!("{name} cannot be read: {e}"),
        )
    })?;
    let bundle = Bundle::unpack(name, &bytes)?;
    bundle.limits.check_foreign().map_err(|e| {
        CliError::new(
            Exit::Data,
            "bundle_limits",
            format!("{name}: its limits.json is refused: {e}"),
        )
        .help("have the bundle written again by `provender explain RUN --bundle FILE`. No digest binds its ceilings, and they are not part of a number")
    })?;
    Ok(bundle)
}

/// Computes a bundle's run again, without a deployment.
pub(in super::super) fn replay(
    global: &Global,
    file: &Path,
    public_key: Option<&str>,
    engine: EngineArg,
) -> Result<Done, CliError> {
    let name = file.display().to_string();
    let bundle = read(file, &name)?;
    let key = public_key.map(key::verifier).transpose()?;
    let (proven, manifest) = bundle.check(key.as_ref())?;
    let sandbox = sandbox_anywhere_on(global, engine.backend())?;
    let component = provender_domain::canonical::Digest::of_bytes(&bundle.component);
    let ceilings = HashMap::from([(component, bundle.limits)]);
    let mut search_path = ComponentSearchPath::default();
    search_path.add_bytes(bundle.component);
    let verdict = Replayer {
        sandbox: &sandbox,
        search_path: &search_path,
        manifests: Manifests::One(&manifest),
        ceilings,
        interrupt: global.interrupt.clone(),
    }
    .replay(&[Subject::from(proven.run.clone())], &|_| {});
    let engine = engine_of(&sandbox, engine);
    let checkpoint = &proven.checkpoint;
    let bundle = BundleAnswer {
        key: proven.run.key.to_string(),
        run_id: proven.run.key.run_id(),
        recorded_at: proven.at.clone(),
        actor: proven.actor.clone(),
        entry: proven.entry,
        component,
        manifest_sha256: proven.run.manifest,
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        signed_by: key.as_ref().map(|k| k.name().to_owned()),
    };
    let chosen = Chosen::Bundle {
        file: &name,
        bundle: &bundle,
    };
    let mut replayed = done(&verdict, &engine, chosen, None);
    let mut text = Text::default();
    text.look(Look::Strong, proven.run.key.to_string());
    text.line(format!(
        "recorded {} by {}, entry {} of {} of {}",
        proven.at, proven.actor, proven.entry, checkpoint.size, checkpoint.origin
    ));
    match &key {
        Some(key) => text.look(
            Look::Good,
            format!("the checkpoint is signed by {}", key.name()),
        ),
        None => text.look(
            Look::Warn,
            "the checkpoint's signature was not checked: give --public-key",
        ),
    }
    text.append(replayed.text);
    replayed.text = text;
    Ok(replayed)
}
