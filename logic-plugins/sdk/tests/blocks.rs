//! Rows go through a logic in blocks of eight: whatever their number, every row keeps its values, its
//! nulls and its failure.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test")]

use provender_logic::contract::{Column, Failure, Guest, Scalar, SeriesValues, TextValues, Values};
use provender_logic::{Day, RowError, Series};

provender_logic::logic! {
    name: "mirror",
    version: "v1",
    summary: "Gives back what it takes in.",
    inputs: struct Inputs<'a> {
        /// A number.
        number: Option<f64>,
        /// One without nulls; 13 is refused as an input, 14 as a whole, 15 gives what is no number.
        plain: i64,
        /// A bit.
        bit: Option<bool>,
        /// A bit without nulls.
        yes: bool,
        /// A day.
        day: Day,
        /// A text.
        text: Option<&'a str>,
        /// A series.
        series: Option<Series<'a>>,
    },
    parameters: struct Parameters {
        /// Nothing.
        unused: f64 = 0.0,
    },
    outputs: struct Outputs {
        /// The number.
        outcome number: Option<f64>,
        /// The other one.
        outcome plain: i64,
        /// A number that is always there.
        outcome always: f64,
        /// The bit.
        outcome bit: Option<bool>,
        /// The other one.
        outcome yes: bool,
        /// The day.
        outcome day: Option<Day>,
        /// The text, as it came.
        outcome text: Option<String>,
        /// How long the series is, in words of many lengths.
        outcome words: &'static str,
    },
    guardrails: {},
    monitors: { coverage below 0.98, 0.90; },
    annotations: {},
    compute: row,
}

const WORDS: [&str; 5] = [
    "",
    "one",
    "two words",
    "sixteen letters.",
    "more than sixteen letters",
];

fn row(_: &Parameters, i: &Inputs<'_>) -> Result<Outputs, RowError> {
    match i.plain {
        13 => return Err(RowError::input("plain", "is thirteen")),
        14 => return Err("it is fourteen".into()),
        _ => {}
    }
    let odd = if i.plain == 15 { f64::NAN } else { -0.0 };
    Ok(Outputs {
        number: i.number,
        plain: i.plain,
        always: odd,
        bit: i.bit,
        yes: i.yes,
        day: Some(i.day).filter(|d| d.days() % 5 != 0),
        text: i.text.map(str::to_owned),
        words: WORDS[i.series.map_or(0, |s| s.len())],
    })
}

fn bits(rows: usize, on: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut bits = vec![0; rows.div_ceil(8)];
    (0..rows)
        .filter(|row| on(*row))
        .for_each(|row| bits[row / 8] |= 1 << (row % 8));
    bits
}

fn column(values: Values, validity: Option<Vec<u8>>) -> Column {
    Column { values, validity }
}

/// A null in every seventh row, every third, every fifth.
fn there(n: usize) -> impl Fn(usize) -> bool {
    move |row| row % n != n - 1
}

fn inputs(rows: usize, plain: impl Fn(usize) -> i64) -> Vec<Column> {
    let text: Vec<String> = (0..rows)
        .map(|row| {
            if there(5)(row) {
                "é".repeat(row % 4)
            } else {
                String::new()
            }
        })
        .collect();
    let ends = |lengths: &mut dyn Iterator<Item = usize>| {
        let mut end = 0;
        let mut offsets = vec![0];
        for length in lengths {
            end += length as u32;
            offsets.push(end);
        }
        offsets
    };
    let points = |row: usize| if row.is_multiple_of(2) { row % 5 } else { 0 };
    let all: usize = (0..rows).map(points).sum();
    let number = |row: usize| if there(7)(row) { row as f64 / 3.0 } else { 0.0 };
    vec![
        column(
            Values::Float64((0..rows).map(number).collect()),
            Some(bits(rows, there(7))),
        ),
        column(Values::Int64((0..rows).map(plain).collect()), None),
        column(
            Values::Boolean(bits(rows, |r| r % 4 == 1)),
            Some(bits(rows, there(3))),
        ),
        column(Values::Boolean(bits(rows, |r| r % 3 == 1)), None),
        column(Values::Date((0..rows as i32).collect()), None),
        column(
            Values::Text(TextValues {
                offsets: ends(&mut text.iter().map(String::len)),
                bytes: text.concat().into_bytes(),
            }),
            Some(bits(rows, there(5))),
        ),
        column(
            Values::Series(SeriesValues {
                offsets: ends(&mut (0..rows).map(points)),
                dates: vec![1; all],
                values: vec![1.5; all],
            }),
            Some(bits(rows, |r| r.is_multiple_of(2))),
        ),
    ]
}

fn run(inputs: Vec<Column>, rows: usize) -> Result<Vec<Column>, Failure> {
    Logic::compute(rows as u32, vec![Scalar::Float64(0.0)], inputs)
}

fn texts(column: &Column) -> Vec<String> {
    let Values::Text(t) = &column.values else {
        panic!("no text")
    };
    let cut = |w: &[u32]| t.bytes[w[0] as usize..w[1] as usize].to_vec();
    let cells = t.offsets.windows(2).map(cut);
    cells.map(|c| String::from_utf8(c).unwrap()).collect()
}

#[test]
fn every_number_of_rows_comes_back_as_it_went_in() {
    let plain = |row: usize| 1_000 + row as i64;
    for rows in 0..=41 {
        let given = inputs(rows, plain);
        let found = run(given.clone(), rows).unwrap();
        let all = |n: usize| (0..rows).all(there(n));
        let validity = |n: usize| (!all(n)).then(|| bits(rows, there(n)));
        assert_eq!(found[0].values, given[0].values, "{rows} rows");
        assert_eq!(found[0].validity, validity(7));
        assert_eq!(found[1], given[1]);
        // One zero, one set of bits.
        let Values::Float64(always) = &found[2].values else {
            panic!("no numbers")
        };
        assert!(always.len() == rows && always.iter().all(|x| x.to_bits() == 0));
        let kept = bits(rows, |r| r % 4 == 1 && there(3)(r));
        assert_eq!(found[3], column(Values::Boolean(kept), validity(3)));
        assert_eq!(found[4], given[3]);
        let days = (0..rows as i32).map(|d| if d % 5 == 0 { 0 } else { d });
        assert_eq!(found[5].values, Values::Date(days.collect()));
        let valid = (rows > 0).then(|| bits(rows, |r| r % 5 != 0));
        assert_eq!(found[5].validity, valid);
        assert_eq!(texts(&found[6]), texts(&given[5]));
        assert_eq!(found[6].validity, validity(5));
        let words = (0..rows).map(|r| WORDS[if r.is_multiple_of(2) { r % 5 } else { 0 }]);
        assert_eq!(texts(&found[7]), words.collect::<Vec<_>>());
        assert_eq!(found[7].validity, None);
    }
}

#[test]
fn the_first_row_that_fails_is_told_wherever_in_its_block_it_stands() {
    for rows in [1, 7, 8, 9, 17] {
        for (first, second) in (0..rows).flat_map(|a| (a + 1..=rows).map(move |b| (a, b))) {
            for (kind, other) in [(13, 15), (14, 15), (15, 13), (15, 14)] {
                let plain = |row: usize| match row {
                    row if row == first => kind,
                    row if row == second => other,
                    row => row as i64 + 100,
                };
                let failure = run(inputs(rows, plain), rows).unwrap_err();
                let expected = match kind {
                    13 => Failure::InvalidInput((
                        "plain".into(),
                        Some(first as u32),
                        "is thirteen".into(),
                    )),
                    14 => Failure::Internal(format!("row {first}: it is fourteen")),
                    _ => Failure::Internal(format!(
                        "row {first}: output `always`: NaN is not a finite number; give null and a reason where there is no answer"
                    )),
                };
                assert_eq!(failure, expected, "{rows} rows, then row {second}");
            }
        }
    }
}
