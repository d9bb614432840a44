//! Errors that stop a whole computation before any run is examined. Problems with single runs are in
//! [`super::outcome::RunOutcome`].

use provender_domain::canonical::CanonicalError;
use provender_domain::catalogue::FeatureRefError;
use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use provender_domain::interrupt::Interrupted;
use provender_domain::manifest::SetBy;
use provender_ledger::LedgerError;
use provender_sandbox::LogicError;
use provender_store::manifest::ManifestError;

/// Why a whole computation was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// An input does not name a valid feature reference.
    #[error("{logic}: input `{input}`: {cause}")]
    Reference {
        /// `name:version`.
        logic: String,
        /// The input.
        input: String,
        /// What is wrong with the reference.
        cause: FeatureRefError,
    },
    /// An input asks for a column that is not in the catalogue.
    #[error(
        "{logic}: input `{input}` asks for the feature `{feature}`, which is not in the catalogue{nearest}; list the catalogue with `provender features`, or add the feature with [[series]] in sources.toml"
    )]
    UnknownFeature {
        /// `name:version`.
        logic: String,
        /// The input.
        input: String,
        /// The feature that it asks for.
        feature: String,
        /// The nearest name, as a clause; empty if there is none.
        nearest: String,
    },
    /// Type, unit or nullability differ from the catalogue, or the aggregate cannot be applied.
    #[error("{logic}: input `{input}` of feature `{feature}`: {problem}")]
    Mismatch {
        /// `name:version`.
        logic: String,
        /// The input.
        input: String,
        /// The feature that it asks for.
        feature: String,
        /// What differs.
        problem: String,
    },
    /// A parameter does not exist, or its value is not allowed.
    #[error("{logic}: parameter `{parameter}` ({}): {problem}", .set_by.text())]
    Parameter {
        /// `name:version`.
        logic: String,
        /// The parameter.
        parameter: String,
        /// Where it was set.
        set_by: SetBy,
        /// What is wrong.
        problem: String,
    },
    /// `logic.toml` overrides a guardrail that does not exist, or gives it impossible bounds.
    #[error("{logic}: logic.toml sets a guardrail for `{output}`, {problem}")]
    Guardrail {
        /// `name:version`.
        logic: String,
        /// The output.
        output: String,
        /// What is wrong, as a clause.
        problem: String,
    },
    /// The season starts on a day that does not exist. Only a release can have one: `logic.toml` is checked when read.
    #[error("{logic}: season_start is `{start}`; write MM-DD, such as 03-01")]
    Season {
        /// `name:version`.
        logic: String,
        /// Where it begins.
        start: String,
    },
    /// The boundary was never ingested.
    #[error("boundary `{boundary}` is not known{hint}")]
    UnknownBoundary {
        /// What the user asked for.
        boundary: BoundaryId,
        /// Names that the user may have meant.
        hint: String,
    },
    /// The herd was never ingested.
    #[error("herd `{herd}` is not known{hint}")]
    UnknownHerd {
        /// What the user asked for.
        herd: HerdId,
        /// Names that the user may have meant.
        hint: String,
    },
    /// The herd is not in that place on that day.
    #[error(
        "herd {herd} is not in {boundary} on {date}: its periods are {periods}. Nothing was computed"
    )]
    OutsidePeriod {
        /// The herd.
        herd: HerdId,
        /// The boundary, or `any boundary`.
        boundary: String,
        /// The day.
        date: String,
        /// The herd's periods.
        periods: String,
    },
    /// A draft cannot record runs.
    #[error(
        "{0} is pinned as a draft. A draft records no runs, because its bytes may still be replaced"
    )]
    Draft(ModelVersion),
    /// The version is frozen with other bytes.
    #[error(
        "{model_version} is frozen as {recorded}, but the pinned component is {found}; a version never changes what it computes, so pin the changed component as a new version"
    )]
    Frozen {
        /// `name:version`.
        model_version: ModelVersion,
        /// The digest that the ledger has frozen.
        recorded: String,
        /// The digest that is pinned, or about to be pinned.
        found: String,
    },
    /// The plan changed after it was shown.
    #[error(
        "the plan has changed since it was shown: its digest is now {now}, not {asked}. Look at it again, then apply {now}"
    )]
    PlanChanged {
        /// The digest that the user asked to apply.
        asked: String,
        /// The digest of the plan now.
        now: String,
    },
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The sandbox failed.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The manifest store failed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A number has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// Manifests cannot be serialized.
    #[error("the manifests of these runs cannot be written: {0}. No run of the batch was recorded")]
    Sheet(String),
}

impl ComputeError {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ComputeError::Reference { .. } => "feature_reference",
            ComputeError::UnknownFeature { .. } => "unknown_feature",
            ComputeError::Mismatch { .. } => "feature_mismatch",
            ComputeError::Parameter { .. } => "parameter",
            ComputeError::Guardrail { .. } => "guardrail_override",
            ComputeError::Season { .. } => "season_start",
            ComputeError::UnknownBoundary { .. } => "unknown_boundary",
            ComputeError::UnknownHerd { .. } => "unknown_herd",
            ComputeError::OutsidePeriod { .. } => "outside_period",
            ComputeError::Draft(_) => "draft",
            ComputeError::Frozen { .. } => "frozen",
            ComputeError::PlanChanged { .. } => "plan_changed",
            ComputeError::Interrupted(_) => "interrupted",
            ComputeError::Logic(_) => "component",
            ComputeError::Ledger(e) => e.code(),
            ComputeError::Manifest(e) => e.code(),
            ComputeError::Canonical(_) => "not_canonical",
            ComputeError::Sheet(_) => "manifest_form",
        }
    }
}
