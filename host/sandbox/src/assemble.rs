//! Assembles output columns. Each thread writes its batch's rows directly into the final column.
//!
//! A column is cut into spans, one per batch, so that threads can write side by side without locks. Numbers,
//! dates and text offsets go straight into the column, so no work per row is left when the threads end. Bits and
//! variable-size values are collected per span and joined at the end.

use std::collections::BTreeMap;

use provender_domain::column::{Column, ColumnData, bit, index};
use provender_domain::value::DataType;

use super::failure::Failure;
use super::returned::range;

/// A column being built. Rows that no piece covers, and rows that failed, are null.
pub(super) struct ColumnBuilder {
    data: ColumnData,
    rows: usize,
}

/// The rows of one batch within a column.
pub(super) struct ColumnSpan<'c> {
    data: SpanData<'c>,
    bits: Bits,
    /// First row that is not yet written.
    at: usize,
}

/// The span's slots in the column, and buffers for values that have no slots.
enum SpanData<'c> {
    Float64(&'c mut [f64]),
    Int64(&'c mut [i64]),
    Boolean(Vec<u8>),
    Date(&'c mut [i32]),
    Text(&'c mut [u32], Vec<u8>),
    Series(&'c mut [u32], Vec<i32>, Vec<f64>),
}

/// Validity of a span's rows.
struct Bits {
    first: usize,
    end: usize,
    /// Starts at the byte of the column that holds the first row's bit.
    valid: Vec<u8>,
    nulls: bool,
}

/// What remains to be joined after a span is written.
pub(super) struct FinishedSpan {
    bits: Bits,
    unjoined: Unjoined,
}

enum Unjoined {
    Nothing,
    Boolean(Vec<u8>),
    Text(Vec<u8>),
    Series(Vec<i32>, Vec<f64>),
}

impl ColumnBuilder {
    /// A builder for `rows` rows.
    pub(super) fn new(data_type: DataType, rows: usize) -> ColumnBuilder {
        // Zeroed memory is first touched by the thread that writes it, not here.
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
        ColumnBuilder { data, rows }
    }

    /// Cuts the column into spans that end at the given rows. `ends` must ascend; the last is the number of rows.
    pub(super) fn spans(&mut self, ends: &[usize]) -> Vec<ColumnSpan<'_>> {
        let mut from = 0;
        let spans = ends.iter().map(|end| {
            let end = (*end).clamp(from, self.rows);
            Bits::new(std::mem::replace(&mut from, end), end)
        });
        let spans: Vec<Bits> = spans.collect();
        let datas: Vec<SpanData<'_>> = match &mut self.data {
            ColumnData::Float64(v) => cut(v, &spans, SpanData::Float64),
            ColumnData::Int64(v) => cut(v, &spans, SpanData::Int64),
            ColumnData::Boolean(_) => {
                let bits = spans.iter().map(|s| vec![0; s.valid.len()]);
                bits.map(SpanData::Boolean).collect()
            }
            ColumnData::Date(v) => cut(v, &spans, SpanData::Date),
            ColumnData::Text { offsets, .. } => cut(&mut offsets[1..], &spans, |ends| {
                SpanData::Text(ends, Vec::new())
            }),
            ColumnData::Series { offsets, .. } => {
                let series = |ends| SpanData::Series(ends, Vec::new(), Vec::new());
                cut(&mut offsets[1..], &spans, series)
            }
        };
        let runs = spans.into_iter().zip(datas);
        runs.map(|(bits, data)| ColumnSpan {
            data,
            at: bits.first,
            bits,
        })
        .collect()
    }

    /// Joins the spans, given in order, into the finished column.
    pub(super) fn finish(mut self, written: Vec<FinishedSpan>) -> Column {
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
        for FinishedSpan { bits, unjoined } in written {
            let ends = bits.first + 1..bits.end + 1;
            match (&mut self.data, unjoined) {
                (ColumnData::Boolean(to), Unjoined::Boolean(own)) => join(to, bits.first, &own),
                (ColumnData::Text { offsets, .. }, Unjoined::Text(own)) => {
                    move_ends(&mut offsets[ends], base);
                    base += own.len();
                    texts.push(own);
                }
                (ColumnData::Series { offsets, .. }, Unjoined::Series(dates, values)) => {
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

impl ColumnSpan<'_> {
    /// Appends a piece. Pieces must come in ascending order of their first row. `failed` is indexed by rows of
    /// the whole column.
    pub(super) fn append(
        &mut self,
        from: usize,
        piece: &Column,
        failed: &BTreeMap<usize, Failure>,
    ) {
        let end = from + piece.rows();
        assert!(
            from >= self.at && end <= self.bits.end,
            "pieces come in order and lie within their span"
        );
        self.nulls_to(from);
        if from.is_multiple_of(8) && failed.range(from..end).next().is_none() {
            self.append_whole(from, piece);
        } else {
            self.append_rows(from, piece, |i| failed.contains_key(&(from + i)));
        }
        self.at = end;
    }

    /// Fills the remaining rows with nulls and returns what has to be joined.
    pub(super) fn end(mut self) -> FinishedSpan {
        self.nulls_to(self.bits.end);
        FinishedSpan {
            bits: self.bits,
            unjoined: match self.data {
                SpanData::Float64(_) | SpanData::Int64(_) | SpanData::Date(_) => Unjoined::Nothing,
                SpanData::Boolean(bits) => Unjoined::Boolean(bits),
                SpanData::Text(_, bytes) => Unjoined::Text(bytes),
                SpanData::Series(_, dates, values) => Unjoined::Series(dates, values),
            },
        }
    }

    /// Makes the rows from `at` to `row` null. Their slots already hold zeros.
    fn nulls_to(&mut self, row: usize) {
        self.bits.nulls |= self.at < row;
        let rows = self.at - self.bits.first..row - self.bits.first;
        let (ends, last) = match &mut self.data {
            SpanData::Text(ends, bytes) => (ends, bytes.len()),
            SpanData::Series(ends, dates, _) => (ends, dates.len()),
            _ => return,
        };
        ends[rows].fill(end(last));
    }

    /// Copies a whole piece in blocks. It must start at a byte boundary and have no failed row. Its null rows
    /// already hold zeros.
    fn append_whole(&mut self, from: usize, piece: &Column) {
        let slots = from - self.bits.first..from - self.bits.first + piece.rows();
        let bytes = self.bits.byte(from)..self.bits.byte(from) + piece.rows().div_ceil(8);
        self.bits.nulls |= piece.validity().is_some();
        let valid = &mut self.bits.valid[bytes.clone()];
        match piece.validity() {
            Some(bits) => valid.copy_from_slice(bits),
            None => valid.fill(0xff),
        }
        // The remaining bits of the last byte belong to the next piece.
        if let (used @ 1.., Some(last)) = (piece.rows() % 8, valid.last_mut()) {
            *last &= (1 << used) - 1;
        }
        match (&mut self.data, piece.data()) {
            (SpanData::Float64(to), ColumnData::Float64(v)) => to[slots].copy_from_slice(v),
            (SpanData::Int64(to), ColumnData::Int64(v)) => to[slots].copy_from_slice(v),
            (SpanData::Date(to), ColumnData::Date(v)) => to[slots].copy_from_slice(v),
            (SpanData::Boolean(to), ColumnData::Boolean(v)) => to[bytes].copy_from_slice(v),
            (
                SpanData::Text(ends, bytes),
                ColumnData::Text {
                    offsets: o,
                    bytes: b,
                },
            ) => {
                copy_ends(&mut ends[slots], o, bytes.len());
                bytes.extend_from_slice(b);
            }
            (
                SpanData::Series(ends, dates, values),
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
            // Types match: each piece was checked against its declaration.
            _ => {}
        }
    }

    /// Copies a piece row by row, with failed rows as nulls.
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
            (SpanData::Float64(to), ColumnData::Float64(v)) => copy_rows(to, slots, v, keep),
            (SpanData::Int64(to), ColumnData::Int64(v)) => copy_rows(to, slots, v, keep),
            (SpanData::Date(to), ColumnData::Date(v)) => copy_rows(to, slots, v, keep),
            (SpanData::Boolean(to), ColumnData::Boolean(v)) => {
                for i in (0..piece.rows()).filter(|i| keep(*i) && bit(v, *i)) {
                    to[(bits + i) / 8] |= 1 << ((bits + i) % 8);
                }
            }
            (
                SpanData::Text(ends, bytes),
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
                SpanData::Series(ends, dates, values),
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

    /// Index in `valid` of the byte that holds a row's bit.
    fn byte(&self, row: usize) -> usize {
        row / 8 - self.first / 8
    }
}

/// Splits a column's slots at the spans.
fn cut<'c, T>(
    mut slots: &'c mut [T],
    spans: &[Bits],
    run: impl Fn(&'c mut [T]) -> SpanData<'c>,
) -> Vec<SpanData<'c>> {
    let each = spans.iter().map(|span| {
        let all = std::mem::take(&mut slots);
        let (own, rest) = all.split_at_mut((span.end - span.first).min(all.len()));
        slots = rest;
        run(own)
    });
    each.collect()
}

/// Copies the kept values. The other slots already hold zeros.
fn copy_rows<T: Copy>(to: &mut [T], first: usize, from: &[T], keep: impl Fn(usize) -> bool) {
    let slots = to.iter_mut().skip(first).zip(from).enumerate();
    for (_, (to, from)) in slots.filter(|(i, _)| keep(*i)) {
        *to = *from;
    }
}

/// Writes the end offsets of a piece whose values start at `base`.
fn copy_ends(to: &mut [u32], piece: &[u32], base: usize) {
    for (to, own) in to.iter_mut().zip(piece.iter().skip(1)) {
        *to = end(base + index(*own));
    }
}

/// Shifts end offsets that were counted from the start of a span.
fn move_ends(ends: &mut [u32], base: usize) {
    for own in ends {
        *own = end(base + index(*own));
    }
}

/// Concatenates the spans' values, without copying a single span.
fn joined<T: Copy>(mut parts: Vec<Vec<T>>) -> Vec<T> {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => parts.concat(),
    }
}

/// Ors a span's bits into the column's: two spans can share a byte.
fn join(to: &mut [u8], first: usize, bits: &[u8]) {
    for (to, own) in to.iter_mut().skip(first / 8).zip(bits) {
        *to |= own;
    }
}

#[expect(
    clippy::expect_used,
    reason = "returned data is bounded per batch, and the domain's columns cannot hold more either"
)]
fn end(length: usize) -> u32 {
    u32::try_from(length).expect("a column has fewer than 2^32 bytes")
}
