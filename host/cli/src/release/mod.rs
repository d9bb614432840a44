//! `release`: cuts, exports, imports, promotes and rolls back releases. One file per verb.

use clap::{Args, Subcommand};
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::ids::ModelVersion;
use provender_host::release::{KnownRelease, ReleaseCut, ReleaseError, ReleaseState};

use super::Global;
use super::error::{CliError, DISK};
use super::exit::Exit;
use super::ui::Done;

mod approve;
mod canary;
mod cut;
mod evidence;
mod gate;
mod history;
mod hold;
mod list;
mod promote;
mod prune;
mod show;
mod status;
mod travel;

pub(crate) use approve::ReleaseApproveAnswer;
pub(crate) use canary::{ReleaseCanaryAnswer, ReleaseCanaryStopAnswer};
pub(crate) use cut::ReleaseCutAnswer;
pub(crate) use evidence::ReleaseEvidenceAnswer;
pub(crate) use gate::ReleaseGateAnswer;
pub(crate) use history::ReleaseHistoryAnswer;
pub(crate) use hold::ReleaseHoldAnswer;
pub(crate) use list::ReleaseListAnswer;
pub(crate) use promote::ReleasePromoteAnswer;
pub(crate) use prune::ReleasePruneAnswer;
pub(crate) use show::ReleaseShowAnswer;
pub(crate) use status::ReleaseStatusAnswer;
pub(crate) use travel::{ReleaseExportAnswer, ReleaseImportAnswer};

/// Cut releases, move them between deployments, promote them and roll back.
///
/// A release is immutable. It holds the components by their bytes, the active version of each logic, the
/// configuration and the thresholds. Name it as R3, 3, or the beginning of its digest.
///
/// Example: provender release cut --reason "v2 after its back-test"
#[derive(Args)]
pub(super) struct ReleaseArgs {
    #[command(subcommand)]
    action: Action,
}

impl ReleaseArgs {
    /// Whether the verb computes runs in batches.
    pub(super) fn computes(&self) -> bool {
        matches!(self.action, Action::Canary(_))
    }
}

#[derive(Subcommand)]
enum Action {
    Cut(cut::CutArgs),
    /// List the releases that this deployment knows.
    ///
    /// Example: provender release list
    List,
    Show(show::ShowArgs),
    Export(travel::ExportArgs),
    Import(travel::ImportArgs),
    Approve(approve::ApproveArgs),
    Canary(canary::CanaryArgs),
    Evidence(evidence::EvidenceArgs),
    Gate(gate::GateArgs),
    Promote(promote::PromoteArgs),
    Rollback(promote::RollbackArgs),
    /// Freeze promotions. A rollback stays possible.
    ///
    /// Example: provender release freeze --reason "inputs of 3 May are doubtful"
    Freeze(hold::HoldArgs),
    /// Allow promotions again.
    ///
    /// Example: provender release unfreeze --reason "the inputs were right"
    Unfreeze(hold::HoldArgs),
    History(history::HistoryArgs),
    /// Show which release is active and since when, whether promotions are frozen, which settings are
    /// ignored, and the running canary.
    ///
    /// Example: provender release status
    Status,
    Prune(prune::PruneArgs),
}

pub(super) fn run(global: &Global, args: &ReleaseArgs) -> Result<Done, CliError> {
    match &args.action {
        Action::Cut(a) => cut::run(global, a),
        Action::List => list::run(global),
        Action::Show(a) => show::run(global, a),
        Action::Export(a) => travel::export(global, a),
        Action::Import(a) => travel::import(global, a),
        Action::Approve(a) => approve::run(global, a),
        Action::Canary(a) => canary::run(global, a),
        Action::Evidence(a) => evidence::run(global, a),
        Action::Gate(a) => gate::run(global, a),
        Action::Promote(a) => promote::promote(global, a),
        Action::Rollback(a) => promote::rollback(global, a),
        Action::Freeze(a) => hold::run(global, a, true),
        Action::Unfreeze(a) => hold::run(global, a, false),
        Action::History(a) => history::run(global, a),
        Action::Status => status::run(global),
        Action::Prune(a) => prune::run(global, a),
    }
}

/// Refuses an empty reason.
fn reason(given: &str) -> Result<&str, CliError> {
    if given.trim().is_empty() {
        return Err(CliError::usage(
            "--reason is empty: say why, an auditor will read it",
        ));
    }
    Ok(given)
}

/// `R3 (1f2e3d4c5b6a)`.
fn named(number: u32, digest: &Digest) -> String {
    format!("R{number} ({})", digest.short())
}

fn name_of(known: &KnownRelease) -> String {
    named(known.document.number, &known.digest)
}

/// A release in short.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseBrief<'a> {
    /// Its digest, which identifies it in every deployment.
    release: Digest,
    /// Its number where it was cut, from 1.
    number: u32,
    /// Whether it is in force here.
    active: bool,
    /// The active versions as `name:version`, one per name.
    logics: &'a [ModelVersion],
    /// Who cut it, when and why.
    cut: &'a ReleaseCut,
    /// Whether it was cut elsewhere.
    imported: bool,
    /// Since when it is known here: RFC 3339, UTC.
    known_since: &'a str,
    /// The entry that removed its files from the store; null if they are in it.
    pruned: Option<EntryNumber>,
}

impl<'a> ReleaseBrief<'a> {
    fn of(known: &'a KnownRelease, standing: &ReleaseState) -> ReleaseBrief<'a> {
        ReleaseBrief {
            release: known.digest,
            number: known.document.number,
            active: standing.active().is_some_and(|c| c.release == known.digest),
            logics: &known.document.active,
            cut: &known.document.cut,
            imported: known.imported,
            known_since: &known.stamp.at,
            pruned: known.pruned,
        }
    }
}

/// Maps errors of releases to exit codes and adds the next step.
pub(super) fn error(e: ReleaseError) -> CliError {
    let (code, message) = (e.code(), e.to_string());
    let error = |exit| CliError::new(exit, code, message);
    match e {
        ReleaseError::Unknown { .. } => error(Exit::NotFound).help(
            "`provender release list` shows the known releases; `provender release import FILE` adds one",
        ),
        ReleaseError::NoWayBack(_) => error(Exit::NotFound)
            .help("`provender release history` lists what was active and when"),
        ReleaseError::Ambiguous { .. } => error(Exit::Usage),
        ReleaseError::PlanChanged { .. } => error(Exit::Check)
            .help("plan again: `provender release prune` shows the plan and its digest"),
        ReleaseError::Hold(_) => error(Exit::Gate),
        ReleaseError::Held { .. } => error(Exit::Gate).help(
            "`provender release unfreeze --reason …` allows promotions again; `provender release rollback` works while they are frozen",
        ),
        ReleaseError::Expected { .. } | ReleaseError::Overtaken { .. } => error(Exit::Gate).help(
            "`provender release history` shows what was promoted; if you still want to promote, name the active release with --expect",
        ),
        ReleaseError::Canary { next, .. } => error(Exit::Gate).help(next),
        ReleaseError::Gate { release, .. } => error(Exit::Gate).help(format!(
            "`provender release gate {release} --explain` shows what would have to change; `release promote {release} --override REASON` promotes anyway and records the reason"
        )),
        ReleaseError::Missing { .. } => error(Exit::Integrity)
            .help("import its archive again: `provender release import FILE` puts the files back"),
        ReleaseError::NumberTaken { .. } => error(Exit::Integrity).help(
            "a release gets its number where it is cut: cut releases in one deployment only. Cut this one again there, then export it",
        ),
        ReleaseError::Archive { .. } => error(Exit::Integrity)
            .help("copy it here again, or export it again, and pass the SHA-256 that `release export` prints with --digest; nothing was imported"),
        ReleaseError::Damaged { .. } => error(Exit::Integrity)
            .help("restore the file from a backup, or import the release again"),
        ReleaseError::OtherConfig { .. } => error(Exit::Integrity).help(
            "this version of provender binds the release differently from the version that cut it: use that version, or cut a new release",
        ),
        ReleaseError::Io { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
            error(Exit::NotFound)
        }
        ReleaseError::Io { .. } => error(Exit::Io).help(DISK),
        ReleaseError::Canonical(_) => error(Exit::Internal),
        ReleaseError::Ledger(e) => e.into(),
        ReleaseError::Logic(e) => e.into(),
        ReleaseError::Compute(e) => e.into(),
        ReleaseError::Backtest(e) => e.into(),
        ReleaseError::Gather(e) => e.into(),
    }
}
