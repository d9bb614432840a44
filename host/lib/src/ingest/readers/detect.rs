//! Detects a file's format from its content. `options.format` overrides. The error for an unknown format
//! describes the content and lists the known formats.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::ingest::parsed::{Format, Kind, ReadError, ReadOptions};

use super::formats::{Form, Head};
use super::table;

/// A file's content, parsed as far as detection needs.
pub(super) enum Source<'b> {
    /// Valid JSON.
    Json(Json),
    /// Anything else, with the parser's error if it begins like JSON.
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
/// If the format is unknown, or of another kind than the caller expects.
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
    let head = match source {
        Source::Text(text, None) => Some(Head {
            text,
            names: table::header(text).unwrap_or_default(),
            options,
        }),
        _ => None,
    };
    let fits = |format: &Format| match (&format.0.form, source) {
        (Form::Json { is, .. }, Source::Json(json)) => is(json, options.kind),
        (Form::Text { is, .. }, Source::Text(..)) => head.as_ref().is_some_and(is),
        _ => false,
    };
    let candidates: Vec<Format> = Format::all().filter(fits).collect();
    // If several formats fit, the expected kind decides.
    let wanted = candidates
        .iter()
        .find(|f| options.kind == Some(f.kind()))
        .or(candidates.first());
    wanted.copied().ok_or_else(|| ReadError::Unknown {
        file: options.file_name.clone(),
        looked_like: format!(
            "{}; known formats are {}",
            describe(source),
            known(options.kind)
        ),
    })
}

/// What the content looks like, for the error message.
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
            format!("it has only a message: {}", list(vec![message]))
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

/// The known formats of a kind, with what each is recognised by.
fn known(kind: Option<Kind>) -> String {
    let words: Vec<String> = Format::all()
        .filter(|f| kind.is_none_or(|k| k == f.kind()))
        .map(|f| format!("{} ({})", f.name(), f.0.sign))
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::ingest::parsed::{Format, Kind, ReadError, ReadOptions};
    use crate::ingest::readers::read;
    use crate::ingest::readers::testing::refusal;
    use proptest::prelude::*;
    use provender_domain::ids::BoundaryId;

    fn anything() -> ReadOptions {
        ReadOptions {
            file_name: "f".to_owned(),
            ..ReadOptions::default()
        }
    }

    #[test]
    fn an_unknown_format_is_refused_with_the_list_of_known_ones() {
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
        for format in Format::all() {
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
    fn a_requested_format_is_the_only_one_tried() {
        let mut options = anything();
        options.format = Some(Format::parse("geojson").unwrap());
        assert!(refusal(read(b"a,b\n", &options)).contains("cannot be read as geojson"));
        options.format = Some(Format::parse("forage-csv").unwrap());
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
            (Kind::Forage, Format::parse("forage-csv").unwrap()),
            (Kind::Weather, Format::parse("weather-csv").unwrap()),
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
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), format in 0..=Format::all().count()) {
            let options = ReadOptions {
                boundary: Some(BoundaryId::unchecked("n")),
                format: Format::all().nth(format),
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
                boundary: Some(BoundaryId::unchecked("n")),
                ..anything()
            };
            let _ = read(&bytes, &options);
        }
    }

    #[test]
    fn the_reference_lists_every_format_with_its_kind_and_no_other() {
        let page = include_str!("../../../../../docs/reference/files.md");
        let (_, section) = page.split_once("\n## Input formats\n").unwrap();
        let rows = section.lines().take_while(|line| !line.starts_with('#'));
        let rows = rows.filter(|row| row.starts_with("| ") && !row.starts_with("| input "));
        let mut listed: Vec<(&str, &str)> = rows
            .flat_map(|row| {
                let mut cells = row.trim_start_matches("| ").split(" | ");
                let (kind, formats) = (cells.next().unwrap(), cells.next().unwrap());
                let formats = formats.split(", ");
                formats.map(move |format| (kind, format.trim_matches('`')))
            })
            .collect();
        let mut known: Vec<_> = Format::all().map(|f| (f.kind().name(), f.name())).collect();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }
}
