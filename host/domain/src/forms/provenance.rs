//! Everything that determines a number: the component's bytes, the world, the configuration, and the values of exactly
//! the declared inputs.

use serde_json::{Map, Value as Json};

use super::{Form, member};
use crate::canonical::{self, CanonicalError, Digest};
use crate::text;

/// The provenance of runs that differ only in their inputs.
#[derive(Clone, Debug)]
pub struct Provenance {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Provenance {
    /// Prepares the provenance for a component (given by its digest), a world and a configuration.
    #[must_use]
    pub fn new(component: &str, world: &str, config: &Digest) -> Provenance {
        let mut head = Vec::with_capacity(256);
        Form::Provenance.begin(&mut head);
        member("component", &mut head);
        text::string(component, &mut head);
        member("config", &mut head);
        text::digest(config, &mut head);
        member("inputs", &mut head);
        let mut tail = Vec::with_capacity(64);
        member("world", &mut tail);
        text::string(world, &mut tail);
        tail.push(b'}');
        Provenance { head, tail }
    }

    /// The text before the object of inputs.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The text after the object of inputs.
    #[must_use]
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }
}

/// The provenance of one run.
///
/// # Errors
/// If an input has no canonical form.
pub fn provenance(
    component: &Digest,
    world: &str,
    config: &Digest,
    inputs: Map<String, Json>,
) -> Result<Digest, CanonicalError> {
    let frame = Provenance::new(&component.to_string(), world, config);
    let mut out = frame.head;
    out.extend(canonical::to_bytes(&Json::Object(inputs))?);
    out.extend_from_slice(&frame.tail);
    Ok(Digest::of_canonical(&out))
}
