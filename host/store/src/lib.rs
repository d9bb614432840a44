//! Write-once objects, and the manifests that are kept as such.
//!
//! * [`manifest`] — write-once manifests, one a run

pub mod manifest;
