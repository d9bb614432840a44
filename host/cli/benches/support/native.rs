//! The kernels in native Rust, as somebody would write them who does without a sandbox: one loop over
//! full columns of a million rows, each value read where it lies and written where it belongs. The
//! floor under `days_remaining:v1` and `v2`; the comparison checks that the bits are the same.

use provender_domain::column::{Column, ColumnData, bit};

/// A column that is read.
#[derive(Clone, Copy)]
struct Cells<'a, T> {
    values: &'a [T],
    valid: Option<&'a [u8]>,
}

impl<T: Copy> Cells<'_, T> {
    #[inline]
    fn get(&self, row: usize) -> Option<T> {
        match self.valid {
            Some(bits) if !bit(bits, row) => None,
            _ => self.values.get(row).copied(),
        }
    }
}

fn numbers(column: &Column) -> Cells<'_, f64> {
    let ColumnData::Float64(values) = column.data() else {
        unreachable!("the plan of the columns is fixed")
    };
    let valid = column.validity();
    Cells { values, valid }
}

fn integers(column: &Column) -> Cells<'_, i64> {
    let ColumnData::Int64(values) = column.data() else {
        unreachable!("the plan of the columns is fixed")
    };
    let valid = column.validity();
    Cells { values, valid }
}

fn days(column: &Column) -> &[i32] {
    let ColumnData::Date(values) = column.data() else {
        unreachable!("the plan of the columns is fixed")
    };
    values
}

/// A column in the making.
struct Out<T> {
    values: Vec<T>,
    valid: Vec<u8>,
    nulls: bool,
}

impl<T: Copy + Default> Out<T> {
    fn new(rows: usize) -> Out<T> {
        Out {
            values: Vec::with_capacity(rows),
            valid: vec![0; rows.div_ceil(8)],
            nulls: false,
        }
    }

    #[inline]
    fn push(&mut self, value: Option<T>) {
        let row = self.values.len();
        match value {
            Some(value) => {
                self.valid[row / 8] |= 1 << (row % 8);
                self.values.push(value);
            }
            None => {
                self.nulls = true;
                self.values.push(T::default());
            }
        }
    }

    fn finish(self, data: impl FnOnce(Vec<T>) -> ColumnData) -> Column {
        let rows = self.values.len();
        Column::from_checked_parts(rows, data(self.values), self.nulls.then_some(self.valid))
    }
}

/// A text column in the making.
struct Texts {
    offsets: Out<u32>,
    bytes: Vec<u8>,
}

impl Texts {
    fn new(rows: usize) -> Texts {
        Texts {
            offsets: Out::new(rows),
            bytes: Vec::new(),
        }
    }

    #[inline]
    fn push(&mut self, text: Option<&str>) {
        self.bytes
            .extend_from_slice(text.unwrap_or_default().as_bytes());
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let row = self.offsets.values.len();
        self.offsets.values.push(end);
        if text.is_some() {
            self.offsets.valid[row / 8] |= 1 << (row % 8);
        } else {
            self.offsets.nulls = true;
        }
    }

    fn finish(self) -> Column {
        let bytes = self.bytes;
        self.offsets.finish(|mut offsets| {
            offsets.insert(0, 0);
            ColumnData::Text { offsets, bytes }
        })
    }
}

fn product(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a * b).filter(|v| v.is_finite())
}

/// The day the whole part of `days` later, within the calendar.
fn moved(day: i32, days: f64) -> Option<i32> {
    let whole = days.floor();
    if whole.abs() > 4_000_000.0 {
        return None;
    }
    i32::try_from(i64::from(day) + whole as i64)
        .ok()
        .filter(|d| (-719_162..=2_932_896).contains(d))
}

/// What both versions refuse about area, herd and intake.
fn refused(area: Option<f64>, count: Option<f64>, intake: Option<f64>) -> Option<&'static str> {
    match (area, count, intake) {
        (None, _, _) => Some("the pasture's area is missing"),
        (Some(a), _, _) if a <= 0.0 => Some("the pasture has no area"),
        (_, None, _) => Some("the herd's number of animals is missing"),
        (_, Some(n), _) if n <= 0.0 => Some("the herd has no animals: nothing is eaten"),
        (_, _, None) => Some("the herd's daily intake is missing"),
        (_, _, Some(k)) if k <= 0.0 => Some("the herd's daily intake is zero: nothing is eaten"),
        _ => None,
    }
}

fn reason(
    refusal: Option<&'static str>,
    days: Option<f64>,
    date: Option<i32>,
) -> Option<&'static str> {
    refusal.or(match (days, date) {
        (None, _) => Some("the number of days is too large to be computed"),
        (_, None) => Some("the move date lies beyond the year 9999"),
        _ => None,
    })
}

fn lasting(refusal: Option<&str>, available: Option<f64>, daily: Option<f64>) -> Option<f64> {
    match (refusal, available, daily) {
        (None, Some(available), Some(daily)) => Some(available / daily).filter(|d| d.is_finite()),
        _ => None,
    }
}

/// `days_remaining:v1`, columns in the order of its declaration.
pub(crate) fn v1(inputs: &[Column], rows: usize) -> Vec<Column> {
    let on = days(&inputs[0]);
    let area = numbers(&inputs[1]);
    let count = numbers(&inputs[2]);
    let intake = numbers(&inputs[3]);
    let forage = numbers(&inputs[4]);
    let age = integers(&inputs[5]);
    let increments = integers(&inputs[6]);
    let (mut left, mut date) = (Out::new(rows), Out::new(rows));
    let (mut stock, mut eaten, mut old) = (Out::new(rows), Out::new(rows), Out::new(rows));
    let mut why = Texts::new(rows);
    for (row, today) in on.iter().enumerate().take(rows) {
        let (f, a, n, k) = (
            forage.get(row),
            area.get(row),
            count.get(row),
            intake.get(row),
        );
        let available = product(f, a);
        let daily = product(n, k);
        let refusal = match f {
            None if increments.get(row) >= Some(1) => {
                Some("only increments of forage are known: v1 needs standing forage")
            }
            None => Some("no standing forage was observed at or before the date"),
            Some(f) if f < 0.0 => Some("the standing forage is negative"),
            Some(_) => refused(a, n, k),
        };
        let days = lasting(refusal, available, daily);
        let to = days.and_then(|d| moved(*today, d));
        left.push(days);
        date.push(to);
        stock.push(available);
        eaten.push(daily);
        old.push(age.get(row));
        why.push(reason(refusal, days, to));
    }
    vec![
        left.finish(ColumnData::Float64),
        date.finish(ColumnData::Date),
        stock.finish(ColumnData::Float64),
        eaten.finish(ColumnData::Float64),
        old.finish(ColumnData::Int64),
        why.finish(),
    ]
}

/// `days_remaining:v2` with its default parameters, columns in the order of its declaration.
pub(crate) fn v2(inputs: &[Column], rows: usize) -> Vec<Column> {
    const UTILIZATION: f64 = 50.0;
    const RESIDUAL: f64 = 0.0;
    let on = days(&inputs[0]);
    let area = numbers(&inputs[1]);
    let count = numbers(&inputs[2]);
    let intake = numbers(&inputs[3]);
    let target = numbers(&inputs[4]);
    let standing = numbers(&inputs[5]);
    let standing_age = integers(&inputs[6]);
    let grown = numbers(&inputs[7]);
    let increments = integers(&inputs[8]);
    let grown_age = integers(&inputs[9]);
    let (mut left, mut date) = (Out::new(rows), Out::new(rows));
    let (mut base, mut share) = (Out::new(rows), Out::new(rows));
    let (mut usable, mut stock) = (Out::new(rows), Out::new(rows));
    let (mut eaten, mut old) = (Out::new(rows), Out::new(rows));
    let (mut basis, mut why) = (Texts::new(rows), Texts::new(rows));
    for (row, today) in on.iter().enumerate().take(rows) {
        let (a, n, k) = (area.get(row), count.get(row), intake.get(row));
        let (name, forage, age) = match (standing.get(row), grown.get(row)) {
            (Some(f), _) => (Some("standing"), Some(f), standing_age.get(row)),
            (None, Some(g)) if increments.get(row) != Some(0) => {
                let name = Some("increments since season start");
                (name, Some(g), grown_age.get(row))
            }
            _ => (None, None, None),
        };
        let part = target.get(row).unwrap_or(UTILIZATION) / 100.0;
        let kept = product(forage.map(|f| (f - RESIDUAL).max(0.0)), Some(part));
        let available = product(kept, a);
        let daily = product(n, k);
        let refusal = match forage {
            None if grown_age.get(row).is_some() => {
                Some("no standing forage was observed, and no increment since the season's start")
            }
            None => Some("no forage was observed at or before the date"),
            Some(f) if f < 0.0 => Some("the forage is negative"),
            Some(_) if !(0.0..=1.0).contains(&part) => {
                Some("the herd's utilisation target lies outside 0 to 100 %")
            }
            Some(_) => refused(a, n, k),
        };
        let days = lasting(refusal, available, daily);
        let to = days.and_then(|d| moved(*today, d));
        left.push(days);
        date.push(to);
        basis.push(name);
        base.push(forage);
        share.push(Some(part));
        usable.push(kept);
        stock.push(available);
        eaten.push(daily);
        old.push(age);
        why.push(reason(refusal, days, to));
    }
    vec![
        left.finish(ColumnData::Float64),
        date.finish(ColumnData::Date),
        basis.finish(),
        base.finish(ColumnData::Float64),
        share.finish(ColumnData::Float64),
        usable.finish(ColumnData::Float64),
        stock.finish(ColumnData::Float64),
        eaten.finish(ColumnData::Float64),
        old.finish(ColumnData::Int64),
        why.finish(),
    ]
}
