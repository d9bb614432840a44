//! Input columns of the two kernels, as `compute` hands them over: by pasture, day after day, with the
//! nulls of the synthetic deployment.

use provender_domain::column::{Column, ColumnData};

use super::synthetic::{FIRST_DAY, Random};

/// Days of a pasture before the next one begins.
const DAYS: usize = 1_000;

/// What a pasture gives to each of its days.
struct Pasture {
    area: f64,
    count: f64,
    intake: f64,
    target: Option<f64>,
    increments: bool,
}

impl Pasture {
    fn new(n: usize, random: &mut Random) -> Pasture {
        Pasture {
            area: random.tenths(80.0, 900.0),
            count: 40.0 + random.tenths(0.0, 400.0).floor(),
            intake: random.tenths(8.0, 14.0),
            target: (!n.is_multiple_of(3)).then_some(35.0 + (n % 25) as f64),
            increments: n % 50 == 49,
        }
    }
}

#[derive(Default)]
struct Nullable<T> {
    values: Vec<T>,
    valid: Vec<u8>,
    nulls: bool,
}

impl<T: Default> Nullable<T> {
    fn push(&mut self, value: Option<T>) {
        let row = self.values.len();
        if row.is_multiple_of(8) {
            self.valid.push(0);
        }
        match (value, self.valid.last_mut()) {
            (Some(value), Some(bits)) => {
                *bits |= 1 << (row % 8);
                self.values.push(value);
            }
            _ => {
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

/// The columns of `days_remaining:v2` in the order of its declaration; [`v1`] takes its own of them.
pub(crate) fn v2(rows: usize) -> Vec<Column> {
    let mut random = Random::new(7);
    let mut date = Vec::with_capacity(rows);
    let mut plain = [const { Vec::new() }; 3];
    let (mut target, mut standing) = (Nullable::default(), Nullable::default());
    let (mut standing_age, mut grown) = (Nullable::default(), Nullable::default());
    let (mut increments, mut grown_age) = (Nullable::default(), Nullable::default());
    for row in 0..rows {
        let (n, day) = (row / DAYS, row % DAYS);
        let mut of_pasture = Random::new(n as u64);
        let pasture = Pasture::new(n, &mut of_pasture);
        date.push(FIRST_DAY + i32::try_from(day).unwrap_or(0));
        plain[0].push(pasture.area);
        plain[1].push(pasture.count);
        plain[2].push(pasture.intake);
        target.push(pasture.target);
        let age = i64::try_from(day % 16).unwrap_or(0);
        let kg = random.tenths(250.0, 2_400.0);
        let season = i64::try_from(day % 365 / 16).unwrap_or(0) + 1;
        standing.push((!pasture.increments).then_some(kg));
        standing_age.push((!pasture.increments).then_some(age));
        grown.push(pasture.increments.then_some(kg));
        increments.push(Some(if pasture.increments { season } else { 0 }));
        grown_age.push(pasture.increments.then_some(age));
    }
    let [area, count, intake] = plain.map(|v| {
        let data = ColumnData::Float64(v);
        Column::from_checked_parts(rows, data, None)
    });
    vec![
        Column::from_checked_parts(rows, ColumnData::Date(date), None),
        area,
        count,
        intake,
        target.finish(ColumnData::Float64),
        standing.finish(ColumnData::Float64),
        standing_age.finish(ColumnData::Int64),
        grown.finish(ColumnData::Float64),
        increments.finish(ColumnData::Int64),
        grown_age.finish(ColumnData::Int64),
    ]
}

/// The columns of `days_remaining:v1`.
pub(crate) fn v1(rows: usize) -> Vec<Column> {
    let all = v2(rows);
    [0, 1, 2, 3, 5, 6, 8].map(|i| all[i].clone()).to_vec()
}
