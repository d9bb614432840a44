//! Write-once manifests: everything about a run, in one file under the digest of what can be
//! computed again. [`Manifest`] is what one holds.
//!
//! * [`store`] — writing once, adopting what a killed process left, reading with every digest checked
//! * [`pack`] — many manifests in one file
//! * [`names`] — boundary ids as safe folder names
//! * [`error`] — how it says no

pub mod error;
pub mod names;
pub mod pack;
pub mod store;

pub use error::ManifestError;
pub use provender_domain::manifest::Manifest;
pub use store::{Sheet, Store};
