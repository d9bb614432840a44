//! The path at which the other targets of `tests/fuzz/` expect the components that they start from.

#[path = "../../../hostile/mod.rs"]
#[expect(dead_code, reason = "the end-to-end tests have more of them")]
pub(crate) mod components;
