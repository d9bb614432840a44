//! What a manifest holds.
//!
//! `reproducible` is what can be computed again from the component and the inputs alone; its digest
//! is the run's `snapshot_id`. `sources` and `environment` stand beside it: where the inputs came
//! from, and what was true of the machine and the moment, neither of which makes another number.

use serde_json::{Map, Value as Json, json};

use crate::canonical::{CanonicalError, Digest, from_slice, to_bytes};

/// Version of the document.
pub const FORMAT: &str = "provender.manifest.v1";

/// A manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The part whose digest is the snapshot's id.
    pub reproducible: Json,
    /// For each input the files, rows and ages behind its value.
    pub sources: Json,
    /// Program, engine, toolchain, platform, moment.
    pub environment: Json,
}

impl Manifest {
    /// The snapshot's id.
    ///
    /// # Errors
    /// When a number has no canonical form.
    pub fn snapshot_id(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(&self.reproducible)
    }

    /// The file's bytes: canonical JSON and a newline.
    ///
    /// # Errors
    /// When a number has no canonical form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        let document = json!({
            "format": FORMAT,
            "snapshot_id": self.snapshot_id()?.to_string(),
            "reproducible": self.reproducible,
            "sources": self.sources,
            "environment": self.environment,
        });
        let mut bytes = to_bytes(&document)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a file's bytes; `Err` says in words what is wrong.
    ///
    /// # Errors
    /// When it is no manifest, of a newer format, or its reproducible part has another digest than
    /// it says.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, String> {
        let document: Json = from_slice(bytes).map_err(|e| format!("it is not JSON: {e}"))?;
        match document.get("format").and_then(Json::as_str) {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(format!(
                    "its format is {other}, this program reads {FORMAT}"
                ));
            }
            None => return Err("it names no format".to_owned()),
        }
        let part = |name: &str| {
            document
                .get(name)
                .cloned()
                .ok_or_else(|| format!("it has no {name}"))
        };
        let manifest = Manifest {
            reproducible: part("reproducible")?,
            sources: part("sources")?,
            environment: part("environment")?,
        };
        let computed = manifest
            .snapshot_id()
            .map_err(|e| e.to_string())?
            .to_string();
        let stated = part("snapshot_id")?;
        if stated.as_str() != Some(&computed) {
            return Err(format!(
                "it says snapshot_id {stated}, its content has {computed}"
            ));
        }
        Ok(manifest)
    }

    /// An object of the reproducible part: `inputs`, `parameters`, `outputs`.
    #[must_use]
    pub fn object(&self, name: &str) -> Map<String, Json> {
        self.reproducible
            .get(name)
            .and_then(Json::as_object)
            .cloned()
            .unwrap_or_default()
    }
}
