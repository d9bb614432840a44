//! Checks every returned value. A broken layout fails the call; a bad value fails its row.
//!
//! Each check first tests the whole column in one vectorised pass. Only if that finds a fault is the faulty row
//! searched.

use std::ops::Range;

use provender_domain::column::{Column, ColumnData, all_set, bit};
use provender_domain::day::Day;
use provender_domain::description::Output;
use provender_domain::value::{DataType, plain_zero};

use super::bindings::wit;

/// A value that breaks the contract, in a column with a valid layout.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadValue {
    /// Row within the batch.
    pub(super) row: usize,
    /// What is wrong, as a clause that names the output.
    pub(super) cause: String,
}

/// Checks a returned column of `rows` rows against its declared `output`.
///
/// Bad values are added to `bad` and become null in the column. The error describes a broken layout, as a clause
/// that names the output.
pub(super) fn checked(
    output: &Output,
    returned: wit::ColumnResult,
    rows: usize,
    bad: &mut Vec<BadValue>,
) -> Result<Column, String> {
    let field = &output.field;
    let name = field.name.as_str();
    let found = type_of(&returned.values);
    let mut check = ColumnCheck {
        name,
        rows,
        valid: validity(name, returned.validity, rows)?,
        bad,
    };
    if found != field.data_type {
        return Err(format!(
            "the output `{name}` is declared {} and was returned as {}",
            field.data_type.name(),
            found.name()
        ));
    }
    if !field.nullable {
        let nulls: Vec<usize> = (0..rows).filter(|&i| check.is_null(i)).collect();
        for row in nulls {
            check.refuse(row, "null, although it is declared as not nullable");
        }
    }
    let data = match returned.values {
        wit::ValuesResult::Float64(values) => check.numbers(values)?,
        wit::ValuesResult::Int64(values) => check.integers(values)?,
        wit::ValuesResult::Boolean(bits) => check.booleans(bits)?,
        wit::ValuesResult::Date(days) => check.dates(days)?,
        wit::ValuesResult::Text(text) => check.texts(text)?,
        wit::ValuesResult::Series(series) => check.series(series)?,
    };
    Ok(Column::from_checked_parts(rows, data, check.valid))
}

fn type_of(values: &wit::ValuesResult) -> DataType {
    match values {
        wit::ValuesResult::Float64(_) => DataType::Float64,
        wit::ValuesResult::Int64(_) => DataType::Int64,
        wit::ValuesResult::Boolean(_) => DataType::Boolean,
        wit::ValuesResult::Date(_) => DataType::Date,
        wit::ValuesResult::Text(_) => DataType::Text,
        wit::ValuesResult::Series(_) => DataType::Series,
    }
}

/// A column whose values are being checked.
struct ColumnCheck<'a> {
    /// Name of the output.
    name: &'a str,
    rows: usize,
    valid: Option<Vec<u8>>,
    bad: &'a mut Vec<BadValue>,
}

impl ColumnCheck<'_> {
    fn is_null(&self, row: usize) -> bool {
        is_null(&self.valid, row)
    }

    /// Reports a bad value and makes it null.
    fn refuse(&mut self, row: usize, what: impl std::fmt::Display) {
        let cause = format!("the output `{}` is {what}", self.name);
        self.bad.push(BadValue { row, cause });
        set_null(&mut self.valid, self.rows, row);
    }

    fn length(&self, what: &str, found: usize, wanted: usize) -> Result<(), String> {
        if found == wanted {
            return Ok(());
        }
        Err(format!(
            "the output `{}` has {found} {what} for {} rows; expected {wanted}",
            self.name, self.rows
        ))
    }

    fn numbers(&mut self, mut v: Vec<f64>) -> Result<ColumnData, String> {
        self.length("values", v.len(), self.rows)?;
        zero_nulls(&mut v, &self.valid);
        if !v.iter().fold(true, |sound, x| sound & x.is_finite()) {
            for (i, x) in v.iter_mut().enumerate().filter(|(_, x)| !x.is_finite()) {
                self.refuse(i, format_args!("{x}, not a finite number"));
                *x = 0.0;
            }
        }
        v.iter_mut().for_each(|x| *x = plain_zero(*x));
        Ok(ColumnData::Float64(v))
    }

    fn integers(&mut self, mut v: Vec<i64>) -> Result<ColumnData, String> {
        self.length("values", v.len(), self.rows)?;
        zero_nulls(&mut v, &self.valid);
        Ok(ColumnData::Int64(v))
    }

    fn booleans(&mut self, mut v: Vec<u8>) -> Result<ColumnData, String> {
        self.length("bytes of bits", v.len(), self.rows.div_ceil(8))?;
        if let Some(valid) = &self.valid {
            for (byte, mask) in v.iter_mut().zip(valid) {
                *byte &= mask;
            }
        }
        clear_tail(&mut v, self.rows);
        Ok(ColumnData::Boolean(v))
    }

    fn dates(&mut self, mut v: Vec<i32>) -> Result<ColumnData, String> {
        self.length("values", v.len(), self.rows)?;
        zero_nulls(&mut v, &self.valid);
        let outside = |d: &i32| Day::from_days(*d).is_none();
        if v.iter().fold(false, |any, d| any | outside(d)) {
            for (i, d) in v.iter_mut().enumerate().filter(|(_, d)| outside(d)) {
                self.refuse(i, format_args!("day {d}, outside the years 1 to 9999"));
                *d = 0;
            }
        }
        Ok(ColumnData::Date(v))
    }

    fn texts(&mut self, text: wit::TextValuesResult) -> Result<ColumnData, String> {
        let wit::TextValuesResult { offsets, bytes } = text;
        self.length("offsets", offsets.len(), self.rows + 1)?;
        ascending(self.name, &offsets, bytes.len())?;
        if !all_utf8(&offsets, &bytes) {
            for i in 0..self.rows {
                let text = &bytes[range(&offsets, i)];
                if !self.is_null(i) && std::str::from_utf8(text).is_err() {
                    self.refuse(i, "a text that is not UTF-8");
                }
            }
        }
        let (offsets, bytes) = compact(offsets, bytes, &self.valid);
        Ok(ColumnData::Text { offsets, bytes })
    }

    fn series(&mut self, series: wit::SeriesValuesResult) -> Result<ColumnData, String> {
        let wit::SeriesValuesResult {
            offsets,
            dates,
            mut values,
        } = series;
        self.length("offsets", offsets.len(), self.rows + 1)?;
        ascending(self.name, &offsets, dates.len())?;
        ascending(self.name, &offsets, values.len())?;
        for i in 0..self.rows {
            let r = range(&offsets, i);
            let days = &dates[r.clone()];
            let sound = days.iter().all(|d| Day::from_days(*d).is_some())
                && days.is_sorted()
                && values[r].iter().all(|x| x.is_finite());
            if !self.is_null(i) && !sound {
                self.refuse(
                    i,
                    "a series with a date out of order or range, or a number that is not finite",
                );
            }
        }
        values.iter_mut().for_each(|x| *x = plain_zero(*x));
        let (_, dates) = compact(offsets.clone(), dates, &self.valid);
        let (offsets, values) = compact(offsets, values, &self.valid);
        Ok(ColumnData::Series {
            offsets,
            dates,
            values,
        })
    }
}

/// A bitmap of the right length with zeros after the last row; `None` if no row is null.
fn validity(name: &str, raw: Option<Vec<u8>>, rows: usize) -> Result<Option<Vec<u8>>, String> {
    let Some(mut bits) = raw else { return Ok(None) };
    let wanted = rows.div_ceil(8);
    if bits.len() != wanted {
        return Err(format!(
            "the output `{name}` has {} validity bytes for {rows} rows; expected {wanted}",
            bits.len()
        ));
    }
    clear_tail(&mut bits, rows);
    Ok((!all_set(&bits, 0..rows)).then_some(bits))
}

fn clear_tail(bits: &mut [u8], rows: usize) {
    if let (used @ 1.., Some(last)) = (rows % 8, bits.last_mut()) {
        *last &= (1 << used) - 1;
    }
}

fn is_null(valid: &Option<Vec<u8>>, row: usize) -> bool {
    valid.as_ref().is_some_and(|v| !bit(v, row))
}

fn set_null(valid: &mut Option<Vec<u8>>, rows: usize, row: usize) {
    let bits = valid.get_or_insert_with(|| {
        let mut all = vec![0xff; rows.div_ceil(8)];
        clear_tail(&mut all, rows);
        all
    });
    bits[row / 8] &= !(1 << (row % 8));
}

fn zero_nulls<T: Default>(values: &mut [T], valid: &Option<Vec<u8>>) {
    let Some(valid) = valid else { return };
    for (byte, values) in valid.iter().zip(values.chunks_mut(8)) {
        if *byte == 0xff {
            continue;
        }
        for (i, v) in values.iter_mut().enumerate() {
            if byte >> i & 1 == 0 {
                *v = T::default();
            }
        }
    }
}

/// Whether all texts are UTF-8 and no offset is inside a character.
fn all_utf8(offsets: &[u32], bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    text.is_ascii() || offsets.iter().all(|o| text.is_char_boundary(*o as usize))
}

pub(super) fn range(offsets: &[u32], i: usize) -> Range<usize> {
    offsets[i] as usize..offsets[i + 1] as usize
}

fn ascending(name: &str, offsets: &[u32], length: usize) -> Result<(), String> {
    if offsets.first() != Some(&0) {
        return Err(format!(
            "the offsets of the output `{name}` do not start at 0"
        ));
    }
    let descends = offsets
        .iter()
        .zip(offsets.iter().skip(1))
        .fold(false, |any, (a, b)| any | (a > b));
    if descends && let Some(i) = offsets.windows(2).position(|w| w[0] > w[1]) {
        return Err(format!(
            "the offsets of the output `{name}` decrease from {} to {} at row {i}",
            offsets[i],
            offsets[i + 1]
        ));
    }
    let last = offsets.last().map_or(0, |o| *o as usize);
    if last != length {
        return Err(format!(
            "the offsets of the output `{name}` end at {last}, but there are {length} values"
        ));
    }
    Ok(())
}

/// Removes the values of null rows. Offsets must be ascending and within `values`.
fn compact<T: Copy>(
    offsets: Vec<u32>,
    values: Vec<T>,
    valid: &Option<Vec<u8>>,
) -> (Vec<u32>, Vec<T>) {
    let rows = offsets.len() - 1;
    if valid.is_none() || (0..rows).all(|i| !is_null(valid, i) || range(&offsets, i).is_empty()) {
        return (offsets, values);
    }
    let mut kept = (vec![0], Vec::with_capacity(values.len()));
    let mut end = 0;
    for i in 0..rows {
        if !is_null(valid, i) {
            end += offsets[i + 1] - offsets[i];
            kept.1.extend_from_slice(&values[range(&offsets, i)]);
        }
        kept.0.push(end);
    }
    kept
}

#[cfg(test)]
mod tests;
