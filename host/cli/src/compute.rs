//! `compute`: due runs, computed and recorded.
//!
//! * `which`: places and days, as the command line says them

mod which;

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value as Json, json};

use provender_domain::day::Day;
use provender_domain::key::NO_HERD;
use provender_domain::render::text::count;
use provender_host::compute::activation::activate;
use provender_host::compute::bulk::Stretch;
use provender_host::compute::engine::{CHUNK, Engine, Policy};
use provender_host::compute::freeze::hold;
use provender_host::compute::outcome::{RunOutcome, Summary};
use provender_host::compute::select::{Selection, by_day, stretches};
use provender_host::compute::{Bound, Facts};
use provender_ledger::Write;
use provender_sandbox::{Lock, Sandbox};
use provender_store::manifest::Store;

use super::asking::instant;
use super::context::Context;
use super::error::{CliError, trouble_exit};
use super::exit::Exit;
use super::trouble::trouble;
use super::ui::{Done, Look, Text};
use super::{Global, table};
use provender_host::deployment::pin;

pub(super) use which::{Which, day};

/// Compute runs and record them.
///
/// Known runs with the same inputs are unchanged; known runs with other inputs are drift and
/// refused (exit 10), while the other runs of the batch are recorded.
///
/// Example: provender compute --all --as-of 2025-06-30
#[derive(Args)]
pub(super) struct ComputeArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Logic to compute, as name:version; else every active one. May be repeated.
    #[arg(long, value_name = "NAME:VERSION")]
    logic: Vec<String>,
    /// A parameter for this command alone; such a run is never an answer. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Compute from what was known at this instant (RFC 3339, or a day).
    #[arg(long, value_name = "INSTANT")]
    known_at: Option<String>,
    /// Compute and show, record nothing.
    #[arg(long)]
    dry_run: bool,
    /// Run the component again for recorded runs, instead of trusting the record.
    #[arg(long)]
    recheck: bool,
    /// List every run, also of large ranges.
    #[arg(long)]
    runs: bool,
}

/// More runs than this are summed up instead of listed.
const LIST_MAX: usize = 1_000;

/// What computing several logics gave.
pub(super) struct Computed {
    /// Each logic with the runs that are listed.
    pub(super) logics: Vec<(Bound, Vec<RunOutcome>)>,
    pub(super) summary: Summary,
    pub(super) exits: Vec<Exit>,
    /// Whether runs without trouble were left out of the lists.
    pub(super) abridged: bool,
    /// Whether nothing was written.
    pub(super) dry_run: bool,
}

/// Everything that computing needs, opened once.
pub(super) struct Workshop {
    pub(super) sandbox: Sandbox,
    pub(super) lock: Lock,
    pub(super) manifests: Store,
}

impl Workshop {
    pub(super) fn open(context: &Context) -> Result<Workshop, CliError> {
        Ok(Workshop {
            sandbox: context.sandbox()?,
            lock: context.pins()?,
            manifests: context.manifests()?,
        })
    }
}

pub(super) fn run(global: &Global, args: &ComputeArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let selection = args.which.selection(args.which.days(context.today)?)?;
    let one_off = parameters(&args.param)?;
    if !one_off.is_empty() && args.logic.len() != 1 && context.logics(&args.logic)?.len() != 1 {
        return Err(CliError::usage(
            "--param needs one --logic NAME:VERSION: it is that logic's parameter",
        ));
    }
    let shop = Workshop::open(&context)?;
    // A dry run looks, also where nothing can be written.
    let ledger = match args.dry_run {
        true => context.reader()?,
        false => context.writer()?,
    };
    let (boundary, herd) = (selection.boundary.as_deref(), selection.herd.as_deref());
    let known_at = args.known_at.as_deref().map(instant).transpose()?;
    let facts = context.facts_of(&ledger, known_at.as_deref(), boundary, herd)?;
    let mut bounds = Vec::new();
    for logic in context.logics(&args.logic)? {
        bounds.push(context.bind(&shop.sandbox, &shop.lock, &logic, &one_off)?);
    }
    let asked = !args.logic.is_empty();
    let policy = policy(&context, &shop, asked, args.recheck)?;
    let work = work(&facts, bounds, &selection, (asked, args.runs))?;
    let recording = (!args.dry_run).then_some(&ledger as &dyn Write);
    let computed = record(&context, &shop, recording, &facts, work, &policy)?;
    let ignored = context.tell_ignored()?;
    let mut done = done(computed);
    done.data["ignored"] = ignored;
    Ok(done)
}

pub(super) fn policy(
    context: &Context,
    shop: &Workshop,
    asked: bool,
    recheck: bool,
) -> Result<Policy, CliError> {
    Ok(Policy {
        on_guardrail: context.on_guardrail()?,
        release: context.release()?.map(|r| r.digest),
        recheck,
        origin: if asked { "version" } else { "answers" }.to_owned(),
        stamp: context.stamp(None),
        environment: context.environment(&shop.sandbox),
        pack_from: context.project.settings.manifests.pack_from(),
    })
}

/// The runs that a command asks for, by logic.
struct Work {
    logics: Vec<(Bound, Vec<Stretch>)>,
    /// The first of the days asked for.
    from: Day,
    /// Whether every run is told.
    list: bool,
    /// How many there are.
    total: usize,
}

/// What of a selection every bound logic computes.
fn work(
    facts: &Facts<'_>,
    bounds: Vec<Bound>,
    selection: &Selection,
    (asked, list_all): (bool, bool),
) -> Result<Work, CliError> {
    let mut logics = Vec::new();
    for bound in bounds {
        // A herd named on the command line asks for the logics that read herds.
        let other_herd = selection.herd.as_deref().is_some_and(|h| h != NO_HERD);
        if !asked && other_herd && !bound.reads_herd {
            continue;
        }
        let stretches = stretches(facts, bound.reads_herd, selection)?;
        logics.push((bound, stretches));
    }
    let days = |stretches: &[Stretch]| stretches.iter().map(Stretch::days).sum::<usize>();
    let total = logics.iter().map(|(_, s)| days(s)).sum();
    Ok(Work {
        logics,
        from: selection.from,
        list: list_all || total <= LIST_MAX,
        total,
    })
}

/// Computes every run of a selection that the answers need.
pub(super) fn compute(
    context: &Context,
    shop: &Workshop,
    ledger: &dyn Write,
    facts: &Facts<'_>,
    bounds: Vec<Bound>,
    selection: &Selection,
    policy: &Policy,
) -> Result<Computed, CliError> {
    let work = work(facts, bounds, selection, (false, false))?;
    record(context, shop, Some(ledger), facts, work, policy)
}

/// Computes and records, or says what would be recorded where there is no ledger to write. An active logic
/// that was not asked for by name answers from here on.
fn record(
    context: &Context,
    shop: &Workshop,
    ledger: Option<&dyn Write>,
    facts: &Facts<'_>,
    work: Work,
    policy: &Policy,
) -> Result<Computed, CliError> {
    let _phase = tracing::info_span!(target: "provender::phase", "compute").entered();
    let bar = context.ui.progress(work.total as u64, "computing");
    let mut computed = Computed {
        logics: Vec::new(),
        summary: Summary::default(),
        exits: Vec::new(),
        abridged: !work.list,
        dry_run: ledger.is_none(),
    };
    for (bound, stretches) in work.logics {
        // Under a release its promotion says what answers.
        let is_active =
            context.release()?.is_none() && context.active()?.contains(&bound.model_version);
        if let Some(ledger) = ledger.filter(|_| !stretches.is_empty()) {
            let pin = pin(&shop.lock, &bound.model_version)?;
            hold(ledger, pin, &policy.stamp)?;
            if is_active && !bound.one_off {
                activate(ledger, &bound, work.from, &policy.stamp)?;
            }
        }
        let mut policy = policy.clone();
        if bound.one_off {
            policy.origin = "one-off".to_owned();
        }
        let mut engine = Engine {
            facts,
            ledger,
            manifests: &shop.manifests,
            policy: &policy,
        };
        let mut kept = Vec::new();
        if work.list {
            // By day, as people read them.
            for chunk in by_day(&stretches).chunks(CHUNK) {
                for outcome in engine.chunk(&bound, chunk)? {
                    computed.summary.count(outcome.outcome);
                    kept.push(outcome);
                }
                bar.inc(chunk.len() as u64);
            }
        } else {
            // By place, as the ledger keeps them. A thread of its own records, through a handle of its own.
            let mut apart = ledger.map(|_| context.writer()).transpose()?;
            let apart = apart.as_mut().map(|apart| apart as &mut dyn Write);
            engine.stretches(&bound, &stretches, apart, &mut |done| {
                computed.summary.add(done.summary);
                bar.inc(done.summary.total());
                kept.extend(done.troubled);
            })?;
            kept.sort_by(|a, b| {
                let (a, b) = (&a.key, &b.key);
                let places = || {
                    (&a.boundary_id, &a.herd_config_id).cmp(&(&b.boundary_id, &b.herd_config_id))
                };
                a.calculation_date
                    .cmp(&b.calculation_date)
                    .then_with(places)
            });
        }
        let troubles = kept.iter().filter_map(|o| o.problem.as_ref());
        computed
            .exits
            .extend(troubles.map(|p| trouble_exit(p.trouble)));
        computed.logics.push((bound, kept));
    }
    bar.finish_and_clear();
    Ok(computed)
}

pub(super) fn parameters(given: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    given
        .iter()
        .map(|p| match p.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(CliError::usage(format!(
                "--param {p}: write NAME=VALUE, such as max_days_remaining=200"
            ))),
        })
        .collect()
}

fn done(computed: Computed) -> Done {
    let mut text = Text::default();
    if computed.dry_run {
        text.look(Look::Warn, "dry run: nothing is recorded");
    }
    say(&mut text, &computed);
    let exit = Exit::worst(computed.exits.iter().copied());
    let mut data = json!({"summary": computed.summary, "dry_run": computed.dry_run});
    if !computed.abridged {
        data["runs"] = runs_json(&computed);
    } else if computed.logics.iter().any(|(_, kept)| !kept.is_empty()) {
        data["refused"] = runs_json(&computed);
    }
    Done {
        exit,
        data,
        text,
        error: trouble(&computed),
    }
}

pub(super) fn runs_json(computed: &Computed) -> Json {
    let runs = computed
        .logics
        .iter()
        .flat_map(|(b, runs)| runs.iter().map(|r| r.to_json(b.description())));
    Json::Array(runs.collect())
}

/// Tables of runs, and what became of them all.
pub(super) fn say(text: &mut Text, computed: &Computed) {
    for (bound, runs) in &computed.logics {
        let component = bound.component.digest().short();
        text.look(
            Look::Strong,
            format!(
                "{} (component {component}, config {})",
                bound.model_version,
                bound.config.digest.short()
            ),
        );
        if runs.is_empty() {
            text.line(if computed.abridged {
                "  no trouble"
            } else {
                "  nothing is due"
            });
        } else {
            let runs: Vec<&RunOutcome> = runs.iter().collect();
            table::runs(text, bound.description(), &runs, computed.dry_run);
        }
        text.blank();
    }
    let s = computed.summary;
    let look = if s.drift + s.failed > 0 {
        Look::Bad
    } else {
        Look::Good
    };
    text.look(
        look,
        format!(
            "{}: {} {}, {} unchanged, {} drift, {} failed",
            count(s.total(), "run"),
            s.recorded,
            table::recorded(computed.dry_run),
            s.unchanged,
            s.drift,
            s.failed
        ),
    );
}
