//! Errors of the sandbox.

use provender_domain::canonical::Digest;
use provender_domain::ids::ModelVersion;

use super::failure::FailureCode;
use super::versions::UnsupportedVersion;

/// The exit code of the command line for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitKind {
    /// 11: the bytes are not the pinned ones.
    Integrity,
    /// 14: the component is not acceptable.
    Rejected,
    /// 15: the component ran and failed.
    Failed,
    /// 70: an internal error of the host.
    Internal,
    /// 78: the lock file cannot be used.
    Configuration,
}

/// Errors of the sandbox. For failures of single rows see `RowFailure`.
#[derive(Debug, thiserror::Error)]
pub enum LogicError {
    /// wasmtime did not start.
    #[error("the WebAssembly engine did not start: {cause}")]
    Engine {
        /// wasmtime's message.
        cause: String,
    },
    /// The system could not start a thread for the guest.
    #[error("no thread could be started to run a component: {cause}")]
    Thread {
        /// The system's message.
        cause: String,
    },
    /// The component is larger than the limit.
    #[error("{file} is larger than {limit} bytes, the maximum for a component")]
    TooLarge {
        /// Where the bytes came from.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// The component has too many functions or globals, or nests too deeply.
    #[error("{file} ({digest}) has {count} {what}; a component may have at most {limit}")]
    TooComplex {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// What is counted: `functions`, `globals` or `levels of nesting`.
        what: &'static str,
        /// The count.
        count: u64,
        /// The limit.
        limit: u64,
    },
    /// Native code compiled by some engine instead of a component.
    #[error(
        "{file} is precompiled native code (.cwasm), which the sandbox never runs; pass the component (.wasm) itself"
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
        /// The validator's message.
        cause: String,
    },
    /// Compilation was stopped at a limit.
    #[error("{file} was not compiled: {cause}")]
    Compile {
        /// Where the bytes came from.
        file: String,
        /// The limit that was reached.
        cause: String,
    },
    /// The component has imports.
    #[error(
        "{file} ({digest}) imports {names}; a logic version may import nothing, so that its numbers depend on its inputs alone. Build it for wasm32-unknown-unknown, without clocks, random numbers, files, sockets and environment"
    )]
    Imports {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// The imported names.
        names: String,
    },
    /// The component does not export the contract's interface.
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
        /// What is exported instead.
        found: String,
    },
    /// The component exports a contract version that this host does not speak.
    #[error(
        "{file} ({digest}) is built for provender:logic {found}, {}; this host speaks {spoken}",
        kind.description()
    )]
    OtherVersion {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// The version of the contract in the component's export.
        found: String,
        /// Whether the version is a draft, newer or unknown.
        kind: UnsupportedVersion,
        /// The versions that the host speaks, oldest first.
        spoken: String,
    },
    /// The component exports the contract's interface more than once.
    #[error(
        "{file} ({digest}) exports provender:logic/logic in the versions {found}; a component must be built for one version of the contract"
    )]
    SeveralVersions {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// The exported versions.
        found: String,
    },
    /// The component exports the contract's interface with other types.
    #[error(
        "{file} ({digest}) exports {export} with types that differ from wit/logic.wit: {cause}"
    )]
    MistypedExport {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// Which export.
        export: String,
        /// wasmtime's message.
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
        /// Wasm backtrace; empty if there is none.
        detail: Box<str>,
    },
    /// `describe` returned two different descriptions.
    #[error(
        "{file} ({digest}) returned different descriptions from two calls of describe; a declaration must be constant"
    )]
    Unstable {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
    },
    /// The declaration breaks a rule.
    #[error("{file} ({digest}) has an invalid declaration: {cause}")]
    Description {
        /// Where the bytes came from.
        file: String,
        /// Digest of the bytes.
        digest: Digest,
        /// Which rule is broken, and where.
        cause: String,
    },
    /// The caller's columns or parameters do not match the declaration.
    #[error("{component} cannot be called: {cause}")]
    Call {
        /// `name:version`.
        component: ModelVersion,
        /// What does not match.
        cause: String,
    },
    /// The bytes are not the pinned ones.
    #[error(
        "{file} is not the pinned {component}: the lock file has {pinned} ({pinned_size} bytes), but the file is {found} ({found_size} bytes). Restore the file, or pin the new bytes under a new version"
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
        /// Size of the bytes.
        found_size: u64,
    },
    /// The pinned component declares another name or version.
    #[error(
        "the lock file pins {file} as {pinned}, but the component declares itself as {declared}"
    )]
    Identity {
        /// Where the bytes came from.
        file: String,
        /// `name:version` in the lock file.
        pinned: ModelVersion,
        /// `name:version` of the component.
        declared: ModelVersion,
    },
    /// The lock file cannot be used.
    #[error("provender.lock cannot be used: {cause}")]
    Lock {
        /// What is wrong, and where.
        cause: String,
    },
}

impl LogicError {
    /// The exit code of the command line for this error.
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

    /// The backtrace; empty if the error has none.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            LogicError::Load { detail, .. } => detail,
            _ => "",
        }
    }
}

impl ExitKind {
    /// The exit code as a number.
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
