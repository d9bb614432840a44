//! The author's folder: one logic version as source, made new and built to a component.
//!
//! A folder says in `provender-plugin.toml` which logic it is, in which language, and where its
//! component and its golden cases lie. What a new folder holds is carried by the program, so that
//! an author needs neither this project's source nor a registry that has its SDK. Silent: the
//! command line says where the tools are and prints what came of it.
//!
//! * [`name`] — `NAME:VERSION`, and what folders and files are called after it
//! * [`manifest`] — `provender-plugin.toml`
//! * [`scaffold`] — a new folder: planned whole, then written
//! * `source` — where `--from` finds a version's source and cases
//! * `rename` — a source under another name and version
//! * `cases` — its golden cases for the new version
//! * `rust`, `python` — what a folder of that language holds
//! * `workspace` — a new member of the project's own workspace of logics
//! * `embedded` — what the program carries for all this
//! * [`compile`] — the language's own tools to a component, once, or twice to compare
//! * [`stale`] — whether the source was changed after its component was built
//! * [`error`] — how this room says no

mod cases;
pub mod compile;
mod embedded;
pub mod error;
pub mod manifest;
pub mod name;
mod python;
mod rename;
mod rust;
pub mod scaffold;
mod source;
pub mod stale;
mod workspace;

pub use error::AuthorError;
pub use manifest::{Language, PluginManifest};
pub use name::LogicName;
pub use source::shipped_cases;
