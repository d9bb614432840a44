//! `sources.toml`: where the input files are, how they map to boundaries, which source wins.
//!
//! Sources are listed in order of precedence: if two cover the same day, the first one wins.

use provender_domain::ids::BoundaryId;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;

use crate::ingest::parsed::{DuplicateIds, Format, Kind};
use provender_domain::catalogue::{Feature, Origin, built_in};
use provender_domain::value::DataType;

use super::ProjectError;

/// Name of the file.
pub(crate) const FILE: &str = "sources.toml";

/// A file that revises more than this share of its rows is held until `--accept`, because a change of unit revises
/// all rows.
pub(crate) const MAX_REVISED_SHARE: f64 = 0.5;

/// The whole file, validated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources {
    /// In order of precedence.
    pub sources: Vec<Source>,
    /// Columns that this deployment adds to the catalogue.
    pub series: Vec<Series>,
}

/// One source.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Unique id, which is recorded with each observation.
    pub(crate) id: String,
    /// What it is about.
    pub(crate) kind: Kind,
    /// Path patterns, relative to the folder: `*` and one `{boundary}`.
    pub(crate) paths: Vec<String>,
    /// Single files with the boundary each belongs to.
    pub(crate) files: BTreeMap<String, BoundaryId>,
    /// The format; detected from the content if left out.
    pub(crate) format: Option<Format>,
    /// The boundary every file belongs to.
    pub(crate) boundary: Option<BoundaryId>,
    /// GeoJSON property with the id.
    pub(crate) id_property: Option<String>,
    /// What to do with several features of one id.
    pub(crate) duplicate_ids: DuplicateIds,
    /// If the newest data is older than this many days, it is stale.
    pub(crate) max_age_days: Option<u32>,
    /// See [`MAX_REVISED_SHARE`].
    pub(crate) max_revised_share: f64,
}

/// `[[series]]`: a dated column of numbers per boundary.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the catalogue.
    pub(crate) name: String,
    /// Unit, in the spelling that components must use.
    pub(crate) unit: Option<String>,
    /// One sentence.
    pub(crate) doc: String,
    /// Id of the source that has it; any series source if left out.
    pub(crate) source: Option<String>,
    /// Column of the file; the name if left out.
    pub(crate) column: String,
}

#[derive(Deserialize, Default, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Sources")]
struct Raw {
    /// `[[source]]`, one for each origin of files.
    source: Vec<RawSource>,
    /// `[[series]]`, one for each dated column that the catalogue does not have.
    series: Vec<RawSeries>,
}

/// The JSON Schema of the file.
#[must_use]
pub fn schema() -> Schema {
    schema_for!(Raw)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Source")]
struct RawSource {
    /// Unique id, which is recorded with each observation.
    id: String,
    /// What it is about: `boundaries`, `herds`, `forage`, `weather`, `soil` or `series`.
    kind: String,
    /// A path pattern or a list of them, relative to the folder: `*` and one `{boundary}`.
    #[schemars(with = "Option<serde_json::Value>")]
    path: Option<toml::Value>,
    /// Single files with the boundary that each belongs to.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// The format; detected from the content if left out.
    format: Option<String>,
    /// The boundary that every file belongs to.
    boundary: Option<String>,
    /// GeoJSON property with the id.
    id_property: Option<String>,
    /// What to do with several features of one id: `refuse` or `merge`.
    duplicate_ids: Option<String>,
    /// If the newest data is older than this, it is stale: `45d`.
    max_age: Option<String>,
    /// A file that revises more than this share of its rows is held, 0 to 1.
    max_revised_share: Option<f64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Series")]
struct RawSeries {
    /// Name in the catalogue.
    name: String,
    /// Unit, in the spelling that components must use.
    unit: Option<String>,
    /// One sentence.
    #[serde(default)]
    doc: String,
    /// Id of the source that has it; any series source if left out.
    source: Option<String>,
    /// Column of the file; the name if left out.
    column: Option<String>,
}

fn refuse(key: String, value: &str, problem: &str) -> ProjectError {
    ProjectError::Value {
        file: FILE.to_owned(),
        key,
        value: value.to_owned(),
        problem: problem.to_owned(),
    }
}

impl Sources {
    /// Reads the file's text.
    ///
    /// # Errors
    /// If it is not TOML, or has an unknown key, kind or format, two sources with the same id, or a series whose name
    /// is taken.
    pub fn parse(text: &str) -> Result<Sources, ProjectError> {
        let raw: Raw = toml::from_str(text).map_err(|e| ProjectError::Parse {
            file: FILE.to_owned(),
            cause: e.to_string(),
        })?;
        let mut parsed = Sources::default();
        for s in raw.source {
            if parsed.sources.iter().any(|o| o.id == s.id) {
                return Err(refuse(
                    "source.id".to_owned(),
                    &s.id,
                    "two sources have this id",
                ));
            }
            parsed.sources.push(source(s)?);
        }
        let names: Vec<String> = built_in().into_iter().map(|f| f.name).collect();
        for s in raw.series {
            let ok = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
            if s.name.is_empty() || !s.name.bytes().all(ok) {
                return Err(refuse(
                    "series.name".to_owned(),
                    &s.name,
                    "use lower-case letters, digits and _",
                ));
            }
            if names.contains(&s.name) || parsed.series.iter().any(|o| o.name == s.name) {
                return Err(refuse(
                    "series.name".to_owned(),
                    &s.name,
                    "the catalogue already has a column of this name",
                ));
            }
            if let Some(id) = s
                .source
                .as_ref()
                .filter(|id| !parsed.sources.iter().any(|o| o.id == **id))
            {
                return Err(refuse(
                    format!("series.{}.source", s.name),
                    id,
                    "no [[source]] has this id",
                ));
            }
            let column = s.column.unwrap_or_else(|| s.name.clone());
            parsed.series.push(Series {
                name: s.name,
                unit: s.unit,
                doc: s.doc,
                source: s.source,
                column,
            });
        }
        Ok(parsed)
    }

    /// The whole catalogue: the built-in columns and this deployment's series.
    #[must_use]
    pub fn catalogue(&self) -> Vec<Feature> {
        let mut all = built_in();
        all.extend(self.series.iter().map(|s| Feature {
            name: s.name.clone(),
            data_type: DataType::Float64,
            unit: s.unit.clone(),
            origin: Origin::Observation,
            version: 1,
            doc: s.doc.clone(),
        }));
        all
    }

    /// Ids in order of precedence.
    #[must_use]
    pub fn precedence(&self) -> Vec<String> {
        self.sources.iter().map(|s| s.id.clone()).collect()
    }

    /// (column in the file, catalogue name) of every series that a source may carry.
    #[must_use]
    pub(crate) fn series_of(&self, source: &str) -> Vec<(String, String)> {
        let carries = |s: &&Series| s.source.as_deref().is_none_or(|id| id == source);
        self.series
            .iter()
            .filter(carries)
            .map(|s| (s.column.clone(), s.name.clone()))
            .collect()
    }
}

fn source(s: RawSource) -> Result<Source, ProjectError> {
    let key = |name: &str| format!("source {}: {name}", s.id);
    if s.id.trim().is_empty() {
        return Err(refuse(
            "source.id".to_owned(),
            &s.id,
            "an id is required: observations are recorded under it",
        ));
    }
    let kind = Kind::parse(&s.kind).ok_or_else(|| {
        refuse(
            key("kind"),
            &s.kind,
            "known kinds are boundaries, herds, forage, weather, soil, series",
        )
    })?;
    let format = s
        .format
        .as_deref()
        .map(|f| format_of(f, &key))
        .transpose()?;
    let paths = paths_of(s.path.as_ref(), &key)?;
    if paths.is_empty() && s.files.is_empty() {
        return Err(refuse(key("path"), "", "a source needs a path or files"));
    }
    if let Some(p) = paths.iter().find(|p| p.matches("{boundary}").count() > 1) {
        return Err(refuse(key("path"), p, "write {boundary} at most once"));
    }
    let duplicate_ids = match s.duplicate_ids.as_deref() {
        None | Some("refuse") => DuplicateIds::Refuse,
        Some("merge") => DuplicateIds::Merge,
        Some(other) => return Err(refuse(key("duplicate_ids"), other, "write refuse or merge")),
    };
    let max_age_days = s
        .max_age
        .as_ref()
        .map(|a| {
            let days = a.strip_suffix('d').and_then(|n| n.parse().ok());
            days.ok_or_else(|| refuse(key("max_age"), a, "write a number of days such as 16d"))
        })
        .transpose()?;
    let share = s.max_revised_share.unwrap_or(MAX_REVISED_SHARE);
    if !(0.0..=1.0).contains(&share) {
        return Err(refuse(
            key("max_revised_share"),
            &share.to_string(),
            "write a share from 0 to 1",
        ));
    }
    Ok(Source {
        kind,
        paths,
        files: s
            .files
            .into_iter()
            .map(|(path, id)| (path, BoundaryId::unchecked(id)))
            .collect(),
        format,
        boundary: s.boundary.map(BoundaryId::unchecked),
        id_property: s.id_property,
        duplicate_ids,
        max_age_days,
        max_revised_share: share,
        id: s.id,
    })
}

fn format_of(name: &str, key: &dyn Fn(&str) -> String) -> Result<Format, ProjectError> {
    Format::parse(name).ok_or_else(|| {
        let known: Vec<_> = Format::all().map(|f| f.name()).collect();
        let problem = format!("known formats are {}", known.join(", "));
        refuse(key("format"), name, &problem)
    })
}

/// One path or several; none if the key is missing.
fn paths_of(
    path: Option<&toml::Value>,
    key: &dyn Fn(&str) -> String,
) -> Result<Vec<String>, ProjectError> {
    let wrong = |value: &str| refuse(key("path"), value, "write a path or a list of paths");
    match path {
        None => Ok(Vec::new()),
        Some(toml::Value::String(one)) => Ok(vec![one.clone()]),
        Some(toml::Value::Array(many)) => many
            .iter()
            .map(|v| v.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(&format!("{many:?}"))),
        Some(other) => Err(wrong(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_keep_their_order_and_series_join_the_catalogue() {
        let text = "[[source]]\nid='b'\nkind='series'\npath='m.csv'\nmax_age='16d'\n[[source]]\nid='a'\nkind='forage'\npath=['x.csv','rap/{boundary}.json']\n\
                    [[series]]\nname='soil_moisture_pct'\nunit='%'\nsource='b'\n";
        let sources = Sources::parse(text).unwrap();
        assert_eq!(sources.precedence(), ["b", "a"]);
        assert_eq!(sources.sources[0].max_age_days, Some(16));
        assert!(
            sources
                .catalogue()
                .iter()
                .any(|f| f.name == "soil_moisture_pct" && f.unit.as_deref() == Some("%"))
        );
        assert_eq!(
            sources.series_of("b"),
            [(
                "soil_moisture_pct".to_owned(),
                "soil_moisture_pct".to_owned()
            )]
        );
        assert!(sources.series_of("a").is_empty());
    }

    #[test]
    fn mistakes_are_refused_by_source_and_key() {
        for (text, part) in [
            ("[[source]]\nid='a'\nkind='grass'\npath='x'", "known kinds"),
            ("[[source]]\nid='a'\nkind='forage'", "needs a path"),
            (
                "[[source]]\nid='a'\nkind='forage'\npath='x'\nformat='xls'",
                "known formats",
            ),
            (
                "[[source]]\nid='a'\nkind='soil'\npath='x'\nmax_age='2w'",
                "such as 16d",
            ),
            (
                "[[source]]\nid='a'\nkind='soil'\npath='x'\n[[source]]\nid='a'\nkind='soil'\npath='x'",
                "two sources",
            ),
            ("[[series]]\nname='area_ha'", "already has a column"),
            ("[[series]]\nname='x'\nsource='nope'", "no [[source]]"),
        ] {
            let message = Sources::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
