//! `release promote` and `release rollback`.

use clap::Args;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::compute::day;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_host::project::CanarySettings;
use provender_host::release::{
    self, CanaryContext, EndedCanary, KnownRelease, Moved, Observed, PromoteRequest, ReleaseError,
    ReleaseState, ReleaseStore, Reported, observed,
};
use provender_ledger::Read;
use provender_ledger::entries::CheckVerdict;
use provender_sandbox::Sandbox;
use provender_store::manifest::Store;

use super::{name_of, reason};

/// Make a release the active one, with a single ledger entry.
///
/// If the environment's policy requires a gate ([gate.ENVIRONMENT] in provender.toml; staging and prod do),
/// the release needs a decision of `release gate` that lets it pass. The decision must have been made under
/// this policy, against the release that is active now, and not too long ago.
///
/// Exits 12 if promotions are frozen, the gate refuses, or the active release is not the one of --expect.
///
/// Example: provender release promote R2 --expect R1 --reason "canary of 14 days without a shift"
#[derive(Args)]
pub(crate) struct PromoteArgs {
    /// The release: R3, 3, or the beginning of its digest.
    release: String,
    /// Why. It is recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Promote only if this release is active (`none`: if no release is), so that you do not undo a promotion
    /// that you have not seen.
    #[arg(long, value_name = "CURRENT")]
    expect: Option<String>,
    /// Promote even if the gate refuses. The reason is recorded.
    #[arg(long = "override", value_name = "REASON")]
    overriding: Option<String>,
    /// First calculation date that the release answers for. Default: today.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
}

/// Go back to an earlier release and its configuration in one step. Works while promotions are frozen.
///
/// Example: provender release rollback --reason "numbers of the north pastures jumped"
#[derive(Args)]
pub(crate) struct RollbackArgs {
    /// The release to go back to. Default: the one that was active before.
    #[arg(long, value_name = "R")]
    to: Option<String>,
    /// Why. It is recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// The release that is in force now.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleasePromoteAnswer<'a> {
    /// Its digest.
    release: Digest,
    /// Its number.
    number: u32,
    /// The release that was in force before; null for the first one.
    previous: Option<Digest>,
    /// Its number.
    previous_number: Option<u32>,
    /// The deployment's environment.
    environment: &'a str,
    /// False if it was already in force.
    changed: bool,
    /// The entry of the promotion or rollback; null if it was already in force.
    entry: Option<EntryNumber>,
    /// The first calculation date that it answers for.
    from: Day,
    /// Why.
    reason: &'a str,
    /// The canary that the promotion ended; null if there was none.
    canary: Option<EndedCanaryAnswer<'a>>,
}

/// A canary that ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EndedCanary")]
struct EndedCanaryAnswer<'a> {
    /// The entry that started it.
    canary: EntryNumber,
    /// Its verdict, as recorded in the evidence; null if `problem` says why there is none.
    verdict: Option<CheckVerdict>,
    /// The same in a sentence.
    summary: Option<&'a str>,
    /// Digest of the full report.
    report: Option<Digest>,
    /// Why it could not be evaluated; null if it was.
    problem: Option<&'a str>,
}

pub(super) fn promote(global: &Global, args: &PromoteArgs) -> Result<Done, CliError> {
    let why = reason(&args.reason)?;
    let overriding = args.overriding.as_deref().map(reason).transpose()?;
    let context = Context::open_record(global)?;
    let from = match &args.from {
        Some(text) => day(text, context.today)?,
        None => context.today,
    };
    let store = context.store()?;
    let environment = &context.project.settings.environment;
    let policy = context.project.settings.policy(environment);
    let digest = super::gate::digest(&context, environment, &policy)?;
    let request = PromoteRequest {
        release: &args.release,
        expect: args.expect.as_deref(),
        overriding,
        environment,
        policy: (&policy, digest),
        today: context.today,
        from,
    };
    let moved = release::promote(
        &*context.writer()?,
        &store,
        &request,
        &context.stamp(Some(why)),
        &mut Here {
            sandbox: &context.sandbox()?,
            store: &store,
            manifests: &context.manifests()?,
            policy: &context.project.settings.canary,
        },
    )?;
    if !policy.required && moved.entry.is_some() {
        context.ui.note(&format!(
            "the environment {environment} requires no gate; to require one, set `required = true` in [gate.{environment}] of provender.toml"
        ));
    }
    Ok(done(&context, &moved, why, from, false))
}

pub(super) fn rollback(global: &Global, args: &RollbackArgs) -> Result<Done, CliError> {
    let why = reason(&args.reason)?;
    let context = Context::open_record(global)?;
    let moved = release::rollback(
        &*context.writer()?,
        &context.store()?,
        args.to.as_deref(),
        context.today,
        &context.stamp(Some(why)),
    )?;
    Ok(done(&context, &moved, why, context.today, true))
}

/// What a promotion checks in this deployment.
struct Here<'a> {
    sandbox: &'a Sandbox,
    store: &'a ReleaseStore,
    manifests: &'a Store,
    policy: &'a CanarySettings,
}

impl release::PromoteLook for Here<'_> {
    /// Its active versions load in this program and bind to the configuration that they were cut with.
    fn runs_here(&mut self, known: &KnownRelease) -> Result<(), ReleaseError> {
        for model in &known.document.active {
            release::bind_release(self.sandbox, self.store, &known.document, model)?;
        }
        Ok(())
    }

    fn canary(
        &mut self,
        ledger: &dyn Read,
        standing: &ReleaseState,
        release: &Digest,
    ) -> Result<Option<Reported>, ReleaseError> {
        let scene = CanaryContext {
            ledger,
            manifests: self.manifests,
            sandbox: self.sandbox,
            store: self.store,
            standing,
            policy: self.policy,
        };
        let seen = observed(scene, release, None)?;
        Ok(seen.as_ref().map(Observed::reported).transpose()?)
    }
}

fn done(context: &Context, moved: &Moved, why: &str, from: Day, back: bool) -> Done {
    let mut text = Text::default();
    let environment = &context.project.settings.environment;
    let name = name_of(&moved.release);
    match (moved.entry, back) {
        (None, _) => text.line(format!("unchanged: {name} is active in {environment}")),
        (Some(_), false) => text.look(
            Look::Good,
            format!("{name} is active in {environment} from {from} on"),
        ),
        (Some(_), true) => text.look(
            Look::Good,
            format!("{name} is active in {environment} again"),
        ),
    }
    if moved.entry.is_some() {
        match &moved.before {
            Some(before) => text.line(format!("  replaces {}", name_of(before))),
            None => text.line(
                "  this is the first release: from now on only its pins and its configuration are in force",
            ),
        }
        text.line(format!(
            "  answers: {}",
            moved.release.document.active.join(", ")
        ));
        text.line(format!("  reason: {why}"));
        if let Some(ended) = &moved.canary {
            say_canary(&mut text, ended);
        }
        text.line(match back {
            false => "next: `provender run` computes its answers; `provender release rollback --reason TEXT` goes back",
            true => "next: `provender run` uses it; runs that it recorded before are not computed again",
        });
    }
    let answer = ReleasePromoteAnswer {
        release: moved.release.digest,
        number: moved.release.document.number,
        previous: moved.before.as_ref().map(|b| b.digest),
        previous_number: moved.before.as_ref().map(|b| b.document.number),
        environment,
        changed: moved.entry.is_some(),
        entry: moved.entry,
        from,
        reason: why,
        canary: moved.canary.as_ref().map(canary_answer),
    };
    Done::ok(&answer, text)
}

fn say_canary(text: &mut Text, ended: &EndedCanary) {
    match ended.found.as_ref().map(Reported::finding) {
        Ok(f) => text.line(format!(
            "  its canary ends, recorded as evidence: {}, {}",
            f.verdict, f.summary
        )),
        Err(why) => text.look(
            Look::Warn,
            format!("  its canary ends without evidence, because it could not be evaluated: {why}"),
        ),
    }
}

fn canary_answer(ended: &EndedCanary) -> EndedCanaryAnswer<'_> {
    let finding = ended.found.as_ref().map(Reported::finding);
    let found = finding.ok();
    EndedCanaryAnswer {
        canary: ended.canary.entry,
        verdict: found.map(|f| f.verdict),
        summary: found.map(|f| f.summary.as_str()),
        report: found.and_then(|f| f.report),
        problem: finding.err().map(String::as_str),
    }
}
