//! Checks whether the outputs of a ledger row match a component's declaration, without building values: a long range
//! that is already recorded is checked a million times.

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use provender_domain::day::Day;
use provender_domain::description::Output;
use provender_domain::value::{DataType, MAX_JSON_INT};

/// Whether a canonical JSON list holds exactly these outputs. Gives the same answer as reading each with
/// [`provender_domain::value::Value::from_json`].
pub(super) fn fits(outputs: &[Output], list: &str) -> bool {
    let mut text = serde_json::Deserializer::from_str(list);
    List(outputs).deserialize(&mut text).is_ok() && text.end().is_ok()
}

struct List<'a>(&'a [Output]);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a list of {} outputs", self.0.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let misfit = || A::Error::custom("another number of outputs");
        for output in self.0 {
            seq.next_element_seed(Cell(output.field.data_type))?
                .ok_or_else(misfit)?;
        }
        match seq.next_element::<serde::de::IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(misfit()),
        }
    }
}

/// One output of a type, or null.
#[derive(Clone, Copy)]
struct Cell(DataType);

impl<'de> DeserializeSeed<'de> for Cell {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl Cell {
    fn only<E: serde::de::Error>(self, fits: bool) -> Result<(), E> {
        match fits {
            true => Ok(()),
            false => Err(E::custom(format_args!("no {}", self.0.name()))),
        }
    }
}

impl<'de> Visitor<'de> for Cell {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} or null", self.0.name())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.only(self.0 == DataType::Boolean)
    }

    fn visit_i64<E: serde::de::Error>(self, i: i64) -> Result<(), E> {
        // Beyond 2^53 an integer is not exact as a JSON number.
        let exact = i.unsigned_abs() <= MAX_JSON_INT.unsigned_abs();
        self.only(self.0 == DataType::Float64 || self.0 == DataType::Int64 && exact)
    }

    fn visit_u64<E: serde::de::Error>(self, i: u64) -> Result<(), E> {
        let exact = i <= MAX_JSON_INT.unsigned_abs();
        self.only(self.0 == DataType::Float64 || self.0 == DataType::Int64 && exact)
    }

    fn visit_f64<E: serde::de::Error>(self, x: f64) -> Result<(), E> {
        self.only(self.0 == DataType::Float64 && x.is_finite())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.only(match self.0 {
            DataType::Text => true,
            DataType::Date => text.parse::<Day>().is_ok(),
            DataType::Int64 => text.parse::<i64>().is_ok(),
            _ => false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.only(self.0 == DataType::Series)?;
        while seq.next_element_seed(Point)?.is_some() {}
        Ok(())
    }
}

/// A pair of day and number.
struct Point;

impl<'de> DeserializeSeed<'de> for Point {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Point {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a day and a number")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let misfit = || A::Error::custom("no day and number");
        let _day: Day = seq.next_element()?.ok_or_else(misfit)?;
        let _value: f64 = seq.next_element()?.ok_or_else(misfit)?;
        match seq.next_element::<serde::de::IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(misfit()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use provender_domain::canonical::from_slice;
    use provender_domain::description::{Field, Role};
    use provender_domain::value::Value;

    const TYPES: [DataType; 6] = [
        DataType::Float64,
        DataType::Int64,
        DataType::Boolean,
        DataType::Date,
        DataType::Text,
        DataType::Series,
    ];

    fn json() -> impl Strategy<Value = Json> {
        prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|b| json!(b)),
            any::<i64>().prop_map(|i| json!(i)),
            any::<u64>().prop_map(|i| json!(i)),
            (-3_i64..3).prop_map(|i| json!(MAX_JSON_INT + i)),
            prop::num::f64::NORMAL.prop_map(|x| json!(x)),
            any::<i64>().prop_map(|i| json!(i.to_string())),
            prop::sample::select(vec!["", "2025-06-30", "2025-02-30", "x"]).prop_map(|s| json!(s)),
            prop::sample::select(vec![
                json!([]),
                json!([["2025-06-30", 1]]),
                json!([["2025-06-30", 1.5], ["2025-07-01", 2]]),
                json!([["2025-06-30"]]),
                json!([["2025-06-30", 1, 2]]),
                json!([[1, 1]]),
                json!({"a": 1}),
            ]),
        ]
    }

    fn slowly(outputs: &[Output], list: &str) -> bool {
        let Ok(Json::Array(list)) = from_slice(list.as_bytes()) else {
            return false;
        };
        let types = outputs.iter().map(|o| o.field.data_type);
        list.len() == outputs.len()
            && types
                .zip(&list)
                .all(|(t, j)| Value::from_json(t, j).is_some())
    }

    proptest! {
        #[test]
        fn the_fast_path_agrees_with_parsing_the_values(types in prop::collection::vec(0..6_usize, 1..3), list in prop::collection::vec(json(), 0..4), tail in prop::sample::select(vec!["", " ", "x", ",", "]"])) {
            let output = |t: &usize| Output {
                field: Field {
                    name: "o".to_owned(),
                    data_type: TYPES[*t],
                    unit: None,
                    nullable: true,
                    doc: String::new(),
                },
                role: Role::Outcome,
                formula: None,
            };
            let outputs: Vec<Output> = types.iter().map(output).collect();
            let list = format!("{}{tail}", Json::Array(list));
            prop_assert_eq!(fits(&outputs, &list), slowly(&outputs, &list), "{:?} {}", types, list);
        }
    }
}
