//! `release status`: what is in force now.

use serde_json::json;

use crate::cli::Global;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::ui::{Done, Look, Text};
use crate::release::reading::Ignored;

use super::brief;

pub(super) fn run(global: &Global) -> Result<Done, CliError> {
    let context = Context::open_apart(global)?;
    let standing = context.standing()?;
    let environment = &context.project.settings.environment;
    let mut text = Text::default();
    let active = standing.active_release();
    match active {
        None => text.line(format!(
            "{environment}: no release is active; provender.lock, logic.toml and provender.toml are in force"
        )),
        Some(known) => {
            text.look(Look::Strong, format!("{environment}: {}", standing.told()));
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
    let data = json!({
        "environment": environment,
        "active": active.map(|k| brief(k, standing)),
        "since": standing.active().map(|c| &c.stamp.at),
        "by": standing.active().map(|c| &c.stamp.actor),
        "reason": standing.active().map(|c| &c.stamp.reason),
        "frozen": standing.hold.as_ref().map(|h| json!({"since": h.stamp.at, "by": h.stamp.actor, "reason": h.stamp.reason})),
        "rollback_to": standing.former().map(|k| k.document.number),
        "ignored": ignored.iter().map(Ignored::to_json).collect::<Vec<_>>(),
    });
    Ok(Done::ok(data, text))
}
