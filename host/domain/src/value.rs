//! Values of the WIT contract in the host: typed, nullable, with one JSON form.

use serde_json::{Value as Json, json};

use super::day::Day;

/// The types of the contract (`data-type` in `wit/logic.wit`).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// IEEE 754 binary64, always finite at the sandbox boundary.
    Float64,
    /// A signed 64-bit integer.
    Int64,
    /// True or false.
    Boolean,
    /// A calendar day.
    Date,
    /// UTF-8 text.
    Text,
    /// The dated observations of a window.
    Series,
}

impl DataType {
    /// The type's name in the WIT contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DataType::Float64 => "float64",
            DataType::Int64 => "int64",
            DataType::Boolean => "boolean",
            DataType::Date => "date",
            DataType::Text => "text",
            DataType::Series => "series",
        }
    }
}

/// A value that is not null (`scalar` in the contract).
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A finite number.
    Float64(f64),
    /// An integer.
    Int64(i64),
    /// True or false.
    Boolean(bool),
    /// A day.
    Date(Day),
    /// A text.
    Text(String),
}

/// The value of one row and column. `Null` is missing, never zero.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Missing.
    Null,
    /// A finite number; −0.0 is stored as 0.0.
    Float64(f64),
    /// An integer.
    Int64(i64),
    /// True or false.
    Boolean(bool),
    /// A day.
    Date(Day),
    /// A text.
    Text(String),
    /// Dated observations, in ascending order of date.
    Series(Vec<(Day, f64)>),
}

/// The largest integer that JSON numbers represent exactly everywhere (2^53, RFC 8785 section 3.2.2.3).
pub const MAX_JSON_INT: i64 = 1 << 53;

/// Turns −0.0 into 0.0, so that two spellings of zero never look like drift.
#[must_use]
pub fn plain_zero(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x }
}

/// A finite number as JSON. Whole numbers up to 2^53 become integers, as in canonical JSON, so that a value equals what
/// is read back from its text.
fn float_json(x: f64) -> Json {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "whole and below 2^53"
    )]
    if x.fract() == 0.0 && x.abs() <= MAX_JSON_INT as f64 {
        json!(x as i64)
    } else {
        json!(x)
    }
}

fn int_json(i: i64) -> Json {
    if (-MAX_JSON_INT..=MAX_JSON_INT).contains(&i) {
        json!(i)
    } else {
        json!(i.to_string())
    }
}

fn int_from(j: &Json) -> Option<i64> {
    match j {
        Json::Number(n) => n.as_i64(),
        Json::String(s) => s.parse().ok(),
        _ => None,
    }
}

impl Scalar {
    /// The scalar's type.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self {
            Scalar::Float64(_) => DataType::Float64,
            Scalar::Int64(_) => DataType::Int64,
            Scalar::Boolean(_) => DataType::Boolean,
            Scalar::Date(_) => DataType::Date,
            Scalar::Text(_) => DataType::Text,
        }
    }

    /// The number, if this scalar is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Scalar::Float64(x) => Some(*x),
            #[expect(
                clippy::cast_precision_loss,
                reason = "bounds and thresholds are compared as f64"
            )]
            Scalar::Int64(i) => Some(*i as f64),
            _ => None,
        }
    }

    /// The JSON form; see [`Value::to_json`].
    #[must_use]
    pub fn to_json(&self) -> Json {
        Value::from(self.clone()).to_json()
    }

    /// Reads a scalar of the given type from JSON (or from TOML converted to JSON).
    #[must_use]
    pub fn from_json(data_type: DataType, j: &Json) -> Option<Scalar> {
        match Value::from_json(data_type, j)? {
            Value::Float64(x) => Some(Scalar::Float64(x)),
            Value::Int64(x) => Some(Scalar::Int64(x)),
            Value::Boolean(x) => Some(Scalar::Boolean(x)),
            Value::Date(x) => Some(Scalar::Date(x)),
            Value::Text(x) => Some(Scalar::Text(x)),
            Value::Null | Value::Series(_) => None,
        }
    }

    /// Reads a scalar of the given type from a command-line argument.
    #[must_use]
    pub fn parse(data_type: DataType, text: &str) -> Option<Scalar> {
        match data_type {
            DataType::Float64 => text
                .parse::<f64>()
                .ok()
                .filter(|x| x.is_finite())
                .map(|x| Scalar::Float64(plain_zero(x))),
            DataType::Int64 => text.parse().ok().map(Scalar::Int64),
            DataType::Boolean => text.parse().ok().map(Scalar::Boolean),
            DataType::Date => text.parse().ok().map(Scalar::Date),
            DataType::Text => Some(Scalar::Text(text.to_owned())),
            DataType::Series => None,
        }
    }
}

impl From<Scalar> for Value {
    fn from(s: Scalar) -> Value {
        match s {
            Scalar::Float64(x) => Value::Float64(x),
            Scalar::Int64(x) => Value::Int64(x),
            Scalar::Boolean(x) => Value::Boolean(x),
            Scalar::Date(x) => Value::Date(x),
            Scalar::Text(x) => Value::Text(x),
        }
    }
}

impl Value {
    /// True for a missing value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The number, if this value is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Float64(x) => Some(*x),
            #[expect(
                clippy::cast_precision_loss,
                reason = "bounds and thresholds are compared as f64"
            )]
            Value::Int64(i) => Some(*i as f64),
            _ => None,
        }
    }

    /// The JSON form: numbers as numbers, integers beyond 2^53 as strings, days as `YYYY-MM-DD`,
    /// a series as a list of `[day, value]`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Float64(x) => float_json(*x),
            Value::Int64(i) => int_json(*i),
            Value::Boolean(b) => json!(b),
            Value::Date(d) => json!(d.to_string()),
            Value::Text(t) => json!(t),
            Value::Series(points) => Json::Array(
                points
                    .iter()
                    .map(|(d, x)| json!([d.to_string(), float_json(*x)]))
                    .collect(),
            ),
        }
    }

    /// The inverse of [`Value::to_json`] for a known type; `None` if the JSON has a different type.
    #[must_use]
    pub fn from_json(data_type: DataType, j: &Json) -> Option<Value> {
        if j.is_null() {
            return Some(Value::Null);
        }
        match data_type {
            DataType::Float64 => j
                .as_f64()
                .filter(|x| x.is_finite())
                .map(|x| Value::Float64(plain_zero(x))),
            DataType::Int64 => int_from(j).map(Value::Int64),
            DataType::Boolean => j.as_bool().map(Value::Boolean),
            DataType::Date => j.as_str()?.parse().ok().map(Value::Date),
            DataType::Text => j.as_str().map(|s| Value::Text(s.to_owned())),
            DataType::Series => {
                let points = j.as_array()?.iter().map(|p| {
                    let pair = p.as_array()?;
                    let [day, x] = pair.as_slice() else {
                        return None;
                    };
                    Some((day.as_str()?.parse().ok()?, x.as_f64()?))
                });
                points.collect::<Option<Vec<_>>>().map(Value::Series)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_integers_are_written_as_strings() {
        for i in [0, -1, MAX_JSON_INT, MAX_JSON_INT + 1, i64::MIN, i64::MAX] {
            let j = Value::Int64(i).to_json();
            assert_eq!(
                j.is_string(),
                i.unsigned_abs() > MAX_JSON_INT.unsigned_abs()
            );
            assert_eq!(Value::from_json(DataType::Int64, &j), Some(Value::Int64(i)));
        }
    }

    #[test]
    fn minus_zero_is_zero() {
        assert_eq!(Value::Float64(-0.0).to_json().to_string(), "0");
        let Some(Value::Float64(x)) = Value::from_json(DataType::Float64, &json!(-0.0)) else {
            panic!()
        };
        assert!(x.is_sign_positive());
    }
}
