//! Valid columns come back unchanged, and each fault is named.

use super::*;
use crate::assemble::ColumnBuilder;
use crate::columns::Lowered;
use crate::failure::{Failure, FailureCode};
use provender_domain::description::{Field, Role};
use provender_domain::value::Value;
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
        of(DataType::Text, |i| {
            Value::Text("é".repeat(i.unsigned_abs() as usize % 4))
        }),
        of(DataType::Series, |i| {
            let points = (0..i % 3).map(|n| (Day::from_days(n).unwrap(), f64::from(i)));
            Value::Series(points.collect())
        }),
    ]
}

/// The columns of a guest that returns its input.
fn echoed(column: &Column, rows: Range<usize>) -> wit::ColumnResult {
    let lowered = Lowered::slice(column, rows);
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

/// Assembles one column from pieces; `ends` are the ends of its spans.
fn assemble(
    data_type: DataType,
    ends: &[usize],
    pieces: &[(usize, &Column)],
    failed: &[usize],
) -> Column {
    let failure = Failure::new(FailureCode::Trap, "it trapped");
    let failed: BTreeMap<_, _> = failed.iter().map(|row| (*row, failure.clone())).collect();
    let mut whole = ColumnBuilder::new(data_type, *ends.last().unwrap());
    let mut first = 0;
    let written = whole
        .spans(ends)
        .into_iter()
        .zip(ends)
        .map(|(mut span, end)| {
            for (from, piece) in pieces {
                // A piece that covers several spans is cut at their ends.
                let (a, b) = (first.max(*from), (*end).min(from + piece.rows()));
                if a < b {
                    span.append(a, &piece.slice(a - from, b - from), &failed);
                }
            }
            first = *end;
            span.end()
        });
    let written = written.collect();
    whole.finish(written)
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
            for ends in [vec![20], vec![cut, 20], vec![3, 8, 8, 17, 20]] {
                let whole = assemble(column.data_type(), &ends, &pieces, &[]);
                assert_eq!(whole, column, "cut at {cut}, runs up to {ends:?}");
            }
            assert_eq!(bad, []);
        }
    }
}

#[test]
fn uncovered_and_failed_rows_are_null() {
    for column in columns() {
        for from in 0..12 {
            for failed in [vec![], vec![6], vec![from], vec![from + 7]] {
                let (middle, rest) = (column.slice(from, 12), column.slice(13, 17));
                let pieces = [(from, &middle), (13, &rest)];
                let there = |i| (from..12).contains(&i) || (13..17).contains(&i);
                let expected: Vec<_> = (0..20)
                    .map(|i| match i {
                        i if there(i) && !failed.contains(&i) => column.get(i),
                        _ => Value::Null,
                    })
                    .collect();
                let expected = Column::from_values(column.data_type(), &expected);
                for ends in [vec![20], vec![from, 13, 20], vec![1, 9, 16, 20]] {
                    let whole = assemble(column.data_type(), &ends, &pieces, &failed);
                    assert_eq!(whole, expected, "{from} without {failed:?}, runs {ends:?}");
                }
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
        (&[0, 4][..], "has 2 offsets for 2 rows; expected 3"),
        (&[1, 2, 4], "do not start at 0"),
        (&[0, 5, 4], "decrease from 5 to 4 at row 1"),
        (&[0, 2, 3], "end at 3, but there are 4 values"),
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
