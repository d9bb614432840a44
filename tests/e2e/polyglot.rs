//! One logic in four languages: `days_remaining:v2` in Rust, C, JavaScript and Python declares the
//! same and gives the same bits, on random rows and on every row of the sample ranch and of Nevada.
//!
//! The Python component is not kept in the repository: it is taken from `PROVENDER_PYTHON_COMPONENT`,
//! or from where `build.sh` of the example puts it, and a test says when it was not checked.
//! `PROVENDER_MEASURE=1` prints what `docs/reference/languages.md` shows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use provender::domain::column::{Column, ColumnData};
use provender::domain::day::Day;
use provender::domain::value::{DataType, Scalar, Value};
use provender::logic::{Component, Computed, FailureCode, Limits, PinLimits, Sandbox, language_of};
use serde_json::Value as Json;

use crate::kit::Ranch;
use crate::nevada::nevada;

/// Random rows that every component computes.
const ROWS: usize = 100_000;
/// The greatest integer that a number of JavaScript holds, with all below it.
const SAFE: i64 = (1 << 53) - 1;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn examples() -> PathBuf {
    repository().join("logic-plugins/examples")
}

/// Language and file of what stands beside the Rust component.
fn others() -> Vec<(&'static str, PathBuf)> {
    let file = "days-remaining-v2/days_remaining-v2.wasm";
    let mut files = vec![
        ("c", examples().join("c").join(file)),
        ("javascript", examples().join("javascript").join(file)),
    ];
    let built = examples().join("python/days-remaining-v2/build/days_remaining-v2.wasm");
    let python = std::env::var_os("PROVENDER_PYTHON_COMPONENT").map_or(built, PathBuf::from);
    if python.is_file() {
        files.push(("python", python));
    } else {
        println!("not checked: Python, whose component was not built");
    }
    files
}

/// Loads a component as a pin of its language would, compiled code kept between runs of the tests.
fn load(file: &Path) -> Component {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("polyglot");
    std::fs::create_dir_all(&cache).unwrap();
    let cache = cap_std::fs::Dir::open_ambient_dir(cache, cap_std::ambient_authority()).unwrap();
    load_with(file, Some(cache))
}

fn load_with(file: &Path, cache: Option<cap_std::fs::Dir>) -> Component {
    let bytes = std::fs::read(file).unwrap();
    let limits = PinLimits::usual(&language_of(&bytes)).over(&Limits::default());
    let name = file.display().to_string();
    Sandbox::new(limits, cache)
        .unwrap()
        .load(&name, &bytes)
        .unwrap()
}

fn rust() -> Component {
    load(&repository().join("logic-plugins/artifacts/days_remaining-v2.wasm"))
}

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

    /// Mostly a number as a ranch has it; else what arithmetic stumbles over.
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
            // Any bits that are a number.
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

fn random_inputs(component: &Component, seed: u64, rows: usize, most: i64) -> Vec<Column> {
    let mut random = Random(seed);
    let inputs = component.description().inputs.iter();
    inputs
        .map(|i| random.column(i.field.data_type, i.field.nullable, rows, most))
        .collect()
}

fn defaults(component: &Component) -> Vec<Scalar> {
    let parameters = component.description().parameters.iter();
    parameters.map(|p| p.default.clone()).collect()
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

/// A value in a form that compares by bits.
fn bits(value: Value) -> String {
    match value {
        Value::Float64(x) => format!("{x} {:016x}", x.to_bits()),
        other => format!("{other:?}"),
    }
}

/// Asserts that two components computed the same; the message names the first row that differs.
fn assert_same(
    language: &str,
    component: &Component,
    inputs: &[Column],
    a: &Computed,
    b: &Computed,
) {
    assert_eq!(
        a.failed.len(),
        b.failed.len(),
        "{language}: {:?}",
        b.failed.first()
    );
    let outputs = component.description().outputs.iter();
    for (output, (a, b)) in outputs.zip(a.outputs.iter().zip(&b.outputs)) {
        assert_eq!(a.rows(), b.rows());
        for row in 0..a.rows() {
            let (wanted, got) = (bits(a.get(row)), bits(b.get(row)));
            let cells = || inputs.iter().map(|c| bits(c.get(row))).collect::<Vec<_>>();
            assert_eq!(
                wanted,
                got,
                "{language}, {}, row {row}: {:?}",
                output.field.name,
                cells()
            );
        }
    }
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
fn every_language_declares_the_same() {
    let rust = rust();
    for (language, file) in others() {
        let other = load(&file);
        assert_eq!(other.description(), rust.description(), "{language}");
        assert_eq!(other.language(), language);
        assert!(other.imports().is_empty());
    }
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
    // Every way through the row function was taken: eleven refusals, a number too large, a day past
    // the calendar, and an answer without a reason.
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

/// The one operation that a language cannot do: QuickJS takes an int64 in as a number, which rounds
/// it beyond 2^53. Its component refuses such a row, and gives the same bits for all others.
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

/// What the Rust component was given in the recorded runs of a deployment.
fn recorded(ranch: &Ranch, component: &Component) -> Vec<(Vec<Scalar>, Vec<Column>, usize)> {
    let description = component.description();
    let mut sets: Vec<(Vec<Scalar>, Vec<Vec<Value>>)> = Vec::new();
    for (_, bytes) in ranch.files("out/manifests") {
        let manifest: Json = serde_json::from_slice(&bytes).unwrap();
        let run = &manifest["reproducible"];
        if run["component"]["sha256"] != component.digest().to_string() {
            continue;
        }
        let parameter = |name: &str| Scalar::Float64(run["parameters"][name].as_f64().unwrap());
        let parameters: Vec<_> = description
            .parameters
            .iter()
            .map(|p| parameter(&p.name))
            .collect();
        let cell = |name: &str, data_type| cell(&run["inputs"][name], data_type);
        let inputs = description.inputs.iter();
        let row = inputs
            .map(|i| cell(&i.field.name, i.field.data_type))
            .collect();
        match sets.iter_mut().find(|(p, _)| *p == parameters) {
            Some((_, rows)) => rows.push(row),
            None => sets.push((parameters, vec![row])),
        }
    }
    let columns = |rows: &[Vec<Value>]| {
        let types = description
            .inputs
            .iter()
            .map(|i| i.field.data_type)
            .enumerate();
        let column = |(n, data_type): (usize, DataType)| {
            let values: Vec<_> = rows.iter().map(|row: &Vec<Value>| row[n].clone()).collect();
            Column::from_values(data_type, &values)
        };
        types.map(column).collect::<Vec<_>>()
    };
    let sets = sets.into_iter();
    sets.map(|(parameters, rows)| (parameters, columns(&rows), rows.len()))
        .collect()
}

fn cell(json: &Json, data_type: DataType) -> Value {
    match data_type {
        _ if json.is_null() => Value::Null,
        DataType::Float64 => Value::Float64(json.as_f64().unwrap()),
        DataType::Int64 => Value::Int64(json.as_i64().unwrap()),
        DataType::Date => Value::Date(json.as_str().unwrap().parse().unwrap()),
        other => panic!("no input is of type {other:?}"),
    }
}

fn assert_recorded_rows_are_the_same(ranch: &Ranch, at_least: usize) {
    let rust = rust();
    let sets = recorded(ranch, &rust);
    let count: usize = sets.iter().map(|(_, _, rows)| rows).sum();
    assert!(count >= at_least, "only {count} rows were recorded");
    for (language, file) in others() {
        let other = load(&file);
        for (parameters, inputs, rows) in &sets {
            let wanted = rust.compute(parameters, inputs, *rows).unwrap();
            let got = other.compute(parameters, inputs, *rows).unwrap();
            assert_same(language, &rust, inputs, &wanted, &got);
        }
        println!("{language}: {count} recorded rows with the same bits");
    }
}

#[test]
fn the_sample_ranch_has_the_same_bits_in_every_language() {
    let ranch = Ranch::sample();
    let _ = ranch.run(&["run", "--as-of", "2025-06-30"]).exits(0);
    let days = ["--from", "2025-04-01", "--to", "2025-06-30"];
    let all = ["compute", "--all", "--logic", "days_remaining:v2"];
    let _ = ranch.run(&[&all[..], &days[..]].concat());
    assert_recorded_rows_are_the_same(&ranch, 400);
}

#[test]
fn nevada_has_the_same_bits_in_every_language() {
    let Some(nevada) = nevada() else {
        println!("skipped: the folder of real data is not here");
        return;
    };
    let [first, last] = &nevada.days;
    let all = ["compute", "--all", "--logic", "days_remaining:v2"];
    let _ = nevada
        .ranch
        .run(&[&all[..], &["--from", first, "--to", last]].concat());
    assert_recorded_rows_are_the_same(&nevada.ranch, 500);
}

/// The median of five.
fn time(mut f: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let started = Instant::now();
            f();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[2]
}

#[test]
fn the_table_of_languages_is_measured() {
    if std::env::var_os("PROVENDER_MEASURE").is_none() {
        println!("not measured: set PROVENDER_MEASURE=1");
        return;
    }
    let (batch, rows) = (2_048, 20_480);
    let rust = repository().join("logic-plugins/artifacts/days_remaining-v2.wasm");
    for (language, file) in [("rust", rust)].into_iter().chain(others()) {
        let started = Instant::now();
        let cold = load_with(&file, None);
        let compile = started.elapsed();
        let _ = load(&file);
        let started = Instant::now();
        let component = load(&file);
        let cached = started.elapsed();
        drop(cold);
        let parameters = defaults(&component);
        let inputs = random_inputs(&component, 1, rows, SAFE);
        let batches: Vec<_> = (0..rows / batch)
            .map(|n| n * batch..(n + 1) * batch)
            .collect();
        let all = time(|| {
            drop(
                component
                    .compute_in(&parameters, &inputs, rows, &batches)
                    .unwrap(),
            )
        });
        let one = time(|| drop(component.probe(&parameters, &inputs, 0..1).unwrap()));
        let call = component.probe(&parameters, &inputs, 0..batch).unwrap();
        assert!(call.result.is_ok());
        let first = component.probe(&parameters, &inputs, 0..1).unwrap().fuel;
        println!(
            "{language}: {} bytes, compiled in {compile:?}, from the cache {cached:?}, one row {one:?}, {:?} a row in batches of {batch}, fuel {} a row and {first} for one row; {:?}",
            component.size(),
            all / rows as u32,
            (call.fuel - first) / (batch as u64 - 1),
            component.fuel(&parameters, &inputs, batch).unwrap(),
        );
    }
}
