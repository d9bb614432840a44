//! The question and the answer in a manifest, with every digest recomputed.

use serde_json::{Map, Value as Json};

use provender_domain::canonical::Digest;
use provender_domain::forms;
use provender_domain::key::{ConfigVersion, RunKey};
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
    /// When a part is missing, or a recomputed digest (run id, configuration, provenance) differs from the stated
    /// one.
    pub fn read(manifest: &Manifest) -> Result<ManifestRecord, String> {
        let at = |path: &str| {
            manifest
                .reproducible
                .pointer(path)
                .ok_or_else(|| format!("it has no {}", &path[1..]))
        };
        let text = |path: &str| {
            at(path)?
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("its {} is not a string", &path[1..]))
        };
        let object = |path: &str| {
            at(path)?
                .as_object()
                .cloned()
                .ok_or_else(|| format!("its {} is not an object", &path[1..]))
        };
        let digest = |path: &str| {
            text(path)?
                .parse::<Digest>()
                .map_err(|e| format!("its {}: {e}", &path[1..]))
        };
        let config_version: ConfigVersion = text("/key/config_version")?
            .parse()
            .map_err(|e| format!("its key/config_version: {e}"))?;
        let key = RunKey {
            boundary_id: text("/key/boundary_id")?,
            herd_config_id: text("/key/herd_config_id")?,
            calculation_date: text("/key/calculation_date")?
                .parse()
                .map_err(|e| format!("its key/calculation_date: {e}"))?,
            model_version: text("/key/model_version")?,
            config_version,
        };
        let record = ManifestRecord {
            component: digest("/component/sha256")?,
            parameters: object("/parameters")?,
            inputs: object("/inputs")?,
            outputs: object("/outputs")?,
            provenance: digest("/provenance")?,
            key,
        };
        let differs = |what: &str, stated: &str, actual: &str| {
            (stated != actual)
                .then(|| format!("it states {what} {stated}, but its content gives {actual}"))
                .map_or(Ok(()), Err)
        };
        differs(
            "run_id",
            &text("/run_id")?,
            &record.key.run_id().to_string(),
        )?;
        let named = format!(
            "{}:{}",
            text("/component/name")?,
            text("/component/version")?
        );
        differs("model_version", &record.key.model_version, &named)?;
        let config = Digest::of_json(at("/config")?).map_err(|e| e.to_string())?;
        let stated = record.key.config_version.config;
        differs("config_version", &stated.to_string(), &config.to_string())?;
        if at("/config")?.get("parameters") != at("/parameters").ok() {
            return Err("its parameters differ from those in its configuration".to_owned());
        }
        let provenance = forms::provenance(
            &record.component,
            &text("/component/world")?,
            &config,
            record.inputs.clone(),
        )
        .map_err(|e| e.to_string())?;
        differs(
            "provenance",
            &record.provenance.to_string(),
            &provenance.to_string(),
        )?;
        Ok(record)
    }
}
