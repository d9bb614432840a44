//! Releases: what may run in an environment, as one immutable object that travels.
//!
//! A release names components by their bytes, the active version of each logic, and the settings and
//! configuration themselves. Which release is in force is never stored: it follows from the entries
//! of the ledger, and going back is one entry more.
//!
//! * [`document`] — the release itself: what is in it, its digest, its checks against itself
//! * [`store`] — the folder of releases and their components, each file written once
//! * [`standing`] — from the entries: releases known, which is active, held or not, notes on each
//! * [`evidence`] — what was found out about a release, as an object that travels
//! * [`cut`] — a release made here
//! * [`gate`] — what must hold before a release becomes active, looked at and decided
//! * [`promote`] — promotion, rollback, freeze and unfreeze
//! * `meanwhile` — what is decided by how things stand, and anew where they changed
//! * [`canary`] — a candidate that computes in shadow, compared with the active release
//! * [`archive`] — one file with everything a release needs to run; one spelling, every byte checked
//! * [`travel`] — export and import
//! * [`prune`] — which files of the store nobody needs any more
//! * [`reading`] — what a release in force means for binding a logic, and what it overrules
//! * [`error`] — how this room says no

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
pub mod standing;
pub mod store;
pub mod travel;

pub use document::Document;
pub use error::ReleaseError;
pub use standing::Standing;
pub use store::ReleaseStore;
