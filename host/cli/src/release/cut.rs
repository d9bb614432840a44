//! `release cut`: makes a release of what is pinned and configured here.

use crate::asking::models;
use provender_domain::ids::ModelVersion;
use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::plugin::check::problem;
use crate::ui::{Done, Look, Text};
use crate::verify::{Examined, examine};
use provender_domain::canonical::Digest;
use provender_domain::failpoint;
use provender_domain::forms::Form;
use provender_domain::render::text::count;
use provender_host::check;
use provender_host::contract::uncommitted;
use provender_host::deployment::pin;
use provender_host::release::ReleaseError;
use provender_host::release::cut::{content, cut, objections, pinned_set};
use provender_host::release::document::Cut;
use provender_host::release::error::Problem;
use provender_host::release::evidence::EvidenceFinding;
use provender_ledger::Write;
use provender_ledger::entries::{CheckVerdict, ReportKind};
use provender_sandbox::{Lock, Pin, PinState};

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
    let lock = context.lock()?;
    let active = active(&context, &lock, args)?;
    let pins = pinned_set(lock.components(), &active);
    let ledger = context.writer()?;

    let spinner = context
        .ui
        .spinner(format!("examining {}", count(pins.len() as u64, "version")));
    let examined = examine(global, &pins, args.cases.as_deref())?;
    let mut problems = objections(&*ledger, &pins)?;
    problems.extend(troubles(&examined));
    problems.extend(unfinished(&context));
    let sandbox = context.sandbox()?;
    let mut bounds = Vec::new();
    let mut bytes: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
    for pin in &pins {
        let model = pin.model_version();
        // `examine` has already reported unreadable files.
        let Ok(read) = context.pinned_bytes(pin) else {
            continue;
        };
        if active.contains(&model) {
            if pin.state == PinState::Draft {
                problems.extend(draft(&context, &sandbox, pin, &read)?);
            }
            let bound = context
                .load(&sandbox, pin)
                .and_then(|c| context.bind_here(c, pin, &BTreeMap::new()));
            match bound {
                Ok(bound) => bounds.push(bound),
                Err(e) => problems.push(problem_of(&model, &e.into())),
            }
        }
        bytes.insert(pin.sha256, read);
    }
    spinner.finish_and_clear();
    problems.dedup_by(|a, b| a.about == b.about && a.what == b.what);
    if !problems.is_empty() {
        return Err(ReleaseError::Unclean(problems).into());
    }

    let own = context.project.logic()?;
    let settings = pins
        .iter()
        .map(|p| (p.model_version(), own.of(&p.name, &p.version)))
        .collect();
    let content = content(
        &pins,
        &bounds,
        &settings,
        &context.project.sources.series,
        context.project.settings.logic.on_guardrail,
    )?;
    let stamp = context.stamp(Some(reason));
    let findings = findings(&*ledger, &examined, &stamp)?;
    let how = Cut {
        by: stamp.actor.clone(),
        at: stamp.at.clone(),
        reason: reason.to_owned(),
        environment: context.project.settings.environment.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let store = context.store()?;
    let outcome = cut(&*ledger, &store, &content, &bytes, &findings, &how, &stamp)?;
    // The ledger has the release now. If this is interrupted, the next cut updates the lock file.
    failpoint::hit("cut.before-lock");
    context.mark_frozen(&pins)?;
    failpoint::hit("cut.after-lock");

    let release = &outcome.release;
    let standing = provender_host::release::ReleaseState::read(&*ledger, i64::MAX)?;
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

/// The versions to make active: those of `--active`, else of provender.toml, else those active now.
fn active(context: &Context, lock: &Lock, args: &CutArgs) -> Result<Vec<ModelVersion>, CliError> {
    let set = &context.project.settings.logic.active;
    let active = match (args.active.is_empty(), set.is_empty()) {
        (false, _) => models(&args.active),
        (true, false) => set.clone(),
        (true, true) => context.logics(&[])?,
    };
    let mut names = std::collections::BTreeSet::new();
    for model in &active {
        let pin = pin(lock, model)?;
        if !names.insert(&pin.name) {
            return Err(CliError::usage(format!(
                "two versions of {} are given as active; only one can be",
                pin.name
            )));
        }
    }
    Ok(active)
}

fn problem_of(model: &str, e: &CliError) -> Problem {
    Problem {
        about: model.to_owned(),
        what: e.message.clone(),
        remedy: e.help.clone().unwrap_or_else(|| {
            format!("`provender plugin check {model}` and `provender verify` show more")
        }),
    }
}

fn troubles(examined: &[Examined]) -> impl Iterator<Item = Problem> + '_ {
    examined
        .iter()
        .flat_map(|e| e.troubles.iter().map(|t| problem_of(&e.model, t)))
}

/// The cut freezes a draft, so the draft must pass `plugin check`.
fn draft(
    context: &Context,
    sandbox: &provender_sandbox::Sandbox,
    pin: &Pin,
    bytes: &[u8],
) -> Result<Option<Problem>, CliError> {
    let catalogue = context.project.sources.catalogue();
    let report = check::check(sandbox, &pin.path, bytes, &pin.limits, &catalogue)?;
    Ok(problem(&report).map(|e| problem_of(&pin.model_version(), &e)))
}

/// Uncommitted files that determine a release, if the deployment is in a Git work tree.
fn unfinished(context: &Context) -> Vec<Problem> {
    let files = [
        "provender.lock",
        "logic.toml",
        "sources.toml",
        "provender.toml",
    ];
    uncommitted(&context.project.root, &files)
        .unwrap_or_default()
        .into_iter()
        .map(|file| Problem {
            about: file.clone(),
            what: "its latest state is not committed, so nobody can review what is released"
                .to_owned(),
            remedy: format!("git commit {file}"),
        })
        .collect()
}

/// The evidence from the examination, with its report recorded in the ledger.
fn findings(
    ledger: &dyn Write,
    examined: &[Examined],
    stamp: &provender_ledger::entry::Stamp,
) -> Result<Vec<EvidenceFinding>, CliError> {
    let reports: Vec<_> = examined.iter().map(|e| e.report.clone()).collect();
    let body = Form::Verify
        .text(&json!({"components": reports}))
        .map_err(ReleaseError::from)?;
    let report = Digest::of_canonical(body.as_bytes());
    ledger.record_report(stamp, ReportKind::Verify, report, &body)?;
    let cases: usize = examined.iter().filter_map(|e| e.cases).sum();
    let without: Vec<&str> = examined
        .iter()
        .filter(|e| e.cases.is_none_or(|n| n == 0))
        .map(|e| e.model.as_str())
        .collect();
    let goldens = match without.is_empty() {
        true => format!("{} hold", count(cases as u64, "golden case")),
        false => format!(
            "{} hold; without any: {}",
            count(cases as u64, "golden case"),
            without.join(", ")
        ),
    };
    let finding = |kind, ok: bool, rows: usize, summary: String| EvidenceFinding {
        kind,
        // An untested version must not count as a pass.
        verdict: if ok {
            CheckVerdict::Ok
        } else {
            CheckVerdict::Unknown
        },
        rows: rows as u64,
        report: Some(report),
        summary,
    };
    let bytes = format!(
        "{}: bytes, declaration and binding hold",
        count(examined.len() as u64, "component")
    );
    Ok(vec![
        finding(ReportKind::Verify, true, examined.len(), bytes),
        finding(ReportKind::Goldens, without.is_empty(), cases, goldens),
    ])
}
