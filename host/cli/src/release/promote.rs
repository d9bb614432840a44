//! `release promote` and `release rollback`.

use clap::Args;
use serde_json::{Value as Json, json};

use crate::Global;
use crate::compute::day;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_host::project::canary::CanarySettings;
use provender_host::release::canary::{CanaryContext, Observed, observed};
use provender_host::release::evidence::Reported;
use provender_host::release::promote::{EndedCanary, Moved, Request};
use provender_host::release::state::{Known, ReleaseState};
use provender_host::release::{ReleaseError, ReleaseStore, promote as room, reading};
use provender_ledger::Read;
use provender_sandbox::Sandbox;
use provender_store::manifest::Store;

use super::{name_of, reason};

/// Make a release answer from now on: one entry, all or nothing.
///
/// Where the environment's policy asks for a gate ([gate.ENVIRONMENT] in provender.toml; staging and
/// prod do), a decision that lets the release in must stand: made under this policy, beside the
/// release that is active now, and not too long ago.
///
/// Exit 12 when promotions are frozen, a gate refuses, or what is active is not what --expect says.
///
/// Example: provender release promote R2 --expect R1 --reason "canary of 14 days without a shift"
#[derive(Args)]
pub(crate) struct PromoteArgs {
    /// The release: R3, 3, or the beginning of its digest.
    release: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Only while this release is active (`none`: while none is), so that nobody is overtaken.
    #[arg(long, value_name = "CURRENT")]
    expect: Option<String>,
    /// Promote although the gate refuses; the reason is recorded.
    #[arg(long = "override", value_name = "REASON")]
    overriding: Option<String>,
    /// First calculation date it answers for; else today.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
}

/// Go back to a former release, with its configuration: one step, also while promotions are frozen.
///
/// Example: provender release rollback --reason "numbers of the north pastures jumped"
#[derive(Args)]
pub(crate) struct RollbackArgs {
    /// The release to go back to; else the one that was active before.
    #[arg(long, value_name = "R")]
    to: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
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
    let request = Request {
        release: &args.release,
        expect: args.expect.as_deref(),
        overriding,
        environment,
        policy: (&policy, digest),
        today: context.today,
        from,
    };
    let moved = room::promote(
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
            "no gate is asked for in the environment {environment}; [gate.{environment}] required = true in provender.toml asks for one"
        ));
    }
    Ok(done(&context, &moved, why, from, false))
}

pub(super) fn rollback(global: &Global, args: &RollbackArgs) -> Result<Done, CliError> {
    let why = reason(&args.reason)?;
    let context = Context::open_record(global)?;
    let moved = room::rollback(
        &*context.writer()?,
        &context.store()?,
        args.to.as_deref(),
        context.today,
        &context.stamp(Some(why)),
    )?;
    Ok(done(&context, &moved, why, context.today, true))
}

/// What a promotion looks at in this deployment.
struct Here<'a> {
    sandbox: &'a Sandbox,
    store: &'a ReleaseStore,
    manifests: &'a Store,
    policy: &'a CanarySettings,
}

impl room::Look for Here<'_> {
    /// What is to answer loads in this program and binds to the configuration it was cut with.
    fn runs_here(&mut self, known: &Known) -> Result<(), ReleaseError> {
        for model in &known.document.active {
            reading::bind(self.sandbox, self.store, &known.document, model)?;
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
            Some(before) => text.line(format!("  in the place of {}", name_of(before))),
            None => text.line(
                "  the first one: from now on its pins and its configuration alone are in force",
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
            true => "next: `provender run` answers by it; what it recorded before is not computed again",
        });
    }
    let data = json!({
        "release": moved.release.digest.to_string(),
        "number": moved.release.document.number,
        "previous": moved.before.as_ref().map(|b| b.digest.to_string()),
        "previous_number": moved.before.as_ref().map(|b| b.document.number),
        "environment": environment,
        "changed": moved.entry.is_some(),
        "entry": moved.entry,
        "from": from.to_string(),
        "reason": why,
        "canary": moved.canary.as_ref().map(canary_json),
    });
    Done::raw(data, text)
}

fn say_canary(text: &mut Text, ended: &EndedCanary) {
    match ended.found.as_ref().map(Reported::finding) {
        Ok(f) => text.line(format!(
            "  its canary ends, recorded as evidence: {}, {}",
            f.verdict, f.summary
        )),
        Err(why) => text.look(
            Look::Warn,
            format!("  its canary ends without evidence, as it could not be looked at: {why}"),
        ),
    }
}

fn canary_json(ended: &EndedCanary) -> Json {
    let finding = ended.found.as_ref().map(Reported::finding);
    json!({
        "canary": ended.canary.entry,
        "verdict": finding.ok().map(|f| &f.verdict),
        "summary": finding.ok().map(|f| &f.summary),
        "report": finding.ok().and_then(|f| f.report).map(|d| d.to_string()),
        "problem": finding.err(),
    })
}
