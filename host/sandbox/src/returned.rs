//! Columns over the border, on the way back: every value is checked. A fault of the layout fails the
//! call; a fault of one value fails its row.
//!
//! Each check first looks at the whole column in vectors, which ends the matter for columns without a
//! fault; only where there is one is it looked for row by row.

use std::ops::Range;

use provender_domain::column::{Column, ColumnData, all_set, bit};
use provender_domain::day::Day;
use provender_domain::description::Output;
use provender_domain::value::{DataType, plain_zero};

use super::bindings::wit;

/// A value that breaks the contract in an otherwise sound column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadValue {
    /// Row within the batch.
    pub(super) row: usize,
    /// A clause that names the output.
    pub(super) cause: String,
}

/// Checks what a guest returned for the declared `output` of `rows` rows.
///
/// Bad values are pushed to `bad` and become null in the column. The error is a fault of the
/// layout: a clause that names the output.
pub(super) fn checked(
    output: &Output,
    returned: wit::ColumnResult,
    rows: usize,
    bad: &mut Vec<BadValue>,
) -> Result<Column, String> {
    let field = &output.field;
    let name = &field.name;
    let mut valid = validity(name, returned.validity, rows)?;
    let mut refuse = |valid: &mut Option<Vec<u8>>, row: usize, cause: String| {
        bad.push(BadValue { row, cause });
        set_null(valid, rows, row);
    };
    let length = |what: &str, found: usize, wanted: usize| {
        if found == wanted {
            Ok(())
        } else {
            Err(format!(
                "the output `{name}` has {found} {what} for {rows} rows where there must be {wanted}"
            ))
        }
    };
    let found = match &returned.values {
        wit::ValuesResult::Float64(_) => DataType::Float64,
        wit::ValuesResult::Int64(_) => DataType::Int64,
        wit::ValuesResult::Boolean(_) => DataType::Boolean,
        wit::ValuesResult::Date(_) => DataType::Date,
        wit::ValuesResult::Text(_) => DataType::Text,
        wit::ValuesResult::Series(_) => DataType::Series,
    };
    if found != field.data_type {
        return Err(format!(
            "the output `{name}` is declared {} and was returned as {}",
            field.data_type.name(),
            found.name()
        ));
    }
    if !field.nullable {
        let nulls: Vec<usize> = (0..rows).filter(|&i| is_null(&valid, i)).collect();
        for row in nulls {
            let cause = format!("the output `{name}` is null, although it is declared not to be");
            refuse(&mut valid, row, cause);
        }
    }
    let data = match returned.values {
        wit::ValuesResult::Float64(mut v) => {
            length("values", v.len(), rows)?;
            zero_nulls(&mut v, &valid);
            if !v.iter().fold(true, |sound, x| sound & x.is_finite()) {
                for (i, x) in v.iter_mut().enumerate().filter(|(_, x)| !x.is_finite()) {
                    let cause = format!("the output `{name}` is {x}, not a finite number");
                    refuse(&mut valid, i, cause);
                    *x = 0.0;
                }
            }
            v.iter_mut().for_each(|x| *x = plain_zero(*x));
            ColumnData::Float64(v)
        }
        wit::ValuesResult::Int64(mut v) => {
            length("values", v.len(), rows)?;
            zero_nulls(&mut v, &valid);
            ColumnData::Int64(v)
        }
        wit::ValuesResult::Boolean(mut v) => {
            length("bytes of bits", v.len(), rows.div_ceil(8))?;
            if let Some(valid) = &valid {
                for (byte, mask) in v.iter_mut().zip(valid) {
                    *byte &= mask;
                }
            }
            clear_tail(&mut v, rows);
            ColumnData::Boolean(v)
        }
        wit::ValuesResult::Date(mut v) => {
            length("values", v.len(), rows)?;
            zero_nulls(&mut v, &valid);
            let outside = |d: &i32| Day::from_days(*d).is_none();
            if v.iter().fold(false, |any, d| any | outside(d)) {
                for (i, d) in v.iter_mut().enumerate().filter(|(_, d)| outside(d)) {
                    let cause =
                        format!("the output `{name}` is day {d}, outside the years 1 to 9999");
                    refuse(&mut valid, i, cause);
                    *d = 0;
                }
            }
            ColumnData::Date(v)
        }
        wit::ValuesResult::Text(wit::TextValuesResult { offsets, bytes }) => {
            length("offsets", offsets.len(), rows + 1)?;
            ascending(name, &offsets, bytes.len())?;
            if !all_utf8(&offsets, &bytes) {
                for i in 0..rows {
                    let text = &bytes[range(&offsets, i)];
                    if !is_null(&valid, i) && std::str::from_utf8(text).is_err() {
                        let cause = format!("the output `{name}` is a text that is not UTF-8");
                        refuse(&mut valid, i, cause);
                    }
                }
            }
            let (offsets, bytes) = compact(offsets, bytes, &valid);
            ColumnData::Text { offsets, bytes }
        }
        wit::ValuesResult::Series(wit::SeriesValuesResult {
            offsets,
            dates,
            mut values,
        }) => {
            length("offsets", offsets.len(), rows + 1)?;
            ascending(name, &offsets, dates.len())?;
            ascending(name, &offsets, values.len())?;
            for i in 0..rows {
                let r = range(&offsets, i);
                let days = &dates[r.clone()];
                let sound = days.iter().all(|d| Day::from_days(*d).is_some())
                    && days.is_sorted()
                    && values[r].iter().all(|x| x.is_finite());
                if !is_null(&valid, i) && !sound {
                    let cause = format!(
                        "the output `{name}` is a series with a date out of order or range, or a number that is not finite"
                    );
                    refuse(&mut valid, i, cause);
                }
            }
            values.iter_mut().for_each(|x| *x = plain_zero(*x));
            let (_, dates) = compact(offsets.clone(), dates, &valid);
            let (offsets, values) = compact(offsets, values, &valid);
            ColumnData::Series {
                offsets,
                dates,
                values,
            }
        }
    };
    Ok(Column::from_checked_parts(rows, data, valid))
}

/// A bitmap of the right length with zeros after its last row; `None` where no row is null.
fn validity(name: &str, raw: Option<Vec<u8>>, rows: usize) -> Result<Option<Vec<u8>>, String> {
    let Some(mut bits) = raw else { return Ok(None) };
    let wanted = rows.div_ceil(8);
    if bits.len() != wanted {
        return Err(format!(
            "the output `{name}` has {} validity bytes for {rows} rows where there must be {wanted}",
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

/// Whether all texts are UTF-8 and none is cut within a character.
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
            "the offsets of the output `{name}` go back from {} to {} at row {i}",
            offsets[i],
            offsets[i + 1]
        ));
    }
    let last = offsets.last().map_or(0, |o| *o as usize);
    if last != length {
        return Err(format!(
            "the offsets of the output `{name}` end at {last} where there are {length} values"
        ));
    }
    Ok(())
}

/// Empties the ranges of null rows. Offsets are in order and within `values`.
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
