//! `release prune`: shows a plan, then applies it by its digest.

use clap::Args;
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_domain::render::text::count;
use provender_host::incident::Incidents;
use provender_host::release::{PrunePlan, plan_prune, prune};

use super::named;

/// Show the releases whose files are no longer needed. With --apply, remove the files from the store.
///
/// It keeps the newest releases, the active one, the one that a rollback would go back to, and those that a
/// recorded run or an open incident refers to. The ledger and the manifests are never touched. An import
/// restores removed files.
///
/// Example: provender release prune --keep 5
#[derive(Args)]
pub(crate) struct PruneArgs {
    /// Number of newest releases to keep. Default: `releases.keep` in provender.toml.
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
    /// Apply the plan with this digest.
    #[arg(long, value_name = "DIGEST")]
    apply: Option<String>,
}

/// The plan of a removal, or its result.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleasePruneAnswer<'a> {
    /// Digest of the plan, for `--apply`.
    plan: Digest,
    /// Whether it was applied.
    applied: bool,
    /// The entry of the removal; null if nothing was removed.
    entry: Option<EntryNumber>,
    /// Number of newest releases that are kept.
    keep: u32,
    /// Releases whose files are removed.
    releases: Vec<PrunedRelease>,
    /// Components of these releases only, which are removed with them.
    components: Vec<PrunedComponent>,
    /// Releases that are kept.
    kept: Vec<KeptRelease<'a>>,
    /// Size of the removed components in bytes.
    bytes: u64,
}

/// A release whose files are removed.
#[derive(Serialize, JsonSchema)]
struct PrunedRelease {
    /// Its number.
    number: u32,
    /// Its digest.
    release: Digest,
}

/// A component that is removed.
#[derive(Serialize, JsonSchema)]
struct PrunedComponent {
    /// Digest of its bytes.
    sha256: Digest,
    /// Size in bytes.
    size: u64,
}

/// A release that is kept.
#[derive(Serialize, JsonSchema)]
struct KeptRelease<'a> {
    /// Its number.
    number: u32,
    /// Its digest.
    release: Digest,
    /// The first reason to keep it.
    why: &'a str,
}

pub(super) fn run(global: &Global, args: &PruneArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let store = context.store()?;
    let ledger = context.writer()?;
    let keep = args.keep.unwrap_or(context.project.settings.releases.keep);
    let needed = Incidents::read(&*ledger)?.releases(&*ledger)?;
    let plan = plan_prune(&*ledger, &store, keep, &needed)?;
    let digest = plan.digest()?;
    let entry = match &args.apply {
        None => None,
        Some(asked) => prune(&*ledger, &store, &plan, asked, &context.stamp(None))?,
    };
    let mut text = Text::default();
    plan_text(&mut text, &plan);
    if entry.is_some() {
        text.look(
            Look::Good,
            "removed; the ledger still describes these releases",
        );
    } else if !plan.is_empty() {
        text.look(
            Look::Good,
            format!("to remove it: provender release prune --keep {keep} --apply {digest}"),
        );
    }
    let answer = ReleasePruneAnswer {
        plan: digest,
        applied: entry.is_some(),
        entry,
        keep,
        releases: plan
            .releases
            .iter()
            .map(|(number, release)| PrunedRelease {
                number: *number,
                release: *release,
            })
            .collect(),
        components: plan
            .components
            .iter()
            .map(|(sha256, size)| PrunedComponent {
                sha256: *sha256,
                size: *size,
            })
            .collect(),
        kept: plan
            .kept
            .iter()
            .map(|(number, release, why)| KeptRelease {
                number: *number,
                release: *release,
                why,
            })
            .collect(),
        bytes: plan.bytes(),
    };
    Ok(Done::ok(&answer, text))
}

fn plan_text(text: &mut Text, plan: &PrunePlan) {
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
