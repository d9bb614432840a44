//! Which format a file is, by its content. `options.format` overrides; what is nothing known is
//! refused with what was seen and the list of what is known.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::ingest::parsed::{Format, Kind, ReadError, ReadOptions};

use super::columns::Spelling;
use super::{daymet, forage_csv, gridmet, rap, soil_csv, table, weather_csv};

/// A file's content, parsed as far as recognising it needs.
pub(super) enum Source<'b> {
    /// Valid JSON.
    Json(Json),
    /// Anything else; with the reason when it begins like JSON.
    Text(Cow<'b, str>, Option<String>),
}

impl<'b> Source<'b> {
    /// Parses a text that begins like JSON; anything else stays text.
    pub(super) fn new(text: Cow<'b, str>) -> Source<'b> {
        if !text.trim_start().starts_with(['{', '[']) {
            return Source::Text(text, None);
        }
        match serde_json::from_str(&text) {
            Ok(json) => Source::Json(json),
            Err(e) => Source::Text(text, Some(e.to_string())),
        }
    }
}

/// The format to read `source` as.
///
/// # Errors
/// When it is none that is known, or one of another kind than was asked for.
pub(super) fn choose(source: &Source<'_>, options: &ReadOptions) -> Result<Format, ReadError> {
    let format = match options.format {
        Some(format) => format,
        None => recognise(source, options)?,
    };
    match options.kind {
        Some(wanted) if wanted != format.kind() => Err(ReadError::WrongKind {
            file: options.file_name.clone(),
            found: format!("{} ({})", format.kind().name(), format.name()),
            wanted: wanted.name().to_owned(),
        }),
        _ => Ok(format),
    }
}

fn recognise(source: &Source<'_>, options: &ReadOptions) -> Result<Format, ReadError> {
    let candidates = match source {
        Source::Json(json) => json_formats(json, options.kind),
        Source::Text(_, Some(_)) => Vec::new(),
        Source::Text(text, None) => csv_formats(text, options),
    };
    // Where a file could be several things, the kind that was asked for decides.
    let wanted = candidates
        .iter()
        .find(|f| options.kind == Some(f.kind()))
        .or(candidates.first());
    wanted.copied().ok_or_else(|| ReadError::Unknown {
        file: options.file_name.clone(),
        looked_like: format!("{}; known are {}", describe(source), known(options.kind)),
    })
}

fn json_formats(json: &Json, kind: Option<Kind>) -> Vec<Format> {
    let mut found = Vec::new();
    match json {
        Json::Object(object) => {
            let features = object.get("features").and_then(Json::as_array);
            let is_rap = rap::is_feature(json)
                || features.is_some_and(|list| list.iter().any(rap::is_feature));
            let geometry = object.get("type").and_then(Json::as_str).is_some_and(|t| {
                matches!(
                    t,
                    "FeatureCollection"
                        | "Feature"
                        | "Polygon"
                        | "MultiPolygon"
                        | "GeometryCollection"
                        | "Point"
                        | "MultiPoint"
                        | "LineString"
                        | "MultiLineString"
                )
            });
            if is_rap {
                found.push(Format::Rap);
            }
            if geometry {
                found.push(Format::GeoJson);
            }
            let meteo = object.contains_key("latitude") && object.contains_key("longitude");
            let failed =
                object.get("error") == Some(&Json::Bool(true)) && object.contains_key("reason");
            if meteo || failed {
                found.push(Format::OpenMeteo);
            }
            if object.is_empty() || object.get("Table").is_some_and(Json::is_array) {
                found.push(Format::Sda);
            }
            if object.get("herds").is_some_and(Json::is_array) || is_herd(json) {
                found.push(Format::HerdsJson);
            }
        }
        Json::Array(list) => {
            let herds = list.iter().any(is_herd);
            if herds || (list.is_empty() && kind == Some(Kind::Herds)) {
                found.push(Format::HerdsJson);
            }
        }
        _ => {}
    }
    found
}

fn is_herd(json: &Json) -> bool {
    const SIGNS: [&str; 5] = [
        "herd",
        "animal_count",
        "daily_intake_kg_per_head",
        "herd_config_id",
        "herd_id",
    ];
    json.as_object()
        .is_some_and(|o| SIGNS.iter().any(|s| o.contains_key(*s)))
}

fn csv_formats(text: &str, options: &ReadOptions) -> Vec<Format> {
    if daymet::header(text).is_some() {
        return vec![Format::Daymet];
    }
    let Some(names) = table::header(text) else {
        return Vec::new();
    };
    let has = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    let any = |spellings: &[Spelling]| spellings.iter().any(|(name, ..)| has(name));
    let dated = has("date");
    let mut found = Vec::new();
    let counts = has("animal_count") || has("herd.animal_count") || has("daily_intake_kg_per_head");
    if counts || (has("effective_date") && (has("herd_config_id") || has("herd_id"))) {
        found.push(Format::HerdsCsv);
    }
    if dated && any(forage_csv::SPELLINGS) {
        found.push(Format::ForageCsv);
    }
    if dated && any(weather_csv::SPELLINGS) {
        found.push(Format::WeatherCsv);
    }
    if gridmet::is_header(&names) {
        found.push(Format::GridMet);
    }
    if any(soil_csv::SPELLINGS) {
        found.push(Format::SoilCsv);
    }
    if dated && options.series.iter().any(|(name, _)| has(name.trim())) {
        found.push(Format::SeriesCsv);
    }
    found
}

/// What was seen instead.
fn describe(source: &Source<'_>) -> String {
    const NAMES: usize = 12;
    let list = |names: Vec<String>| {
        let more = if names.len() > NAMES { ", …" } else { "" };
        let short: Vec<String> = names
            .iter()
            .take(NAMES)
            .map(|n| n.chars().take(40).collect())
            .collect();
        format!("{}{more}", short.join(", "))
    };
    match source {
        Source::Json(Json::Object(o)) if o.contains_key("message") => {
            let message = o
                .get("message")
                .map(ToString::to_string)
                .unwrap_or_default();
            format!("it holds only a message: {}", list(vec![message]))
        }
        Source::Json(Json::Object(o)) => {
            format!(
                "JSON with the members {}",
                list(o.keys().cloned().collect())
            )
        }
        Source::Json(Json::Array(a)) => match a.first() {
            None => "an empty JSON list".to_owned(),
            Some(Json::Object(o)) => format!(
                "a JSON list of objects with {}",
                list(o.keys().cloned().collect())
            ),
            Some(_) => "a JSON list".to_owned(),
        },
        Source::Json(_) => "a single JSON value".to_owned(),
        Source::Text(_, Some(problem)) => format!("it begins like JSON but is not: {problem}"),
        Source::Text(text, None) => match table::header(text) {
            None => "the file is empty".to_owned(),
            Some(names) if names.len() == 1 && text.contains([';', '\t']) => {
                "its columns seem to be separated by `;` or tabs; separate them by commas"
                    .to_owned()
            }
            Some(names) => format!("a text whose first line is {}", list(names)),
        },
    }
}

/// The formats that could have been meant, in words.
fn known(kind: Option<Kind>) -> String {
    let words: Vec<String> = Format::ALL
        .into_iter()
        .filter(|f| kind.is_none_or(|k| k == f.kind()))
        .map(|f| format!("{} ({})", f.name(), sign(f)))
        .collect();
    words.join(", ")
}

/// By what a format is recognised.
fn sign(format: Format) -> &'static str {
    match format {
        Format::GeoJson => "a FeatureCollection, Feature, Polygon or MultiPolygon",
        Format::HerdsJson => "a list of objects with `herd` or `animal_count`",
        Format::HerdsCsv => "columns animal_count and effective_date",
        Format::Rap => "a Feature with a table production16day, production or cover",
        Format::ForageCsv => "columns date and kg_per_ha or lb_per_acre",
        Format::OpenMeteo => "latitude, longitude and a `daily` block",
        Format::Daymet => "a header that begins year,yday",
        Format::GridMet => "a date and columns such as Tmax_C, tmmx, Prcp or pr",
        Format::WeatherCsv => "columns date and precipitation_mm, temp_max_c, …",
        Format::Sda => "an object with a list `Table`, or {}",
        Format::SoilCsv => "columns soil_…",
        Format::SeriesCsv => "columns date and one declared by [[series]]",
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::{Format, Kind, ReadError, ReadOptions};
    use crate::ingest::readers::read;
    use crate::ingest::readers::testing::refusal;
    use proptest::prelude::*;

    fn anything() -> ReadOptions {
        ReadOptions {
            file_name: "f".to_owned(),
            ..ReadOptions::default()
        }
    }

    #[test]
    fn what_is_nothing_known_is_refused_with_the_list_of_what_is() {
        for (bytes, seen) in [
            (&b""[..], "the file is empty"),
            (b"PK\x03\x04\0\0", "binary"),
            (b"colour,shape\nred,round\n", "colour, shape"),
            (b"date;kg_per_ha\n", "separated by"),
            (b"{\"type\":\"Feature\",", "begins like JSON"),
            (b"{\"message\":\"out of coverage\"}", "out of coverage"),
            (b"[]", "an empty JSON list"),
        ] {
            let message = refusal(read(bytes, &anything()));
            assert!(message.contains(seen), "{message}");
        }
        let message = refusal(read(b"colour\n", &anything()));
        for format in Format::ALL {
            assert!(message.contains(format.name()), "{message}");
        }
        let only = ReadOptions {
            kind: Some(Kind::Soil),
            ..anything()
        };
        let message = refusal(read(b"colour\n", &only));
        assert!(
            message.contains("sda") && !message.contains("daymet"),
            "{message}"
        );
    }

    #[test]
    fn a_format_that_is_insisted_on_is_tried_and_nothing_else() {
        let mut options = anything();
        options.format = Some(Format::GeoJson);
        assert!(refusal(read(b"a,b\n", &options)).contains("cannot be read as geojson"));
        options.format = Some(Format::ForageCsv);
        assert!(refusal(read(b"{}", &options)).contains("it is JSON, not CSV"));
        options.kind = Some(Kind::Soil);
        assert!(matches!(
            read(b"{}", &options),
            Err(ReadError::WrongKind { .. })
        ));
    }

    #[test]
    fn the_kind_decides_where_a_file_could_be_two_things() {
        let text = b"boundary_id,date,kg_per_ha,temp_max_c\nn,2025-05-01,1,2\n";
        for (kind, format) in [
            (Kind::Forage, Format::ForageCsv),
            (Kind::Weather, Format::WeatherCsv),
        ] {
            let options = ReadOptions {
                kind: Some(kind),
                ..anything()
            };
            assert_eq!(read(text, &options).unwrap().format, format);
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), format in 0usize..13) {
            let options = ReadOptions {
                boundary: Some("n".to_owned()),
                format: Format::ALL.get(format).copied(),
                ..anything()
            };
            let _ = read(&bytes, &options);
        }

        #[test]
        fn broken_files_of_known_shape_never_panic(cut in 0usize..400, at in 0usize..400, with in any::<u8>(), which in 0usize..6) {
            let texts: [&str; 6] = [
                r#"{"type":"Feature","properties":{"id":"a","acres":3},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}"#,
                r#"{"type":"Feature","properties":{"production16day":[["date","year","doy","HER"],["1993-01-16",1993,16,29.1]]}}"#,
                r#"{"latitude":1,"longitude":2,"daily_units":{"precipitation_sum":"mm"},"daily":{"time":["2025-01-01"],"precipitation_sum":[1]}}"#,
                r#"{"Table":[["mukey","area_m2","comppct_r","rsprod_r"],["1","2","3","4"]]}"#,
                "year,yday,dayl (s),srad (W/m^2)\n2000,1,3,4\n",
                "id,boundary_id,effective_date,animal_count\na,b,2025-01-01,1\n",
            ];
            let mut bytes = texts[which].as_bytes().to_vec();
            if let Some(b) = bytes.get_mut(at) {
                *b = with;
            }
            if cut < bytes.len() && cut % 3 == 0 {
                bytes.truncate(cut);
            }
            let options = ReadOptions {
                boundary: Some("n".to_owned()),
                ..anything()
            };
            let _ = read(&bytes, &options);
        }
    }
}
