//! What the program carries for a new folder: the SDK, the author's layer for Python, the contract,
//! the shipped logics with their cases, and the templates.

/// Path and bytes, relative to one folder.
pub(super) type Files = &'static [(&'static str, &'static [u8])];

include!(concat!(env!("OUT_DIR"), "/author.rs"));

/// The contract.
pub(super) const WIT: &str = include_str!("../../../../wit/logic.wit");
/// Manifest of the workspace that the shipped components are built in.
pub(super) const WORKSPACE: &str = include_str!("../../../../logic-plugins/Cargo.toml");

/// The logic that a new folder starts from when it starts from none.
pub(super) mod example {
    pub(in crate::author) const NAME: &str = "rain_balance";
    pub(in crate::author) const VERSION: &str = "v1";
    pub(in crate::author) const RUST: &str = include_str!("templates/rust/lib.rs");
    pub(in crate::author) const PYTHON: &str = include_str!("templates/python/logic.py");
    pub(in crate::author) const CASES: &str = include_str!("templates/cases.toml");
}
