//! The release contract: what a change must not do to released versions, read from git.
//!
//! The base is the newest commit that the change shares with the revision it will be merged into. The
//! change is everything between the base and the working tree, including untracked files. What was
//! frozen at the base must keep its pin, its bytes, its source and its declaration; a version of the
//! WIT must stay; and the owners of changed paths must have approved. Every finding names a file and
//! what to do.
//!
//! * `git` — the repository: the base, what changed, files as they were
//! * `rule` — the rules: their names and their texts
//! * `rules` — checks one change against every rule
//! * `frozen` — what was frozen at the base
//! * `pins`, `bytes`, `sources`, `wit`, `approvals` — one rule each
//! * `declared` — what differs between two declarations of one version
//! * `owners` — `CODEOWNERS`: which owners a path has
//! * `render` — findings as JUnit and as annotations of a pull request
//! * `error` — errors

mod approvals;
mod bytes;
mod declared;
mod error;
mod frozen;
mod git;
mod owners;
mod pins;
mod render;
mod rule;
mod rules;
mod sources;
mod wit;

pub use error::ContractError;
pub(crate) use git::{Repository, uncommitted};
pub(crate) use pins::line_of_pin;
pub use render::{annotation, in_repository as path_in_repository, suite as junit_suite};
pub use rule::{ContractFinding, Rule};
pub use rules::ContractVerdict;
pub(crate) use rules::judge;
