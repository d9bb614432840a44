//! `plugin list`: the pinned components.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_sandbox::{Pin, PinState};

use super::pinning::PinAnswer;

/// What is pinned.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PluginListAnswer {
    /// The pins of provender.lock, in its order.
    components: Vec<ListedPin>,
}

/// A pin, and whether it is active.
#[derive(Serialize, JsonSchema)]
struct ListedPin {
    #[serde(flatten)]
    pin: PinAnswer,
    /// Whether it is active.
    active: bool,
}

pub(super) fn list(context: &Context) -> Result<Done, CliError> {
    let lock = context.lock()?;
    let active = context.active()?;
    let plain = |s: String| (Look::Plain, s);
    let rows: Vec<_> = lock
        .components()
        .iter()
        .map(|p| {
            let state = if active.contains(&p.model_version()) {
                "active"
            } else {
                ""
            };
            vec![
                (Look::Strong, p.model_version().into()),
                plain(p.sha256.to_string()),
                plain(p.size.to_string()),
                plain(p.language.clone()),
                plain(p.path.clone()),
                (
                    match p.state {
                        PinState::Draft => Look::Warn,
                        PinState::Frozen => Look::Plain,
                    },
                    p.state.name().to_owned(),
                ),
                (Look::Good, state.to_owned()),
            ]
        })
        .collect();
    let mut text = Text::default();
    text.table(
        &["logic", "component", "bytes", "language", "file", "pin", ""],
        &rows,
    );
    let listed = |p: &Pin| ListedPin {
        pin: p.into(),
        active: active.contains(&p.model_version()),
    };
    let components = lock.components().iter().map(listed).collect();
    Ok(Done::ok(&PluginListAnswer { components }, text))
}
