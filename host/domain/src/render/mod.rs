//! Documents for people: one model, one writer per medium, one escaping function per medium.
//!
//! Ids, file names and reasons come from files and guests. Nothing of theirs reaches markup, a
//! script element or a terminal but through [`escape`].
//!
//! * [`document`] — what a report says: headings, sentences, tables, verdicts; no medium in it
//! * [`escape`] — how a text is made safe for each medium
//! * [`html`] — a document as one self-contained page
//! * [`markdown`] — a document as Markdown
//! * [`terminal`] — a document, and tables, as lines for a terminal
//! * [`junit`] — JUnit XML, for the results of checks
//! * [`text`] — numbers for people

pub mod document;
pub mod escape;
pub mod html;
pub mod junit;
pub mod markdown;
mod style;
pub mod terminal;
pub mod text;

#[cfg(test)]
mod hostile;

pub use document::{Block, Document, Inline, Table, Tone};
pub use terminal::Look;
