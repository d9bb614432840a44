//! `verify`: checks the bytes against the lock file, the components against what they declare and their
//! golden cases, and a change against the release contract.

mod output;
mod pinned;

use provender_domain::ids::ModelVersion;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};

use provender_domain::render::junit::document;
use provender_host::contract::{ContractError, ContractFinding, Repository, Rule, rules};
use provender_sandbox::Pin;

use super::Global;
use super::error::CliError;
use super::exit::Exit;
use super::plugin::test::write_junit;
use super::ui::Done;

pub(super) use output::VerifyAnswer;
use pinned::{Checked, Pinned};

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
    let pinned = Pinned::open(global, args.lock.as_deref(), args.cache.as_deref())?;
    // First, because it needs no compilation: a missing base is reported at once.
    let repository = match &args.base {
        None => None,
        Some(base) => Some(Repository::open(&pinned.folder_or_here(), base)?),
    };
    // Without a lock file only the contract can be checked, and only if the base had one.
    if let (Some(missing), None) = (&pinned.missing, &repository) {
        return Err(missing.clone());
    }
    let mut checked = pinned.check_all(args.cases.as_deref())?;
    let frozen_here = pinned.ask_ledger(&mut checked)?;
    let verdict = match &repository {
        None => None,
        Some(repository) => Some(rules::judge(
            repository,
            &pinned.sandbox,
            &args.approved_by,
        )?),
    };
    let findings = verdict.as_ref().map(|v| v.findings.as_slice());
    if let Some(missing) = &pinned.missing
        && !findings.unwrap_or_default().iter().any(speaks_of_pins)
    {
        return Err(missing.clone());
    }
    if let Some(file) = &args.junit {
        write_junit(file, &document(&output::suites(&checked, findings)))?;
    }
    let exit = Exit::worst(
        checked
            .iter()
            .flat_map(|c| &c.troubles)
            .map(|t| t.exit)
            .chain(findings.unwrap_or_default().iter().map(|_| Exit::Check)),
    );
    let answer = VerifyAnswer {
        components: checked.iter().map(Checked::answer).collect(),
        contract: findings.unwrap_or_default(),
        base: args.base.as_deref(),
        commit: verdict.as_ref().map(|v| v.commit.as_str()),
        frozen: verdict.as_ref().map(|v| v.frozen),
        ledger_frozen: frozen_here,
    };
    let text = output::text(&pinned, &checked, verdict.as_ref(), args.github);
    let broken = findings.unwrap_or_default();
    let contract = (!broken.is_empty()).then(|| refused(broken));
    let mut done = Done::ended(exit, &answer, text, None);
    let troubles = checked.into_iter().flat_map(|c| c.troubles);
    done.error = troubles.chain(contract).find(|t| t.exit == exit);
    Ok(done)
}

/// The result of checking one pin with [`examine`]. `cases` is the number of its golden cases.
pub(super) struct Examined {
    pub(super) model: ModelVersion,
    pub(super) troubles: Vec<CliError>,
    pub(super) cases: Option<usize>,
    pub(super) report: Json,
}

pub(super) fn examine(
    global: &Global,
    pins: &[&Pin],
    cases: Option<&Path>,
) -> Result<Vec<Examined>, CliError> {
    let pinned = Pinned::open(global, None, None)?;
    if let Some(missing) = pinned.missing {
        return Err(missing);
    }
    let look = |pin: &&Pin| {
        let checked = pinned.check(pin, cases);
        Examined {
            report: json!(checked.answer()),
            cases: checked.golden.as_ref().map(|(t, _)| t.cases.len()),
            model: checked.model,
            troubles: checked.troubles,
        }
    };
    Ok(pins.iter().map(look).collect())
}

/// Whether a finding is about frozen pins.
fn speaks_of_pins(finding: &ContractFinding) -> bool {
    finding.rule == Rule::FrozenPin
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
