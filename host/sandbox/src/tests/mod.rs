//! Tests of the sandbox with good and hostile guests.
//!
//! * `guest` — a handwritten WAT guest, good or broken on purpose, as a component
//! * `border` — components that are refused at load
//! * `calls` — computing, and how failures are confined to their rows
//! * `invariance` — any order of rows and any batches, with random rows
//! * `limits` — each limit, reached and exceeded
//! * `deadline` — processor time beside the fuel, on both engines
//! * `values` — checks of what a guest returns
//! * `versions` — components of every frozen contract, on a host with a grown contract
//! * `caching` — the cache of compiled code

mod border;
mod caching;
mod calls;
mod deadline;
pub(crate) mod guest;
mod invariance;
mod limits;
mod values;
mod versions;
