//! What checks look at: the release, the environment, and both sides of a comparison bound once.

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
use super::super::standing::{Known, Standing};
use super::super::store::ReleaseStore;

/// What checks look at.
pub struct Scene<'a, 'l> {
    /// Where runs and entries are.
    pub ledger: &'l dyn Read,
    /// Manifests of the runs.
    pub manifests: &'a Store,
    /// Loads and runs components.
    pub sandbox: &'a Sandbox,
    /// Components of releases.
    pub store: &'a ReleaseStore,
    /// Components by digest, for runs of any version.
    pub search_path: &'a ComponentSearchPath,
    /// How releases stand.
    pub standing: &'a Standing,
    /// The release that is asked about.
    pub release: &'a Known,
    /// The environment whose policy is asked.
    pub environment: &'a str,
    /// Its policy.
    pub policy: &'a Policy,
    /// Thresholds of a canary.
    pub canary: &'a CanarySettings,
    /// What is known now.
    pub facts: &'a Facts<'l>,
    /// Columns of this deployment.
    pub catalogue: &'a [Feature],
    /// Sources in their order of precedence.
    pub precedence: Vec<String>,
    /// Days of the monitors' window.
    pub window_days: u32,
    /// The folder with the golden cases of a logic, where there is one here.
    pub cases: &'a dyn Fn(&str) -> Option<PathBuf>,
    /// Now (RFC 3339, UTC).
    pub now: &'a str,
    /// Today.
    pub today: Day,
}

/// An active version of a release, bound.
pub struct Side {
    /// The component with its configuration.
    pub bound: Bound,
    /// DS's settings of it.
    pub settings: LogicOverrides,
}

impl Scene<'_, '_> {
    /// The active versions of a release, bound as it says.
    ///
    /// # Errors
    /// When a component is not there, not what it must be, or binds otherwise here.
    pub fn sides(&self, of: &Known) -> Result<Vec<Side>, ReleaseError> {
        let bind = |model: &ModelVersion| {
            Ok(Side {
                bound: reading::bind(self.sandbox, self.store, &of.document, model)?,
                settings: of.document.overrides(model),
            })
        };
        of.document.active.iter().map(bind).collect()
    }

    /// First day of the days that are looked back.
    #[must_use]
    pub fn from(&self) -> Day {
        self.today.back(self.policy.backtest.days)
    }

    /// Where a back-test reads.
    #[must_use]
    pub fn archive(&self) -> Archive<'_> {
        Archive {
            ledger: self.ledger,
            manifests: self.manifests,
            catalogue: self.catalogue,
            precedence: self.precedence.clone(),
            interrupt: Interrupt::default(),
        }
    }

    /// `R3`.
    #[must_use]
    pub fn name(&self) -> String {
        self.release.document.name()
    }
}
