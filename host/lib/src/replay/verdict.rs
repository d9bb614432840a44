//! What came of a replay.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use provender_domain::canonical::{Digest, Recipe};
use provender_domain::merkle;
use provender_ledger::entries::{Engine, FailedReplay, Replay, ReplayVerdict, Selection};

/// An output that came out otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ReplayDifference")]
pub struct Difference {
    /// The run.
    pub run_id: Digest,
    /// Its key, for people.
    pub key: String,
    /// Name of the output.
    pub output: String,
    /// What the manifest or the ledger holds.
    pub recorded: Json,
    /// What came out now.
    pub replayed: Json,
}

/// Why a run could not be computed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The component's bytes are nowhere.
    ComponentMissing,
    /// Component or manifest are not what was recorded.
    Integrity,
    /// The component is refused by this program.
    ComponentRejected,
    /// The component failed on inputs on which it had answered.
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

/// What came of all runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayResults {
    /// Runs computed again.
    pub replayed: Vec<Digest>,
    /// How many of them gave the same bits.
    pub identical: usize,
    /// The outputs that did not.
    pub different: Vec<Difference>,
    /// Runs that could not be computed again.
    pub failed: Vec<Failure>,
    /// Whether it was asked to stop: other runs were left out.
    pub interrupted: bool,
}

impl ReplayResults {
    /// Adds what came of other runs.
    pub fn extend(&mut self, other: ReplayResults) {
        self.replayed.extend(other.replayed);
        self.identical += other.identical;
        self.different.extend(other.different);
        self.failed.extend(other.failed);
        self.interrupted |= other.interrupted;
    }

    /// The order of results does not depend on which thread came first.
    pub fn sort(&mut self) {
        // What threads have sorted before are long ascending stretches, which this sort merges.
        self.replayed.sort();
        self.different
            .sort_by(|a, b| (&a.key, &a.output).cmp(&(&b.key, &b.output)));
        self.failed.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// What the ledger's entry says: how many, the RFC 6962 root over the ids of the runs computed
    /// again in ascending order, and what came of them.
    #[must_use]
    pub fn says(&self, engine: &Engine, selection: &Selection) -> Replay {
        // Ids have one recipe: in the order of their bytes they are in that of their texts.
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

    /// True when every run gave the same bits.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.different.is_empty() && self.failed.is_empty()
    }

    /// The ids of the runs that came out otherwise.
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
