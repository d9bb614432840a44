//! The room under good and hostile guests.
//!
//! * `guest` — a guest written by hand in WAT, good or broken on purpose, as a component
//! * `border` — what is refused at load
//! * `calls` — computing, and how failures stay with their rows
//! * `invariance` — any order of rows and any batches, by random rows
//! * `limits` — every limit just obeyed and just violated
//! * `values` — what a guest returns, and its checks
//! * `versions` — components of every frozen contract, on a host whose contract has grown
//! * `caching` — compiled code kept, tampered with, thrown away

mod border;
mod caching;
mod calls;
pub(crate) mod guest;
mod invariance;
mod limits;
mod values;
mod versions;
