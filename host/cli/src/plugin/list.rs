//! `plugin list`: what is pinned.

use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_sandbox::PinState;

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
    let data = json!({"components": lock.components().iter().map(|p| json!({
        "name": p.name, "version": p.version, "sha256": p.sha256.to_string(), "size": p.size, "world": p.world, "path": p.path,
        "state": p.state.name(), "language": p.language, "limits": p.limits,
        "active": active.contains(&p.model_version()),
    })).collect::<Vec<_>>()});
    Ok(Done::raw(data, text))
}
