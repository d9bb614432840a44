//! The result of an audit: what holds and what does not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::canonical::Digest;
use provender_domain::merkle::Hash;
use provender_domain::words;

/// The checks, in the order in which they are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "AuditCheck")]
pub enum Check {
    /// SQLite's own integrity check.
    Database,
    /// Tables, indexes, triggers and views match this program's schema.
    Schema,
    /// Each entry has its hash and names the entry before it.
    Entries,
    /// The tree over the entries extends a checkpoint that was kept outside the ledger.
    Checkpoint,
    /// Files and withdrawals match their entries.
    Files,
    /// Boundaries, herds and observations match the root in their file's entry.
    Facts,
    /// Runs match the root in their batch's entry.
    Runs,
    /// Configurations and series match their digests, and each is referred to.
    Configs,
    /// Manifests match their runs.
    Manifests,
    /// Documents (reports, baselines) match their entries.
    Reports,
    /// Components that are pinned, or named by a run or a release, match their digests.
    Components,
    /// Releases in the store match their entries.
    Releases,
}

impl Check {
    /// Every check, in order.
    pub const ALL: [Check; 12] = [
        Check::Database,
        Check::Schema,
        Check::Entries,
        Check::Checkpoint,
        Check::Files,
        Check::Facts,
        Check::Runs,
        Check::Configs,
        Check::Manifests,
        Check::Reports,
        Check::Components,
        Check::Releases,
    ];

    /// The name of the check in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Check::Database => "database",
            Check::Schema => "schema",
            Check::Entries => "entries",
            Check::Checkpoint => "checkpoint",
            Check::Files => "files",
            Check::Facts => "facts",
            Check::Runs => "runs",
            Check::Configs => "configs",
            Check::Manifests => "manifests",
            Check::Reports => "reports",
            Check::Components => "components",
            Check::Releases => "releases",
        }
    }

    /// What holds if the check passes, as a sentence for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Check::Database => "SQLite finds its file sound",
            Check::Schema => "tables, guards and triggers are those of this program",
            Check::Entries => "every entry has its hash and follows the one before",
            Check::Checkpoint => "history only grew since the checkpoint",
            Check::Files => "every file and withdrawal is as its entry says",
            Check::Facts => "every boundary, herd and observation is in its file's root",
            Check::Runs => "every run is in its batch's root",
            Check::Configs => "every configuration has its digest and is used",
            Check::Manifests => "every run's manifest is the recorded one",
            Check::Reports => "every document is the recorded one",
            Check::Components => "every component has its digest",
            Check::Releases => "every release in the store is the recorded one",
        }
    }
}

words! {
    /// The kind of an object that differs from what was recorded. Findings are sorted in this order, which is
    /// also that of the words.
    pub enum ObjectKind: "kind of object" {
        /// The runs recorded by one entry.
        Batch = "batch",
        /// The outline of a pasture.
        Boundary = "boundary",
        /// A checkpoint kept outside the ledger.
        Checkpoint = "checkpoint",
        /// The bytes of a component.
        Component = "component",
        /// A configuration.
        Config = "config",
        /// The database as a whole.
        Database = "database",
        /// An entry of the ledger.
        Entry = "entry",
        /// The rows that a file added.
        Facts = "facts",
        /// An ingested file.
        File = "file",
        /// A herd.
        Herd = "herd",
        /// A list that indexes runs.
        List = "list",
        /// `provender.lock`.
        Lock = "lock",
        /// A manifest.
        Manifest = "manifest",
        /// An observation.
        Observation = "observation",
        /// A file with the manifests of several runs.
        Pack = "pack",
        /// A release.
        Release = "release",
        /// A document.
        Report = "report",
        /// A withdrawal of files.
        Retraction = "retraction",
        /// A run.
        Run = "run",
        /// A table, index, trigger or view.
        Schema = "schema",
        /// A series of runs.
        Series = "series",
        /// A column of observations.
        Stream = "stream",
    }
}

/// An object that differs from what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Bad {
    /// The check that found it.
    pub check: Check,
    /// What kind of object it is.
    pub kind: ObjectKind,
    /// Which object: a path, digest or number.
    pub id: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The result of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// How many objects each check looked at. A check that is absent was not run.
    pub checked: BTreeMap<Check, u64>,
    /// Everything that differs, by check, in the order in which it was found.
    pub bad: Vec<Bad>,
    /// Manifests that no run names. A killed process leaves them behind; they are harmless but reported.
    pub orphans: Vec<String>,
    /// Size and root of the Merkle tree over the entries.
    pub tree: Option<(u64, Digest)>,
    /// The hashes that prove that this tree extends the checkpoint's tree (RFC 6962, 2.1.2). `None` if it does
    /// not, or if there is nothing to prove.
    pub consistency: Option<Vec<Hash>>,
}

impl AuditReport {
    /// Counts `n` more objects for a check.
    pub(crate) fn looked(&mut self, check: Check, n: u64) {
        *self.checked.entry(check).or_default() += n;
    }

    /// Adds the counts and findings of another part of the audit.
    pub(crate) fn add(&mut self, other: AuditReport) {
        for (check, n) in other.checked {
            self.looked(check, n);
        }
        self.bad.extend(other.bad);
    }

    /// Adds a finding.
    pub(crate) fn bad(
        &mut self,
        check: Check,
        kind: ObjectKind,
        id: impl Into<String>,
        problem: impl Into<String>,
    ) {
        self.bad.push(Bad {
            check,
            kind,
            id: id.into(),
            problem: problem.into(),
        });
    }

    /// The number of findings of a check.
    #[must_use]
    pub fn bad_of(&self, check: Check) -> usize {
        self.bad.iter().filter(|b| b.check == check).count()
    }

    /// Whether every check that was run passed.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.bad.is_empty()
    }

    /// Sorts findings by check. Within a check the order stays as it is: sorted by kind and id if threads found
    /// them.
    pub(crate) fn sort(&mut self) {
        self.bad.sort_by_key(|b| b.check);
        self.orphans.sort_unstable();
    }
}
