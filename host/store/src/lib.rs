//! Write-once objects on any storage, and the manifests stored in them.
//!
//! * [`objects`] — the trait of an object store: create if absent, read, list
//! * [`address`] — addresses of object stores
//! * [`files`] — the object store in a folder
//! * [`manifest`] — manifests, each an object by itself or packed with others

#![warn(clippy::too_many_lines)]

pub mod address;
#[cfg(test)]
mod conformance;
pub mod files;
pub mod manifest;
pub mod objects;
