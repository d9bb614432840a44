//! What held, what did not.

use std::collections::BTreeMap;

use provender_domain::canonical::Digest;
use provender_domain::merkle::Hash;
use provender_domain::words;

/// What is checked, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// SQLite's own check of its file.
    Database,
    /// Tables, indexes, triggers and views against this program's schema.
    Schema,
    /// Entries: each hash, and each naming the one before.
    Entries,
    /// The tree over the entries, against a checkpoint kept elsewhere.
    Checkpoint,
    /// Files and their withdrawals, against their entries.
    Files,
    /// Boundaries, herds and observations, against the root in their file's entry.
    Facts,
    /// Runs, against the root in their batch's entry.
    Runs,
    /// Configurations and series: each by its digest, each referred to.
    Configs,
    /// Manifests, against their run.
    Manifests,
    /// Documents (reports, baselines), against their entry.
    Reports,
    /// Components: pinned, named by a run, named by a release.
    Components,
    /// Releases in the store, against their entry.
    Releases,
}

impl Check {
    /// Every check.
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

    /// Its name, which is also the kind of what it found.
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

    /// What it means that it held, for people.
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
    /// What kind of object is not what was recorded. Findings are sorted by its order, which is that of the words.
    pub enum ObjectKind: "kind of object" {
        /// Runs recorded under one entry.
        Batch = "batch",
        /// An outline.
        Boundary = "boundary",
        /// A checkpoint kept elsewhere.
        Checkpoint = "checkpoint",
        /// A component's bytes.
        Component = "component",
        /// A configuration.
        Config = "config",
        /// The database as a whole.
        Database = "database",
        /// An entry.
        Entry = "entry",
        /// What a file brought.
        Facts = "facts",
        /// A file taken in.
        File = "file",
        /// A herd.
        Herd = "herd",
        /// A list by which runs are found.
        List = "list",
        /// The lock file.
        Lock = "lock",
        /// A manifest.
        Manifest = "manifest",
        /// An observation.
        Observation = "observation",
        /// A pack of manifests.
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

/// Something that is not what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bad {
    /// Which check found it.
    pub check: Check,
    /// What it is.
    pub kind: ObjectKind,
    /// Which one.
    pub id: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many objects each check looked at; a check that is missing was not made.
    pub checked: BTreeMap<Check, u64>,
    /// Everything that is not what was recorded, by check, in the order in which it was found.
    pub bad: Vec<Bad>,
    /// Manifests that no run names: left by a killed process, harmless, and told.
    pub orphans: Vec<String>,
    /// Size and root of the tree over the entries.
    pub tree: Option<(u64, Digest)>,
    /// The hashes that prove that the tree of the checkpoint is a beginning of this one (RFC 6962, 2.1.2);
    /// none when it is not, or when there is nothing to prove.
    pub consistency: Option<Vec<Hash>>,
}

impl Report {
    /// Notes that a check looked at so many objects more.
    pub fn looked(&mut self, check: Check, n: u64) {
        *self.checked.entry(check).or_default() += n;
    }

    /// Takes over what another part of the audit looked at and found.
    pub fn add(&mut self, other: Report) {
        for (check, n) in other.checked {
            self.looked(check, n);
        }
        self.bad.extend(other.bad);
    }

    /// Notes something bad.
    pub fn bad(
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

    /// How many bad objects a check found.
    #[must_use]
    pub fn bad_of(&self, check: Check) -> usize {
        self.bad.iter().filter(|b| b.check == check).count()
    }

    /// True when everything that was checked held.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.bad.is_empty()
    }

    /// By check; within one by kind and id where threads found them in any order.
    pub fn sort(&mut self) {
        self.bad.sort_by_key(|b| b.check);
        self.orphans.sort_unstable();
    }
}
