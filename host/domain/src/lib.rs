//! Plain values with their units. No input or output, and no clock.
//!
//! * [`day`] — calendar days, and instants as text
//! * [`value`] — scalars, nullable values and their JSON form
//! * [`mod@column`] — Arrow-shaped columns, the form in which values cross the sandbox
//! * [`mod@backwards`] — reverses the rows of a column
//! * [`description`] — what a component declares: inputs, outputs, guardrails, monitors
//! * [`canonical`] — RFC 8785 canonical JSON and the digests over it
//! * [`forms`] — every hashed object, each with the one function that writes it
//! * [`mod@text`] — canonical JSON of values, written straight into a buffer
//! * [`manifest`] — the document of a run, and which part of it is reproducible
//! * [`merkle`] — the RFC 6962 tree hash over the rows of a batch
//! * [`number`] — numbers in decimal, and in hexadecimal for exact bits
//! * [`key`] — the five-part key of a run and its id
//! * [`ids`] — the ids of boundaries, herds and logic versions
//! * [`interrupt`] — a request to stop between two batches
//! * [`periods`] — in which boundary a herd is, and when
//! * [`place`] — boundaries and herds as the readers return them
//! * [`mod@words`] — enums that are written as words; an unknown word is an error
//! * [`catalogue`] — the feature columns of the host, and the syntax of feature references

#![warn(clippy::too_many_lines)]
#![warn(unnameable_types)]

pub mod backwards;
pub mod canonical;
pub mod catalogue;
pub mod column;
pub mod day;
pub mod description;
pub mod failpoint;
#[cfg(feature = "files")]
pub mod files;
pub mod forms;
pub mod ids;
pub mod interrupt;
pub mod key;
pub mod manifest;
pub mod merkle;
#[expect(clippy::cast_possible_wrap, reason = "a float has 64 bits")]
pub mod number;
pub mod periods;
pub mod place;
pub mod render;
mod schemas;
pub mod text;
pub mod value;
pub mod words;
