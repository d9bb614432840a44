//! Columns in the layout of Apache Arrow: a batch crosses the sandbox as a few block copies, without a call or a record
//! for each row.

use std::ops::Range;

use super::day::Day;
use super::value::{DataType, Value, plain_zero};

/// The values of a column. Slots of null rows hold zero (an empty text, an empty series).
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Finite numbers.
    Float64(Vec<f64>),
    /// Integers.
    Int64(Vec<i64>),
    /// One bit per row, least significant first.
    Boolean(Vec<u8>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Row `i` is `bytes[offsets[i]..offsets[i + 1]]`, UTF-8.
    Text {
        /// `rows + 1` ascending offsets from 0.
        offsets: Vec<u32>,
        /// The texts, concatenated.
        bytes: Vec<u8>,
    },
    /// Row `i` is the points `offsets[i]..offsets[i + 1]`.
    Series {
        /// `rows + 1` ascending offsets from 0.
        offsets: Vec<u32>,
        /// Days since 1970-01-01, ascending within a row.
        dates: Vec<i32>,
        /// The observed values.
        values: Vec<f64>,
    },
}

/// A column of values, some of which may be null.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    rows: usize,
    data: ColumnData,
    /// One bit per row, least significant first; 0 is null. `None` means that no row is null.
    validity: Option<Vec<u8>>,
}

/// Reads bit `i` of a bitmap, least significant first; false past its end.
#[must_use]
pub fn bit(bits: &[u8], i: usize) -> bool {
    bits.get(i / 8).is_some_and(|b| b >> (i % 8) & 1 == 1)
}

/// Whether all bits of the first `rows` are set; whole bytes are compared at once.
#[must_use]
pub fn all_set(bits: &[u8], rows: Range<usize>) -> bool {
    let bytes = rows.start.div_ceil(8)..rows.end / 8;
    match bits.get(bytes.clone()) {
        Some(whole) if !bytes.is_empty() => {
            // Without an early exit, so that the compiler can vectorize it.
            whole.iter().fold(0xff, |all, b| all & b) == 0xff
                && (rows.start..bytes.start * 8).all(|i| bit(bits, i))
                && (bytes.end * 8..rows.end).all(|i| bit(bits, i))
        }
        _ => rows.into_iter().all(|i| bit(bits, i)),
    }
}

fn set_bit(bits: &mut Vec<u8>, i: usize, on: bool) {
    if bits.len() <= i / 8 {
        bits.resize(i / 8 + 1, 0);
    }
    if on {
        bits[i / 8] |= 1 << (i % 8);
    }
}

#[expect(
    clippy::expect_used,
    reason = "batches have a few thousand rows, and ingest refuses such a large text"
)]
fn offset(n: usize) -> u32 {
    u32::try_from(n).expect("a column has fewer than 2^32 bytes")
}

const _: () = assert!(usize::BITS >= u32::BITS, "an offset is an index");

/// Converts an offset to an index.
#[must_use]
pub const fn index(offset: u32) -> usize {
    offset as usize
}

/// The offsets of some rows, shifted to start from 0, and the range of their elements.
#[must_use]
pub fn led(offsets: &[u32], rows: Range<usize>) -> (Vec<u32>, Range<usize>) {
    let (first, last) = (offsets[rows.start], offsets[rows.end]);
    // Offsets ascend, so this does not underflow.
    let own = offsets[rows].iter().chain([&last]).map(|o| o - first);
    (own.collect(), index(first)..index(last))
}

impl Column {
    /// An empty column of the given type.
    #[must_use]
    pub fn new(data_type: DataType) -> Column {
        let data = match data_type {
            DataType::Float64 => ColumnData::Float64(Vec::new()),
            DataType::Int64 => ColumnData::Int64(Vec::new()),
            DataType::Boolean => ColumnData::Boolean(Vec::new()),
            DataType::Date => ColumnData::Date(Vec::new()),
            DataType::Text => ColumnData::Text {
                offsets: vec![0],
                bytes: Vec::new(),
            },
            DataType::Series => ColumnData::Series {
                offsets: vec![0],
                dates: Vec::new(),
                values: Vec::new(),
            },
        };
        Column {
            rows: 0,
            data,
            validity: None,
        }
    }

    /// A column from parts that the caller has checked: lengths fit `rows`, offsets ascend, text is UTF-8, numbers are
    /// finite. The sandbox checks all of this for what a guest returns.
    #[must_use]
    pub fn from_checked_parts(rows: usize, data: ColumnData, validity: Option<Vec<u8>>) -> Column {
        Column {
            rows,
            data,
            validity,
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The values, including the slots of null rows.
    #[must_use]
    pub fn data(&self) -> &ColumnData {
        &self.data
    }

    /// The validity bitmap; `None` if no row is null.
    #[must_use]
    pub fn validity(&self) -> Option<&[u8]> {
        self.validity.as_deref()
    }

    /// The column's type.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match &self.data {
            ColumnData::Float64(_) => DataType::Float64,
            ColumnData::Int64(_) => DataType::Int64,
            ColumnData::Boolean(_) => DataType::Boolean,
            ColumnData::Date(_) => DataType::Date,
            ColumnData::Text { .. } => DataType::Text,
            ColumnData::Series { .. } => DataType::Series,
        }
    }

    /// True if row `i` is null or past the end.
    #[must_use]
    pub fn is_null(&self, i: usize) -> bool {
        i >= self.rows || self.validity.as_ref().is_some_and(|v| !bit(v, i))
    }

    /// True if row `i` has the same value as row `k` of another column. Numbers are the same if their canonical texts
    /// are; zero has one text, whatever its sign.
    #[must_use]
    pub fn is_same(&self, i: usize, other: &Column, k: usize) -> bool {
        if self.is_null(i) || other.is_null(k) {
            return self.is_null(i) && other.is_null(k) && self.data_type() == other.data_type();
        }
        let range = |offsets: &[u32], i: usize| {
            let at = |i: usize| Some(index(*offsets.get(i)?));
            Some(at(i)?..at(i + 1)?)
        };
        match (&self.data, &other.data) {
            (ColumnData::Float64(a), ColumnData::Float64(b)) => a.get(i) == b.get(k),
            (ColumnData::Int64(a), ColumnData::Int64(b)) => a.get(i) == b.get(k),
            (ColumnData::Boolean(a), ColumnData::Boolean(b)) => bit(a, i) == bit(b, k),
            (ColumnData::Date(a), ColumnData::Date(b)) => a.get(i) == b.get(k),
            (ColumnData::Text { .. }, ColumnData::Text { .. }) => self.text(i) == other.text(k),
            (
                ColumnData::Series {
                    offsets,
                    dates,
                    values,
                },
                ColumnData::Series {
                    offsets: other_offsets,
                    dates: other_dates,
                    values: other_values,
                },
            ) => {
                let (a, b) = (range(offsets, i), range(other_offsets, k));
                let both = a.zip(b);
                both.is_some_and(|(a, b)| {
                    dates.get(a.clone()) == other_dates.get(b.clone())
                        && values.get(a) == other_values.get(b)
                })
            }
            _ => false,
        }
    }

    /// Appends a value. A value of a different type appends null; this would be a bug in the host, and the binding
    /// check prevents it.
    pub fn push(&mut self, value: &Value) {
        let i = self.rows;
        let mut valid = true;
        match (&mut self.data, value) {
            (ColumnData::Float64(v), Value::Float64(x)) => v.push(plain_zero(*x)),
            (ColumnData::Int64(v), Value::Int64(x)) => v.push(*x),
            (ColumnData::Boolean(v), Value::Boolean(x)) => set_bit(v, i, *x),
            (ColumnData::Date(v), Value::Date(x)) => v.push(x.days()),
            (ColumnData::Text { offsets, bytes }, Value::Text(x)) => {
                bytes.extend_from_slice(x.as_bytes());
                offsets.push(offset(bytes.len()));
            }
            (
                ColumnData::Series {
                    offsets,
                    dates,
                    values,
                },
                Value::Series(points),
            ) => {
                for (day, x) in points {
                    dates.push(day.days());
                    values.push(plain_zero(*x));
                }
                offsets.push(offset(dates.len()));
            }
            (data, other) => {
                debug_assert!(other.is_null(), "column and value differ in type");
                valid = false;
                match data {
                    ColumnData::Float64(v) => v.push(0.0),
                    ColumnData::Int64(v) => v.push(0),
                    ColumnData::Boolean(v) => set_bit(v, i, false),
                    ColumnData::Date(v) => v.push(0),
                    ColumnData::Text { offsets, bytes } => offsets.push(offset(bytes.len())),
                    ColumnData::Series { offsets, dates, .. } => offsets.push(offset(dates.len())),
                }
            }
        }
        self.end(valid);
    }

    /// Ends a row after its value was appended.
    fn end(&mut self, valid: bool) {
        let i = self.rows;
        if !valid && self.validity.is_none() {
            let mut bits = vec![0xff; i / 8];
            for k in i / 8 * 8..i {
                set_bit(&mut bits, k, true);
            }
            self.validity = Some(bits);
        }
        if let Some(bits) = &mut self.validity {
            set_bit(bits, i, valid);
        }
        self.rows += 1;
    }

    /// Appends a text to a column of texts; see [`Column::push`].
    pub fn push_text(&mut self, text: &str) {
        let ColumnData::Text { offsets, bytes } = &mut self.data else {
            return self.push(&Value::Null);
        };
        bytes.extend_from_slice(text.as_bytes());
        offsets.push(offset(bytes.len()));
        self.end(true);
    }

    /// The text of row `i`; empty if it is null, past the end, or of another type.
    ///
    /// # Panics
    /// If [`Column::from_checked_parts`] was given unchecked bytes.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "texts are given as `&str`, or in parts that were checked to be UTF-8"
    )]
    pub fn text(&self, i: usize) -> &str {
        let ColumnData::Text { offsets, bytes } = &self.data else {
            return "";
        };
        let at = |i: usize| offsets.get(i).map(|o| index(*o));
        let Some((from, to)) = at(i).zip(at(i + 1)) else {
            return "";
        };
        let text = bytes.get(from..to).map(std::str::from_utf8);
        text.and_then(Result::ok)
            .expect("a column's texts are UTF-8")
    }

    /// The number in row `i`; `None` if it is null, past the end, or not a number.
    #[must_use]
    pub fn number(&self, i: usize) -> Option<f64> {
        match &self.data {
            ColumnData::Float64(v) if !self.is_null(i) => v.get(i).copied(),
            ColumnData::Int64(_) => self.get(i).as_f64(),
            _ => None,
        }
    }

    /// The value of row `i`; null past the end.
    #[must_use]
    pub fn get(&self, i: usize) -> Value {
        if self.is_null(i) {
            return Value::Null;
        }
        let range = |offsets: &[u32]| offsets[i] as usize..offsets[i + 1] as usize;
        match &self.data {
            ColumnData::Float64(v) => Value::Float64(v[i]),
            ColumnData::Int64(v) => Value::Int64(v[i]),
            ColumnData::Boolean(v) => Value::Boolean(bit(v, i)),
            ColumnData::Date(v) => Day::from_days(v[i]).map_or(Value::Null, Value::Date),
            ColumnData::Text { offsets, bytes } => {
                Value::Text(String::from_utf8_lossy(&bytes[range(offsets)]).into_owned())
            }
            ColumnData::Series {
                offsets,
                dates,
                values,
            } => {
                let r = range(offsets);
                let points = dates[r.clone()].iter().zip(&values[r]);
                Value::Series(
                    points
                        .filter_map(|(d, x)| Some((Day::from_days(*d)?, *x)))
                        .collect(),
                )
            }
        }
    }

    /// A column of the rows `from..to` (clipped to the column).
    #[must_use]
    pub fn slice(&self, from: usize, to: usize) -> Column {
        let to = to.min(self.rows);
        let from = from.min(to);
        let rows = to - from;
        let bits = |of: &[u8]| {
            let mut part = vec![0; rows.div_ceil(8)];
            for (i, k) in (from..to).enumerate() {
                if bit(of, k) {
                    set_bit(&mut part, i, true);
                }
            }
            part
        };
        let data = match &self.data {
            ColumnData::Float64(v) => ColumnData::Float64(v[from..to].to_vec()),
            ColumnData::Int64(v) => ColumnData::Int64(v[from..to].to_vec()),
            ColumnData::Boolean(v) => ColumnData::Boolean(bits(v)),
            ColumnData::Date(v) => ColumnData::Date(v[from..to].to_vec()),
            ColumnData::Text { offsets, bytes } => {
                let (offsets, range) = led(offsets, from..to);
                ColumnData::Text {
                    offsets,
                    bytes: bytes[range].to_vec(),
                }
            }
            ColumnData::Series {
                offsets,
                dates,
                values,
            } => {
                let (offsets, range) = led(offsets, from..to);
                ColumnData::Series {
                    offsets,
                    dates: dates[range.clone()].to_vec(),
                    values: values[range].to_vec(),
                }
            }
        };
        let nulls = self.validity.as_deref().filter(|v| !all_set(v, from..to));
        Column {
            rows,
            data,
            validity: nulls.map(bits),
        }
    }

    /// Builds a column of one type from values.
    #[must_use]
    pub fn from_values(data_type: DataType, values: &[Value]) -> Column {
        let mut column = Column::new(data_type);
        for v in values {
            column.push(v);
        }
        column
    }
}

#[cfg(test)]
mod tests {
    use super::super::backwards::backwards;
    use super::*;
    use proptest::prelude::*;

    fn day() -> impl Strategy<Value = Day> {
        (Day::MIN.days()..=Day::MAX.days()).prop_map(|d| Day::from_days(d).unwrap())
    }

    fn values() -> impl Strategy<Value = (DataType, Vec<Value>)> {
        let finite =
            prop::num::f64::ANY.prop_filter_map("finite", |x| x.is_finite().then(|| plain_zero(x)));
        let nullable = |s: BoxedStrategy<Value>| {
            prop::collection::vec(prop_oneof![Just(Value::Null), s], 0..40)
        };
        prop_oneof![
            nullable(finite.clone().prop_map(Value::Float64).boxed())
                .prop_map(|v| (DataType::Float64, v)),
            nullable(any::<i64>().prop_map(Value::Int64).boxed())
                .prop_map(|v| (DataType::Int64, v)),
            nullable(any::<bool>().prop_map(Value::Boolean).boxed())
                .prop_map(|v| (DataType::Boolean, v)),
            nullable(day().prop_map(Value::Date).boxed()).prop_map(|v| (DataType::Date, v)),
            nullable(any::<String>().prop_map(Value::Text).boxed())
                .prop_map(|v| (DataType::Text, v)),
            nullable(
                prop::collection::vec((day(), finite), 0..5)
                    .prop_map(Value::Series)
                    .boxed()
            )
            .prop_map(|v| (DataType::Series, v)),
        ]
    }

    proptest! {
        #[test]
        fn rows_are_the_same_when_their_values_are((data_type, values) in values()) {
            let column = Column::from_values(data_type, &values);
            // The same values in a column that begins with a different row.
            let mut other = Column::from_values(data_type, &values[values.len() / 2..]);
            values.iter().for_each(|v| other.push(v));
            for i in 0..values.len() {
                for k in 0..other.rows() {
                    prop_assert_eq!(column.is_same(i, &other, k), column.get(i) == other.get(k));
                }
            }
            let integers = Column::from_values(DataType::Int64, &[Value::Int64(0)]);
            if data_type != DataType::Int64 && !values.is_empty() {
                prop_assert!(!column.is_same(0, &integers, 0));
            }
        }

        #[test]
        fn a_column_gives_back_what_was_pushed((data_type, values) in values()) {
            let column = Column::from_values(data_type, &values);
            prop_assert_eq!(column.rows(), values.len());
            for (i, v) in values.iter().enumerate() {
                prop_assert_eq!(&column.get(i), v);
            }
            let turned: Vec<Value> = values.iter().rev().cloned().collect();
            prop_assert_eq!(backwards(&column), Column::from_values(data_type, &turned));
            for from in 0..=values.len() {
                let to = from + (values.len() - from) / 2;
                prop_assert_eq!(column.slice(from, to), Column::from_values(data_type, &values[from..to]));
                prop_assert_eq!(column.slice(from, values.len() + 1), Column::from_values(data_type, &values[from..]));
            }
        }
    }
}
