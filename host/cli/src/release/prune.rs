//! `release prune`: the plan first, then by its digest.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
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

/// What a removal of releases removes.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleasePruneAnswer<'a> {
    /// Digest of the plan, for `--apply`.
    plan: Digest,
    /// Whether it was removed.
    applied: bool,
    /// The entry of the removal; null where nothing was removed.
    entry: Option<i64>,
    /// How many of the newest releases stay.
    keep: u32,
    /// Releases whose files go.
    releases: Vec<PrunedRelease>,
    /// Components that no other release has, which go with them.
    components: Vec<PrunedComponent>,
    /// Releases that stay.
    kept: Vec<KeptRelease<'a>>,
    /// Bytes of the components that go.
    bytes: u64,
}

/// A release whose files go.
#[derive(Serialize, JsonSchema)]
struct PrunedRelease {
    /// Its number.
    number: u32,
    /// Its digest.
    release: Digest,
}

/// A component that goes.
#[derive(Serialize, JsonSchema)]
struct PrunedComponent {
    /// Digest of its bytes.
    sha256: Digest,
    /// How many bytes it has.
    size: u64,
}

/// A release that stays.
#[derive(Serialize, JsonSchema)]
struct KeptRelease<'a> {
    /// Its number.
    number: u32,
    /// Its digest.
    release: Digest,
    /// Why, the first reason.
    why: &'a str,
}

pub(super) fn run(global: &Global, args: &PruneArgs) -> Result<Done, CliError> {
    let context = Context::open_record(global)?;
    let store = context.store()?;
    let ledger = context.writer()?;
    let keep = args.keep.unwrap_or(context.project.settings.releases.keep);
    let needed = Incidents::read(&*ledger)?.releases(&*ledger)?;
    let plan = plan(&*ledger, &store, keep, &needed)?;
    let digest = plan.digest()?;
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
