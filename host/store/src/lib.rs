//! Objects that are written once, whatever keeps them, and manifests over them.
//!
//! * [`objects`] — the trait of a place of objects: create if absent, read, list
//! * [`address`] — where such a place is
//! * [`files`] — the place that is a folder
//! * [`manifest`] — manifests, each an object of its own or packed with others

#![warn(clippy::too_many_lines)]

pub mod address;
#[cfg(test)]
mod conformance;
pub mod files;
pub mod manifest;
pub mod objects;
