//! Values of a row as canonical JSON: as an object of its columns, or as a list.

use super::header;
use super::render::Scratch;
use provender_domain::column::{Column, ColumnData, bit, index};
use provender_domain::day::Day;
use provender_domain::text::{self, Numbers};

/// A member of an object: its column, and `"name":` with the comma before it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) column: usize,
    pub(super) key: Vec<u8>,
}

/// The members of an object of these columns, in canonical order.
pub(super) fn members(columns: &[header::Column]) -> Vec<Member> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    let name = |i: &usize| columns.get(*i).map_or("", |c| c.name.as_str());
    // RFC 8785 sorts by UTF-16 code units.
    order.sort_by(|a, b| name(a).encode_utf16().cmp(name(b).encode_utf16()));
    let member = |(n, column): (usize, usize)| {
        let mut key = if n == 0 { Vec::new() } else { vec![b','] };
        text::string(name(&column), &mut key);
        key.push(b':');
        Member { column, key }
    };
    order.into_iter().enumerate().map(member).collect()
}

/// Writes the canonical list of a row's outputs in declared order, as in the ledger.
pub fn list(outputs: &[Column], i: usize, scratch: &mut Scratch, out: &mut Vec<u8>) {
    out.push(b'[');
    for (n, column) in outputs.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        cell(column, i, &mut scratch.numbers, out);
    }
    out.push(b']');
}

/// Writes an object of a row's values.
pub(super) fn object(
    members: &[Member],
    columns: &[Column],
    i: usize,
    numbers: &mut Numbers,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for member in members {
        out.extend_from_slice(&member.key);
        cell(&columns[member.column], i, numbers, out);
    }
    out.push(b'}');
}

#[expect(
    clippy::expect_used,
    reason = "every stored day was checked to be in the calendar"
)]
pub(super) fn day(days: i32) -> Day {
    Day::from_days(days).expect("a day of the calendar")
}

/// Writes a value of a column.
pub(super) fn cell(column: &Column, i: usize, numbers: &mut Numbers, out: &mut Vec<u8>) {
    if column.is_null(i) {
        return out.extend_from_slice(b"null");
    }
    let range = |offsets: &[u32]| {
        let at = |i: usize| index(offsets[i]);
        at(i)..at(i + 1)
    };
    match column.data() {
        ColumnData::Float64(v) => numbers.write(v[i], out),
        ColumnData::Int64(v) => text::wide(v[i], out),
        ColumnData::Boolean(v) => {
            out.extend_from_slice(if bit(v, i) { b"true" } else { b"false" });
        }
        ColumnData::Date(v) => text::day(day(v[i]), out),
        ColumnData::Text { .. } => text::string(column.text(i), out),
        ColumnData::Series {
            offsets,
            dates,
            values,
        } => {
            let range = range(offsets);
            let dates = dates[range.clone()].iter().map(|d| day(*d));
            let points = dates.zip(values[range].iter().copied());
            text::series(points, |x, out| numbers.write(x, out), out);
        }
    }
}
