//! A row's answer does not depend on the rows beside it: any order and any batches give the same bits.

use std::ops::Range;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

use super::guest::Load as _;
use super::guest::{Recipe, limits, magic};
use crate::{Component, Limits, Sandbox};
use provender_domain::column::Column;
use provender_domain::day::Day;
use provender_domain::value::{DataType, Scalar, Value};
use provender_guests::how_many;

/// The shipped components: real logic, in the sandbox that production uses.
const SHIPPED: [(&str, &[u8]); 3] = [
    (
        "days_remaining-v1",
        include_bytes!("../../../../logic-plugins/artifacts/days_remaining-v1.wasm"),
    ),
    (
        "days_remaining-v2",
        include_bytes!("../../../../logic-plugins/artifacts/days_remaining-v2.wasm"),
    ),
    (
        "frost_days-v1",
        include_bytes!("../../../../logic-plugins/artifacts/frost_days-v1.wasm"),
    ),
];

fn number() -> BoxedStrategy<f64> {
    prop_oneof![
        4 => -50.0..5_000.0_f64,
        1 => (0_i32..40).prop_map(f64::from),
        1 => prop::sample::select(vec![0.0, 1e-300, 1e300, f64::MAX, f64::MIN_POSITIVE]),
    ]
    .boxed()
}

fn day() -> impl Strategy<Value = Day> {
    (19_000_i32..21_000).prop_map(|d| Day::from_days(d).unwrap())
}

fn value(data_type: DataType, nullable: bool) -> BoxedStrategy<Value> {
    let value = match data_type {
        DataType::Float64 => number().prop_map(Value::Float64).boxed(),
        DataType::Int64 => (-1_000_i64..1_000).prop_map(Value::Int64).boxed(),
        DataType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        DataType::Date => day().prop_map(Value::Date).boxed(),
        DataType::Text => "[a-zé]{0,6}".prop_map(Value::Text).boxed(),
        DataType::Series => prop::collection::btree_map(day(), number(), 0..6)
            .prop_map(|points| Value::Series(points.into_iter().collect()))
            .boxed(),
    };
    match nullable {
        true => prop_oneof![4 => value, 1 => Just(Value::Null)].boxed(),
        false => value,
    }
}

/// Rows, a permutation of them, and where to cut batches.
type Case = (Vec<Vec<Value>>, Vec<usize>, Vec<prop::sample::Index>);

fn cases(row: impl Strategy<Value = Vec<Value>>) -> impl Strategy<Value = Case> {
    prop::collection::vec(row, 1..40)
        .prop_flat_map(|rows| {
            let order: Vec<usize> = (0..rows.len()).collect();
            (Just(rows), Just(order).prop_shuffle())
        })
        .prop_flat_map(|(rows, order)| {
            let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..8);
            (Just(rows), Just(order), cuts)
        })
}

fn batches(rows: usize, cuts: &[prop::sample::Index]) -> Vec<Range<usize>> {
    let mut ends: Vec<usize> = cuts.iter().map(|c| c.index(rows)).collect();
    ends.extend([0, rows]);
    ends.sort_unstable();
    ends.dedup();
    ends.windows(2).map(|w| w[0]..w[1]).collect()
}

fn columns<'r>(component: &Component, rows: impl Iterator<Item = &'r Vec<Value>>) -> Vec<Column> {
    let rows: Vec<_> = rows.collect();
    let inputs = component.description().inputs.iter().enumerate();
    inputs
        .map(|(c, input)| {
            let values: Vec<Value> = rows.iter().map(|r| r[c].clone()).collect();
            Column::from_values(input.field.data_type, &values)
        })
        .collect()
}

/// For each row, the bits of its outputs, or the code of its failure.
fn held(
    component: &Component,
    parameters: &[Scalar],
    inputs: &[Column],
    batches: &[Range<usize>],
) -> Vec<(Vec<String>, Option<&'static str>)> {
    let rows = inputs[0].rows();
    let computed = component
        .compute_in_batches(parameters, inputs, rows, batches)
        .unwrap();
    let bits = |value: Value| match value {
        Value::Float64(x) => format!("{:016x}", x.to_bits()),
        other => format!("{other:?}"),
    };
    (0..rows)
        .map(|row| {
            let failed = computed.failed.iter().find(|f| f.row == row);
            let outputs = computed.outputs.iter().map(|c| bits(c.get(row)));
            (outputs.collect(), failed.map(|f| f.code.code()))
        })
        .collect()
}

fn invariant(component: &Component, (rows, order, cuts): &Case) -> TestCaseResult {
    let defaults = component.description().parameters.iter();
    let parameters: Vec<Scalar> = defaults.map(|p| p.default.clone()).collect();
    let together = columns(component, rows.iter());
    let whole = held(component, &parameters, &together, &batches(rows.len(), &[]));
    let shuffled = columns(component, order.iter().map(|i| &rows[*i]));
    let split = batches(rows.len(), cuts);
    let other = held(component, &parameters, &shuffled, &split);
    for (place, row) in order.iter().enumerate() {
        prop_assert_eq!(&other[place], &whole[*row], "row {} as {}", row, place);
    }
    Ok(())
}

fn check(component: &Component, row: impl Strategy<Value = Vec<Value>>, count: u32) {
    let mut runner = TestRunner::new(Config {
        cases: how_many(count),
        source_file: Some(file!()),
        ..Config::default()
    });
    let result = runner.run(&cases(row), |case| invariant(component, &case));
    let name = component.description().model_version();
    assert!(result.is_ok(), "{name}: {}", result.unwrap_err());
}

#[test]
fn shipped_logics_answer_the_same_in_any_order_and_any_batches() {
    let sandbox = Sandbox::new(Limits::default(), None).unwrap();
    for (name, bytes) in SHIPPED {
        let component = sandbox.load(name, bytes).unwrap();
        let inputs = component.description().inputs.iter();
        let row: Vec<BoxedStrategy<Value>> = inputs
            .map(|i| value(i.field.data_type, i.field.nullable))
            .collect();
        check(&component, row, 48);
    }
}

/// Rows that trap or loop are isolated whatever rows surround them.
#[test]
fn failing_rows_fail_alone_in_any_order_and_any_batches() {
    let component = Recipe::default().load_with(limits()).unwrap();
    let bad = prop::sample::select(vec![
        magic::PANIC,
        magic::RECURSE,
        magic::NAN,
        magic::INTERNAL,
        magic::INVALID_INPUT,
        magic::LOOP,
    ]);
    let a = prop_oneof![
        8 => (0.0..1_000.0_f64).prop_map(Value::Float64),
        1 => bad.prop_map(Value::Float64),
        1 => Just(Value::Null),
    ];
    let b = value(DataType::Float64, true);
    check(&component, (a, b).prop_map(|(a, b)| vec![a, b]), 32);
}
