//! What the program contains for a new folder: the SDK, the author's layer for Python, the contract,
//! the shipped logics with their cases, and the templates.

/// Path and bytes, relative to one folder.
pub(super) type Files = &'static [(&'static str, &'static [u8])];

include!(concat!(env!("OUT_DIR"), "/author.rs"));

/// The contract.
pub(super) const WIT: &str = include_str!("../../../../wit/logic.wit");
/// Manifest of the workspace in which the shipped components are built.
pub(super) const WORKSPACE: &str = include_str!("../../../../logic-plugins/Cargo.toml");

/// The example that a new folder starts from without `--from`.
pub(super) mod example {
    pub(in crate::author) const NAME: &str = "rain_balance";
    pub(in crate::author) const VERSION: &str = "v1";
    pub(in crate::author) const RUST: &str = include_str!("templates/rust/lib.rs");
    pub(in crate::author) const PYTHON: &str = include_str!("templates/python/logic.py");
    pub(in crate::author) const CASES: &str = include_str!("templates/cases.toml");
}
