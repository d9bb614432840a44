//! `replay`: computes recorded runs again from their manifests and compares them bit for bit.

mod output;

use provender_ledger::EntryNumber;
use std::collections::BTreeSet;

use clap::{Args, ValueEnum};

use provender_domain::ids::BoundaryId;
use provender_host::explain::{Wanted, find};
use provender_host::replay::{self, Manifests, ReplayResults, Replayer, Subject};
use provender_ledger::entries::{Engine, Selection};
use provender_ledger::inspect::Unreadable;
use provender_ledger::scan::{Reader, RunGroup, Scan, ScannedRun};
use provender_ledger::types::{Run, RunFilter};
use provender_ledger::{LedgerError, Payload, Read};
use provender_sandbox::{Backend, Sandbox};

use super::Global;
use super::asking::instant;
use super::compute::day;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Done;

pub(super) use output::{BundleAnswer, Chosen, ReplayAnswer, done};

/// Compute recorded runs again from their manifests and components alone, and compare the outputs bit
/// for bit. Exits 13 when one differs.
///
/// Uses none of today's data or settings: components are found by their recorded digest, inputs and
/// parameters come from the manifest. The replay itself is recorded in the ledger.
///
/// Example: provender replay --all
///
/// Example: provender replay --sample 100 --since 2025-06-01 --engine pulley
///
/// Example: provender replay --bundle run.tar --public-key ledger.key.pub
#[derive(Args)]
pub(super) struct ReplayArgs {
    /// Run ids, or at least six hex digits of each.
    #[arg(value_name = "RUN", conflicts_with_all = ["all", "sample", "since", "boundary", "logic", "from", "to", "bundle"])]
    runs: Vec<String>,
    /// Replay every recorded run that matches the filters.
    #[arg(long)]
    all: bool,
    /// Replay N runs chosen uniformly at random (see --seed).
    #[arg(long, value_name = "N", conflicts_with = "all", value_parser = clap::value_parser!(u32).range(1..))]
    sample: Option<u32>,
    /// Seed of the sample. Default: the digest of the ledger's newest entry, which nobody could know in
    /// advance.
    #[arg(long, value_name = "TEXT", requires = "sample", conflicts_with = "all")]
    seed: Option<String>,
    /// Only runs recorded since this day or instant.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only this boundary.
    #[arg(long, value_name = "ID")]
    boundary: Option<String>,
    /// Only this logic, as name or name:version.
    #[arg(long, value_name = "NAME[:VERSION]")]
    logic: Option<String>,
    /// Only calculation dates from this day on.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Only calculation dates up to this day.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Replay a file that `explain --bundle` wrote. Needs no deployment and records nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["all", "sample", "since", "boundary", "logic", "from", "to"])]
    bundle: Option<std::path::PathBuf>,
    /// Check that the bundle's checkpoint is signed with this key: a file, or the public key's text.
    #[arg(long, value_name = "KEY", requires = "bundle")]
    public_key: Option<String>,
    /// How to run the component.
    #[arg(long, value_enum, default_value = "native")]
    engine: EngineArg,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum EngineArg {
    /// Machine code, as in the first computation.
    Native,
    /// Wasmtime's portable interpreter: a second code generator that must give the same bits.
    Pulley,
}

impl EngineArg {
    pub(super) fn backend(self) -> Backend {
        match self {
            EngineArg::Native => Backend::Native,
            EngineArg::Pulley => Backend::Pulley,
        }
    }
}

pub(super) fn run(global: &Global, args: &ReplayArgs) -> Result<Done, CliError> {
    if let Some(file) = &args.bundle {
        return super::audit::replay_bundle(global, file, args.public_key.as_deref(), args.engine);
    }
    let context = Context::open(global)?;
    let ledger = context.reader()?;
    let (asked, selection) = selected(&context, &*ledger, args)?;
    let cache = context.project.cache();
    let limits = context.project.settings.limits.resolve();
    let watch = context
        .ui
        .compiling(context.project.settings.limits.compile());
    let sandbox = Sandbox::with_backend(args.engine.backend(), limits, cache, Some(watch))?;
    let search_path = context.search_path()?;
    let manifests = context.manifests()?;
    let bar = context.ui.progress(0, "replaying");
    let replayer = Replayer {
        sandbox: &sandbox,
        search_path: &search_path,
        manifests: Manifests::Store(&manifests),
        ceilings: context.ceilings(&*ledger)?,
        interrupt: global.interrupt.clone(),
    };
    let tick = |n: usize| bar.inc(n as u64);
    let verdict = match &asked {
        Asked::Runs(runs) => {
            bar.set_length(runs.len() as u64);
            let subjects: Vec<Subject> = runs.iter().map(|r| Subject::of(&r.run)).collect();
            replayer.replay(&subjects, &tick)
        }
        Asked::Scan { filter, recorded } => {
            let runs = Scan::begin(ledger.readers(threads())?)?;
            bar.set_length(runs.runs);
            scan(runs, (filter, recorded), &replayer, &tick)?
        }
    };
    bar.finish_and_clear();
    let engine = engine_of(&sandbox, args.engine);
    // A ledger named with --ledger is only read.
    let entry = if global.ledger.is_some()
        || verdict.replayed.len() + verdict.failed.len() == 0
        || verdict.interrupted
    {
        None
    } else {
        let payload = Payload::Replay(verdict.payload(&engine, &selection));
        let stamp = context.stamp(None);
        Some(context.writer()?.append(&stamp, &payload)?.seq)
    };
    Ok(done(&verdict, &engine, Chosen::Runs(&selection), entry))
}

/// The runs to compute again.
enum Asked {
    /// These.
    Runs(Vec<Run>),
    /// Those that pass the filter and, if given, are recorded by one of these entries. They may not fit
    /// into memory, so they are scanned.
    Scan {
        filter: RunFilter,
        recorded: Option<BTreeSet<EntryNumber>>,
    },
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Computes the runs of a scan again. Each thread reads its own share.
fn scan(
    scan: Scan,
    (filter, recorded): (&RunFilter, &Option<BTreeSet<EntryNumber>>),
    replayer: &Replayer<'_>,
    tick: &(dyn Fn(usize) + Sync),
) -> Result<ReplayResults, LedgerError> {
    let damaged = |e: Unreadable| LedgerError::Damaged(format!("{}: {}", e.id, e.problem));
    if let Some(e) = scan.unreadable.into_iter().next() {
        return Err(damaged(e));
    }
    let admits = |stored: &ScannedRun| {
        let counts = recorded.as_ref();
        counts.is_none_or(|r| r.contains(&stored.entry)) && filter.admits(&stored.run.key)
    };
    let reader = |mut reader: Reader| {
        move || -> Result<Option<Vec<Subject>>, LedgerError> {
            let Some(RunGroup { runs, unreadable }) = reader.read()? else {
                return Ok(None);
            };
            if let Some(e) = unreadable.into_iter().next() {
                return Err(damaged(e));
            }
            let read = runs.len();
            let counted = runs.into_iter().filter(admits);
            let counted: Vec<Subject> = counted.map(|s| Subject::from(s.run)).collect();
            // Runs that the filters leave out count as done.
            tick(read - counted.len());
            Ok(Some(counted))
        }
    };
    replayer.replay_each(scan.readers.into_iter().map(reader).collect(), tick)
}

/// The runs to replay, and how they were selected.
fn selected(
    context: &Context,
    ledger: &dyn Read,
    args: &ReplayArgs,
) -> Result<(Asked, Selection), CliError> {
    if !args.runs.is_empty() {
        return named(ledger, &args.runs);
    }
    let parse = |d: &Option<String>| d.as_deref().map(|d| day(d, context.today)).transpose();
    let filter = RunFilter {
        boundary_id: args.boundary.clone().map(BoundaryId::unchecked),
        herd_config_id: None,
        from: parse(&args.from)?,
        to: parse(&args.to)?,
        logic: args.logic.clone(),
        configs: None,
    };
    let narrowed = args.since.is_some()
        || args.boundary.is_some()
        || args.logic.is_some()
        || args.from.is_some()
        || args.to.is_some();
    if !args.all && args.sample.is_none() && !narrowed {
        return Err(CliError::usage(
            "which runs? give their ids, --all, --sample N, or a filter such as --since DATE",
        )
        .help("provender list --all-versions shows the runs with their ids"));
    }
    check_names(ledger, args)?;
    let mut selection = Selection {
        since: args.since.clone(),
        boundary: args.boundary.clone().map(BoundaryId::unchecked),
        logic: args.logic.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
        ..Selection::default()
    };
    let recorded = match &args.since {
        Some(since) => Some(recorded_since(ledger, since)?),
        None => None,
    };
    // The index finds a boundary's runs, and they fit into memory.
    if args.sample.is_none() && args.boundary.is_none() {
        return Ok((Asked::Scan { filter, recorded }, selection));
    }
    if let Some(n) = args.sample {
        let seed = match &args.seed {
            Some(seed) => seed.clone(),
            // A ledger without entries has no run to draw.
            None => ledger
                .entry(ledger.head()?)?
                .map(|e| e.digest().to_string())
                .unwrap_or_default(),
        };
        // Without a filter on the key, either all runs of an entry are candidates or none.
        let by_key = [&args.boundary, &args.logic, &args.from, &args.to];
        let by_key = by_key.iter().any(|of| of.is_some());
        let drawn = replay::sample_of(
            ledger,
            by_key.then_some(&filter),
            recorded.as_ref(),
            (provender_domain::column::index(n), &seed),
        )?;
        selection.of = Some(drawn.0);
        selection.sample = Some(n.into());
        selection.seed = Some(seed);
        selection.drawn = Some("by position".to_owned());
        return Ok((Asked::Runs(drawn.1), selection));
    }
    let mut runs = ledger.runs(&filter)?;
    if let Some(recorded) = &recorded {
        runs.retain(|r| recorded.contains(&r.entry));
    }
    Ok((Asked::Runs(runs), selection))
}

/// The runs with these ids, each once.
fn named(ledger: &dyn Read, ids: &[String]) -> Result<(Asked, Selection), CliError> {
    let mut runs: Vec<Run> = Vec::new();
    for id in ids {
        let found = find(ledger, &Wanted::Id(id.clone()))?.run;
        if runs.iter().all(|r| r.run.key != found.run.key) {
            runs.push(found);
        }
    }
    let selection = Selection {
        runs: Some(ids.len() as u64),
        ..Selection::default()
    };
    Ok((Asked::Runs(runs), selection))
}

/// Refuses a boundary or logic of which no run is recorded: it is probably misspelt.
fn check_names(ledger: &dyn Read, args: &ReplayArgs) -> Result<(), CliError> {
    let filter = RunFilter {
        boundary_id: args.boundary.clone().map(BoundaryId::unchecked),
        logic: args.logic.clone(),
        ..RunFilter::default()
    };
    let names = [&args.boundary, &args.logic].into_iter().flatten();
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() || !ledger.extent(&filter)?.is_empty() {
        return Ok(());
    }
    let message = format!("no run of {} is recorded", names.join(" and "));
    Err(CliError::new(Exit::NotFound, "run_not_found", message)
        .help("provender list --all-versions shows what is recorded"))
}

/// The entries written at or after an instant. A day means its beginning.
fn recorded_since(ledger: &dyn Read, since: &str) -> Result<BTreeSet<EntryNumber>, CliError> {
    let since = match since.parse::<provender_domain::day::Day>() {
        Ok(_) => format!("{since}T00:00:00.000000Z"),
        Err(_) => instant(since)?,
    };
    let entries = ledger.entries(None)?.into_iter();
    let later = entries.filter(|e| e.stamp.at >= since);
    Ok(later.map(|e| e.seq).collect())
}

pub(super) fn engine_of(sandbox: &Sandbox, engine: EngineArg) -> Engine {
    let info = sandbox.engine();
    Engine {
        backend: engine.backend().name().to_owned(),
        wasmtime: info.wasmtime.clone(),
        profile: info.profile.to_owned(),
        target: info.target.clone(),
    }
}
