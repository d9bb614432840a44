//! `release freeze` and `release unfreeze`.

use clap::Args;
use serde_json::json;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_host::release::ReleaseError;
use provender_host::release::promote::hold;

use super::reason;

#[derive(Args)]
pub(crate) struct HoldArgs {
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
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
        // It is so already: nothing to do is no failure.
        Err(ReleaseError::Hold(how)) => {
            text.line(format!("unchanged: {how}"));
            (None, false)
        }
        Err(e) => return Err(e.into()),
    };
    let data = json!({"frozen": stop, "changed": changed, "entry": entry, "reason": reason});
    Ok(Done::raw(data, text))
}
