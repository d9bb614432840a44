//! Errors of a back-test. A candidate that fails on rows is not an error: the report lists the rows.

use crate::compute::ComputeError;
use crate::monitor::MonitorError;
use crate::monitor::gather::GatherError;
use provender_domain::canonical::CanonicalError;
use provender_ledger::LedgerError;
use provender_sandbox::LogicError;
use provender_store::manifest::ManifestError;

/// A back-test that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// There is no recorded answer to compare with.
    #[error("{logic} has no recorded answer {place}: nothing was compared, so this is not a pass")]
    Nothing {
        /// Name of the logic.
        logic: String,
        /// Boundary, herd and days asked for, as the end of a sentence.
        place: String,
    },
    /// A run or its batch, manifest or configuration could not be read or computed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The rules of a side are invalid.
    #[error(transparent)]
    Gather(#[from] GatherError),
}

impl BacktestError {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            BacktestError::Nothing { .. } => "nothing_recorded",
            BacktestError::Compute(e) => e.code(),
            BacktestError::Gather(_) => "monitor_rules",
        }
    }
}

impl From<LedgerError> for BacktestError {
    fn from(e: LedgerError) -> Self {
        BacktestError::Compute(e.into())
    }
}

impl From<ManifestError> for BacktestError {
    fn from(e: ManifestError) -> Self {
        BacktestError::Compute(e.into())
    }
}

impl From<LogicError> for BacktestError {
    fn from(e: LogicError) -> Self {
        BacktestError::Compute(e.into())
    }
}

impl From<CanonicalError> for BacktestError {
    fn from(e: CanonicalError) -> Self {
        BacktestError::Compute(e.into())
    }
}

impl From<MonitorError> for BacktestError {
    fn from(e: MonitorError) -> Self {
        BacktestError::Gather(e.into())
    }
}
