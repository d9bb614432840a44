//! Write-once manifests: everything about a run, in one file named by the digest of the reproducible part.
//! [`Manifest`] holds one.
//!
//! * [`store`] — writes manifests once, adopts those of killed processes, and checks every digest when reading
//! * [`pack`] — many manifests in one file
//! * [`names`] — boundary ids as safe folder names
//! * [`error`] — errors of the manifest store

pub mod error;
pub mod names;
pub mod pack;
pub mod store;

pub use error::ManifestError;
pub use provender_domain::manifest::Manifest;
pub use store::{ManifestDraft, Store};
