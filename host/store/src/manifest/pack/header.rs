//! The shared part of all manifests of a pack, stored as canonical JSON in the schema's metadata.

use provender_domain::ids::ModelVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::FORMAT;
use super::ipc::{Field, Kind};
use provender_domain::canonical::{Digest, from_slice, to_text};
use provender_domain::forms::Config;
use provender_domain::manifest::{Component, Environment, SourceFile, values_by_name};
use provender_domain::value::DataType;

/// A column of inputs or outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name, as the component declares it.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: DataType,
}

/// Everything that is the same in all manifests of a pack: canonical JSON (RFC 8785) in the schema's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PackHeader")]
pub struct Header {
    /// The form of the pack.
    #[schemars(extend("const" = FORMAT))]
    pub format: String,
    /// The component.
    pub component: Component,
    /// The configuration.
    pub config: Config,
    /// Its digest.
    pub config_version: Digest,
    /// Program, engine, platform, moment. Rows that replace another run add `replaces` and `reason`.
    pub environment: Environment,
    /// The files that manifests name, in the order in which they were taken in.
    pub files: Vec<SourceFile>,
    /// Inputs in declared order.
    pub inputs: Vec<Column>,
    /// The last entry that counted.
    pub known: i64,
    /// Outputs in declared order.
    pub outputs: Vec<Column>,
    /// Values of the parameters in force, by name.
    #[schemars(schema_with = "values_by_name")]
    pub parameters: Map<String, Json>,
    /// Why runs replace others; null where nothing was said, or none is replaced.
    #[serde(deserialize_with = "Option::deserialize")]
    pub reason: Option<String>,
}

fn values(data_type: DataType) -> Kind {
    match data_type {
        DataType::Float64 => Kind::Double,
        DataType::Int64 => Kind::Int(64, true),
        DataType::Boolean => Kind::Boolean,
        DataType::Date => Kind::Date,
        DataType::Text => Kind::Text,
        DataType::Series => Kind::List(Box::new(Field::new(
            "item",
            false,
            Kind::Struct(vec![
                Field::new("date", false, Kind::Date),
                Field::new("value", false, Kind::Double),
            ]),
        ))),
    }
}

impl Header {
    /// The header as canonical JSON.
    ///
    /// # Errors
    /// When a number in it has no canonical form.
    pub(super) fn to_text(&self) -> Result<String, String> {
        let json = serde_json::to_value(self).map_err(|e| e.to_string())?;
        to_text(&json).map_err(|e| e.to_string())
    }

    /// Parses a text from [`Header::to_text`].
    pub(super) fn parse(text: &str) -> Result<Header, String> {
        let json = from_slice(text.as_bytes()).map_err(|e| format!("its header: {e}"))?;
        match json.get("format").and_then(Json::as_str) {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(format!(
                    "its format is {other}, but this program reads {FORMAT}"
                ));
            }
            None => return Err("its header names no format".to_owned()),
        }
        let header: Header =
            serde_json::from_value(json).map_err(|e| format!("its header: {e}"))?;
        if header.to_text()? != text {
            return Err("its header is not canonical".to_owned());
        }
        header.check()?;
        Ok(header)
    }

    /// `name:version`.
    #[must_use]
    pub fn model_version(&self) -> ModelVersion {
        ModelVersion::of(&self.component.name, &self.component.version)
    }

    /// Checks that the parts match, as [`provender_proof::ManifestRecord`] does for a single manifest.
    fn check(&self) -> Result<(), String> {
        let checked = self.config.check_form();
        checked.map_err(|e| format!("its config: {e}"))?;
        let config = self.config.digest().map_err(|e| e.to_string())?;
        if config != self.config_version {
            return Err(format!(
                "it states config_version {}, but its content gives {config}",
                self.config_version
            ));
        }
        match self.parameters.iter().eq(&self.config.parameters) {
            true => Ok(()),
            false => Err("its parameters differ from those in its configuration".to_owned()),
        }
    }

    /// The columns of the pack.
    pub(super) fn fields(&self) -> Vec<Field> {
        let word = || Kind::Int(32, false);
        let mut fields = vec![
            Field::new("boundary_id", false, Kind::Text),
            Field::new("herd_config_id", false, Kind::Text),
            Field::new("calculation_date", false, Kind::Date),
            Field::new("reissue", false, word()),
            Field::new("replaces", true, Kind::Text),
            Field::new("provenance", false, Kind::Fixed(32)),
            Field::new(
                "breached",
                false,
                Kind::List(Box::new(Field::new("item", false, word()))),
            ),
        ];
        for (prefix, columns) in [("outputs", &self.outputs), ("inputs", &self.inputs)] {
            let named = columns
                .iter()
                .map(|c| Field::new(format!("{prefix}.{}", c.name), true, values(c.data_type)));
            fields.extend(named);
        }
        for input in &self.inputs {
            fields.push(Field::new(
                format!("age_days.{}", input.name),
                true,
                Kind::Int(64, true),
            ));
            let from = vec![
                Field::new("file", false, word()),
                Field::new("row", false, word()),
                Field::new("date", true, Kind::Date),
                Field::new("value", true, Kind::Double),
            ];
            fields.push(Field::new(
                format!("sources.{}", input.name),
                false,
                Kind::List(Box::new(Field::new("item", false, Kind::Struct(from)))),
            ));
        }
        fields
    }
}
