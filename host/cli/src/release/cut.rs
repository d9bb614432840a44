//! `release cut`: makes a release of what is pinned and configured here.

use provender_ledger::EntryNumber;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::asking::models;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::progress::Bars;
use crate::ui::{Done, Look, Text};
use provender_domain::ids::ModelVersion;
use provender_host::deployment::{CutError, CutRequest, Unclean};
use provender_host::release::ReleaseState;

use super::{ReleaseBrief, name_of, reason};

/// Cut a release of what is pinned and configured here, and freeze its versions.
///
/// It holds every frozen version of provender.lock, the versions to make active, and the settings of
/// logic.toml. If anything is not ready, no release is cut and each problem is listed with its remedy.
/// Cutting the same content again makes no new release.
///
/// Example: provender release cut --reason "v2 after its back-test" --active days_remaining:v2
#[derive(Args)]
pub(crate) struct CutArgs {
    /// Why. It is recorded in the release.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Version to make active, as name:version. Default: `active` in provender.toml, or the versions that
    /// are active now. May be repeated.
    #[arg(long, value_name = "NAME:VERSION")]
    active: Vec<String>,
    /// The folder of golden cases. Default: as for `verify`.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
}

/// The release that was cut.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseCutAnswer<'a> {
    #[serde(flatten)]
    brief: ReleaseBrief<'a>,
    /// False if a release with the same content already existed; it is that one.
    new: bool,
    /// Versions that the cut froze, as `name:version`.
    frozen: &'a [ModelVersion],
}

pub(super) fn run(global: &Global, args: &CutArgs) -> Result<Done, CliError> {
    let reason = reason(&args.reason)?;
    let context = Context::open(global)?;
    let request = CutRequest {
        reason,
        active: &models(&args.active),
        cases: args.cases.as_deref(),
    };
    let outcome = context.cut_release(&request, &mut Bars::new(context.ui))?;
    let release = &outcome.release;
    let standing = ReleaseState::read(&*context.reader()?, EntryNumber::LATEST)?;
    let mut text = Text::default();
    if outcome.new {
        text.look(Look::Good, format!("cut {}", name_of(release)));
    } else {
        text.line(format!(
            "unchanged: {} has the same content, cut {} by {}",
            name_of(release),
            release.document.cut.at,
            release.document.cut.by
        ));
    }
    text.line(format!("  {}", release.digest));
    text.line(format!("  active: {}", release.document.active.join(", ")));
    for model in &outcome.frozen {
        text.line(format!("  now frozen: {model}"));
    }
    let settings = &context.project.settings;
    let next = match settings.policy(&settings.environment).required {
        true => format!("gate {} --explain", release.document.name()),
        false => format!("promote {} --reason …", release.document.name()),
    };
    text.line(format!("next: provender release {next}, or export it"));
    let answer = ReleaseCutAnswer {
        brief: ReleaseBrief::of(release, &standing),
        new: outcome.new,
        frozen: &outcome.frozen,
    };
    Ok(Done::ok(&answer, text))
}

impl From<CutError> for CliError {
    fn from(e: CutError) -> CliError {
        let message = e.to_string();
        match e {
            CutError::TwoActive(_) => CliError::usage(message),
            CutError::Unclean(problems) => {
                let problems = problems.into_iter().map(with_remedy);
                let message = problems.fold(message, |all, problem| all + &problem);
                CliError::new(Exit::Check, "release_unclean", message)
            }
            CutError::Pin(e) => e.into(),
            CutError::Deployment(e) => e.into(),
        }
    }
}

/// What must be fixed, and on its own line how.
fn with_remedy(problem: Unclean) -> String {
    let (about, what) = (problem.about().to_owned(), problem.to_string());
    let help = match problem {
        Unclean::Pin(problem) => Some(problem.remedy),
        Unclean::Component { trouble, .. } => CliError::from(trouble).help,
        Unclean::Binding { cause, .. } => CliError::from(cause).help,
        Unclean::Draft { refusal, .. } => CliError::from(refusal).help,
        Unclean::Uncommitted(file) => Some(format!("git commit {file}")),
    };
    let remedy = help.unwrap_or_else(|| {
        format!("`provender plugin check {about}` and `provender verify` show more")
    });
    format!("\n  {about}: {what}\n    remedy: {remedy}")
}
