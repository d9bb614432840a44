//! Documents for people: one model, and for each medium one writer and one escaping function.
//!
//! Ids, file names and reasons come from files and guests. They reach markup, script elements and terminals only
//! through [`escape`].
//!
//! * [`document`] — the content of a document: headings, sentences, tables, verdicts
//! * [`escape`] — makes text safe for each medium
//! * [`html`] — a document as one self-contained page
//! * [`markdown`] — a document as Markdown
//! * [`terminal`] — a document, and tables, as lines for a terminal
//! * [`junit`] — the results of checks as JUnit XML
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
