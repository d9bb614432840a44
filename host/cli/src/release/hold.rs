//! `release freeze` and `release unfreeze`.

use clap::Args;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::release::{ReleaseError, hold};

use super::reason;

#[derive(Args)]
pub(crate) struct HoldArgs {
    /// Why. It is recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Whether promotions are possible.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseHoldAnswer<'a> {
    /// Whether promotions are frozen now.
    frozen: bool,
    /// False if nothing changed.
    changed: bool,
    /// The ledger entry; null if nothing changed.
    entry: Option<EntryNumber>,
    /// Why.
    reason: &'a str,
}

pub(super) fn run(global: &Global, args: &HoldArgs, stop: bool) -> Result<Done, CliError> {
    let reason = reason(&args.reason)?;
    let context = Context::open_record(global)?;
    let mut text = Text::default();
    let (entry, changed) = match hold(&*context.writer()?, stop, &context.stamp(Some(reason))) {
        Ok(entry) => {
            let what = match stop {
                true => "promotions are frozen; `provender release rollback` stays possible",
                false => "promotions are possible again",
            };
            text.look(if stop { Look::Warn } else { Look::Good }, what);
            (Some(entry), true)
        }
        // Already in the wanted state, which is not an error.
        Err(ReleaseError::Hold(how)) => {
            text.line(format!("unchanged: {how}"));
            (None, false)
        }
        Err(e) => return Err(e.into()),
    };
    let answer = ReleaseHoldAnswer {
        frozen: stop,
        changed,
        entry,
        reason,
    };
    Ok(Done::ok(&answer, text))
}
