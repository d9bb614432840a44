//! Checks of what a guest returns.

use super::guest::Load as _;
use super::guest::{Recipe, magic, numbers};
use crate::{Computed, FailureCode};
use provender_domain::value::{Scalar, Value};

fn run(end: &'static str, a: &[f64]) -> Computed {
    let recipe = Recipe {
        end,
        ..Recipe::default()
    };
    compute(&recipe, a)
}

fn compute(recipe: &Recipe, a: &[f64]) -> Computed {
    let inputs = [numbers(a), numbers(&vec![1.0; a.len()])];
    let component = recipe.load().unwrap();
    component
        .compute(&[Scalar::Float64(2.0)], &inputs, a.len())
        .unwrap()
}

#[test]
fn a_broken_layout_fails_the_rows_and_names_the_fault() {
    let cases = [
        // One value too few, and too many.
        (
            "(i32.store (i32.const 1296) (i32.sub (local.get $rows) (i32.const 1)))",
            "the output `product` has",
        ),
        (
            "(i32.store (i32.const 1296) (i32.add (local.get $rows) (i32.const 1)))",
            "the output `product` has",
        ),
        (
            "(i32.store (i32.const 1296) (i32.const -1))",
            "could not be read",
        ),
        // int64 instead of float64.
        (
            "(i32.store8 (i32.const 1288) (i32.const 1))",
            "declared float64 and was returned as int64",
        ),
        // A case that the variant does not have.
        (
            "(i32.store8 (i32.const 1288) (i32.const 77))",
            "could not be read",
        ),
        // One column, then a billion columns.
        (
            "(i32.store (i32.const 1096) (i32.const 1))",
            "it returned 1 columns, but declares 2",
        ),
        (
            "(i32.store (i32.const 1096) (i32.const 1000000000))",
            "could not be read",
        ),
        // The validity bitmap is too short.
        (
            "(i32.store (i32.const 1324) (i32.const 0))",
            "has 0 validity bytes for",
        ),
        // Offsets.
        (
            "(i32.store (local.get $offsets) (i32.const 1))",
            "do not start at 0",
        ),
        (
            "(i32.store offset=4 (local.get $offsets) (i32.const 3000))",
            "the offsets of the output `note`",
        ),
        (
            "(i32.store (i32.const 1344) (i32.const 1))",
            "but there are 1 values",
        ),
        (
            "(i32.store (i32.const 1336) (local.get $rows))",
            "offsets for",
        ),
        // A column beyond the end of memory.
        (
            "(i32.store (i32.const 1292) (i32.const 0x7ffffff8))",
            "could not be read",
        ),
    ];
    for (end, text) in cases {
        let computed = run(end, &[1.0, 2.0, 3.0]);
        assert_eq!(computed.failed.len(), 3, "{end}");
        for failure in &computed.failed {
            assert_eq!(failure.code, FailureCode::BadReturn, "{}", failure.message);
            assert!(failure.message.contains(text), "{}", failure.message);
        }
        assert!((0..3).all(|i| computed.outputs[0].is_null(i)));
    }
}

#[test]
fn a_layout_broken_only_with_several_rows_is_tried_row_by_row() {
    let computed = run(
        "(if (i32.gt_u (local.get $rows) (i32.const 1)) (then (i32.store offset=4 (local.get $offsets) (i32.const 5))))",
        &[1.0, 2.0],
    );
    assert!(computed.failed.is_empty(), "{:?}", computed.failed);
    assert_eq!(computed.outputs[0], numbers(&[1.0, 2.0]));
    assert_eq!(computed.outputs[1].get(1), Value::Text("ok".into()));
}

#[test]
fn a_text_that_is_not_utf8_fails_its_row_only() {
    let computed = run(
        "(i32.store8 (local.get $text) (i32.const 0xff))",
        &[1.0, 2.0],
    );
    assert_eq!(computed.failed.len(), 1);
    assert_eq!(computed.failed[0].row, 0);
    assert!(
        computed.failed[0]
            .message
            .contains("`note` is a text that is not UTF-8")
    );
    assert_eq!(computed.outputs[0].get(1), Value::Float64(2.0));
    assert_eq!(computed.outputs[1].get(1), Value::Text("ok".into()));
}

#[test]
fn a_null_in_an_output_that_is_not_nullable_fails_its_row() {
    let recipe = Recipe {
        nullable: false,
        ..Recipe::default()
    };
    let computed = compute(&recipe, &[1.0, f64::NAN, 3.0]);
    assert_eq!(computed.failed.len(), 1);
    assert_eq!(computed.failed[0].row, 1);
    assert!(
        computed.failed[0]
            .message
            .contains("although it is declared as not nullable")
    );
}

#[test]
fn the_value_behind_a_null_is_ignored() {
    // Every slot holds NaN, and no row is valid.
    let computed = run(
        "(f64.store (local.get $out) (f64.const nan)) (i32.store8 (local.get $valid) (i32.const 0xfe))",
        &[1.0, 2.0],
    );
    assert!(computed.failed.is_empty(), "{:?}", computed.failed);
    assert_eq!(computed.outputs[0], numbers(&[f64::NAN, 2.0]));
}

#[test]
fn minus_zero_becomes_zero() {
    let computed = run("", &[magic::MINUS_ZERO]);
    let Value::Float64(x) = computed.outputs[0].get(0) else {
        panic!("{computed:?}")
    };
    assert_eq!(x.to_bits(), 0);
}
