//! The release contract: what a change may not do to what was released, read from git.
//!
//! A change is everything between the base, that is the newest commit that it shares with the
//! revision it will be merged into, and the working tree, files that git does not know yet
//! included. What was frozen at the base stays: its pin, its bytes, its source, what it declares;
//! the WIT of a version stays; and who owns a path has approved. Every finding names a file and
//! the way out.
//!
//! * [`git`] — the repository: the base, what changed, files as they were
//! * [`rule`] — the rules by name, and what a broken one says
//! * [`rules`] — the judgement: every rule over one change
//! * `frozen` — what was frozen at the base
//! * `pins`, `bytes`, `sources`, `wit`, `approvals` — a rule each
//! * `declared` — what differs between two declarations of one version
//! * `owners` — `CODEOWNERS`: which owners a path has
//! * [`render`] — findings as JUnit and as annotations of a pull request
//! * [`error`] — how this room says no

mod approvals;
mod bytes;
mod declared;
pub mod error;
mod frozen;
pub mod git;
mod owners;
mod pins;
pub mod render;
pub mod rule;
pub mod rules;
mod sources;
mod wit;

pub use error::ContractError;
pub use git::{Repository, uncommitted};
pub use pins::line_of_pin;
pub use rule::{ContractFinding, Rule};
pub use rules::ContractVerdict;
