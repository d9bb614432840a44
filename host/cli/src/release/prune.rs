//! `release prune`: the plan first, then by its digest.

use clap::Args;
use serde_json::json;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::render::text::count;
use provender_host::incident::Incidents;
use provender_host::release::prune::{Plan, apply, plan};

use super::named;

/// Show which releases' files nobody needs any more; with --apply remove them from the store.
///
/// The newest releases stay, what is active or would be rolled back to, and what a recorded run or an
/// open incident refers to. The ledger and manifests are never touched; an import brings files back.
///
/// Example: provender release prune --keep 5
#[derive(Args)]
pub(crate) struct PruneArgs {
    /// The newest releases that stay; else `releases.keep` of provender.toml.
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
    /// Remove what the plan with this digest says.
    #[arg(long, value_name = "DIGEST")]
    apply: Option<String>,
}

pub(super) fn run(global: &Global, args: &PruneArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let store = context.store()?;
    let ledger = context.writer()?;
    let keep = args.keep.unwrap_or(context.project.settings.releases.keep);
    let needed = Incidents::read(&*ledger)?.releases(&*ledger)?;
    let plan = plan(&*ledger, &store, keep, &needed)?;
    let digest = plan.digest()?.to_string();
    let entry = match &args.apply {
        None => None,
        Some(asked) => apply(&*ledger, &store, &plan, asked, &context.stamp(None))?,
    };
    let mut text = Text::default();
    say(&mut text, &plan);
    if entry.is_some() {
        text.look(
            Look::Good,
            "removed; what these releases were stays in the ledger",
        );
    } else if !plan.is_empty() {
        text.look(
            Look::Good,
            format!("to remove it: provender release prune --keep {keep} --apply {digest}"),
        );
    }
    let data = json!({
        "plan": digest,
        "applied": entry.is_some(),
        "entry": entry,
        "keep": keep,
        "releases": plan.releases.iter().map(|(n, d)| json!({"number": n, "release": d.to_string()})).collect::<Vec<_>>(),
        "components": plan.components.iter().map(|(d, size)| json!({"sha256": d.to_string(), "size": size})).collect::<Vec<_>>(),
        "kept": plan.kept.iter().map(|(n, d, why)| json!({"number": n, "release": d.to_string(), "why": why})).collect::<Vec<_>>(),
        "bytes": plan.bytes(),
    });
    Ok(Done::raw(data, text))
}

fn say(text: &mut Text, plan: &Plan) {
    for (number, digest, why) in &plan.kept {
        text.line(format!("keep    {}: {why}", named(*number, digest)));
    }
    for (number, digest) in &plan.releases {
        text.look(Look::Warn, format!("remove  {}", named(*number, digest)));
    }
    if plan.is_empty() {
        text.line("nothing to remove");
    } else {
        text.line(format!(
            "{} and {}, {} bytes",
            count(plan.releases.len() as u64, "release"),
            count(plan.components.len() as u64, "component"),
            plan.bytes()
        ));
    }
}
