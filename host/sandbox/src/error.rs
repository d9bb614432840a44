//! How this room says no.

use provender_domain::canonical::Digest;
use provender_domain::ids::ModelVersion;

use super::failure::FailureCode;
use super::versions::Stranger;

/// To which exit code of the command line an error belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitKind {
    /// 11: bytes are not those that were pinned.
    Integrity,
    /// 14: the component is not acceptable.
    Rejected,
    /// 15: the component ran and failed.
    Failed,
    /// 70: the host's own fault.
    Internal,
    /// 78: a lock file that cannot be used.
    Configuration,
}

/// What went wrong in the sandbox, apart from single rows (see `RowFailure`).
#[derive(Debug, thiserror::Error)]
pub enum LogicError {
    /// wasmtime did not start.
    #[error("the WebAssembly engine did not start: {cause}")]
    Engine {
        /// In wasmtime's words.
        cause: String,
    },
    /// The system gave no thread to run a guest on.
    #[error("no thread could be started to run a component on: {cause}")]
    Thread {
        /// In the system's words.
        cause: String,
    },
    /// More bytes than a component may have.
    #[error("{file} has more than {limit} bytes, the most that a component may have")]
    TooLarge {
        /// Where the bytes came from.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// More functions, globals or levels of nesting than a component may have.
    #[error("{file} ({digest}) has {count} {what} where a component may have {limit}")]
    TooComplex {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// `functions`, `globals` or `levels of nesting`.
        what: &'static str,
        /// Their number.
        count: u64,
        /// The limit.
        limit: u64,
    },
    /// Compiled code of some engine instead of a component.
    #[error(
        "{file} is precompiled native code (.cwasm), which the sandbox never runs; give the component (.wasm) itself"
    )]
    Precompiled {
        /// Where the bytes came from.
        file: String,
    },
    /// A core module.
    #[error(
        "{file} is a core WebAssembly module, not a component; wrap it with `wasm-tools component new` or build it with `provender plugin build`"
    )]
    CoreModule {
        /// Where the bytes came from.
        file: String,
    },
    /// Not a valid component.
    #[error("{file} is not a valid WebAssembly component: {cause}")]
    NotAComponent {
        /// Where the bytes came from.
        file: String,
        /// In the validator's words.
        cause: String,
    },
    /// The compiler was stopped.
    #[error("{file} was not compiled: {cause}")]
    Compile {
        /// Where the bytes came from.
        file: String,
        /// Which ceiling it met.
        cause: String,
    },
    /// A component with imports.
    #[error(
        "{file} ({digest}) imports {names}; a logic version may import nothing, so that its numbers depend on its inputs alone. Build it for wasm32-unknown-unknown, without clocks, random numbers, files, sockets and environment"
    )]
    Imports {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// What is imported.
        names: String,
    },
    /// The contract's interface is not exported.
    #[error(
        "{file} ({digest}) does not export {wanted}, the interface this host speaks; it exports {found}"
    )]
    MissingExport {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// The interface or function that is missing.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// The contract's interface is exported in a version that this host does not speak.
    #[error(
        "{file} ({digest}) is built for provender:logic {found}, {}; this host speaks {spoken}",
        stranger.says()
    )]
    OtherVersion {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// The version of the contract in the component's export.
        found: String,
        /// Draft, newer or unknown.
        stranger: Stranger,
        /// What the host speaks, oldest first.
        spoken: String,
    },
    /// The contract's interface is exported more than once.
    #[error(
        "{file} ({digest}) exports provender:logic/logic in the versions {found}; a component is built for one version of the contract"
    )]
    SeveralVersions {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// The versions.
        found: String,
    },
    /// The contract's interface is exported with other types.
    #[error("{file} ({digest}) exports {export} with other types than wit/logic.wit: {cause}")]
    MistypedExport {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// Which export.
        export: String,
        /// In wasmtime's words.
        cause: String,
    },
    /// Start-up or `describe` failed.
    #[error("{file} ({digest}) failed in {stage} ({}): {cause}", code.code())]
    Load {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// `start-up` or `describe`.
        stage: &'static str,
        /// Stable code of the failure.
        code: FailureCode,
        /// What happened.
        cause: String,
        /// Symbolised wasm backtrace; empty where there is none.
        detail: Box<str>,
    },
    /// `describe` answers differently from call to call.
    #[error(
        "{file} ({digest}) describes itself differently when asked twice; a declaration must be constant"
    )]
    Unstable {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
    },
    /// The declaration breaks a rule.
    #[error("{file} ({digest}) declares itself wrongly: {cause}")]
    Description {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// Which rule, where.
        cause: String,
    },
    /// The caller's columns or parameters are not those the component declares.
    #[error("{component} cannot be called: {cause}")]
    Call {
        /// `name:version`.
        component: ModelVersion,
        /// What does not fit.
        cause: String,
    },
    /// Bytes that are not the pinned ones.
    #[error(
        "{file} is not the pinned {component}: the lock file says {pinned} ({pinned_size} bytes), the file is {found} ({found_size} bytes). Restore the file, or pin the new bytes under a new version"
    )]
    Digest {
        /// Where the bytes came from.
        file: String,
        /// `name:version`.
        component: ModelVersion,
        /// Digest in the lock file.
        pinned: Box<Digest>,
        /// Size in the lock file, bytes.
        pinned_size: u64,
        /// Digest of the bytes.
        found: Box<Digest>,
        /// Their number.
        found_size: u64,
    },
    /// A pinned component that calls itself something else.
    #[error("the lock file pins {file} as {pinned}, but the component declares itself {declared}")]
    Identity {
        /// Where the bytes came from.
        file: String,
        /// `name:version` in the lock file.
        pinned: ModelVersion,
        /// `name:version` of the component.
        declared: ModelVersion,
    },
    /// A lock file that cannot be used.
    #[error("provender.lock cannot be used: {cause}")]
    Lock {
        /// What is wrong, where.
        cause: String,
    },
}

impl LogicError {
    /// To which exit code the error belongs.
    #[must_use]
    pub fn exit_code_kind(&self) -> ExitKind {
        match self {
            LogicError::Engine { .. } | LogicError::Thread { .. } | LogicError::Call { .. } => {
                ExitKind::Internal
            }
            LogicError::TooLarge { .. }
            | LogicError::TooComplex { .. }
            | LogicError::Precompiled { .. }
            | LogicError::CoreModule { .. }
            | LogicError::NotAComponent { .. }
            | LogicError::Compile { .. }
            | LogicError::Imports { .. }
            | LogicError::MissingExport { .. }
            | LogicError::OtherVersion { .. }
            | LogicError::SeveralVersions { .. }
            | LogicError::MistypedExport { .. }
            | LogicError::Load { .. }
            | LogicError::Unstable { .. }
            | LogicError::Description { .. } => ExitKind::Rejected,
            LogicError::Digest { .. } | LogicError::Identity { .. } => ExitKind::Integrity,
            LogicError::Lock { .. } => ExitKind::Configuration,
        }
    }

    /// A stable code for `--json`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LogicError::Engine { .. } => "engine_unavailable",
            LogicError::Thread { .. } => "thread_unavailable",
            LogicError::TooLarge { .. } => "component_too_large",
            LogicError::TooComplex { .. } => "component_too_complex",
            LogicError::Precompiled { .. } => "component_precompiled",
            LogicError::CoreModule { .. } => "component_core_module",
            LogicError::NotAComponent { .. } => "component_invalid",
            LogicError::Compile { .. } => "component_compile",
            LogicError::Imports { .. } => "component_imports",
            LogicError::MissingExport { .. } => "component_export_missing",
            LogicError::OtherVersion { .. } => "component_contract_version",
            LogicError::SeveralVersions { .. } => "component_contract_versions",
            LogicError::MistypedExport { .. } => "component_export_mistyped",
            LogicError::Load { code, .. } => code.code(),
            LogicError::Unstable { .. } => "description_unstable",
            LogicError::Description { .. } => "description_invalid",
            LogicError::Call { .. } => "call_mismatch",
            LogicError::Digest { .. } => "component_digest",
            LogicError::Identity { .. } => "component_identity",
            LogicError::Lock { .. } => "lock_invalid",
        }
    }

    /// The symbolised backtrace, where the error has one.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            LogicError::Load { detail, .. } => detail,
            _ => "",
        }
    }
}

impl ExitKind {
    /// The exit code of the command line.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            ExitKind::Integrity => 11,
            ExitKind::Rejected => 14,
            ExitKind::Failed => 15,
            ExitKind::Internal => 70,
            ExitKind::Configuration => 78,
        }
    }
}
