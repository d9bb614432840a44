//! The body of a batch: compressed buffers one after the other, each aligned to eight bytes.
//!
//! Nodes and buffers are written in the order of the columns and read in the same order. Each buffer is read to a
//! known length, so that no small input can unpack to something large.

use std::io::Write as _;

use super::flat::long;
use super::ipc::Batch;
use super::lz4;
use provender_domain::column::{Column, ColumnData, index};
use provender_domain::day::Day;

/// Most bytes of a pack's buffers when unpacked.
pub(super) const UNPACKED: usize = 256 << 20;

/// A batch being written.
#[derive(Debug, Default)]
pub(super) struct BodyWriter {
    pub(super) batch: Batch,
    pub(super) bytes: Vec<u8>,
}

/// Number of zero bits among the first `rows` bits.
fn zeros(bits: Option<&[u8]>, rows: usize) -> usize {
    let Some(bits) = bits else { return 0 };
    let ones = |b: &u8| index(b.count_ones());
    let whole = bits.get(..rows / 8).unwrap_or(bits);
    let last = bits.get(rows / 8).map(|b| b & !(0xff << (rows % 8)));
    rows - whole.iter().chain(&last).map(ones).sum::<usize>()
}

macro_rules! little {
    ($values:expr) => {{
        let mut bytes = Vec::with_capacity(size_of_val($values));
        for value in $values {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes
    }};
}

impl BodyWriter {
    /// Appends a column's length, number of nulls and bitmap.
    pub(super) fn node(&mut self, rows: usize, validity: Option<&[u8]>) -> Result<(), String> {
        let nulls = zeros(validity, rows);
        self.batch.nodes.push((long(rows), long(nulls)));
        match validity {
            Some(bits) if nulls > 0 => self.buffer(bits),
            _ => self.buffer(&[]),
        }
    }

    /// Appends a buffer, compressed if that makes it smaller.
    pub(super) fn buffer(&mut self, raw: &[u8]) -> Result<(), String> {
        let at = self.bytes.len();
        if !raw.is_empty() {
            let fail = |e: &dyn std::fmt::Display| format!("it could not be compressed: {e}");
            self.bytes.extend_from_slice(&long(raw.len()).to_le_bytes());
            let mut encoder = lz4_flex::frame::FrameEncoder::new(&mut self.bytes);
            encoder.write_all(raw).map_err(|e| fail(&e))?;
            encoder.finish().map_err(|e| fail(&e))?;
            if self.bytes.len() - at >= raw.len() + 8 {
                self.bytes.truncate(at);
                // A length of -1 marks an uncompressed buffer.
                self.bytes.extend_from_slice(&(-1_i64).to_le_bytes());
                self.bytes.extend_from_slice(raw);
            }
        }
        let length = self.bytes.len() - at;
        self.batch.buffers.push((long(at), long(length)));
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        Ok(())
    }

    pub(super) fn offsets(&mut self, offsets: &[u32]) -> Result<(), String> {
        self.buffer(&little!(offsets))
    }

    pub(super) fn words(&mut self, values: &[u32]) -> Result<(), String> {
        self.buffer(&little!(values))
    }

    pub(super) fn days(&mut self, values: &[i32]) -> Result<(), String> {
        self.buffer(&little!(values))
    }

    pub(super) fn numbers(&mut self, values: &[f64]) -> Result<(), String> {
        self.buffer(&little!(values))
    }

    /// Appends a column of values.
    pub(super) fn column(&mut self, column: &Column) -> Result<(), String> {
        self.node(column.rows(), column.validity())?;
        match column.data() {
            ColumnData::Float64(v) => self.numbers(v),
            ColumnData::Int64(v) => self.buffer(&little!(v.as_slice())),
            ColumnData::Boolean(v) => self.buffer(v),
            ColumnData::Date(v) => self.days(v),
            ColumnData::Text { offsets, bytes } => {
                self.offsets(offsets)?;
                self.buffer(bytes)
            }
            ColumnData::Series {
                offsets,
                dates,
                values,
            } => {
                self.offsets(offsets)?;
                // The struct, its dates, its values: none of them is ever null.
                for _ in 0..2 {
                    self.node(dates.len(), None)?;
                }
                self.days(dates)?;
                self.node(values.len(), None)?;
                self.numbers(values)
            }
        }
    }
}

/// A batch being read.
pub(super) struct BodyReader<'a> {
    nodes: std::vec::IntoIter<(i64, i64)>,
    buffers: std::vec::IntoIter<(i64, i64)>,
    bytes: &'a [u8],
    /// Offset of the next buffer.
    at: usize,
    /// Number of bytes that may still be unpacked.
    left: usize,
}

type Read<T> = Result<T, String>;

fn short() -> String {
    "its batch has too few columns or buffers".to_owned()
}

impl<'a> BodyReader<'a> {
    pub(super) fn new(batch: Batch, bytes: &'a [u8]) -> BodyReader<'a> {
        BodyReader {
            nodes: batch.nodes.into_iter(),
            buffers: batch.buffers.into_iter(),
            bytes,
            at: 0,
            left: UNPACKED,
        }
    }

    /// Whether everything was read.
    pub(super) fn is_done(&self) -> bool {
        self.nodes.len() == 0 && self.buffers.len() == 0 && self.at == self.bytes.len()
    }

    /// A column's bitmap; an error unless the column has `rows` rows.
    pub(super) fn node(&mut self, rows: usize) -> Read<Option<Vec<u8>>> {
        let (length, nulls) = self.nodes.next().ok_or_else(short)?;
        if length != long(rows) || nulls < 0 {
            return Err(format!("a column has {length} rows instead of {rows}"));
        }
        let bits = self.buffer(if nulls > 0 { rows.div_ceil(8) } else { 0 })?;
        if nulls == 0 {
            return Ok(None);
        }
        match usize::try_from(nulls) == Ok(zeros(Some(&bits), rows)) {
            true => Ok(Some(bits)),
            false => Err("a column has another number of nulls than it states".to_owned()),
        }
    }

    fn raw(&mut self) -> Read<&'a [u8]> {
        let (at, length) = self.buffers.next().ok_or_else(short)?;
        let elsewhere = || "a buffer does not follow the previous one".to_owned();
        let from = usize::try_from(at).ok().filter(|at| *at == self.at);
        let (from, length) = from
            .zip(usize::try_from(length).ok())
            .ok_or_else(elsewhere)?;
        let to = from.checked_add(length).ok_or_else(elsewhere)?;
        let next = to.checked_next_multiple_of(8).ok_or_else(elsewhere)?;
        let padding = self.bytes.get(to..next).ok_or_else(elsewhere)?;
        self.at = next;
        match padding.iter().all(|b| *b == 0) {
            true => self.bytes.get(from..to).ok_or_else(elsewhere),
            false => Err("the padding between two buffers is not zero".to_owned()),
        }
    }

    /// A buffer of exactly `length` unpacked bytes.
    fn buffer(&mut self, length: usize) -> Read<Vec<u8>> {
        let raw = self.raw()?;
        let wrong = || format!("a buffer does not have the expected {length} bytes");
        let Some((stated, packed)) = raw.split_first_chunk::<8>() else {
            return match raw.is_empty() && length == 0 {
                true => Ok(Vec::new()),
                false => Err(wrong()),
            };
        };
        self.left = self
            .left
            .checked_sub(length)
            .ok_or_else(|| format!("it unpacks to more than {UNPACKED} bytes"))?;
        match i64::from_le_bytes(*stated) {
            -1 if packed.len() == length => Ok(packed.to_vec()),
            n if n == long(length) && length > 0 => {
                let mut bytes = vec![0; length];
                lz4::unpack(packed, &mut bytes)?;
                Ok(bytes)
            }
            _ => Err(wrong()),
        }
    }

    fn split<const N: usize, T>(&mut self, rows: usize, of: fn([u8; N]) -> T) -> Read<Vec<T>> {
        let bytes = self.buffer(rows.checked_mul(N).ok_or_else(short)?)?;
        let (parts, _) = bytes.as_chunks::<N>();
        Ok(parts.iter().map(|part| of(*part)).collect())
    }

    pub(super) fn words(&mut self, rows: usize) -> Read<Vec<u32>> {
        self.split(rows, u32::from_le_bytes)
    }

    pub(super) fn hashes(&mut self, rows: usize) -> Read<Vec<[u8; 32]>> {
        self.split(rows, |bytes| bytes)
    }

    pub(super) fn days(&mut self, rows: usize) -> Read<Vec<i32>> {
        let days = self.split(rows, i32::from_le_bytes)?;
        match days.iter().all(|d| Day::from_days(*d).is_some()) {
            true => Ok(days),
            false => Err("a day is outside the calendar".to_owned()),
        }
    }

    pub(super) fn numbers(&mut self, rows: usize) -> Read<Vec<f64>> {
        let numbers = self.split(rows, f64::from_le_bytes)?;
        match numbers.iter().all(|x| x.is_finite()) {
            true => Ok(numbers),
            false => Err("a number is not finite".to_owned()),
        }
    }

    /// The offsets of `rows` rows, and the number of values they cover.
    pub(super) fn offsets(&mut self, rows: usize) -> Read<(Vec<u32>, usize)> {
        let offsets = self.words(rows + 1)?;
        let ascend = offsets.is_sorted() && offsets.first() == Some(&0);
        let last = offsets.last().copied().ok_or("a column has no offsets")?;
        let items = index(last);
        match ascend && items <= UNPACKED {
            true => Ok((offsets, items)),
            false => Err("offsets are not ascending".to_owned()),
        }
    }

    fn text(&mut self, rows: usize) -> Read<ColumnData> {
        let (offsets, length) = self.offsets(rows)?;
        let bytes = self.buffer(length)?;
        let text = std::str::from_utf8(&bytes).map_err(|e| format!("a text is not UTF-8: {e}"))?;
        let whole = |o: &u32| text.is_char_boundary(index(*o));
        match offsets.iter().all(whole) {
            true => Ok(ColumnData::Text { offsets, bytes }),
            false => Err("a text is not UTF-8".to_owned()),
        }
    }

    /// A column of values.
    pub(super) fn column(
        &mut self,
        data_type: provender_domain::value::DataType,
        rows: usize,
    ) -> Read<Column> {
        use provender_domain::value::DataType;
        let validity = self.node(rows)?;
        let data = match data_type {
            DataType::Float64 => ColumnData::Float64(self.numbers(rows)?),
            DataType::Int64 => ColumnData::Int64(self.split(rows, i64::from_le_bytes)?),
            DataType::Boolean => ColumnData::Boolean(self.buffer(rows.div_ceil(8))?),
            DataType::Date => ColumnData::Date(self.days(rows)?),
            DataType::Text => self.text(rows)?,
            DataType::Series => {
                let (offsets, points) = self.offsets(rows)?;
                for _ in 0..2 {
                    self.node(points)?;
                }
                let dates = self.days(points)?;
                self.node(points)?;
                ColumnData::Series {
                    offsets,
                    dates,
                    values: self.numbers(points)?,
                }
            }
        };
        Ok(Column::from_checked_parts(rows, data, validity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn zero_bits_are_counted_exactly(bits in prop::collection::vec(any::<u8>(), 0..9), rows in 0_usize..80) {
            let one_by_one = (0..rows).filter(|i| !provender_domain::column::bit(&bits, *i)).count();
            prop_assert_eq!(zeros(Some(&bits), rows), one_by_one);
            prop_assert_eq!(zeros(None, rows), 0);
        }
    }
}
