//! The release contract: what a change may not do to what was released, read from git.
//!
//! A change is everything between the base, that is the newest commit that it shares with the
//! revision it will be merged into, and the working tree, files that git does not know yet included. What was frozen at the base stays: its
//! pin, its bytes, its source, what it declares; the WIT of a version stays; and who owns a path
//! has approved. Every finding names a file and the way out.
//!
//! * [`git`] — the repository: the base, what changed, files as they were
//! * `owners` — `CODEOWNERS`: which owners a path has
//! * [`rules`] — the rules, and what they find
//! * `declared` — what differs between two declarations of one version
//! * [`render`] — findings as JUnit and as annotations of a pull request
//! * [`error`] — how this room says no

mod declared;
pub mod error;
pub mod git;
mod owners;
pub mod render;
pub mod rules;

pub use error::ContractError;
pub use git::{Repository, uncommitted};
pub use rules::{Finding, Rule};
