//! `compute`: due runs, computed and recorded.
//!
//! * `which`: places and days, as the command line says them

mod which;

use crate::asking::models;
use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value as Json, json};

use provender_domain::render::text::count;
use provender_host::compute::outcome::RunOutcome;
use provender_host::deployment::{Computed, DeploymentError, Request};

use super::asking::instant;
use super::context::Context;
use super::error::{CliError, trouble_exit};
use super::exit::Exit;
use super::interrupted;
use super::progress::Bars;
use super::trouble::trouble;
use super::ui::{Done, Look, Text};
use super::{Global, table};

pub(super) use which::{Which, day};

/// Compute runs and record them.
///
/// Known runs with the same inputs are unchanged; known runs with other inputs are drift and
/// refused (exit 10), while the other runs of the batch are recorded.
///
/// Example: provender compute --all --as-of 2025-06-30
#[derive(Args)]
pub(super) struct ComputeArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Logic to compute, as name:version; else every active one. May be repeated.
    #[arg(long, value_name = "NAME:VERSION")]
    logic: Vec<String>,
    /// A parameter for this command alone; such a run is never an answer. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Compute from what was known at this instant (RFC 3339, or a day).
    #[arg(long, value_name = "INSTANT")]
    known_at: Option<String>,
    /// Compute and show, record nothing.
    #[arg(long)]
    dry_run: bool,
    /// Run the component again for recorded runs, instead of trusting the record.
    #[arg(long)]
    recheck: bool,
    /// List every run, also of large ranges.
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
            "--param needs one --logic NAME:VERSION: it is that logic's parameter",
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
            let data = json!({"dry_run": request.dry_run});
            return Ok(interrupted::done(&finished, data));
        }
        computed => computed?,
    };
    let ignored = context.tell_ignored()?;
    let mut done = done(computed);
    done.data["ignored"] = ignored;
    Ok(done)
}

pub(super) fn parameters(given: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    given
        .iter()
        .map(|p| match p.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(CliError::usage(format!(
                "--param {p}: write NAME=VALUE, such as max_days_remaining=200"
            ))),
        })
        .collect()
}

fn done(computed: Computed) -> Done {
    let mut text = Text::default();
    if computed.dry_run {
        text.look(Look::Warn, "dry run: nothing is recorded");
    }
    say(&mut text, &computed);
    let exit = Exit::worst(computed.troubles().map(trouble_exit));
    let mut data = json!({"summary": computed.summary, "dry_run": computed.dry_run});
    runs_into(&mut data, &computed);
    Done {
        exit,
        data,
        text,
        error: trouble(&computed),
    }
}

/// All runs, or of more than are listed those without an answer.
pub(super) fn runs_into(data: &mut Json, computed: &Computed) {
    if !computed.abridged {
        data["runs"] = runs_json(computed);
    } else if computed.logics.iter().any(|(_, kept)| !kept.is_empty()) {
        data["refused"] = runs_json(computed);
    }
}

pub(super) fn runs_json(computed: &Computed) -> Json {
    let runs = computed
        .logics
        .iter()
        .flat_map(|(b, runs)| runs.iter().map(|r| r.to_json(b.description())));
    Json::Array(runs.collect())
}

/// Tables of runs, and what became of them all.
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
                "  no trouble"
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
