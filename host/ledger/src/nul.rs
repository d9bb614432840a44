//! Text with the character U+0000, which some databases cannot keep: refused by every store before it writes.
//!
//! JSON escapes the character, so payloads, outputs and documents that are canonical JSON never hold it.

use crate::LedgerError;
use crate::entry::Stamp;
use crate::types::{Batch, File, NewFacts};

/// Refuses texts that hold it, each with what it is.
fn refuse<'t>(texts: impl IntoIterator<Item = (&'static str, &'t str)>) -> Result<(), LedgerError> {
    let holds = |(_, text): &(&str, &str)| text.as_bytes().contains(&0);
    match texts.into_iter().find(holds) {
        Some((what, _)) => Err(LedgerError::Nul { what }),
        None => Ok(()),
    }
}

/// Looks at who writes, when and why.
pub(crate) fn in_stamp(stamp: &Stamp) -> Result<(), LedgerError> {
    let reason = stamp.reason.iter().map(|r| ("the reason", r.as_str()));
    refuse(reason.chain([("the actor", stamp.actor.as_str()), ("the time", &stamp.at)]))
}

/// Looks at a file and what it says.
pub(crate) fn in_file(file: &File, facts: &NewFacts) -> Result<(), LedgerError> {
    refuse([
        ("the source", file.source.as_str()),
        ("the kind", &file.kind),
        ("the format", &file.format),
        ("the path", &file.path),
    ])?;
    for (_, _, b) in &facts.boundaries {
        let name = b
            .name
            .iter()
            .map(|n| ("the name of a boundary", n.as_str()));
        refuse(name.chain([
            ("the id of a boundary", b.boundary_id.as_str()),
            ("the outline of a boundary", &b.geometry),
        ]))?;
    }
    for (_, h) in &facts.herds {
        let texts = [&h.name, &h.animal_type, &h.class].into_iter().flatten();
        refuse(texts.map(|t| ("a text of a herd", t.as_str())).chain([
            ("the id of a herd", h.herd_config_id.as_str()),
            ("the id of a boundary", h.boundary_id.as_str()),
        ]))?;
    }
    refuse(facts.streams.iter().flat_map(|s| {
        [
            ("the id of a boundary", s.boundary_id.as_str()),
            ("the name of a column", &s.column),
        ]
    }))
}

/// Looks at runs and their configurations.
pub(crate) fn in_batch(batch: &Batch) -> Result<(), LedgerError> {
    let configs = batch.configs.iter();
    refuse(configs.map(|c| ("a configuration", c.canonical.as_str())))?;
    refuse(batch.runs.iter().flat_map(|run| {
        [
            ("the id of a boundary", run.key.boundary_id.as_str()),
            ("the id of a herd", run.key.herd_config_id.as_str()),
            ("the version of a logic", run.key.model_version.as_str()),
            ("the outputs of a run", &run.outputs),
        ]
    }))
}

/// Looks at a document.
pub(crate) fn in_document(body: &str) -> Result<(), LedgerError> {
    refuse([("a document", body)])
}
