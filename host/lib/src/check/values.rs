//! The rows that a conformance run computes: ordinary ones, every value at its extreme by itself,
//! all at once, and mixtures. The same for every component of the same inputs.

use provender_domain::day::Day;
use provender_domain::description::Input;
use provender_domain::value::{DataType, Value};

/// The least number of rows of a conformance run; mixtures fill up what the extremes leave.
pub(super) const ROWS: usize = 400;

/// A row of ordinary values.
pub(super) fn ordinary(inputs: &[Input]) -> Vec<Value> {
    inputs
        .iter()
        .map(|i| extremes(i.field.data_type)[0].clone())
        .collect()
}

/// A row in which everything that may be null is.
pub(super) fn nulls(inputs: &[Input]) -> Vec<Value> {
    inputs
        .iter()
        .zip(ordinary(inputs))
        .map(|(i, value)| if i.field.nullable { Value::Null } else { value })
        .collect()
}

/// Ordinary rows, each input at each of its extremes (for any number of inputs), all inputs at their extremes, and
/// mixtures.
pub(super) fn rows(inputs: &[Input]) -> Vec<Vec<Value>> {
    let values: Vec<Vec<Value>> = inputs
        .iter()
        .map(|i| {
            let mut values = extremes(i.field.data_type);
            if i.field.nullable {
                values.push(Value::Null);
            }
            values
        })
        .collect();
    let plain = ordinary(inputs);
    let mut rows = vec![plain.clone(), nulls(inputs)];
    for (column, values) in values.iter().enumerate() {
        for value in values {
            let mut row = plain.clone();
            row[column] = value.clone();
            rows.push(row);
        }
    }
    let most = values.iter().map(Vec::len).max().unwrap_or(0);
    for n in 0..most {
        rows.push(values.iter().map(|v| v[n % v.len()].clone()).collect());
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    while rows.len() < ROWS && !inputs.is_empty() {
        rows.push(
            values
                .iter()
                .map(|v| v[random.below(v.len())].clone())
                .collect(),
        );
    }
    rows
}

/// The first value is an ordinary one.
#[expect(clippy::expect_used, reason = "the days are written here")]
#[expect(clippy::too_many_lines, reason = "a table of values")]
fn extremes(data_type: DataType) -> Vec<Value> {
    let day = |y, m, d| Day::from_ymd(y, m, d).expect("a day of the calendar");
    match data_type {
        DataType::Float64 => [
            10.0,
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            100.0,
            5e-324,
            -5e-324,
            f64::MIN_POSITIVE,
            f64::EPSILON,
            9_007_199_254_740_993.0,
            1e300,
            1e308,
            f64::MAX,
            f64::MIN,
        ]
        .into_iter()
        .map(Value::Float64)
        .collect(),
        DataType::Int64 => [
            10,
            0,
            1,
            -1,
            i64::from(i32::MAX) + 1,
            (1 << 53) + 1,
            i64::MAX,
            i64::MIN,
        ]
        .into_iter()
        .map(Value::Int64)
        .collect(),
        DataType::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        DataType::Date => [
            day(2025, 6, 30),
            day(1970, 1, 1),
            day(1969, 12, 31),
            day(2000, 2, 29),
            day(1900, 3, 1),
            Day::MIN,
            Day::MAX,
        ]
        .into_iter()
        .map(Value::Date)
        .collect(),
        DataType::Text => [
            "plain",
            "",
            " ",
            "Ängesholmen 牧草地 🐄 \u{202e}",
            "e\u{301} is not é",
            "a,\"b\"\r\n\tc\u{0}d",
        ]
        .into_iter()
        .map(|t| Value::Text(t.to_owned()))
        .chain([Value::Text("x".repeat(5_000))])
        .collect(),
        DataType::Series => {
            let run = |from: Day, n: i32, value: fn(i32) -> f64| {
                Value::Series(
                    (0..n)
                        .filter_map(|k| Some((from.plus(k)?, value(k))))
                        .collect(),
                )
            };
            vec![
                run(day(2025, 6, 1), 30, |k| f64::from(k) - 5.0),
                Value::Series(Vec::new()),
                run(day(2025, 6, 30), 1, |_| 0.0),
                run(day(2025, 1, 1), 181, |k| f64::from(k % 7) * 1e307),
                run(Day::MIN, 3, |_| -1.0),
                Value::Series(vec![(Day::MIN, f64::MIN), (Day::MAX, f64::MAX)]),
                run(day(2024, 1, 1), 366, |k| f64::from(k) * 5e-324),
            ]
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014), so that the mixtures are the same everywhere.
struct Random(u64);

impl Random {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the remainder is below a length"
    )]
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % (n as u64)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provender_domain::description::Field;

    fn inputs(n: usize) -> Vec<Input> {
        let types = [
            DataType::Float64,
            DataType::Text,
            DataType::Date,
            DataType::Series,
        ];
        let input = |i: usize| Input {
            field: Field {
                name: format!("i{i}"),
                data_type: types[i % types.len()],
                unit: None,
                nullable: true,
                doc: String::new(),
            },
            feature: String::new(),
        };
        (0..n).map(input).collect()
    }

    #[test]
    fn every_extreme_of_every_input_is_tried_alone_in_a_row() {
        for n in [1, 2, 24, 25, 60, 256] {
            let inputs = inputs(n);
            let rows = rows(&inputs);
            assert!(rows.len() >= ROWS, "{n}");
            let plain = ordinary(&inputs);
            for (column, input) in inputs.iter().enumerate() {
                for value in extremes(input.field.data_type)
                    .into_iter()
                    .chain([Value::Null])
                {
                    let alone = |row: &&Vec<Value>| {
                        row[column] == value
                            && (0..n).all(|other| other == column || row[other] == plain[other])
                    };
                    assert!(
                        rows.iter().any(|r| alone(&r)),
                        "{value:?} of input {column} of {n}"
                    );
                }
            }
        }
    }
}
