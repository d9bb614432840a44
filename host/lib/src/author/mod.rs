//! The author's folder: creates the source of one logic version and builds it to a component.
//!
//! `provender-plugin.toml` names the folder's logic version, its language, its component and its golden
//! cases. The program contains everything that a new folder needs, so that an author needs neither
//! this project's source nor a registry with its SDK. This room prints nothing: the command line
//! passes in where the tools are and prints the result.
//!
//! * `name` — `NAME:VERSION`, and the names of folders and files derived from it
//! * `manifest` — `provender-plugin.toml`
//! * `scaffold` — a new folder: planned completely, then written
//! * `source` — where `--from` finds a version's source and cases
//! * `rename` — rewrites a source to another name and version
//! * `cases` — its golden cases for the new version
//! * `rust`, `python` — the files of a folder in that language
//! * `workspace` — adds a member to the project's own workspace of logics
//! * `embedded` — the files that the program contains
//! * `compile` — builds the component with the language's own tools, once, or twice to compare
//! * `stale` — whether the source changed after its component was built
//! * `error` — errors

mod cases;
mod compile;
mod embedded;
mod error;
mod manifest;
mod name;
mod python;
mod rename;
mod rust;
mod scaffold;
mod source;
mod stale;
mod workspace;

pub use compile::{Built, Machine, Twice, build, verify};
pub use error::AuthorError;
pub use manifest::{FILE as MANIFEST_FILE, Language, PluginManifest};
pub use name::LogicName;
pub use scaffold::{Origin, Request as ScaffoldRequest, Scaffold, plan as plan_scaffold};
pub use source::shipped_cases;
pub use stale::changed_since_built;
