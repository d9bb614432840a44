//! What the program contains: the built components with their lock file, and the sample ranch.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The date the sample ranch is shown for.
pub const SAMPLE_DATE: &str = "2025-06-30";
