//! `release status`: the active release and what else is in force.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::canary::say;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::day::Day;
use provender_host::deployment::CanaryBench;
use provender_host::release::{Canary, IgnoredSetting, Observed, ReleaseState, running_canary};

use super::ReleaseBrief;

/// What is in force.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseStatusAnswer<'a> {
    /// The canary that is running; null if there is none.
    canary: Option<RunningCanary<'a>>,
    /// The deployment's environment.
    environment: &'a str,
    /// The release in force; null if the deployment's own files are in force.
    active: Option<ReleaseBrief<'a>>,
    /// Since when it is in force: RFC 3339, UTC; null if there is none.
    since: Option<&'a str>,
    /// Who promoted it, or went back to it.
    by: Option<&'a str>,
    /// Why.
    reason: Option<&'a str>,
    /// The freeze of promotions; null if they are not frozen.
    frozen: Option<FrozenPromotions<'a>>,
    /// Number of the release that a rollback would go back to; null if there is none.
    rollback_to: Option<u32>,
    /// Settings of the deployment's files that the release in force overrides.
    ignored: &'a [IgnoredSetting],
}

/// A canary that is running.
#[derive(Serialize, JsonSchema)]
struct RunningCanary<'a> {
    /// The candidate.
    release: Digest,
    /// Its number.
    number: u32,
    /// When it was started: RFC 3339, UTC.
    since: &'a str,
    /// Who started it.
    by: &'a str,
    /// Why; null if no reason was given.
    reason: Option<&'a str>,
    /// Share of the boundaries that take part, in percent.
    share: u32,
    /// The first day.
    from: Day,
    /// Its comparison so far; null if nothing is compared yet or it cannot be evaluated.
    observed: Option<&'a Observed>,
}

/// Who froze promotions, when and why.
#[derive(Serialize, JsonSchema)]
struct FrozenPromotions<'a> {
    /// When: RFC 3339, UTC.
    since: &'a str,
    /// Who.
    by: &'a str,
    /// Why; null if no reason was given.
    reason: Option<&'a str>,
}

pub(super) fn run(global: &Global) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let standing = context.standing()?;
    let environment = &context.project.settings.environment;
    let mut text = Text::default();
    in_force_text(&mut text, standing, environment);
    let ignored = context.ignored()?;
    for i in &ignored {
        text.look(
            Look::Warn,
            format!(
                "ignored: {}: {} is {}; in force is {}",
                i.file, i.key, i.here, i.in_force
            ),
        );
    }
    let canary = running_canary(standing);
    let seen = match &canary {
        None => None,
        Some(canary) => {
            text.blank();
            look(&context, canary, &mut text)
        }
    };
    let change = standing.active();
    let answer = ReleaseStatusAnswer {
        canary: canary.as_ref().map(|c| RunningCanary {
            release: c.release,
            number: c.number,
            since: &c.stamp.at,
            by: &c.stamp.actor,
            reason: c.stamp.reason.as_deref(),
            share: c.share,
            from: c.from,
            observed: seen.as_ref(),
        }),
        environment,
        active: standing
            .active_release()
            .map(|k| ReleaseBrief::of(k, standing)),
        since: change.map(|c| c.stamp.at.as_str()),
        by: change.map(|c| c.stamp.actor.as_str()),
        reason: change.and_then(|c| c.stamp.reason.as_deref()),
        frozen: standing.hold.as_ref().map(|h| FrozenPromotions {
            since: &h.stamp.at,
            by: &h.stamp.actor,
            reason: h.stamp.reason.as_deref(),
        }),
        rollback_to: standing.former().map(|k| k.document.number),
        ignored: &ignored,
    };
    Ok(Done::ok(&answer, text))
}

fn in_force_text(text: &mut Text, standing: &ReleaseState, environment: &str) {
    match standing.active_release() {
        None => text.line(format!(
            "{environment}: no release is active; provender.lock, logic.toml and provender.toml are in force"
        )),
        Some(known) => {
            text.look(Look::Strong, format!("{environment}: {}", standing.text()));
            text.line(format!("  {}", known.digest));
            text.line(format!("  answers: {}", known.document.active.join(", ")));
        }
    }
    if let Some(hold) = &standing.hold {
        text.look(
            Look::Warn,
            format!(
                "promotions have been frozen since {} by {}: {}",
                hold.stamp.at,
                hold.stamp.actor,
                hold.stamp.reason.as_deref().unwrap_or_default()
            ),
        );
    }
    if let Some(former) = standing.former() {
        text.line(format!(
            "a rollback would go back to {}",
            former.document.name()
        ));
    }
}

/// The running canary's comparison. If it cannot be evaluated, the rest of the status is still shown.
fn look(context: &Context, canary: &Canary, text: &mut Text) -> Option<Observed> {
    let compared = || -> Result<Option<Observed>, CliError> {
        let (sandbox, manifests) = (context.sandbox()?, context.manifests()?);
        let bench = CanaryBench {
            sandbox: &sandbox,
            manifests: &manifests,
        };
        Ok(context.observed(bench, &*context.reader()?, &canary.release, None)?)
    };
    match compared() {
        Ok(seen) => {
            if let Some(seen) = &seen {
                say(text, seen);
            }
            seen
        }
        Err(e) => {
            text.look(
                Look::Bad,
                format!(
                    "the canary of R{} has been running since {} but cannot be evaluated: {}",
                    canary.number, canary.stamp.at, e.message
                ),
            );
            None
        }
    }
}
