//! Random rows: the same bits in every language, and what one of them does not support.

use std::collections::BTreeSet;
use std::time::Instant;

use provender_domain::column::{Column, ColumnData};
use provender_domain::day::Day;
use provender_domain::value::{DataType, Scalar, Value};
use provender_sandbox::{Component, Computed, FailureCode};

use super::{assert_same, bits, defaults, load, others, rust};

/// Random rows that every component computes.
const ROWS: usize = 100_000;
/// The greatest integer up to which JavaScript numbers represent all integers.
pub(super) const SAFE: i64 = (1 << 53) - 1;

/// Splitmix64: the same rows on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Mostly a plausible number for a ranch, otherwise an edge case of arithmetic.
    fn float(&mut self) -> f64 {
        let sign = if self.below(2) == 0 { 1.0 } else { -1.0 };
        match self.below(20) {
            0 => 0.0,
            1 => -0.0,
            2 => -(self.below(10_000) as f64) / 7.0,
            // A subnormal.
            3 => sign * f64::from_bits(1 + self.below(1 << 52)),
            4 => sign * f64::MIN_POSITIVE,
            5 => sign * f64::MAX,
            6 => sign * 1e300 * self.below(1 << 20) as f64,
            // Any bits that are not a NaN.
            7 => Some(f64::from_bits(self.next()))
                .filter(|x| x.is_finite())
                .unwrap_or(1.0),
            8 => 100.0,
            _ => self.below(1 << 40) as f64 / 1e9,
        }
    }

    fn integer(&mut self, most: i64) -> i64 {
        match self.below(8) {
            0 => 0,
            1 => most,
            2 => -most,
            3 => (self.next() as i64) % most,
            4 => -(self.below(400) as i64),
            _ => self.below(400) as i64,
        }
    }

    fn day(&mut self) -> i32 {
        let (first, last) = (Day::MIN.days(), Day::MAX.days());
        match self.below(10) {
            0 => first,
            1 => last - self.below(400) as i32,
            2 => first + (self.below((last - first) as u64) as i32),
            3 => -1,
            _ => 18_000 + self.below(4_000) as i32,
        }
    }

    /// A column of the type. The bits after the last row are set and clear at random.
    fn column(&mut self, data_type: DataType, nullable: bool, rows: usize, most: i64) -> Column {
        let data = match data_type {
            DataType::Float64 => ColumnData::Float64((0..rows).map(|_| self.float()).collect()),
            DataType::Int64 => ColumnData::Int64((0..rows).map(|_| self.integer(most)).collect()),
            DataType::Date => ColumnData::Date((0..rows).map(|_| self.day()).collect()),
            other => panic!("no input is of type {other:?}"),
        };
        let validity = nullable.then(|| {
            let bytes = (0..rows.div_ceil(8)).map(|_| {
                // An eighth of the rows is null.
                (self.next() | self.next() | self.next()) as u8
            });
            bytes.collect()
        });
        Column::from_checked_parts(rows, data, validity)
    }
}

pub(super) fn random_inputs(
    component: &Component,
    seed: u64,
    rows: usize,
    most: i64,
) -> Vec<Column> {
    let mut random = Random(seed);
    let inputs = component.description().inputs.iter();
    inputs
        .map(|i| random.column(i.field.data_type, i.field.nullable, rows, most))
        .collect()
}

/// Default parameters, with other values for the two that enter the arithmetic.
fn parameters(component: &Component, utilization: f64, residual: f64) -> Vec<Scalar> {
    let declared = component.description().parameters.iter();
    declared
        .map(|p| match p.name.as_str() {
            "default_utilization_pct" => Scalar::Float64(utilization),
            "residual_kg_per_ha" => Scalar::Float64(residual),
            _ => p.default.clone(),
        })
        .collect()
}

fn text_of(computed: &Computed, component: &Component, output: &str) -> BTreeSet<String> {
    let declared = &component.description().outputs;
    let at = declared
        .iter()
        .position(|o| o.field.name == output)
        .unwrap();
    let column = &computed.outputs[at];
    let values = (0..column.rows()).map(|row| column.get(row));
    values.map(|v| format!("{v:?}")).collect()
}

#[test]
fn random_rows_have_the_same_bits_in_every_language() {
    let rust = rust();
    let sets = [
        (50.0, 0.0),
        (100.0, 400.0),
        (0.0, 1.0 / 3.0),
        (33.3, 20_000.0),
    ];
    let rows = ROWS / sets.len();
    let mut reasons = BTreeSet::new();
    let questions: Vec<_> = sets
        .iter()
        .zip(1..)
        .map(|((utilization, residual), seed)| {
            let parameters = parameters(&rust, *utilization, *residual);
            let inputs = random_inputs(&rust, seed, rows, SAFE);
            let wanted = rust.compute(&parameters, &inputs, rows).unwrap();
            assert!(wanted.failed.is_empty(), "{:?}", wanted.failed.first());
            reasons.extend(text_of(&wanted, &rust, "reason"));
            (parameters, inputs, wanted)
        })
        .collect();
    // The rows took every path through the row function: eleven refusals, a number too large, a day past the
    // calendar, and an answer without a reason.
    assert_eq!(reasons.len(), 13, "{reasons:#?}");
    for (language, file) in others() {
        let other = load(&file);
        let started = Instant::now();
        for (parameters, inputs, wanted) in &questions {
            let got = other.compute(parameters, inputs, rows).unwrap();
            assert_same(language, &rust, inputs, wanted, &got);
        }
        println!(
            "{language}: {ROWS} random rows with the same bits, {:?}",
            started.elapsed()
        );
    }
}

/// The one operation that a language does not support: QuickJS converts an int64 to a number, which rounds it
/// beyond 2^53. Its component refuses such a row, and gives the same bits for all others.
#[test]
fn integers_beyond_2_53_are_the_same_or_refused() {
    let (rust, rows) = (rust(), 400);
    let parameters = defaults(&rust);
    let inputs = random_inputs(&rust, 7, rows, i64::MAX);
    let wanted = rust.compute(&parameters, &inputs, rows).unwrap();
    let is_wide = |row: &usize| {
        let mut cells = inputs.iter().map(|c| c.get(*row));
        cells.any(|v| matches!(v, Value::Int64(n) if n.unsigned_abs() > SAFE.unsigned_abs()))
    };
    let wide: Vec<usize> = (0..rows).filter(is_wide).collect();
    assert!(wide.len() > 50 && wide.len() < 350, "{}", wide.len());
    for (language, file) in others() {
        let other = load(&file);
        let got = other.compute(&parameters, &inputs, rows).unwrap();
        if language != "javascript" {
            assert_same(language, &rust, &inputs, &wanted, &got);
            continue;
        }
        let refused: Vec<usize> = got.failed.iter().map(|f| f.row).collect();
        assert_eq!(refused, wide);
        for failure in &got.failed {
            assert_eq!(failure.code, FailureCode::InvalidInput);
            assert!(
                failure.message.contains("lies beyond 2^53"),
                "{}",
                failure.message
            );
        }
        for (a, b) in wanted.outputs.iter().zip(&got.outputs) {
            for row in (0..rows).filter(|row| !wide.contains(row)) {
                assert_eq!(bits(a.get(row)), bits(b.get(row)), "row {row}");
            }
        }
    }
}
