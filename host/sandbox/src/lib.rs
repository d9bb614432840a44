//! The sandbox: a component's bytes in, checked columns out.
//!
//! Everything a guest says is untrusted until this room has looked at it. A component has no
//! imports, runs under fuel, memory and stack limits in a fresh store per batch, and what it
//! returns is checked value by value before it becomes a domain column. The bytes that were hashed
//! are the bytes that are compiled.
//!
//! * [`limits`] — what a guest may use, every number with its reason
//! * [`engine`] — the deterministic profile, and which engine this program contains
//! * `bindings` — the host's side of the contract, generated from the frozen WIT
//! * [`versions`] — which versions of the contract this host speaks side by side
//! * `border` — imports and exports of a component, by name
//! * [`difference`] — two versions of the contract, or a component and the contract, item by item
//! * `survey` — what the bytes say before anything is compiled: makers, language, sizes
//! * [`component`] — from bytes to a loaded component: what is refused, and what is kept
//! * `describe` — a guest's declaration into a checked [`Description`](provender_domain::description::Description)
//! * `columns` — columns over the border, on the way in
//! * `returned` — and on the way back, with every check
//! * `assemble` — one column out of the pieces that the calls left
//! * `batch` — the calls of one store, and a failed call taken apart down to the row
//! * [`execute`] — rows to batches, batches to threads, and whole columns of what they return
//! * `probe` — single calls and batches of the caller's choice, for checks and measurements
//! * `failure` — why a call failed: stable codes, backtraces and a panic's own words
//! * `cache` — compiled code kept between runs, and thrown away on any doubt
//! * `measure` — the fuel of a call, stage by stage, for authors
//! * [`shelf`] — a component by its digest alone, wherever its file is
//! * [`lock`] — `provender.lock`, the pinned set
//! * [`error`] — how this room says no

#![warn(clippy::too_many_lines)]

mod assemble;
mod batch;
mod bindings;
mod border;
mod cache;
mod columns;
pub mod component;
mod describe;
pub mod difference;
pub mod engine;
pub mod error;
pub mod execute;
mod failure;
pub mod limits;
pub mod lock;
mod measure;
mod probe;
mod returned;
pub mod shelf;
mod survey;
#[cfg(test)]
mod tests;
pub mod versions;

pub use component::{Compiling, Component, OnCompile, Sandbox};
pub use describe::{name as check_name, version as check_version, version_number};
pub use engine::{Backend, EngineInfo};
pub use error::{ExitKind, LogicError};
pub use execute::{Computed, RowFailure};
pub use failure::FailureCode;
pub use limits::{Limits, PinLimits};
pub use lock::{Lock, Pin, State};
pub use measure::Fuel;
pub use probe::Probe;
pub use shelf::{Shelf, ShelfError};
pub use survey::language_of;
pub use versions::WORLD;
