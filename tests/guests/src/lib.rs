//! Guests written by hand in WAT, for the unit tests of the sandbox and the library and for the end-to-end
//! tests. This crate depends on no other crate of the workspace.
//!
//! * [`recipe`] — a guest that multiplies two columns, good or broken on purpose, as a component
//! * [`declaration`] — what that guest declares

pub mod declaration;
pub mod recipe;

/// Values of `a` that make the guest misbehave in their row.
pub mod magic {
    pub const LOOP: f64 = 1001.0;
    pub const PANIC: f64 = 1002.0;
    pub const GROW: f64 = 1003.0;
    pub const RECURSE: f64 = 1004.0;
    pub const NAN: f64 = 1005.0;
    pub const INTERNAL: f64 = 1006.0;
    pub const INVALID_INPUT: f64 = 1007.0;
    pub const INVALID_PARAMETER: f64 = 1008.0;
    pub const MINUS_ZERO: f64 = 1009.0;
}

/// How many random cases a test tries. `PROPTEST_CASES` sets the long form, as for every property.
///
/// # Panics
/// If its value is not a number.
pub fn how_many(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").map_or(usual, |text| text.parse().unwrap())
}
