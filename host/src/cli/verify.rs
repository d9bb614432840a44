//! `verify`: the lock file against the bytes, the bytes against what they declare.

use clap::Args;
use serde_json::json;

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Done, Look, Text};

/// Check every pinned component: its bytes against provender.lock, what it declares against its
/// pin, its inputs against this deployment's catalogue.
///
/// Example: provender verify
#[derive(Args)]
pub(super) struct VerifyArgs {}

pub(super) fn run(global: &Global, _: &VerifyArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let lock = context.lock()?;
    let sandbox = context.sandbox()?;
    let mut rows = Vec::new();
    let mut data = Vec::new();
    let mut troubles: Vec<CliError> = Vec::new();
    for pin in lock.components() {
        let model = pin.model_version();
        let is_active = context.project.settings.logic.active.contains(&model);
        let mut problems = Vec::new();
        match context.load(&sandbox, pin) {
            Err(e) => {
                problems.push(e.message.clone());
                troubles.push(e);
            }
            // Whether it fits the catalogue matters for what is active here.
            Ok(_) if is_active => {
                if let Err(e) =
                    context.bind(&sandbox, &lock, &model, &std::collections::BTreeMap::new())
                {
                    problems.push(e.message.clone());
                    troubles.push(e);
                }
            }
            Ok(_) => {}
        }
        let (look, word) = if problems.is_empty() {
            (Look::Good, "ok")
        } else {
            (Look::Bad, "refused")
        };
        rows.push(vec![
            (Look::Strong, model),
            (Look::Plain, pin.sha256.to_string()),
            (look, word.to_owned()),
            (Look::Plain, problems.join("; ")),
        ]);
        data.push(json!({"name": pin.name, "version": pin.version, "sha256": pin.sha256.to_string(), "status": word, "problems": problems}));
    }
    let mut text = Text::default();
    text.table(&["logic", "component", "status", "problem"], &rows);
    let exit = Exit::worst(troubles.iter().map(|t| t.exit));
    let error = troubles.into_iter().find(|t| t.exit == exit);
    Ok(Done {
        exit,
        data: json!({"components": data, "contract": []}),
        text,
        error,
    })
}
