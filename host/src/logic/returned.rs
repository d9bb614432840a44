//! Columns over the border, on the way back: every value is checked. A fault of the layout fails the
//! call; a fault of one value fails its row.
//!
//! Each check first looks at the whole column in vectors, which ends the matter for columns without a
//! fault; only where there is one is it looked for row by row.

use std::ops::Range;

use crate::domain::column::{Column, ColumnData, all_set, bit};
use crate::domain::day::Day;
use crate::domain::description::Output;
use crate::domain::value::{DataType, plain_zero};

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
mod tests {
    use super::*;
    use crate::domain::description::{Field, Role};
    use crate::domain::value::Value;
    use crate::logic::assemble::Assembly;
    use crate::logic::columns::Lowered;
    use crate::logic::failure::{Failure, FailureCode};
    use std::collections::BTreeMap;

    fn output(data_type: DataType) -> Output {
        Output {
            field: Field {
                name: "x".into(),
                data_type,
                unit: None,
                nullable: true,
                doc: String::new(),
            },
            role: Role::Outcome,
            formula: None,
        }
    }

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    /// Twenty values of each type, some null.
    fn columns() -> Vec<Column> {
        let of = |data_type, f: fn(i32) -> Value| {
            let values: Vec<_> = (0..20)
                .map(|i| if i % 6 == 5 { Value::Null } else { f(i) })
                .collect();
            Column::from_values(data_type, &values)
        };
        vec![
            of(DataType::Float64, |i| Value::Float64(f64::from(i) / 3.0)),
            of(DataType::Int64, |i| Value::Int64(i64::MIN + i64::from(i))),
            of(DataType::Boolean, |i| Value::Boolean(i % 3 == 0)),
            of(DataType::Date, |i| Value::Date(Day::from_days(i).unwrap())),
            of(DataType::Text, |i| Value::Text("é".repeat(i as usize % 4))),
            of(DataType::Series, |i| {
                let points = (0..i % 3).map(|n| (Day::from_days(n).unwrap(), f64::from(i)));
                Value::Series(points.collect())
            }),
        ]
    }

    /// What a guest that hands its input back would return.
    fn echoed(column: &Column, rows: Range<usize>) -> wit::ColumnResult {
        let lowered = Lowered::of(column, rows);
        let raw = lowered.as_wit();
        let values = match raw.values {
            wit::ValuesParam::Float64(v) => wit::ValuesResult::Float64(v.to_vec()),
            wit::ValuesParam::Int64(v) => wit::ValuesResult::Int64(v.to_vec()),
            wit::ValuesParam::Boolean(v) => wit::ValuesResult::Boolean(v.to_vec()),
            wit::ValuesParam::Date(v) => wit::ValuesResult::Date(v.to_vec()),
            wit::ValuesParam::Text(t) => wit::ValuesResult::Text(wit::TextValuesResult {
                offsets: t.offsets.to_vec(),
                bytes: t.bytes.to_vec(),
            }),
            wit::ValuesParam::Series(s) => wit::ValuesResult::Series(wit::SeriesValuesResult {
                offsets: s.offsets.to_vec(),
                dates: s.dates.to_vec(),
                values: s.values.to_vec(),
            }),
        };
        wit::ColumnResult {
            values,
            validity: raw.validity.map(<[u8]>::to_vec),
        }
    }

    /// One column of `rows` rows out of pieces.
    fn assemble(
        data_type: DataType,
        rows: usize,
        pieces: &[(usize, &Column)],
        failed: &[usize],
    ) -> Column {
        let failure = Failure::new(FailureCode::Trap, "it trapped");
        let failed: BTreeMap<_, _> = failed.iter().map(|row| (*row, failure.clone())).collect();
        let mut whole = Assembly::new(data_type, rows);
        for (from, piece) in pieces {
            whole.append(*from, piece, &failed);
        }
        whole.finish()
    }

    #[test]
    fn every_type_comes_back_unchanged_wherever_it_is_cut() {
        for column in columns() {
            for cut in 0..=20 {
                let mut bad = Vec::new();
                let mut part = |rows: Range<usize>| {
                    let (length, raw) = (rows.len(), echoed(&column, rows));
                    checked(&output(column.data_type()), raw, length, &mut bad).unwrap()
                };
                let (head, tail) = (part(0..cut), part(cut..20));
                assert_eq!(head, column.slice(0, cut));
                let pieces = [(0, &head), (cut, &tail)];
                let whole = assemble(column.data_type(), 20, &pieces, &[]);
                assert_eq!(whole, column);
                assert_eq!(bad, []);
            }
        }
    }

    #[test]
    fn rows_without_a_piece_and_failed_rows_are_null() {
        for column in columns() {
            for from in 0..12 {
                for failed in [vec![], vec![6], vec![from], vec![from + 7]] {
                    let (middle, rest) = (column.slice(from, 12), column.slice(13, 17));
                    let pieces = [(from, &middle), (13, &rest)];
                    let whole = assemble(column.data_type(), 20, &pieces, &failed);
                    let there = |i| (from..12).contains(&i) || (13..17).contains(&i);
                    let expected: Vec<_> = (0..20)
                        .map(|i| match i {
                            i if there(i) && !failed.contains(&i) => column.get(i),
                            _ => Value::Null,
                        })
                        .collect();
                    let expected = Column::from_values(column.data_type(), &expected);
                    assert_eq!(whole, expected, "from {from} without {failed:?}");
                }
            }
        }
    }

    #[test]
    fn offsets_must_start_at_0_ascend_and_end_with_the_values() {
        let text = |offsets: &[u32]| {
            let raw = wit::ColumnResult {
                values: wit::ValuesResult::Text(wit::TextValuesResult {
                    offsets: offsets.to_vec(),
                    bytes: b"abcd".to_vec(),
                }),
                validity: None,
            };
            checked(&output(DataType::Text), raw, 2, &mut Vec::new())
        };
        assert!(text(&[0, 4, 4]).is_ok());
        for (offsets, cause) in [
            (
                &[0, 4][..],
                "has 2 offsets for 2 rows where there must be 3",
            ),
            (&[1, 2, 4], "do not start at 0"),
            (&[0, 5, 4], "go back from 5 to 4 at row 1"),
            (&[0, 2, 3], "end at 3 where there are 4 values"),
            (&[0, 2, u32::MAX], "end at 4294967295"),
        ] {
            let error = text(offsets).unwrap_err();
            assert!(error.contains(cause), "{error}");
        }
    }

    #[test]
    fn a_day_outside_the_calendar_and_a_series_out_of_order_fail_their_row() {
        let mut bad = Vec::new();
        let last = day("9999-12-31").days();
        let dates = wit::ColumnResult {
            values: wit::ValuesResult::Date(vec![last, last + 1, i32::MIN]),
            validity: Some(vec![0b011]),
        };
        let column = checked(&output(DataType::Date), dates, 3, &mut bad).unwrap();
        assert_eq!(bad.iter().map(|b| b.row).collect::<Vec<_>>(), [1]);
        let expected = [Value::Date(day("9999-12-31")), Value::Null, Value::Null];
        assert_eq!(column, Column::from_values(DataType::Date, &expected));

        bad.clear();
        let series = wit::ColumnResult {
            values: wit::ValuesResult::Series(wit::SeriesValuesResult {
                offsets: vec![0, 2, 4, 5],
                dates: vec![1, 2, 2, 1, 1],
                values: vec![0.0, -0.0, 1.0, 1.0, f64::INFINITY],
            }),
            validity: None,
        };
        let column = checked(&output(DataType::Series), series, 3, &mut bad).unwrap();
        assert_eq!(bad.iter().map(|b| b.row).collect::<Vec<_>>(), [1, 2]);
        assert!(column.is_null(1) && column.is_null(2) && !column.is_null(0));
    }

    #[test]
    fn bits_after_the_last_row_are_ignored() {
        let raw = wit::ColumnResult {
            values: wit::ValuesResult::Boolean(vec![0xff]),
            validity: Some(vec![0xfb]),
        };
        let column = checked(&output(DataType::Boolean), raw, 3, &mut Vec::new()).unwrap();
        let expected = [Value::Boolean(true), Value::Boolean(true), Value::Null];
        assert_eq!(column, Column::from_values(DataType::Boolean, &expected));
    }
}
