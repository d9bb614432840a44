//! `verify`: checks the bytes against the lock file, the components against what they declare and their
//! golden cases, and a change against the release contract.

mod output;

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;

use provender_domain::render::junit::document;
use provender_host::contract::{ContractError, ContractFinding};
use provender_host::deployment::{PinTrouble, PinnedSet, VerifiedPin, VerifyError, VerifyRequest};
use provender_host::project::CompileLimits;
use provender_sandbox::{Limits, Sandbox};

use super::Global;
use super::context::Context;
use super::error::{CliError, not_found_or_io};
use super::exit::Exit;
use super::plugin::test::write_junit;
use super::ui::Done;

use output::Shown;
pub(super) use output::VerifyAnswer;

/// Check every pinned component: its bytes against provender.lock, its pin against what this
/// deployment's ledger has frozen, what it declares against its pin, its inputs against this
/// deployment's catalogue, and its golden cases. With --base, also check the change against the release
/// contract.
///
/// The contract (exit 17): a frozen version keeps its pin, its bytes, what it declares and its source.
/// A version of the WIT is not edited in place. When a change touches files of several owners in
/// .github/CODEOWNERS, each owner has approved it, by a trailer `Approved-by: OWNER …` in a commit
/// since the base or by --approved-by. The change is the difference between the working tree and the
/// newest commit shared with REV.
///
/// Example: provender verify
///
/// Example: provender verify --lock logic-plugins/artifacts/provender.lock --base origin/main --github
#[derive(Args)]
pub(super) struct VerifyArgs {
    /// Check this lock file and the components beside it, without a deployment.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// Cache compiled code in this folder, so that later checks compile nothing. Anyone who can write
    /// there can run code in this program. A deployment has its own cache.
    #[arg(long, value_name = "DIR", requires = "lock")]
    cache: Option<PathBuf>,
    /// The folder of golden cases, with one folder per logic. Default: `logic-plugins/cases` or `cases`
    /// beside the lock file, or `cases` beside its folder.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Check the change since this revision against the release contract.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// An owner who has approved the change. May be repeated.
    #[arg(long, value_name = "OWNER", requires = "base")]
    approved_by: Vec<String>,
    /// Write the result as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print GitHub Actions annotations, `::error file=…`.
    #[arg(long, conflicts_with = "json")]
    github: bool,
}

pub(super) fn run(global: &Global, args: &VerifyArgs) -> Result<Done, CliError> {
    let request = VerifyRequest {
        cases: args.cases.as_deref(),
        base: args.base.as_deref(),
        approved_by: &args.approved_by,
    };
    let (lock, verified) = match &args.lock {
        None => {
            let context = Context::open(global)?;
            let set = PinnedSet::of(&context)?;
            (set.lock_file(), set.verify(&context.sandbox()?, &request)?)
        }
        Some(file) => {
            let set = PinnedSet::beside(file)?;
            let sandbox = Sandbox::with_observer(
                Limits::default(),
                args.cache.as_deref().map(cache_folder).transpose()?,
                Some(global.ui().compiling(CompileLimits::default())),
            )?;
            (set.lock_file(), set.verify(&sandbox, &request)?)
        }
    };
    let verdict = verified.contract.as_ref();
    let findings = verdict.map(|v| v.findings.as_slice());
    let components = verified.checked.iter().map(VerifiedPin::answer).collect();
    let checked: Vec<Shown> = verified.checked.into_iter().map(Shown::from).collect();
    if let Some(file) = &args.junit {
        write_junit(file, &document(&output::suites(&checked, findings)))?;
    }
    let broken = findings.unwrap_or_default();
    let answer = VerifyAnswer {
        components,
        contract: broken,
        base: args.base.as_deref(),
        commit: verdict.map(|v| v.commit.as_str()),
        frozen: verdict.map(|v| v.frozen),
        ledger_frozen: verified.ledger_frozen,
    };
    let text = match &verified.missing {
        Some(missing) => output::missing(missing),
        None => output::table(&checked),
    };
    let text = output::text(
        text,
        &checked,
        verdict,
        args.github.then_some(lock.as_path()),
    );
    let contract = (!broken.is_empty()).then(|| refused(broken));
    let troubles = checked
        .iter()
        .flat_map(|c| &c.troubles)
        .map(|t| t.error.clone());
    let error = Exit::first_of_worst(troubles.chain(contract), |e| e.exit);
    let exit = error.as_ref().map_or(Exit::Ok, |e| e.exit);
    Ok(Done::ended(exit, &answer, text, error))
}

fn cache_folder(path: &Path) -> Result<Dir, CliError> {
    std::fs::create_dir_all(path)
        .and_then(|()| Dir::open_ambient_dir(path, ambient_authority()))
        .map_err(|e| {
            CliError::new(
                Exit::Io,
                "cache_unusable",
                format!("--cache {}: {e}", path.display()),
            )
        })
}

fn refused(findings: &[ContractFinding]) -> CliError {
    let first = &findings[0];
    let more = match findings.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    CliError::new(
        Exit::Check,
        "contract_broken",
        format!(
            "the change breaks the release contract: {}: {}{more}",
            first.path, first.message
        ),
    )
    .help(first.remedy.clone())
}

impl From<ContractError> for CliError {
    fn from(e: ContractError) -> CliError {
        let exit = match &e {
            ContractError::NoGit(_) => Exit::Unavailable,
            ContractError::NoRepository { .. }
            | ContractError::NoBase { .. }
            | ContractError::NoCommon { .. } => Exit::NotFound,
            ContractError::Git { .. }
            | ContractError::Io { .. }
            | ContractError::TemporaryFolder(_) => Exit::Io,
            ContractError::AtBase { .. } => Exit::Data,
        };
        CliError {
            exit,
            code: e.code().to_owned(),
            message: e.to_string(),
            help: e.help(),
        }
    }
}

impl From<VerifyError> for CliError {
    fn from(e: VerifyError) -> CliError {
        let message = e.to_string();
        match e {
            VerifyError::LockUnreadable { cause, .. } => {
                CliError::new(not_found_or_io(&cause), "lock_unreadable", message)
                    .help("--lock must name a provender.lock, which `provender plugin add` writes; --base REV shows whether there was one before")
            }
            VerifyError::Panicked => CliError::new(Exit::Internal, "panic", message),
            VerifyError::Logic(e) => e.into(),
            VerifyError::Deployment(e) => e.into(),
            VerifyError::Contract(e) => e.into(),
        }
    }
}

impl From<PinTrouble> for CliError {
    fn from(e: PinTrouble) -> CliError {
        let message = e.to_string();
        match e {
            PinTrouble::Component(e) => e.into(),
            PinTrouble::Unreadable { cause, .. } => {
                CliError::new(not_found_or_io(&cause), "component_unreadable", message)
            }
            PinTrouble::NoCases { .. } => {
                CliError::new(Exit::NotFound, "golden_missing", message)
                    .help("write some: docs/reference/golden-cases.md describes the format")
            }
            PinTrouble::Golden(e) => e.into(),
            PinTrouble::Cases(e) => e.into(),
            PinTrouble::FrozenOtherwise {
                file,
                model,
                name,
                path,
                ..
            } => CliError::new(Exit::Integrity, "frozen", message).help(format!(
                "restore the entry of {model} in {file} and {path}, or ship the other bytes as a new version of {name}"
            )),
        }
    }
}
