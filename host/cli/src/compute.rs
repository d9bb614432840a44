//! `compute`: computes and records due runs.
//!
//! * `which`: the boundaries, herds and days given on the command line

mod which;

use crate::asking::models;
use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::render::text::count;
use provender_host::compute::{RunAnswer, RunOutcome, Summary};
use provender_host::deployment::{Computed, DeploymentError, Request};
use provender_host::release::IgnoredSetting;

use super::asking::instant;
use super::context::Context;
use super::error::{CliError, trouble_exit};
use super::exit::Exit;
use super::interrupted::{self, Interrupted};
use super::progress::Bars;
use super::trouble::trouble;
use super::ui::{Done, Look, Text};
use super::{Global, table};

pub(super) use which::{Which, day};

/// Compute runs and record them.
///
/// A run already recorded with the same inputs is unchanged. One recorded with other inputs is drift:
/// it is refused (exit 10), and the other runs of the batch are recorded.
///
/// Example: provender compute --all --as-of 2025-06-30
#[derive(Args)]
pub(super) struct ComputeArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Logic to compute, as name:version. Default: every active one. May be repeated.
    #[arg(long, value_name = "NAME:VERSION")]
    logic: Vec<String>,
    /// A parameter for this command only. Such a run is never an answer. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Use only what was known at this instant: an RFC 3339 time, or a day, meaning its end.
    #[arg(long, value_name = "INSTANT")]
    known_at: Option<String>,
    /// Compute and show the runs, but record nothing.
    #[arg(long)]
    dry_run: bool,
    /// Run the component again for runs already recorded, instead of trusting the record.
    #[arg(long)]
    recheck: bool,
    /// List every run, even for large ranges.
    #[arg(long)]
    runs: bool,
}

pub(super) fn run(global: &Global, args: &ComputeArgs) -> Result<Done, CliError> {
    let context = Context::open(global)?;
    let selection = args.which.selection(args.which.days(context.today)?)?;
    let one_off = parameters(&args.param)?;
    let logics = models(&args.logic);
    if !one_off.is_empty() && logics.len() != 1 && context.logics(&logics)?.len() != 1 {
        return Err(CliError::usage(
            "--param needs exactly one --logic NAME:VERSION, the logic that has the parameter",
        ));
    }
    let request = Request {
        selection,
        logics,
        one_off,
        known_at: args.known_at.as_deref().map(instant).transpose()?,
        dry_run: args.dry_run,
        recheck: args.recheck,
        list_all: args.runs,
    };
    let computed = match context.compute(&request, &mut Bars::new(context.ui)) {
        Err(DeploymentError::Interrupted(finished)) => {
            let own = Interrupted {
                dry_run: Some(request.dry_run),
                ..Interrupted::default()
            };
            return Ok(interrupted::done(&finished, own));
        }
        computed => computed?,
    };
    let ignored = context.tell_ignored()?;
    Ok(done(&computed, ignored))
}

pub(super) fn parameters(given: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    given
        .iter()
        .map(|p| match p.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(CliError::usage(format!(
                "--param {p} is not NAME=VALUE: write, for example, max_days_remaining=200"
            ))),
        })
        .collect()
}

/// What was computed.
#[derive(Serialize, JsonSchema)]
pub(super) struct ComputeAnswer<'a> {
    /// Number of runs by outcome.
    summary: Summary,
    /// True when nothing was recorded; `recorded` then counts what would have been.
    dry_run: bool,
    #[serde(flatten)]
    runs: Runs<'a>,
    /// Settings in the deployment's files that the active release overrides.
    ignored: Vec<IgnoredSetting>,
}

/// The runs of a command.
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct Runs<'a> {
    /// Every run; absent if there are more than 1,000, unless `--runs` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<Vec<RunAnswer<'a>>>,
    /// In place of `runs`, the runs without an answer; absent if all have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<RunAnswer<'a>>>,
}

fn done(computed: &Computed, ignored: Vec<IgnoredSetting>) -> Done {
    let mut text = Text::default();
    if computed.dry_run {
        text.look(Look::Warn, "dry run: nothing is recorded");
    }
    say(&mut text, computed);
    let exit = Exit::worst(computed.troubles().map(trouble_exit));
    let answer = ComputeAnswer {
        summary: computed.summary,
        dry_run: computed.dry_run,
        runs: Runs::of(computed),
        ignored,
    };
    Done::ended(exit, &answer, text, trouble(computed))
}

impl<'a> Runs<'a> {
    /// All runs, or of more than are listed those without an answer.
    pub(super) fn of(computed: &'a Computed) -> Runs<'a> {
        let kept = runs(computed);
        match (computed.abridged, kept.is_empty()) {
            (false, _) => Runs {
                runs: Some(kept),
                refused: None,
            },
            (true, true) => Runs::default(),
            (true, false) => Runs {
                runs: None,
                refused: Some(kept),
            },
        }
    }
}

/// The runs that are listed.
pub(super) fn runs(computed: &Computed) -> Vec<RunAnswer<'_>> {
    let logics = computed.logics.iter();
    logics
        .flat_map(|(b, runs)| runs.iter().map(|r| r.answer(b.description())))
        .collect()
}

/// Tables of the runs and a summary line.
pub(super) fn say(text: &mut Text, computed: &Computed) {
    for (bound, runs) in &computed.logics {
        let component = bound.component.digest().short();
        text.look(
            Look::Strong,
            format!(
                "{} (component {component}, config {})",
                bound.model_version,
                bound.config.digest.short()
            ),
        );
        if runs.is_empty() {
            text.line(if computed.abridged {
                "  no problems"
            } else {
                "  nothing is due"
            });
        } else {
            let runs: Vec<&RunOutcome> = runs.iter().collect();
            table::runs(text, bound.description(), &runs, computed.dry_run);
        }
        text.blank();
    }
    let s = computed.summary;
    let look = if s.drift + s.failed > 0 {
        Look::Bad
    } else {
        Look::Good
    };
    text.look(
        look,
        format!(
            "{}: {} {}, {} unchanged, {} drift, {} failed",
            count(s.total(), "run"),
            s.recorded,
            table::recorded(computed.dry_run),
            s.unchanged,
            s.drift,
            s.failed
        ),
    );
}
