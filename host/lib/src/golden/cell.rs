//! Reads a text or a TOML value as a value of a column's type. The errors are clauses that name what is
//! allowed.

use provender_domain::day::Day;
use provender_domain::number;
use provender_domain::value::{DataType, Scalar, Value, plain_zero};

/// What a value of a type looks like, for messages.
fn looks(data_type: DataType, toml: bool) -> &'static str {
    match (data_type, toml) {
        (DataType::Float64, _) => "a number such as 12.5, or exact bits such as 0x1.9p3",
        (DataType::Int64, _) => "a whole number such as 12",
        (DataType::Boolean, _) => "true or false",
        (DataType::Date, _) => "a date such as 2025-06-30",
        (DataType::Text, _) => "a text",
        (DataType::Series, true) => {
            "a list of [date, number], oldest first, each date once, such as [[\"2025-06-01\", -1.5]]"
        }
        (DataType::Series, false) => {
            "dates with numbers, oldest first, each date once, such as 2025-06-01=-1.5 2025-06-02=0"
        }
    }
}

fn no(shown: &str, data_type: DataType, toml: bool) -> String {
    format!(
        "{shown} is not a valid {}: write {}",
        data_type.name(),
        looks(data_type, toml)
    )
}

/// A TOML value as a value of the type.
pub(super) fn of_toml(value: &toml_edit::Value, data_type: DataType) -> Result<Value, String> {
    let found = match data_type {
        DataType::Float64 => toml_number(value).map(|x| Value::Float64(plain_zero(x))),
        DataType::Int64 => value.as_integer().map(Value::Int64),
        DataType::Boolean => value.as_bool().map(Value::Boolean),
        DataType::Date => toml_day(value).map(Value::Date),
        DataType::Text => value.as_str().map(|t| Value::Text(t.to_owned())),
        DataType::Series => value.as_array().and_then(|points| {
            let point = |p: &toml_edit::Value| {
                let pair = p.as_array().filter(|pair| pair.len() == 2)?;
                Some((toml_day(pair.get(0)?)?, toml_number(pair.get(1)?)?))
            };
            series(points.iter().map(point))
        }),
    };
    found.ok_or_else(|| no(&shown(value), data_type, true))
}

/// A text of a CSV field as a value of the type; the caller has dealt with empty ones.
pub(super) fn of_text(text: &str, data_type: DataType) -> Result<Value, String> {
    let found = match data_type {
        DataType::Float64 => number::parse(text).map(|x| Value::Float64(plain_zero(x))),
        DataType::Int64 => text.parse().ok().map(Value::Int64),
        DataType::Boolean => text.parse().ok().map(Value::Boolean),
        DataType::Date => text.parse().ok().map(Value::Date),
        DataType::Text => Some(Value::Text(text.to_owned())),
        DataType::Series => series(text.split_ascii_whitespace().map(|point| {
            let (day, x) = point.split_once('=')?;
            Some((day.parse().ok()?, number::parse(x)?))
        })),
    };
    found.ok_or_else(|| no(&format!("`{text}`"), data_type, false))
}

/// A parameter's value, which is a single one.
pub(super) fn scalar(value: Value) -> Option<Scalar> {
    match value {
        Value::Float64(x) => Some(Scalar::Float64(x)),
        Value::Int64(x) => Some(Scalar::Int64(x)),
        Value::Boolean(x) => Some(Scalar::Boolean(x)),
        Value::Date(x) => Some(Scalar::Date(x)),
        Value::Text(x) => Some(Scalar::Text(x)),
        Value::Null | Value::Series(_) => None,
    }
}

/// A TOML value as it is written.
pub(super) fn shown(value: &toml_edit::Value) -> String {
    value.to_string().trim().to_owned()
}

/// A number in TOML: a float, an integer for a person who wrote 50 for 50.0, or a text with one of
/// the spellings of [`number::parse`].
pub(super) fn toml_number(value: &toml_edit::Value) -> Option<f64> {
    let x = match value {
        toml_edit::Value::Float(x) => *x.value(),
        #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 it is refused")]
        toml_edit::Value::Integer(i) => {
            let x = *i.value() as f64;
            (i.value().unsigned_abs() <= 1 << 53).then_some(x)?
        }
        toml_edit::Value::String(text) => number::parse(text.value())?,
        _ => return None,
    };
    x.is_finite().then_some(x)
}

fn toml_day(value: &toml_edit::Value) -> Option<Day> {
    match value {
        toml_edit::Value::Datetime(date) => date.value().to_string().parse().ok(),
        other => other.as_str()?.parse().ok(),
    }
}

/// Points in strictly ascending order of their days, as production passes them.
fn series(points: impl Iterator<Item = Option<(Day, f64)>>) -> Option<Value> {
    let points: Vec<_> = points
        .map(|p| p.map(|(day, x)| (day, plain_zero(x))))
        .collect::<Option<_>>()?;
    let ascending = points.windows(2).all(|w| w[0].0 < w[1].0);
    ascending.then_some(Value::Series(points))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(text: &str, data_type: DataType) -> Result<Value, String> {
        let value: toml_edit::Value = text.parse().unwrap();
        of_toml(&value, data_type)
    }

    #[test]
    fn both_files_give_the_same_values() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let series = Value::Series(vec![(day("2025-06-01"), -1.5), (day("2025-06-02"), 0.0)]);
        for (data_type, in_toml, in_csv, value) in [
            (DataType::Float64, "12", "12", Value::Float64(12.0)),
            (
                DataType::Float64,
                "'0x1.8p3'",
                "0x1.8p3",
                Value::Float64(12.0),
            ),
            (DataType::Float64, "'0.1'", "0.1", Value::Float64(0.1)),
            (DataType::Int64, "-3", "-3", Value::Int64(-3)),
            (DataType::Boolean, "true", "true", Value::Boolean(true)),
            (
                DataType::Date,
                "2025-06-30",
                "2025-06-30",
                Value::Date(day("2025-06-30")),
            ),
            (DataType::Text, "'é'", "é", Value::Text("é".into())),
            (
                DataType::Series,
                "[[2025-06-01, -1.5], ['2025-06-02', 0]]",
                "2025-06-01=-1.5 2025-06-02=0",
                series,
            ),
            (DataType::Series, "[]", "", Value::Series(vec![])),
        ] {
            assert_eq!(toml(in_toml, data_type), Ok(value.clone()), "{in_toml}");
            assert_eq!(of_text(in_csv, data_type), Ok(value), "{in_csv}");
        }
    }

    #[test]
    fn other_values_are_refused_with_what_is_allowed() {
        for (data_type, text) in [
            (DataType::Float64, "nan"),
            (DataType::Float64, "inf"),
            (DataType::Float64, "true"),
            (DataType::Float64, "9007199254740993"),
            (DataType::Int64, "1.0"),
            (DataType::Date, "2025-06-30T00:00:00"),
            (DataType::Text, "1"),
            (DataType::Series, "[[2025-06-02, 1], [2025-06-01, 1]]"),
            (DataType::Series, "[[2025-06-01, 1], [2025-06-01, 1]]"),
            (DataType::Series, "[[2025-06-01]]"),
        ] {
            assert!(toml(text, data_type).is_err(), "{text}");
        }
        assert_eq!(
            of_text("12 kg", DataType::Float64).unwrap_err(),
            "`12 kg` is not a valid float64: write a number such as 12.5, or exact bits such as 0x1.9p3"
        );
        assert_eq!(
            of_text("2025-06-01", DataType::Series).unwrap_err(),
            "`2025-06-01` is not a valid series: write dates with numbers, oldest first, each date once, such as 2025-06-01=-1.5 2025-06-02=0"
        );
    }
}
