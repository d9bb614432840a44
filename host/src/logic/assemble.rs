//! One column out of the pieces that the batches left.

use crate::domain::column::{Column, ColumnData, bit};
use crate::domain::value::DataType;

use super::columns::range;

/// One column of `rows` rows out of pieces in ascending order of their first row. Rows that no
/// piece covers, and those that `failed` marks, are null.
pub(super) fn assemble<'a>(
    data_type: DataType,
    rows: usize,
    pieces: impl Iterator<Item = (usize, &'a Column)>,
    failed: &[bool],
) -> Column {
    let mut column = Assembly::new(data_type, rows);
    for (from, piece) in pieces {
        column.nulls_to(from);
        column.append(from, piece, failed);
    }
    column.nulls_to(rows);
    column.finish()
}

struct Assembly {
    data: ColumnData,
    valid: Vec<u8>,
    nulls: bool,
    at: usize,
    rows: usize,
}

impl Assembly {
    fn new(data_type: DataType, rows: usize) -> Assembly {
        let data = match data_type {
            DataType::Float64 => ColumnData::Float64(Vec::with_capacity(rows)),
            DataType::Int64 => ColumnData::Int64(Vec::with_capacity(rows)),
            DataType::Boolean => ColumnData::Boolean(vec![0; rows.div_ceil(8)]),
            DataType::Date => ColumnData::Date(Vec::with_capacity(rows)),
            DataType::Text | DataType::Series => Column::new(data_type).data().clone(),
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

    fn append(&mut self, from: usize, piece: &Column, failed: &[bool]) {
        let keep = |i: usize| !piece.is_null(i) && !failed[from + i];
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
            // The check of each piece compared its type with the declared one.
            _ => return,
        }
        self.at = from + piece.rows();
    }

    fn finish(self) -> Column {
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

fn end(length: usize) -> u32 {
    // Returned data is bounded per batch; a column of 2^32 bytes of text would need millions of
    // rows of kilobytes, for which the domain's columns have no room either.
    u32::try_from(length).unwrap_or(u32::MAX)
}
