//! The sandbox: runs components over columns and checks everything they return.
//!
//! Guests are untrusted. A component has no imports and runs under fuel, memory and stack limits in a fresh store
//! per batch. Every value it returns is checked before it enters a domain column. The bytes that are compiled are
//! the bytes that were hashed.
//!
//! * [`limits`] — the guest's limits, each with its reason
//! * [`engine`] — the deterministic settings, and the identity of the engine
//! * `bindings` — host bindings, generated from the frozen WIT
//! * [`versions`] — the contract versions this host speaks side by side
//! * `border` — checks a component's imports and exports by name
//! * [`difference`] — compares two contract versions, or a component and the contract, item by item
//! * `survey` — reads makers, language and sizes from the bytes before compilation
//! * [`component`] — loads and checks components
//! * `describe` — checks a guest's declaration and makes a
//!   [`Description`](provender_domain::description::Description)
//! * `columns` — lowers input columns into the guest
//! * `returned` — lifts and checks the returned columns
//! * `assemble` — assembles output columns from the pieces of the calls
//! * `batch` — runs the calls of one store, and bisects a failed call down to the failing rows
//! * [`execute`] — splits rows into batches and runs them on threads
//! * `probe` — single calls and chosen batches, for checks and measurements
//! * `failure` — failures: stable codes, backtraces and panic messages
//! * `backtrace` — backtraces as text, whatever names a component gives
//! * [`symbols`] — files and lines of a backtrace, from a helper process
//! * `deadline` — processor time of a call, beside its fuel
//! * `cache` — the cache of compiled code
//! * `measure` — the fuel of a call by stage, for authors
//! * [`search_path`] — finds a component by its digest alone
//! * [`lock`] — `provender.lock`, the pinned components
//! * [`error`] — errors of the sandbox

#![warn(clippy::too_many_lines)]
#![warn(unnameable_types)]

mod assemble;
mod backtrace;
mod batch;
mod bindings;
mod border;
mod cache;
mod columns;
pub mod component;
mod deadline;
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
pub mod search_path;
mod survey;
pub mod symbols;
#[cfg(test)]
mod tests;
pub mod versions;

pub use component::{Compiling, Component, OnCompile, Sandbox};
pub use describe::{name as check_name, version as check_version, version_number};
pub use engine::{Backend, EngineInfo};
pub use error::{ExitKind, LogicError};
pub use execute::{Computed, RowFailure};
pub use failure::FailureCode;
pub use limits::{LimitOutside, Limits, PinLimits};
pub use lock::{Lock, Pin, PinState};
pub use measure::Fuel;
pub use probe::Probe;
pub use search_path::{ComponentSearchError, ComponentSearchPath};
pub use survey::stated_language;
pub use versions::WORLD;
