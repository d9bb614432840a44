//! One column out of the pieces that the calls left.

use std::collections::BTreeMap;

use crate::domain::column::{Column, ColumnData, bit};
use crate::domain::value::DataType;

use super::failure::Failure;
use super::returned::range;

/// A column in the making. Rows that no piece covers, and those that failed, are null.
pub(super) struct Assembly {
    data: ColumnData,
    valid: Vec<u8>,
    nulls: bool,
    at: usize,
    rows: usize,
}

impl Assembly {
    /// For `rows` rows.
    pub(super) fn new(data_type: DataType, rows: usize) -> Assembly {
        let offsets = || {
            let mut offsets = Vec::with_capacity(rows + 1);
            offsets.push(0);
            offsets
        };
        let data = match data_type {
            DataType::Float64 => ColumnData::Float64(Vec::with_capacity(rows)),
            DataType::Int64 => ColumnData::Int64(Vec::with_capacity(rows)),
            DataType::Boolean => ColumnData::Boolean(vec![0; rows.div_ceil(8)]),
            DataType::Date => ColumnData::Date(Vec::with_capacity(rows)),
            DataType::Text => ColumnData::Text {
                offsets: offsets(),
                bytes: Vec::new(),
            },
            DataType::Series => ColumnData::Series {
                offsets: offsets(),
                dates: Vec::new(),
                values: Vec::new(),
            },
        };
        Assembly {
            data,
            valid: vec![0; rows.div_ceil(8)],
            nulls: false,
            at: 0,
            rows,
        }
    }

    fn nulls_to(&mut self, row: usize) {
        self.nulls |= self.at < row;
        self.at = row;
        match &mut self.data {
            ColumnData::Float64(v) => v.resize(row, 0.0),
            ColumnData::Int64(v) => v.resize(row, 0),
            ColumnData::Boolean(_) => {}
            ColumnData::Date(v) => v.resize(row, 0),
            ColumnData::Text { offsets, .. } | ColumnData::Series { offsets, .. } => {
                let end = offsets.last().copied().unwrap_or(0);
                offsets.resize(row + 1, end);
            }
        }
    }

    /// Appends a piece; pieces come in ascending order of their first row. `failed` holds rows of the
    /// whole column.
    pub(super) fn append(
        &mut self,
        from: usize,
        piece: &Column,
        failed: &BTreeMap<usize, Failure>,
    ) {
        self.nulls_to(from);
        let rows = from..from + piece.rows();
        if from.is_multiple_of(8) && failed.range(rows).next().is_none() {
            self.append_whole(from, piece);
        } else {
            self.append_rows(from, piece, |i| failed.contains_key(&(from + i)));
        }
        self.at = from + piece.rows();
    }

    /// A piece that starts at a byte and of which every row counts: blocks are copied. Its null rows
    /// hold zeros already.
    fn append_whole(&mut self, from: usize, piece: &Column) {
        let bytes = from / 8..(from + piece.rows()).div_ceil(8);
        self.nulls |= piece.validity().is_some();
        if let Some(to) = self.valid.get_mut(bytes.clone()) {
            match piece.validity() {
                Some(bits) => to.copy_from_slice(bits),
                None => to.fill(0xff),
            }
            // The rest of the last byte is the next piece's.
            if let (used @ 1.., Some(last)) = (piece.rows() % 8, to.last_mut()) {
                *last &= (1 << used) - 1;
            }
        }
        match (&mut self.data, piece.data()) {
            (ColumnData::Float64(to), ColumnData::Float64(v)) => to.extend_from_slice(v),
            (ColumnData::Int64(to), ColumnData::Int64(v)) => to.extend_from_slice(v),
            (ColumnData::Date(to), ColumnData::Date(v)) => to.extend_from_slice(v),
            (ColumnData::Boolean(to), ColumnData::Boolean(v)) => {
                if let Some(to) = to.get_mut(bytes) {
                    to.copy_from_slice(v);
                }
            }
            (
                ColumnData::Text { offsets, bytes },
                ColumnData::Text {
                    offsets: o,
                    bytes: b,
                },
            ) => {
                append_offsets(offsets, o, bytes.len());
                bytes.extend_from_slice(b);
            }
            (
                ColumnData::Series {
                    offsets,
                    dates,
                    values,
                },
                ColumnData::Series {
                    offsets: o,
                    dates: d,
                    values: v,
                },
            ) => {
                append_offsets(offsets, o, dates.len());
                dates.extend_from_slice(d);
                values.extend_from_slice(v);
            }
            // The check of each piece compared its type with the declared one.
            _ => {}
        }
    }

    /// A piece row by row, those that failed as nulls.
    fn append_rows(&mut self, from: usize, piece: &Column, failed: impl Fn(usize) -> bool) {
        let keep = |i: usize| !piece.is_null(i) && !failed(i);
        for i in 0..piece.rows() {
            if keep(i) {
                self.valid[(from + i) / 8] |= 1 << ((from + i) % 8);
            } else {
                self.nulls = true;
            }
        }
        match (&mut self.data, piece.data()) {
            (ColumnData::Float64(to), ColumnData::Float64(v)) => append(to, v, keep),
            (ColumnData::Int64(to), ColumnData::Int64(v)) => append(to, v, keep),
            (ColumnData::Date(to), ColumnData::Date(v)) => append(to, v, keep),
            (ColumnData::Boolean(to), ColumnData::Boolean(v)) => {
                for i in (0..piece.rows()).filter(|i| keep(*i) && bit(v, *i)) {
                    to[(from + i) / 8] |= 1 << ((from + i) % 8);
                }
            }
            (
                ColumnData::Text { offsets, bytes },
                ColumnData::Text {
                    offsets: o,
                    bytes: b,
                },
            ) => {
                for i in 0..piece.rows() {
                    if keep(i) {
                        bytes.extend_from_slice(&b[range(o, i)]);
                    }
                    offsets.push(end(bytes.len()));
                }
            }
            (
                ColumnData::Series {
                    offsets,
                    dates,
                    values,
                },
                ColumnData::Series {
                    offsets: o,
                    dates: d,
                    values: v,
                },
            ) => {
                for i in 0..piece.rows() {
                    if keep(i) {
                        dates.extend_from_slice(&d[range(o, i)]);
                        values.extend_from_slice(&v[range(o, i)]);
                    }
                    offsets.push(end(dates.len()));
                }
            }
            _ => {}
        }
    }

    /// The finished column.
    pub(super) fn finish(mut self) -> Column {
        self.nulls_to(self.rows);
        Column::from_checked_parts(self.rows, self.data, self.nulls.then_some(self.valid))
    }
}

fn append<T: Copy + Default>(to: &mut Vec<T>, from: &[T], keep: impl Fn(usize) -> bool) {
    to.extend(
        from.iter()
            .enumerate()
            .map(|(i, v)| if keep(i) { *v } else { T::default() }),
    );
}

/// The ends of a piece's rows after `base` values.
fn append_offsets(to: &mut Vec<u32>, piece: &[u32], base: usize) {
    let base = end(base);
    to.extend(piece.iter().skip(1).map(|o| base.saturating_add(*o)));
}

fn end(length: usize) -> u32 {
    // Returned data is bounded per batch; a column of 2^32 bytes of text would need millions of
    // rows of kilobytes, for which the domain's columns have no room either.
    u32::try_from(length).unwrap_or(u32::MAX)
}
