//! Files: read up to a ceiling, and written whole or not at all.
//!
//! * [`bounded`] — files read up to a ceiling and no further
//! * [`durable`] — files that appear whole under their name, or not at all
//! * [`outfile`] — files that people name, whole or not there, alone or together

pub mod bounded;
pub mod durable;
pub mod outfile;
