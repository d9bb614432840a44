//! Checks a component for everything that would be refused later.
//!
//! * `finding` — a refusal with its reason and its fix
//! * `declaration` — compares its declaration with the catalogue and the monitors
//! * `values` — the rows that a conformance run computes
//! * `bounds` — each parameter at each of its bounds
//! * `conformance` — whether it keeps to the contract for any rows, in any order and in any batches

mod bounds;
mod conformance;
mod declaration;
mod finding;
#[cfg(test)]
mod tests;
mod values;

use provender_domain::canonical::Digest;
use provender_domain::catalogue::Feature;
use provender_sandbox::{Component, LogicError, PinLimits, Sandbox};

pub use conformance::{Conformance, Status};
pub use finding::{CheckFinding, fix as fix_of};

/// What a check found.
#[derive(Debug)]
pub struct CheckReport {
    /// The file, as messages name it.
    pub file: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
    /// The component, where it could be loaded.
    pub component: Option<Component>,
    /// Why it is refused; empty if it is not.
    pub findings: Vec<CheckFinding>,
    /// The conformance run; empty where it could not be made.
    pub conformance: Vec<Conformance>,
}

impl CheckReport {
    /// True when `compute` would take the component.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.findings.is_empty()
    }

    /// Why the component is refused or does not conform; `None` if it passes.
    #[must_use]
    pub fn refusal(&self) -> Option<CheckRefusal> {
        if let Some(first) = self.findings.first() {
            return Some(CheckRefusal::Finding {
                first: first.clone(),
                more: self.findings.len() - 1,
            });
        }
        let failed = |c: &&Conformance| c.status == Status::Failed;
        let first = self.conformance.iter().find(failed)?;
        Some(CheckRefusal::Conformance {
            file: self.file.clone(),
            first: first.clone(),
        })
    }

    /// True when the conformance run was made and everything held.
    #[must_use]
    pub fn conforms(&self) -> bool {
        !self.conformance.is_empty() && self.conformance.iter().all(|c| c.status != Status::Failed)
    }
}

/// Why a component does not pass the check.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CheckRefusal {
    /// `compute` would not take it.
    #[error("{}{}", .first.message, and_more(*.more))]
    Finding {
        /// The first reason.
        first: CheckFinding,
        /// How many more there are.
        more: usize,
    },
    /// A part of the conformance run failed.
    #[error("{file} does not conform: {}: {}", .first.name, .first.detail)]
    Conformance {
        /// The file.
        file: String,
        /// The first part that failed.
        first: Conformance,
    },
}

impl CheckRefusal {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            CheckRefusal::Finding { first, .. } => &first.code,
            CheckRefusal::Conformance { .. } => "conformance",
        }
    }
}

fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    }
}

/// Checks the bytes of a component against the contract and a catalogue, under the sandbox's
/// limits with the component's `own` in their place.
///
/// # Errors
/// When the host itself fails (no engine, no thread); what is wrong with the component is in the
/// report.
pub fn check(
    sandbox: &Sandbox,
    file: &str,
    bytes: &[u8],
    own: &PinLimits,
    catalogue: &[Feature],
) -> Result<CheckReport, LogicError> {
    let mut report = CheckReport {
        file: file.to_owned(),
        digest: Digest::of_bytes(bytes),
        size: bytes.len() as u64,
        component: None,
        findings: Vec::new(),
        conformance: Vec::new(),
    };
    match sandbox.load_with_limits(file, bytes, own) {
        Ok(component) => {
            report.findings = declaration::findings(component.description(), catalogue);
            report.conformance = conformance::run(&component)?;
            report.component = Some(component);
        }
        Err(e @ (LogicError::Engine { .. } | LogicError::Thread { .. })) => return Err(e),
        Err(e) => report.findings = finding::of_refusal(&e, bytes),
    }
    Ok(report)
}
