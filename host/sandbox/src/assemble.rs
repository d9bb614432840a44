//! Whole columns, written where their rows belong by whoever computed them.
//!
//! A column is cut into runs, one for each batch, so that threads write side by side and nothing of a
//! row's size is left to do when they have ended: numbers, dates and the ends of texts lie in the column
//! itself. Bits, and what has no fixed size, are gathered by run and put together at the end.

use std::collections::BTreeMap;

use provender_domain::column::{Column, ColumnData, bit, index};
use provender_domain::value::DataType;

use super::failure::Failure;
use super::returned::range;

/// A column in the making. Rows that no piece covers, and those that failed, are null.
pub(super) struct Assembly {
    data: ColumnData,
    rows: usize,
}

/// The rows of one batch in a column.
pub(super) struct Run<'c> {
    data: RunData<'c>,
    bits: Bits,
    /// Row up to which it is written.
    at: usize,
}

/// Slots of the column, from the run's first row on, and what has none there.
enum RunData<'c> {
    Float64(&'c mut [f64]),
    Int64(&'c mut [i64]),
    Boolean(Vec<u8>),
    Date(&'c mut [i32]),
    Text(&'c mut [u32], Vec<u8>),
    Series(&'c mut [u32], Vec<i32>, Vec<f64>),
}

/// Which rows of a run are there.
struct Bits {
    first: usize,
    end: usize,
    /// From the byte in which the first row's bit stands in the column.
    valid: Vec<u8>,
    nulls: bool,
}

/// What a run leaves to put together.
pub(super) struct Written {
    bits: Bits,
    rest: Rest,
}

enum Rest {
    Nothing,
    Boolean(Vec<u8>),
    Text(Vec<u8>),
    Series(Vec<i32>, Vec<f64>),
}

impl Assembly {
    /// For `rows` rows.
    pub(super) fn new(data_type: DataType, rows: usize) -> Assembly {
        // Memory that is asked for as zeros is touched by who writes it, not here.
        let data = match data_type {
            DataType::Float64 => ColumnData::Float64(vec![0.0; rows]),
            DataType::Int64 => ColumnData::Int64(vec![0; rows]),
            DataType::Boolean => ColumnData::Boolean(Vec::new()),
            DataType::Date => ColumnData::Date(vec![0; rows]),
            DataType::Text => ColumnData::Text {
                offsets: vec![0; rows + 1],
                bytes: Vec::new(),
            },
            DataType::Series => ColumnData::Series {
                offsets: vec![0; rows + 1],
                dates: Vec::new(),
                values: Vec::new(),
            },
        };
        Assembly { data, rows }
    }

    /// Its runs, each up to the row where the next one begins. `ends` ascend; the last is that of the
    /// rows.
    pub(super) fn runs(&mut self, ends: &[usize]) -> Vec<Run<'_>> {
        let mut from = 0;
        let spans = ends.iter().map(|end| {
            let end = (*end).clamp(from, self.rows);
            Bits::new(std::mem::replace(&mut from, end), end)
        });
        let spans: Vec<Bits> = spans.collect();
        let datas: Vec<RunData<'_>> = match &mut self.data {
            ColumnData::Float64(v) => cut(v, &spans, RunData::Float64),
            ColumnData::Int64(v) => cut(v, &spans, RunData::Int64),
            ColumnData::Boolean(_) => {
                let bits = spans.iter().map(|s| vec![0; s.valid.len()]);
                bits.map(RunData::Boolean).collect()
            }
            ColumnData::Date(v) => cut(v, &spans, RunData::Date),
            ColumnData::Text { offsets, .. } => cut(&mut offsets[1..], &spans, |ends| {
                RunData::Text(ends, Vec::new())
            }),
            ColumnData::Series { offsets, .. } => {
                let series = |ends| RunData::Series(ends, Vec::new(), Vec::new());
                cut(&mut offsets[1..], &spans, series)
            }
        };
        let runs = spans.into_iter().zip(datas);
        runs.map(|(bits, data)| Run {
            data,
            at: bits.first,
            bits,
        })
        .collect()
    }

    /// The finished column, of its runs in their order.
    pub(super) fn finish(mut self, written: Vec<Written>) -> Column {
        let nulls = written.iter().any(|w| w.bits.nulls);
        let bitmap = || vec![0; self.rows.div_ceil(8)];
        let mut valid = nulls.then(bitmap);
        if let Some(valid) = &mut valid {
            for w in &written {
                join(valid, w.bits.first, &w.bits.valid);
            }
        }
        if let ColumnData::Boolean(to) = &mut self.data {
            *to = bitmap();
        }
        let (mut texts, mut days, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let mut base = 0;
        for Written { bits, rest } in written {
            let ends = bits.first + 1..bits.end + 1;
            match (&mut self.data, rest) {
                (ColumnData::Boolean(to), Rest::Boolean(own)) => join(to, bits.first, &own),
                (ColumnData::Text { offsets, .. }, Rest::Text(own)) => {
                    move_ends(&mut offsets[ends], base);
                    base += own.len();
                    texts.push(own);
                }
                (ColumnData::Series { offsets, .. }, Rest::Series(dates, values)) => {
                    move_ends(&mut offsets[ends], base);
                    base += dates.len();
                    days.push(dates);
                    numbers.push(values);
                }
                _ => {}
            }
        }
        match &mut self.data {
            ColumnData::Text { bytes, .. } => *bytes = joined(texts),
            ColumnData::Series { dates, values, .. } => {
                (*dates, *values) = (joined(days), joined(numbers));
            }
            _ => {}
        }
        Column::from_checked_parts(self.rows, self.data, valid)
    }
}

impl Run<'_> {
    /// Appends a piece; pieces come in ascending order of their first row. `failed` holds rows of the
    /// whole column.
    pub(super) fn append(
        &mut self,
        from: usize,
        piece: &Column,
        failed: &BTreeMap<usize, Failure>,
    ) {
        let end = from + piece.rows();
        assert!(
            from >= self.at && end <= self.bits.end,
            "pieces come in order and lie within their run"
        );
        self.nulls_to(from);
        if from.is_multiple_of(8) && failed.range(from..end).next().is_none() {
            self.append_whole(from, piece);
        } else {
            self.append_rows(from, piece, |i| failed.contains_key(&(from + i)));
        }
        self.at = end;
    }

    /// What is left to put together, all rows written.
    pub(super) fn end(mut self) -> Written {
        self.nulls_to(self.bits.end);
        Written {
            bits: self.bits,
            rest: match self.data {
                RunData::Float64(_) | RunData::Int64(_) | RunData::Date(_) => Rest::Nothing,
                RunData::Boolean(bits) => Rest::Boolean(bits),
                RunData::Text(_, bytes) => Rest::Text(bytes),
                RunData::Series(_, dates, values) => Rest::Series(dates, values),
            },
        }
    }

    /// Rows up to here that no piece covers: their slots hold zeros already.
    fn nulls_to(&mut self, row: usize) {
        self.bits.nulls |= self.at < row;
        let rows = self.at - self.bits.first..row - self.bits.first;
        let (ends, last) = match &mut self.data {
            RunData::Text(ends, bytes) => (ends, bytes.len()),
            RunData::Series(ends, dates, _) => (ends, dates.len()),
            _ => return,
        };
        ends[rows].fill(end(last));
    }

    /// A piece that starts at a byte and of which every row counts: blocks are copied. Its null rows
    /// hold zeros already.
    fn append_whole(&mut self, from: usize, piece: &Column) {
        let slots = from - self.bits.first..from - self.bits.first + piece.rows();
        let bytes = self.bits.byte(from)..self.bits.byte(from) + piece.rows().div_ceil(8);
        self.bits.nulls |= piece.validity().is_some();
        let valid = &mut self.bits.valid[bytes.clone()];
        match piece.validity() {
            Some(bits) => valid.copy_from_slice(bits),
            None => valid.fill(0xff),
        }
        // The rest of the last byte is the next piece's.
        if let (used @ 1.., Some(last)) = (piece.rows() % 8, valid.last_mut()) {
            *last &= (1 << used) - 1;
        }
        match (&mut self.data, piece.data()) {
            (RunData::Float64(to), ColumnData::Float64(v)) => to[slots].copy_from_slice(v),
            (RunData::Int64(to), ColumnData::Int64(v)) => to[slots].copy_from_slice(v),
            (RunData::Date(to), ColumnData::Date(v)) => to[slots].copy_from_slice(v),
            (RunData::Boolean(to), ColumnData::Boolean(v)) => to[bytes].copy_from_slice(v),
            (
                RunData::Text(ends, bytes),
                ColumnData::Text {
                    offsets: o,
                    bytes: b,
                },
            ) => {
                copy_ends(&mut ends[slots], o, bytes.len());
                bytes.extend_from_slice(b);
            }
            (
                RunData::Series(ends, dates, values),
                ColumnData::Series {
                    offsets: o,
                    dates: d,
                    values: v,
                },
            ) => {
                copy_ends(&mut ends[slots], o, dates.len());
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
        let (slots, bits) = (from - self.bits.first, from - self.bits.first / 8 * 8);
        for i in 0..piece.rows() {
            if keep(i) {
                self.bits.valid[(bits + i) / 8] |= 1 << ((bits + i) % 8);
            } else {
                self.bits.nulls = true;
            }
        }
        match (&mut self.data, piece.data()) {
            (RunData::Float64(to), ColumnData::Float64(v)) => copy_rows(to, slots, v, keep),
            (RunData::Int64(to), ColumnData::Int64(v)) => copy_rows(to, slots, v, keep),
            (RunData::Date(to), ColumnData::Date(v)) => copy_rows(to, slots, v, keep),
            (RunData::Boolean(to), ColumnData::Boolean(v)) => {
                for i in (0..piece.rows()).filter(|i| keep(*i) && bit(v, *i)) {
                    to[(bits + i) / 8] |= 1 << ((bits + i) % 8);
                }
            }
            (
                RunData::Text(ends, bytes),
                ColumnData::Text {
                    offsets: o,
                    bytes: b,
                },
            ) => {
                for i in 0..piece.rows() {
                    if keep(i) {
                        bytes.extend_from_slice(&b[range(o, i)]);
                    }
                    ends[slots + i] = end(bytes.len());
                }
            }
            (
                RunData::Series(ends, dates, values),
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
                    ends[slots + i] = end(dates.len());
                }
            }
            _ => {}
        }
    }
}

impl Bits {
    fn new(first: usize, end: usize) -> Bits {
        Bits {
            first,
            end,
            valid: vec![0; end.div_ceil(8).saturating_sub(first / 8)],
            nulls: false,
        }
    }

    /// The byte of a row.
    fn byte(&self, row: usize) -> usize {
        row / 8 - self.first / 8
    }
}

/// A run for each span of a column's slots.
fn cut<'c, T>(
    mut slots: &'c mut [T],
    spans: &[Bits],
    run: impl Fn(&'c mut [T]) -> RunData<'c>,
) -> Vec<RunData<'c>> {
    let each = spans.iter().map(|span| {
        let all = std::mem::take(&mut slots);
        let (own, rest) = all.split_at_mut((span.end - span.first).min(all.len()));
        slots = rest;
        run(own)
    });
    each.collect()
}

/// The values that are kept; the other slots hold zeros already.
fn copy_rows<T: Copy>(to: &mut [T], first: usize, from: &[T], keep: impl Fn(usize) -> bool) {
    let slots = to.iter_mut().skip(first).zip(from).enumerate();
    for (_, (to, from)) in slots.filter(|(i, _)| keep(*i)) {
        *to = *from;
    }
}

/// The ends of a piece's rows after `base` values.
fn copy_ends(to: &mut [u32], piece: &[u32], base: usize) {
    for (to, own) in to.iter_mut().zip(piece.iter().skip(1)) {
        *to = end(base + index(*own));
    }
}

/// Ends that were counted from a run's own beginning.
fn move_ends(ends: &mut [u32], base: usize) {
    for own in ends {
        *own = end(base + index(*own));
    }
}

/// What the runs hold, one after the other; of a single run it stays where it is.
fn joined<T: Copy>(mut parts: Vec<Vec<T>>) -> Vec<T> {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => parts.concat(),
    }
}

/// Puts a run's bits to those of the column; two runs may share a byte.
fn join(to: &mut [u8], first: usize, bits: &[u8]) {
    for (to, own) in to.iter_mut().skip(first / 8).zip(bits) {
        *to |= own;
    }
}

#[expect(
    clippy::expect_used,
    reason = "what a call returns is bounded; the domain's columns have no room for more either"
)]
fn end(length: usize) -> u32 {
    u32::try_from(length).expect("a column has fewer than 2^32 bytes")
}
