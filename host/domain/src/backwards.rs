//! Reverses the rows of a column.
//!
//! A replay computes reversed rows: a number that depends on how many rows came before it then comes out different,
//! except for the row in the middle.

use super::column::{Column, ColumnData, bit, index};

/// The column with its rows in reverse order.
#[must_use]
pub fn backwards(column: &Column) -> Column {
    let rows = column.rows();
    let data = match column.data() {
        ColumnData::Float64(v) => ColumnData::Float64(turned(v)),
        ColumnData::Int64(v) => ColumnData::Int64(turned(v)),
        ColumnData::Boolean(v) => ColumnData::Boolean(bits(v, rows)),
        ColumnData::Date(v) => ColumnData::Date(turned(v)),
        ColumnData::Text { offsets, bytes } => ColumnData::Text {
            bytes: lists(offsets, bytes),
            offsets: led(offsets),
        },
        ColumnData::Series {
            offsets,
            dates,
            values,
        } => ColumnData::Series {
            dates: lists(offsets, dates),
            values: lists(offsets, values),
            offsets: led(offsets),
        },
    };
    let validity = column.validity().map(|v| bits(v, rows));
    Column::from_checked_parts(rows, data, validity)
}

fn turned<T: Copy>(values: &[T]) -> Vec<T> {
    values.iter().rev().copied().collect()
}

fn bits(of: &[u8], rows: usize) -> Vec<u8> {
    let mut turned = vec![0; rows.div_ceil(8)];
    for i in (0..rows).filter(|i| bit(of, rows - 1 - i)) {
        turned[i / 8] |= 1 << (i % 8);
    }
    turned
}

/// Reverses lists given by offsets; each list keeps its own order.
fn lists<T: Clone>(offsets: &[u32], of: &[T]) -> Vec<T> {
    let mut turned = Vec::with_capacity(of.len());
    for pair in offsets.windows(2).rev() {
        if let [from, to] = pair {
            turned.extend_from_slice(&of[index(*from)..index(*to)]);
        }
    }
    turned
}

fn led(offsets: &[u32]) -> Vec<u32> {
    let end = offsets[offsets.len() - 1];
    // Offsets ascend, so this does not underflow.
    offsets.iter().rev().map(|o| end - o).collect()
}
