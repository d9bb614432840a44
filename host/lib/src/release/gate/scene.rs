//! What checks look at: the release, the environment and its recorded data.

use provender_domain::ids::ModelVersion;
use std::path::PathBuf;

use crate::backtest::run::Archive;
use crate::compute::{Bound, Facts};
use crate::project::canary::CanarySettings;
use crate::project::gate::Policy;
use crate::project::logic::LogicOverrides;
use provender_domain::catalogue::Feature;
use provender_domain::day::Day;
use provender_domain::interrupt::Interrupt;
use provender_ledger::Read;
use provender_sandbox::{ComponentSearchPath, Sandbox};
use provender_store::manifest::Store;

use super::super::ReleaseError;
use super::super::reading;
use super::super::state::{Known, ReleaseState};
use super::super::store::ReleaseStore;

/// Everything that checks need.
pub struct GateContext<'a, 'l> {
    /// The ledger with runs and entries.
    pub ledger: &'l dyn Read,
    /// The manifests of the runs.
    pub manifests: &'a Store,
    /// Loads and runs components.
    pub sandbox: &'a Sandbox,
    /// The store with the components of releases.
    pub store: &'a ReleaseStore,
    /// Finds components of runs of any version, by digest.
    pub search_path: &'a ComponentSearchPath,
    /// The state of releases.
    pub standing: &'a ReleaseState,
    /// The release to decide on.
    pub release: &'a Known,
    /// The environment whose policy applies.
    pub environment: &'a str,
    /// The policy of the environment.
    pub policy: &'a Policy,
    /// Thresholds of canaries, from `[canary]`.
    pub canary: &'a CanarySettings,
    /// The facts as known now.
    pub facts: &'a Facts<'l>,
    /// The catalogue of columns of this deployment.
    pub catalogue: &'a [Feature],
    /// Names of sources, in order of precedence.
    pub precedence: Vec<String>,
    /// Length of the monitors' window in days.
    pub window_days: u32,
    /// Returns the folder with the golden cases of a logic, if it is available here.
    pub cases: &'a dyn Fn(&str) -> Option<PathBuf>,
    /// Now (RFC 3339, UTC).
    pub now: &'a str,
    /// The current day.
    pub today: Day,
}

/// An active version of a release, bound.
pub(crate) struct Side {
    /// The component with its configuration.
    pub(crate) bound: Bound,
    /// DS's settings of the version.
    pub(crate) settings: LogicOverrides,
}

impl GateContext<'_, '_> {
    /// Binds the active versions of a release as the release says.
    ///
    /// # Errors
    /// If a component is missing, differs from its digest, or binds differently here.
    pub(crate) fn sides(&self, of: &Known) -> Result<Vec<Side>, ReleaseError> {
        let bind = |model: &ModelVersion| {
            Ok(Side {
                bound: reading::bind(self.sandbox, self.store, &of.document, model)?,
                settings: of.document.overrides(model),
            })
        };
        of.document.active.iter().map(bind).collect()
    }

    /// First day of the policy's window.
    #[must_use]
    pub(crate) fn from(&self) -> Day {
        self.today.back(self.policy.backtest.days)
    }

    /// The recorded data that a back-test reads.
    #[must_use]
    pub(crate) fn archive(&self) -> Archive<'_> {
        Archive {
            ledger: self.ledger,
            manifests: self.manifests,
            catalogue: self.catalogue,
            precedence: self.precedence.clone(),
            interrupt: Interrupt::default(),
        }
    }

    /// Name of the release: `R3`.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        self.release.document.name()
    }
}
