//! # provender-build: a logic's folder to a component, the same bytes in every folder
//!
//! Silent and without an environment of its own: the program beside it, and the host's
//! `plugin build`, say where the tools are and print what happened.
//!
//! * `tools`: the Rust tool chain that is here, and whether it can build for wasm
//! * `compile`: cargo to a core module, with the remaps that keep this machine out of the bytes
//! * `component`: core module to a component without imports, which says what built it
//! * `artifacts`: the folder of built components and its lock file
//! * `recheck`: builds again and compares

mod artifacts;
mod compile;
mod component;
mod recheck;
mod tools;

pub use artifacts::{LogicDir, PinnedComponent, WORLD, lock_text, logic_dirs, write_artifacts};
pub use compile::{BuildError, Built, build};
pub use component::{ComponentError, Toolchain, encode, encode_foreign, imports, toolchain_of};
pub use recheck::{Comparison, check, verify};
pub use tools::{StdSource, Tools, ToolsError};
