//! Maps the library's errors to messages, exit codes and next steps. Nothing else renders them.

use provender_domain::interrupt::Interrupted;
use provender_domain::manifest::SetBy;
use provender_host::audit::AuditError;
use provender_host::backtest::BacktestError;
use provender_host::check::fix_of;
use provender_host::compute::{ComputeError, Trouble};
use provender_host::deployment::{CreateError, DeploymentError, PinError};
use provender_host::explain::ExplainError;
use provender_host::golden::GoldenError;
use provender_host::ingest::IngestError;
use provender_host::monitor::{GatherError, MonitorError};
use provender_host::project::ProjectError;
use provender_host::release::ReleaseError;
use provender_ledger::LedgerError;
use provender_proof::ProofError;
use provender_sandbox::{ExitKind, LogicError};
use provender_store::manifest::ManifestError;

use super::exit::Exit;

/// The next step when a component's bytes are not the pinned ones.
pub(super) const RESTORE: &str =
    "put the pinned file back, or have DS release these bytes as a new version";

/// The next step after an I/O error.
pub(super) const DISK: &str = "check the disk's free space and permissions, then run the command again: finished work is kept, the rest is retried";

/// An error as it is shown to the user.
#[derive(Clone, Debug)]
pub(super) struct CliError {
    /// How the process ends.
    pub(super) exit: Exit,
    /// A stable name for scripts to match on.
    pub(super) code: String,
    /// What happened, with names and values.
    pub(super) message: String,
    /// What to do next.
    pub(super) help: Option<String>,
}

impl CliError {
    pub(super) fn new(exit: Exit, code: &str, message: impl Into<String>) -> CliError {
        CliError {
            exit,
            code: code.to_owned(),
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn usage(message: impl Into<String>) -> CliError {
        CliError::new(Exit::Usage, "usage", message)
    }

    /// Joins several errors into one, the worst first. Equally bad ones keep their order.
    pub(super) fn together(errors: impl IntoIterator<Item = CliError>) -> Option<CliError> {
        let mut errors: Vec<CliError> = errors.into_iter().collect();
        errors.sort_by_key(|e| e.exit.precedence());
        errors.into_iter().reduce(|first, next| CliError {
            message: format!("{}\n{}", first.message, next.message),
            ..first
        })
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> CliError {
        self.help = Some(help.into());
        self
    }
}

impl From<Interrupted> for CliError {
    fn from(e: Interrupted) -> CliError {
        CliError::new(Exit::Busy, "interrupted", e.to_string())
            .help("run the command again: finished work is kept, the rest is retried")
    }
}

impl From<ProjectError> for CliError {
    fn from(e: ProjectError) -> CliError {
        let exit = match &e {
            ProjectError::NotFound(_) => Exit::NotFound,
            ProjectError::Read { .. } | ProjectError::Write { .. } => Exit::Io,
            ProjectError::Parse { .. } | ProjectError::Value { .. } => Exit::Config,
        };
        let error = CliError::new(exit, e.code(), e.to_string());
        match e {
            ProjectError::NotFound(_) => {
                error.help("provender init --sample --project sample-ranch")
            }
            ProjectError::Parse { .. } | ProjectError::Value { .. } => error
                .help("docs/reference/files.md lists every key with its meaning; nothing was done"),
            ProjectError::Write { .. } => error.help(DISK),
            ProjectError::Read { .. } => error,
        }
    }
}

impl From<DeploymentError> for CliError {
    fn from(e: DeploymentError) -> CliError {
        let (code, message) = (e.code(), e.to_string());
        let error = |exit| CliError::new(exit, code, message);
        match e {
            DeploymentError::Clock => error(Exit::Internal),
            DeploymentError::Interrupted(finished) => super::interrupted::error(&finished),
            DeploymentError::ReadOnly(ledger) => CliError::usage(format!(
                "--ledger {} works only with verbs that read; this one writes",
                ledger.location()
            )),
            DeploymentError::NothingRecorded(_) => error(Exit::Unavailable).help(
                "`provender run` records the first numbers. If some were recorded before, restore the ledger from a backup, or name a backup with --ledger",
            ),
            DeploymentError::Folder { .. }
            | DeploymentError::Handle(_)
            | DeploymentError::LockUnreadable(_) => error(Exit::Io),
            DeploymentError::LockMissing(_) => error(Exit::NotFound)
                .help("`provender init` pins the components shipped with the program"),
            DeploymentError::ComponentUnreadable { cause, .. } => error(not_found_or_io(&cause)),
            DeploymentError::ComponentLonger { .. } => error(Exit::Integrity).help(RESTORE),
            DeploymentError::NoActiveLogic => error(Exit::Config).help(
                "set [logic] active = [\"days_remaining:v1\"], or name one with --logic",
            ),
            DeploymentError::NotALogic { .. } => error(Exit::Usage),
            DeploymentError::ManySources { root, .. } => error(Exit::Usage)
                .help(format!("sources.toml of {} lists them", root.display())),
            DeploymentError::NothingToFreeze { logic, .. } => error(Exit::NotFound).help(format!(
                "`provender list --logic {logic}` shows what is recorded; nothing was written"
            )),
            DeploymentError::NotPinned { .. } => error(Exit::NotFound),
            DeploymentError::ReportUnwritable { .. } => error(Exit::Io).help(DISK),
            DeploymentError::Project(e) => e.into(),
            DeploymentError::Ledger(e) => e.into(),
            DeploymentError::Manifest(e) => e.into(),
            DeploymentError::Logic(e) => e.into(),
            DeploymentError::Compute(e) => e.into(),
            DeploymentError::Gather(e) => e.into(),
            DeploymentError::Explain(e) => e.into(),
            DeploymentError::Release(e) => e.into(),
            DeploymentError::Incident(e) => e.into(),
        }
    }
}

impl From<PinError> for CliError {
    fn from(e: PinError) -> CliError {
        match e {
            PinError::NotLocked(_)
            | PinError::Unwritable { .. }
            | PinError::Draft { .. }
            | PinError::Leftover { .. } => {
                CliError::new(Exit::Io, "pin_unwritable", e.to_string()).help(DISK)
            }
            PinError::Logic(e) => e.into(),
            PinError::Compute(e) => e.into(),
            PinError::Ledger(e) => e.into(),
            PinError::Deployment(e) => e.into(),
        }
    }
}

impl From<CreateError> for CliError {
    fn from(e: CreateError) -> CliError {
        let message = e.to_string();
        let error = |exit, code| CliError::new(exit, code, message);
        match e {
            CreateError::Already(_) => error(Exit::Config, "already_there")
                .help("name another folder; nothing was changed"),
            CreateError::Unwritable { .. } => error(Exit::Io, "folder_unwritable").help(DISK),
            CreateError::Plugins { .. } => error(Exit::Io, "plugins_unreadable"),
            CreateError::NoComponents(_) => error(Exit::NotFound, "no_components"),
            CreateError::Component {
                path,
                cause,
                ceiling,
            } => super::plugin::found::unreadable(&path, &cause, ceiling),
            CreateError::Shipped(_) => error(Exit::Internal, "shipped"),
            CreateError::Logic(e) => e.into(),
        }
    }
}

/// Exit code for a file that cannot be read.
pub(super) fn not_found_or_io(cause: &std::io::Error) -> Exit {
    match cause.kind() {
        std::io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::Io,
    }
}

impl From<LedgerError> for CliError {
    fn from(e: LedgerError) -> CliError {
        let exit = match &e {
            LedgerError::Unavailable { .. }
            | LedgerError::Broken { .. }
            | LedgerError::NotALedger { .. }
            | LedgerError::NewerSchema { .. }
            | LedgerError::Migration { .. }
            | LedgerError::LogLeft { .. }
            | LedgerError::Gone { .. } => Exit::Unavailable,
            LedgerError::Busy => Exit::Busy,
            LedgerError::Moved { .. } => Exit::Gate,
            LedgerError::Drift(_) => Exit::Drift,
            LedgerError::Nul { .. } => Exit::Data,
            LedgerError::Immutable(_) | LedgerError::Damaged(_) | LedgerError::Payload(_) => {
                Exit::Integrity
            }
            LedgerError::Io(_) => Exit::Io,
            LedgerError::Database(_) => Exit::Internal,
        };
        let error = CliError::new(exit, e.code(), e.to_string());
        match e {
            LedgerError::Gone { .. } => error.help(
                "restore the ledger from a backup. To start afresh, move the folder of manifests away first",
            ),
            LedgerError::Unavailable { .. } => error.help(
                "check that the path is right and that you may write in its folder. Verbs that only read do not need that, and with `--ledger FILE` monitor and replay judge without recording. To go on recording, use a copy that `provender backup` makes elsewhere",
            ),
            LedgerError::Broken { .. } => error.help(
                "check that the path is right, then restore the ledger from a backup (`provender backup` makes them). Keep the broken file: it may hold more than the backup",
            ),
            LedgerError::NotALedger { .. } => {
                error.help("check the path: it is set by `ledger.url` in provender.toml or by --ledger")
            }
            LedgerError::Migration { .. } => error.help(
                "end every other program that writes the ledger, and make sure that there is room and permission for a copy beside it; the cause is given above. An existing copy `….schema-N` is the ledger from before an earlier attempt",
            ),
            LedgerError::LogLeft { .. } => error.help(
                "run any verb where the folder is writable, or copy the ledger together with its log to a writable folder and name the copy with --ledger",
            ),
            LedgerError::Io(_) => error.help(DISK),
            LedgerError::Damaged(_) | LedgerError::Payload(_) => error.help(
                "stop writing to the ledger and restore it from a backup (`provender backup` makes them)",
            ),
            LedgerError::NewerSchema { .. }
            | LedgerError::Busy
            | LedgerError::Moved { .. }
            | LedgerError::Drift(_)
            | LedgerError::Nul { .. }
            | LedgerError::Immutable(_)
            | LedgerError::Database(_) => error,
        }
    }
}

impl From<LogicError> for CliError {
    fn from(e: LogicError) -> CliError {
        let (exit, help) = match e.exit_code_kind() {
            ExitKind::Integrity => (Exit::Integrity, Some(RESTORE.to_owned())),
            ExitKind::Rejected => (Exit::Rejected, Some(fix_of(&e).to_owned())),
            ExitKind::Failed => (Exit::Failed, None),
            ExitKind::Internal => (Exit::Internal, None),
            ExitKind::Configuration => (Exit::Config, None),
        };
        CliError {
            exit,
            code: e.code().to_owned(),
            message: e.to_string(),
            help,
        }
    }
}

impl From<GoldenError> for CliError {
    fn from(e: GoldenError) -> CliError {
        let (code, message) = (e.code(), e.to_string());
        let error = |exit| CliError::new(exit, code, message);
        let page = "docs/reference/golden-cases.md describes the format; nothing was run";
        match e {
            GoldenError::Io { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                error(Exit::NotFound)
            }
            GoldenError::Io { .. } => error(Exit::Io).help(DISK),
            GoldenError::Parse { .. } | GoldenError::Field { .. } => error(Exit::Data).help(page),
            GoldenError::Incomplete { .. } => error(Exit::Check)
                .help("DS writes what the logic must give for these inputs (docs/reference/golden-cases.md). The recorded outputs may be the mistake: copy them only if they are right"),
            GoldenError::NoCases { .. } => error(Exit::NotFound)
                .help("a version without golden cases is not tested: write some, see docs/reference/golden-cases.md"),
            GoldenError::Unexplained { .. } => error(Exit::Check),
            GoldenError::Inherited { version, .. } => error(Exit::Usage).help(format!(
                "if {version} is meant to give other numbers, say why: --bless --reason \"…\" keeps the case for earlier versions, supersedes it for {version} and writes the new outputs beside it. Nothing was written"
            )),
            GoldenError::Logic(e) => e.into(),
        }
    }
}

impl From<ReleaseError> for CliError {
    fn from(e: ReleaseError) -> CliError {
        super::release::error(e)
    }
}

impl From<ManifestError> for CliError {
    fn from(e: ManifestError) -> CliError {
        let error = |exit| CliError::new(exit, e.code(), e.to_string());
        match &e {
            ManifestError::Io { .. } => error(Exit::Io).help(DISK),
            ManifestError::Taken { .. } | ManifestError::Damaged { .. } => error(Exit::Integrity),
            ManifestError::Canonical(_) => error(Exit::Internal),
        }
    }
}

impl From<ComputeError> for CliError {
    fn from(e: ComputeError) -> CliError {
        let (code, message) = (e.code(), e.to_string());
        let exit = match e {
            ComputeError::Reference { .. }
            | ComputeError::UnknownFeature { .. }
            | ComputeError::Mismatch { .. } => Exit::Rejected,
            ComputeError::Parameter { ref set_by, .. } => match set_by {
                SetBy::CommandLine => Exit::Usage,
                SetBy::Component | SetBy::LogicToml => Exit::Config,
            },
            ComputeError::Guardrail { .. } | ComputeError::Season { .. } => Exit::Config,
            ComputeError::UnknownBoundary { .. } | ComputeError::UnknownHerd { .. } => {
                Exit::NotFound
            }
            ComputeError::OutsidePeriod { .. } => Exit::Data,
            ComputeError::PlanChanged { .. } => Exit::Check,
            ComputeError::Draft(ref logic) => {
                return CliError::new(Exit::Rejected, code, message)
                    .help(format!("test and back-test it, then run `provender plugin freeze {logic}`; --dry-run and `backtest` work with a draft"));
            }
            ComputeError::Frozen { .. } => {
                return CliError::new(Exit::Integrity, code, message)
                    .help("put the frozen bytes back, or release the new ones as a new version");
            }
            ComputeError::Canonical(_) | ComputeError::Sheet(_) => Exit::Internal,
            ComputeError::Interrupted(e) => return e.into(),
            ComputeError::Logic(e) => return e.into(),
            ComputeError::Ledger(e) => return e.into(),
            ComputeError::Manifest(e) => return e.into(),
        };
        CliError::new(exit, code, message)
    }
}

impl From<IngestError> for CliError {
    fn from(e: IngestError) -> CliError {
        let exit = ingest_exit(&e);
        match e {
            IngestError::Ledger(e) => e.into(),
            // `ingest_exit` has the exit code of each.
            e => CliError::new(exit, e.code(), e.to_string()),
        }
    }
}

/// Exit code for one file's error.
pub(super) fn ingest_exit(e: &IngestError) -> Exit {
    match e {
        IngestError::Io { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
            Exit::NotFound
        }
        IngestError::Io { .. } => Exit::Io,
        IngestError::Read(_)
        | IngestError::TooLarge { .. }
        | IngestError::Held { .. }
        | IngestError::Older { .. }
        | IngestError::Withdrawn { .. }
        | IngestError::Overlap { .. } => Exit::Data,
        IngestError::NeverTaken { .. } | IngestError::NoFile { .. } => Exit::NotFound,
        IngestError::Ledger(e) => match e {
            LedgerError::Busy => Exit::Busy,
            LedgerError::Io(_) => Exit::Io,
            LedgerError::Unavailable { .. }
            | LedgerError::Broken { .. }
            | LedgerError::NotALedger { .. }
            | LedgerError::NewerSchema { .. }
            | LedgerError::Migration { .. }
            | LedgerError::LogLeft { .. }
            | LedgerError::Gone { .. }
            | LedgerError::Moved { .. }
            | LedgerError::Drift(_)
            | LedgerError::Nul { .. }
            | LedgerError::Immutable(_)
            | LedgerError::Damaged(_)
            | LedgerError::Payload(_)
            | LedgerError::Database(_) => Exit::Integrity,
        },
    }
}

/// Exit code for one run's trouble.
pub(super) fn trouble_exit(trouble: Trouble) -> Exit {
    match trouble {
        Trouble::Drift => Exit::Drift,
        Trouble::Integrity => Exit::Integrity,
        Trouble::Nondeterminism => Exit::Nondeterminism,
        Trouble::Component => Exit::Failed,
        Trouble::Guardrail => Exit::Guardrail,
        Trouble::Input => Exit::Data,
    }
}

impl From<GatherError> for CliError {
    fn from(e: GatherError) -> CliError {
        match e {
            GatherError::Compute(e) => e.into(),
            GatherError::Monitor(e @ MonitorError::UnknownRule { .. }) => {
                CliError::new(Exit::Config, "monitor_rules", e.to_string())
                    .help("to add a rule of your own, set `add = true` in its table, with scope, direction and min_rows; docs/reference/monitoring.md lists the metrics")
            }
            GatherError::Monitor(e) => e.into(),
            e @ (GatherError::Scope { .. }
            | GatherError::Direction { .. }
            | GatherError::MinRows { .. }) => {
                CliError::new(Exit::Config, "monitor_rules", e.to_string())
            }
        }
    }
}

impl From<MonitorError> for CliError {
    fn from(e: MonitorError) -> CliError {
        CliError::new(Exit::Config, "monitor_rules", e.to_string())
    }
}

impl From<AuditError> for CliError {
    fn from(e: AuditError) -> CliError {
        super::audit::error(e)
    }
}

impl From<ProofError> for CliError {
    fn from(e: ProofError) -> CliError {
        super::audit::refused(&e)
    }
}

impl From<ExplainError> for CliError {
    fn from(e: ExplainError) -> CliError {
        super::explain::error(e)
    }
}

impl From<BacktestError> for CliError {
    fn from(e: BacktestError) -> CliError {
        match e {
            BacktestError::Nothing { ref logic, .. } => {
                let help = format!(
                    "`provender list --logic {logic}` shows what is recorded, `provender compute --all --from … --to …` records a range"
                );
                CliError::new(Exit::NotFound, e.code(), e.to_string()).help(help)
            }
            BacktestError::Compute(e) => e.into(),
            BacktestError::Gather(e) => e.into(),
        }
    }
}
