//! The deadline beside the fuel, on both engines.

use std::time::{Duration, Instant};

use super::guest::Load as _;
use super::guest::{Recipe, limits, numbers};
use crate::deadline::CallClock;
use crate::{Backend, FailureCode, Limits, LogicError, Sandbox};
use provender_domain::value::Scalar;
use provender_guests::recipe::component_beside_taker;

/// Passes a string of 32 MiB to another component, over and over.
const PASS: &str = "(func $pass (local $at i32) (local.set $at (i32.shl (memory.grow (i32.const 512)) (i32.const 16))) (loop $again (call $take (local.get $at) (i32.const 33554432)) (br $again)))";

fn refused(recipe: &Recipe, backend: Backend, limits: &Limits) -> LogicError {
    let bytes = component_beside_taker(
        &recipe.wat(),
        include_str!("../../../../wit/logic.wit"),
        false,
    );
    let sandbox = Sandbox::with_backend(backend, limits.clone(), None, None).unwrap();
    sandbox.load("passes.wasm", &bytes).unwrap_err()
}

#[test]
fn what_costs_no_fuel_ends_at_the_deadline_on_both_engines() {
    let limits = Limits {
        deadline_seconds: 0,
        fuel_base: 2_000_000,
        ..Limits::default()
    };
    let recipe = Recipe {
        top: PASS,
        describe: "(call $pass)",
        ..Recipe::default()
    };
    for backend in [Backend::Native, Backend::Pulley] {
        let error = refused(&recipe, backend, &limits);
        assert_eq!(error.code(), "deadline", "{backend:?}: {error}");
        assert!(error.to_string().contains("failed in describe"), "{error}");
    }
}

#[test]
fn fuel_ends_a_loop_before_the_deadline_on_both_engines() {
    let limits = Limits {
        deadline_seconds: 0,
        ..Limits::default()
    };
    for describe in [
        "(call $spin)",
        // Every turn waits for memory.
        "(local $at i32) (drop (memory.grow (i32.const 1600))) (loop $again (local.set $at (i32.and (i32.add (i32.mul (local.get $at) (i32.const 1664525)) (i32.const 1013904223)) (i32.const 0x3fffffc))) (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1))) (br $again))",
    ] {
        let recipe = Recipe {
            describe,
            ..Recipe::default()
        };
        for backend in [Backend::Native, Backend::Pulley] {
            let sandbox = Sandbox::with_backend(backend, limits.clone(), None, None).unwrap();
            let error = sandbox.load("spin.wasm", &recipe.component()).unwrap_err();
            assert_eq!(error.code(), "fuel_exhausted", "{backend:?}: {error}");
        }
    }
}

#[test]
fn a_component_that_was_late_too_often_is_not_called_again() {
    let component = Recipe::default().load_with(limits()).unwrap();
    let inputs = [numbers(&[3.0; 5_000]), numbers(&[4.0; 5_000])];
    let factor = [Scalar::Float64(2.0)];
    let failed = || component.compute(&factor, &inputs, 5_000).unwrap().failed;
    component.callee().late.add(Duration::from_secs(60));
    assert!(failed().is_empty());
    component.callee().late.add(Duration::from_secs(1));
    let failed = failed();
    assert_eq!(failed.len(), 5_000);
    assert!(failed.iter().all(|f| f.code == FailureCode::Deadline));
    let message = &failed[4_999].message;
    assert!(message.contains("it was not called again"), "{message}");
}

#[test]
fn time_in_which_a_call_waits_does_not_count() {
    let mut clock = CallClock::default();
    clock.start(Duration::from_millis(100));
    std::thread::sleep(Duration::from_millis(400));
    assert!(clock.check().is_ok());
    let begun = Instant::now();
    while clock.check().is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never ended");
    }
    assert!(clock.used() >= Duration::from_millis(100));
}
