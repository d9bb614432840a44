//! # provender-build: a logic's folder to a component, the same bytes in every folder
//!
//! Silent and without an environment of its own: the program beside it, and the host's
//! `plugin build`, say where the tools are and print what happened.
//!
//! * `tools`: the Rust tool chain that is here, and whether it can build for wasm
//! * `package`: a package and the workspace it is built in
//! * `compile`: cargo to a core module, with the remaps that keep this machine out of the bytes
//! * `component`: core module to a component without imports, which says what built it
//! * `artifacts`: the folder of built components and its lock file
//! * `recheck`: builds again and compares

mod artifacts;
mod compile;
mod component;
mod package;
mod recheck;
mod tools;

pub use artifacts::{LogicDir, PinnedComponent, WORLD, lock_text, logic_dirs, write_artifacts};
pub use compile::{BuildError, Built, build, toolchain_here};
pub use component::{
    ComponentError, Toolchain, encode, encode_foreign, imports, refuse_imports, toolchain_of,
    with_producers,
};
pub use package::Package;
pub use recheck::{Comparison, Twice, check, verify};
pub use tools::{StdSource, Tools, ToolsError};
