//! `release list`: the known releases.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::release::running_canary;

use super::ReleaseBrief;

/// The releases that are known here.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseListAnswer<'a> {
    /// All of them, by number.
    releases: Vec<ReleaseBrief<'a>>,
}

pub(super) fn run(global: &Global) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let standing = context.standing()?;
    let mut text = Text::default();
    if standing.releases.is_empty() {
        text.line(
            "no releases yet: `provender release cut` makes one, `provender release import` adds one",
        );
    }
    let plain = |s: &str| (Look::Plain, s.to_owned());
    let mut known: Vec<_> = standing.releases.iter().collect();
    known.sort_by_key(|k| k.document.number);
    let canary = running_canary(standing).map(|c| c.release);
    let rows: Vec<_> = known
        .iter()
        .map(|k| {
            let active = standing.active().is_some_and(|c| c.release == k.digest);
            let (look, state) = match (active, k.pruned) {
                (true, _) => (Look::Good, "active"),
                (false, Some(_)) => (Look::Warn, "pruned"),
                (false, None) if canary == Some(k.digest) => (Look::Plain, "canary"),
                (false, None) => (Look::Plain, ""),
            };
            vec![
                (Look::Strong, k.document.name()),
                plain(&k.digest.short()),
                plain(&k.document.active.join(", ")),
                plain(&k.document.cut.at),
                plain(&k.document.cut.by),
                plain(&k.document.cut.environment),
                plain(&k.document.cut.reason),
                (look, state.to_owned()),
            ]
        })
        .collect();
    if !rows.is_empty() {
        text.table(
            &[
                "release", "digest", "answers", "cut", "by", "in", "reason", "",
            ],
            &rows,
        );
    }
    let releases = known
        .iter()
        .map(|k| ReleaseBrief::of(k, standing))
        .collect();
    Ok(Done::ok(&ReleaseListAnswer { releases }, text))
}
