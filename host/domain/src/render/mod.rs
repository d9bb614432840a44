//! What every report for people shares: one self-contained page shell, and safe text.
//!
//! Ids, file names and reasons come from files and guests. Nothing of theirs reaches markup, a
//! script element or a terminal but through this room.
//!
//! * [`html`] — markup as a type of its own, escaping, tables, badges, embedded JSON, the page
//! * [`junit`] — JUnit XML, for the results of checks
//! * [`style`] — the style sheet of the page: light, dark and print
//! * [`text`] — text for terminals and Markdown, numbers for people

pub mod html;
pub mod junit;
pub mod style;
pub mod text;
