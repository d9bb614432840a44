//! Files: read up to a limit, and written completely or not at all.
//!
//! * [`bounded`] — reads files up to a limit
//! * [`durable`] — writes files that appear complete under their name, or not at all
//! * [`outfile`] — writes files that the user names, alone or together

pub mod bounded;
pub mod durable;
pub mod outfile;
