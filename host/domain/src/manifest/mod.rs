//! The manifest of a run.
//!
//! `reproducible` contains what can be computed again from the component and the inputs alone; its digest is the run's
//! `snapshot_id`. `sources` describes where the inputs came from, and `environment` the machine and the time. Neither
//! affects the number.

mod parts;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::canonical::{CanonicalError, Digest, bytes_of, from_slice};

pub use parts::{
    Breach, Component, Computer, Engine, Environment, GuardrailStatus, Guardrails, InputSources,
    Observed, Platform, Program, Reproducible, SetBy, SourceFile, Sources, values_by_name,
};

/// Version of the document.
pub const FORMAT: &str = "provender.manifest.v1";

/// A manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The part whose digest is the snapshot's id.
    pub reproducible: Reproducible,
    /// The files, rows and ages behind the value of each input.
    pub sources: Sources,
    /// Program, engine, toolchain, platform and time.
    pub environment: Environment,
}

/// A manifest as written in a file: canonical JSON (RFC 8785) and a newline.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Manifest", deny_unknown_fields)]
pub struct Document<'a> {
    /// Program, engine, toolchain, platform and time.
    environment: &'a Environment,
    /// The form of this document.
    format: Format,
    /// What can be computed again from the component and the inputs alone.
    reproducible: &'a Reproducible,
    /// Digest of `reproducible`.
    snapshot_id: Digest,
    /// Where the inputs came from.
    sources: &'a Sources,
}

/// [`FORMAT`].
#[derive(Serialize, Deserialize, JsonSchema)]
enum Format {
    #[serde(rename = "provender.manifest.v1")]
    V1,
}

impl Manifest {
    /// The snapshot's id.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn snapshot_id(&self) -> Result<Digest, CanonicalError> {
        self.reproducible.digest()
    }

    /// The file's bytes: canonical JSON and a newline.
    ///
    /// # Errors
    /// If a number has no canonical form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut bytes = bytes_of(&Document {
            environment: &self.environment,
            format: Format::V1,
            reproducible: &self.reproducible,
            snapshot_id: self.snapshot_id()?,
            sources: &self.sources,
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a file's bytes. `Err` describes what is wrong.
    ///
    /// # Errors
    /// If it is not a manifest, has a newer format, a missing or unknown member, or if the digest of its reproducible
    /// part differs from its `snapshot_id`.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, String> {
        Ok(Manifest::parse_named(bytes)?.0)
    }

    /// Like [`Manifest::parse`], and also returns the verified snapshot id.
    ///
    /// # Errors
    /// See [`Manifest::parse`].
    pub fn parse_named(bytes: &[u8]) -> Result<(Manifest, Digest), String> {
        let document: Json = from_slice(bytes).map_err(|e| format!("it is not JSON: {e}"))?;
        match document.get("format").and_then(Json::as_str) {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(format!(
                    "its format is {other}, but this program reads {FORMAT}"
                ));
            }
            None => return Err("it has no `format`".to_owned()),
        }
        let Json::Object(mut members) = document else {
            return Err("it is not an object".to_owned());
        };
        let _ = members.remove("format");
        let stated = take(&mut members, "snapshot_id")?;
        let reproducible = take(&mut members, "reproducible")?;
        let computed = Digest::of_json(&reproducible).map_err(|e| e.to_string())?;
        if stated.as_str() != Some(&computed.to_string()) {
            return Err(format!(
                "it states snapshot_id {stated}, but its content gives {computed}"
            ));
        }
        let manifest = Manifest {
            reproducible: part("reproducible", reproducible)?,
            sources: part("sources", take(&mut members, "sources")?)?,
            environment: part("environment", take(&mut members, "environment")?)?,
        };
        let config = &manifest.reproducible.config;
        config
            .check_form()
            .map_err(|e| format!("its config: {e}"))?;
        match members.keys().next() {
            None => Ok((manifest, computed)),
            Some(name) => Err(format!("it has an unknown member `{name}`")),
        }
    }
}

fn take(members: &mut Map<String, Json>, name: &str) -> Result<Json, String> {
    members
        .remove(name)
        .ok_or_else(|| format!("it has no {name}"))
}

fn part<T: DeserializeOwned>(name: &str, json: Json) -> Result<T, String> {
    serde_json::from_value(json).map_err(|e| format!("its {name}: {e}"))
}
