//! `diff`: compares two runs.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_host::explain::{Difference, Explanation, Units, Wanted, diff, value_text};

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::ui::{Done, Look, Text};

/// Show what differs between two runs: key, component, parameters, inputs and outputs.
///
/// Example: provender diff 4f2a9c81d0aa 90be12aa77f1
#[derive(Args)]
pub(super) struct DiffArgs {
    /// The first run's id, or at least six of its hex digits.
    first: String,
    /// The second run's id, or at least six of its hex digits.
    second: String,
}

pub(super) fn run(global: &Global, args: &DiffArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let first = context.explain(&Wanted::Id(args.first.clone()))?;
    let second = context.explain(&Wanted::Id(args.second.clone()))?;
    let differences = diff(&first, &second);
    let rows: Vec<_> = differences
        .iter()
        .map(|d| {
            let plain = |s: String| (Look::Plain, s);
            vec![
                plain(d.part.to_owned()),
                (Look::Strong, d.name.clone()),
                plain(value_text(&d.first, None, Units::Metric)),
                plain(value_text(&d.second, None, Units::Metric)),
            ]
        })
        .collect();
    let mut text = Text::default();
    text.line(format!("first   {}", first.found.run.run.key));
    text.line(format!("second  {}", second.found.run.run.key));
    text.blank();
    if rows.is_empty() {
        text.look(Look::Good, "nothing differs");
    } else {
        text.table(&["part", "name", "first", "second"], &rows);
    }
    let id = |e: &Explanation| e.found.run.run.key.run_id();
    let answer = DiffAnswer {
        first: id(&first),
        second: id(&second),
        identical: differences.is_empty(),
        differences,
    };
    Ok(Done::ok(&answer, text))
}

/// What differs between two runs.
#[derive(Serialize, JsonSchema)]
pub(super) struct DiffAnswer {
    /// Id of the first run.
    first: Digest,
    /// Id of the second run.
    second: Digest,
    /// Whether nothing differs.
    identical: bool,
    /// Each difference, in the order of the parts.
    differences: Vec<Difference>,
}
