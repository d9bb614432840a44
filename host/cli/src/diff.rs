//! `diff`: two runs side by side.

use clap::Args;

use provender_host::explain::diff::{diff, to_json};
use provender_host::explain::find::Wanted;
use provender_host::explain::parts::shown;
use provender_host::explain::units::Units;

use super::Global;
use super::context::Context;
use super::error::CliError;
use super::ui::{Done, Look, Text};

/// Show what differs between two runs: key, component, parameters, inputs, outputs.
///
/// Example: provender diff 4f2a9c81d0aa 90be12aa77f1
#[derive(Args)]
pub(super) struct DiffArgs {
    /// The first run's id, or at least six of its hex digits.
    first: String,
    /// The second run's.
    second: String,
}

pub(super) fn run(global: &Global, args: &DiffArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let first = context.explain(&Wanted::Id(args.first.clone()))?;
    let second = context.explain(&Wanted::Id(args.second.clone()))?;
    let rows: Vec<_> = diff(&first, &second)
        .iter()
        .map(|d| {
            let plain = |s: String| (Look::Plain, s);
            vec![
                plain(d.part.to_owned()),
                (Look::Strong, d.name.clone()),
                plain(shown(&d.first, None, Units::Metric)),
                plain(shown(&d.second, None, Units::Metric)),
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
    Ok(Done::raw(to_json(&first, &second), text))
}
