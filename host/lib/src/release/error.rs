//! How releases say no.

use crate::backtest::BacktestError;
use crate::compute::ComputeError;
use crate::monitor::gather::GatherError;
use provender_domain::canonical::CanonicalError;
use provender_domain::ids::ModelVersion;
use provender_ledger::LedgerError;
use provender_sandbox::LogicError;

/// What is wrong in a state that was to become a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is about: `days_remaining:v3`, `provender.toml`.
    pub about: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// A refusal or failure.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// No release of this name.
    #[error("there is no release {asked}; known releases: {known}")]
    Unknown {
        /// As it was asked for.
        asked: String,
        /// The releases known.
        known: String,
    },
    /// Several releases begin with these digits.
    #[error("`{asked}` matches several releases: {found}; give more digits")]
    Ambiguous {
        /// As it was asked for.
        asked: String,
        /// The releases that begin so.
        found: String,
    },
    /// The state is unclean.
    #[error("no release was cut: {}", listed(.0))]
    Unclean(Vec<Problem>),
    /// A promotion while promotions are frozen.
    #[error("promotions have been frozen since {at} by {by}: {reason}")]
    Held {
        /// Since when.
        at: String,
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
    /// The freeze is already so.
    #[error("{0}")]
    Hold(String),
    /// What is active is not what was expected.
    #[error("{expected} was expected to be active, but {found}; nothing was promoted")]
    Expected {
        /// What `--expect` said.
        expected: String,
        /// What is active instead, since when and by whom.
        found: String,
    },
    /// Somebody else was faster.
    #[error("another process was faster: {found}; nothing was promoted")]
    Overtaken {
        /// What is active now, since when and by whom.
        found: String,
    },
    /// A gate says no.
    #[error("the gate of {environment} refuses {release}: {why}")]
    Gate {
        /// The release.
        release: String,
        /// The environment.
        environment: String,
        /// The decision in words.
        why: String,
    },
    /// A canary cannot start, or there is none to stop.
    #[error("{what}")]
    Canary {
        /// What is in the way.
        what: String,
        /// What to do next.
        next: &'static str,
    },
    /// There is nothing to go back to.
    #[error("{0}")]
    NoWayBack(String),
    /// Files of the release are gone.
    #[error("{release} cannot run here: {problem}")]
    Missing {
        /// The release.
        release: String,
        /// What is missing.
        problem: String,
    },
    /// A release of this number exists with another content.
    #[error(
        "the archive's release is {number} with the digest {theirs}, but here {number} is {ours}, cut {cut} by {by}"
    )]
    NumberTaken {
        /// `R3`.
        number: String,
        /// Digest in the archive.
        theirs: String,
        /// Digest known here.
        ours: String,
        /// When ours was cut.
        cut: String,
        /// By whom.
        by: String,
    },
    /// A file of the store, or an entry, is not what it must be.
    #[error("{what} is not what was recorded: {problem}")]
    Damaged {
        /// The file or entry.
        what: String,
        /// What differs.
        problem: String,
    },
    /// An archive is not one, or not what it says it is.
    #[error("{file} is not a valid release archive: {problem}")]
    Archive {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// What is bound from the release is not what the release says.
    #[error(
        "{release}: {model_version} binds to the configuration {found} here, but the release was cut with {recorded}: {differs}"
    )]
    OtherConfig {
        /// The release.
        release: String,
        /// The logic.
        model_version: ModelVersion,
        /// Digest found.
        found: String,
        /// Digest recorded.
        recorded: String,
        /// The first members that differ.
        differs: String,
    },
    /// A plan of `prune` is no longer what it was.
    #[error("the plan {asked} does not apply: {now}; nothing was removed")]
    PlanChanged {
        /// As it was asked for.
        asked: String,
        /// The plan as it would be now.
        now: String,
    },
    /// The disk refused.
    #[error("{what}: {cause}")]
    Io {
        /// The file.
        what: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A component.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// Binding.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// A back-test.
    #[error(transparent)]
    Backtest(#[from] BacktestError),
    /// Monitor rules.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// A number without a canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

fn listed(problems: &[Problem]) -> String {
    let n = problems.len();
    let head = format!(
        "{n} problem{} must be fixed first",
        if n == 1 { "" } else { "s" }
    );
    problems.iter().fold(head, |text, p| {
        format!(
            "{text}\n  {}: {}\n    remedy: {}",
            p.about, p.what, p.remedy
        )
    })
}

impl ReleaseError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReleaseError::Unknown { .. } => "release_unknown",
            ReleaseError::Ambiguous { .. } => "release_ambiguous",
            ReleaseError::Unclean(_) => "release_unclean",
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
