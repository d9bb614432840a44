//! What makes a number: the bytes that run, the world, the configuration and the values of exactly the
//! declared inputs.

use serde_json::{Map, Value as Json};

use super::{Form, member};
use crate::canonical::{self, CanonicalError, Digest};
use crate::text;

/// The provenance of runs that differ in their inputs alone.
#[derive(Clone, Debug)]
pub struct Provenance {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Provenance {
    /// For a component, named by its digest, in a world under a configuration.
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

    /// What stands before the object of the inputs.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// What stands after it.
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
