//! What a manifest says was asked and answered, with every digest in it computed again.

use serde_json::{Map, Value as Json};

use provender_domain::canonical::Digest;
use provender_domain::forms;
use provender_domain::key::{ConfigVersion, RunKey};
use provender_domain::manifest::Manifest;

/// The question and the answer that a manifest holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
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

impl Record {
    /// Reads a manifest's reproducible part. `Err` names the first thing that does not hold.
    ///
    /// # Errors
    /// When a part is missing, or a digest is not that of what it stands for: the run's id, the
    /// configuration, the provenance.
    pub fn read(manifest: &Manifest) -> Result<Record, String> {
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
                .ok_or_else(|| format!("its {} is no text", &path[1..]))
        };
        let object = |path: &str| {
            at(path)?
                .as_object()
                .cloned()
                .ok_or_else(|| format!("its {} is no object", &path[1..]))
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
        let record = Record {
            component: digest("/component/sha256")?,
            parameters: object("/parameters")?,
            inputs: object("/inputs")?,
            outputs: object("/outputs")?,
            provenance: digest("/provenance")?,
            key,
        };
        let differs = |what: &str, said: &str, found: &str| {
            (said != found)
                .then(|| format!("it says {what} {said}, its content has {found}"))
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
            return Err("its parameters are not those of its configuration".to_owned());
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
