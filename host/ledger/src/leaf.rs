//! The leaves under the root in a file's entry: one for each row of the file.

use provender_domain::forms::{Stream, boundary, herd};
use provender_domain::merkle::{self, Hash};

use super::types::NewFacts;

/// Leaf hashes of all rows of a file.
#[must_use]
pub fn leaves(source: &str, facts: &NewFacts) -> Vec<Hash> {
    let streams: Vec<Stream> = facts
        .streams
        .iter()
        .map(|of| Stream::new(&of.boundary_id, &of.column, source))
        .collect();
    let boundaries = facts
        .boundaries
        .iter()
        .map(|(row, effective, b)| boundary(*row, *effective, b));
    let herds = facts.herds.iter().map(|(row, h)| herd(*row, h));
    let observations = facts.observations.iter().filter_map(|o| {
        let stream = streams.get(o.stream)?;
        Some(stream.observation(o.date, o.value, o.row))
    });
    boundaries
        .chain(herds)
        .chain(observations)
        .map(|text| merkle::leaf(&text))
        .collect()
}
