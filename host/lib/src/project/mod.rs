//! A deployment's folder: its three hand-written files, and where everything else is.
//!
//! * [`folder`] — finding the folder, opening its parts
//! * [`settings`] — `provender.toml` (MLOps)
//! * [`canary`] — `[canary]` of `provender.toml`
//! * [`gate`] — `[gate.ENVIRONMENT]`: the checks before a release becomes active
//! * [`logic`] — `logic.toml` (DS)
//! * [`sources`] — `sources.toml` (MLOps): files, formats, precedence, `[[series]]`
//! * [`find`] — the files of the sources
//! * [`error`] — configuration errors, by file and key

pub mod canary;
pub mod error;
pub mod find;
pub mod folder;
pub mod gate;
pub mod logic;
pub mod settings;
pub mod sources;

pub use error::ProjectError;
pub use folder::Project;
