//! `release status`: what is in force now.

use serde_json::json;

use crate::Global;
use crate::canary::say;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::deployment::canary::Bench;
use provender_host::release::canary::{Canary, Observed, running};

use super::brief;

pub(super) fn run(global: &Global) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let standing = context.standing()?;
    let environment = &context.project.settings.environment;
    let mut text = Text::default();
    let active = standing.active_release();
    match active {
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
                "promotions are frozen since {} by {}: {}",
                hold.stamp.at,
                hold.stamp.actor,
                hold.stamp.reason.as_deref().unwrap_or_default()
            ),
        );
    }
    if let Some(former) = standing.former() {
        text.line(format!(
            "a rollback goes back to {}",
            former.document.name()
        ));
    }
    let ignored = context.ignored()?;
    for i in &ignored {
        text.look(
            Look::Warn,
            format!(
                "not obeyed: {}: {} is {}; in force is {}",
                i.file, i.key, i.here, i.in_force
            ),
        );
    }
    let canary = running(standing)?;
    let seen = match &canary {
        None => None,
        Some(canary) => {
            text.blank();
            look(&context, canary, &mut text)
        }
    };
    let data = json!({
        "canary": canary.as_ref().map(|c| json!({
            "release": c.release.to_string(),
            "number": c.number,
            "since": c.stamp.at,
            "by": c.stamp.actor,
            "reason": c.stamp.reason,
            "share": c.share,
            "from": c.from.to_string(),
            "observed": seen.as_ref().map(Observed::to_json),
        })),
        "environment": environment,
        "active": active.map(|k| brief(k, standing)),
        "since": standing.active().map(|c| &c.stamp.at),
        "by": standing.active().map(|c| &c.stamp.actor),
        "reason": standing.active().map(|c| &c.stamp.reason),
        "frozen": standing.hold.as_ref().map(|h| json!({"since": h.stamp.at, "by": h.stamp.actor, "reason": h.stamp.reason})),
        "rollback_to": standing.former().map(|k| k.document.number),
        "ignored": ignored,
    });
    Ok(Done::raw(data, text))
}

/// What the running canary came to. That it cannot be looked at does not hide how things stand.
fn look(context: &Context, canary: &Canary, text: &mut Text) -> Option<Observed> {
    let came = || -> Result<Option<Observed>, CliError> {
        let (sandbox, manifests) = (context.sandbox()?, context.manifests()?);
        let bench = Bench {
            sandbox: &sandbox,
            manifests: &manifests,
        };
        Ok(context.observed(bench, &*context.reader()?, &canary.release, None)?)
    };
    match came() {
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
                    "the canary of R{} is running since {} and cannot be looked at: {}",
                    canary.number, canary.stamp.at, e.message
                ),
            );
            None
        }
    }
}
