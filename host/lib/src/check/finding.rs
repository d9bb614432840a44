//! A refusal with its reason and its fix.

use schemars::JsonSchema;
use serde::Serialize;

use crate::compute::ComputeError;
use crate::monitor::MonitorError;
use provender_sandbox::versions::UnsupportedVersion;
use provender_sandbox::{FailureCode, LogicError, difference};

/// One thing for which a component is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckFinding {
    /// A stable code.
    pub code: String,
    /// What is wrong, with names and values.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl CheckFinding {
    fn new(code: &str, message: impl Into<String>, fix: impl Into<String>) -> CheckFinding {
        CheckFinding {
            code: code.to_owned(),
            message: message.into(),
            fix: fix.into(),
        }
    }
}

/// A component that the sandbox does not load, as a finding.
pub(super) fn of_refusal(error: &LogicError, bytes: &[u8]) -> Vec<CheckFinding> {
    let mut findings = vec![CheckFinding::new(
        error.code(),
        error.to_string(),
        fix(error),
    )];
    if matches!(
        error,
        LogicError::MissingExport { .. } | LogicError::MistypedExport { .. }
    ) {
        // The engine's own words for another type say less than the items do.
        let items = difference::contract_differences(bytes);
        if matches!(error, LogicError::MistypedExport { .. }) && !items.is_empty() {
            findings.clear();
        }
        findings.extend(items.into_iter().map(|item| {
            CheckFinding::new(
                "world_differs",
                item,
                "generate the bindings again from this host's wit/logic.wit and build again",
            )
        }));
    }
    findings
}

/// What to do about a component that the sandbox does not load.
#[must_use]
pub fn fix(error: &LogicError) -> &'static str {
    match error {
        LogicError::TooLarge { .. } => {
            "build it optimised and without debug info; where it is a language runtime that takes the room, allow it with --component-bytes"
        }
        LogicError::TooComplex { .. } => {
            "leave out what is never called (link-time optimisation, wasm-opt, fewer libraries)"
        }
        LogicError::Compile { .. } => {
            "split its largest functions; where the machine is slow, raise the limit in provender.toml"
        }
        LogicError::Precompiled { .. } => "give the .wasm file that the native code was made from",
        LogicError::CoreModule { .. } => {
            "build it with `provender plugin build`, which makes a component of the module"
        }
        LogicError::NotAComponent { .. } => {
            "give the .wasm file that `provender plugin build` wrote, whole and unchanged"
        }
        LogicError::Imports { .. } => {
            "find what reaches outside (a clock, a random number, a file, printing) and take it out; what the function needs to know has to be an input or a parameter"
        }
        LogicError::MissingExport { .. } => {
            "build it for the world logic-plugin of this host's wit/logic.wit"
        }
        LogicError::OtherVersion { kind, .. } => match kind {
            UnsupportedVersion::Draft => {
                "put the contract of this program in place of the folder's copy of logic.wit (in wit/ or sdk/wit/; a new folder by `provender plugin new` holds it) and build again"
            }
            UnsupportedVersion::Newer => {
                "use a newer program, or build it for a version that this one speaks"
            }
            UnsupportedVersion::Unknown => "build it for a version that this program speaks",
        },
        LogicError::SeveralVersions { .. } => {
            "export the interface once, in the version that the component was tested with"
        }
        LogicError::MistypedExport { .. } => {
            "generate the bindings again from this host's wit/logic.wit and build again"
        }
        LogicError::Load { code, .. } => match code {
            FailureCode::OutOfFuel => {
                "make describe return constants; where it is a language runtime that starts slowly, allow it with --fuel-base"
            }
            FailureCode::Deadline => {
                "do less at start-up: it ran far longer than its fuel takes, as when parts of the component pass large strings to each other"
            }
            FailureCode::OutOfMemory => {
                "use less memory at start-up; where it is a language runtime that needs it, allow it with --memory-bytes or --table-elements"
            }
            _ => "make describe return constants: it is called before there is any input",
        },
        LogicError::Unstable { .. } => {
            "make describe return constants, without counters and without anything that changes"
        }
        LogicError::Description { .. } => "correct the declaration and build again",
        _ => "build it again with `provender plugin build`",
    }
}

/// An input that the catalogue refuses, as a finding.
pub(super) fn of_binding(error: &ComputeError) -> CheckFinding {
    let fix = match error {
        ComputeError::UnknownFeature { .. } => {
            "name a feature of the catalogue (`provender features`), or have MLOps add a [[series]] to sources.toml"
        }
        ComputeError::Reference { .. } => {
            "write NAME, NAME:AGGREGATE or NAME:AGGREGATE:WINDOW, such as precipitation_mm:sum:30d"
        }
        ComputeError::Mismatch { .. } => {
            "declare the input with the type, unit and nullability that `provender features` shows"
        }
        _ => "correct the declaration and build again",
    };
    CheckFinding::new(error.code(), error.to_string(), fix)
}

/// A rule that the monitors refuse, as a finding.
pub(super) fn of_monitor(error: &MonitorError) -> CheckFinding {
    CheckFinding::new(
        "monitor_rule",
        error.to_string(),
        "correct the rule in the declaration and build again",
    )
}
