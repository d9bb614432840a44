//! One logic in four languages: `days_remaining:v2` in Rust, C, JavaScript and Python makes the same
//! declaration and gives the same bits, on random rows and on every row of the sample ranch and of Nevada.
//!
//! The repository does not contain the Python component. It is read from `PROVENDER_PYTHON_COMPONENT`, or
//! from where the example's `build.sh` writes it; a test prints when it was not checked.
//! `PROVENDER_MEASURE=1` prints what `docs/reference/languages.md` shows.
//!
//! * `random`: random rows, and the one operation that a language does not support
//! * `measure`: sizes, times, fuel and memory

mod measure;
mod random;

use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use provender_domain::column::Column;
use provender_domain::value::{DataType, Scalar, Value};
use provender_sandbox::{
    Component, Computed, Limits, LogicError, PinLimits, Sandbox, stated_language,
};
use serde_json::Value as Json;

use crate::kit::Ranch;
use crate::nevada::nevada;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn examples() -> PathBuf {
    repository().join("logic-plugins/examples")
}

/// Language and file of each component that is compared with the Rust one.
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

/// The cache of compiled code, kept between runs of the tests.
fn cache() -> Dir {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("polyglot");
    std::fs::create_dir_all(&folder).unwrap();
    Dir::open_ambient_dir(folder, cap_std::ambient_authority()).unwrap()
}

fn load_with_limits(
    limits: &Limits,
    cache: Option<Dir>,
    bytes: &[u8],
) -> Result<Component, LogicError> {
    Sandbox::new(limits.clone(), cache)?.load("a component", bytes)
}

/// Loads a component like a pin of its language would.
fn load(file: &Path) -> Component {
    let bytes = std::fs::read(file).unwrap();
    let limits = PinLimits::for_language(&stated_language(&bytes)).applied_to(&Limits::default());
    load_with_limits(&limits, Some(cache()), &bytes).unwrap()
}

fn rust() -> Component {
    load(&repository().join("logic-plugins/artifacts/days_remaining-v2.wasm"))
}

fn defaults(component: &Component) -> Vec<Scalar> {
    let parameters = component.description().parameters.iter();
    parameters.map(|p| p.default.clone()).collect()
}

/// A value in a form that is compared by bits.
fn bits(value: Value) -> String {
    match value {
        Value::Float64(x) => format!("{x:e} {:016x}", x.to_bits()),
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

#[test]
fn every_language_makes_the_same_declaration() {
    let rust = rust();
    for (language, file) in others() {
        let other = load(&file);
        assert_eq!(other.description(), rust.description(), "{language}");
        assert_eq!(other.language(), language);
        assert!(other.imports().is_empty());
    }
}

#[test]
fn every_component_passes_the_check() {
    let ranch = Ranch::empty();
    for (language, file) in others() {
        let checked = ranch
            .run(&["plugin", "check", file.to_str().unwrap()])
            .exits(0);
        let head = format!("written in {language}, no imports");
        assert!(checked.stdout.contains(&head), "{}", checked.stdout);
    }
}

/// The inputs of the Rust component in the recorded runs of a deployment.
fn recorded(ranch: &Ranch, component: &Component) -> Vec<(Vec<Scalar>, Vec<Column>, usize)> {
    let description = component.description();
    let mut sets: Vec<(Vec<Scalar>, Vec<Vec<Value>>)> = Vec::new();
    // Many runs have their manifests in packs.
    let _ = ranch.run(&["manifest", "export", "--all"]).exits(0);
    let files = ranch.files("out/manifests").into_iter();
    for (_, bytes) in files.filter(|(path, _)| path.extension().is_some_and(|e| e == "json")) {
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
    assert_recorded_rows_are_the_same(&ranch, 250);
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
