//! Errors about releases.

use crate::backtest::BacktestError;
use crate::compute::ComputeError;
use crate::monitor::gather::GatherError;
use provender_domain::canonical::CanonicalError;
use provender_domain::ids::ModelVersion;
use provender_ledger::LedgerError;
use provender_sandbox::LogicError;

/// A reason why the current state cannot become a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The subject: `days_remaining:v3`, `provender.toml`.
    pub about: String,
    /// What is wrong with it.
    pub what: String,
    /// How to fix it.
    pub remedy: String,
}

/// Why an action on a release was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// No release has this name or digest.
    #[error("there is no release {asked}; known releases: {known}")]
    Unknown {
        /// What the user asked for.
        asked: String,
        /// The releases that exist.
        known: String,
    },
    /// Several digests begin with the given digits.
    #[error("`{asked}` matches several releases: {found}; give more digits")]
    Ambiguous {
        /// What the user asked for.
        asked: String,
        /// The releases that match.
        found: String,
    },
    /// A promotion was asked for while promotions are frozen.
    #[error("promotions have been frozen since {at} by {by}: {reason}")]
    Held {
        /// When they were frozen (RFC 3339, UTC).
        at: String,
        /// Who froze them.
        by: String,
        /// The reason given.
        reason: String,
    },
    /// Promotions are already frozen, or already not frozen.
    #[error("{0}")]
    Hold(String),
    /// Another release is active than `--expect` says.
    #[error("{expected} was expected to be active, but {found}; nothing was promoted")]
    Expected {
        /// The release that `--expect` names.
        expected: String,
        /// The release that is active, since when and by whom, as a clause.
        found: String,
    },
    /// Another process changed the state first.
    #[error("another process was faster: {found}; nothing was promoted")]
    Overtaken {
        /// What is active now, since when and by whom, as a clause.
        found: String,
    },
    /// The gate refuses the release.
    #[error("the gate of {environment} refuses {release}: {why}")]
    Gate {
        /// The release.
        release: String,
        /// The environment.
        environment: String,
        /// The reasons for the decision.
        why: String,
    },
    /// A canary cannot be started, or none is running that could be stopped.
    #[error("{what}")]
    Canary {
        /// What prevents it.
        what: String,
        /// What to do next.
        next: &'static str,
    },
    /// There is no release to roll back to.
    #[error("{0}")]
    NoWayBack(String),
    /// Files of the release are missing.
    #[error("{release} cannot run here: {problem}")]
    Missing {
        /// The release.
        release: String,
        /// Which file, and why.
        problem: String,
    },
    /// Another release already has this number.
    #[error(
        "the archive's release is {number} with the digest {theirs}, but here {number} is {ours}, cut {cut} by {by}"
    )]
    NumberTaken {
        /// `R3`.
        number: String,
        /// Digest of the release in the archive.
        theirs: String,
        /// Digest of the release known here.
        ours: String,
        /// When the release known here was cut (RFC 3339, UTC).
        cut: String,
        /// Who cut the release known here.
        by: String,
    },
    /// A file of the store or an entry differs from what was recorded.
    #[error("{what} is not what was recorded: {problem}")]
    Damaged {
        /// The file or entry.
        what: String,
        /// How it differs.
        problem: String,
    },
    /// A file is not a release archive, or its contents do not match their hashes.
    #[error("{file} is not a valid release archive: {problem}")]
    Archive {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// A version binds to another configuration here than in the release.
    #[error(
        "{release}: {model_version} binds to the configuration {found} here, but the release was cut with {recorded}: {differs}"
    )]
    OtherConfig {
        /// The release, such as `R3`.
        release: String,
        /// The logic version.
        model_version: ModelVersion,
        /// Digest of the configuration it binds to here.
        found: String,
        /// Digest of the configuration in the release.
        recorded: String,
        /// The first members that differ, with both values.
        differs: String,
    },
    /// The files to prune have changed since the plan was shown.
    #[error("the plan {asked} does not apply: {now}; nothing was removed")]
    PlanChanged {
        /// The digest that the user gave.
        asked: String,
        /// The current plan, or what changed.
        now: String,
    },
    /// The file system failed.
    #[error("{what}: {cause}")]
    Io {
        /// The file.
        what: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A component cannot be loaded.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// A version cannot be bound.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// A back-test failed.
    #[error(transparent)]
    Backtest(#[from] BacktestError),
    /// Monitor rules cannot be gathered or judged.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// A number has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl ReleaseError {
    /// The error code: stable, for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReleaseError::Unknown { .. } => "release_unknown",
            ReleaseError::Ambiguous { .. } => "release_ambiguous",
            ReleaseError::Held { .. } => "release_frozen",
            ReleaseError::Hold(_) => "release_hold",
            ReleaseError::Expected { .. } => "release_expected",
            ReleaseError::Overtaken { .. } => "release_overtaken",
            ReleaseError::Gate { .. } => "gate_refused",
            ReleaseError::Canary { .. } => "canary_refused",
            ReleaseError::NoWayBack(_) => "release_no_way_back",
            ReleaseError::Missing { .. } => "release_missing",
            ReleaseError::NumberTaken { .. } => "release_number_taken",
            ReleaseError::Damaged { .. } => "release_damaged",
            ReleaseError::Archive { .. } => "release_archive",
            ReleaseError::OtherConfig { .. } => "release_other_config",
            ReleaseError::PlanChanged { .. } => "plan_changed",
            ReleaseError::Io { .. } => "release_io",
            ReleaseError::Ledger(e) => e.code(),
            ReleaseError::Logic(e) => e.code(),
            ReleaseError::Compute(e) => e.code(),
            ReleaseError::Backtest(e) => e.code(),
            ReleaseError::Gather(_) => "monitor_rules",
            ReleaseError::Canonical(_) => "not_canonical",
        }
    }

    pub(super) fn damaged(what: impl Into<String>, problem: impl Into<String>) -> ReleaseError {
        ReleaseError::Damaged {
            what: what.into(),
            problem: problem.into(),
        }
    }
}
