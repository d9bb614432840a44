//! Lowers input columns into the guest. Values are borrowed from the host's columns; only offsets, and bitmaps
//! that do not start at a byte boundary, are copied.

use std::borrow::Cow;
use std::ops::Range;

use provender_domain::column::{Column, ColumnData, all_set, bit};
use provender_domain::value::Scalar;

use super::bindings::wit;

/// A range of rows of a host column, ready to be lowered.
pub(super) struct Lowered<'a> {
    values: LoweredValues<'a>,
    validity: Option<Cow<'a, [u8]>>,
}

enum LoweredValues<'a> {
    Float64(&'a [f64]),
    Int64(&'a [i64]),
    Boolean(Cow<'a, [u8]>),
    Date(&'a [i32]),
    Text(Cow<'a, [u32]>, &'a [u8]),
    Series(Cow<'a, [u32]>, &'a [i32], &'a [f64]),
}

impl<'a> Lowered<'a> {
    /// The given rows of `column`, which must be in range.
    pub(super) fn slice(column: &'a Column, rows: Range<usize>) -> Lowered<'a> {
        let values = match column.data() {
            ColumnData::Float64(v) => LoweredValues::Float64(&v[rows.clone()]),
            ColumnData::Int64(v) => LoweredValues::Int64(&v[rows.clone()]),
            ColumnData::Boolean(v) => LoweredValues::Boolean(copy_bits(v, rows.clone())),
            ColumnData::Date(v) => LoweredValues::Date(&v[rows.clone()]),
            ColumnData::Text { offsets, bytes } => {
                let (offsets, range) = rebased(offsets, rows.clone());
                LoweredValues::Text(offsets, &bytes[range])
            }
            ColumnData::Series {
                offsets,
                dates,
                values,
            } => {
                let (offsets, range) = rebased(offsets, rows.clone());
                LoweredValues::Series(offsets, &dates[range.clone()], &values[range])
            }
        };
        // A part without nulls gets no bitmap even if other rows of the column are null. A row then looks the
        // same to the guest in whichever batch it is.
        let validity = column
            .validity()
            .filter(|v| !all_set(v, rows.clone()))
            .map(|v| copy_bits(v, rows.clone()));
        Lowered { values, validity }
    }

    pub(super) fn as_wit(&self) -> wit::ColumnParam<'_> {
        let values = match &self.values {
            LoweredValues::Float64(v) => wit::ValuesParam::Float64(v),
            LoweredValues::Int64(v) => wit::ValuesParam::Int64(v),
            LoweredValues::Boolean(v) => wit::ValuesParam::Boolean(v),
            LoweredValues::Date(v) => wit::ValuesParam::Date(v),
            LoweredValues::Text(offsets, bytes) => {
                wit::ValuesParam::Text(wit::TextValuesParam { offsets, bytes })
            }
            LoweredValues::Series(offsets, dates, values) => {
                wit::ValuesParam::Series(wit::SeriesValuesParam {
                    offsets,
                    dates,
                    values,
                })
            }
        };
        wit::ColumnParam {
            values,
            validity: self.validity.as_deref(),
        }
    }
}

/// Copies the given bits into a bitmap that starts at bit 0 and ends with zeros.
fn copy_bits(all: &[u8], rows: Range<usize>) -> Cow<'_, [u8]> {
    let whole_bytes = rows.start.is_multiple_of(8) && rows.len().is_multiple_of(8);
    if whole_bytes {
        return Cow::Borrowed(&all[rows.start / 8..rows.end / 8]);
    }
    let mut part = vec![0; rows.len().div_ceil(8)];
    for (to, from) in rows.enumerate() {
        if bit(all, from) {
            part[to / 8] |= 1 << (to % 8);
        }
    }
    Cow::Owned(part)
}

/// The offsets of `rows` rebased to 0, and the range of values they cover.
fn rebased(offsets: &[u32], rows: Range<usize>) -> (Cow<'_, [u32]>, Range<usize>) {
    let part = &offsets[rows.start..=rows.end];
    let (first, last) = (part[0], part[part.len() - 1]);
    let rebased = if first == 0 {
        Cow::Borrowed(part)
    } else {
        Cow::Owned(part.iter().map(|o| o - first).collect())
    };
    (rebased, first as usize..last as usize)
}

/// A parameter, ready to be lowered.
pub(super) fn scalar(value: &Scalar) -> wit::ScalarParam<'_> {
    match value {
        Scalar::Float64(x) => wit::ScalarParam::Float64(*x),
        Scalar::Int64(x) => wit::ScalarParam::Int64(*x),
        Scalar::Boolean(x) => wit::ScalarParam::Boolean(*x),
        Scalar::Date(x) => wit::ScalarParam::Date(x.days()),
        Scalar::Text(x) => wit::ScalarParam::Text(x),
    }
}

/// Approximate size of a column in bytes.
pub(super) fn bytes(column: &Column) -> usize {
    match column.data() {
        ColumnData::Float64(v) => 8 * v.len(),
        ColumnData::Int64(v) => 8 * v.len(),
        ColumnData::Boolean(v) => v.len(),
        ColumnData::Date(v) => 4 * v.len(),
        ColumnData::Text { offsets, bytes } => 4 * offsets.len() + bytes.len(),
        ColumnData::Series { offsets, dates, .. } => 4 * offsets.len() + 12 * dates.len(),
    }
}
