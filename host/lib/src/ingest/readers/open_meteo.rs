//! Weather from an Open-Meteo daily reply (archive or forecast). Rows count the days from 1.
//!
//! Both spellings of the variables are known (`windspeed_10m_max`, `wind_speed_10m_max`). Units are read from
//! `daily_units` and never assumed; nulls are nodata. `generationtime_ms` differs in every reply and is not read.
//! Days are days of the reply's timezone, so a timezone far from the place's own gives a warning: its days are
//! not the pasture's.

use serde_json::{Map, Value as Json};

use crate::ingest::parsed::{Kind, ReadError};
use provender_domain::day::Day;

use super::draft::{Draft, Gather, Given, row_number};
use super::fields::{self, shown};
use super::formats::{Form, Reader, Taken};
use super::units::Unit;

/// UTC days do not fit a place further from Greenwich than this (degrees; 1.5 hours).
const UTC_REACH_DEGREES: f64 = 22.5;
/// Civil time differs from solar time by at most this (hours).
const CIVIL_REACH_HOURS: f64 = 4.0;

const VARIABLES: [(&str, &str, Unit); 16] = [
    ("temperature_2m_max", "temp_max_c", Unit::Celsius),
    ("temperature_2m_min", "temp_min_c", Unit::Celsius),
    ("temperature_2m_mean", "temp_mean_c", Unit::Celsius),
    ("precipitation_sum", "precipitation_mm", Unit::Millimetre),
    (
        "wind_speed_10m_max",
        "wind_speed_max_m_s",
        Unit::MetrePerSecond,
    ),
    (
        "windspeed_10m_max",
        "wind_speed_max_m_s",
        Unit::MetrePerSecond,
    ),
    (
        "wind_speed_10m_mean",
        "wind_speed_mean_m_s",
        Unit::MetrePerSecond,
    ),
    (
        "windspeed_10m_mean",
        "wind_speed_mean_m_s",
        Unit::MetrePerSecond,
    ),
    (
        "relative_humidity_2m_max",
        "relative_humidity_max_pct",
        Unit::Percent,
    ),
    (
        "relativehumidity_2m_max",
        "relative_humidity_max_pct",
        Unit::Percent,
    ),
    (
        "relative_humidity_2m_min",
        "relative_humidity_min_pct",
        Unit::Percent,
    ),
    (
        "relativehumidity_2m_min",
        "relative_humidity_min_pct",
        Unit::Percent,
    ),
    (
        "shortwave_radiation_sum",
        "solar_radiation_mj_m2",
        Unit::MegajoulePerSquareMetre,
    ),
    ("et0_fao_evapotranspiration", "et0_mm", Unit::Millimetre),
    ("et0_fao_evapotranspiration_sum", "et0_mm", Unit::Millimetre),
    ("daylight_duration", "day_length_s", Unit::Second),
];

/// A variable of the reply that fills a column of the catalogue.
struct Variable<'j> {
    name: &'static str,
    column: &'static str,
    from: Unit,
    to: Unit,
    values: &'j [Json],
}

/// The format's entry in the table of readers.
pub(super) const READER: Reader = Reader {
    name: "open-meteo",
    kind: Kind::Weather,
    sign: "latitude, longitude and a `daily` block",
    form: Form::Json {
        is: |json, _| {
            let has = |name: &str| json.get(name).is_some();
            let failed = json.get("error") == Some(&Json::Bool(true)) && has("reason");
            (has("latitude") && has("longitude")) || failed
        },
        read,
    },
};

/// Reads a parsed reply.
fn read(json: &Json, draft: &mut Draft<'_>) -> Taken {
    if json.get("error").and_then(Json::as_bool) == Some(true) {
        let reason = json.get("reason").map(shown).unwrap_or_default();
        return Err(draft.refuse(format!("is an Open-Meteo error reply: {reason}")));
    }
    let Some(daily) = json.get("daily").and_then(Json::as_object) else {
        return Err(draft.refuse("has no `daily` block; request daily variables from Open-Meteo"));
    };
    let place = draft.place()?;
    let units = json.get("daily_units").and_then(Json::as_object);
    if units.and_then(|u| u.get("time")).and_then(Json::as_str) == Some("unixtime") {
        return Err(draft
            .refuse("has its dates in Unix seconds; request timeformat=iso8601 from Open-Meteo"));
    }
    let times = daily
        .get("time")
        .and_then(Json::as_array)
        .ok_or_else(|| draft.refuse("its `daily` block has no list `time`"))?;
    let variables = variables(daily, units, times.len(), draft)?;
    warn_of_timezone(json, draft);
    if times.is_empty() {
        draft.warn("the reply has no days");
    }
    let mut gather = Gather::default();
    for (i, time) in times.iter().enumerate() {
        let row = row_number(i);
        let day = match fields::day(&shown(time)) {
            Ok(day) => day,
            Err(problem) => {
                draft.bad(row, "time", Some(&shown(time)), problem);
                continue;
            }
        };
        for variable in &variables {
            let value = variable.values.get(i).unwrap_or(&Json::Null);
            take(row, day, variable, value, &place, &mut gather, draft);
        }
    }
    Ok((times.len(), gather.into_content(draft)))
}

fn take(
    row: u32,
    day: Day,
    variable: &Variable<'_>,
    value: &Json,
    place: &str,
    gather: &mut Gather,
    draft: &mut Draft<'_>,
) {
    let text = shown(value);
    match fields::json_number(value, &[]) {
        Ok(x) => {
            let given = Given {
                row,
                field: variable.name,
                shown: &text,
                read_as: variable.from.name(),
                boundary: place,
                column: variable.column,
                date: Some(day),
                value: x.and_then(|x| variable.from.convert(x, variable.to)),
            };
            gather.put(draft, &given);
        }
        Err(problem) => draft.bad(row, variable.name, Some(&text), problem),
    }
}

fn variables<'j>(
    daily: &'j Map<String, Json>,
    units: Option<&Map<String, Json>>,
    days: usize,
    draft: &mut Draft<'_>,
) -> Result<Vec<Variable<'j>>, ReadError> {
    let mut variables: Vec<Variable<'j>> = Vec::new();
    for (name, column, to) in VARIABLES {
        let Some(list) = daily.get(name) else {
            continue;
        };
        let values = list
            .as_array()
            .ok_or_else(|| draft.refuse(format!("`daily.{name}` is not a list")))?;
        if values.len() != days {
            return Err(draft.refuse(format!(
                "`daily.{name}` has {} values for {days} days",
                values.len()
            )));
        }
        if let Some(other) = variables.iter().find(|v| v.column == column) {
            return Err(draft.refuse(format!(
                "`{}` and `{name}` both give {column}; keep one",
                other.name
            )));
        }
        let unit = units.and_then(|u| u.get(name)).and_then(Json::as_str);
        let from = unit
            .and_then(Unit::parse)
            .filter(|u| u.convert(1.0, to).is_some())
            .ok_or_else(|| {
                draft.refuse(match unit {
                    None => format!("`daily_units` has no unit for `{name}`"),
                    Some(unit) => {
                        format!("`{name}` is in `{unit}`, which is not a unit of {column}")
                    }
                })
            })?;
        variables.push(Variable {
            name,
            column,
            from,
            to,
            values,
        });
    }
    let ignored: Vec<String> = daily
        .keys()
        .filter(|k| *k != "time" && !VARIABLES.iter().any(|(n, ..)| n == k))
        .cloned()
        .collect();
    draft.warn_ignored("variables", &ignored);
    if variables.is_empty() {
        return Err(draft.refuse(format!(
            "its `daily` block has no known variable; it has {}",
            daily.keys().cloned().collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(variables)
}

fn warn_of_timezone(json: &Json, draft: &mut Draft<'_>) {
    let timezone = json.get("timezone").and_then(Json::as_str).unwrap_or("");
    let Some(longitude) = json.get("longitude").and_then(Json::as_f64) else {
        return;
    };
    let universal = ["GMT", "UTC", "Etc/UTC", "Etc/GMT"].contains(&timezone);
    let offset_hours = json
        .get("utc_offset_seconds")
        .and_then(Json::as_f64)
        .map(|s| s / 3600.0);
    // The difference wraps around at the date line.
    let far = offset_hours.is_some_and(|h| {
        let apart = (h - longitude / 15.0).abs() % 24.0;
        apart.min(24.0 - apart) > CIVIL_REACH_HOURS
    });
    if (universal && longitude.abs() > UTC_REACH_DEGREES) || far {
        draft.warn(format!(
            "its days are those of the timezone {timezone}, which is not the time at longitude {longitude}; request timezone=auto from Open-Meteo"
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::readers::testing::{bad, near, read, read_alone, refusal, value, values};

    fn reply(units: &str, daily: &str) -> String {
        format!(
            r#"{{"latitude":40.0,"longitude":-119.0,"generationtime_ms":0.1,"utc_offset_seconds":-28800,
            "timezone":"America/Los_Angeles","daily_units":{{"time":"iso8601",{units}}},
            "daily":{{"time":["2025-05-01","2025-05-02"],{daily}}}}}"#
        )
    }

    #[test]
    fn both_spellings_give_the_same_values_in_the_catalogue_s_unit() {
        let new = read(&reply(
            r#""temperature_2m_max":"°F","wind_speed_10m_max":"km/h","precipitation_sum":"inch""#,
            r#""temperature_2m_max":[212,null],"wind_speed_10m_max":[36,18],"precipitation_sum":[1,0]"#,
        ))
        .unwrap();
        near(value(&new, "temp_max_c", "2025-05-01"), 100.0);
        assert_eq!(value(&new, "temp_max_c", "2025-05-02"), None);
        near(value(&new, "wind_speed_max_m_s", "2025-05-01"), 10.0);
        near(value(&new, "precipitation_mm", "2025-05-01"), 25.4);
        let old = read(&reply(
            r#""windspeed_10m_max":"mp/h","sunrise":"iso8601""#,
            r#""windspeed_10m_max":[10,20],"sunrise":["a","b"]"#,
        ))
        .unwrap();
        near(value(&old, "wind_speed_max_m_s", "2025-05-01"), 4.4704);
        assert_eq!(old.warnings, ["ignored variables: sunrise"]);
        assert_eq!(values(&old).len(), 2);
    }

    #[test]
    fn units_are_never_assumed_and_lengths_must_agree() {
        let daily = r#""temperature_2m_max":[1,2]"#;
        assert!(refusal(read(&reply(r#""x":"y""#, daily))).contains("has no unit for"));
        let wrong = refusal(read(&reply(r#""temperature_2m_max":"mm""#, daily)));
        assert!(wrong.contains("`mm`"), "{wrong}");
        let short = refusal(read(&reply(
            r#""temperature_2m_max":"°C""#,
            r#""temperature_2m_max":[1]"#,
        )));
        assert!(short.contains("1 values for 2 days"), "{short}");
        let both = refusal(read(&reply(
            r#""windspeed_10m_max":"km/h","wind_speed_10m_max":"km/h""#,
            r#""windspeed_10m_max":[1,2],"wind_speed_10m_max":[1,2]"#,
        )));
        assert!(both.contains("keep one"), "{both}");
    }

    #[test]
    fn universal_days_of_a_distant_place_are_warned_of() {
        let text = reply(
            r#""precipitation_sum":"mm""#,
            r#""precipitation_sum":[1,2]"#,
        );
        assert_eq!(read(&text).unwrap().warnings, Vec::<String>::new());
        let utc = text
            .replace("America/Los_Angeles", "GMT")
            .replace("-28800", "0");
        let warnings = read(&utc).unwrap().warnings;
        assert!(warnings[0].contains("timezone GMT"), "{warnings:?}");
        let near = utc.replace("-119.0", "10.75");
        assert_eq!(read(&near).unwrap().warnings, Vec::<String>::new());
    }

    #[test]
    fn invalid_replies_are_refused_with_the_reason() {
        let error = r#"{"error":true,"reason":"Parameter out of range"}"#;
        assert!(refusal(read(error)).contains("Parameter out of range"));
        let hourly = r#"{"latitude":1,"longitude":2,"hourly":{}}"#;
        assert!(refusal(read(hourly)).contains("daily"));
        let text = reply(
            r#""precipitation_sum":"mm""#,
            r#""precipitation_sum":[1,-2]"#,
        );
        assert_eq!(bad(read(&text))[0].row, 2);
        assert!(refusal(read_alone(&text)).contains("--boundary"));
    }
}
