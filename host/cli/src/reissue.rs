//! `reissue`: replaces runs whose inputs were revised, after a plan.

use crate::asking::models;
use clap::Args;
use provender_domain::ids::{BoundaryId, HerdId};
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::key::RunKey;
use provender_domain::render::text::count;
use provender_host::compute::{
    Bound, InputChange, PlannedReissue, RefusedReissue, ReissueCause, ReissuePlan, RunAnswer,
    Selection, Summary, reissue_causes,
};
use provender_host::deployment::{DeploymentError, Reissue, ReissueRequest};

use super::Global;
use super::compute::{Which, runs, say};
use super::context::Context;
use super::error::{CliError, trouble_exit};
use super::exit::Exit;
use super::interrupted::{self, Interrupted};
use super::progress::Bars;
use super::ui::{Done, Look, Text};

/// Replace recorded runs whose inputs were revised: first make a plan, then apply it by its digest.
///
/// The new runs have the same configuration version with +rN appended. The old runs are kept and shown
/// as superseded, with who replaced them and why.
///
/// Example: provender reissue --as-of 2025-06-30 --reason "composite of 25 June corrected upstream"
#[derive(Args)]
pub(super) struct ReissueArgs {
    #[command(flatten)]
    which: Which,
    /// Logic to reissue, as name:version. Default: every active one. May be repeated.
    #[arg(long, value_name = "NAME:VERSION")]
    logic: Vec<String>,
    /// Why the runs are replaced. It is recorded in the ledger.
    #[arg(long)]
    reason: String,
    /// Apply the plan with this digest and record its runs.
    #[arg(long, value_name = "DIGEST")]
    apply: Option<String>,
}

pub(super) fn run(global: &Global, args: &ReissueArgs) -> Result<Done, CliError> {
    if args.reason.trim().is_empty() {
        return Err(CliError::usage(
            "--reason is empty: say why, an auditor will read it",
        ));
    }
    let context = Context::open(global)?;
    let (from, to) = args.which.days(context.today)?;
    let selection = Selection {
        boundary: args.which.boundary.clone().map(BoundaryId::unchecked),
        herd: args.which.herd.clone().map(HerdId::unchecked),
        from,
        to,
    };
    let request = ReissueRequest {
        selection,
        logics: &models(&args.logic),
        reason: &args.reason,
        apply: args.apply.as_deref(),
    };
    let (plan, computed) = match context.reissue(&request, &mut Bars::new(context.ui)) {
        Err(DeploymentError::Interrupted(finished)) => {
            let own = Interrupted {
                reason: Some(&args.reason),
                ..Interrupted::default()
            };
            return Ok(interrupted::done(&finished, own));
        }
        Err(e) => return Err(e.into()),
        Ok(Reissue::Planned { digest, plans }) => {
            return Ok(show(&plans, &digest.to_string(), args));
        }
        Ok(Reissue::Applied { digest, computed }) => (digest, computed),
    };
    let mut text = Text::default();
    say(&mut text, &computed);
    text.line(format!("reason: {}", args.reason));
    let exit = Exit::worst(computed.troubles().map(trouble_exit));
    let error = super::trouble::trouble(&computed);
    let answer = ReissueAnswer::Applied {
        plan: plan.to_string(),
        applied: true,
        reason: &args.reason,
        summary: computed.summary,
        runs: runs(&computed),
    };
    Ok(Done::ended(exit, &answer, text, error))
}

/// The plan of a reissue, or its result.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ReissueAnswer<'a> {
    /// Without `--apply`.
    Planned {
        /// Digest of the plan, for `--apply`.
        plan: &'a str,
        /// Whether it was recorded.
        applied: bool,
        /// Why.
        reason: &'a str,
        /// How many runs would be replaced.
        runs: usize,
        /// The plan of each logic; absent with `--apply`.
        logics: Vec<LogicPlan<'a>>,
    },
    /// With `--apply`.
    Applied {
        /// Digest of the plan.
        plan: String,
        /// Whether it was recorded.
        applied: bool,
        /// Why.
        reason: &'a str,
        /// Number of runs by outcome; absent without `--apply`.
        summary: Summary,
        /// With `--apply`: each run that was recorded.
        runs: Vec<RunAnswer<'a>>,
    },
}

/// What would be reissued of one logic.
#[derive(Serialize, JsonSchema)]
pub(super) struct LogicPlan<'a> {
    /// `name:version`.
    model_version: &'a str,
    /// Runs whose inputs are unchanged.
    unchanged: u64,
    /// The files behind the changes.
    causes: Vec<ReissueCause>,
    /// Each run that would be recorded.
    runs: Vec<PlannedRun<'a>>,
    /// Each run that drifted for another reason than its inputs, and is not reissued.
    refused: Vec<RefusedRun<'a>>,
}

/// A run that would be recorded.
#[derive(Serialize, JsonSchema)]
struct PlannedRun<'a> {
    /// Id of the run that it would replace.
    replaces_run_id: Digest,
    /// Its key.
    key: &'a RunKey,
    /// What changed.
    changes: &'a [InputChange],
}

/// A run that is not reissued.
#[derive(Serialize, JsonSchema)]
struct RefusedRun<'a> {
    /// Its id.
    run_id: Digest,
    /// Why.
    why: &'a str,
}

fn show(plans: &[(Bound, ReissuePlan)], digest: &str, args: &ReissueArgs) -> Done {
    let mut text = Text::default();
    let mut logics = Vec::new();
    let total: usize = plans.iter().map(|(_, p)| p.runs.len()).sum();
    let mut exits = Vec::new();
    let mut refusals = Vec::new();
    for (bound, plan) in plans {
        let causes = reissue_causes(plan);
        show_plan(&mut text, bound, plan, &causes);
        for r in &plan.refused {
            exits.push(Exit::Drift);
            refusals.push(format!("{}: {}", r.run.run.key, r.why));
        }
        text.blank();
        logics.push(LogicPlan {
            model_version: &bound.model_version,
            unchanged: plan.unchanged,
            causes,
            runs: plan.runs.iter().map(planned).collect(),
            refused: plan.refused.iter().map(refused).collect(),
        });
    }
    if total == 0 {
        text.line("nothing drifted: there is nothing to reissue");
    } else {
        text.line(format!("plan {digest}"));
        let days = match &args.which.as_of {
            Some(d) => format!("--as-of {d}"),
            None => format!(
                "--from {} --to {}",
                args.which.from.as_deref().unwrap_or_default(),
                args.which.to.as_deref().unwrap_or_default()
            ),
        };
        text.look(
            Look::Good,
            format!(
                "to record it: provender reissue {days} --reason {:?} --apply {digest}",
                args.reason
            ),
        );
    }
    let error = (!refusals.is_empty()).then(|| {
        CliError::new(
            Exit::Drift,
            "drift",
            format!(
                "{} cannot be reissued:\n  {}",
                count(refusals.len() as u64, "run"),
                refusals.join("\n  ")
            ),
        )
    });
    let answer = ReissueAnswer::Planned {
        plan: digest,
        applied: false,
        reason: &args.reason,
        runs: total,
        logics,
    };
    Done::ended(Exit::worst(exits), &answer, text, error)
}

fn show_plan(text: &mut Text, bound: &Bound, plan: &ReissuePlan, causes: &[ReissueCause]) {
    text.look(
        Look::Strong,
        format!(
            "{}: {} to reissue, {} unchanged",
            bound.model_version,
            count(plan.runs.len() as u64, "run"),
            plan.unchanged
        ),
    );
    if causes.is_empty() {
        return;
    }
    let percent =
        |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{:.2} %", x * 100.0));
    let rows: Vec<_> = causes
        .iter()
        .map(|c| {
            let plain = |s: String| (Look::Plain, s);
            vec![
                plain(c.file.clone()),
                plain(c.inputs.join(", ")),
                plain(c.runs.to_string()),
                plain(percent(c.largest_change)),
            ]
        })
        .collect();
    text.table(&["cause", "inputs", "runs", "largest change"], &rows);
}

fn planned(p: &PlannedReissue) -> PlannedRun<'_> {
    PlannedRun {
        replaces_run_id: p.run_id,
        key: &p.question.key,
        changes: &p.changes,
    }
}

fn refused(r: &RefusedReissue) -> RefusedRun<'_> {
    RefusedRun {
        run_id: r.run.run.key.run_id(),
        why: &r.why,
    }
}
