//! Releases: what may run in an environment, as one immutable object that travels.
//!
//! A release names components by their bytes, the active version of each logic, and the settings and
//! configuration themselves. The active release is not stored anywhere: it follows from the entries of the
//! ledger, and a rollback is one more entry.
//!
//! * [`document`] — the release itself: its contents, digest and consistency checks
//! * [`store`] — the folder of releases and their components, each file written once
//! * [`state`] — the state of releases, computed from entries: known, active, frozen, notes
//! * [`evidence`] — findings about a release, as objects that travel
//! * [`cut`] — cuts a release here
//! * [`gate`] — what a release must pass before it becomes active
//! * [`promote`] — promotion, rollback, freeze and unfreeze
//! * `meanwhile` — decides from the current state, and again if it changed
//! * [`canary`] — a candidate that computes in shadow, compared with the active release
//! * [`archive`] — one file with everything a release needs to run; every byte is checked
//! * [`travel`] — export and import
//! * [`prune`] — removes files of the store that are no longer needed
//! * [`reading`] — binds a logic as the active release says, and lists what that overrides
//! * [`error`] — errors about releases

pub mod archive;
pub mod canary;
pub mod cut;
pub mod document;
pub mod error;
pub mod evidence;
pub mod gate;
mod meanwhile;
pub mod promote;
pub mod prune;
pub mod reading;
pub mod state;
pub mod store;
pub mod travel;

pub use document::Document;
pub use error::ReleaseError;
pub use state::ReleaseState;
pub use store::ReleaseStore;
