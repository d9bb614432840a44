//! The result of a replay.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, Recipe};
use provender_domain::merkle;
use provender_ledger::entries::{Engine, FailedReplay, Replay, ReplayVerdict, Selection};

/// An output whose replayed value differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ReplayDifference")]
pub struct Difference {
    /// The run.
    pub run_id: Digest,
    /// Its key, for people.
    pub key: String,
    /// Name of the output.
    pub output: String,
    /// The value in the manifest or the ledger.
    pub recorded: Json,
    /// The value computed now.
    pub replayed: Json,
}

/// Why a run could not be computed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The component's bytes were not found.
    ComponentMissing,
    /// Component or manifest differ from what was recorded.
    Integrity,
    /// This program refuses the component.
    ComponentRejected,
    /// The component failed on inputs for which it gave an answer before.
    ComponentFailed,
    /// A file could not be read, or the sandbox could not start.
    Host,
}

/// A run that could not be computed again.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ReplayFailure")]
pub struct Failure {
    /// The run.
    pub run_id: Digest,
    /// Its key, for people.
    pub key: String,
    /// For the exit code.
    #[serde(skip)]
    pub cause: Cause,
    /// A stable code.
    pub code: String,
    /// What happened, as a sentence.
    pub message: String,
}

/// The result for all runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayResults {
    /// Runs computed again.
    pub replayed: Vec<Digest>,
    /// How many of them have the same bits.
    pub identical: usize,
    /// The outputs that differ.
    pub different: Vec<Difference>,
    /// Runs that could not be computed again.
    pub failed: Vec<Failure>,
    /// Whether the work was interrupted; if so, some runs were left out.
    pub interrupted: bool,
}

impl ReplayResults {
    /// Adds the results of other runs.
    pub(crate) fn extend(&mut self, other: ReplayResults) {
        self.replayed.extend(other.replayed);
        self.identical += other.identical;
        self.different.extend(other.different);
        self.failed.extend(other.failed);
        self.interrupted |= other.interrupted;
    }

    /// Sorts the results, so that they do not depend on the order of threads.
    pub(crate) fn sort(&mut self) {
        // Each thread's results are already sorted, and this sort merges long ascending runs quickly.
        self.replayed.sort();
        self.different
            .sort_by(|a, b| (&a.key, &a.output).cmp(&(&b.key, &b.output)));
        self.failed.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// The entry for the ledger: how many runs, the RFC 6962 root over the ids of the replayed runs in ascending order,
    /// and the result.
    #[must_use]
    pub fn payload(&self, engine: &Engine, selection: &Selection) -> Replay {
        // All ids have one recipe, so the order of their bytes is the order of their texts.
        let mut ids = self.replayed.clone();
        ids.sort();
        let root = merkle::root_of(&ids, &|id| merkle::leaf(id.to_string().as_bytes()));
        let failed = self.failed.iter().map(|f| FailedReplay {
            run_id: f.run_id.to_string(),
            code: f.code.to_string(),
        });
        Replay {
            count: self.replayed.len() as u64,
            root: Digest::from_parts(Recipe::Raw, root),
            identical: self.identical as u64,
            different: self.different_runs(),
            failed: failed.collect(),
            verdict: match self.is_clean() {
                true => ReplayVerdict::Identical,
                false => ReplayVerdict::Different,
            },
            engine: engine.clone(),
            selection: selection.clone(),
        }
    }

    /// True if every run gave the same bits.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.different.is_empty() && self.failed.is_empty()
    }

    /// The ids of the runs with a different output.
    #[must_use]
    pub fn different_runs(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .different
            .iter()
            .map(|d| d.run_id.to_string())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
