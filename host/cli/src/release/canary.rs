//! `release canary R` and `release canary stop`.

use clap::{Args, Subcommand};
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::canary::{say, say_shadow};
use crate::compute::day;
use crate::context::Context;
use crate::error::CliError;
use crate::progress::Bars;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_host::deployment::{CanaryBench, CanaryCandidate, Shadow, both_sides};
use provender_host::release::{
    CanaryRequest, Observed, ReleaseError, ReleaseState, Reported, Sides, StartedCanary,
    running_canary, start_canary, stop_canary as stop_it,
};

use super::{name_of, named, reason};

/// Run a release in shadow beside the active one, and compare their answers.
///
/// It first computes the days of the window, then takes part in every daily `run`. Its runs are recorded,
/// but become answers only when the release is promoted. To continue an interrupted back-fill, run the
/// same command again. `release status` shows the differences day by day.
///
/// Example: provender release canary R2 --window-days 14 --share 50
///
/// Example: provender release canary stop --reason "seen enough"
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct CanaryArgs {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The release: R3, 3, or the beginning of its digest.
    #[arg(required = true)]
    release: Option<String>,
    /// Days of the back-fill, the last one included. Default: provender.toml.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=366))]
    window_days: Option<u32>,
    /// Percent of the boundaries to compute. A hash of the id chooses them, so they are the same every day.
    /// Default: 100.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    share: Option<u32>,
    /// Last day of the back-fill. Default: today.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Why. It is recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// End the running canary and record its result as evidence of the release.
    ///
    /// Example: provender release canary stop --reason "14 days without a shift"
    Stop(StopArgs),
}

#[derive(Args)]
struct StopArgs {
    /// Why. It is recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// A canary that computes in shadow.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseCanaryAnswer<'a> {
    /// The candidate.
    release: Digest,
    /// Its number.
    number: u32,
    /// The active release that it is compared with.
    against: Digest,
    /// Its number.
    against_number: u32,
    /// False if the canary was already running.
    new: bool,
    /// The entry that started it.
    entry: EntryNumber,
    /// Share of the boundaries that take part, in percent.
    share: u32,
    /// The first day.
    from: Day,
    /// The last day that was computed now.
    to: Day,
    /// What was computed in shadow now.
    backfill: &'a Shadow,
    /// Its comparison so far; null if nothing is compared yet.
    observed: Option<&'a Observed>,
}

/// A canary that was stopped.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseCanaryStopAnswer<'a> {
    /// The candidate.
    release: Digest,
    /// Its number.
    number: u32,
    /// The entry that stopped it.
    entry: EntryNumber,
    /// Why.
    reason: &'a str,
    /// Its comparison; null if it could not be evaluated.
    observed: Option<Observed>,
}

pub(super) fn run(global: &Global, args: &CanaryArgs) -> Result<Done, CliError> {
    match (&args.verb, &args.release) {
        (Some(Verb::Stop(a)), _) => stop(global, a),
        (None, Some(release)) => begin(global, args, release),
        // clap requires one of them.
        (None, None) => Err(CliError::usage(
            "which release? give R3, 3, or the beginning of its digest",
        )),
    }
}

fn begin(global: &Global, args: &CanaryArgs, release: &str) -> Result<Done, CliError> {
    let why = args.reason.as_deref().map(reason).transpose()?;
    let context = Context::open(global)?;
    let as_of = match &args.as_of {
        Some(text) => day(text, context.today)?,
        None => context.today,
    };
    let writer = context.writer()?;
    let (store, sandbox) = (context.store()?, context.sandbox()?);
    let request = CanaryRequest {
        release,
        window_days: args.window_days,
        share: args.share,
        default_days: context.project.settings.canary.window_days,
        as_of,
    };
    let mut sides = Sides::default();
    let started = start_canary(
        &*writer,
        &store,
        &request,
        &context.stamp(why),
        &mut |candidate, active| {
            sides = Sides::bind(&sandbox, &store, &active.document, &candidate.document)?;
            Ok(())
        },
    )?;
    let canary = &started.canary;
    let manifests = context.manifests()?;
    let reader = context.reader()?;
    let facts = context.facts(&*reader, None)?;
    let bench = CanaryBench {
        sandbox: &sandbox,
        manifests: &manifests,
    };
    let candidate = CanaryCandidate {
        canary,
        release: &started.release,
        sides: &sides,
    };
    // The canary has no days before its first one.
    let days = canary.from..=as_of.max(canary.as_of);
    let bars = &mut Bars::new(context.ui);
    let filled = context.shadow(bench, &*writer, &facts, candidate, &days, bars)?;
    let seen = context.observed(bench, &*writer, &canary.release, None)?;
    let text = begun(&started, &filled, seen.as_ref());
    let answer = ReleaseCanaryAnswer {
        release: canary.release,
        number: canary.number,
        against: started.against.digest,
        against_number: started.against.document.number,
        new: started.new,
        entry: canary.entry,
        share: canary.share,
        from: canary.from,
        to: *days.end(),
        backfill: &filled,
        observed: seen.as_ref(),
    };
    Ok(Done::ok(&answer, text))
}

fn begun(started: &StartedCanary, filled: &Shadow, seen: Option<&Observed>) -> Text {
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!(
            "{} computes in shadow beside {}{}",
            name_of(&started.release),
            name_of(&started.against),
            if started.new { "" } else { ", as before" }
        ),
    );
    say_shadow(filled, &mut text);
    text.blank();
    if let Some(seen) = seen {
        say(&mut text, seen);
    }
    text.blank();
    text.line("it continues with every daily `provender run`; `provender release canary stop --reason …` ends it");
    text
}

fn stop(global: &Global, args: &StopArgs) -> Result<Done, CliError> {
    let why = reason(&args.reason)?;
    let context = Context::open(global)?;
    let writer = context.writer()?;
    let standing = ReleaseState::read(&*writer, EntryNumber::LATEST)?;
    // A canary can be stopped even if its files are lost; it then leaves no evidence.
    let seen = match running_canary(&standing) {
        None => Ok(None),
        Some(canary) => both_sides(&standing, &canary).and_then(|_| {
            let (sandbox, manifests) = (context.sandbox()?, context.manifests()?);
            let bench = CanaryBench {
                sandbox: &sandbox,
                manifests: &manifests,
            };
            context.observed(bench, &*writer, &canary.release, None)
        }),
    };
    let found = seen
        .as_ref()
        .ok()
        .and_then(Option::as_ref)
        .map(Observed::reported)
        .transpose()
        .map_err(ReleaseError::from)?;
    let environment = &context.project.settings.environment;
    let stamp = context.stamp(Some(why));
    let (canary, entry) = stop_it(&*writer, found.as_ref(), environment, &stamp)?;
    let mut text = Text::default();
    text.look(
        Look::Good,
        format!(
            "the canary of {} is stopped",
            named(canary.number, &canary.release)
        ),
    );
    match (found.as_ref().map(Reported::finding), &seen) {
        (Some(f), _) => text.line(format!(
            "  recorded as evidence: {}, {}",
            f.verdict, f.summary
        )),
        (None, Err(e)) => text.look(
            Look::Warn,
            format!(
                "  no evidence is recorded, because the canary could not be evaluated: {}",
                e
            ),
        ),
        (None, Ok(_)) => {}
    }
    let answer = ReleaseCanaryStopAnswer {
        release: canary.release,
        number: canary.number,
        entry,
        reason: why,
        observed: seen.ok().flatten(),
    };
    Ok(Done::ok(&answer, text))
}
