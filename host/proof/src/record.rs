//! The question and the answer in a manifest, with every digest recomputed.

use std::fmt::Display;

use provender_domain::ids::ModelVersion;
use serde_json::{Map, Value as Json};

use provender_domain::canonical::Digest;
use provender_domain::forms;
use provender_domain::key::RunKey;
use provender_domain::manifest::Manifest;

/// The question and the answer that a manifest holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestRecord {
    /// The run's key.
    pub key: RunKey,
    /// Digest of the component's bytes.
    pub component: Digest,
    /// Parameters in force, by name.
    pub parameters: Map<String, Json>,
    /// Values of the declared inputs, by name.
    pub inputs: Map<String, Json>,
    /// Outputs, by name.
    pub outputs: Map<String, Json>,
    /// Digest of component, world, configuration and inputs.
    pub provenance: Digest,
}

impl ManifestRecord {
    /// Reads a manifest's reproducible part. `Err` describes the first problem.
    ///
    /// # Errors
    /// When a recomputed digest (run id, configuration, provenance) differs from the stated one.
    pub fn read(manifest: &Manifest) -> Result<ManifestRecord, String> {
        let part = &manifest.reproducible;
        let differs = |what: &str, stated: &dyn Display, actual: &dyn Display| {
            let (stated, actual) = (stated.to_string(), actual.to_string());
            (stated != actual)
                .then(|| format!("it states {what} {stated}, but its content gives {actual}"))
                .map_or(Ok(()), Err)
        };
        let (key, component) = (&part.key, &part.component);
        differs("run_id", &part.run_id, &key.run_id())?;
        let named = ModelVersion::of(&component.name, &component.version);
        differs("model_version", &key.model_version, &named)?;
        let config = part.config.digest().map_err(|e| e.to_string())?;
        differs("config_version", &key.config_version.config, &config)?;
        if !part.parameters.iter().eq(&part.config.parameters) {
            return Err("its parameters differ from those in its configuration".to_owned());
        }
        let inputs = part.inputs.clone();
        let provenance = forms::provenance(&component.sha256, &component.world, &config, inputs);
        let provenance = provenance.map_err(|e| e.to_string())?;
        differs("provenance", &part.provenance, &provenance)?;
        Ok(ManifestRecord {
            key: key.clone(),
            component: component.sha256,
            parameters: part.parameters.clone(),
            inputs: part.inputs.clone(),
            outputs: part.outputs.clone(),
            provenance,
        })
    }
}
