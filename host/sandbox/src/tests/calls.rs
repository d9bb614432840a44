//! Computing, and how failures are confined to their rows.

use super::guest::Load as _;
use super::guest::{Recipe, limits, magic, numbers};
use crate::{Computed, FailureCode, Limits, LogicError};
use provender_domain::column::Column;
use provender_domain::value::{DataType, Scalar, Value};

const FACTOR: &[Scalar] = &[Scalar::Float64(2.0)];

/// Columns `a` and `b`, where every seventh and every eleventh value is null.
fn inputs(rows: usize) -> [Column; 2] {
    let every = |n: usize, f: fn(f64) -> f64| {
        let values: Vec<_> = (0..rows)
            .map(|i| if i % n == 0 { f64::NAN } else { f(i as f64) })
            .collect();
        numbers(&values)
    };
    [every(7, |x| 1.0 / (x + 3.0)), every(11, |x| x * 0.1)]
}

fn with_a(values: &[f64]) -> [Column; 2] {
    [numbers(values), numbers(&vec![1.0; values.len()])]
}

fn run(limits: Limits, inputs: &[Column; 2]) -> Computed {
    let component = Recipe::default().load_with(limits).unwrap();
    component.compute(FACTOR, inputs, inputs[0].rows()).unwrap()
}

#[test]
fn ten_thousand_rows_with_nulls_are_exact_however_they_are_split() {
    let inputs = inputs(10_000);
    let first = run(limits(), &inputs);
    assert!(first.failed.is_empty());
    for i in 0..10_000 {
        let expected = match (inputs[0].get(i), inputs[1].get(i)) {
            (Value::Float64(a), Value::Float64(b)) => Value::Float64(a * b),
            _ => Value::Null,
        };
        assert_eq!(first.outputs[0].get(i), expected, "row {i}");
        assert_eq!(first.outputs[1].get(i), Value::Text("ok".into()));
    }
    for (batch_rows, threads) in [(2_048, 2), (1, 1), (13, 3), (100_000, 1)] {
        let limits = Limits {
            batch_rows,
            threads,
            ..limits()
        };
        assert_eq!(run(limits, &inputs), first, "{batch_rows} rows per batch");
    }
}

#[test]
fn a_trap_in_ten_thousand_rows_fails_one_row_only() {
    let good = inputs(10_000);
    let reference = run(limits(), &good);
    let mut a: Vec<Value> = (0..10_000).map(|i| good[0].get(i)).collect();
    a[5_000] = Value::Float64(magic::PANIC);
    let bad = [
        Column::from_values(DataType::Float64, &a),
        Column::from_values(
            DataType::Float64,
            &(0..10_000).map(|i| good[1].get(i)).collect::<Vec<_>>(),
        ),
    ];
    let computed = run(limits(), &bad);
    let rows: Vec<_> = computed.failed.iter().map(|f| f.row).collect();
    assert_eq!(rows, [5_000]);
    for (mine, theirs) in computed.outputs.iter().zip(&reference.outputs) {
        for row in (0..10_000).filter(|row| *row != 5_000) {
            assert_eq!(mine.get(row), theirs.get(row), "row {row}");
        }
    }
}

#[test]
fn without_rows_no_call_is_made() {
    let computed = run(limits(), &with_a(&[]));
    assert_eq!(computed.outputs[1], Column::new(DataType::Text));
    assert_eq!(computed.outputs[0].rows(), 0);
}

#[test]
fn a_failing_row_does_not_affect_the_others_of_its_batch() {
    let cases = [
        (magic::LOOP, FailureCode::OutOfFuel, "used up its fuel"),
        (
            magic::PANIC,
            FailureCode::Trap,
            "it panicked: the herd is  [31mgone",
        ),
        (
            magic::GROW,
            FailureCode::OutOfMemory,
            "bytes of memory; 8388608 are allowed",
        ),
        (
            magic::RECURSE,
            FailureCode::StackOverflow,
            "exceeded its stack",
        ),
        (
            magic::NAN,
            FailureCode::BadReturn,
            "the output `product` is NaN, not a finite number",
        ),
        (magic::INTERNAL, FailureCode::Internal, "no data today"),
        (
            magic::INVALID_INPUT,
            FailureCode::InvalidInput,
            "the input `a` is refused: no data today",
        ),
    ];
    for (value, code, text) in cases {
        let mut a: Vec<f64> = (0..3_000).map(f64::from).map(|x| x / 4096.0).collect();
        for row in [0, 777, 2_999] {
            a[row] = value;
        }
        // Recursion must reach the stack limit before the fuel limit.
        let limits = Limits {
            stack_bytes: 64 << 10,
            ..limits()
        };
        let computed = run(limits, &with_a(&a));
        let rows: Vec<_> = computed.failed.iter().map(|f| f.row).collect();
        assert_eq!(
            rows,
            [0, 777, 2_999],
            "{}: {:?}",
            code.code(),
            computed.failed[0]
        );
        for failure in &computed.failed {
            assert_eq!(failure.code, code);
            assert!(failure.message.contains(text), "{}", failure.message);
            assert!(failure.message.contains("product:v1 failed in row"));
        }
        for (i, given) in a.iter().enumerate() {
            let failed = [0, 777, 2_999].contains(&i);
            let expected = if failed {
                Value::Null
            } else {
                Value::Float64(*given)
            };
            assert_eq!(computed.outputs[0].get(i), expected);
            assert_eq!(computed.outputs[1].is_null(i), failed);
        }
    }
}

#[test]
fn a_trap_has_a_symbolised_backtrace() {
    let computed = run(limits(), &with_a(&[magic::PANIC]));
    let detail = &computed.failed[0].detail;
    assert!(
        detail.contains("panic") && detail.contains("compute"),
        "{detail}"
    );
}

#[test]
fn a_refused_parameter_fails_every_row_of_the_batch() {
    let computed = run(limits(), &with_a(&[1.0, magic::INVALID_PARAMETER, 3.0]));
    assert_eq!(computed.failed.len(), 3);
    assert!(
        computed
            .failed
            .iter()
            .all(|f| f.code == FailureCode::InvalidParameter)
    );
    assert!(
        computed.failed[2]
            .message
            .contains("the parameter `a` is refused")
    );
}

#[test]
fn rows_that_all_loop_end_within_the_budget() {
    let computed = run(limits(), &with_a(&[magic::LOOP; 2_048]));
    assert_eq!(computed.failed.len(), 2_048);
    let last = &computed.failed[2_047].message;
    assert!(last.contains("were not examined one by one"), "{last}");
}

#[test]
fn when_all_rows_fail_cheaply_each_is_found() {
    for value in [magic::PANIC, magic::NAN, magic::INVALID_INPUT] {
        let mut a = vec![value; 500];
        a[321] = 5.0;
        let computed = run(limits(), &with_a(&a));
        assert_eq!(computed.failed.len(), 499);
        assert_eq!(computed.outputs[0].get(321), Value::Float64(5.0));
    }
}

#[test]
fn memory_up_to_the_limit_is_granted() {
    // 16 bytes of input and 8 + 2 + 4 bytes of output per row, and one initial page.
    let rows = 100_000;
    let inputs = with_a(&vec![1.5; rows]);
    let limits = |memory_bytes| Limits {
        memory_bytes,
        batch_rows: rows,
        ..limits()
    };
    let need = 65_536 * (1 + (30 * rows as u64 + rows as u64 / 8).div_ceil(65_536));
    assert!(run(limits(need), &inputs).failed.is_empty());
    let tight = run(limits(need / 2), &inputs);
    assert!(
        tight.failed.is_empty(),
        "halves fit, and give the same numbers"
    );
    assert_eq!(tight.outputs, run(limits(need), &inputs).outputs);
    let short = run(limits(65_536), &with_a(&[1.5]));
    assert_eq!(short.failed[0].code, FailureCode::OutOfMemory);
}

#[test]
fn state_kept_in_the_guest_does_not_outlive_its_batch() {
    // Counts its calls and returns the count in the first row.
    let recipe = Recipe {
        top: "(global $calls (mut i32) (i32.const 0))",
        end: "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
              (f64.store (local.get $out) (f64.convert_i32_u (global.get $calls)))",
        ..Recipe::default()
    };
    let component = recipe.load().unwrap();
    for _ in 0..2 {
        let computed = component.compute(FACTOR, &with_a(&[7.0, 8.0]), 2).unwrap();
        assert_eq!(computed.outputs[0].get(0), Value::Float64(1.0));
    }
}

/// Makes 40 calls of one row, in as few stores as in production. The guest counts each call in `$calls`, runs
/// `hook`, and returns the count.
fn counts(hook: &str) -> Vec<Value> {
    let end = format!(
        "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
         (f64.store (local.get $out) (f64.convert_i32_u (global.get $calls)))
         {hook}"
    );
    let recipe = Recipe {
        top: "(global $calls (mut i32) (i32.const 0))",
        end: end.leak(),
        ..Recipe::default()
    };
    let limits = Limits {
        batch_rows: 1,
        ..limits()
    };
    let component = recipe.load_with(limits).unwrap();
    let computed = component.compute(FACTOR, &with_a(&[1.0; 40]), 40).unwrap();
    assert!(computed.failed.is_empty(), "{:?}", computed.failed.first());
    (0..40).map(|row| computed.outputs[0].get(row)).collect()
}

fn cycle(n: u32) -> Vec<Value> {
    let counts = (1..=n).map(|i| Value::Float64(f64::from(i)));
    counts.cycle().take(40).collect()
}

#[test]
fn a_few_calls_share_a_store_whichever_thread_takes_them() {
    // 40 calls make four batches.
    assert_eq!(counts(""), cycle(10));
}

#[test]
fn a_call_that_fails_in_a_used_store_is_repeated_in_a_fresh_one() {
    let second = "(if (i32.eq (global.get $calls) (i32.const 2)) (then (call $panic)))";
    assert_eq!(counts(second), cycle(1));
}

#[test]
fn calls_share_an_instance_until_its_memory_has_grown_twice() {
    let together = |hook: &'static str| {
        let recipe = Recipe {
            top: "(global $calls (mut i32) (i32.const 0))",
            end: hook,
            ..Recipe::default()
        };
        let component = recipe.load().unwrap();
        let calls: Vec<_> = (0..40).map(|i| i..i + 1).collect();
        let inputs = with_a(&[1.0; 40]);
        let computed = component
            .compute_in_one_batch(FACTOR, &inputs, 40, &calls)
            .unwrap();
        let counts = (0..40).map(|row| computed.outputs[0].get(row));
        counts.collect::<Vec<_>>()
    };
    let count = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                 (f64.store (local.get $out) (f64.convert_i32_u (global.get $calls)))";
    assert_eq!(together(count), cycle(40));
    let growing = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                   (f64.store (local.get $out) (f64.convert_i32_u (global.get $calls)))
                   (drop (memory.grow (i32.const 1)))";
    assert_eq!(together(growing), cycle(3));
}

#[test]
fn a_call_with_other_columns_than_declared_is_refused() {
    let component = Recipe::default().load().unwrap();
    let good = with_a(&[1.0]);
    let refused = |parameters: &[Scalar], inputs: &[Column], rows, text: &str| {
        let error = component.compute(parameters, inputs, rows).unwrap_err();
        assert!(matches!(error, LogicError::Call { .. }));
        assert!(error.to_string().contains(text), "{error}");
    };
    refused(&[], &good, 1, "takes 1 parameters but was given 0");
    refused(&[Scalar::Int64(1)], &good, 1, "`factor` is of type float64");
    refused(&[Scalar::Float64(f64::INFINITY)], &good, 1, "not finite");
    refused(FACTOR, &good[..1], 1, "takes 2 input columns");
    refused(FACTOR, &good, 2, "was given 1 rows instead of 2");
    let text = Column::from_values(DataType::Text, &[Value::Null]);
    refused(
        FACTOR,
        &[good[0].clone(), text],
        1,
        "`b` is of type float64",
    );
}
